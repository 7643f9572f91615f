//! Refill: taking blocks out of free bitmaps.
//!
//! From the HOT shelf's slabs, lowest free bits first; if those have nothing, from the warm pool, a DRAINING slab, an
//! orphan, a slab of the pool, a new superslab, in this order. Pages become dirty here, before anyone can write to
//! them. Caller holds the heap's word and gives room for the addresses.

use super::{HeapRef, Memory, count, remote};
use crate::class_map;
use crate::config::{self, Knob};
use crate::limits;
use crate::size_class::{Class, class};
use crate::superslab::{Shelf, SlabRef, pages, pool};
use crate::units::SLAB_BYTES;
use core::ptr;

/// HOT slabs that one refill may visit for its batch; bounds the time under the word.
const VISITS_MAX: usize = 16;

/// Adaptive prefill takes at most so many slabs.
const PREFILL_MAX: u8 = 8;
/// WARM events of a class, for each slab taken, within which its next miss is soon.
const SOON_EVENTS: u16 = 16;

impl HeapRef {
    /// Takes up to `n` blocks into `slots[0..]`, the lowest address last (it is handed out first). Returns how many;
    /// 0 means that there is no memory.
    pub fn take(self, class_index: usize, slots: *mut usize, n: usize, fresh_only: bool) -> usize {
        if !self.pending.is_empty() {
            self.drain_pending();
        }
        let row = class(class_index);
        // Filled from the end, so that ascending addresses pop in ascending order.
        let mut got = 0;
        for _ in 0..VISITS_MAX {
            let Some(slab) = self.first_on(class_index, Shelf::Hot) else { break };
            got += self.take_from(slab, row, slots.wrapping_add(n - got), n - got);
            if got == n {
                break;
            }
        }
        if got == 0 {
            let Some(slab) = self.find_room(class_index, row, fresh_only) else { return 0 };
            got = self.take_from(slab, row, slots.wrapping_add(n), n);
        }
        if got < n {
            // SAFETY: the caller gave n slots; the got last of them are written. Ranges may overlap.
            unsafe { ptr::copy(slots.add(n - got), slots, got) };
        }
        count(&self.counters.refills, 1);
        count(&self.counters.refilled_blocks, got);
        got
    }

    /// Takes up to `n` blocks of one slab, writing addresses downwards from below `end`.
    fn take_from(self, slab: SlabRef, row: &Class, end: *mut usize, n: usize) -> usize {
        let bytes = row.bytes as usize;
        let base = slab.base();
        let mut left = n;
        let mut at = end;
        let mut word = usize::from(slab.hint.get());
        let mut lowest = usize::MAX;
        let mut highest = 0;
        while left != 0 && word < usize::from(row.words) {
            let mut bits = slab.free[word].get();
            if bits == 0 {
                word += 1;
                continue;
            }
            let first = base + word * 64 * bytes;
            lowest = lowest.min(first + bits.trailing_zeros() as usize * bytes);
            while bits != 0 && left != 0 {
                highest = first + bits.trailing_zeros() as usize * bytes;
                at = at.wrapping_sub(1);
                // SAFETY: the caller gave n slots below `end`, and left counts them down.
                unsafe { at.write(highest) };
                bits &= bits - 1;
                left -= 1;
            }
            slab.free[word].set(bits);
        }
        slab.hint.set(word.min(usize::from(row.words) - 1) as u8);
        let taken = n - left;
        if taken != 0 {
            pages::mark_dirty(slab, lowest - base, highest - base + bytes);
        }
        slab.out.set(slab.out.get() + taken as u16);
        slab.room.set(slab.room.get() - taken as u16);
        self.add_out(taken * bytes);
        self.reshelve(slab, row);
        taken
    }

