//! Every allocator of the workspace behind one trait, [`Engine`].
//!
//! A benchmark holds an engine as `&'static dyn Engine`: the virtual call is the boundary, never inlined, the
//! same one for every engine, and the machine code of a workload is one and the same whoever serves it.
//! What an engine is compiled from is chosen by cargo features; [`catalog`] lists every engine that the
//! workspace knows, built or not, so that asking for one that is missing can name the feature that adds it.
//!
//! Engines that exclude each other, or need a C++ compiler, are tested in flavours of their own:
//! ```text
//! cargo test -p engines
//! cargo test -p engines --no-default-features --features mimalloc2 --target-dir target/mimalloc2
//! cargo test -p engines --no-default-features --features rpmalloc --target-dir target/rpmalloc
//! cargo test --release -p engines --no-default-features --features snmalloc,tcmalloc --target-dir target/cxx
//! ```
//! Each takes `cargo bench -p engines` with the same arguments.
//!
//! Arrows: `workloads` and `cell` import this crate; it imports the allocators and nothing of the harness.

pub mod ace;
pub mod block;
pub mod c_abi;
pub mod catalog;
pub mod engine;
pub mod floor;
mod glibc_heap;
#[cfg(feature = "jemalloc")]
pub mod jemalloc;
#[cfg(any(feature = "mimalloc", feature = "mimalloc2"))]
pub mod mimalloc;
#[cfg(feature = "mempool")]
pub mod pools;
mod process;
#[cfg(feature = "rpmalloc")]
pub mod rpmalloc;
pub mod slowed;
#[cfg(feature = "snmalloc")]
pub mod snmalloc;
pub mod system;
#[cfg(feature = "tcmalloc")]
pub mod tcmalloc;

pub use catalog::{Entry, built, find};
pub use engine::{Engine, Stats};

/// The knobs of ACE-Alloc, for those who try settings out: the allocator's own table, and its reader of values.
pub mod knobs {
    pub use ace_alloc::config::{SPECS, Spec, Unit, read};
}
