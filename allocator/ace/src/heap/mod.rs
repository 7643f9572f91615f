//! Heaps: owners of slabs. WARM.
//!
//! A heap serves one thread and owns slabs, sorted by class into bins and inside a bin by shelf (HOT, DRAINING, WARM,
//! FULL). Everything in it is changed only by the holder of its ownership word, who is the thread itself in a refill
//! or flush, or someone who takes over an idle heap (trim, fork). Only the pending list is written by others. Heaps are
//! type-stable: cut from metadata, reused, never unmapped, so a stale owner field still names a heap.

pub mod flush;
pub mod idle;
pub mod orphan;
pub mod purge;
pub mod refill;
pub mod remote;
pub mod shelf;
pub mod table;

use crate::size_class::CLASS_COUNT;
use crate::superslab::SlabRef;
use crate::sync::{AtomicU32, AtomicU64, AtomicUsize, Ordering, Word};
use crate::units::{PAGE_BYTES, SlabId};
use core::cell::Cell;
use core::ops::Deref;
use core::ptr::{self, NonNull};
use idle::Idle;
use remote::{Owner, Pending, Space};

/// What a heap keeps for one class.
pub struct Bin {
    /// Slabs by [`crate::superslab::Shelf`]: heads of doubly linked lists, slab numbers.
    pub shelves: [Cell<u32>; 4],
    /// Length of the Warm shelf.
    pub warm_len: Cell<u16>,
    /// Blocks the thread's magazine may hold; 0 until it has one.
    pub magazine_slots: Cell<u16>,
    /// Refills since the worker looked last; stays at its largest value.
    pub refills: Cell<u16>,
    /// Flushes since then, likewise.
    pub flushes: Cell<u16>,
    /// Blocks that both moved since then.
    pub moved: Cell<u32>,
    /// WARM events of this class, by which a resting magazine is recognised.
    pub events: Cell<u32>,
    /// Low half of `events` when the magazine was last looked at.
    pub events_seen: Cell<u16>,
    /// Slabs that the next miss takes beyond the one needed, if prefill is adaptive.
    pub prefill: Cell<u8>,
    /// Low half of `events` at the last miss that took a fresh slab.
    pub missed_at: Cell<u16>,
    /// Refills since the thread came, as far as they still double its batch.
    pub fills: Cell<u8>,
    /// A taker has left zeros below `top`.
    pub hollow: Cell<bool>,
    /// The magazine's bottom slot; 0 until there is one.
    pub magazine: Cell<usize>,
}

impl Bin {
    /// Counts a refill or a flush of `n` blocks.
    pub fn note(&self, kind: &Cell<u16>, n: usize) {
        kind.set(kind.get().saturating_add(1));
        self.moved.set(self.moved.get().saturating_add(n as u32));
        self.events.set(self.events.get().wrapping_add(1));
    }
}

/// Sums a heap keeps of its WARM events; documented in `stats`.
#[derive(Default)]
pub struct Counters {
    pub refills: Cell<u64>,
    pub refilled_blocks: Cell<u64>,
    pub flushes: Cell<u64>,
    pub flushed_local_blocks: Cell<u64>,
    pub flushed_remote_blocks: Cell<u64>,
    pub drained_blocks: Cell<u64>,
    pub slabs_acquired: Cell<u64>,
    pub slabs_released: Cell<u64>,
    pub slabs_adopted: Cell<u64>,
    pub slabs_orphaned: Cell<u64>,
    pub warm_hits: Cell<u64>,
    pub warm_misses: Cell<u64>,
    pub magazines_shrunk: Cell<u64>,
    pub taken_blocks: Cell<u64>,
    pub cache_refusals: Cell<u64>,
}

/// Adds to a counter.
#[inline]
pub fn count(counter: &Cell<u64>, n: usize) {
    counter.set(counter.get() + n as u64);
}

