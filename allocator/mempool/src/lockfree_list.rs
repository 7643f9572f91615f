//! One fixed-size class without a lock: a tagged stack over chunks of 64 KiB.
//!
//! Any thread may take and give batches at any time. A block is named by a 32-bit index (chunk,
//! slot); a table of chunks turns an index into an address, and the supply's granule table turns an
//! address into its chunk. Each chunk has a link array beside it. A thread that finds the stack
//! empty maps a span of its own, keeps what it needs and pushes the rest: growing serialises
//! nobody; two that grow at once just grow twice.
//!
//! Chunks live as long as the pool, because a late reader may look at any link: `trim` returns
//! none of them. At most 2¹⁸ chunks (16 GiB) a list.

use crate::class_list::SPAN_GRANULES_MAX;
use crate::os::{self, GRANULE_BYTES};
use crate::supply::{Owner, Supply};
use crate::sync::atomic::{AtomicU32, Ordering};
use crate::tagged_stack::{Links, TaggedStack};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize};

/// Bits of a block's index within its chunk: 2048 blocks of 32 B.
const SLOT_BITS: u32 = 11;
const SLOT_MASK: u32 = (1 << SLOT_BITS) - 1;
const CHUNKS_MAX: usize = 1 << 18;
const TABLE_BYTES: usize = CHUNKS_MAX * size_of::<ChunkEntry>();
const _: () = assert!(GRANULE_BYTES / crate::route::FIXED_BYTES[0] == 1 << SLOT_BITS);
const _: () = assert!(TABLE_BYTES.is_multiple_of(GRANULE_BYTES));
/// Largest batch that a caller takes or gives.
const BATCH_MAX: usize = 64;

/// A chunk: its first byte and its link array. Written once, before any of its blocks is pushed
/// or handed out, so Relaxed suffices: whoever has an index of the chunk had it from the head or
/// from a link (both Release to Acquire) or holds one of its blocks.
struct ChunkEntry {
    base: AtomicPtr<u8>,
    links: AtomicPtr<AtomicU32>,
}

/// The list.
pub(crate) struct LockFreeList {
    stack: TaggedStack,
    table: *const ChunkEntry,
    /// Chunk indices given out. Relaxed: only uniqueness matters.
    chunks: AtomicUsize,
    /// Blocks in the table's chunks. Relaxed: read by `stats` alone.
    carved_blocks: AtomicUsize,
    block_bytes: usize,
    node: usize,
}

// SAFETY: the table is reached through atomics and lives until `drop` has `&mut self`.
unsafe impl Send for LockFreeList {}
// SAFETY: as for Send.
unsafe impl Sync for LockFreeList {}

impl Links for LockFreeList {
    fn next(&self, index: u32) -> u32 {
        // Acquire: partners `link`. A walk overtaken by others may read a link to a chunk newer than the
        // head it began with; it must see that chunk's entry before the tag voids the walk.
        self.link_of(index).load(Ordering::Acquire)
    }

    fn link(&self, index: u32, next: u32) {
        // Release: publishes the entry of the chunk that `next` lies in, to the Acquire of `next`.
        self.link_of(index).store(next, Ordering::Release);
    }
}

impl LockFreeList {
    pub(crate) fn new(block_bytes: usize, node: usize) -> LockFreeList {
        let table = os::map(TABLE_BYTES, GRANULE_BYTES);
        assert!(!table.is_null(), "no address space for the pool's chunk table");
        LockFreeList {
            stack: TaggedStack::new(),
            table: table.cast(),
            chunks: AtomicUsize::new(0),
            carved_blocks: AtomicUsize::new(0),
            block_bytes,
            node,
        }
    }

    /// Fills the front of `out`; returns how many blocks it got, and the exchanges tried.
    pub(crate) fn take_batch(&self, supply: &Supply, out: &mut [*mut u8]) -> (usize, u64) {
        let mut indices = [0; BATCH_MAX];
        let wanted = out.len().min(BATCH_MAX);
        let (count, exchanges) = self.stack.pop_batch(self, &mut indices[..wanted]);
        for (slot, &index) in out.iter_mut().zip(&indices[..count]) {
            *slot = self.address_of(index);
        }
        if count > 0 {
            return (count, exchanges);
        }
        let (count, grown) = self.grow(supply, out);
        (count, exchanges + grown)
    }

    /// Takes a batch of blocks back; returns the exchanges tried.
    pub(crate) fn give_batch(&self, supply: &Supply, blocks: &[*mut u8]) -> u64 {
        self.stack.push_chain(self, blocks.iter().map(|&block| self.index_of(supply, block)))
    }

