//! Which pages may be resident, and giving them back.
//!
//! Every slab keeps a mask of dirty pages: set before memory is handed out, cleared by a purge. The sum over all
//! superslabs is [`committed_bytes`], on which limits and `stats` stand; it over-estimates (a page handed out need not
//! have been touched) and never under-estimates. Masks belong to who owns the slab: the heap word's holder for slabs
//! of a heap, the pool lock's holder for free slabs and runs.

use super::SlabRef;
use crate::pal;
use crate::sync::{AtomicUsize, Ordering};
use crate::units::{PAGE_BYTES, PAGES_PER_SLAB};

// Relaxed: sums that readers take as estimates; nothing is published by them.
static COMMITTED_PAGES: AtomicUsize = AtomicUsize::new(0);
static PURGED_PAGES: AtomicUsize = AtomicUsize::new(0);
static REFAULTED_PAGES: AtomicUsize = AtomicUsize::new(0);
static PURGE_CALLS: AtomicUsize = AtomicUsize::new(0);

/// Bytes of pages inside superslabs that may be resident, metadata not included.
pub fn committed_bytes() -> usize {
    COMMITTED_PAGES.load(Ordering::Relaxed) * PAGE_BYTES
}

/// Bytes purged so far, bytes of those that became dirty again, and system calls spent on it.
pub fn purge_totals() -> (usize, usize, usize) {
    (
        PURGED_PAGES.load(Ordering::Relaxed) * PAGE_BYTES,
        REFAULTED_PAGES.load(Ordering::Relaxed) * PAGE_BYTES,
        PURGE_CALLS.load(Ordering::Relaxed),
    )
}

/// A mask of pages `first..=last` of one slab.
#[inline]
fn mask(first: usize, last: usize) -> u16 {
    ((1u32 << (last + 1)) - (1u32 << first)) as u16
}

/// Marks bytes `from..to` of the span at `head` as dirty; returns how many pages are newly so.
#[inline]
pub fn mark_dirty(head: SlabRef, from: usize, to: usize) -> usize {
    debug_assert!(from < to);
    let (first, last) = (from / PAGE_BYTES, (to - 1) / PAGE_BYTES);
    let mut fresh = 0;
    for i in first / PAGES_PER_SLAB..=last / PAGES_PER_SLAB {
        let slab = head.plus(i);
        let low = first.saturating_sub(i * PAGES_PER_SLAB);
        let high = (last - i * PAGES_PER_SLAB).min(PAGES_PER_SLAB - 1);
        let new = mask(low, high) & !slab.dirty.get();
        if new != 0 {
            fresh += new.count_ones() as usize;
            slab.dirty.set(slab.dirty.get() | new);
            note_refault(slab, new);
        }
    }
    if fresh != 0 {
        COMMITTED_PAGES.fetch_add(fresh, Ordering::Relaxed);
    }
    fresh
}

#[inline]
fn note_refault(slab: SlabRef, new: u16) {
    let back = slab.purged.get() & new;
    if back != 0 {
        slab.purged.set(slab.purged.get() & !back);
        REFAULTED_PAGES.fetch_add(back.count_ones() as usize, Ordering::Relaxed);
    }
}

/// Purges those pages of one slab that are dirty and in `pages`; returns how many.
pub fn purge(slab: SlabRef, pages: u16) -> usize {
    let mut left = slab.dirty.get() & pages;
    let mut done = 0;
    while left != 0 {
        let first = left.trailing_zeros() as usize;
        let run = (!(left >> first)).trailing_zeros() as usize;
        let run = run.min(PAGES_PER_SLAB - first);
        let bits = mask(first, first + run - 1);
        left &= !bits;
        PURGE_CALLS.fetch_add(1, Ordering::Relaxed);
        if pal::purge(slab.base() + first * PAGE_BYTES, run * PAGE_BYTES) {
            slab.dirty.set(slab.dirty.get() & !bits);
            slab.purged.set(slab.purged.get() | bits);
            done += run;
        }
    }
    if done != 0 {
        COMMITTED_PAGES.fetch_sub(done, Ordering::Relaxed);
        PURGED_PAGES.fetch_add(done, Ordering::Relaxed);
    }
    done
}

/// Purges every dirty page of `slabs` adjacent free slabs from `head`, in one call where all are dirty.
pub fn purge_slabs(head: SlabRef, slabs: usize) -> usize {
    let dirty = dirty_pages(head, slabs);
    if dirty == 0 {
        return 0;
    }
    PURGE_CALLS.fetch_add(1, Ordering::Relaxed);
    // Clean pages between dirty ones cost nothing: the whole range is free.
    if !pal::purge(head.base(), slabs * PAGES_PER_SLAB * PAGE_BYTES) {
        return 0;
    }
    for i in 0..slabs {
        let slab = head.plus(i);
        slab.purged.set(slab.purged.get() | slab.dirty.get());
        slab.dirty.set(0);
    }
    COMMITTED_PAGES.fetch_sub(dirty, Ordering::Relaxed);
    PURGED_PAGES.fetch_add(dirty, Ordering::Relaxed);
    dirty
}

/// Purges pages that no mask counts; whether the system took them.
pub fn purge_uncounted(address: usize, bytes: usize) -> bool {
    PURGE_CALLS.fetch_add(1, Ordering::Relaxed);
    pal::purge(address, bytes)
}

/// Takes the dirty pages of a superslab that has gone off the sum; counts them as returned.
pub fn forget(dirty: usize) {
    COMMITTED_PAGES.fetch_sub(dirty, Ordering::Relaxed);
    PURGED_PAGES.fetch_add(dirty, Ordering::Relaxed);
}

/// Dirty pages of `slabs` adjacent slabs from `head`.
pub fn dirty_pages(head: SlabRef, slabs: usize) -> usize {
    (0..slabs).map(|i| head.plus(i).dirty.get().count_ones() as usize).sum()
}
