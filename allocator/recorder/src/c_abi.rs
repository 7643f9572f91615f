//! The exported functions of C and POSIX: the next allocator's call, and its record.
//!
//! A block is stamped when it is there, and before it is given up; so for any two threads that hand a block on, the
//! stamps are in the order of events.

use core::ffi::{c_int, c_void};
use core::ptr;

use record_layout::{head, kind};

use crate::next::{self, is_early};
use crate::thread::record;

const PAGE_BYTES: usize = 4096;

#[inline(always)]
fn made(kind: u8, align: usize, p: *mut c_void, bytes: usize) -> *mut c_void {
    if p.is_null() {
        record(head(kind::STRAY, 0, 0), bytes as u64);
    } else {
        record(head(kind, align.trailing_zeros() as u8, p as u64), bytes as u64);
    }
    p
}

/// Notes that a block is given up; `false` where it is not the next allocator's.
#[inline(always)]
fn given_up(p: *mut c_void, head_of: u64, bytes: u64) -> bool {
    record(if p.is_null() { head(kind::STRAY, 0, 0) } else { head_of }, bytes);
    !is_early(p)
}

/// C: `malloc`.
#[unsafe(no_mangle)]
pub extern "C" fn malloc(bytes: usize) -> *mut c_void {
    // SAFETY: the next allocator takes any size.
    let p = unsafe { next::malloc()(bytes) };
    made(kind::ALLOC, 1, p, bytes)
}

/// C: `calloc`.
#[unsafe(no_mangle)]
pub extern "C" fn calloc(n: usize, bytes: usize) -> *mut c_void {
    // SAFETY: the next allocator takes any sizes.
    let p = unsafe { next::calloc()(n, bytes) };
    made(kind::CALLOC, 1, p, n.wrapping_mul(bytes))
}

/// C: `free`.
///
/// # Safety
/// As C asks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free(p: *mut c_void) {
    if given_up(p, head(kind::FREE, 0, p as u64), 0) {
        // SAFETY: the caller's contract is the next allocator's.
        unsafe { next::free()(p) }
    }
}

unsafe fn free_sized_as(p: *mut c_void, bytes: usize) {
    if given_up(p, head(kind::FREE_SIZED, 0, p as u64), bytes as u64) {
        // SAFETY: the caller's contract is the next allocator's.
        unsafe { next::free()(p) }
    }
}

/// C23: `free` with the size that was asked for.
///
/// # Safety
/// As C asks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free_sized(p: *mut c_void, bytes: usize) {
    // SAFETY: the caller's contract.
    unsafe { free_sized_as(p, bytes) }
}

/// C23: `free` with alignment and size.
///
/// # Safety
/// As C asks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free_aligned_sized(p: *mut c_void, _align: usize, bytes: usize) {
    // SAFETY: the caller's contract.
    unsafe { free_sized_as(p, bytes) }
}

/// The old name of `free`.
///
/// # Safety
/// As for `free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cfree(p: *mut c_void) {
    // SAFETY: the caller's contract.
    unsafe { free(p) }
}

/// C: `realloc`.
///
/// # Safety
/// As C asks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn realloc(p: *mut c_void, bytes: usize) -> *mut c_void {
    if p.is_null() {
        // SAFETY: the caller's contract is the next allocator's.
        let new = unsafe { next::realloc()(p, bytes) };
        return made(kind::ALLOC, 1, new, bytes);
    }
    if is_early(p) {
        let new = malloc(bytes);
        // SAFETY: a block of the arena.
        let old_bytes = unsafe { next::early_bytes(p) };
        if !new.is_null() {
            // SAFETY: both blocks are this long, and they are not one.
            unsafe { ptr::copy_nonoverlapping(p.cast::<u8>(), new.cast::<u8>(), old_bytes.min(bytes)) };
        }
        return new;
    }
    record(head(kind::RESIZE, 0, p as u64), bytes as u64);
    // SAFETY: the caller's contract is the next allocator's.
    let new = unsafe { next::realloc()(p, bytes) };
    record(head(kind::RESIZED, 0, new as u64), bytes as u64);
    new
}

/// glibc, BSD: `realloc` of `n` objects, with a check for overflow.
///
/// # Safety
/// As for `realloc`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn reallocarray(p: *mut c_void, n: usize, bytes: usize) -> *mut c_void {
    match n.checked_mul(bytes) {
        // SAFETY: the caller's contract.
        Some(total) => unsafe { realloc(p, total) },
        None => {
            // SAFETY: the thread's errno location is always valid.
            unsafe { *libc::__errno_location() = libc::ENOMEM };
            ptr::null_mut()
        }
    }
}

/// glibc: `memalign`.
#[unsafe(no_mangle)]
pub extern "C" fn memalign(align: usize, bytes: usize) -> *mut c_void {
    // SAFETY: the next allocator takes any alignment and size.
    let p = unsafe { next::memalign()(align, bytes) };
    made(kind::ALLOC, align.max(1).checked_next_power_of_two().unwrap_or(1), p, bytes)
}

/// C11: `aligned_alloc`.
#[unsafe(no_mangle)]
pub extern "C" fn aligned_alloc(align: usize, bytes: usize) -> *mut c_void {
    // SAFETY: the next allocator takes any alignment and size.
    let p = unsafe { next::aligned_alloc()(align, bytes) };
    made(kind::ALLOC, align.max(1).checked_next_power_of_two().unwrap_or(1), p, bytes)
}

/// POSIX: `posix_memalign`.
///
/// # Safety
/// `out` can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn posix_memalign(out: *mut *mut c_void, align: usize, bytes: usize) -> c_int {
    // SAFETY: the caller's contract is the next allocator's.
    let error = unsafe { next::posix_memalign()(out, align, bytes) };
    if error != 0 {
        record(head(kind::STRAY, 0, 0), bytes as u64);
        return error;
    }
    // SAFETY: it succeeded, so the block's address is there.
    let p = unsafe { out.read() };
    made(kind::ALLOC, align, p, bytes);
    error
}

/// BSD: a page-aligned block.
#[unsafe(no_mangle)]
pub extern "C" fn valloc(bytes: usize) -> *mut c_void {
    memalign(PAGE_BYTES, bytes)
}

/// glibc: whole pages.
#[unsafe(no_mangle)]
pub extern "C" fn pvalloc(bytes: usize) -> *mut c_void {
    match bytes.max(1).checked_next_multiple_of(PAGE_BYTES) {
        Some(bytes) => memalign(PAGE_BYTES, bytes),
        None => {
            // SAFETY: the thread's errno location is always valid.
            unsafe { *libc::__errno_location() = libc::ENOMEM };
            ptr::null_mut()
        }
    }
}