    /// Blocks on the stack; exact when the list is at rest.
    pub(crate) fn listed_blocks(&self) -> usize {
        self.stack.count(self, self.carved_blocks())
    }

    /// Blocks of all chunks.
    pub(crate) fn carved_blocks(&self) -> usize {
        self.carved_blocks.load(Ordering::Relaxed)
    }

    /// Maps a span, keeps its first blocks for the caller and pushes the others.
    #[cold]
    fn grow(&self, supply: &Supply, out: &mut [*mut u8]) -> (usize, u64) {
        let granules = self.chunks.load(Ordering::Relaxed).clamp(1, SPAN_GRANULES_MAX);
        let Some((first_chunk, granules)) =
            self.map_span(supply, granules).or_else(|| self.map_span(supply, 1))
        else {
            return (0, 0);
        };
        let slots = (GRANULE_BYTES / self.block_bytes) as u32;
        let chunk_range = first_chunk..first_chunk + granules as u32;
        let mut indices = chunk_range.flat_map(|chunk| (0..slots).map(move |slot| chunk << SLOT_BITS | slot));
        let mut count = 0;
        for (slot, index) in out.iter_mut().zip(indices.by_ref()) {
            *slot = self.address_of(index);
            count += 1;
        }
        let exchanges = self.stack.push_chain(self, indices);
        (count, exchanges + 2)
    }

    fn map_span(&self, supply: &Supply, granules: usize) -> Option<(u32, usize)> {
        let slots = GRANULE_BYTES / self.block_bytes;
        let first_chunk = self.chunks.fetch_add(granules, Ordering::Relaxed);
        if first_chunk + granules > CHUNKS_MAX {
            self.chunks.fetch_sub(granules, Ordering::Relaxed);
            return None;
        }
        let owner = Owner { node: self.node, chunk: first_chunk as u32 };
        let span = supply.map(granules * GRANULE_BYTES, GRANULE_BYTES, owner, 1);
        if span.is_null() {
            return None;
        }
        for index in 0..granules {
            let links: Box<[AtomicU32]> = (0..slots).map(|_| AtomicU32::new(0)).collect();
            let entry = self.entry(first_chunk + index);
            entry.base.store(span.wrapping_add(index * GRANULE_BYTES), Ordering::Relaxed);
            entry.links.store(Box::into_raw(links).cast(), Ordering::Relaxed);
        }
        self.carved_blocks.fetch_add(granules * slots, Ordering::Relaxed);
        Some((first_chunk as u32, granules))
    }

    fn entry(&self, chunk: usize) -> &ChunkEntry {
        debug_assert!(chunk < CHUNKS_MAX);
        // SAFETY: chunk indices are below CHUNKS_MAX, the length of the table, which lives as long as
        // `self`; zeroed entries are valid atomics.
        unsafe { &*self.table.add(chunk) }
    }

    fn link_of(&self, index: u32) -> &AtomicU32 {
        let links = self.entry((index >> SLOT_BITS) as usize).links.load(Ordering::Relaxed);
        debug_assert!(!links.is_null());
        // SAFETY: an index names a chunk whose entry was written before the index was known to anybody,
        // and a slot below the length of that chunk's link array.
        unsafe { &*links.add((index & SLOT_MASK) as usize) }
    }

    fn address_of(&self, index: u32) -> *mut u8 {
        let base = self.entry((index >> SLOT_BITS) as usize).base.load(Ordering::Relaxed);
        base.wrapping_add((index & SLOT_MASK) as usize * self.block_bytes)
    }

    fn index_of(&self, supply: &Supply, block: *mut u8) -> u32 {
        let chunk = supply.owner_of(block.addr()).map_or(0, |owner| owner.chunk);
        let slot = (block.addr() % GRANULE_BYTES) / self.block_bytes;
        chunk << SLOT_BITS | slot as u32
    }
}

impl Drop for LockFreeList {
    fn drop(&mut self) {
        let slots = GRANULE_BYTES / self.block_bytes;
        for chunk in 0..self.chunks.load(Ordering::Relaxed).min(CHUNKS_MAX) {
            let links = self.entry(chunk).links.load(Ordering::Relaxed);
            if !links.is_null() {
                let array = ptr::slice_from_raw_parts_mut(links, slots);
                // SAFETY: a non-null entry is a boxed slice of `slots` links made in `map_span`.
                drop(unsafe { Box::from_raw(array) });
            }
        }
        // SAFETY: the table was mapped in `new`, and `&mut self` is its last user.
        unsafe { os::unmap(self.table.cast_mut().cast(), TABLE_BYTES) };
    }
}
