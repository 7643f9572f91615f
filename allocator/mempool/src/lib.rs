//! The design note's memory pools, as thread-safe code with an explicit API.
//!
//! A [`Pool`] serves every size and alignment from four tiers. `alloc` and `dealloc` are both given
//! size and alignment, so the tier and class follow from the request and blocks have no headers.
//!
//! | tier | sizes (B; the larger of size and alignment) | from |
//! |---|---|---|
//! | fixed-size | ≤ 32, ≤ 128, ≤ 256 | 64 KiB chunks; thread caches of 64, 32, 32 entries, moved in halves |
//! | segregated | ≤ 512, 1024, 2048, 4096 | 64 KiB chunks |
//! | best fit | above | size-indexed multimap over 1 MiB chunks, split and coalesced |
//! | mapping | above 1 MiB | a mapping of its own |
//!
//! # Variants, and what each takes
//! | | fixed-size, cache hit | fixed-size, batch | segregated, best fit | mapping |
//! |---|---|---|---|---|
//! | [`Variant::Baseline`] | nothing | the pool lock | the pool lock | the pool lock, for its counters |
//! | [`Variant::Sharded`] | nothing | the class lock | the lock of the class or of best fit | the best-fit lock, for its counters |
//! | [`Variant::LockFree`] | nothing | one exchange, retried | as sharded | as sharded |
//! | [`Variant::Numa`] | nothing | the class lock of the node | a lock of the node's shard | as sharded, of the node |
//!
//! While any scope is open, a `dealloc` also takes the pool lock, before any other, to take its
//! block off the scope's list; so does an `alloc` of a thread with an open scope, after it has its block.
//! Refill maps chunks under the class lock alone, and the chunk supply has no lock.
//!
//! # Ownership
//! The pool owns all chunks and unmaps them when dropped. A block belongs to its user between `alloc`
//! and `dealloc`, on whichever thread; else to a shared list or to one thread's cache. A
//! thread that ends gives its caches back. A [`Scope`] owns nothing: it remembers what to free.
//!
//! # Lock order
//! No thread holds two of the pool's locks at once. The pool lock is released before a class lock is
//! taken; the roster of threads is a leaf that no other lock is taken under.
//!
//! # Checking
//! `cargo test -p mempool` runs everything, the loom models included (`tests/loom.rs` builds them in a
//! target folder of their own). The models alone:
//! `RUSTFLAGS="--cfg loom" cargo test -p mempool --lib --release --target-dir target/loom`.
//! `cargo run --release -p mempool --example contention` prints operations per second, lock takings
//! and lock waits of the variants.

mod best_fit;
mod cache;
mod class_list;
mod lock;
mod lockfree_list;
#[cfg(all(test, loom))]
mod loom_models;
mod os;
mod pool;
mod route;
mod scope;
mod scope_guard;
mod stats;
mod supply;
mod sync;
mod tagged_stack;
mod tiers;
mod topology;

pub use lock::LockCounts;
pub use pool::{Pool, Variant};
pub use scope_guard::Scope;
pub use stats::{ClassStats, LargeStats, Stats};
pub use topology::Topology;

/// Version of this crate.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