/// A heap. Fields are the word holder's, unless said otherwise.
#[repr(C, align(128))]
pub struct Heap {
    /// Who holds it may change this heap and the slabs it owns.
    pub word: Word,
    /// Slabs with remote returns; any thread pushes.
    pub pending: Isolated<Pending>,
    /// The thread's TLS block while attached, else 0.
    pub thread: Cell<usize>,
    /// Next heap in the table of all heaps; set once, before the heap is known.
    pub next_in_table: Cell<usize>,
    /// Next heap on the list of unattached ones; guarded by the table's lock.
    pub next_free: Cell<usize>,
    /// Bytes of blocks out (live, or in magazines, or returned and not yet accounted). Written by the word's holder,
    /// read by anyone as an estimate, hence Relaxed.
    out_bytes: AtomicUsize,
    /// What the magazines are charged (`front::budget`).
    pub magazine_bytes: Cell<usize>,
    /// Times since the worker looked last that a magazine could not grow for want of budget.
    pub refusals: Cell<u32>,
    /// The thread's number in the kernel, if its end is hooked; else 0, and nobody takes from it.
    pub tid: Cell<u32>,
    /// How the worker sees the heap rest; its own.
    pub rest: Cell<Idle>,
    /// WARM events, the clock of periodic work. Written by the heap's thread, read by the worker: Relaxed.
    pub ticks: AtomicU32,
    /// Sums.
    pub counters: Counters,
    /// By class; bin 0 is unused.
    pub bins: [Bin; CLASS_COUNT + 1],
}

const _: () = assert!(size_of::<Heap>() <= PAGE_BYTES, "a piece of metadata of one page");

/// A value on cache lines of its own, because others write it.
#[repr(C, align(128))]
pub struct Isolated<T>(pub T);

impl<T> Deref for Isolated<T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

/// A heap by its address. Never dangles: heaps live for ever.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HeapRef(NonNull<Heap>);

impl HeapRef {
    /// The heap at `address`, which came from [`HeapRef::address`] or an owner field; None for 0.
    #[inline]
    pub fn at(address: usize) -> Option<HeapRef> {
        NonNull::new(ptr::with_exposed_provenance_mut(address)).map(HeapRef)
    }

    /// The heap's address.
    #[inline]
    pub fn address(self) -> usize {
        self.0.as_ptr().expose_provenance()
    }

    /// The heap's name in state words.
    #[inline]
    pub fn owner(self) -> Owner {
        self.address() as Owner
    }

    /// Bytes of blocks out; an estimate unless the caller holds the word.
    #[inline]
    pub fn out_bytes(self) -> usize {
        self.out_bytes.load(Ordering::Relaxed)
    }

    /// More blocks are out. Caller holds the word.
    #[inline]
    fn add_out(self, bytes: usize) {
        self.out_bytes.store(self.out_bytes() + bytes, Ordering::Relaxed);
    }

    /// Fewer blocks are out. Caller holds the word.
    #[inline]
    fn sub_out(self, bytes: usize) {
        self.out_bytes.store(self.out_bytes() - bytes, Ordering::Relaxed);
    }

    /// Runs `f` with the ownership word held.
    #[inline]
    pub fn with<R>(self, f: impl FnOnce(HeapRef) -> R) -> R {
        self.word.take();
        let result = f(self);
        self.word.give();
        result
    }
}

impl Deref for HeapRef {
    type Target = Heap;
    #[inline]
    fn deref(&self) -> &Heap {
        // SAFETY: heaps are type-stable and zero-initialised; shared fields are atomics, the others Cells of the word's
        // holder.
        unsafe { self.0.as_ref() }
    }
}

/// The remote protocol's view of real memory: slab numbers and heap addresses.
pub struct Memory;

impl Memory {
    #[inline]
    fn slab(slab: u32) -> SlabRef {
        // SAFETY: the protocol names slabs that have blocks out or a token under way, which the release guard keeps.
        unsafe { SlabRef::from_id(SlabId(slab)) }
    }
}

impl Space for Memory {
    #[inline]
    fn state(&self, slab: u32) -> &AtomicU64 {
        let slab = Self::slab(slab);
        // SAFETY: see `slab`; the field lives as long as the superslab.
        unsafe { &*ptr::from_ref(&slab.state) }
    }

    #[inline]
    fn next(&self, slab: u32) -> &AtomicU32 {
        let slab = Self::slab(slab);
        // SAFETY: as in `state`.
        unsafe { &*ptr::from_ref(&slab.pending_next) }
    }

    #[inline]
    fn remote(&self, slab: u32, word: usize) -> &AtomicU64 {
        let slab = Self::slab(slab);
        // SAFETY: as in `state`.
        unsafe { &*ptr::from_ref(&slab.remote[word]) }
    }

    #[inline]
    fn pending(&self, owner: Owner) -> &Pending {
        let heap = HeapRef::at(owner as usize).unwrap_or_else(|| crate::fail::die("slab without owner", 0));
        // SAFETY: heaps live for ever.
        unsafe { &*ptr::from_ref(&*heap.pending) }
    }
}
