//! Free pages inside live slabs, read off the bitmaps.
//!
//! A page can be purged when every block that overlaps it is free. The heap's word is held for the whole of it, so no
//! refill can hand the page out meanwhile; blocks in magazines count as out and keep their pages. Called by `trim`, by
//! where committed bytes have grown far past live bytes (`trim`).

use super::{HeapRef, table};
use crate::config::{self, Knob};
use crate::size_class::{CLASS_COUNT, Class, class};
use crate::superslab::{Shelf, SlabRef, pages};
use crate::units::{PAGE_BYTES, PAGES_PER_SLAB};

/// Whether blocks `first..=last` of a slab are all free.
fn all_free(slab: SlabRef, first: usize, last: usize) -> bool {
    let mut word = first / 64;
    let mut low = first % 64;
    while word <= last / 64 {
        let high = if word == last / 64 { last % 64 } else { 63 };
        let wanted = (u64::MAX >> (63 - high)) & (u64::MAX << low);
        if slab.free[word].get() & wanted != wanted {
            return false;
        }
        word += 1;
        low = 0;
    }
    true
}

/// Purges the dirty pages of a slab's span that hold no block out; returns how many.
pub fn purge_slab(slab: SlabRef, row: &Class) -> usize {
    let bytes = row.bytes as usize;
    let blocks = usize::from(row.blocks);
    let mut done = 0;
    for i in 0..usize::from(row.span_slabs) {
        let part = slab.plus(i);
        let mut left = part.dirty.get();
        let mut free = 0u16;
        while left != 0 {
            let page = left.trailing_zeros() as usize;
            left &= left - 1;
            let start = (i * PAGES_PER_SLAB + page) * PAGE_BYTES;
            let first = start / bytes;
            let last = ((start + PAGE_BYTES - 1) / bytes).min(blocks - 1);
            if first > last || all_free(slab, first, last) {
                free |= 1 << page;
            }
        }
        if free != 0 {
            done += pages::purge(part, free);
        }
    }
    done
}

impl HeapRef {
    /// Purges free pages of this heap's slabs; returns how many. Caller holds the word.
    pub fn purge_pages(self) -> usize {
        (1..=CLASS_COUNT).map(|class_index| self.purge_class(class_index)).sum()
    }

    fn purge_class(self, class_index: usize) -> usize {
        let row = class(class_index);
        let mut done = 0;
        for shelf in [Shelf::Hot, Shelf::Draining, Shelf::Warm] {
            let mut at = self.first_on(class_index, shelf);
            while let Some(slab) = at {
                done += purge_slab(slab, row);
                at = super::shelf::slab_at(slab.next.get());
            }
        }
        done
    }

    /// Drains, releases the warm pool, and purges free pages of live slabs. Caller holds the word. Returns pages purged
    /// inside live slabs.
    pub fn trim(self) -> usize {
        self.drain_pending();
        for class_index in 1..=CLASS_COUNT {
            self.release_warm(class_index);
        }
        if config::on(Knob::IdleTrim) { self.purge_pages() } else { 0 }
    }

    fn release_warm(self, class_index: usize) {
        let mut at = self.first_on(class_index, Shelf::Warm);
        while let Some(slab) = at {
            at = super::shelf::slab_at(slab.next.get());
            self.try_release(slab);
        }
    }
}

/// Purges free pages of all heaps whose word is free; returns how many.
pub fn purge_all_pages() -> usize {
    let mut pages = 0;
    for heap in table::all() {
        if heap.word.try_take() {
            pages += heap.purge_pages();
            heap.word.give();
        }
    }
    pages
}

/// Trims every heap, taking over each for a moment; heaps whose word is held are passed by. Caller holds no word.
pub fn trim_all() -> usize {
    let mut pages = 0;
    for heap in table::all() {
        if heap.word.try_take() {
            pages += heap.trim();
            heap.word.give();
        }
    }
    pages
}
