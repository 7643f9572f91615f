//! The blocks of a replay, by slot, shared by all its threads.
//!
//! A slot belongs to one thread at a time: to the one whose *turn* it is. Operations are numbered by
//! [`super::feed`] such that of two operations on a slot that follow each other on different threads, the first
//! passes the turn on ([`Table::pass`]) and the second waits for it ([`Table::is_turn`]); on one thread they follow
//! by themselves, and across segments by the rest between them. So no two threads touch a slot at once.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU32, Ordering};

use super::feed::Segment;
use crate::raw::{Block, resident_vec};

struct Slot {
    block: UnsafeCell<Option<Block>>,
    /// How often the slot went to another thread. Release by the one that passes it on, Acquire by the one that
    /// waits: publishes the block and, through it, its contents.
    turn: AtomicU32,
}

/// Slots of a replay.
pub struct Table {
    slots: Box<[Slot]>,
}

// SAFETY: a slot's block is touched only by the thread whose turn it is, as the module says; turns are atomic.
unsafe impl Sync for Table {}

impl Table {
    /// Empty slots, resident.
    pub fn new(slots: usize) -> Table {
        let mut all = resident_vec(slots);
        all.resize_with(slots, || Slot { block: UnsafeCell::new(None), turn: AtomicU32::new(0) });
        Table { slots: all.into_boxed_slice() }
    }

    /// Whether it is this turn of the slot.
    #[inline(always)]
    pub fn is_turn(&self, slot: u32, turn: u32) -> bool {
        self.slots[slot as usize].turn.load(Ordering::Acquire) == turn
    }

    /// Passes the slot on to another thread.
    #[inline(always)]
    pub fn pass(&self, slot: u32, turn: u32) {
        self.slots[slot as usize].turn.store(turn, Ordering::Release);
    }

    /// Puts a block into its slot.
    ///
    /// # Safety
    /// It is the calling thread's turn.
    #[inline(always)]
    pub unsafe fn put(&self, slot: u32, block: Block) {
        let place = self.slots[slot as usize].block.get();
        // SAFETY: it is the caller's turn, so nobody else touches the slot; what it held was taken.
        unsafe { place.write(Some(block)) };
    }

    /// Takes the block out of its slot.
    ///
    /// # Safety
    /// It is the calling thread's turn.
    #[inline(always)]
    pub unsafe fn take(&self, slot: u32) -> Option<Block> {
        let place = self.slots[slot as usize].block.get();
        // SAFETY: it is the caller's turn, so nobody else touches the slot.
        unsafe { place.replace(None) }
    }

    /// All blocks that are left. The segment, held for writing, is the witness that no thread plays.
    pub fn take_all(&self, _resting: &mut Segment) -> Vec<Block> {
        let slots = 0..self.slots.len() as u32;
        // SAFETY: threads touch slots only while they hold the segment for reading; it is held for writing here.
        slots.filter_map(|slot| unsafe { self.take(slot) }).collect()
    }
}
