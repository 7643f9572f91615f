//! A class's magazine array: how it is made, grown, halved and given back, and what it is charged.
//!
//! A magazine starts with a few slots and doubles, up to the limits of its class, of its thread and of the budget. Its
//! array lives in metadata; slot −1 holds 0, the slot past the end holds [`END`]. An array outlives its thread with the
//! heap, uncharged, for the next one. Everything here runs with the heap's word held, on the cache's own thread or for a
//! thread that is gone.

use super::{END, Thread, budget, no_magazine};
use crate::config::{self, Knob};
use crate::heap::{Bin, HeapRef, count};
use crate::learned;
use crate::meta;
use crate::size_class::class;
use crate::sync::Ordering;
use core::ptr;

/// Slots of a new magazine; with two guards, two cache lines.
const SLOTS_MIN: usize = 14;
/// Slots beside the blocks: the guards below and past them.
const GUARDS: usize = 2;
/// Bytes of blocks that a class's first array may hold although the budget is spent.
const FLOOR_BYTES: usize = 2 << 10;

fn array_bytes(slots: usize) -> usize {
    ((slots + GUARDS) * size_of::<usize>()).next_power_of_two()
}

/// Where slot `i` of the class's magazine is.
pub fn slot(bin: &Bin, i: usize) -> *mut usize {
    ptr::with_exposed_provenance_mut::<usize>(bin.magazine.get()).wrapping_add(i)
}

/// Slots below `top`.
pub fn in_use(bin: &Bin, t: &Thread, class_index: usize) -> usize {
    let top = t.top(class_index).load(Ordering::Relaxed);
    if top == no_magazine() || bin.magazine.get() == 0 {
        return 0;
    }
    (top as usize - bin.magazine.get()) / size_of::<usize>()
}

/// Makes slot `n` the first free one.
pub fn set_in_use(bin: &Bin, t: &Thread, class_index: usize, n: usize) {
    t.top(class_index).store(slot(bin, n), Ordering::Relaxed);
}

/// Most blocks a magazine of the class may come to hold.
fn slots_max(class_index: usize, factor: u64) -> usize {
    let by_bytes = config::get(Knob::CacheBytes).saturating_mul(factor) / u64::from(class(class_index).bytes);
    let stated = by_bytes.clamp(2, config::get(Knob::CacheSlots).max(2));
    learned::shifted(stated, learned::slots_shift(class_index)).clamp(2, u64::from(u16::MAX)) as usize
}

/// Closes the gap that a taker left: blocks move down to the bottom.
pub fn restore(bin: &Bin, t: &Thread, class_index: usize) {
    if !bin.hollow.get() {
        return;
    }
    let mut kept = 0;
    for i in 0..in_use(bin, t, class_index) {
        // SAFETY: slots below `top`; takers need the word, which the caller holds.
        let block = unsafe { slot(bin, i).read() };
        if block != 0 {
            // SAFETY: kept ≤ i.
            unsafe { slot(bin, kept).write(block) };
            kept += 1;
        }
    }
    set_in_use(bin, t, class_index, kept);
    bin.hollow.set(false);
}

/// Makes sure that `top` points into a charged magazine.
pub fn install(heap: HeapRef, t: &Thread, class_index: usize, factor: u64) -> bool {
    let bin = &heap.bins[class_index];
    if bin.magazine.get() != 0 && t.top(class_index).load(Ordering::Relaxed) == no_magazine() {
        let bytes = usize::from(bin.magazine_slots.get()) * class(class_index).bytes as usize;
        if budget::ask(bytes, heap.magazine_bytes.get()) {
            heap.magazine_bytes.set(heap.magazine_bytes.get() + bytes);
            set_in_use(bin, t, class_index, 0);
        } else {
            free_array(bin);
        }
    }
    bin.magazine.get() != 0 || grow(heap, t, class_index, factor)
}

