//! Emptying the magazines of another thread, without its help and without a trace on HOT.
//!
//! A taker holds the heap's word, exchanges slots for 0 from the bottom up, and lets a `membarrier` and [`handshake`]
//! decide whose each block is; the topmost block of a class, and the array itself, go only from a thread that
//! [`pal::Rest`] proves to be outside HOT from before the first exchange until after the last. docs/LEARNING.md argues
//! it, `tests/steal_model.rs` checks it. Called by the worker and by `trim`, never for the caller's own thread.
//!
//! [`handshake`]: super::handshake

use super::array::{self, in_use, slot};
use super::handshake::is_taken;
use super::{Thread, no_magazine, word};
use crate::heap::{HeapRef, count};
use crate::pal;
use crate::size_class::CLASS_COUNT;
use crate::sync::{AtomicUsize, Ordering};
use core::ptr;

/// Slots exchanged between two barriers; their blocks wait on the taker's stack.
const CHUNK: usize = 512;

/// What a taking brought.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Taken {
    /// Blocks given back to their slabs.
    pub blocks: usize,
    /// Classes whose array went too.
    pub arrays: usize,
    /// The thread ran meanwhile, so topmost blocks and arrays stayed: worth another try.
    pub ran: bool,
}

/// Empties the magazines of the heap's thread as far as that is sound. `may_open` allows to look at the thread, which
/// opens files; None if it is then seen to run. Caller holds the word and is not that thread.
pub fn empty(heap: HeapRef, may_open: bool) -> Option<Taken> {
    let mut taken = Taken::default();
    if heap.thread.get() == 0 || heap.tid.get() == 0 || !pal::barrier_ready() {
        return Some(taken);
    }
    let standing =
        if may_open { pal::Rest::look(heap.tid.get(), heap.thread.get()) } else { pal::Standing::Unknown };
    if matches!(standing, pal::Standing::Running) {
        return None;
    }
    // SAFETY: a thread attached to the heap, whose end needs the word, which the caller holds: its TLS block is there.
    let t = unsafe { &*ptr::with_exposed_provenance::<Thread>(heap.thread.get()) };
    for class_index in 1..=CLASS_COUNT {
        taken.blocks += take_class(heap, t, class_index);
    }
    if let pal::Standing::Outside(rest) = standing {
        let tops = take_tops(heap, t, &rest);
        taken = Taken { blocks: taken.blocks + tops.blocks, ..tops };
    }
    count(&heap.counters.taken_blocks, taken.blocks);
    Some(taken)
}

/// Gives back the arrays that an ended thread has left for the heap's next one. Caller holds the word, and the heap has
/// no thread.
pub fn release_dormant(heap: HeapRef) -> Taken {
    let mut taken = Taken::default();
    for bin in heap.bins.iter().filter(|bin| bin.magazine.get() != 0) {
        array::free_array(bin);
        taken.arrays += 1;
    }
    taken
}

/// A slot that the owner may be using at this moment.
fn shared(at: *mut usize) -> &'static AtomicUsize {
    // SAFETY: in the array of a bin whose heap's word the caller holds, without which arrays stay.
    unsafe { word(at) }
}

/// Puts a block back where it was found unless the owner has pushed there; harmless if the owner has the block, because
/// the slot is then not below `top`.
fn put_back(at: *mut usize, block: usize) {
    // Release: pairs with the owner's taking of the word, or is its own thread's order; failure needs nothing.
    let _ = shared(at).compare_exchange(0, block, Ordering::Release, Ordering::Relaxed);
}

/// Takes all but the topmost block of a class.
fn take_class(heap: HeapRef, t: &Thread, class_index: usize) -> usize {
    let mut from = 0;
    let mut blocks = 0;
    loop {
        let end = in_use(&heap.bins[class_index], t, class_index).saturating_sub(1).min(from + CHUNK);
        if from >= end {
            return blocks;
        }
        blocks += take_slots(heap, t, class_index, from, end);
        from = end;
    }
}

fn take_slots(heap: HeapRef, t: &Thread, class_index: usize, from: usize, end: usize) -> usize {
    let bin = &heap.bins[class_index];
    let mut found = [0usize; CHUNK];
    bin.hollow.set(true);
    for i in from..end {
        // AcqRel: before the barrier below, and after the owner's push of what is found.
        found[i - from] = shared(slot(bin, i)).swap(0, Ordering::AcqRel);
    }
    let decided = pal::barrier();
    let now = in_use(bin, t, class_index);
    let mut n = 0;
    for i in from..end {
        let block = found[i - from];
        if block == 0 {
            continue;
        }
        // Acquire: after the read of `top`; what the owner stored to the slot before that `top` is visible.
        if decided && is_taken(i, now, shared(slot(bin, i)).load(Ordering::Acquire)) {
            found[n] = block;
            n += 1;
        } else {
            put_back(slot(bin, i), block);
        }
    }
    if n != 0 {
        heap.give(class_index, found.as_ptr(), n);
    }
    n
}

/// What `take_tops` has changed of one class.
#[derive(Clone, Copy)]
struct Top {
    /// `top` as it was; null if the class is left alone.
    was: *mut usize,
    /// The topmost block; 0 if there was none.
    block: usize,
}

/// Takes the topmost blocks and the arrays, if `rest` still holds afterwards; else puts everything back.
fn take_tops(heap: HeapRef, t: &Thread, rest: &pal::Rest) -> Taken {
    let mut tops = [Top { was: ptr::null_mut(), block: 0 }; CLASS_COUNT + 1];
    for (class_index, entry) in tops.iter_mut().enumerate().skip(1) {
        *entry = detach(heap, t, class_index);
    }
    let proved = rest.still_holds();
    let mut taken = Taken { ran: !proved, ..Taken::default() };
    for (class_index, &Top { was, block }) in tops.iter().enumerate().skip(1) {
        if was.is_null() {
            continue;
        }
        if !proved {
            reattach(t, class_index, was, block);
            continue;
        }
        if block != 0 {
            heap.give(class_index, &raw const block, 1);
            taken.blocks += 1;
        }
        array::release(heap, class_index);
        taken.arrays += 1;
    }
    taken
}

/// Takes the topmost block and points the class at the static magazine, if nothing else is in its array.
fn detach(heap: HeapRef, t: &Thread, class_index: usize) -> Top {
    let bin = &heap.bins[class_index];
    let untouched = Top { was: ptr::null_mut(), block: 0 };
    let top = t.top(class_index);
    let was = top.load(Ordering::Acquire);
    if was == no_magazine() || bin.magazine.get() == 0 {
        return untouched;
    }
    let n = in_use(bin, t, class_index);
    if (0..n.saturating_sub(1)).any(|i| shared(slot(bin, i)).load(Ordering::Relaxed) != 0) {
        return untouched;
    }
    bin.hollow.set(true);
    let block = if n == 0 { 0 } else { shared(slot(bin, n - 1)).swap(0, Ordering::AcqRel) };
    // Fails only if the owner runs, which the proof then says too. AcqRel: between the exchange and the proof.
    let _ = top.compare_exchange(was, no_magazine(), Ordering::AcqRel, Ordering::Relaxed);
    Top { was, block }
}

/// Undoes `detach` for an owner that may have run meanwhile: its own stores stand.
fn reattach(t: &Thread, class_index: usize, was: *mut usize, block: usize) {
    if block != 0 {
        put_back(was.wrapping_sub(1), block);
    }
    // Release: the block is in its slot first.
    let top = t.top(class_index);
    let _ = top.compare_exchange(no_magazine(), was, Ordering::Release, Ordering::Relaxed);
}
