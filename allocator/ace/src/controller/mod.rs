//! The learning layer: observe → decide → apply, none of it on HOT. docs/LEARNING.md says who may change what, and why.
//!
//! `observation` and `knobs` are the policy's two ends; `policy` with `cap`, `elo`, `pressure` and `idle` decides, pure;
//! `look` gathers observations and empties heaps that rest; `worker` is the thread that does all this; `ring` carries
//! events to it and `log` tells people. Threads in WARM call `pass`, `ensure` and `tell`, each a load or two.

pub mod cap;
pub mod elo;
pub mod idle;
pub mod knobs;
mod log;
mod look;
pub mod observation;
pub mod policy;
pub mod pressure;
pub mod ring;
mod scarcity;
mod worker;

pub use worker::{after_fork, ensure, is_running, lost_events, pass, stop, tell};

/// What threads in WARM tell the worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
pub enum Event {
    /// A thread attached.
    Attached = 1,
    /// A thread retired.
    Retired = 2,
    /// A request met the memory limit.
    Limited = 3,
}

/// How many kinds of events there are, and 0.
pub const EVENTS: usize = 4;
