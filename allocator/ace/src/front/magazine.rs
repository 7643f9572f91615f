//! Misses and overflows: where HOT meets the heap, and how magazines are made, grow and shrink.
//!
//! A magazine starts with a few slots and doubles when it misses or overflows, up to the limits of its class and of
//! the thread, so that a short thread costs little and a busy one calls seldom. A miss refills half of it; an overflow
//! gives the oldest half back. Runs on the cache's own thread. Whatever moves blocks or arrays in more than one step
//! holds the heap's word over all of them: a fork takes every word, so a child finds each magazine whole.

use super::lifecycle;
use super::{END, Thread, no_magazine, thread};
use crate::config::{self, Knob, Route};
use crate::heap::{Bin, HeapRef, count, table};
use crate::meta;
use crate::size_class::{CLASS_COUNT, class};
use core::ptr;

/// Slots of a new magazine; with two guards, two cache lines.
const SLOTS_MIN: usize = 14;
/// Slots beside the blocks: the guards below and past them.
const GUARDS: usize = 2;
/// WARM events of a heap between two looks at resting magazines.
const SHRINK_PERIOD: u32 = 1024;
/// WARM events of a heap between two looks at the clock and the balance.
const CLOCK_PERIOD: u32 = 64;
/// Above this block size, the profiles Hot and Conservative do without thread cache; below it Hot is tiny-only.
const HOT_TINY_BYTES: u32 = 256;
const HOT_POOL_BYTES: u32 = 8 << 10;
const CONSERVATIVE_BYTES: u32 = 1 << 10;
/// How far the profile Full widens the byte caps.
const FULL_FACTOR: u64 = 4;

/// What the route profile says about a class.
struct Way {
    cached: bool,
    fresh_only: bool,
    factor: u64,
}

fn way(class_index: usize) -> Way {
    let bytes = class(class_index).bytes;
    let (cached, fresh_only, factor) = match config::get(Knob::Route) {
        r if r == Route::TinyOnly as u64 => (true, true, 1),
        r if r == Route::PoolOnly as u64 => (false, false, 1),
        r if r == Route::Hot as u64 => (bytes <= HOT_POOL_BYTES, bytes <= HOT_TINY_BYTES, 1),
        r if r == Route::Full as u64 => (true, false, FULL_FACTOR),
        r if r == Route::Conservative as u64 => (bytes <= CONSERVATIVE_BYTES, false, 1),
        _ => (true, false, 1),
    };
    Way { cached, fresh_only, factor }
}

/// Most blocks a magazine of the class may come to hold.
fn slots_max(class_index: usize, factor: u64) -> usize {
    let by_bytes = config::get(Knob::CacheBytes).saturating_mul(factor) / u64::from(class(class_index).bytes);
    by_bytes.clamp(2, config::get(Knob::CacheSlots).max(2)) as usize
}

/// Makes the class's magazine larger, or makes it; its blocks move along. False if it stays as it was.
fn grow(heap: HeapRef, t: &Thread, class_index: usize, factor: u64) -> bool {
    heap.with(|heap| grow_held(heap, t, class_index, factor))
}

fn grow_held(heap: HeapRef, t: &Thread, class_index: usize, factor: u64) -> bool {
    let bin = &heap.bins[class_index];
    let old_slots = usize::from(bin.magazine_slots.get());
    let slots =
        (old_slots * 2 + GUARDS).clamp(SLOTS_MIN, usize::from(u16::MAX)).min(slots_max(class_index, factor));
    let bytes = class(class_index).bytes as usize;
    let total = heap.magazine_bytes.get() + (slots.saturating_sub(old_slots)) * bytes;
    let over_budget = old_slots != 0 && total > config::get(Knob::CacheTotalBytes) as usize;
    if slots <= old_slots || over_budget {
        return false;
    }
    let array_bytes = ((slots + GUARDS) * size_of::<usize>()).next_power_of_two();
    let Some(array) = meta::alloc(array_bytes) else { return false };
    let bottom = ptr::with_exposed_provenance_mut::<usize>(array).wrapping_add(1);
    let held = held(bin, t, class_index);
    // SAFETY: the array is new and has slots + GUARDS words; slot −1 of `bottom` is its first.
    unsafe { bottom.sub(1).write_bytes(0, slots + 1) };
    if held != 0 {
        // SAFETY: held ≤ old_slots ≤ slots; the arrays are distinct.
        unsafe { ptr::copy_nonoverlapping(slot(bin, 0), bottom, held) };
    }
    // SAFETY: the last word of the slots + GUARDS.
    unsafe { bottom.add(slots).write(END) };
    if old_slots != 0 {
        meta::free(bin.magazine.get() - size_of::<usize>(), bin.magazine_array_bytes.get() as usize);
    }
    heap.magazine_bytes.set(total);
    bin.magazine.set(bottom.expose_provenance());
    bin.magazine_slots.set(slots as u16);
    bin.magazine_array_bytes.set(array_bytes as u32);
    t.top(class_index).set(bottom.wrapping_add(held));
    true
}

fn slot(bin: &Bin, i: usize) -> *mut usize {
    ptr::with_exposed_provenance_mut::<usize>(bin.magazine.get()).wrapping_add(i)
}

/// Blocks in the class's magazine.
fn held(bin: &Bin, t: &Thread, class_index: usize) -> usize {
    let top = t.top(class_index).get();
    if top == no_magazine() || bin.magazine.get() == 0 {
        return 0;
    }
    (top as usize - bin.magazine.get()) / size_of::<usize>()
}

