//! One size class under a lock: a stack of free block addresses over chunks of 64 KiB.
//!
//! Owned by whoever holds the lock around it. The free list is an array of addresses, not a chain
//! through the blocks: taking a block reads the array's hot end, never the cold block, so the
//! lock is held for a few instructions and a batch is one copy. The array is reserved when chunks
//! are mapped, never on the alloc or free path. Chunks are carved lazily, block by block, and
//! mapped in spans that double from 1 to 16, so growing is rare and touches no memory.
//!
//! Invariant: carved blocks = free blocks here + blocks out (with threads' caches or users), and
//! the array's capacity is at least the carved blocks.

use crate::os::GRANULE_BYTES;
use crate::supply::{Owner, Supply};
use std::ptr;

/// Granules of the largest span that a list maps at once (1 MiB).
pub(crate) const SPAN_GRANULES_MAX: usize = 16;

/// The free blocks of one class.
pub(crate) struct ClassList {
    block_bytes: usize,
    node: usize,
    free: Vec<*mut u8>,
    /// Start of the part of the current span that is not carved yet.
    carve: *mut u8,
    carve_bytes: usize,
    span_granules_next: usize,
    carved_blocks: usize,
    /// Blocks handed out one by one to users, and returned by them (segregated classes).
    pub(crate) allocs: u64,
    /// See `allocs`.
    pub(crate) frees: u64,
}

// SAFETY: the addresses in the list are of blocks that nobody else refers to.
unsafe impl Send for ClassList {}

impl ClassList {
    pub(crate) fn new(block_bytes: usize, node: usize) -> ClassList {
        ClassList {
            block_bytes,
            node,
            free: Vec::new(),
            carve: ptr::null_mut(),
            carve_bytes: 0,
            span_granules_next: 1,
            carved_blocks: 0,
            allocs: 0,
            frees: 0,
        }
    }

    /// One block, or NULL when memory cannot be had.
    #[inline]
    pub(crate) fn take(&mut self, supply: &Supply) -> *mut u8 {
        match self.free.pop() {
            Some(block) => block,
            None => self.carve_one(supply),
        }
    }

    /// Fills the front of `out`; returns how many blocks it got.
    pub(crate) fn take_batch(&mut self, supply: &Supply, out: &mut [*mut u8]) -> usize {
        let listed = self.free.len().min(out.len());
        let rest = self.free.len() - listed;
        out[..listed].copy_from_slice(&self.free[rest..]);
        self.free.truncate(rest);
        for (index, slot) in out.iter_mut().enumerate().skip(listed) {
            *slot = self.carve_one(supply);
            if slot.is_null() {
                return index;
            }
        }
        out.len()
    }

    /// Takes one block back.
    #[inline]
    pub(crate) fn give(&mut self, block: *mut u8) {
        debug_assert!(self.free.len() < self.carved_blocks, "more blocks returned than carved");
        self.free.push(block);
    }

    /// Takes a batch of blocks back.
    pub(crate) fn give_batch(&mut self, blocks: &[*mut u8]) {
        debug_assert!(
            self.free.len() + blocks.len() <= self.carved_blocks,
            "more blocks returned than carved"
        );
        self.free.extend_from_slice(blocks);
    }

    /// Free blocks listed here.
    pub(crate) fn listed_blocks(&self) -> usize {
        self.free.len()
    }

    /// Blocks cut from chunks so far, less those that a trim returned.
    pub(crate) fn carved_blocks(&self) -> usize {
        self.carved_blocks
    }

    /// Returns the chunks all of whose blocks are listed to the system; gives their bytes.
    pub(crate) fn trim(&mut self, supply: &Supply) -> usize {
        let blocks_per_chunk = GRANULE_BYTES / self.block_bytes;
        self.free.sort_unstable();
        let mut kept = 0;
        let mut returned_bytes = 0;
        let mut start = 0;
        while start < self.free.len() {
            let chunk = chunk_of(self.free[start]);
            let run = self.free[start..].iter().take_while(|&&block| chunk_of(block) == chunk).count();
            if run == blocks_per_chunk {
                // SAFETY: every block of the chunk is listed, hence carved and in nobody's hands, and
                // the list forgets them here.
                unsafe { supply.release(self.free[start], GRANULE_BYTES) };
                returned_bytes += GRANULE_BYTES;
                self.carved_blocks -= run;
            } else {
                self.free.copy_within(start..start + run, kept);
                kept += run;
            }
            start += run;
        }
        self.free.truncate(kept);
        returned_bytes
    }

    fn carve_one(&mut self, supply: &Supply) -> *mut u8 {
        if self.carve_bytes == 0 && !self.grow(supply) {
            return ptr::null_mut();
        }
        let block = self.carve;
        self.carve = block.wrapping_add(self.block_bytes);
        self.carve_bytes -= self.block_bytes;
        self.carved_blocks += 1;
        block
    }

    /// Maps the next span; tries a single chunk before it gives up.
    #[cold]
    fn grow(&mut self, supply: &Supply) -> bool {
        self.grow_by(supply, self.span_granules_next) || self.grow_by(supply, 1)
    }

    fn grow_by(&mut self, supply: &Supply, granules: usize) -> bool {
        let bytes = granules * GRANULE_BYTES;
        let blocks = self.carved_blocks + bytes / self.block_bytes;
        if self.free.try_reserve(blocks.saturating_sub(self.free.len())).is_err() {
            return false;
        }
        let span = supply.map(bytes, GRANULE_BYTES, Owner { node: self.node, chunk: 0 }, 0);
        if span.is_null() {
            return false;
        }
        (self.carve, self.carve_bytes) = (span, bytes);
        self.span_granules_next = (self.span_granules_next * 2).min(SPAN_GRANULES_MAX);
        true
    }
}

fn chunk_of(block: *mut u8) -> usize {
    block.addr() / GRANULE_BYTES
}
