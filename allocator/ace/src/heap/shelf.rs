//! A bin's shelves: where a slab stands, and when it moves.
//!
//! HOT slabs are allocated from, most recently freed first; DRAINING ones (less than a quarter out) are left to empty
//! while a HOT one has room; WARM ones are empty and kept; FULL ones have nothing to give. A slab that empties beyond
//! the warm pool's length is released, if the guard allows. Caller holds the heap's word.

use super::{HeapRef, Memory, count, remote};
use crate::class_map;
use crate::config::{self, Knob};
use crate::size_class::class;
use crate::superslab::{Shelf, SlabRef, pool};
use crate::units::SlabId;

impl HeapRef {
    /// First slab of a shelf.
    #[inline]
    pub fn first_on(self, class_index: usize, shelf: Shelf) -> Option<SlabRef> {
        slab_at(self.bins[class_index].shelves[shelf as usize].get())
    }

    /// Puts a slab that stands nowhere at the head of a shelf.
    pub fn put_on(self, slab: SlabRef, shelf: Shelf) {
        let bin = &self.bins[usize::from(slab.class.get())];
        let head = &bin.shelves[shelf as usize];
        slab.shelf.set(shelf);
        slab.prev.set(0);
        slab.next.set(head.get());
        if let Some(next) = slab_at(head.get()) {
            next.prev.set(slab.id().0);
        }
        head.set(slab.id().0);
        if shelf == Shelf::Warm {
            bin.warm_len.set(bin.warm_len.get() + 1);
        }
    }

    /// Takes a slab off its shelf.
    pub fn take_off(self, slab: SlabRef) {
        let bin = &self.bins[usize::from(slab.class.get())];
        match slab_at(slab.prev.get()) {
            Some(prev) => prev.next.set(slab.next.get()),
            None => bin.shelves[slab.shelf.get() as usize].set(slab.next.get()),
        }
        if let Some(next) = slab_at(slab.next.get()) {
            next.prev.set(slab.prev.get());
        }
        if slab.shelf.get() == Shelf::Warm {
            bin.warm_len.set(bin.warm_len.get() - 1);
        }
    }

    /// Moves a slab between shelves.
    pub fn move_to(self, slab: SlabRef, shelf: Shelf) {
        self.take_off(slab);
        self.put_on(slab, shelf);
    }

    /// Puts a slab that got blocks back where it belongs now; it may be released.
    #[inline]
    pub fn settle(self, slab: SlabRef) {
        let out = slab.out.get();
        if out == 0 {
            self.emptied(slab);
        } else if slab.shelf.get() == Shelf::Full && slab.room.get() != 0 {
            let shelf = if self.is_draining(slab) { Shelf::Draining } else { Shelf::Hot };
            self.move_to(slab, shelf);
        } else if slab.shelf.get() == Shelf::Hot && self.is_draining(slab) {
            self.move_to(slab, Shelf::Draining);
        }
    }

    #[inline]
    fn is_draining(self, slab: SlabRef) -> bool {
        let row = class(usize::from(slab.class.get()));
        slab.out.get() < row.drain_below && config::on(Knob::Tiering)
    }

    /// Keeps an empty slab warm or releases it.
    #[cold]
    fn emptied(self, slab: SlabRef) {
        if slab.shelf.get() == Shelf::Warm {
            return;
        }
        let bin = &self.bins[usize::from(slab.class.get())];
        if u64::from(bin.warm_len.get()) < config::get(Knob::WarmSlabs) {
            self.move_to(slab, Shelf::Warm);
        } else if !self.try_release(slab) {
            self.move_to(slab, Shelf::Draining);
        }
    }

    /// The release guard, and the release: no block is out or unaccounted, and no token refers to the slab.
    pub fn try_release(self, slab: SlabRef) -> bool {
        if slab.out.get() != 0 || !remote::is_unreferenced(&Memory, slab.id().0) {
            return false;
        }
        self.take_off(slab);
        release_span(slab);
        count(&self.counters.slabs_released, 1);
        true
    }
}

/// Gives a slab that stands nowhere and passed the guard back to the pool.
pub fn release_span(slab: SlabRef) {
    let slabs = usize::from(class(usize::from(slab.class.get())).span_slabs);
    class_map::set(slab.id(), slabs, 0);
    pool::release(slab, slabs);
}

/// The slab with this number, or None for 0.
#[inline]
pub fn slab_at(id: u32) -> Option<SlabRef> {
    // SAFETY: shelves and orphan lists name slabs of mapped superslabs: a slab leaves its list before its release.
    if id == 0 { None } else { Some(unsafe { SlabRef::from_id(SlabId(id)) }) }
}
