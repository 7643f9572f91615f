//! mimalloc as a preload library: 3.x, or 2.x with the feature `v2`. Configured by `MIMALLOC_*`.

/// mimalloc's functions under C's names.
mod mimalloc {
    use core::ffi::c_void;
    pub use libmimalloc_sys::{
        mi_calloc as calloc, mi_free as free, mi_malloc as malloc, mi_realloc as realloc,
    };

    pub unsafe fn memalign(align: usize, bytes: usize) -> *mut c_void {
        // SAFETY: takes any power of two and size.
        unsafe { libmimalloc_sys::mi_malloc_aligned(bytes, align) }
    }

    pub unsafe fn usable_size(p: *mut c_void) -> usize {
        // SAFETY: a live block.
        unsafe { libmimalloc_sys::mi_usable_size(p.cast_const()) }
    }
}

shim_abi::export!(mimalloc);
