//! Memory for the allocator's own structures: heaps, magazine arrays, registry leaves, the table of huge blocks.
//!
//! A bump allocator over mappings of its own with a free list for each power of two. Never shared with user blocks,
//! never returned to the system (heaps and leaves are type-stable; arrays are reused). Any thread; one lock, innermost
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

struct Meta {
    next: usize,
    end: usize,
    free: [usize; LISTS],
}

static META: Lock<Meta> = Lock::new(Meta { next: 0, end: 0, free: [0; LISTS] });
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
    let mut start = round_up(meta.next, size.min(PAGE_BYTES));
    if start + size > meta.end {
        start = pal::map(CHUNK_BYTES)?;
        MAPPED.fetch_add(CHUNK_BYTES, Ordering::Relaxed);
        meta.end = start + CHUNK_BYTES;
    }
    meta.next = start + size;
    Some(start)
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
