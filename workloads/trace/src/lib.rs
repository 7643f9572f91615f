//! Recorded allocation traces: what a real program asked of its allocator, as a file.
//!
//! A trace holds one *stream* a process: its events in one global order, each with its thread, so that both the
//! order over threads and each thread's own order are there. `docs/TRACES.md` lays the bytes out.
//!
//! **Map.** [`event`] (what an event is) → [`mod@format`] (limits, headers) → [`encode`], [`decode`] (events ↔ columns) →
//! [`writer`], [`reader`] (files, block by block, in bounded memory) → [`live`] (which blocks are live) → [`info`]
//! (statistics) → [`synth`] (a workload fitted to them). [`import`] reads the text of AOSP's `memory_replay`;
//! [`spool`] reads what the recording library leaves behind.
//!
//! Files come from anywhere: nothing in one makes a reader panic, loop, or take more memory than the limits in
//! [`mod@format`] allow.
#![forbid(unsafe_code)]

pub mod decode;
pub mod encode;
pub mod event;
pub mod format;
pub mod import;
pub mod info;
pub mod live;
pub mod reader;
pub mod spool;
pub mod synth;
pub mod varint;
pub mod writer;

pub use event::{Event, Op};
pub use format::{Meta, StreamInfo};
pub use reader::{Ending, Reader};
pub use writer::Writer;
