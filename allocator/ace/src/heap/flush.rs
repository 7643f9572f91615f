//! Flush: putting blocks back into bitmaps, local or remote.
//!
//! Each address is checked on the way: it must be the start of a block of its slab's class, and the block must not be
//! free already; else the process ends with one line (`fail`). Blocks of other heaps' slabs are marked at once, a word
//! at a time, and accounted once a slab at the end of the flush. Caller holds the heap's word.

use super::{HeapRef, Memory, count, remote};
use crate::fail;
use crate::size_class::{Class, class};
use crate::superslab::{Shelf, SlabRef, registry};
use crate::sync::Ordering;
use crate::units::{ADDRESS_BITS, SlabId};

/// Foreign slabs whose returns one flush gathers before it accounts the oldest.
const GATHERED: usize = 16;

/// Blocks of other heaps that are marked or about to be, and not yet accounted.
struct Gathered {
    slabs: [(u32, u32); GATHERED],
    len: usize,
    /// The word being gathered: slab, word, bits.
    slab: u32,
    word: usize,
    bits: u64,
    base: usize,
    bytes: usize,
}

impl Gathered {
    fn new() -> Gathered {
        Gathered { slabs: [(0, 0); GATHERED], len: 0, slab: 0, word: 0, bits: 0, base: 0, bytes: 0 }
    }

    #[inline]
    fn add(&mut self, slab: SlabRef, row: &Class, index: usize) {
        let (id, word, bit) = (slab.id().0, index / 64, 1u64 << (index % 64));
        if id != self.slab || word != self.word {
            self.mark();
            (self.slab, self.word, self.base, self.bytes) = (id, word, slab.base(), row.bytes as usize);
        } else if self.bits & bit != 0 {
            fail::die("double free", slab.base() + index * row.bytes as usize);
        }
        self.bits |= bit;
    }

    /// Marks the gathered word and notes its slab for accounting.
    fn mark(&mut self) {
        if self.bits == 0 {
            return;
        }
        if !remote::mark(&Memory, self.slab, self.word, self.bits) {
            let first = self.word * 64 + self.bits.trailing_zeros() as usize;
            fail::die("double free", self.base + first * self.bytes);
        }
        let n = self.bits.count_ones();
        self.bits = 0;
        if let Some(entry) = self.slabs[..self.len].iter_mut().rev().find(|e| e.0 == self.slab) {
            entry.1 += n;
            return;
        }
        if self.len == GATHERED {
            remote::publish(&Memory, self.slabs[0].0, self.slabs[0].1);
            self.slabs.copy_within(1.., 0);
            self.len -= 1;
        }
        self.slabs[self.len] = (self.slab, n);
        self.len += 1;
    }

    fn finish(mut self) {
        self.mark();
        for &(slab, n) in &self.slabs[..self.len] {
            remote::publish(&Memory, slab, n);
        }
    }
}

/// Sets bits of free blocks; a bit that is set already is a block freed twice.
#[inline]
pub fn set_free(slab: SlabRef, row: &Class, word: usize, bits: u64) {
    let free = &slab.free[word];
    if free.get() & bits != 0 {
        let first = word * 64 + (free.get() & bits).trailing_zeros() as usize;
        fail::die("double free", slab.base() + first * row.bytes as usize);
    }
    free.set(free.get() | bits);
    if word < usize::from(slab.hint.get()) {
        slab.hint.set(word as u8);
    }
}

/// The first slab of the span of class `class_index` that contains `address`, and the block's index.
#[inline]
fn locate(class_index: usize, row: &Class, address: usize) -> (SlabRef, usize) {
    if address >> ADDRESS_BITS != 0 {
        fail::die("invalid pointer freed", address);
    }
    let base = address & !(row.span_bytes() - 1);
    // SAFETY: the class map or the registry knows this address, or the caller of dealloc vouches for its layout.
    let slab = unsafe { SlabRef::from_id(SlabId::containing(base)) };
    if usize::from(slab.class.get()) != class_index {
        wrong_class(address);
    }
    match row.block_at(address - base) {
        Some(index) => (slab, index),
        None => fail::die("pointer into the middle of a block freed", address),
    }
}

#[cold]
fn wrong_class(address: usize) -> ! {
    if registry::contains(address) {
        fail::die("block freed twice or with the size of another class", address)
    }
    fail::die("invalid pointer freed", address)
}

impl HeapRef {
    /// Puts `n` blocks of one class back, from `slots[0..n]`.
    pub fn give(self, class_index: usize, slots: *const usize, n: usize) {
        let row = class(class_index);
        let mine = self.owner();
        let mut foreign = Gathered::new();
        let mut local = 0;
        for i in 0..n {
            // SAFETY: the caller gives n slots.
            let address = unsafe { slots.add(i).read() };
            let (slab, index) = locate(class_index, row, address);
            // Relaxed: if the owner is this heap, only the holder of its word, that is, this thread can change that; if
            // not, the block is marked and `publish` learns the owner anew.
            if remote::owner_of(slab.state.load(Ordering::Relaxed)) == mine {
                self.give_own(slab, row, index);
                local += 1;
            } else {
                foreign.add(slab, row, index);
            }
        }
        foreign.finish();
        self.sub_out(local * row.bytes as usize);
        count(&self.counters.flushes, 1);
        count(&self.counters.flushed_local_blocks, local);
        count(&self.counters.flushed_remote_blocks, n - local);
        if !self.pending.is_empty() {
            self.drain_pending();
        }
    }

    #[inline]
    fn give_own(self, slab: SlabRef, row: &Class, index: usize) {
        set_free(slab, row, index / 64, 1 << (index % 64));
        let (out, room) = (slab.out.get() - 1, slab.room.get() + 1);
        slab.out.set(out);
        slab.room.set(room);
        // Most returns change nothing about where the slab stands.
        if out == 0 || out < row.drain_below || slab.shelf.get() == Shelf::Full {
            self.settle(slab);
        }
    }
}
