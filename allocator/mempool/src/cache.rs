//! Thread caches: for each thread and pool, a short stack of free blocks per fixed-size class.
//!
//! A cache belongs to one thread; nobody else touches its blocks. The thread finds it through one
//! thread-local pointer to the cache it used last, checked against the pool's number. When the
//! thread ends, its caches give their blocks back to their pools; a pool that is gone by then took
//! its memory with it. After that (in other thread-local destructors) the thread has no
//! caches, and pools serve it from the shared lists directly.
//!
//! The counters of a cache live in the pool, one set per thread, so that they can be read from
//! outside and outlive the thread.

use crate::pool::Core;
use crate::route::{CACHE_ENTRIES, FIXED_COUNT};
use std::cell::{Cell, RefCell};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

/// Room of a cache's arrays, in entries; each class uses its own [`CACHE_ENTRIES`] of them.
pub(crate) const ENTRIES_MAX: usize = 64;
const _: () = assert!(CACHE_ENTRIES[0] <= ENTRIES_MAX && CACHE_ENTRIES[1] <= ENTRIES_MAX);
const _: () = assert!(CACHE_ENTRIES[2] <= ENTRIES_MAX);

/// A count with one writer: a plain load and store there, Relaxed reads elsewhere. Nothing is
/// published by it.
#[derive(Default)]
pub(crate) struct OwnCount(AtomicU64);

impl OwnCount {
    /// Adds, as the only writer.
    #[inline]
    pub(crate) fn add(&self, amount: u64) {
        self.0.store(self.0.load(Ordering::Relaxed) + amount, Ordering::Relaxed);
    }

    /// Adds where several threads may write.
    pub(crate) fn add_shared(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One thread's traffic in one fixed-size class, in blocks.
#[derive(Default)]
pub(crate) struct ClassCounts {
    pub(crate) allocs: OwnCount,
    pub(crate) frees: OwnCount,
    /// Blocks fetched from the shared list.
    pub(crate) taken: OwnCount,
    /// Blocks returned to the shared list.
    pub(crate) given: OwnCount,
}

/// One thread's counters in one pool.
#[derive(Default)]
#[repr(align(128))]
pub(crate) struct ThreadCounts {
    pub(crate) classes: [ClassCounts; FIXED_COUNT],
    /// Read-modify-writes of lock-free lists.
    pub(crate) rmws: OwnCount,
}

impl ThreadCounts {
    /// Adds another thread's counts, as the only writer.
    pub(crate) fn absorb(&self, other: &ThreadCounts) {
        for (own, others) in self.classes.iter().zip(&other.classes) {
            own.allocs.add_shared(others.allocs.get());
            own.frees.add_shared(others.frees.get());
            own.taken.add_shared(others.taken.get());
            own.given.add_shared(others.given.get());
        }
        self.rmws.add_shared(other.rmws.get());
    }
}

/// A stack of free blocks of one class.
pub(crate) struct Magazine {
    pub(crate) len: Cell<usize>,
    pub(crate) slots: [Cell<*mut u8>; ENTRIES_MAX],
}

/// A thread's cache of one pool.
pub(crate) struct ThreadCache {
    pool_id: u64,
    pool: Weak<Core>,
    pub(crate) magazines: [Magazine; FIXED_COUNT],
    pub(crate) counts: Arc<ThreadCounts>,
    /// Node whose blocks the magazines hold.
    pub(crate) node: Cell<usize>,
    /// Open scopes of this thread, innermost last.
    pub(crate) scopes: RefCell<Vec<u64>>,
}

thread_local! {
    /// The cache used last, or null. Points into `CACHES`, and is null once that is gone.
    static CURRENT: Cell<*const ThreadCache> = const { Cell::new(ptr::null()) };
    static CACHES: CacheSet = const { CacheSet(RefCell::new(Vec::new())) };
}

/// All caches of the thread; boxed, because `CURRENT` points at them while the vector moves.
#[expect(clippy::vec_box, reason = "a cache's address must outlive the vector's growth")]
struct CacheSet(RefCell<Vec<Box<ThreadCache>>>);

impl Drop for CacheSet {
    fn drop(&mut self) {
        CURRENT.set(ptr::null());
        for cache in self.0.borrow_mut().drain(..) {
            if let Some(pool) = cache.pool.upgrade() {
                pool.retire(&cache);
            }
        }
    }
}

/// Calls `act` with the thread's cache of the pool, or without one when the thread is ending.
#[inline]
pub(crate) fn with_cache<R>(pool: &Arc<Core>, act: impl FnOnce(Option<&ThreadCache>) -> R) -> R {
    let current = CURRENT.get();
    if !current.is_null() {
        // SAFETY: a non-null CURRENT points to a boxed cache in this thread's CACHES, which are
        // dropped only after CURRENT was moved off them; `act` cannot drop them, since it reaches
        // this module's thread-locals only through `with_cache` of a live pool.
        let cache = unsafe { &*current };
        if cache.pool_id == pool.id {
            return act(Some(cache));
        }
    }
    let found = find_or_create(pool);
    CURRENT.set(found);
    // SAFETY: as above; null when the thread is ending.
    act(unsafe { found.as_ref() })
}

#[cold]
fn find_or_create(pool: &Arc<Core>) -> *const ThreadCache {
    let find = |set: &CacheSet| {
        let mut caches = set.0.borrow_mut();
        if let Some(cache) = caches.iter().find(|cache| cache.pool_id == pool.id) {
            return ptr::from_ref(&**cache);
        }
        caches.retain(|cache| cache.pool.strong_count() > 0);
        caches.push(Box::new(ThreadCache::new(pool)));
        caches.last().map_or(ptr::null(), |cache| ptr::from_ref(&**cache))
    };
    CACHES.try_with(find).unwrap_or(ptr::null())
}

impl ThreadCache {
    fn new(pool: &Arc<Core>) -> ThreadCache {
        let magazine = || Magazine { len: Cell::new(0), slots: [const { Cell::new(ptr::null_mut()) }; 64] };
        ThreadCache {
            pool_id: pool.id,
            pool: Arc::downgrade(pool),
            magazines: std::array::from_fn(|_| magazine()),
            counts: pool.enrol(),
            node: Cell::new(pool.current_node()),
            scopes: RefCell::new(Vec::new()),
        }
    }
}

impl Magazine {
    /// The newest block, if there is any.
    #[inline]
    pub(crate) fn pop(&self) -> Option<*mut u8> {
        let len = self.len.get().checked_sub(1)?;
        self.len.set(len);
        Some(self.slots[len & (ENTRIES_MAX - 1)].get())
    }

    /// Puts a block on top; false when `capacity` entries are there already.
    #[inline]
    pub(crate) fn push(&self, block: *mut u8, capacity: usize) -> bool {
        let len = self.len.get();
        if len >= capacity {
            return false;
        }
        self.slots[len & (ENTRIES_MAX - 1)].set(block);
        self.len.set(len + 1);
        true
    }

    /// Takes up to `count` of the oldest blocks out, into the front of `out`; returns how many.
    pub(crate) fn drain_oldest(&self, count: usize, out: &mut [*mut u8; ENTRIES_MAX]) -> usize {
        let len = self.len.get();
        let count = count.min(len);
        for (slot, cell) in out.iter_mut().zip(&self.slots[..count]) {
            *slot = cell.get();
        }
        for index in count..len {
            self.slots[index - count].set(self.slots[index].get());
        }
        self.len.set(len - count);
        count
    }
}
