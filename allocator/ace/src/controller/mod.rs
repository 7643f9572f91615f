//! The learning layer: observe → decide → apply, none of it on HOT. docs/LEARNING.md says who may change what, and why.
//!
//! The uppermost layer: it uses the front and all below it. `observation` and `crate::learned` are the policy's two ends;
//! `policy` with `cap`, `elo`, `pressure` and `heap::idle` decides, pure; `look` gathers observations and empties heaps
//! that rest; `worker` is the thread that does all this; `ring` carries events to it and `log` tells people. Three doors
//! alone are for callers below: threads in WARM call `pass`, `ensure` and `tell`, each a load or two, which never wait.

pub mod cap;
pub mod elo;
mod log;
mod look;
pub mod observation;
pub mod policy;
pub mod pressure;
pub mod ring;
mod scarcity;
mod worker;

pub use crate::heap::idle;
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
