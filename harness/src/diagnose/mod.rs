//! Leak or retention, and which mechanism?
//!
//! [`smaps`] sorts the resident memory of a process by kind of mapping, [`snapshot`] puts beside it what the process's
//! allocator says of itself (where the process answers), [`target`] says what is looked at: a running process, a
//! command, or a cell of `scale`. [`verdict`] is a pure function from snapshots to one sentence; [`mitigation`] lists
//! what fits it, each with the figure that was measured for it. Nothing here changes the process looked at unless a trim is asked for.

pub mod mitigation;
pub mod smaps;
pub mod snapshot;
pub mod target;
pub mod verdict;
