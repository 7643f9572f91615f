//! `tcmalloc`: Google's, compiled by `libtcmalloc-sys` with internal names only, so that it defines no `malloc`.
//!
//! The crate declares the C++ entry points alone; the C-shaped ones are in the same object and are declared here. Requests that
//! `malloc` serves go to it and to the sized free, the rest to `aligned_alloc` and its sized free. No thread runs tcmalloc's background
//! actions, as in a program that does not ask for them, so free memory goes back on `trim` only.
//! **Proof.** `MallocExtension::GetOwnership`: tcmalloc's page map has a span for the address or has none.
//! tcmalloc has no releases and reports no version: the crate's number is given, which a test holds to `Cargo.lock`,
//! with the cache mode that is active at run time.

use crate::block::{fits_malloc, realloc_by_move};
use crate::engine::{Engine, Stats};
// Links the library that the entry points below are in.
use libtcmalloc_sys as _;
use std::ffi::{c_char, c_int, c_void};

/// The instance.
pub static TCMALLOC: Tcmalloc = Tcmalloc;

/// Google's tcmalloc.
pub struct Tcmalloc;

/// `MallocExtension::Ownership::kOwned`.
const OWNED: c_int = 1;
/// Addresses from here on are the kernel's, and outside the page map.
const USER_SPACE_END: usize = 1 << 47;

unsafe extern "C" {
    fn TCMallocInternalMalloc(size: usize) -> *mut c_void;
    fn TCMallocInternalAlignedAlloc(align: usize, size: usize) -> *mut c_void;
    fn TCMallocInternalRealloc(ptr: *mut c_void, size: usize) -> *mut c_void;
    fn TCMallocInternalFreeSized(ptr: *mut c_void, size: usize);
    fn TCMallocInternalFreeAlignedSized(ptr: *mut c_void, align: usize, size: usize);
    fn TCMallocInternalMallocSize(ptr: *mut c_void) -> usize;
    fn MallocExtension_Internal_GetOwnership(ptr: *const c_void) -> c_int;
    fn MallocExtension_Internal_GetPerCpuCachesActive() -> bool;
    fn MallocExtension_Internal_ReleaseMemoryToSystem(bytes: usize) -> usize;
    fn MallocExtension_Internal_GetNumericProperty(
        name: *const c_char,
        len: usize,
        value: *mut usize,
    ) -> bool;
}

fn property_bytes(name: &str) -> Option<u64> {
    let mut value = 0usize;
    // SAFETY: the name is `len` bytes long and `value` is writable.
    let known = unsafe {
        MallocExtension_Internal_GetNumericProperty(name.as_ptr().cast(), name.len(), &raw mut value)
    };
    known.then_some(value as u64)
}

// SAFETY: tcmalloc is thread-safe, gives disjoint blocks, aligned as `fits_malloc` assumes or as asked.
unsafe impl Engine for Tcmalloc {
    fn name(&self) -> &'static str {
        "tcmalloc"
    }

    fn version(&self) -> String {
        // SAFETY: no preconditions.
        let per_cpu = unsafe { MallocExtension_Internal_GetPerCpuCachesActive() };
        let caches = if per_cpu { "per-CPU" } else { "per-thread" };
        format!("tcmalloc of libtcmalloc-sys 0.1.14 ({caches} caches)")
    }

    unsafe fn alloc(&self, size: usize, align: usize) -> *mut u8 {
        if fits_malloc(size, align) {
            // SAFETY: malloc takes any size.
            unsafe { TCMallocInternalMalloc(size) }.cast()
        } else {
            // SAFETY: `align` is a power of two.
            unsafe { TCMallocInternalAlignedAlloc(align, size) }.cast()
        }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, size: usize, align: usize) {
        if fits_malloc(size, align) {
            // SAFETY: a live block that `alloc` asked malloc for with this size.
            unsafe { TCMallocInternalFreeSized(ptr.cast(), size) }
        } else {
            // SAFETY: a live block that `alloc` asked aligned_alloc for with this size and alignment.
            unsafe { TCMallocInternalFreeAlignedSized(ptr.cast(), align, size) }
        }
    }

    unsafe fn realloc(&self, ptr: *mut u8, old_size: usize, align: usize, new_size: usize) -> *mut u8 {
        if fits_malloc(old_size, align) && fits_malloc(new_size, align) {
            // SAFETY: a live block of malloc; `new_size` is not zero.
            unsafe { TCMallocInternalRealloc(ptr.cast(), new_size) }.cast()
        } else {
            // SAFETY: the caller's own contract.
            unsafe { realloc_by_move(self, ptr, old_size, align, new_size) }
        }
    }

    unsafe fn usable_size(&self, ptr: *mut u8, _size: usize, _align: usize) -> usize {
        // SAFETY: a live block of tcmalloc.
        unsafe { TCMallocInternalMallocSize(ptr.cast()) }
    }

    fn served(&self, ptr: *const u8) -> bool {
        // SAFETY: the address is looked up in the page map, which covers user space, and is not followed.
        ptr.addr() < USER_SPACE_END && unsafe { MallocExtension_Internal_GetOwnership(ptr.cast()) == OWNED }
    }

    fn trim(&self) {
        // SAFETY: any amount may be asked for; what cannot be released stays.
        unsafe { MallocExtension_Internal_ReleaseMemoryToSystem(usize::MAX) };
    }

    fn stats(&self) -> Stats {
        Stats {
            allocated_bytes: property_bytes("generic.current_allocated_bytes"),
            committed_bytes: property_bytes("generic.physical_memory_used"),
            reserved_bytes: property_bytes("generic.virtual_memory_used"),
            ..Stats::default()
        }
    }
}
