//! The chunk supply: granules of memory for every tier, and the map that says whose they are.
//!
//! One supply per pool. It hands out spans of 64 KiB granules straight from the operating system
//! and records each granule in a two-level table keyed by address: granule → owner word. The table
//! is read by anybody without a lock (`owns`, the home node of a block, the chunk index of a
//! lock-free list), and written entry by entry by whoever maps or unmaps a span, so the supply
//! serialises nobody: two classes that grow at once meet only in the kernel.
//! Dropping the supply unmaps all that is recorded.
//!
//! Invariant: an entry is non-zero exactly while its granule is mapped by this pool.

use crate::os::{self, GRANULE_BYTES};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

const GRANULE_SHIFT: u32 = GRANULE_BYTES.trailing_zeros();
/// Bits of user address that the kernel hands out without being asked for more.
const ADDRESS_BITS: u32 = 48;
/// Granules under one leaf: 4 GiB of address space.
const LEAF_ENTRIES: usize = 1 << 16;
const LEAF_BYTES: usize = LEAF_ENTRIES * size_of::<AtomicU32>();
const ROOT_ENTRIES: usize = 1 << (ADDRESS_BITS - GRANULE_SHIFT - LEAF_ENTRIES.trailing_zeros());
const ROOT_BYTES: usize = ROOT_ENTRIES * size_of::<AtomicPtr<AtomicU32>>();
const _: () = assert!(LEAF_BYTES.is_multiple_of(GRANULE_BYTES) && ROOT_BYTES.is_multiple_of(GRANULE_BYTES));

const MAPPED: u32 = 1 << 31;
const NODE_SHIFT: u32 = 24;
const INDEX_MASK: u32 = (1 << NODE_SHIFT) - 1;
/// Memory nodes that an owner word can name.
pub(crate) const NODES_MAX: usize = 1 << (31 - NODE_SHIFT);

/// Who holds a granule: a node's shard, and there a chunk index (lock-free lists only; else 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// Index of the node's shard.
    pub(crate) node: usize,
    /// Index of the chunk in its lock-free list.
    pub(crate) chunk: u32,
}

impl Owner {
    fn word(self) -> u32 {
        debug_assert!(self.node < NODES_MAX && self.chunk <= INDEX_MASK);
        MAPPED | (self.node as u32) << NODE_SHIFT | self.chunk
    }

    fn from_word(word: u32) -> Option<Owner> {
        let node = ((word & !MAPPED) >> NODE_SHIFT) as usize;
        (word & MAPPED != 0).then_some(Owner { node, chunk: word & INDEX_MASK })
    }
}

/// Source of chunks and owner of the granule table.
pub(crate) struct Supply {
    /// [`ROOT_ENTRIES`] leaf pointers. A leaf is published once, by a compare-exchange with Release
    /// that the Acquire loads in `leaf` partner, and lives as long as the supply.
    root: *const AtomicPtr<AtomicU32>,
    /// Bytes mapped for blocks now. Written by all, read by `stats`; Relaxed: a count, nothing more.
    mapped_bytes: AtomicUsize,
    /// Whether spans are to be placed on their node's memory.
    place_on_nodes: bool,
}

// SAFETY: the root table is reached only through atomics, and lives until `drop` has `&mut self`.
unsafe impl Send for Supply {}
// SAFETY: as for Send.
unsafe impl Sync for Supply {}

impl Supply {
    /// A supply without memory; panics if not even its table can be mapped.
    pub(crate) fn new(place_on_nodes: bool) -> Supply {
        let root = os::map(ROOT_BYTES, GRANULE_BYTES);
        assert!(!root.is_null(), "no address space for the pool's granule table");
        Supply { root: root.cast(), mapped_bytes: AtomicUsize::new(0), place_on_nodes }
    }

    /// Maps a span for `owner`, whose granules get the chunk indices `owner.chunk`, `+ step`, …
    pub(crate) fn map(&self, bytes: usize, align: usize, owner: Owner, step: u32) -> *mut u8 {
        let start = os::map(bytes, align);
        if start.is_null() {
            return start;
        }
        if self.place_on_nodes {
            os::prefer_node(start, bytes, owner.node);
        }
        let mut chunk = owner.chunk;
        for offset in (0..bytes).step_by(GRANULE_BYTES) {
            let Some(entry) = self.entry_or_create(start.addr() + offset) else {
                self.unmap(start, bytes);
                return ptr::null_mut();
            };
            // Relaxed: whoever looks up a block of this granule was handed the block by its taker,
            // directly or through a chain of hand-overs that synchronise.
            entry.store(Owner { chunk, ..owner }.word(), Ordering::Relaxed);
            chunk += step;
        }
        self.mapped_bytes.fetch_add(bytes, Ordering::Relaxed);
        start
    }

