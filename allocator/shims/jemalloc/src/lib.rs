//! jemalloc 5.3 as a preload library. Configured by `_RJEM_MALLOC_CONF`, as its crate builds it.

/// jemalloc's functions under C's names.
mod jemalloc {
    use core::ffi::c_void;
    pub use tikv_jemalloc_sys::{calloc, free, malloc, realloc};

    pub unsafe fn memalign(align: usize, bytes: usize) -> *mut c_void {
        // SAFETY: jemalloc's aligned_alloc takes any power of two and size.
        unsafe { tikv_jemalloc_sys::aligned_alloc(align, bytes) }
    }

    pub unsafe fn usable_size(p: *mut c_void) -> usize {
        // SAFETY: a live block.
        unsafe { tikv_jemalloc_sys::malloc_usable_size(p.cast_const()) }
    }
}

shim_abi::export!(jemalloc);
