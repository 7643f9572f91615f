//! Best fit for blocks above 4096 B: a size-indexed multimap of free ranges over 1 MiB chunks.
//!
//! Owned by whoever holds the lock around it. Free ranges are kept twice, by (length, address) to
//! find the best fit and by address to coalesce; both maps lie outside the blocks, and blocks have
//! no headers, since `dealloc` is told the size. Ranges never merge across a chunk's boundary
//! (chunks are aligned to their size), so a chunk that is wholly free is one range and `trim` can
//! return it.
//!
//! Invariant: free ranges and live blocks tile the chunks; no two free ranges of a chunk touch.

use crate::route::{LARGE_CHUNK_BYTES, LARGE_UNIT_BYTES};
use crate::supply::{Owner, Supply};
use std::collections::{BTreeMap, BTreeSet};
use std::ptr;

/// The best-fit tier of one shard.
pub(crate) struct BestFit {
    node: usize,
    by_size: BTreeSet<(usize, usize)>,
    by_address: BTreeMap<usize, FreeRange>,
    /// Blocks and bytes handed out of chunks now.
    pub(crate) live: Live,
    /// Blocks with mappings of their own, and their usable bytes.
    pub(crate) mapped: Live,
}

/// A count of live blocks, with their usable bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Live {
    pub(crate) blocks: u64,
    pub(crate) bytes: usize,
    pub(crate) allocs: u64,
}

impl Live {
    pub(crate) fn add(&mut self, bytes: usize) {
        self.blocks += 1;
        self.allocs += 1;
        self.bytes += bytes;
    }

    pub(crate) fn remove(&mut self, bytes: usize) {
        self.blocks -= 1;
        self.bytes -= bytes;
    }
}

/// A free range: its first byte and its length.
#[derive(Clone, Copy)]
struct FreeRange {
    start: *mut u8,
    bytes: usize,
}

// SAFETY: the free ranges are memory that nobody else refers to.
unsafe impl Send for BestFit {}

impl BestFit {
    pub(crate) fn new(node: usize) -> BestFit {
        BestFit {
            node,
            by_size: BTreeSet::new(),
            by_address: BTreeMap::new(),
            live: Live::default(),
            mapped: Live::default(),
        }
    }

    /// A block of `bytes` (a multiple of the unit, at most a chunk) at a multiple of `align`.
    pub(crate) fn take(&mut self, supply: &Supply, bytes: usize, align: usize) -> *mut u8 {
        let range = match self.find(bytes, align) {
            Some(range) => range,
            None => {
                let owner = Owner { node: self.node, chunk: 0 };
                let start = supply.map(LARGE_CHUNK_BYTES, LARGE_CHUNK_BYTES, owner, 0);
                if start.is_null() {
                    return ptr::null_mut();
                }
                self.insert(FreeRange { start, bytes: LARGE_CHUNK_BYTES })
            }
        };
        self.live.add(bytes);
        self.split(range, bytes, align)
    }

    /// Takes a block of `bytes` back and merges it with the free ranges beside it.
    pub(crate) fn give(&mut self, start: *mut u8, bytes: usize) {
        self.live.remove(bytes);
        let mut range = FreeRange { start, bytes };
        let address = start.addr();
        if !address.is_multiple_of(LARGE_CHUNK_BYTES)
            && let Some((_, &before)) = self.by_address.range(..address).next_back()
            && before.start.addr() + before.bytes == address
        {
            self.remove(before);
            range = FreeRange { start: before.start, bytes: before.bytes + range.bytes };
        }
        let end = address + bytes;
        if !end.is_multiple_of(LARGE_CHUNK_BYTES)
            && let Some(&after) = self.by_address.get(&end)
        {
            self.remove(after);
            range.bytes += after.bytes;
        }
        self.insert(range);
    }

    /// Returns wholly free chunks to the system; gives their bytes.
    pub(crate) fn trim(&mut self, supply: &Supply) -> usize {
        let mut returned_bytes = 0;
        while let Some(&(LARGE_CHUNK_BYTES, address)) = self.by_size.last() {
            let range = self.by_address[&address];
            self.remove(range);
            // SAFETY: a free range of a chunk's length is a whole chunk of this supply, and it is
            // in no map any more.
            unsafe { supply.release(range.start, LARGE_CHUNK_BYTES) };
            returned_bytes += LARGE_CHUNK_BYTES;
        }
        returned_bytes
    }

    /// Bytes of the free ranges.
    pub(crate) fn free_bytes(&self) -> usize {
        self.by_size.iter().map(|&(bytes, _)| bytes).sum()
    }

    /// The smallest range that holds the block, the lowest address among equals.
    fn find(&self, bytes: usize, align: usize) -> Option<FreeRange> {
        let fits = |&&(length, address): &&(usize, usize)| {
            address.next_multiple_of(align) - address + bytes <= length
        };
        let (_, address) = self.by_size.range((bytes, 0)..).find(fits)?;
        self.by_address.get(address).copied()
    }

    /// Cuts the block out of a free range and lists what is left before and behind it.
    fn split(&mut self, range: FreeRange, bytes: usize, align: usize) -> *mut u8 {
        self.remove(range);
        let address = range.start.addr();
        let front_bytes = address.next_multiple_of(align.max(LARGE_UNIT_BYTES)) - address;
        let block = range.start.wrapping_add(front_bytes);
        if front_bytes > 0 {
            self.insert(FreeRange { start: range.start, bytes: front_bytes });
        }
        let back_bytes = range.bytes - front_bytes - bytes;
        if back_bytes > 0 {
            self.insert(FreeRange { start: block.wrapping_add(bytes), bytes: back_bytes });
        }
        block
    }

    fn insert(&mut self, range: FreeRange) -> FreeRange {
        self.by_size.insert((range.bytes, range.start.addr()));
        self.by_address.insert(range.start.addr(), range);
        range
    }

    fn remove(&mut self, range: FreeRange) {
        self.by_size.remove(&(range.bytes, range.start.addr()));
        self.by_address.remove(&range.start.addr());
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn freed_neighbours_merge_back_into_one_chunk_that_trim_returns() {
        let supply = Supply::new(false);
        let mut tier = BestFit::new(0);
        let blocks: Vec<_> = (0..4).map(|index| (index + 1) * 65_536).collect();
        let starts: Vec<_> = blocks.iter().map(|&bytes| tier.take(&supply, bytes, 8192)).collect();
        assert!(starts.iter().all(|start| start.addr().is_multiple_of(8192)));
        assert_eq!(supply.mapped_bytes(), LARGE_CHUNK_BYTES);
        assert_eq!(tier.trim(&supply), 0);
        for index in [1, 3, 0, 2] {
            tier.give(starts[index], blocks[index]);
        }
        assert_eq!((tier.by_size.len(), tier.free_bytes()), (1, LARGE_CHUNK_BYTES));
        assert_eq!((tier.trim(&supply), supply.mapped_bytes()), (LARGE_CHUNK_BYTES, 0));
    }

    #[test]
    fn the_smallest_hole_that_fits_is_taken() {
        let supply = Supply::new(false);
        let mut tier = BestFit::new(0);
        let wide = tier.take(&supply, 64 << 10, 64);
        let _wall = tier.take(&supply, 64, 64);
        let narrow = tier.take(&supply, 16 << 10, 64);
        let _wall = tier.take(&supply, 64, 64);
        tier.give(wide, 64 << 10);
        tier.give(narrow, 16 << 10);
        assert_eq!(tier.take(&supply, 12 << 10, 64), narrow);
        assert_eq!(tier.take(&supply, 20 << 10, 64), wide);
    }
}
