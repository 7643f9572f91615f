//! Workloads: what they are, the streams drawn from them, and the loop that drives an engine.
//!
//! **Pre-drawn.** A thread's operations are drawn before the clock starts, into `u32` words: kind, and size or place
//! in the live array. Under the clock an operation costs the read of a word, a branch and an array access; so the
//! generator neither hides a fast engine nor perturbs its caches much, every engine gets the same calls in the same
//! order, and a seed is a workload for ever (tests pin the streams).
//!
//! **What is timed.** From the moment the first thread starts (all are awake by then) to the end of the last: engine
//! calls, the loop, the touching of blocks where the workload asks for it, hand-off rings, the start of fresh threads
//! in workloads that have some, and sleeps of phases. In [`Mode::Timed`] every engine call by itself, between fenced
//! reads of the cycle counter, into buffers that never grow; touching stays outside those.
//!
//! **What is not.** Drawing, the benchmark's own memory (allocated and resident before the clock), warm-up, checks
//! that the engine served what it should, the drain.
//!
//! **Map.** [`spec`] data → `validate`, `scale`, [`catalog`] → `draw`, `stream`, `program` (what each thread will do)
//! → `exec` (the loop) with a `probe` and a `content` as type parameters → `direct` and `steal` (threads) → [`run`].
//! Recorded traces take another way: `replay`.
//! Unsafe code is in `raw`, and in two files of `replay` that share blocks between threads.
#![deny(unsafe_code)]

pub mod catalog;
mod clock;
mod content;
mod direct;
mod draw;
mod exec;
mod pin;
mod probe;
mod program;
#[expect(unsafe_code, reason = "blocks, boxes, rings and the cycle counter: the crate's one place for it")]
mod raw;
mod rendezvous;
pub mod replay;
pub mod run;
mod scale;
pub mod spec;
mod steal;
mod stream;
mod validate;

pub use catalog::{builtin, find, load};
pub use clock::calibration;
pub use probe::{LiveGauge, Sample};
pub use run::{Hooks, Mode, NoHooks, Outcome, Prepared, RunError, RunOptions, Samples, prepare};
pub use spec::Workload;
