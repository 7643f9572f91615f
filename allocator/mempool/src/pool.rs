//! The pool: the public API, and the core behind it that caches and scopes refer to.
//!
//! A [`Pool`] owns its core; thread caches hold it weakly, so memory goes when the pool goes. The
//! core routes each request to its tier: fixed-size blocks through the thread's cache and, in
//! batches, the shared lists; the others straight to the shared lists. The variant is asked for
//! only behind the cache, as one well-predicted branch: `shards` is empty in the baseline.
//!
//! Invariant: all blocks in a thread's cache are of the node that the cache names.

use crate::cache::{self, ENTRIES_MAX, OwnCount, ThreadCache, ThreadCounts};
use crate::lock::CountedLock;
use crate::route::{CACHE_ENTRIES, FIXED_BYTES, FIXED_COUNT, PAGE_BYTES, Route, SEGREGATED_BYTES, route};
use crate::scope::{Record, ScopeSwitch};
use crate::stats::{ClassStats, Stats};
use crate::supply::{Owner, Supply};
use crate::tiers::{Shard, Tiers};
use crate::topology::Topology;
use crate::{Scope, os};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Which locks guard a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Variant {
    /// One pool lock for everything behind the thread caches.
    Baseline,
    /// A lock per class; the pool lock guards scopes alone.
    Sharded,
    /// As `Sharded`, with fixed-size lists that need no lock.
    LockFree,
    /// As `Sharded`, with a shard per memory node.
    Numa,
}

/// A memory pool. Shared by reference between threads; dropping it unmaps all its memory.
pub struct Pool {
    core: Arc<Core>,
}

/// What thread caches and scopes hold on to.
pub(crate) struct Core {
    /// Number of this pool, never used twice in a process.
    pub(crate) id: u64,
    /// The pool lock; its inner state is the baseline's lists, absent in the other variants.
    pub(crate) scopes: ScopeSwitch<Option<Box<Tiers>>>,
    /// One shard per node; none in the baseline.
    shards: Box<[Shard]>,
    supply: Supply,
    topology: Topology,
    roster: CountedLock<Roster>,
    /// Traffic of threads that have no cache any more; several writers.
    stray: ThreadCounts,
}

/// The counters of the threads that have a cache, and the sum of those that had one.
#[derive(Default)]
struct Roster {
    threads: Vec<Arc<ThreadCounts>>,
    retired: ThreadCounts,
}

impl Pool {
    /// A pool over the machine's memory nodes (which matter to [`Variant::Numa`] alone).
    #[must_use]
    pub fn new(variant: Variant) -> Pool {
        Pool::with_topology(variant, Topology::machine())
    }

    /// A pool over given memory nodes.
    ///
    /// # Panics
    /// When not even the pool's tables can be mapped.
    #[must_use]
    pub fn with_topology(variant: Variant, topology: Topology) -> Pool {
        Pool { core: Arc::new(Core::new(variant, topology)) }
    }

    /// A block of at least `size` bytes at a multiple of `align`, a power of two.
    /// NULL when memory cannot be had.
    #[inline]
    #[must_use]
    pub fn alloc(&self, size: usize, align: usize) -> *mut u8 {
        let block = self.take(size, align);
        if self.core.scopes.is_active() {
            self.record(Record { block, size, align });
        }
        block
    }

    /// Gives a block back. NULL is allowed and does nothing.
    ///
    /// # Safety
    /// `ptr` is NULL, or a live block of this pool allocated with this `size` and `align`; if it
    /// was allocated inside a scope, this call is ordered before the scope's end.
    #[inline]
    pub unsafe fn dealloc(&self, ptr: *mut u8, size: usize, align: usize) {
        if ptr.is_null() {
            return;
        }
        if self.core.scopes.is_active() {
            self.core.scopes.forget(ptr);
        }
        // SAFETY: the caller's promise, passed on.
        unsafe { self.give(ptr, size, align) }
    }