    /// After a take: nothing left is FULL; a DRAINING slab that filled up again is HOT.
    #[inline]
    fn reshelve(self, slab: SlabRef, row: &Class) {
        if slab.room.get() == 0 {
            self.move_to(slab, Shelf::Full);
        } else if slab.shelf.get() == Shelf::Draining && slab.out.get() >= row.reactivate_at
            || slab.shelf.get() == Shelf::Warm
        {
            self.move_to(slab, Shelf::Hot);
        }
    }

    /// A slab with room where the HOT shelf has none.
    #[cold]
    fn find_room(self, class_index: usize, row: &Class, fresh_only: bool) -> Option<SlabRef> {
        if fresh_only {
            return self.fresh(class_index, row, true);
        }
        if let Some(slab) = self.first_on(class_index, Shelf::Warm) {
            count(&self.counters.warm_hits, 1);
            return Some(slab);
        }
        count(&self.counters.warm_misses, 1);
        if let Some(slab) = self.first_on(class_index, Shelf::Draining) {
            return Some(slab);
        }
        if let Some(slab) = self.adopt_orphan(class_index) {
            return Some(slab);
        }
        let found = self.fresh(class_index, row, true)?;
        for _ in 0..self.prefill(class_index) {
            let Some(extra) = self.fresh(class_index, row, false) else { break };
            self.move_to(extra, Shelf::Warm);
        }
        Some(found)
    }

    /// Slabs to take beyond the one needed: as stated, or by how soon this miss follows the class's last.
    fn prefill(self, class_index: usize) -> u64 {
        if !config::on(Knob::PrefillAdaptive) {
            return config::get(Knob::Prefill);
        }
        let bin = &self.bins[class_index];
        let (now, last) = (bin.events.get() as u16, bin.prefill.get());
        let since = now.wrapping_sub(bin.missed_at.replace(now));
        let soon = since <= SOON_EVENTS * (u16::from(last) + 1);
        bin.prefill.set(if soon { (last * 2).clamp(1, PREFILL_MAX) } else { last / 2 });
        u64::from(bin.prefill.get())
    }

    /// A slab from the pool, carved for the class, on the HOT shelf; `may_map` allows a new superslab.
    fn fresh(self, class_index: usize, row: &Class, may_map: bool) -> Option<SlabRef> {
        let slabs = usize::from(row.span_slabs);
        if !limits::admit(slabs * SLAB_BYTES) {
            return None;
        }
        let slab = if may_map { pool::acquire(slabs, slabs) } else { pool::acquire_mapped(slabs, slabs) }?;
        slab.carve(class_index, row, remote::owned_by(self.owner()));
        class_map::set(slab.id(), slabs, class_index);
        self.put_on(slab, Shelf::Hot);
        count(&self.counters.slabs_acquired, 1);
        Some(slab)
    }

    /// Takes in what other threads returned.
    #[cold]
    pub fn drain_pending(self) {
        remote::drain(&Memory, self.owner(), |slab, accounted| self.take_in(slab, accounted));
    }

    /// Accounts returns of one slab and moves its remote bits to the free bitmap.
    pub fn take_in(self, id: u32, accounted: u32) {
        // SAFETY: the drain names a slab this heap owns.
        let slab = unsafe { SlabRef::from_id(crate::units::SlabId(id)) };
        self.sweep_in(slab, accounted);
        self.settle(slab);
    }

    /// As `take_in`, but leaves the slab where it stands.
    pub fn sweep_in(self, slab: SlabRef, accounted: u32) {
        let row = class(usize::from(slab.class.get()));
        let mut swept = 0;
        for word in 0..usize::from(row.words) {
            let bits = remote::sweep(&Memory, slab.id().0, word);
            if bits != 0 {
                super::flush::set_free(slab, row, word, bits);
                swept += bits.count_ones();
            }
        }
        slab.room.set(slab.room.get() + swept as u16);
        slab.out.set(slab.out.get() - accounted as u16);
        self.sub_out(accounted as usize * row.bytes as usize);
        count(&self.counters.drained_blocks, accounted as usize);
    }
}
