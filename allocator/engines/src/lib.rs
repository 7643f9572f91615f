//! Every allocator of the workspace behind one trait, [`Engine`].
//!
//! A benchmark holds an engine as `&'static dyn Engine`: the virtual call is the boundary, never inlined, the
//! same one for every engine, and the machine code of a workload is one and the same whoever serves it.
//! What an engine is compiled from is chosen by cargo features; [`catalog`] lists every engine that the
//! workspace knows, built or not, so that asking for one that is missing can name the feature that adds it.
//!
//! Arrows: `workloads` and `cell` import this crate; it imports the allocators and nothing of the harness.

mod block;
pub mod catalog;
pub mod engine;
pub mod floor;
mod glibc_heap;
#[cfg(feature = "jemalloc")]
pub mod jemalloc;
#[cfg(any(feature = "mimalloc", feature = "mimalloc2"))]
pub mod mimalloc;
mod process;
pub mod system;

pub use catalog::{Entry, built, find};
pub use engine::{Engine, Stats};