    /// Changes a block's size; its contents up to the smaller size are kept. In place when both
    /// sizes have the same usable size, else in a new block, which belongs to the scope of the
    /// old one. NULL, with the old block untouched, when memory cannot be had.
    ///
    /// # Safety
    /// As for [`Pool::dealloc`], with `ptr` not NULL; when the result is not NULL, the old block is gone.
    #[must_use]
    pub unsafe fn realloc(&self, ptr: *mut u8, old_size: usize, align: usize, new_size: usize) -> *mut u8 {
        if route(old_size, align) == route(new_size, align) {
            return ptr;
        }
        let block = self.take(new_size, align);
        if block.is_null() {
            return block;
        }
        // SAFETY: both blocks are live, distinct, and at least as long as the smaller size.
        unsafe { ptr::copy_nonoverlapping(ptr, block, old_size.min(new_size)) };
        if self.core.scopes.is_active()
            && let Some(scope) = self.core.scopes.forget(ptr)
        {
            self.core.scopes.record(scope, Record { block, size: new_size, align });
        }
        // SAFETY: the caller's promise; the block's scope, if any, has forgotten it.
        unsafe { self.give(ptr, old_size, align) };
        block
    }

    /// Bytes that a block of this request holds; a function of the request alone.
    #[inline]
    #[must_use]
    pub fn usable_size(&self, size: usize, align: usize) -> usize {
        route(size, align).usable_bytes()
    }

    /// Whether an address lies in a chunk of this pool.
    #[must_use]
    pub fn owns(&self, ptr: *const u8) -> bool {
        self.core.supply.owner_of(ptr.addr()).is_some()
    }

    /// Flushes the calling thread's cache and returns wholly free chunks to the system.
    /// The result is the bytes returned. Chunks of lock-free lists stay.
    pub fn trim(&self) -> usize {
        self.core.trim()
    }

    /// The pool's counters now.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.core.stats()
    }

    /// Opens a scope: what the calling thread allocates from this pool until the scope is dropped
    /// is freed when it is dropped, unless it was freed by hand before.
    pub fn scope(&self) -> Scope<'_> {
        let id = cache::with_cache(&self.core, |cache| {
            let cache = cache?;
            let id = self.core.scopes.open();
            cache.scopes.borrow_mut().push(id);
            Some(id)
        });
        Scope::new(self, id)
    }

    /// Ends a scope of the calling thread.
    pub(crate) fn end_scope(&self, id: u64) {
        cache::with_cache(&self.core, |cache| {
            if let Some(cache) = cache {
                cache.scopes.borrow_mut().retain(|&open| open != id);
            }
        });
        for record in self.core.scopes.close(id) {
            // SAFETY: a recorded block is live: whoever frees one forgets it first.
            unsafe { self.give(record.block, record.size, record.align) };
        }
    }

    #[cold]
    fn record(&self, record: Record) {
        if record.block.is_null() {
            return;
        }
        cache::with_cache(&self.core, |cache| {
            let innermost = cache.and_then(|cache| cache.scopes.borrow().last().copied());
            if let Some(id) = innermost {
                self.core.scopes.record(id, record);
            }
        });
    }

    #[inline]
    fn take(&self, size: usize, align: usize) -> *mut u8 {
        match route(size, align) {
            Route::Fixed(class) => self.take_fixed(class),
            Route::Segregated(class) => self.core.take_segregated(class),
            Route::BestFit(bytes) => self.core.take_best_fit(bytes, align),
            Route::Mapping(bytes) => self.core.take_mapping(bytes, align),
            Route::Impossible => ptr::null_mut(),
        }
    }

    /// # Safety
    /// `block` is a live block of this pool allocated with this `size` and `align`, and recorded in no scope.
    #[inline]
    unsafe fn give(&self, block: *mut u8, size: usize, align: usize) {
        match route(size, align) {
            Route::Fixed(class) => self.give_fixed(class, block),
            Route::Segregated(class) => self.core.give_segregated(class, block),
            Route::BestFit(bytes) => self.core.give_best_fit(block, bytes),
            // SAFETY: a live block of the mapping route is the start of a mapping of its length.
            Route::Mapping(bytes) => unsafe { self.core.give_mapping(block, bytes) },
            Route::Impossible => {}
        }
    }

    #[inline]
    fn take_fixed(&self, class: usize) -> *mut u8 {
        cache::with_cache(&self.core, |cache| {
            let Some(cache) = cache else { return self.core.take_stray(class) };
            let block = match cache.magazines[class].pop() {
                Some(block) => block,
                None => self.core.refill(cache, class),
            };
            cache.counts.classes[class].allocs.add(u64::from(!block.is_null()));
            block
        })
    }

    #[inline]
    fn give_fixed(&self, class: usize, block: *mut u8) {
        cache::with_cache(&self.core, |cache| {
            let Some(cache) = cache else { return self.core.give_stray(class, block) };
            cache.counts.classes[class].frees.add(1);
            if self.core.shards.len() > 1 && self.core.node_of(block) != cache.node.get() {
                return self.core.give_home(cache, class, block);
            }
            if !cache.magazines[class].push(block, CACHE_ENTRIES[class]) {
                self.core.overflow(cache, class, block);
            }
        });
    }
}

