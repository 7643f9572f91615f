//! Operation streams: what a thread does, drawn in full before the clock starts.
//!
//! One operation is one `u32`: its kind in the top two bits, a size or a place in the live array below. The live
//! array is dense: an allocation is pushed on its end, a removal swaps the last entry into the hole. Generators
//! know the array's length at every point, so a drawn place is always taken.
//!
//! A [`Loop`] may play its words many times; that is right only where the live array is as long after the words as
//! before them, which [`Loop::repeated`] relies on and the tests check.

use crate::draw::{Draw, Sampler};
use crate::spec::{Batch, Churn, Order, Slots};

/// Allocate; the operand is the size.
pub const ALLOC: u32 = 0;
/// Free; the operand is a place in the live array.
pub const FREE: u32 = 1;
/// Give to the next thread, which frees; the operand is a place.
pub const HAND_OFF: u32 = 2;
/// Resize; the operand is a place, the next word the new size.
pub const RESIZE: u32 = 3;
/// Bits of an operand.
pub const OPERAND_BITS: u32 = 30;
/// The operand of a word.
pub const OPERAND_MASK: u32 = (1 << OPERAND_BITS) - 1;

/// Words after which a body that may be repeated is long enough: out of the reach of a branch predictor's memory,
/// within that of a second-level cache.
const BODY_WORDS: usize = 16_384;
/// Words that the streams of all threads may have together, 1 GiB.
pub const WORDS_MAX: usize = 1 << 28;

/// A word of `kind`.
pub const fn word(kind: u32, operand: u32) -> u32 {
    (kind << OPERAND_BITS) | operand
}

/// Words that are played `repeats` times, and then the first `tail` of them once more.
#[derive(Clone, Debug, Default)]
pub struct Loop {
    /// The words.
    pub body: Vec<u32>,
    /// Whole passes.
    pub repeats: u64,
    /// Words of the last, partial pass.
    pub tail: usize,
}

impl Loop {
    /// Words played once.
    pub fn once(body: Vec<u32>) -> Loop {
        Loop { body, repeats: 1, tail: 0 }
    }

    /// A body made of cycles of equal length, played until `cycles` have passed.
    fn repeated(body: Vec<u32>, cycles_in_body: u64, cycles: u64) -> Loop {
        let cycle_words = body.len() / cycles_in_body.max(1) as usize;
        let tail = (cycles % cycles_in_body.max(1)) as usize * cycle_words;
        Loop { body, repeats: cycles / cycles_in_body.max(1), tail }
    }

    /// Cuts the end off, so that at most `ops_max` operations are left; returns how many are.
    pub fn truncate(&mut self, ops_max: u64) -> u64 {
        let (body_ops, _) = count_ops(&self.body, u64::MAX);
        let (tail_ops, _) = count_ops(&self.body[..self.tail], u64::MAX);
        let whole = body_ops.saturating_mul(self.repeats);
        if whole.saturating_add(tail_ops) <= ops_max {
            return whole + tail_ops;
        }
        if body_ops == 0 {
            return 0;
        }
        self.repeats = self.repeats.min(ops_max / body_ops);
        let (ops, words) = count_ops(&self.body, ops_max - self.repeats * body_ops);
        self.tail = words;
        self.repeats * body_ops + ops
    }
}

/// The operations in the longest prefix of `words` that has at most `ops_max`, and its words.
fn count_ops(words: &[u32], ops_max: u64) -> (u64, usize) {
    let (mut ops, mut at) = (0, 0);
    while at < words.len() && ops < ops_max {
        at += if words[at] >> OPERAND_BITS == RESIZE { 2 } else { 1 };
        ops += 1;
    }
    (ops, at)
}

/// Draws the streams of one thread one after another; the live array's length is carried along.
pub struct Writer<'a> {
    /// The thread's generator.
    pub draw: &'a mut Draw,
    /// Length of the live array after what has been written.
    pub live: usize,
    words: Vec<u32>,
    written: usize,
    words_max: usize,
}

impl<'a> Writer<'a> {
    /// A writer of at most `words_max` words over an empty live array.
    pub fn new(draw: &'a mut Draw, words_max: usize) -> Writer<'a> {
        Writer { draw, live: 0, words: Vec::new(), written: 0, words_max }
    }

    /// Takes the words written since the last call.
    pub fn take(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.words)
    }

    fn push(&mut self, kind: u32, operand: usize) -> Result<(), String> {
        if self.written == self.words_max {
            let words = self.words_max;
            return Err(format!(
                "a thread's stream passes {words} operations: lower its counts or the threads"
            ));
        }
        self.written += 1;
        self.words.push(word(kind, operand as u32));
        Ok(())
    }

    fn alloc(&mut self, size: u32) -> Result<(), String> {
        self.live += 1;
        self.push(ALLOC, size as usize)
    }

    fn remove(&mut self, place: usize, handoff: f64) -> Result<(), String> {
        self.live -= 1;
        let kind = if self.draw.chance(handoff) { HAND_OFF } else { FREE };
        self.push(kind, place)
    }

    fn remove_any(&mut self, handoff: f64) -> Result<(), String> {
        let place = self.draw.below(self.live as u64) as usize;
        self.remove(place, handoff)
    }

    /// One operation of churn.
    fn churn_op(&mut self, churn: &Churn, sizes: &Sampler) -> Result<(), String> {
        if self.live < churn.live_max && (self.draw.unit() < churn.p_alloc || self.live == 0) {
            let size = sizes.draw(self.draw);
            self.alloc(size)
        } else {
            self.remove_any(churn.handoff)
        }
    }