/// Makes sure that `top` points into the bin's magazine, which a heap keeps from thread to thread.
fn install(heap: HeapRef, t: &Thread, class_index: usize, factor: u64) -> bool {
    let bin = &heap.bins[class_index];
    if bin.magazine.get() != 0 {
        if t.top(class_index).get() == no_magazine() {
            t.top(class_index).set(slot(bin, 0));
        }
        return true;
    }
    grow(heap, t, class_index, factor)
}

/// An allocation that found no block in the thread cache. 0 if there is no memory.
#[cold]
#[inline(never)]
pub fn miss(class_index: usize) -> usize {
    let t = thread();
    let way = way(class_index);
    let Some(heap) = lifecycle::heap(t) else { return take_one(table::shared(), class_index, &way) };
    if !way.cached || !install(heap, t, class_index, way.factor) {
        return take_one(Some(heap), class_index, &way);
    }
    // A destructor or handler that ran inside `lifecycle::heap` may have filled the magazine.
    let block = t.pop(class_index);
    if block != 0 {
        return block;
    }
    let bin = &heap.bins[class_index];
    let n = batch(usize::from(bin.magazine_slots.get()));
    bin.events.set(bin.events.get().wrapping_add(1));
    heap.word.take();
    let got = heap.take(class_index, slot(bin, 0), n, way.fresh_only);
    t.top(class_index).set(slot(bin, got));
    heap.word.give();
    if !config::on(Knob::RefillOne) {
        grow(heap, t, class_index, way.factor);
    }
    tick(heap, t);
    t.pop(class_index)
}

fn batch(slots: usize) -> usize {
    if config::on(Knob::RefillOne) {
        return 1;
    }
    let n = match config::get(Knob::Batch) as usize {
        0 => slots / 2,
        n => n,
    };
    n.clamp(1, slots)
}

fn take_one(heap: Option<HeapRef>, class_index: usize, way: &Way) -> usize {
    let Some(heap) = heap else { return 0 };
    let mut block = 0;
    let got = heap.with(|heap| heap.take(class_index, &raw mut block, 1, way.fresh_only));
    if got == 1 { block } else { 0 }
}

fn give_one(heap: Option<HeapRef>, class_index: usize, block: usize) {
    // Without even a shared heap no slab was ever carved, so there is nothing to give back to.
    if let Some(heap) = heap {
        heap.with(|heap| heap.give(class_index, &raw const block, 1));
    }
}

/// A free that found its magazine full or missing.
#[cold]
#[inline(never)]
pub fn overflow(class_index: usize, block: usize) {
    let t = thread();
    let way = way(class_index);
    let Some(heap) = lifecycle::heap(t) else { return give_one(table::shared(), class_index, block) };
    if !way.cached || !install(heap, t, class_index, way.factor) {
        return give_one(Some(heap), class_index, block);
    }
    if t.push(class_index, block) {
        return;
    }
    if !grow(heap, t, class_index, way.factor) {
        let bin = &heap.bins[class_index];
        flush_oldest(heap, t, class_index, usize::from(bin.magazine_slots.get()).div_ceil(2));
        bin.events.set(bin.events.get().wrapping_add(1));
        tick(heap, t);
    }
    if !t.push(class_index, block) {
        give_one(Some(heap), class_index, block);
    }
}

/// Gives the `n` oldest blocks of a magazine back.
fn flush_oldest(heap: HeapRef, t: &Thread, class_index: usize, n: usize) {
    let bin = &heap.bins[class_index];
    let held = held(bin, t, class_index);
    let n = n.min(held);
    if n == 0 {
        return;
    }
    heap.with(|heap| {
        heap.give(class_index, slot(bin, 0), n);
        // SAFETY: both ranges lie in the magazine's `held` slots.
        unsafe { ptr::copy(slot(bin, n), slot(bin, 0), held - n) };
        t.top(class_index).set(slot(bin, held - n));
    });
}

/// Gives every cached block of `t` back to `heap`, its heap. The thread is this one or is gone.
pub fn flush_all(heap: HeapRef, t: &Thread) {
    for class_index in 1..=CLASS_COUNT {
        flush_oldest(heap, t, class_index, usize::MAX);
    }
}

/// Takes the magazines off a thread that is ending: every class points at the static one.
pub fn uninstall(t: &Thread) {
    for top in &t.top {
        top.set(no_magazine());
    }
}

/// Periodic work, paid by who calls in: resting magazines shrink, what has been free for the purge delay is returned.
fn tick(heap: HeapRef, t: &Thread) {
    let ticks = heap.ticks.get().wrapping_add(1);
    heap.ticks.set(ticks);
    if ticks.is_multiple_of(CLOCK_PERIOD) {
        crate::trim::expire();
        crate::trim::balance();
    }
    if ticks.is_multiple_of(SHRINK_PERIOD) && config::on(Knob::CacheShrink) {
        shrink_resting(heap, t);
    }
}

/// The part of [`tick`] that big blocks pay.
pub fn tick_big(heap: HeapRef) {
    let ticks = heap.ticks.get().wrapping_add(1);
    heap.ticks.set(ticks);
    if ticks.is_multiple_of(CLOCK_PERIOD) {
        crate::trim::expire();
    }
}

/// Magazines without an event since the last look give half of their blocks back.
fn shrink_resting(heap: HeapRef, t: &Thread) {
    for class_index in 1..=CLASS_COUNT {
        let bin = &heap.bins[class_index];
        if bin.events.get() == bin.events_seen.get() && bin.magazine.get() != 0 {
            let held = held(bin, t, class_index);
            if held != 0 {
                flush_oldest(heap, t, class_index, held.div_ceil(2));
                count(&heap.counters.magazines_shrunk, 1);
            }
        }
        bin.events_seen.set(bin.events.get());
    }
}
