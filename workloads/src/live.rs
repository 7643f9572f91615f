//! The live array: the blocks a thread holds, dense, in memory that is resident before the clock starts.
//!
//! A `Vec` would do, but for two things the measured loop would pay for: its growing path makes the compiler keep the
//! length in memory, one store and one load that wait for each other in every operation; and `swap_remove` moves 16
//! bytes at once, which a processor cannot forward from the two stores of a push that has just been.

use crate::raw::{Block, resident_vec};

/// Blocks in places 0 to `count`. Never grows: what a stream needs is counted before it runs.
#[derive(Default)]
pub struct LiveSet {
    slots: Box<[Option<Block>]>,
    count: usize,
}

#[cold]
#[inline(never)]
fn miscounted() -> ! {
    unreachable!("streams were counted: none takes from an empty array or passes its end")
}

impl LiveSet {
    /// Room for `capacity` blocks.
    pub fn new(capacity: usize) -> LiveSet {
        let mut slots = resident_vec(capacity);
        slots.resize_with(capacity, || None);
        LiveSet { slots: slots.into_boxed_slice(), count: 0 }
    }

    /// Puts a block on the end.
    #[inline(always)]
    pub fn push(&mut self, block: Block) {
        let Some(slot) = self.slots.get_mut(self.count) else { miscounted() };
        *slot = Some(block);
        self.count += 1;
    }

    /// Takes the block at `place` out; the last one moves there.
    #[inline(always)]
    pub fn take(&mut self, place: usize) -> Block {
        self.count = self.count.wrapping_sub(1);
        let Some(last) = self.slots.get_mut(self.count).and_then(Option::take) else { miscounted() };
        if place == self.count {
            return last;
        }
        let Some(block) = self.slots.get_mut(place).and_then(|slot| slot.replace(last)) else { miscounted() };
        block
    }

    /// Puts a block where one was taken from.
    pub fn restore(&mut self, place: usize, block: Block) {
        self.push(block);
        self.slots.swap(place, self.count - 1);
    }

    /// Takes the last block out.
    pub fn pop(&mut self) -> Option<Block> {
        if self.count == 0 { None } else { Some(self.take(self.count - 1)) }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// The blocks.
    pub fn iter(&self) -> impl Iterator<Item = &Block> {
        self.slots.iter().flatten()
    }
}
