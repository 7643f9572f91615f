//! Every size and alignment, through every variant: alignment, room, contents, ownership, sums.
#![cfg(not(loom))]

mod support;

use mempool::{Pool, Variant};
use support::{VARIANTS, check, fill};

#[test]
fn all_sizes_to_8192_at_all_alignments_to_4096() {
    for variant in VARIANTS {
        let pool = Pool::new(variant);
        for align in (0..=12).map(|shift| 1 << shift) {
            for size in 1..=8192 {
                let block = pool.alloc(size, align);
                assert!(!block.is_null() && block.addr().is_multiple_of(align), "{variant:?} {size} {align}");
                let usable = pool.usable_size(size, align);
                assert!(usable >= size && pool.owns(block) && pool.owns(block.wrapping_add(usable - 1)));
                fill(block, usable, size as u8);
                check(block, usable, size as u8);
                // SAFETY: the block is live and of this request.
                unsafe { pool.dealloc(block, size, align) };
            }
        }
        support::assert_sums(&pool);
        assert_eq!(pool.stats().live_blocks, 0);
    }
}

#[test]
fn large_requests_and_alignments_beyond_a_chunk() {
    for variant in VARIANTS {
        let pool = Pool::new(variant);
        for size in [1, 100_000, 1 << 20, (1 << 20) + 1, 5_000_001] {
            for align in [8, 1 << 16, 1 << 20, 1 << 22] {
                let block = pool.alloc(size, align);
                assert!(!block.is_null() && block.addr().is_multiple_of(align), "{variant:?} {size} {align}");
                fill(block, pool.usable_size(size, align), 7);
                // SAFETY: the block is live and of this request.
                unsafe { pool.dealloc(block, size, align) };
            }
        }
        support::assert_sums(&pool);
    }
}

#[test]
fn overhead_of_aligned_requests_is_the_class_and_no_more() {
    let pool = Pool::new(Variant::Sharded);
    assert_eq!(pool.usable_size(64, 64), 128);
    assert_eq!(pool.usable_size(128, 64), 128);
    assert_eq!(pool.usable_size(1024, 64), 1024);
    assert_eq!(pool.usable_size(5000, 64), 5056);
}

#[test]
fn impossible_requests_give_null() {
    for variant in VARIANTS {
        let pool = Pool::new(variant);
        assert!(pool.alloc(usize::MAX, 1).is_null());
        assert!(pool.alloc(isize::MAX as usize, 8).is_null());
        assert!(pool.alloc(1 << 47, 8).is_null());
        assert_eq!((pool.stats().allocs, pool.stats().chunk_bytes), (0, 0));
    }
}

#[test]
fn trim_returns_everything_once_all_is_freed() {
    for variant in VARIANTS {
        let pool = Pool::new(variant);
        let blocks: Vec<_> = (0..20_000usize).map(|index| 1 + index * 37 % 9000).collect();
        let blocks: Vec<_> = blocks.into_iter().map(|size| (pool.alloc(size, 8), size)).collect();
        let foreign = 0u8;
        assert!(!pool.owns(&foreign));
        for (block, size) in &blocks {
            // SAFETY: the block is live and of this request.
            unsafe { pool.dealloc(*block, *size, 8) };
        }
        let before = pool.stats().chunk_bytes;
        let returned = pool.trim();
        let after = pool.stats();
        assert_eq!(before - returned, after.chunk_bytes, "{variant:?}");
        // What stays: chunks not carved to their end, and the lock-free lists'.
        let fixed_bytes: usize = after.fixed.iter().map(|c| c.carved_blocks as usize * c.block_bytes).sum();
        let stays = if variant == Variant::LockFree { fixed_bytes } else { 3 << 20 };
        assert!(after.chunk_bytes <= stays + (4 << 20), "{variant:?} keeps {}", after.chunk_bytes);
        support::assert_sums(&pool);
        let block = pool.alloc(100, 8);
        fill(block, 128, 3);
        // SAFETY: the block is live and of this request.
        unsafe { pool.dealloc(block, 100, 8) };
    }
}

#[test]
fn realloc_keeps_contents_and_stays_in_place_within_a_class() {
    for variant in VARIANTS {
        let pool = Pool::new(variant);
        let mut size = 1;
        let mut block = pool.alloc(size, 16);
        fill(block, size, 9);
        for new_size in [20, 32, 33, 250, 900, 4096, 5000, 300_000, 3_000_000, 70_000, 600, 60, 5] {
            let same_class = pool.usable_size(size, 16) == pool.usable_size(new_size, 16);
            // SAFETY: the block is live and of this request.
            let moved = unsafe { pool.realloc(block, size, 16, new_size) };
            assert!(!moved.is_null() && (moved == block) == same_class, "{variant:?} {size} -> {new_size}");
            check(moved, size.min(new_size), 9);
            fill(moved, new_size, 9);
            (block, size) = (moved, new_size);
        }
        // SAFETY: the block is live and of this request.
        unsafe { pool.dealloc(block, size, 16) };
        assert_eq!(pool.stats().live_blocks, 0);
    }
}