impl Core {
    fn new(variant: Variant, topology: Topology) -> Core {
        static POOLS: AtomicU64 = AtomicU64::new(1);
        let nodes = match variant {
            Variant::Baseline => 0,
            Variant::Sharded | Variant::LockFree => 1,
            Variant::Numa => topology.nodes(),
        };
        let shard = |node| Shard::new(node, variant == Variant::LockFree);
        Core {
            // Relaxed: only uniqueness matters.
            id: POOLS.fetch_add(1, Ordering::Relaxed),
            scopes: ScopeSwitch::new((nodes == 0).then(|| Box::new(Tiers::new()))),
            shards: (0..nodes).map(shard).collect(),
            supply: Supply::new(variant == Variant::Numa && topology.places_memory()),
            topology,
            roster: CountedLock::new(Roster::default()),
            stray: ThreadCounts::default(),
        }
    }

    /// Index of the shard that serves the calling thread now.
    #[inline]
    pub(crate) fn current_node(&self) -> usize {
        if self.shards.len() > 1 { self.topology.current_node() } else { 0 }
    }

    /// Index of the shard that a block belongs to.
    #[inline]
    fn node_of(&self, block: *mut u8) -> usize {
        if self.shards.len() <= 1 {
            return 0;
        }
        self.supply.owner_of(block.addr()).map_or(0, |owner| owner.node)
    }

    /// Runs `act` on the baseline's lists under the pool lock; `None` in the other variants.
    #[inline]
    fn with_tiers<R>(&self, act: impl FnOnce(&mut Tiers) -> R) -> Option<R> {
        if !self.shards.is_empty() {
            return None;
        }
        self.scopes.lock().inner.as_mut().map(|tiers| act(tiers))
    }

    // --- Fixed-size blocks -----------------------------------------------------------------

    /// Fetches half a cache's worth of blocks; one of them, or NULL.
    #[cold]
    fn refill(&self, cache: &ThreadCache, class: usize) -> *mut u8 {
        let node = self.current_node();
        if node != cache.node.get() {
            self.flush(cache);
            cache.node.set(node);
        }
        let mut blocks = [ptr::null_mut(); ENTRIES_MAX];
        let taken = self.fetch(class, node, &mut blocks[..CACHE_ENTRIES[class] / 2], &cache.counts.rmws);
        cache.counts.classes[class].taken.add(taken as u64);
        let Some((&first, rest)) = blocks[..taken].split_first() else { return ptr::null_mut() };
        for &block in rest.iter().rev() {
            cache.magazines[class].push(block, CACHE_ENTRIES[class]);
        }
        first
    }

    /// Returns the older half of a full cache, then keeps the block.
    #[cold]
    fn overflow(&self, cache: &ThreadCache, class: usize, block: *mut u8) {
        self.flush_class(cache, class, CACHE_ENTRIES[class] / 2);
        cache.magazines[class].push(block, CACHE_ENTRIES[class]);
    }

