//! Large blocks: page-rounded runs of slabs inside superslabs, from above 32 KiB to 1 MiB.
//!
//! A run starts at a slab, so it is 64 KiB-aligned, and every alignment up to 1 MiB is a choice of index. Its usable
//! size is whole pages; the slack in its last slab is address space, not memory. The first slab's record says how many
//! pages it has. Fresh pages (never dirty) are known to be zero. Any thread; the pool's lock where slabs change hands.

use super::{Kind, SlabRef, pages, pool};
use crate::sync::{AtomicUsize, Ordering};
use crate::units::{PAGE_BYTES, PAGES_PER_SLAB, SLAB_BYTES, SlabId, pages_for};
use core::ptr;

/// Largest run in bytes; above, a mapping of its own costs little beside touching it.
pub const LARGE_BYTES_MAX: usize = 1 << 20;

const _: () = assert!(LARGE_BYTES_MAX / SLAB_BYTES <= 16, "find_run knows alignments up to 16 slabs");

/// Pages of live runs. Relaxed: an estimate for who weighs committed against live bytes.
static LIVE_PAGES: AtomicUsize = AtomicUsize::new(0);

/// Bytes of live runs.
pub fn live_bytes() -> usize {
    LIVE_PAGES.load(Ordering::Relaxed) * PAGE_BYTES
}

/// Takes a run that is being freed off the sum.
pub fn note_freed(head: SlabRef) {
    LIVE_PAGES.fetch_sub(usize::from(head.run_pages.get()), Ordering::Relaxed);
}

/// Slabs of the run at `head`.
pub fn slabs_of(head: SlabRef) -> usize {
    usize::from(head.run_pages.get()).div_ceil(PAGES_PER_SLAB)
}

/// Usable bytes of the run at `head`.
pub fn usable_bytes(head: SlabRef) -> usize {
    usize::from(head.run_pages.get()) * PAGE_BYTES
}

/// A run of at least `bytes` at a multiple of `align`, both at most [`LARGE_BYTES_MAX`]; zeroed if asked. 0 if there is
/// no memory.
pub fn alloc(bytes: usize, align: usize, zero: bool) -> usize {
    let pages = pages_for(bytes);
    let slabs = pages.div_ceil(PAGES_PER_SLAB);
    let Some(head) = pool::acquire(slabs, align.div_ceil(SLAB_BYTES)) else { return 0 };
    head.run_pages.set(pages as u16);
    for i in 1..slabs {
        head.plus(i).kind.set(Kind::Tail);
    }
    head.kind.set(Kind::Large);
    LIVE_PAGES.fetch_add(pages, Ordering::Relaxed);
    if zero {
        zero_dirty(head, bytes);
    }
    pages::mark_dirty(head, 0, pages * PAGE_BYTES);
    head.base()
}

/// Zeroes those of the first `bytes` bytes that lie on pages which may hold something.
fn zero_dirty(head: SlabRef, bytes: usize) {
    for page in 0..pages_for(bytes) {
        if head.plus(page / PAGES_PER_SLAB).dirty.get() & (1 << (page % PAGES_PER_SLAB)) != 0 {
            let at = head.base() + page * PAGE_BYTES;
            // SAFETY: the page belongs to the run, which nobody else has yet.
            unsafe { ptr::with_exposed_provenance_mut::<u8>(at).write_bytes(0, PAGE_BYTES) };
        }
    }
}

/// The run that starts at `address`, if one does. `address` lies in a superslab.
pub fn find(address: usize) -> Option<SlabRef> {
    // SAFETY: the caller asked the registry.
    let head = unsafe { SlabRef::from_id(SlabId::containing(address)) };
    if head.kind.get() == Kind::Large && head.base() == address { Some(head) } else { None }
}

/// Makes the run at `head` hold `bytes` without moving; false if it cannot.
pub fn resize(head: SlabRef, bytes: usize) -> bool {
    let pages = pages_for(bytes);
    let (old, new) = (slabs_of(head), pages.div_ceil(PAGES_PER_SLAB));
    if pages == 0 || bytes > LARGE_BYTES_MAX {
        return false;
    }
    if new > old {
        if !pool::extend(head, old, new) {
            return false;
        }
        for i in old..new {
            head.plus(i).kind.set(Kind::Tail);
        }
    } else if new < old {
        pool::release(head.plus(new), old - new);
    }
    note_freed(head);
    LIVE_PAGES.fetch_add(pages, Ordering::Relaxed);
    head.run_pages.set(pages as u16);
    pages::mark_dirty(head, 0, pages * PAGE_BYTES);
    true
}
