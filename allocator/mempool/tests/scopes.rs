//! Scopes: what they free, what they leave, nesting, other threads.
#![cfg(not(loom))]

mod support;

use mempool::Pool;
use support::{VARIANTS, assert_sums, check, fill};

const SIZES: [usize; 5] = [16, 200, 1000, 10_000, 2_000_000];

#[test]
fn a_scope_frees_what_was_allocated_inside_and_nothing_else() {
    for variant in VARIANTS {
        let pool = Pool::new(variant);
        let outside = pool.alloc(50, 8);
        fill(outside, 50, 5);
        {
            let _scope = pool.scope();
            for size in SIZES {
                assert!(!pool.alloc(size, 16).is_null());
            }
            assert_eq!(pool.stats().live_blocks, 6);
        }
        assert_eq!(pool.stats().live_blocks, 1, "{variant:?}");
        check(outside, 50, 5);
        // SAFETY: the block was allocated outside the scope and is live.
        unsafe { pool.dealloc(outside, 50, 8) };
        assert_sums(&pool);
    }
}

#[test]
fn blocks_freed_by_hand_are_not_freed_again() {
    for variant in VARIANTS {
        let pool = Pool::new(variant);
        let scope = pool.scope();
        for size in SIZES {
            let block = pool.alloc(size, 16);
            // SAFETY: the block is live, and the scope is open.
            unsafe { pool.dealloc(block, size, 16) };
        }
        drop(scope);
        let stats = pool.stats();
        assert_eq!((stats.allocs, stats.frees), (5, 5), "{variant:?}");
        assert_sums(&pool);
    }
}

#[test]
fn nested_scopes_free_their_own_in_any_order_of_ending() {
    for variant in VARIANTS {
        let pool = Pool::new(variant);
        let outer = pool.scope();
        let kept = pool.alloc(100, 8);
        fill(kept, 100, 1);
        let inner = pool.scope();
        let inner_block = pool.alloc(100, 8);
        fill(inner_block, 100, 2);
        drop(outer);
        assert_eq!(pool.stats().live_blocks, 1, "{variant:?}");
        check(inner_block, 100, 2);
        assert!(!pool.alloc(700, 8).is_null());
        drop(inner);
        assert_eq!(pool.stats().live_blocks, 0, "{variant:?}");
        let after = pool.alloc(100, 8);
        assert_eq!(pool.stats().live_blocks, 1);
        // SAFETY: the block was allocated after the scopes and is live.
        unsafe { pool.dealloc(after, 100, 8) };
    }
}

#[test]
fn a_scope_sees_its_own_thread_only_and_other_threads_may_free_its_blocks() {
    for variant in VARIANTS {
        let pool = Pool::new(variant);
        let scope = pool.scope();
        let block = pool.alloc(600, 8).expose_provenance();
        let theirs = std::thread::scope(|threads| {
            let other = threads.spawn(|| {
                // SAFETY: the block is live, and the join orders this before the scope's end.
                unsafe { pool.dealloc(std::ptr::with_exposed_provenance_mut(block), 600, 8) };
                pool.alloc(600, 8).expose_provenance()
            });
            other.join().unwrap()
        });
        drop(scope);
        assert_eq!(pool.stats().live_blocks, 1, "{variant:?}: the other thread's block stays");
        // SAFETY: the block was allocated by a thread without a scope and is live.
        unsafe { pool.dealloc(std::ptr::with_exposed_provenance_mut(theirs), 600, 8) };
        assert_sums(&pool);
    }
}

#[test]
fn realloc_leaves_a_block_in_the_scope_it_was_born_in() {
    for variant in VARIANTS {
        let pool = Pool::new(variant);
        let mut outside = pool.alloc(10, 8);
        let scope = pool.scope();
        let inside = pool.alloc(10, 8);
        // SAFETY: the block is live and of this request.
        outside = unsafe { pool.realloc(outside, 10, 8, 3000) };
        // SAFETY: as above.
        let inside = unsafe { pool.realloc(inside, 10, 8, 3000) };
        assert!(!outside.is_null() && !inside.is_null());
        drop(scope);
        assert_eq!(pool.stats().live_blocks, 1, "{variant:?}");
        fill(outside, 3000, 1);
        // SAFETY: the block was born outside the scope and is live.
        unsafe { pool.dealloc(outside, 3000, 8) };
        assert_sums(&pool);
    }
}

#[test]
fn a_leaked_scope_ends_with_its_thread_and_frees_nothing() {
    for variant in VARIANTS {
        let pool = Pool::new(variant);
        let body = || {
            std::mem::forget(pool.scope());
            pool.alloc(600, 8).expose_provenance()
        };
        let block = std::thread::scope(|threads| threads.spawn(body).join().unwrap());
        assert_eq!(pool.stats().live_blocks, 1);
        let before = pool.stats().pool_lock.takings;
        // SAFETY: the block is live: its scope was leaked.
        unsafe { pool.dealloc(std::ptr::with_exposed_provenance_mut(block), 600, 8) };
        let taken = pool.stats().pool_lock.takings - before;
        let of_baseline = u64::from(variant == mempool::Variant::Baseline);
        assert_eq!(taken, of_baseline, "{variant:?}: the switch is off again");
        assert_eq!(pool.stats().live_blocks, 0);
    }
}
