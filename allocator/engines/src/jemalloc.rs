//! `jemalloc`: 5.3, statically linked under a prefix, so that `malloc` stays the process's own.
//!
//! Requests that `malloc` serves go to `malloc` and `sdallocx` without flags, the rest to `mallocx` with an alignment. A sized free
//! must name the alignment that the block was asked for with, so both sides make the same test.
//! **Proof.** `arenas.lookup`: jemalloc's radix tree of its extents says which arena holds an address, or that none does.

use crate::block::fits_malloc;
use crate::engine::{Engine, Stats};
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::ptr;
use tikv_jemalloc_sys as je;

/// The instance.
pub static JEMALLOC: Jemalloc = Jemalloc;

/// jemalloc 5.
pub struct Jemalloc;

/// Stands for all arenas in `arena.<i>.purge`.
const PURGE_ALL_ARENAS: &CStr = c"arena.4096.purge";

/// Reads the control called `name` over `value`.
///
/// # Safety
/// The control's value has the type `T`.
unsafe fn read_control<T>(name: &CStr, mut value: T) -> Option<T> {
    let mut len = size_of::<T>();
    // SAFETY: `value` and `len` are writable and agree; nothing is written to the control.
    let error = unsafe {
        je::mallctl(name.as_ptr(), (&raw mut value).cast::<c_void>(), &raw mut len, ptr::null_mut(), 0)
    };
    (error == 0 && len == size_of::<T>()).then_some(value)
}

/// Triggers the control called `name`, one that takes and gives no value.
fn trigger_control(name: &CStr) -> bool {
    // SAFETY: the name is NUL-terminated and no value is passed either way.
    let error = unsafe { je::mallctl(name.as_ptr(), ptr::null_mut(), ptr::null_mut(), ptr::null_mut(), 0) };
    error == 0
}

/// Makes the figures that `stats.*` read current.
fn advance_epoch() -> bool {
    let mut epoch = 1u64;
    let len = size_of::<u64>();
    // SAFETY: `epoch` is a control of type u64 that is written only.
    let error = unsafe {
        je::mallctl(
            c"epoch".as_ptr(),
            ptr::null_mut(),
            ptr::null_mut(),
            (&raw mut epoch).cast::<c_void>(),
            len,
        )
    };
    error == 0
}

fn stat_bytes(name: &CStr) -> Option<u64> {
    // SAFETY: every `stats.*` control read here is a size_t.
    unsafe { read_control(name, 0usize) }.map(|bytes| bytes as u64)
}

/// The arena that holds `ptr`, by jemalloc's own map of its extents.
fn arena_of(ptr: *const u8) -> Option<c_uint> {
    let mut arena: c_uint = 0;
    let mut arena_len = size_of::<c_uint>();
    let mut address: *const u8 = ptr;
    // SAFETY: `arenas.lookup` takes a pointer's value, which it looks up and does not follow, and gives an unsigned.
    let error = unsafe {
        je::mallctl(
            c"arenas.lookup".as_ptr(),
            (&raw mut arena).cast(),
            &raw mut arena_len,
            (&raw mut address).cast(),
            size_of::<*const u8>(),
        )
    };
    (error == 0).then_some(arena)
}

/// `mallocx`'s flag for an alignment.
#[inline(always)]
fn alignment_flag(align: usize) -> c_int {
    align.trailing_zeros().cast_signed()
}

// SAFETY: jemalloc is thread-safe, gives disjoint blocks, aligned as `fits_malloc` assumes or as the flag says.
unsafe impl Engine for Jemalloc {
    fn name(&self) -> &'static str {
        "jemalloc"
    }

    fn version(&self) -> String {
        // SAFETY: `version` is a control of type `const char *`.
        let text = unsafe { read_control(c"version", ptr::null::<c_char>()) };
        let text = text.expect("jemalloc knows its version");
        // SAFETY: jemalloc gives a NUL-terminated string of static lifetime.
        let text = unsafe { CStr::from_ptr(text) };
        format!("jemalloc {}", text.to_string_lossy())
    }

    unsafe fn alloc(&self, size: usize, align: usize) -> *mut u8 {
        if fits_malloc(size, align) {
            // SAFETY: malloc takes any size.
            unsafe { je::malloc(size) }.cast()
        } else {
            // SAFETY: `size` is not zero and the flag names a power of two.
            unsafe { je::mallocx(size, alignment_flag(align)) }.cast()
        }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, size: usize, align: usize) {
        let flags = if fits_malloc(size, align) { 0 } else { alignment_flag(align) };
        // SAFETY: a live block that `alloc` asked for with this size and these flags.
        unsafe { je::sdallocx(ptr.cast(), size, flags) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, _old_size: usize, align: usize, new_size: usize) -> *mut u8 {
        if fits_malloc(new_size, align) {
            // SAFETY: a live block; `new_size` is not zero.
            unsafe { je::realloc(ptr.cast(), new_size) }.cast()
        } else {
            // SAFETY: a live block; `new_size` is not zero and the flag names a power of two.
            unsafe { je::rallocx(ptr.cast(), new_size, alignment_flag(align)) }.cast()
        }
    }

    unsafe fn usable_size(&self, ptr: *mut u8, _size: usize, _align: usize) -> usize {
        // SAFETY: a live block of jemalloc.
        unsafe { je::malloc_usable_size(ptr.cast()) }
    }

    fn served(&self, ptr: *const u8) -> bool {
        arena_of(ptr).is_some()
    }

    fn trim(&self) {
        trigger_control(c"thread.tcache.flush");
        trigger_control(PURGE_ALL_ARENAS);
    }

    fn stats(&self) -> Stats {
        if !advance_epoch() {
            return Stats::default();
        }
        let reserved_bytes = stat_bytes(c"stats.mapped").zip(stat_bytes(c"stats.retained"));
        Stats {
            allocated_bytes: stat_bytes(c"stats.allocated"),
            committed_bytes: stat_bytes(c"stats.resident"),
            reserved_bytes: reserved_bytes.map(|(mapped, retained)| mapped + retained),
            ..Stats::default()
        }
    }
}
