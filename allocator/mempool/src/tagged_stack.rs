//! A lock-free stack of block indices, safe against ABA by a tag.
//!
//! The head is one 64-bit word: the index of the top block and a tag that every successful
//! exchange raises. Links live in arrays beside the blocks, never inside them, so a reader that
//! comes too late reads a stale link, not a user's bytes. A batch goes in or comes out with one
//! exchange.
//!
//! Why a stale walk is harmless: links are written only by the thread that owns a block, before it
//! pushes it. If the head's tag is unchanged at the exchange, nothing was popped since the walk
//! began, so every link that was read was current; else the exchange fails and the walk is void.
//! The tag has 32 bits: an exchange could be fooled only by a thread that sleeps between its load
//! and its exchange through an exact multiple of 2³² exchanges. Model: `loom_models`.

use crate::sync::atomic::{AtomicU64, Ordering};

/// No block.
pub(crate) const NIL: u32 = u32::MAX;

/// Where the links of the blocks lie. `next` may be called for a block another thread owns.
pub(crate) trait Links {
    /// The block below `index`.
    fn next(&self, index: u32) -> u32;
    /// Links `index` to `next`; only for a block the caller owns.
    fn link(&self, index: u32, next: u32);
}

/// The head word: index in the low half, tag in the high half.
#[derive(Clone, Copy)]
struct Head(u64);

impl Head {
    fn index(self) -> u32 {
        self.0 as u32
    }

    fn with_index(self, index: u32) -> Head {
        let tag = ((self.0 >> 32) as u32).wrapping_add(1);
        Head(u64::from(tag) << 32 | u64::from(index))
    }
}

/// The stack; padded as the locks are.
#[repr(align(128))]
pub(crate) struct TaggedStack {
    head: AtomicU64,
}

impl TaggedStack {
    pub(crate) fn new() -> TaggedStack {
        TaggedStack { head: AtomicU64::new(u64::from(NIL)) }
    }

    /// Pops up to `out.len()` blocks; returns how many, and the exchanges tried.
    pub(crate) fn pop_batch(&self, links: &impl Links, out: &mut [u32]) -> (usize, u64) {
        let mut exchanges = 0;
        // Acquire: partners the Release of `push_chain`, so the links of what was pushed are seen.
        let mut head = Head(self.head.load(Ordering::Acquire));
        loop {
            let mut next = head.index();
            let mut count = 0;
            while next != NIL && count < out.len() {
                out[count] = next;
                next = links.next(next);
                count += 1;
            }
            if count == 0 {
                return (0, exchanges);
            }
            exchanges += 1;
            // Acquire on success: the taker sees what the returner of each block did before its push
            // (every exchange is a read-modify-write, so the pushes' release sequences go on through
            // pops). Nothing is published by a pop, so no Release. Acquire on failure: as the load.
            let new = head.with_index(next);
            match self.head.compare_exchange_weak(head.0, new.0, Ordering::Acquire, Ordering::Acquire) {
                Ok(_) => return (count, exchanges),
                Err(current) => head = Head(current),
            }
        }
    }

    /// Pushes blocks the caller owns, `blocks[0]` on top; returns the exchanges tried.
    pub(crate) fn push_chain(&self, links: &impl Links, blocks: impl Iterator<Item = u32> + Clone) -> u64 {
        let Some(first) = blocks.clone().next() else { return 0 };
        let mut last = first;
        for index in blocks.skip(1) {
            links.link(last, index);
            last = index;
        }
        let mut exchanges = 0;
        // Relaxed: only the word itself is used; what lies below is not read.
        let mut head = Head(self.head.load(Ordering::Relaxed));
        loop {
            links.link(last, head.index());
            exchanges += 1;
            let new = head.with_index(first);
            // Release: publishes the links, and the returner's last use of the blocks, to the Acquire
            // loads and exchanges of `pop_batch`.
            match self.head.compare_exchange_weak(head.0, new.0, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return exchanges,
                Err(current) => head = Head(current),
            }
        }
    }

    /// Length by walking, at most `limit`; exact when nobody pushes or pops meanwhile.
    pub(crate) fn count(&self, links: &impl Links, limit: usize) -> usize {
        let mut next = Head(self.head.load(Ordering::Acquire)).index();
        let mut count = 0;
        while next != NIL && count < limit {
            next = links.next(next);
            count += 1;
        }
        count
    }
}