    /// Returns a block of another node than the cache's to its home.
    #[cold]
    fn give_home(&self, cache: &ThreadCache, class: usize, block: *mut u8) {
        cache.counts.classes[class].given.add(1);
        let rmws = self.give_back(class, self.node_of(block), &[block]);
        cache.counts.rmws.add(rmws);
    }

    fn flush(&self, cache: &ThreadCache) {
        for class in 0..FIXED_COUNT {
            self.flush_class(cache, class, ENTRIES_MAX);
        }
    }

    fn flush_class(&self, cache: &ThreadCache, class: usize, count: usize) {
        let mut blocks = [ptr::null_mut(); ENTRIES_MAX];
        let count = cache.magazines[class].drain_oldest(count, &mut blocks);
        if count > 0 {
            cache.counts.classes[class].given.add(count as u64);
            let rmws = self.give_back(class, cache.node.get(), &blocks[..count]);
            cache.counts.rmws.add(rmws);
        }
    }

    #[cold]
    fn take_stray(&self, class: usize) -> *mut u8 {
        let mut block = [ptr::null_mut()];
        let rmws = OwnCount::default();
        let taken = self.fetch(class, self.current_node(), &mut block, &rmws) as u64;
        self.stray.rmws.add_shared(rmws.get());
        self.stray.classes[class].taken.add_shared(taken);
        self.stray.classes[class].allocs.add_shared(taken);
        block[0]
    }

    #[cold]
    fn give_stray(&self, class: usize, block: *mut u8) {
        let rmws = self.give_back(class, self.node_of(block), &[block]);
        self.stray.rmws.add_shared(rmws);
        self.stray.classes[class].given.add_shared(1);
        self.stray.classes[class].frees.add_shared(1);
    }

    /// Fills the front of `out` from the shared list; returns how many blocks it got.
    fn fetch(&self, class: usize, node: usize, out: &mut [*mut u8], rmws: &OwnCount) -> usize {
        if let Some(taken) = self.with_tiers(|tiers| tiers.fixed[class].take_batch(&self.supply, out)) {
            return taken;
        }
        let (taken, spent) = self.shards[node].take_fixed(&self.supply, class, out);
        rmws.add(spent);
        taken
    }

    /// Returns blocks of one node to the shared list; the read-modify-writes spent.
    fn give_back(&self, class: usize, node: usize, blocks: &[*mut u8]) -> u64 {
        debug_assert!(blocks.iter().all(|&block| self.node_of(block) == node));
        match self.with_tiers(|tiers| tiers.fixed[class].give_batch(blocks)) {
            Some(()) => 0,
            None => self.shards[node].give_fixed(&self.supply, class, blocks),
        }
    }

    // --- Segregated blocks -----------------------------------------------------------------

    #[inline]
    fn take_segregated(&self, class: usize) -> *mut u8 {
        let take = |list: &mut crate::class_list::ClassList| {
            let block = list.take(&self.supply);
            list.allocs += u64::from(!block.is_null());
            block
        };
        match self.with_tiers(|tiers| take(&mut tiers.segregated[class])) {
            Some(block) => block,
            None => take(&mut self.shards[self.current_node()].segregated[class].lock()),
        }
    }

    #[inline]
    fn give_segregated(&self, class: usize, block: *mut u8) {
        let give = |list: &mut crate::class_list::ClassList| {
            list.give(block);
            list.frees += 1;
        };
        if self.with_tiers(|tiers| give(&mut tiers.segregated[class])).is_none() {
            give(&mut self.shards[self.node_of(block)].segregated[class].lock());
        }
    }

    // --- Best fit and mappings ---------------------------------------------------------------

    fn with_best_fit<R>(&self, node: usize, act: impl Fn(&mut crate::best_fit::BestFit) -> R) -> R {
        match self.with_tiers(|tiers| act(&mut tiers.best_fit)) {
            Some(result) => result,
            None => act(&mut self.shards[node].best_fit.lock()),
        }
    }

    #[cold]
    fn take_best_fit(&self, bytes: usize, align: usize) -> *mut u8 {
        self.with_best_fit(self.current_node(), |tier| tier.take(&self.supply, bytes, align))
    }

