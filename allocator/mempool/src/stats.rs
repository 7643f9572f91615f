//! What a pool reports: one snapshot of counters, with sums that hold when the pool is at rest.
//!
//! Counters of the locked tiers are written under their locks; those of the thread caches by the
//! caching thread alone, with plain (Relaxed) stores that `stats` reads from outside. A snapshot
//! taken while threads run is consistent tier by tier, not across tiers; at rest these hold:
//! - `allocs - frees = live_blocks = Σ live of tiers`;
//! - fixed and segregated: `carved = listed + cached + live`, in blocks;
//! - best fit: `free_bytes + live_bytes = chunks × 1 MiB`.

use crate::lock::LockCounts;

/// One size class of the fixed-size or the segregated tier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassStats {
    /// Size of a block, in bytes.
    pub block_bytes: usize,
    /// Blocks cut from chunks.
    pub carved_blocks: u64,
    /// Free blocks in the shared list.
    pub listed_blocks: u64,
    /// Free blocks in the caches of threads.
    pub cached_blocks: u64,
    /// Blocks in the hands of users.
    pub live_blocks: u64,
    /// Blocks handed to users since the pool was made.
    pub allocs: u64,
    /// Blocks taken back from users.
    pub frees: u64,
}

/// A tier of blocks of any size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LargeStats {
    /// Blocks in the hands of users.
    pub live_blocks: u64,
    /// Their usable bytes.
    pub live_bytes: usize,
    /// Free bytes inside the tier's chunks.
    pub free_bytes: usize,
    /// Blocks handed to users since the pool was made.
    pub allocs: u64,
}

/// A pool's counters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Blocks handed to users since the pool was made.
    pub allocs: u64,
    /// Blocks taken back from users.
    pub frees: u64,
    /// Blocks in the hands of users.
    pub live_blocks: u64,
    /// Usable bytes of the blocks in the hands of users.
    pub live_usable_bytes: usize,
    /// Bytes of chunks and mappings obtained from the system and not returned.
    pub chunk_bytes: usize,
    /// All locks of the pool together: the pool lock, the class locks, the best-fit locks.
    pub locks: LockCounts,
    /// The pool lock alone (the only lock of the baseline).
    pub pool_lock: LockCounts,
    /// Atomic read-modify-writes of the lock-free lists, failed ones included.
    pub atomic_rmws: u64,
    /// Fixed-size classes, over all nodes.
    pub fixed: Vec<ClassStats>,
    /// Segregated classes, over all nodes.
    pub segregated: Vec<ClassStats>,
    /// Blocks from best-fit chunks.
    pub best_fit: LargeStats,
    /// Blocks with mappings of their own.
    pub mappings: LargeStats,
}

impl Stats {
    /// Fills the totals from the tiers.
    pub(crate) fn sum(&mut self) {
        for class in self.fixed.iter().chain(&self.segregated) {
            self.allocs += class.allocs;
            self.frees += class.frees;
            self.live_blocks += class.live_blocks;
            self.live_usable_bytes += class.live_blocks as usize * class.block_bytes;
        }
        for tier in [&self.best_fit, &self.mappings] {
            self.allocs += tier.allocs;
            self.frees += tier.allocs - tier.live_blocks;
            self.live_blocks += tier.live_blocks;
            self.live_usable_bytes += tier.live_bytes;
        }
    }
}
