//! `rpmalloc`: 1.4, built as its crate's users get it, with thread set-up by its own `pthread_create`.
//!
//! That symbol displaces the C library's for the whole binary, so the engine has a cell binary of its own. Every block is aligned to
//! 16 at least; alignments above go to `rpaligned_alloc`; `rpfree` takes both.
//! **Proof.** rpmalloc has no ownership query. Each block lies in a 64 KiB-aligned span whose header says what the span holds, and the engine
//! reads that header (by system call, so any address may be asked about) and demands that its fields agree with each other: a count
//! of blocks that is exactly what fits, a block boundary at the address, an owner that is there. By exclusion besides: the memory is anonymous, no
//! stack, and not glibc's. Wrong can only be memory that was written to look like a span.
//! The library reports no version: the number is that of its change log, and a test holds the crate to `Cargo.lock`.

use crate::engine::{Engine, MALLOC_ALIGN};
use crate::glibc_heap;
use crate::process::{is_anonymous_heap, read_words};
use rpmalloc_sys as rp;

/// The instance.
pub static RPMALLOC: Rpmalloc = Rpmalloc;

/// rpmalloc 1.4.
pub struct Rpmalloc;

const SPAN_BYTES: usize = 64 << 10;
const PAGE_BYTES: usize = 4 << 10;
const SPAN_HEADER_BYTES: usize = 128;
/// Classes of small and medium blocks; the number after the last stands for runs of spans.
const CLASSES: u32 = 126;
const LARGE: u32 = CLASSES;
const HUGE: u32 = u32::MAX;
const LARGE_SPANS_MAX: u32 = 63;
/// Set in a span where blocks were handed out off their boundaries, for alignment.
const ALIGNED_BLOCKS: u32 = 4;

/// The header of the span around an address, true or not.
struct SpanHeader {
    start: usize,
    block_count: u32,
    class: u32,
    used_count: u32,
    block_bytes: u32,
    flags: u32,
    span_count: u32,
    heap: usize,
}

impl SpanHeader {
    fn around(address: usize) -> Option<Self> {
        let start = address & !(SPAN_BYTES - 1);
        let words = read_words::<9>(start)?;
        let low = |word: usize| (words[word] & 0xffff_ffff) as u32;
        let high = |word: usize| (words[word] >> 32) as u32;
        Some(Self {
            start,
            block_count: low(1),
            class: high(1),
            used_count: high(2),
            block_bytes: high(4),
            flags: low(5),
            span_count: high(5),
            heap: words[8],
        })
    }

    fn holds(&self, block: usize) -> bool {
        let Some(offset) = block.checked_sub(self.start + SPAN_HEADER_BYTES) else { return false };
        let is_aligned_off = self.flags & ALIGNED_BLOCKS != 0;
        // Alignments above a page are mapped each on its own, and leave no flag.
        let is_aligned_beyond_pages = block.is_multiple_of(2 * PAGE_BYTES);
        let shape_agrees = match self.class {
            0..CLASSES => self.holds_small(offset, is_aligned_off),
            LARGE => (1..=LARGE_SPANS_MAX).contains(&self.span_count) && (offset == 0 || is_aligned_off),
            HUGE => self.span_count > 0 && (offset == 0 || is_aligned_off || is_aligned_beyond_pages),
            _ => false,
        };
        shape_agrees && self.heap != 0 && read_words::<1>(self.heap).is_some()
    }

    fn holds_small(&self, offset: usize, is_aligned_off: bool) -> bool {
        let block_bytes = self.block_bytes as usize;
        block_bytes > 0
            && block_bytes.is_multiple_of(MALLOC_ALIGN)
            && self.block_count as usize == (SPAN_BYTES - SPAN_HEADER_BYTES) / block_bytes
            && self.used_count <= self.block_count
            && (offset.is_multiple_of(block_bytes) || is_aligned_off)
    }
}

// SAFETY: rpmalloc is thread-safe where its pthread_create set the threads up, gives disjoint blocks, aligned to 16 or as asked.
unsafe impl Engine for Rpmalloc {
    fn name(&self) -> &'static str {
        "rpmalloc"
    }

    fn version(&self) -> String {
        String::from("rpmalloc 1.4.3 of rpmalloc-sys 0.2.3")
    }

    unsafe fn alloc(&self, size: usize, align: usize) -> *mut u8 {
        if align <= MALLOC_ALIGN {
            // SAFETY: rpmalloc takes any size.
            unsafe { rp::rpmalloc(size) }.cast()
        } else {
            // SAFETY: `align` is a power of two.
            unsafe { rp::rpaligned_alloc(align, size) }.cast()
        }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, _size: usize, _align: usize) {
        // SAFETY: a live block of rpmalloc.
        unsafe { rp::rpfree(ptr.cast()) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, old_size: usize, align: usize, new_size: usize) -> *mut u8 {
        if align <= MALLOC_ALIGN {
            // SAFETY: a live block; `new_size` is not zero.
            unsafe { rp::rprealloc(ptr.cast(), new_size) }.cast()
        } else {
            // SAFETY: a live block of at least `old_size` bytes; `align` is a power of two; no flags.
            unsafe { rp::rpaligned_realloc(ptr.cast(), align, new_size, old_size, 0) }.cast()
        }
    }

    unsafe fn usable_size(&self, ptr: *mut u8, _size: usize, _align: usize) -> usize {
        // SAFETY: a live block of rpmalloc.
        unsafe { rp::rpmalloc_usable_size(ptr.cast()) }
    }

    fn served(&self, ptr: *const u8) -> bool {
        let is_in_span = SpanHeader::around(ptr.addr()).is_some_and(|span| span.holds(ptr.addr()));
        is_in_span && is_anonymous_heap(ptr.addr()) && !glibc_heap::owns(ptr)
    }
}
