//! One byte for each 64 KiB of address space: the size class of the slab there, or 0.
//!
//! A flat table (2 GiB of address space for 47 bits, touched a page at a time) answers "ours?" and "which class?" in one
//! load. Where it cannot be mapped, base and mask stay as they are at start: a single zero byte under an index mask
//! of 0, so that every look-up answers "not a slab" and the slow path asks the registry. Written by who acquires or
//! releases a slab, under the pool's lock; read by every free.

use crate::pal;
use crate::sync::{AtomicPtr, AtomicU8, AtomicUsize, Ordering};
use crate::units::{ADDRESS_BITS, SLAB_BYTES, SlabId};
use core::ptr;

const ENTRIES: usize = 1 << (ADDRESS_BITS - SLAB_BYTES.trailing_zeros());

static NOTHING: AtomicU8 = AtomicU8::new(0);

/// Table and index mask in one symbol, because every free reads both.
#[repr(C, align(16))]
struct Map {
    base: AtomicPtr<AtomicU8>,
    mask: AtomicUsize,
}

static MAP: Map = Map { base: AtomicPtr::new(ptr::addr_of!(NOTHING).cast_mut()), mask: AtomicUsize::new(0) };

/// Maps the table, once, before the first slab exists.
pub fn start() {
    if let Some(table) = pal::map(ENTRIES) {
        pal::exclude_from_dump(table, ENTRIES);
        // Base before mask; Release on the mask pairs with the Acquire in `get`: who sees the wide mask sees the table.
        // A thread with a block saw both anyway, but one that frees another allocator's pointer meanwhile need not.
        MAP.base.store(ptr::with_exposed_provenance_mut(table), Ordering::Relaxed);
        MAP.mask.store(ENTRIES - 1, Ordering::Release);
    }
}

/// The class of the slab that contains `address`, or 0.
#[inline(always)]
pub fn get(address: usize) -> usize {
    // Acquire: pairs with the Release in `start`; no instruction on x86-64.
    let mask = MAP.mask.load(Ordering::Acquire);
    let base = MAP.base.load(Ordering::Relaxed);
    let index = (address / SLAB_BYTES) & mask;
    // SAFETY: index ≤ mask, and the table behind `base` has mask + 1 bytes at least; it is never unmapped.
    let entry = unsafe { &*base.add(index) };
    // Relaxed: a valid pointer reached this thread by a hand-over that happened after its slab's byte was set.
    usize::from(entry.load(Ordering::Relaxed))
}

/// Sets the bytes of `slabs` slabs from `first`.
pub fn set(first: SlabId, slabs: usize, class: usize) {
    if !present() {
        return;
    }
    let base = MAP.base.load(Ordering::Relaxed);
    for i in 0..slabs {
        // SAFETY: slab numbers are below ENTRIES, the length of the mapped table.
        let entry = unsafe { &*base.add(first.0 as usize + i) };
        entry.store(class as u8, Ordering::Relaxed);
    }
}

/// Whether the flat table could be had.
pub fn present() -> bool {
    MAP.mask.load(Ordering::Relaxed) != 0
}

/// Bytes of address space the table reserves.
pub fn reserved_bytes() -> usize {
    if present() { ENTRIES } else { 0 }
}
