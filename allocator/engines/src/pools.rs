//! `mempool_*`: the design note's pools, one for each variant, made when first asked for.
//!
//! A pool is leaked, as an allocator is: it lives as long as its process. **Proof.** The pool's own record of its chunks
//! and mappings (`Pool::owns`).

use crate::engine::{Engine, Stats};
use mempool::{Pool, Variant};
use std::sync::OnceLock;

/// A pool as an engine.
struct PoolEngine {
    name: &'static str,
    pool: Pool,
}

/// One function a variant, so that the catalogue can name it; the pool is made by the first call.
macro_rules! variant {
    ($(#[$about:meta])* $function:ident, $name:literal, $variant:ident) => {
        $(#[$about])*
        pub fn $function() -> &'static dyn Engine {
            static ENGINE: OnceLock<PoolEngine> = OnceLock::new();
            ENGINE.get_or_init(|| PoolEngine { name: $name, pool: Pool::new(Variant::$variant) })
        }
    };
}

variant!(
    /// One lock for the whole pool.
    baseline, "mempool_baseline", Baseline
);
variant!(
    /// A lock a size class.
    sharded, "mempool_sharded", Sharded
);
variant!(
    /// Lock-free lists for the fixed sizes.
    lockfree, "mempool_lockfree", LockFree
);
variant!(
    /// Shards placed by memory node.
    numa, "mempool_numa", Numa
);

// SAFETY: `Pool` promises the same: NULL or a fresh block of the size and alignment asked for, freed by any thread.
unsafe impl Engine for PoolEngine {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> String {
        format!("mempool {} ({})", mempool::VERSION, self.name.trim_start_matches("mempool_"))
    }

    unsafe fn alloc(&self, size: usize, align: usize) -> *mut u8 {
        self.pool.alloc(size, align)
    }

    unsafe fn dealloc(&self, ptr: *mut u8, size: usize, align: usize) {
        // SAFETY: the caller's promise is the pool's demand.
        unsafe { self.pool.dealloc(ptr, size, align) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, old_size: usize, align: usize, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promise is the pool's demand.
        unsafe { self.pool.realloc(ptr, old_size, align, new_size) }
    }

    unsafe fn usable_size(&self, _ptr: *mut u8, size: usize, align: usize) -> usize {
        self.pool.usable_size(size, align)
    }

    fn served(&self, ptr: *const u8) -> bool {
        self.pool.owns(ptr)
    }

    fn trim(&self) {
        self.pool.trim();
    }

    fn stats(&self) -> Stats {
        let stats = self.pool.stats();
        Stats {
            allocated_bytes: Some(stats.live_usable_bytes as u64),
            committed_bytes: Some(stats.chunk_bytes as u64),
            reserved_bytes: Some(stats.chunk_bytes as u64),
            lock_takings: Some(stats.locks.takings),
            lock_waits: Some(stats.locks.waits),
            atomic_rmws: Some(stats.atomic_rmws),
            ..Stats::default()
        }
    }
}
