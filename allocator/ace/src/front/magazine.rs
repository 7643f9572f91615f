//! Misses and overflows: where HOT meets the heap, and the periodic work that passes by.
//!
//! A miss refills half of the magazine; an overflow gives the oldest half back; both let it grow first (`array`). Runs
//! on the cache's own thread. Whatever moves blocks or arrays holds the heap's word: a fork takes every word, so a child
//! finds each magazine whole, and a taker (`taking`) never meets a thread in WARM.

use super::array::{self, discharge, in_use, restore, set_in_use, slot};
use super::lifecycle;
use super::{Thread, budget, no_magazine, thread};
use crate::config::{self, Knob, Route};
use crate::controller;
use crate::heap::{Bin, HeapRef, count, table};
use crate::learned;
use crate::size_class::{CLASS_COUNT, class};
use crate::sync::Ordering;
use core::ptr;

/// Blocks of the first batch that a thread takes of a class; each further one may be twice as large. A short thread does
/// not pay for batches that the array, inherited from another, has room for.
const FIRST_BATCH: usize = 8;
/// Doublings after which the array alone limits a batch.
const FILLS_MAX: u8 = 13;
/// WARM events of a heap between two looks at resting magazines.
const SHRINK_PERIOD: u32 = 1024;
/// WARM events of a heap between two looks at the clock, the balance and the budget.
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

/// An allocation that found no block in the thread cache. 0 if there is no memory.
#[cold]
#[inline(never)]
pub fn miss(class_index: usize) -> usize {
    let t = thread();
    let way = way(class_index);
    let Some(heap) = lifecycle::heap(t) else { return take_one(table::shared(), class_index, &way) };
    if !way.cached {
        return take_one(Some(heap), class_index, &way);
    }
    let block = heap.with(|heap| refill(heap, t, class_index, &way));
    tick(heap, t);
    block
}

/// Fills the magazine and pops; past it, where it can have none. Caller holds the word.
fn refill(heap: HeapRef, t: &Thread, class_index: usize, way: &Way) -> usize {
    if !array::install(heap, t, class_index, way.factor) {
        return take_past(heap, class_index, way);
    }
    let bin = &heap.bins[class_index];
    restore(bin, t, class_index);
    // A destructor or handler that ran inside `lifecycle::heap` may have filled the magazine, or a taker put back.
    let block = t.pop(class_index);
    if block != 0 {
        return block;
    }
    let n = batch(bin, class_index);
    let got = heap.take(class_index, slot(bin, 0), n, way.fresh_only);
    bin.note(&bin.refills, got);
    set_in_use(bin, t, class_index, got);
    if !config::on(Knob::RefillOne) {
        array::grow(heap, t, class_index, way.factor);
    }
    t.pop(class_index)
}

/// Blocks that the next refill asks for.
fn batch(bin: &Bin, class_index: usize) -> usize {
    if config::on(Knob::RefillOne) {
        return 1;
    }
    let slots = usize::from(bin.magazine_slots.get());
    let n = match config::get(Knob::Batch) as usize {
        0 => {
            let fills = bin.fills.get();
            bin.fills.set((fills + 1).min(FILLS_MAX));
            let share = if learned::whole_batch(class_index) { slots } else { slots / 2 };
            share.min(FIRST_BATCH << fills)
        }
        n => n,
    };
    n.clamp(1, slots)
}

fn take_past(heap: HeapRef, class_index: usize, way: &Way) -> usize {
    let mut block = 0;
    let got = heap.take(class_index, &raw mut block, 1, way.fresh_only);
    if got == 1 { block } else { 0 }
}

fn take_one(heap: Option<HeapRef>, class_index: usize, way: &Way) -> usize {
    let Some(heap) = heap else { return 0 };
    heap.with(|heap| take_past(heap, class_index, way))
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
    if !way.cached {
        return give_one(Some(heap), class_index, block);
    }
    heap.with(|heap| make_room(heap, t, class_index, &way, block));
    tick(heap, t);
}

/// Puts the block on the magazine, which grows or gives its oldest half back; past it, where it can have none. Caller
/// holds the word.
fn make_room(heap: HeapRef, t: &Thread, class_index: usize, way: &Way, block: usize) {
    let installed = array::install(heap, t, class_index, way.factor);
    let bin = &heap.bins[class_index];
    restore(bin, t, class_index);
    if installed && t.push(class_index, block) {
        return;
    }
    if installed && !array::grow(heap, t, class_index, way.factor) {
        let n = usize::from(bin.magazine_slots.get()).div_ceil(2);
        flush_oldest(heap, t, class_index, n);
        bin.note(&bin.flushes, n);
    }
    if !t.push(class_index, block) {
        heap.give(class_index, &raw const block, 1);
    }
}

/// Gives the `n` oldest blocks of a whole magazine back. Caller holds the word.
fn flush_oldest(heap: HeapRef, t: &Thread, class_index: usize, n: usize) {
    let bin = &heap.bins[class_index];
    let held = in_use(bin, t, class_index);
    let n = n.min(held);
    if n == 0 {
        return;
    }
    heap.give(class_index, slot(bin, 0), n);
    // SAFETY: both ranges lie in the magazine's `held` slots.
    unsafe { ptr::copy(slot(bin, n), slot(bin, 0), held - n) };
    set_in_use(bin, t, class_index, held - n);
}