    /// Unmaps a span of this supply, of which no block is live and none is listed.
    ///
    /// # Safety
    /// The span was mapped by `map`, and nothing refers to it any more.
    pub(crate) unsafe fn release(&self, start: *mut u8, bytes: usize) {
        self.mapped_bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.unmap(start, bytes);
    }

    /// Who holds the granule of `address`, if it is this pool's.
    #[inline]
    pub(crate) fn owner_of(&self, address: usize) -> Option<Owner> {
        let leaf = self.leaf(address)?;
        // SAFETY: a published leaf has LEAF_ENTRIES entries and lives as long as `self`.
        let entry = unsafe { &*leaf.add(leaf_index(address)) };
        Owner::from_word(entry.load(Ordering::Relaxed))
    }

    /// Bytes mapped for blocks now.
    pub(crate) fn mapped_bytes(&self) -> usize {
        self.mapped_bytes.load(Ordering::Relaxed)
    }

    /// Clears the table entries first: the address may be mapped anew the moment it is free.
    fn unmap(&self, start: *mut u8, bytes: usize) {
        for offset in (0..bytes).step_by(GRANULE_BYTES) {
            if let Some(entry) = self.entry_or_create(start.addr() + offset) {
                entry.store(0, Ordering::Relaxed);
            }
        }
        // SAFETY: the callers own the span and have given up every reference into it.
        unsafe { os::unmap(start, bytes) };
    }

    #[inline]
    fn root_entry(&self, index: usize) -> Option<&AtomicPtr<AtomicU32>> {
        if index >= ROOT_ENTRIES {
            return None;
        }
        // SAFETY: `index` is below the table's length; the table lives as long as `self`.
        Some(unsafe { &*self.root.add(index) })
    }

    #[inline]
    fn leaf(&self, address: usize) -> Option<*const AtomicU32> {
        // Acquire: partners the publication in `entry_or_create`, so the leaf's pages are seen.
        let leaf = self.root_entry(root_index(address))?.load(Ordering::Acquire);
        (!leaf.is_null()).then_some(leaf.cast_const())
    }

    fn entry_or_create(&self, address: usize) -> Option<&AtomicU32> {
        let slot = self.root_entry(root_index(address))?;
        let mut leaf = slot.load(Ordering::Acquire);
        if leaf.is_null() {
            leaf = publish_leaf(slot)?;
        }
        // SAFETY: a published leaf has LEAF_ENTRIES entries and lives as long as `self`.
        Some(unsafe { &*leaf.add(leaf_index(address)) })
    }
}

fn publish_leaf(slot: &AtomicPtr<AtomicU32>) -> Option<*mut AtomicU32> {
    let fresh: *mut AtomicU32 = os::map(LEAF_BYTES, GRANULE_BYTES).cast();
    if fresh.is_null() {
        return None;
    }
    // Release publishes the fresh leaf to the Acquire loads of `leaf`; Acquire on failure sees the
    // winner's leaf as those loads do.
    match slot.compare_exchange(ptr::null_mut(), fresh, Ordering::Release, Ordering::Acquire) {
        Ok(_) => Some(fresh),
        Err(winner) => {
            // SAFETY: the leaf that lost was never published.
            unsafe { os::unmap(fresh.cast(), LEAF_BYTES) };
            Some(winner)
        }
    }
}

fn root_index(address: usize) -> usize {
    address >> (GRANULE_SHIFT + LEAF_ENTRIES.trailing_zeros())
}

fn leaf_index(address: usize) -> usize {
    (address >> GRANULE_SHIFT) & (LEAF_ENTRIES - 1)
}

impl Drop for Supply {
    fn drop(&mut self) {
        for index in 0..ROOT_ENTRIES {
            let leaf = self.root_entry(index).map_or(ptr::null_mut(), |slot| slot.load(Ordering::Relaxed));
            if !leaf.is_null() {
                drop_leaf(leaf, index);
            }
        }
        // SAFETY: `&mut self` is the last reference, and the table was mapped in `new`.
        unsafe { os::unmap(self.root.cast_mut().cast(), ROOT_BYTES) };
    }
}

/// Unmaps every granule recorded in a leaf, then the leaf.
fn drop_leaf(leaf: *mut AtomicU32, root_index: usize) {
    for index in 0..LEAF_ENTRIES {
        // SAFETY: `index` is below the leaf's length and the leaf is mapped until the end of this function.
        let word = unsafe { &*leaf.add(index) }.load(Ordering::Relaxed);
        if word != 0 {
            let address = (root_index * LEAF_ENTRIES + index) << GRANULE_SHIFT;
            // SAFETY: a non-zero entry is a granule mapped by this supply, and the pool is gone.
            unsafe { os::unmap(ptr::with_exposed_provenance_mut(address), GRANULE_BYTES) };
        }
    }
    // SAFETY: the supply is being dropped, so nobody reads the leaf any more.
    unsafe { os::unmap(leaf.cast(), LEAF_BYTES) };
}