    /// Churn until the live set first reaches its maximum, then as many operations again.
    pub fn churn_warm_up(&mut self, churn: &Churn) -> Result<(), String> {
        let sizes = Sampler::new(&churn.sizes);
        let begin = self.written;
        while self.live < churn.live_max {
            self.churn_op(churn, &sizes)?;
        }
        for _ in begin..self.written {
            self.churn_op(churn, &sizes)?;
        }
        Ok(())
    }

    /// Churn for its number of operations.
    pub fn churn(&mut self, churn: &Churn) -> Result<(), String> {
        let sizes = Sampler::new(&churn.sizes);
        (0..churn.ops).try_for_each(|_| self.churn_op(churn, &sizes))
    }

    /// `count` allocations.
    pub fn burst(&mut self, sizes: &Sampler, count: usize) -> Result<(), String> {
        for _ in 0..count {
            let size = sizes.draw(self.draw);
            self.alloc(size)?;
        }
        Ok(())
    }

    /// Frees random blocks until `keep` are left.
    pub fn shrink(&mut self, keep: usize) -> Result<(), String> {
        while self.live > keep {
            self.remove_any(0.0)?;
        }
        Ok(())
    }

    /// Random replacement over the whole live array.
    pub fn replace(&mut self, sizes: &Sampler, cycles: u64) -> Result<(), String> {
        for _ in 0..cycles {
            self.remove_any(0.0)?;
            let size = sizes.draw(self.draw);
            self.alloc(size)?;
        }
        Ok(())
    }

    /// Batches over an empty live array.
    pub fn batch(&mut self, batch: &Batch) -> Result<Loop, String> {
        let sizes = Sampler::new(&batch.sizes);
        let alike = sizes.is_constant() && batch.order != Order::Random;
        let wanted = if alike { 1 } else { BODY_WORDS.div_ceil(2 * batch.batch) as u64 };
        let drawn = wanted.min(batch.cycles);
        for _ in 0..drawn {
            self.burst(&sizes, batch.batch)?;
            self.free_batch(batch.order)?;
        }
        Ok(Loop::repeated(self.take(), drawn, batch.cycles))
    }

    fn free_batch(&mut self, order: Order) -> Result<(), String> {
        match order {
            Order::Lifo => {
                while self.live > 0 {
                    self.remove(self.live - 1, 0.0)?;
                }
                Ok(())
            }
            Order::Fifo => fifo_places(self.live).into_iter().try_for_each(|place| self.remove(place, 0.0)),
            Order::Random => self.shrink(0),
        }
    }

    /// Allocations that are handed off at once.
    pub fn relay(&mut self, sizes: &Sampler, blocks: u64) -> Result<Loop, String> {
        let drawn = blocks.min(BODY_WORDS as u64 / 2);
        for _ in 0..drawn {
            let size = sizes.draw(self.draw);
            self.alloc(size)?;
            self.live -= 1;
            self.push(HAND_OFF, 0)?;
        }
        Ok(Loop::repeated(self.take(), drawn, blocks))
    }

    /// Slots; `(warm-up, the rest)`.
    pub fn slots(&mut self, slots: &Slots) -> Result<(Vec<u32>, Vec<u32>), String> {
        let sizes = Sampler::new(&slots.sizes);
        let mut table = SlotTable::new(slots.slots);
        if slots.warm_up {
            while self.live < slots.slots / 2 {
                let slot = self.draw.below(slots.slots as u64) as usize;
                if table.place[slot].is_none() {
                    table.fill(slot);
                    let size = sizes.draw(self.draw);
                    self.alloc(size)?;
                }
            }
        }
        let warm = self.take();
        for _ in 0..slots.cycles {
            let slot = self.draw.below(slots.slots as u64) as usize;
            match table.place[slot] {
                None => {
                    table.fill(slot);
                    let size = sizes.draw(self.draw);
                    self.alloc(size)?;
                }
                Some(place) if self.draw.chance(slots.resize) => {
                    self.push(RESIZE, place)?;
                    let size = sizes.draw(self.draw);
                    self.push(ALLOC, size as usize)?;
                }
                Some(place) => {
                    table.empty(slot);
                    self.remove(place, slots.handoff)?;
                }
            }
        }
        Ok((warm, self.take()))
    }
}

/// Where each slot's block stands in the live array, and which slot each entry belongs to.
struct SlotTable {
    place: Vec<Option<usize>>,
    slot_at: Vec<usize>,
}

impl SlotTable {
    fn new(slots: usize) -> SlotTable {
        SlotTable { place: vec![None; slots], slot_at: Vec::with_capacity(slots) }
    }

    fn fill(&mut self, slot: usize) {
        self.place[slot] = Some(self.slot_at.len());
        self.slot_at.push(slot);
    }

    fn empty(&mut self, slot: usize) {
        let Some(place) = self.place[slot].take() else { return };
        self.slot_at.swap_remove(place);
        if let Some(&moved) = self.slot_at.get(place) {
            self.place[moved] = Some(place);
        }
    }
}

/// Places to remove one after another so that entries leave in the order they came.
fn fifo_places(count: usize) -> Vec<usize> {
    let mut table = SlotTable::new(count);
    (0..count).for_each(|slot| table.fill(slot));
    (0..count)
        .map(|slot| {
            let place = table.place[slot].unwrap_or(0);
            table.empty(slot);
            place
        })
        .collect()
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
