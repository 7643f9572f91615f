//! The scope switch: the pool lock, the registry of scoped blocks behind it, and the count that
//! tells the fast path to leave both alone.
//!
//! Protocol. `active` counts open scopes. With `active == 0` an operation takes at most its class
//! lock. Otherwise a thread with an open scope records each block under the pool lock after
//! taking it, and *every* thread forgets a block under the pool lock before giving it back. The
//! class lists are under their class locks in both states, so turning the switch changes who
//! looks at the registry, never who guards a list: no state is guarded by different locks at
//! different times. Lock order: the pool lock is released before a class lock is taken.
//!
//! Why a Relaxed load of `active` suffices: a block is recorded after its scope raised `active`, in
//! the same thread; whoever frees the block had its address through a chain that synchronises with
//! that thread; so by coherence its load sees the raise or a later value, and every later value
//! is non-zero until the block's scope ends. A free that is not ordered before the end of
//! the scope is a double free by contract. Model: `loom_models`.

use crate::lock::{CountedGuard, CountedLock};
use crate::sync::atomic::{AtomicUsize, Ordering};
use std::collections::HashMap;

/// A scoped block: its address, and the request that it served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) block: *mut u8,
    pub(crate) size: usize,
    pub(crate) align: usize,
}

/// Open scopes and their blocks.
#[derive(Default)]
struct Registry {
    scopes: HashMap<u64, HashMap<usize, Record>>,
    next_id: u64,
}

// SAFETY: the records' addresses are keys and are handed back to callers; the registry never
// reaches through them.
unsafe impl Send for Registry {}

/// What the pool lock guards: the registry, and whatever else the variant keeps under it.
pub(crate) struct PoolState<S> {
    registry: Registry,
    /// The variant's own state.
    pub(crate) inner: S,
}

/// The pool lock and the switch.
pub(crate) struct ScopeSwitch<S> {
    active: AtomicUsize,
    lock: CountedLock<PoolState<S>>,
}

impl<S> ScopeSwitch<S> {
    pub(crate) fn new(inner: S) -> ScopeSwitch<S> {
        let state = PoolState { registry: Registry::default(), inner };
        ScopeSwitch { active: AtomicUsize::new(0), lock: CountedLock::new(state) }
    }

    /// Whether any scope is open; Relaxed as argued in the module's header.
    #[inline]
    pub(crate) fn is_active(&self) -> bool {
        self.active.load(Ordering::Relaxed) != 0
    }

    /// The pool lock.
    #[inline]
    pub(crate) fn lock(&self) -> CountedGuard<'_, PoolState<S>> {
        self.lock.lock()
    }

    /// Reads the variant's state and the lock's counts without counting the reading.
    pub(crate) fn inspect<R>(&self, read: impl FnOnce(&S, crate::LockCounts) -> R) -> R {
        self.lock.inspect(|state, counts| read(&state.inner, counts))
    }

    /// Opens a scope; its number is never 0.
    pub(crate) fn open(&self) -> u64 {
        let mut state = self.lock();
        state.registry.next_id += 1;
        let id = state.registry.next_id;
        state.registry.scopes.insert(id, HashMap::new());
        // Relaxed: partners no load of another variable; see the module's header.
        self.active.fetch_add(1, Ordering::Relaxed);
        id
    }

    /// Closes a scope and hands out what is still recorded in it.
    pub(crate) fn close(&self, id: u64) -> Vec<Record> {
        let mut state = self.lock();
        let Some(blocks) = state.registry.scopes.remove(&id) else { return Vec::new() };
        // Relaxed: the registry entry is gone under the lock; a thread that still sees the scope
        // as open takes the lock in vain.
        self.active.fetch_sub(1, Ordering::Relaxed);
        blocks.into_values().collect()
    }

    /// Records a block that the caller has just taken in its scope `id`.
    pub(crate) fn record(&self, id: u64, record: Record) {
        let mut state = self.lock();
        if let Some(blocks) = state.registry.scopes.get_mut(&id) {
            blocks.insert(record.block.addr(), record);
        }
    }

    /// Forgets a block that is about to be given back; its scope, if it had one.
    pub(crate) fn forget(&self, block: *mut u8) -> Option<u64> {
        let mut state = self.lock();
        let removed =
            |(&id, blocks): (&u64, &mut HashMap<usize, Record>)| blocks.remove(&block.addr()).map(|_| id);
        state.registry.scopes.iter_mut().find_map(removed)
    }
}
