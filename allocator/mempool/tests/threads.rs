//! Threads: cross-thread frees with verified contents, threads that end, scopes under way.
#![cfg(not(loom))]

mod support;

use mempool::{Pool, Variant};
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};
use support::{Random, VARIANTS, assert_sums, check, fill};

/// A block in flight between threads.
struct Parcel {
    block: *mut u8,
    size: usize,
    align: usize,
    seed: u8,
}

// SAFETY: a parcel is the only reference to its block.
unsafe impl Send for Parcel {}

fn send(pool: &Pool, random: &mut Random) -> Parcel {
    let size_max = if random.below(50) == 0 { 100_000 } else { 5000 };
    let size = 1 + random.below(size_max);
    let align = 1 << random.below(9);
    let block = pool.alloc(size, align);
    assert!(!block.is_null() && block.addr().is_multiple_of(align));
    let seed = random.next() as u8;
    fill(block, size, seed);
    Parcel { block, size, align, seed }
}

fn receive(pool: &Pool, parcel: Parcel) {
    check(parcel.block, parcel.size, parcel.seed);
    // SAFETY: the parcel's block is live and of this request.
    unsafe { pool.dealloc(parcel.block, parcel.size, parcel.align) };
}

fn stress(pool: &Pool, desk: &Mutex<Vec<Parcel>>, seed: u64, rounds: usize) {
    let mut random = Random(seed);
    let mut own = Vec::new();
    for _ in 0..rounds {
        match random.below(5) {
            0 | 1 => own.push(send(pool, &mut random)),
            2 if !own.is_empty() => receive(pool, own.swap_remove(random.below(own.len()))),
            3 => desk.lock().unwrap().push(send(pool, &mut random)),
            _ => {
                let parcel = desk.lock().unwrap().pop();
                if let Some(parcel) = parcel {
                    receive(pool, parcel);
                }
            }
        }
    }
    own.into_iter().for_each(|parcel| receive(pool, parcel));
}

#[test]
fn blocks_freed_by_other_threads_keep_their_contents() {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    println!("seed {seed}");
    for variant in VARIANTS {
        let pool = Pool::new(variant);
        let desk = Mutex::new(Vec::new());
        std::thread::scope(|threads| {
            for thread in 0..4 {
                let (pool, desk) = (&pool, &desk);
                threads.spawn(move || stress(pool, desk, seed + thread, 20_000));
            }
        });
        desk.into_inner().unwrap().into_iter().for_each(|parcel| receive(&pool, parcel));
        assert_sums(&pool);
        assert_eq!(pool.stats().live_blocks, 0, "{variant:?}, seed {seed}");
    }
}

#[test]
fn ten_thousand_threads_leave_no_memory_behind() {
    for variant in VARIANTS {
        let pool = Pool::new(variant);
        let visit = || {
            let blocks: Vec<_> = [16, 100, 200, 600, 5000].map(|size| (pool.alloc(size, 8), size)).into();
            for (block, size) in blocks {
                // SAFETY: the block is live and of this request.
                unsafe { pool.dealloc(block, size, 8) };
            }
        };
        // Joined by hand: a scope's end waits for closures, not for thread-local destructors.
        let visits = |count| {
            for _ in 0..count {
                std::thread::scope(|threads| threads.spawn(visit).join().unwrap());
            }
        };
        visits(4);
        let before = pool.stats();
        visits(10_000);
        let after = pool.stats();
        assert_eq!(before.chunk_bytes, after.chunk_bytes, "{variant:?}");
        assert_eq!((after.live_blocks, after.allocs), (0, 5 * 10_004));
        assert!(after.fixed.iter().all(|class| class.cached_blocks == 0), "{variant:?}: {after:?}");
        assert_sums(&pool);
    }
}

#[test]
fn pools_may_end_before_the_threads_that_cached_their_blocks() {
    for _ in 0..100 {
        for variant in VARIANTS {
            let (first, second) = (Pool::new(variant), Pool::new(variant));
            let (one, other) = (first.alloc(20, 8), second.alloc(20, 8));
            assert!(first.owns(one) && !first.owns(other) && second.owns(other) && !second.owns(one));
            // SAFETY: the block is live and of this request.
            unsafe { first.dealloc(one, 20, 8) };
            drop(first);
            // SAFETY: the block is live and of this request.
            unsafe { second.dealloc(other, 20, 8) };
            assert_sums(&second);
        }
    }
}

#[test]
fn a_thread_local_destructor_may_use_the_pool() {
    static POOL: std::sync::OnceLock<Pool> = std::sync::OnceLock::new();
    struct Last(*mut u8);
    impl Drop for Last {
        fn drop(&mut self) {
            let pool = POOL.get().unwrap();
            let block = pool.alloc(24, 8);
            fill(block, 24, 1);
            for block in [block, self.0] {
                // SAFETY: both blocks are live and of this request.
                unsafe { pool.dealloc(block, 24, 8) };
            }
        }
    }
    thread_local!(static LAST: std::cell::RefCell<Option<Last>> = const { std::cell::RefCell::new(None) });
    let pool = POOL.get_or_init(|| Pool::new(Variant::Sharded));
    std::thread::spawn(|| {
        // Registered before the pool's own thread-local, so destroyed after or before it: both are legal.
        LAST.with(|last| *last.borrow_mut() = Some(Last(std::ptr::null_mut())));
        let block = POOL.get().unwrap().alloc(24, 8);
        LAST.with(|last| last.borrow_mut().as_mut().unwrap().0 = block);
    })
    .join()
    .unwrap();
    assert_eq!(pool.stats().live_blocks, 0);
    assert_sums(pool);
}

#[test]
fn locks_are_taken_as_the_variant_says() {
    let count = |variant, size| {
        let pool = Pool::new(variant);
        for _ in 0..1000 {
            let block = pool.alloc(size, 8);
            // SAFETY: the block is live and of this request.
            unsafe { pool.dealloc(block, size, 8) };
        }
        let stats = pool.stats();
        (stats.pool_lock.takings, stats.locks.takings, stats.locks.waits, stats.atomic_rmws)
    };
    assert_eq!(count(Variant::Baseline, 1000), (2000, 2000, 0, 0));
    assert_eq!(count(Variant::Sharded, 1000), (0, 2000, 0, 0));
    assert_eq!(count(Variant::Baseline, 100), (1, 1, 0, 0), "one refill serves all");
    assert_eq!(count(Variant::Sharded, 100), (0, 1, 0, 0));
    let (pool_lock, locks, waits, rmws) = count(Variant::LockFree, 100);
    assert_eq!((pool_lock, locks, waits), (0, 0, 0));
    assert!((1..=4).contains(&rmws), "one growth: {rmws}");
}
