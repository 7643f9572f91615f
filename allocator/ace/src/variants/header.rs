//! Ablation `header`: 16 bytes before each block say its class; a free reads those and not the class map.
//!
//! The front's magazines and everything below are the shipped ones. Costs 16 bytes a block, and a free of a cold block
//! misses the block's own cache line. Any thread.

use crate::front::thread;
use crate::route;
use crate::size_class::GRANULE_BYTES;
use core::alloc::{GlobalAlloc, Layout};
use core::ptr;

/// Before a block's first byte: the class that serves it, and how far back its slab block starts.
#[repr(C, align(16))]
struct Header {
    class: usize,
    offset: usize,
}

const _: () = assert!(size_of::<Header>() == GRANULE_BYTES);

/// `bytes` at a multiple of `align`, or null.
#[inline(always)]
pub fn alloc(bytes: usize, align: usize) -> *mut u8 {
    let offset = align.max(GRANULE_BYTES);
    let Some(total) = bytes.checked_add(offset) else { return ptr::null_mut() };
    let block = route::alloc(total, offset);
    if block.is_null() {
        return block;
    }
    let p = block.wrapping_add(offset);
    let header = Header { class: route::class_for(total, offset), offset };
    // SAFETY: `offset` ≥ 16 bytes of the new block lie before `p`, which is aligned to at least 16.
    unsafe { p.cast::<Header>().sub(1).write(header) };
    p
}

/// Frees what [`alloc`] returned.
///
/// # Safety
/// `p` is a live block of this variant, not used afterwards.
#[inline(always)]
pub unsafe fn free(p: *mut u8) {
    // SAFETY: a live block has its header before it.
    let header = unsafe { p.cast::<Header>().sub(1).read() };
    let block = p as usize - header.offset;
    if !thread().push(header.class, block) {
        route::free_slow(block, header.class);
    }
}

/// Bytes the block can hold.
///
/// # Safety
/// `p` is a live block of this variant.
pub unsafe fn usable_size(p: *mut u8) -> usize {
    // SAFETY: a live block has its header before it.
    let header = unsafe { p.cast::<Header>().sub(1).read() };
    // SAFETY: the slab block that carries header and block is live.
    unsafe { route::usable_size(p.wrapping_sub(header.offset)) - header.offset }
}

/// The variant as a `#[global_allocator]`.
pub struct HeaderAlloc;

// SAFETY: as for `AceAlloc`; the header is outside the bytes given out.
unsafe impl GlobalAlloc for HeaderAlloc {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        alloc(layout.size(), layout.align())
    }

    #[inline]
    unsafe fn dealloc(&self, p: *mut u8, _: Layout) {
        // SAFETY: GlobalAlloc's contract is `free`'s.
        unsafe { free(p) }
    }
}
