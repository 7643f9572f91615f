//! Shared by the test targets: the variants, content patterns, and the sums that stats must satisfy.
#![allow(dead_code, reason = "each test target uses its part")]

use mempool::{Pool, Variant};

pub const VARIANTS: [Variant; 4] = [Variant::Baseline, Variant::Sharded, Variant::LockFree, Variant::Numa];

/// Fills a block with a pattern that depends on the address and a seed.
pub fn fill(block: *mut u8, bytes: usize, seed: u8) {
    for offset in 0..bytes {
        // SAFETY: callers pass live blocks of at least `bytes` bytes.
        unsafe { block.add(offset).write(seed.wrapping_add(offset as u8)) };
    }
}

/// Panics when the pattern of `fill` is damaged.
pub fn check(block: *const u8, bytes: usize, seed: u8) {
    for offset in 0..bytes {
        // SAFETY: callers pass live blocks of at least `bytes` bytes.
        let found = unsafe { block.add(offset).read() };
        assert_eq!(found, seed.wrapping_add(offset as u8), "offset {offset} of {bytes} at {block:?}");
    }
}

/// The equalities that `Stats` documents, for a pool at rest.
pub fn assert_sums(pool: &Pool) {
    let stats = pool.stats();
    let mut live_blocks = stats.best_fit.live_blocks + stats.mappings.live_blocks;
    let mut carved_bytes = 0;
    for class in stats.fixed.iter().chain(&stats.segregated) {
        assert_eq!(class.allocs - class.frees, class.live_blocks, "{class:?}");
        let known = class.listed_blocks + class.cached_blocks + class.live_blocks;
        assert_eq!(class.carved_blocks, known, "{class:?}");
        live_blocks += class.live_blocks;
        carved_bytes += class.carved_blocks as usize * class.block_bytes;
    }
    assert_eq!(stats.live_blocks, live_blocks);
    assert_eq!(stats.allocs - stats.frees, stats.live_blocks);
    let chunk_bytes = stats.best_fit.live_bytes + stats.best_fit.free_bytes;
    assert!(chunk_bytes.is_multiple_of(1 << 20), "best fit tiles its chunks: {chunk_bytes}");
    assert!(stats.chunk_bytes >= chunk_bytes + carved_bytes + stats.mappings.live_bytes);
    assert!(stats.locks.takings >= stats.pool_lock.takings && stats.locks.takings >= stats.locks.waits);
}

/// A small generator (splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}
