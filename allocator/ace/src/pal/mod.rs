//! The platform layer: every system call of the crate, and nothing else.
//!
//! A checked contract: `map` gives zeroed, private, readable and writable memory or None; `purge` leaves a range mapped
//! and reading as zeros or says that it failed; `unmap` may fail (a limit on the number of mappings), and the caller
//! then still owns the range. Callable from any thread with any lock held; never allocates from the heap it serves.
//! [`fake`] stands in front of the calls that can fail, so that tests choose which one does, and counts them.

pub mod fake;
mod linux;

pub use linux::{
    abort, environment, errno, exclude_from_dump, futex_wait, futex_wake, message, nap, now_ms,
    out_of_memory, set_errno, yield_now,
};

use crate::units::round_up;
use fake::Call;

/// Maps `bytes` (a multiple of the page size) anywhere.
pub fn map(bytes: usize) -> Option<usize> {
    if fake::fails(Call::Map, bytes) { None } else { linux::map(bytes) }
}

/// Maps `bytes` at a multiple of `align`, both multiples of the page size.
pub fn map_aligned(bytes: usize, align: usize) -> Option<usize> {
    let first = map(bytes)?;
    if first.is_multiple_of(align) {
        return Some(first);
    }
    // The kernel places mappings downwards next to each other, so the exact try above succeeds once the area is
    // aligned; this branch pays for the first.
    unmap(first, bytes);
    let outer = bytes.checked_add(align)?;
    let start = map(outer)?;
    let aligned = round_up(start, align);
    if aligned > start {
        unmap(start, aligned - start);
    }
    let end = start + outer;
    if end > aligned + bytes {
        unmap(aligned + bytes, end - aligned - bytes);
    }
    Some(aligned)
}

/// Gives `bytes` at `address` back to the system. On false the range is still mapped.
pub fn unmap(address: usize, bytes: usize) -> bool {
    !fake::fails(Call::Unmap, bytes) && linux::unmap(address, bytes)
}

/// Resizes a mapping, which may move. On None the old mapping stands.
pub fn remap(address: usize, old_bytes: usize, new_bytes: usize, may_move: bool) -> Option<usize> {
    if fake::fails(Call::Remap, new_bytes) {
        None
    } else {
        linux::remap(address, old_bytes, new_bytes, may_move)
    }
}

/// Drops the contents of pages and keeps the range mapped; it reads as zeros afterwards. False: nothing was promised.
pub fn purge(address: usize, bytes: usize) -> bool {
    !fake::fails(Call::Purge, bytes) && linux::purge(address, bytes)
}
