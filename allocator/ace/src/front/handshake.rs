//! Who has the block that a taker found in a slot: the one decision of the protocol in `taking`.
//!
//! Pure, so that `tests/steal_model.rs` checks the shipped function in every interleaving of an owner on HOT with a
//! taker. docs/LEARNING.md gives the argument.

/// Whether the block exchanged out of slot `i` is the taker's, judged after the barrier: `in_use` slots are below `top`,
/// and the slot shows `word`. If it is not, it is the owner's, or the owner stands in the middle of a pop or push of just
/// this slot: then it is put back, which is harmless if the owner has it.
#[inline]
pub fn is_taken(i: usize, in_use: usize, word: usize) -> bool {
    word == 0 && in_use > i + 1
}
