//! Memory for the allocator's own structures: heaps, magazine arrays, registry leaves, the table of huge blocks.
//!
//! A bump allocator over mappings of its own with a free list for each power of two. Never shared with user blocks,
//! never unmapped (heaps and leaves are type-stable; arrays are reused); `purge` gives the pages of free
//! pieces back. Any thread; one lock, innermost
//! in the order of `sync`.

use crate::pal;
use crate::sync::{AtomicUsize, Lock, Ordering};
use crate::units::{PAGE_BYTES, round_up};
use core::ptr;

/// Smallest piece: a cache line, so that pieces of different threads never share one.
const PIECE_BYTES_MIN: usize = 64;
const PIECE_LOG2_MIN: u32 = PIECE_BYTES_MIN.trailing_zeros();
/// Powers of two from 64 B up to half a chunk; larger pieces are mappings of their own.
const LISTS: usize = 12;
/// Bytes mapped at a time; pages are touched as pieces are cut, so size costs address space only.
const CHUNK_BYTES: usize = 256 << 10;

/// Free pieces of one page whose page is purged; their addresses stand outside them.
const COLD_MAX: usize = 4096;
/// The list of pieces of one page.
const PAGE_LIST: usize = (PAGE_BYTES.trailing_zeros() - PIECE_LOG2_MIN) as usize;
/// Pieces purged under one hold of the lock.
const PURGES_MAX: usize = 64;

struct Meta {
    next: usize,
    end: usize,
    free: [usize; LISTS],
    /// An array of [`COLD_MAX`] addresses; 0 until the first purge.
    cold: usize,
    cold_len: usize,
}

static META: Lock<Meta> = Lock::new(Meta { next: 0, end: 0, free: [0; LISTS], cold: 0, cold_len: 0 });
static MAPPED: AtomicUsize = AtomicUsize::new(0);

const _: () = assert!(PIECE_BYTES_MIN << (LISTS - 1) <= CHUNK_BYTES / 2);

fn list_of(bytes: usize) -> usize {
    let log2 = bytes.max(PIECE_BYTES_MIN).next_power_of_two().trailing_zeros();
    (log2 - PIECE_LOG2_MIN) as usize
}

/// `bytes` of memory aligned to the power of two above them (at most a page). Contents: unspecified if `bytes` fits a
/// list, zero if it has a mapping of its own.
pub fn alloc(bytes: usize) -> Option<usize> {
    let list = list_of(bytes);
    if list >= LISTS {
        let size = round_up(bytes, PAGE_BYTES);
        let address = pal::map(size)?;
        // Relaxed: a statistic.
        MAPPED.fetch_add(size, Ordering::Relaxed);
        return Some(address);
    }
    let size = PIECE_BYTES_MIN << list;
    let mut meta = META.lock();
    let reused = meta.free[list];
    if reused != 0 {
        // SAFETY: pieces on a free list are of this module alone and hold the next piece's address in their first word.
        meta.free[list] = unsafe { ptr::with_exposed_provenance::<usize>(reused).read() };
        return Some(reused);
    }
    if list == PAGE_LIST && meta.cold_len != 0 {
        meta.cold_len -= 1;
        // SAFETY: below the length, in the array.
        return Some(unsafe { meta.cold_slot(meta.cold_len).read() });
    }
    let mut start = round_up(meta.next, size.min(PAGE_BYTES));
    if start + size > meta.end {
        start = pal::map(CHUNK_BYTES)?;
        MAPPED.fetch_add(CHUNK_BYTES, Ordering::Relaxed);
        meta.end = start + CHUNK_BYTES;
    }
    meta.next = start + size;
    Some(start)
}

impl Meta {
    fn cold_slot(&self, i: usize) -> *mut usize {
        ptr::with_exposed_provenance_mut::<usize>(self.cold).wrapping_add(i)
    }

    /// Purges up to [`PURGES_MAX`] free pieces of one page; whether there may be more.
    fn purge_some(&mut self) -> bool {
        for _ in 0..PURGES_MAX {
            let piece = self.free[PAGE_LIST];
            if piece == 0 || self.cold_len == COLD_MAX {
                return false;
            }
            // SAFETY: as in `alloc`.
            self.free[PAGE_LIST] = unsafe { ptr::with_exposed_provenance::<usize>(piece).read() };
            // SAFETY: below COLD_MAX, in the array.
            unsafe { self.cold_slot(self.cold_len).write(piece) };
            self.cold_len += 1;
            // If it fails, the page only stays resident.
            pal::purge(piece, PAGE_BYTES);
        }
        true
    }
}

/// Gives the pages of free pieces of one page (magazine arrays, mostly) back to the system.
pub fn purge() {
    if META.lock().cold == 0 {
        let Some(cold) = pal::map(COLD_MAX * size_of::<usize>()) else { return };
        MAPPED.fetch_add(COLD_MAX * size_of::<usize>(), Ordering::Relaxed);
        let mut meta = META.lock();
        if meta.cold != 0 {
            drop(meta);
            pal::unmap(cold, COLD_MAX * size_of::<usize>());
            return;
        }
        meta.cold = cold;
    }
    while META.lock().purge_some() {}
}

/// Takes back what `alloc(bytes)` gave.
pub fn free(address: usize, bytes: usize) {
    let list = list_of(bytes);
    if list >= LISTS {
        let size = round_up(bytes, PAGE_BYTES);
        if pal::unmap(address, size) {
            MAPPED.fetch_sub(size, Ordering::Relaxed);
        }
        return;
    }
    let mut meta = META.lock();
    // SAFETY: the piece is unused from here on, at least a word long and aligned.
    unsafe { ptr::with_exposed_provenance_mut::<usize>(address).write(meta.free[list]) };
    meta.free[list] = address;
}

/// Bytes mapped for metadata outside superslabs.
pub fn mapped_bytes() -> usize {
    MAPPED.load(Ordering::Relaxed)
}

/// Holds the lock across a fork.
pub fn fork_prepare() {
    META.acquire_raw();
}

/// Ends `fork_prepare`, in parent and child.
pub fn fork_done() {
    // SAFETY: taken in `fork_prepare` on this thread.
    unsafe { META.release_raw() }
}
