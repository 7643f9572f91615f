//! `mimalloc` (v3) and `mimalloc2` (v2): one set of C names, so one of them a binary.
//!
//! Requests that `mi_malloc` serves go there, the rest to `mi_malloc_aligned`; `mi_free` takes every block.
//! **Proof.** `mi_is_in_heap_region`: v3 looks the address up in its page map, v2 in its segment map; both take any
//! address. That the code is of the generation that the name promises is checked against `mi_version()` at run time.

use crate::block::fits_malloc;
use crate::engine::{Engine, Stats};
use libmimalloc_sys as mi;

#[cfg(all(feature = "mimalloc", feature = "mimalloc2"))]
compile_error!("mimalloc and mimalloc2 define the same symbols: build them into two binaries");

/// The instance.
pub static MIMALLOC: Mimalloc = Mimalloc;

/// mimalloc of the generation that the feature chose.
pub struct Mimalloc;

const NAME: &str = if cfg!(feature = "mimalloc2") { "mimalloc2" } else { "mimalloc" };
const GENERATION: u32 = if cfg!(feature = "mimalloc2") { 2 } else { 3 };

/// Major, minor and patch number of the linked code.
fn version_numbers() -> (u32, u32, u32) {
    // SAFETY: no preconditions.
    let version = unsafe { mi::mi_version() }.cast_unsigned();
    // Two decimal digits each for minor and patch.
    (version / 10_000, version / 100 % 100, version % 100)
}

/// Bytes that mimalloc holds committed.
fn committed_bytes() -> usize {
    let mut unread = 0usize;
    let mut committed = 0usize;
    let other = &raw mut unread;
    // SAFETY: all eight are writable; the seven that are not read may share a place, as each is written once.
    unsafe { mi::mi_process_info(other, other, other, other, other, &raw mut committed, other, other) };
    committed
}

// SAFETY: mimalloc is thread-safe, gives disjoint blocks, aligned as `fits_malloc` assumes or as asked.
unsafe impl Engine for Mimalloc {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> String {
        let (major, minor, patch) = version_numbers();
        assert_eq!(major, GENERATION, "{NAME} is linked with mimalloc {major}.{minor}.{patch}");
        format!("mimalloc {major}.{minor}.{patch}")
    }

    unsafe fn alloc(&self, size: usize, align: usize) -> *mut u8 {
        if fits_malloc(size, align) {
            // SAFETY: mi_malloc takes any size.
            unsafe { mi::mi_malloc(size) }.cast()
        } else {
            // SAFETY: `align` is a power of two.
            unsafe { mi::mi_malloc_aligned(size, align) }.cast()
        }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, _size: usize, _align: usize) {
        // SAFETY: a live block of mimalloc.
        unsafe { mi::mi_free(ptr.cast()) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, _old_size: usize, align: usize, new_size: usize) -> *mut u8 {
        if fits_malloc(new_size, align) {
            // SAFETY: a live block; `new_size` is not zero.
            unsafe { mi::mi_realloc(ptr.cast(), new_size) }.cast()
        } else {
            // SAFETY: a live block; `align` is a power of two.
            unsafe { mi::mi_realloc_aligned(ptr.cast(), new_size, align) }.cast()
        }
    }

    unsafe fn usable_size(&self, ptr: *mut u8, _size: usize, _align: usize) -> usize {
        // SAFETY: a live block of mimalloc.
        unsafe { mi::mi_usable_size(ptr.cast()) }
    }

    fn served(&self, ptr: *const u8) -> bool {
        // SAFETY: the address is looked up in a map and not followed.
        unsafe { mi::mi_is_in_heap_region(ptr.cast()) }
    }

    fn trim(&self) {
        // SAFETY: no preconditions.
        unsafe { mi::mi_collect(true) }
    }

    fn stats(&self) -> Stats {
        Stats { committed_bytes: Some(committed_bytes() as u64), ..Stats::default() }
    }
}