/// Makes the class's magazine larger, or makes it; its blocks move along. False if it stays as it was.
pub fn grow(heap: HeapRef, t: &Thread, class_index: usize, factor: u64) -> bool {
    let old = usize::from(heap.bins[class_index].magazine_slots.get());
    let max = slots_max(class_index, factor);
    let slots = (old * 2 + GUARDS).clamp(SLOTS_MIN, usize::from(u16::MAX)).min(max);
    let bytes = class(class_index).bytes as usize;
    if slots <= old {
        return false;
    }
    let total = heap.magazine_bytes.get() + (slots - old) * bytes;
    let over = old != 0 && total > config::get(Knob::CacheTotalBytes) as usize;
    if !over && budget::ask((slots - old) * bytes, heap.magazine_bytes.get()) {
        return resize(heap, t, class_index, slots, (slots - old) * bytes);
    }
    if !over {
        heap.refusals.set(heap.refusals.get().saturating_add(1));
        count(&heap.counters.cache_refusals, 1);
    }
    let floor = (FLOOR_BYTES / bytes).min(slots);
    if old != 0 || floor < 2 {
        return false;
    }
    budget::charge(floor * bytes);
    resize(heap, t, class_index, floor, floor * bytes)
}

/// Moves the magazine to an array of `slots`, for which `charged` more bytes were charged; gives those back if there is
/// no memory.
fn resize(heap: HeapRef, t: &Thread, class_index: usize, slots: usize, charged: usize) -> bool {
    let Some(array) = meta::alloc(array_bytes(slots)) else {
        budget::give_back(charged);
        return false;
    };
    heap.magazine_bytes.set(heap.magazine_bytes.get() + charged);
    move_to(&heap.bins[class_index], t, class_index, slots, array);
    true
}

fn move_to(bin: &Bin, t: &Thread, class_index: usize, slots: usize, array: usize) {
    let bottom = ptr::with_exposed_provenance_mut::<usize>(array).wrapping_add(1);
    restore(bin, t, class_index);
    let held = in_use(bin, t, class_index);
    // SAFETY: the array is new and has slots + GUARDS words; slot −1 of `bottom` is its first.
    unsafe { bottom.sub(1).write_bytes(0, slots + 1) };
    if held != 0 {
        // SAFETY: held ≤ slots, of the old array and of the new; the arrays are distinct.
        unsafe { ptr::copy_nonoverlapping(slot(bin, 0), bottom, held) };
    }
    // SAFETY: the last word of the slots + GUARDS.
    unsafe { bottom.add(slots).write(END) };
    if bin.magazine.get() != 0 {
        free_array(bin);
    }
    bin.magazine.set(bottom.expose_provenance());
    bin.magazine_slots.set(slots as u16);
    set_in_use(bin, t, class_index, held);
}

/// Gives the array back. Nothing points into it any more.
pub fn free_array(bin: &Bin) {
    meta::free(bin.magazine.get() - size_of::<usize>(), array_bytes(usize::from(bin.magazine_slots.get())));
    bin.magazine.set(0);
    bin.magazine_slots.set(0);
    bin.hollow.set(false);
}

/// Gives an empty magazine back, and its charge. `top` points elsewhere already.
pub fn release(heap: HeapRef, class_index: usize) {
    let bin = &heap.bins[class_index];
    discharge(heap, usize::from(bin.magazine_slots.get()) * class(class_index).bytes as usize);
    free_array(bin);
}

/// Halves a magazine that holds no more than fits.
pub fn halve(heap: HeapRef, t: &Thread, class_index: usize) {
    let bin = &heap.bins[class_index];
    let old = usize::from(bin.magazine_slots.get());
    let slots = (old / 2).max(2);
    if slots >= old || in_use(bin, t, class_index) > slots {
        return;
    }
    if let Some(array) = meta::alloc(array_bytes(slots)) {
        move_to(bin, t, class_index, slots, array);
        discharge(heap, (old - slots) * class(class_index).bytes as usize);
    }
}

/// Whether the magazine is larger than its class may have now.
pub fn is_oversized(bin: &Bin, class_index: usize, factor: u64) -> bool {
    usize::from(bin.magazine_slots.get()) > slots_max(class_index, factor)
}

/// Takes bytes off the heap's charge and the sum.
pub fn discharge(heap: HeapRef, bytes: usize) {
    heap.magazine_bytes.set(heap.magazine_bytes.get() - bytes);
    budget::give_back(bytes);
}