    #[cold]
    fn give_best_fit(&self, block: *mut u8, bytes: usize) {
        self.with_best_fit(self.node_of(block), |tier| tier.give(block, bytes));
    }

    /// The mapping itself is made outside the lock: only the counters are under it.
    #[cold]
    fn take_mapping(&self, bytes: usize, align: usize) -> *mut u8 {
        debug_assert!(bytes.is_multiple_of(PAGE_BYTES));
        let node = self.current_node();
        let owner = Owner { node, chunk: 0 };
        let block = self.supply.map(bytes.next_multiple_of(os::GRANULE_BYTES), align, owner, 0);
        if !block.is_null() {
            self.with_best_fit(node, |tier| tier.mapped.add(bytes));
        }
        block
    }

    /// # Safety
    /// `block` is a live mapping of `bytes` usable bytes, and the caller gives it up.
    #[cold]
    unsafe fn give_mapping(&self, block: *mut u8, bytes: usize) {
        self.with_best_fit(self.node_of(block), |tier| tier.mapped.remove(bytes));
        // SAFETY: the caller's promise; mappings are whole granules.
        unsafe { self.supply.release(block, bytes.next_multiple_of(os::GRANULE_BYTES)) };
    }

    // --- Threads, trim, stats ----------------------------------------------------------------

    /// Enters a thread into the roster; its counters.
    pub(crate) fn enrol(&self) -> Arc<ThreadCounts> {
        let counts = Arc::new(ThreadCounts::default());
        self.roster.lock().threads.push(Arc::clone(&counts));
        counts
    }

    /// Takes everything back from the cache of a thread that ends. A scope it forgot to end is
    /// closed; the blocks of that scope stay with whoever has them.
    pub(crate) fn retire(&self, cache: &ThreadCache) {
        for &id in cache.scopes.borrow().iter() {
            self.scopes.close(id);
        }
        self.flush(cache);
        let mut roster = self.roster.lock();
        roster.threads.retain(|counts| !Arc::ptr_eq(counts, &cache.counts));
        roster.retired.absorb(&cache.counts);
    }

    fn trim(self: &Arc<Core>) -> usize {
        cache::with_cache(self, |cache| {
            if let Some(cache) = cache {
                self.flush(cache);
            }
        });
        let of_tiers = self.with_tiers(|tiers| tiers.trim(&self.supply));
        of_tiers.unwrap_or_else(|| self.shards.iter().map(|shard| shard.trim(&self.supply)).sum())
    }

    fn add_thread(stats: &mut Stats, counts: &ThreadCounts) {
        stats.atomic_rmws += counts.rmws.get();
        for (class, own) in stats.fixed.iter_mut().zip(&counts.classes) {
            class.allocs += own.allocs.get();
            class.frees += own.frees.get();
            class.live_blocks = class.allocs.wrapping_sub(class.frees);
            let arrived = own.taken.get().wrapping_add(own.frees.get());
            let left = own.given.get().wrapping_add(own.allocs.get());
            class.cached_blocks = class.cached_blocks.wrapping_add(arrived).wrapping_sub(left);
        }
    }

    fn stats(&self) -> Stats {
        let class = |block_bytes: usize| ClassStats { block_bytes, ..ClassStats::default() };
        let mut stats = Stats {
            fixed: FIXED_BYTES.map(class).to_vec(),
            segregated: SEGREGATED_BYTES.map(class).to_vec(),
            chunk_bytes: self.supply.mapped_bytes(),
            ..Stats::default()
        };
        self.scopes.inspect(|tiers, counts| {
            stats.pool_lock = counts;
            stats.locks += counts;
            if let Some(tiers) = tiers {
                tiers.add_to(&mut stats);
            }
        });
        self.shards.iter().for_each(|shard| shard.add_to(&mut stats));
        self.roster.inspect(|roster, _| {
            roster.threads.iter().for_each(|counts| Core::add_thread(&mut stats, counts));
            Core::add_thread(&mut stats, &roster.retired);
        });
        Core::add_thread(&mut stats, &self.stray);
        stats.sum();
        stats
    }
}
