//! Which 2 MiB units of address space are superslabs.
//!
//! A two-level table: a static root, leaves mapped on demand and never freed. Answers the slow path of free, `owns`,
//! and every free where the class map could not be had. Written under the pool's lock, read by any thread.

use crate::meta;
use crate::sync::{AtomicU8, AtomicUsize, Ordering};
use crate::units::{ADDRESS_BITS, SUPERSLAB_BYTES};
use core::ptr;

const LEAF_LOG2: u32 = 13;
const LEAF_ENTRIES: usize = 1 << LEAF_LOG2;
const ROOT_ENTRIES: usize = 1 << (ADDRESS_BITS - SUPERSLAB_BYTES.trailing_zeros() - LEAF_LOG2);

static ROOT: [AtomicUsize; ROOT_ENTRIES] = [const { AtomicUsize::new(0) }; ROOT_ENTRIES];

fn entry(address: usize) -> Option<&'static AtomicU8> {
    let unit = address / SUPERSLAB_BYTES;
    // Acquire: pairs with the Release in `insert`; a leaf's zeroed entries are visible.
    let leaf = ROOT.get(unit >> LEAF_LOG2)?.load(Ordering::Acquire);
    if leaf == 0 {
        return None;
    }
    let at = leaf + unit % LEAF_ENTRIES;
    // SAFETY: leaves have LEAF_ENTRIES bytes and live for ever.
    Some(unsafe { &*ptr::with_exposed_provenance::<AtomicU8>(at) })
}

/// Records a superslab; false if there is no memory for a leaf. Caller holds the pool's lock.
pub fn insert(base: usize) -> bool {
    let Some(root) = ROOT.get((base / SUPERSLAB_BYTES) >> LEAF_LOG2) else { return false };
    if root.load(Ordering::Relaxed) == 0 {
        let Some(leaf) = meta::alloc(LEAF_ENTRIES) else { return false };
        // SAFETY: a piece of LEAF_ENTRIES bytes that nobody else knows yet.
        unsafe { ptr::with_exposed_provenance_mut::<u8>(leaf).write_bytes(0, LEAF_ENTRIES) };
        // Release: pairs with the Acquire in `entry`.
        root.store(leaf, Ordering::Release);
    }
    if let Some(e) = entry(base) {
        // Release: pairs with the Acquire in `contains`; the superslab's header is set up.
        e.store(1, Ordering::Release);
    }
    true
}

/// Forgets a superslab, before it is unmapped. Caller holds the pool's lock.
pub fn remove(base: usize) {
    if let Some(e) = entry(base) {
        e.store(0, Ordering::Relaxed);
    }
}

/// Whether `address` lies in a superslab.
pub fn contains(address: usize) -> bool {
    entry(address).is_some_and(|e| e.load(Ordering::Acquire) == 1)
}
