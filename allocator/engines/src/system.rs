//! `system`: glibc's malloc, as the process's `malloc` symbol.
//!
//! Alignments above 16 go to `posix_memalign`; glibc aligns everything to 16 at least, so the test needs the alignment alone.
//! **Proof.** Of the process: the dynamic linker finds `malloc`, `free`, `realloc`, `posix_memalign` and `malloc_usable_size` in the
//! object that exports `gnu_get_libc_version`, so nothing is interposed. Of a block: glibc's own records, see
//! `glibc_heap.rs`.

use crate::block::realloc_by_move;
use crate::engine::{Engine, MALLOC_ALIGN, Stats};
use crate::{glibc_heap, process};
use std::ffi::CStr;
use std::ptr;
use std::sync::OnceLock;

/// The instance.
pub static SYSTEM: System = System;

/// The process's malloc, proven to be glibc's.
pub struct System;

/// `posix_memalign` in the shape of `aligned_alloc`: NULL on failure.
///
/// # Safety
/// `align` is a power of two of at least 8 bytes.
#[inline(always)]
pub unsafe fn aligned_alloc(size: usize, align: usize) -> *mut u8 {
    let mut block = ptr::null_mut();
    // SAFETY: `block` is writable; the caller vouches for the alignment.
    let error = unsafe { libc::posix_memalign(&raw mut block, align, size) };
    if error == 0 { block.cast() } else { ptr::null_mut() }
}

/// Whether glibc serves the whole malloc family of this process.
pub fn process_runs_glibc() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| match (process::malloc_object(), process::glibc_object()) {
        (Some(malloc), Some(glibc)) => malloc.base == glibc.base,
        _ => false,
    })
}

/// glibc's version as it reports it.
pub fn glibc_version() -> String {
    // SAFETY: no preconditions.
    let version = unsafe { libc::gnu_get_libc_version() };
    // SAFETY: glibc gives a NUL-terminated string of static lifetime.
    let version = unsafe { CStr::from_ptr(version) };
    version.to_string_lossy().into_owned()
}

/// glibc's figures. Blocks that have mappings of their own count as allocated and as committed.
pub fn glibc_stats() -> Stats {
    // SAFETY: no preconditions.
    let info = unsafe { libc::mallinfo2() };
    let committed_bytes = info.arena + info.hblkhd;
    Stats {
        allocated_bytes: Some((info.uordblks + info.hblkhd) as u64),
        committed_bytes: Some(committed_bytes as u64),
        ..Stats::default()
    }
}

// SAFETY: glibc's malloc is thread-safe, gives disjoint blocks aligned to 16, and posix_memalign to what is asked.
unsafe impl Engine for System {
    fn name(&self) -> &'static str {
        "system"
    }

    fn version(&self) -> String {
        format!("glibc {}", glibc_version())
    }

    unsafe fn alloc(&self, size: usize, align: usize) -> *mut u8 {
        if align <= MALLOC_ALIGN {
            // SAFETY: malloc takes any size.
            unsafe { libc::malloc(size) }.cast()
        } else {
            // SAFETY: a power of two above 16.
            unsafe { aligned_alloc(size, align) }
        }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, _size: usize, _align: usize) {
        // SAFETY: a live block of malloc or posix_memalign; both are freed alike.
        unsafe { libc::free(ptr.cast()) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, old_size: usize, align: usize, new_size: usize) -> *mut u8 {
        if align <= MALLOC_ALIGN {
            // SAFETY: a live block of malloc; `new_size` is not zero.
            unsafe { libc::realloc(ptr.cast(), new_size) }.cast()
        } else {
            // SAFETY: the caller's own contract.
            unsafe { realloc_by_move(self, ptr, old_size, align, new_size) }
        }
    }

    unsafe fn usable_size(&self, ptr: *mut u8, _size: usize, _align: usize) -> usize {
        // SAFETY: a live block of malloc.
        unsafe { libc::malloc_usable_size(ptr.cast()) }
    }

    fn served(&self, ptr: *const u8) -> bool {
        process_runs_glibc() && glibc_heap::owns(ptr)
    }

    fn trim(&self) {
        // SAFETY: no preconditions.
        unsafe { libc::malloc_trim(0) };
    }

    fn stats(&self) -> Stats {
        glibc_stats()
    }
}
