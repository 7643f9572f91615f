//! What every adapter does the same way: the choice of entry point, and resizing by moving.

use crate::engine::{Engine, MALLOC_ALIGN};
use core::ptr;

/// Whether `malloc` serves this request in an engine whose blocks below [`MALLOC_ALIGN`] bytes are aligned to 8
/// only. One comparison, so one branch: sizes below 16 stand for an alignment of 9 to 15, which lets 8 through and
/// keeps 16 out.
#[inline(always)]
pub const fn fits_malloc(size: usize, align: usize) -> bool {
    let guaranteed = if size < MALLOC_ALIGN { size | 8 } else { MALLOC_ALIGN };
    align <= guaranteed
}

/// Resizes by allocating, copying and freeing, for an engine with no aligned resize of its own.
///
/// # Safety
/// As [`Engine::realloc`].
#[cold]
pub unsafe fn realloc_by_move<E: Engine>(
    engine: &E,
    old: *mut u8,
    old_size: usize,
    align: usize,
    new_size: usize,
) -> *mut u8 {
    // SAFETY: the caller vouches for the new size under `realloc`'s contract.
    let new = unsafe { engine.alloc(new_size, align) };
    if new.is_null() {
        return new;
    }
    // SAFETY: both blocks are live, at least this long, and distinct because live blocks do not overlap.
    unsafe { ptr::copy_nonoverlapping(old, new, old_size.min(new_size)) };
    // SAFETY: `old` is live with this size and alignment; nothing refers to it past this call.
    unsafe { engine.dealloc(old, old_size, align) };
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_sizes_promise_eight_bytes_and_no_more() {
        for size in 1..16 {
            assert!(fits_malloc(size, 1) && fits_malloc(size, 8) && !fits_malloc(size, 16), "size {size}");
        }
    }

    #[test]
    fn sixteen_bytes_and_up_promise_sixteen() {
        for size in [16, 17, 24, 4096, usize::MAX / 2] {
            assert!(fits_malloc(size, 16) && !fits_malloc(size, 32), "size {size}");
        }
    }
}