/// Gives every cached block of `t` back to `heap`, its heap. The thread is this one or is gone. Caller holds the word.
pub fn flush_all(heap: HeapRef, t: &Thread) {
    for class_index in 1..=CLASS_COUNT {
        restore(&heap.bins[class_index], t, class_index);
        flush_oldest(heap, t, class_index, usize::MAX);
    }
}

/// Takes the magazines, which are empty, off a thread that is ending: every class points at the static one, and nothing
/// is charged. The arrays stay with the heap for its next thread. Caller holds the word.
pub fn uninstall(heap: HeapRef, t: &Thread) {
    for top in &t.top {
        top.store(no_magazine(), Ordering::Relaxed);
    }
    for bin in &heap.bins {
        bin.fills.set(0);
    }
    discharge(heap, heap.magazine_bytes.get());
}

/// Gives the arrays of a thread's empty magazines back too. Caller holds the word.
pub fn release_empty(heap: HeapRef, t: &Thread) {
    for class_index in 1..=CLASS_COUNT {
        let bin = &heap.bins[class_index];
        if bin.magazine.get() != 0
            && t.top(class_index).load(Ordering::Relaxed) != no_magazine()
            && in_use(bin, t, class_index) == 0
        {
            t.top(class_index).store(no_magazine(), Ordering::Relaxed);
            array::release(heap, class_index);
        }
    }
}

/// Moves the heap's clock, and tells a dozing worker.
fn advance(heap: HeapRef) -> u32 {
    let ticks = heap.ticks.load(Ordering::Relaxed).wrapping_add(1);
    heap.ticks.store(ticks, Ordering::Relaxed);
    controller::pass();
    ticks
}

/// Periodic work, paid by who calls in: resting magazines shrink, what has been free for the purge delay is returned.
fn tick(heap: HeapRef, t: &Thread) {
    let ticks = advance(heap);
    if ticks.is_multiple_of(CLOCK_PERIOD) {
        crate::trim::expire();
        crate::trim::balance();
        if budget::is_tight() && heap.magazine_bytes.get() > budget::share_bytes() {
            heap.with(|heap| yield_budget(heap, t));
        }
        controller::ensure();
    }
    if ticks.is_multiple_of(SHRINK_PERIOD) && config::on(Knob::CacheShrink) {
        heap.with(|heap| shrink_resting(heap, t));
    }
}

/// The part of [`tick`] that big blocks pay.
pub fn tick_big(heap: HeapRef) {
    let ticks = advance(heap);
    if ticks.is_multiple_of(CLOCK_PERIOD) {
        crate::trim::expire();
        controller::ensure();
    }
}

fn is_resting(heap: HeapRef, class_index: usize) -> bool {
    let bin = &heap.bins[class_index];
    bin.magazine.get() != 0 && bin.events.get() as u16 == bin.events_seen.get()
}

/// Magazines without an event since the last look give half of their blocks back; those larger than their class may have
/// now are halved.
fn shrink_resting(heap: HeapRef, t: &Thread) {
    for class_index in 1..=CLASS_COUNT {
        let bin = &heap.bins[class_index];
        restore(bin, t, class_index);
        let held = in_use(bin, t, class_index);
        if is_resting(heap, class_index) && held != 0 {
            flush_oldest(heap, t, class_index, held.div_ceil(2));
            count(&heap.counters.magazines_shrunk, 1);
        }
        bin.events_seen.set(bin.events.get() as u16);
        if bin.magazine.get() != 0 && array::is_oversized(bin, class_index, way(class_index).factor) {
            halve(heap, t, class_index);
        }
    }
}

fn halve(heap: HeapRef, t: &Thread, class_index: usize) {
    let bin = &heap.bins[class_index];
    restore(bin, t, class_index);
    let keep = (usize::from(bin.magazine_slots.get()) / 2).max(2);
    flush_oldest(heap, t, class_index, in_use(bin, t, class_index).saturating_sub(keep));
    array::halve(heap, t, class_index);
}

/// A thread above its share, when the budget is tight: its resting magazines go; if it has none, its largest is halved.
fn yield_budget(heap: HeapRef, t: &Thread) {
    let (mut largest, mut most, mut released) = (0, 0, false);
    for class_index in 1..=CLASS_COUNT {
        let bin = &heap.bins[class_index];
        let bytes = usize::from(bin.magazine_slots.get()) * class(class_index).bytes as usize;
        let installed = t.top(class_index).load(Ordering::Relaxed) != no_magazine();
        if installed && is_resting(heap, class_index) {
            restore(bin, t, class_index);
            flush_oldest(heap, t, class_index, usize::MAX);
            t.top(class_index).store(no_magazine(), Ordering::Relaxed);
            array::release(heap, class_index);
            count(&heap.counters.magazines_shrunk, 1);
            released = true;
        } else if installed && bytes > most {
            (largest, most) = (class_index, bytes);
        }
        bin.events_seen.set(bin.events.get() as u16);
    }
    if !released && largest != 0 {
        halve(heap, t, largest);
    }
}
