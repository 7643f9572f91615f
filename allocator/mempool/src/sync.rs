//! Synchronisation façade: std's primitives, or loom's under `--cfg loom`.
//!
//! Whatever takes part in a modelled protocol (the counted lock, the tagged stack, the scope
//! switch) names its primitives through this module alone, so the model checks the code that
//! ships. Plain counters that no decision rests on use std's atomics directly.

#[cfg(loom)]
pub(crate) use loom::sync::{Mutex, MutexGuard, atomic};
#[cfg(not(loom))]
pub(crate) use std::sync::{Mutex, MutexGuard, atomic};
