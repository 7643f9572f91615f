//! `snmalloc`: 0.7, compiled by `snmalloc-sys` with its C entry points under the prefix `sn_`.
//!
//! Every block is aligned to 16 at least, so alignments up to 16 go to `sn_malloc`, others to `sn_memalign`; `sn_free` takes both. A sized
//! free exists and ignores the size in this build.
//! **Proof.** snmalloc's page map, through `sn_malloc_usable_size`: an address that snmalloc does not own has the map's empty entry, whose
//! size is 0. The map spans the 47 bits of user space and must have been set up, so one block is made before it is asked.
//! The library reports no version: the crate's number is given, and a test holds it to `Cargo.lock`.

use crate::block::realloc_by_move;
use crate::engine::{Engine, MALLOC_ALIGN, Stats};
use snmalloc_sys as sn;
use std::ffi::c_void;
use std::sync::Once;

/// The instance.
pub static SNMALLOC: Snmalloc = Snmalloc;

/// snmalloc 0.7.
pub struct Snmalloc;

/// Addresses from here on are the kernel's, and outside the page map.
const USER_SPACE_END: usize = 1 << 47;

unsafe extern "C" {
    fn sn_memalign(align: usize, size: usize) -> *mut c_void;
}

fn set_up_page_map() {
    static SET_UP: Once = Once::new();
    SET_UP.call_once(|| {
        // SAFETY: any size may be asked for.
        let block = unsafe { sn::sn_malloc(1) };
        // SAFETY: the block made above, freed once.
        unsafe { sn::sn_free(block) };
    });
}

fn current_usage_bytes() -> usize {
    let (mut current, mut peak) = (0, 0);
    // SAFETY: both places are writable.
    unsafe { sn::sn_rust_statistics(&raw mut current, &raw mut peak) };
    current
}

// SAFETY: snmalloc is thread-safe, gives disjoint blocks, aligned to 16 or as asked.
unsafe impl Engine for Snmalloc {
    fn name(&self) -> &'static str {
        "snmalloc"
    }

    fn version(&self) -> String {
        String::from("snmalloc 0.7.6")
    }

    unsafe fn alloc(&self, size: usize, align: usize) -> *mut u8 {
        if align <= MALLOC_ALIGN {
            // SAFETY: sn_malloc takes any size.
            unsafe { sn::sn_malloc(size) }.cast()
        } else {
            // SAFETY: `align` is a power of two.
            unsafe { sn_memalign(align, size) }.cast()
        }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, _size: usize, _align: usize) {
        // SAFETY: a live block of snmalloc.
        unsafe { sn::sn_free(ptr.cast()) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, old_size: usize, align: usize, new_size: usize) -> *mut u8 {
        if align <= MALLOC_ALIGN {
            // SAFETY: a live block; `new_size` is not zero.
            unsafe { sn::sn_realloc(ptr.cast(), new_size) }.cast()
        } else {
            // SAFETY: the caller's own contract.
            unsafe { realloc_by_move(self, ptr, old_size, align, new_size) }
        }
    }

    unsafe fn usable_size(&self, ptr: *mut u8, _size: usize, _align: usize) -> usize {
        // SAFETY: a live block of snmalloc.
        unsafe { sn::sn_malloc_usable_size(ptr.cast()) }
    }

    fn served(&self, ptr: *const u8) -> bool {
        set_up_page_map();
        // SAFETY: the page map is set up and has an entry for every address below its end; the address is not followed.
        ptr.addr() < USER_SPACE_END && unsafe { sn::sn_malloc_usable_size(ptr.cast()) } > 0
    }

    fn stats(&self) -> Stats {
        Stats { committed_bytes: Some(current_usage_bytes() as u64), ..Stats::default() }
    }
}
