//! A server whose memory behaves like that of a model-serving frontend, and the client that loads it.
//!
//! [`work`] is what a request costs: parse a JSON body, tokenise its messages, stream an answer in many small chunks.
//! [`server`] runs it on tokio's blocking pool behind hyper; [`session`] keeps a small record of each recent request,
//! the few live bytes among many free ones that decide what an allocator can return. [`client`] is the other process:
//! [`client::closed`] keeps a number of requests in flight, [`client::open`] sends at a fixed rate and counts latency
//! from the intended times. [`live`] counts the bytes that the server holds, [`process`] reads what the kernel says.
//!
//! All allocation goes through `malloc`, so that a preloaded allocator serves tokio, hyper and serde too.

pub mod client;
pub mod live;
pub mod process;
pub mod server;
pub mod session;
pub mod wire;
pub mod work;
