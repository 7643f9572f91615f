//! The exported functions of a preload shim, over the functions of the allocator it stands for.
//!
//! A shim is a library whose only work is the name: `malloc` is the allocator's own `malloc`, and so on. Functions
//! that an allocator does not have under another name are made of those it has, so no call of a program ever
//! reaches another allocator's heap. Errors are reported as the standards ask.
#![no_std]

pub use libc;

/// Exports the C allocation functions. `$m::malloc` and so on are the allocator's, with C's signatures;
/// `$m::memalign(align, bytes)` takes any power of two.
#[macro_export]
macro_rules! export {
    ($m:path) => {
        use core::ffi::{c_int, c_void};
        use $m as own;

        const PAGE_BYTES: usize = 4096;
        const MALLOC_ALIGN: usize = 16;

        fn fail(code: c_int) -> *mut c_void {
            // SAFETY: the thread's errno location is always valid.
            unsafe { *$crate::libc::__errno_location() = code };
            core::ptr::null_mut()
        }

        fn or_enomem(p: *mut c_void) -> *mut c_void {
            if p.is_null() { fail($crate::libc::ENOMEM) } else { p }
        }

        fn aligned(align: usize, bytes: usize) -> *mut c_void {
            // SAFETY: a power of two and any size.
            or_enomem(unsafe { own::memalign(align.max(MALLOC_ALIGN), bytes) })
        }

        /// C: `malloc`.
        #[unsafe(no_mangle)]
        pub extern "C" fn malloc(bytes: usize) -> *mut c_void {
            // SAFETY: takes any size.
            or_enomem(unsafe { own::malloc(bytes) })
        }

        /// C: `calloc`.
        #[unsafe(no_mangle)]
        pub extern "C" fn calloc(n: usize, bytes: usize) -> *mut c_void {
            // SAFETY: takes any sizes.
            or_enomem(unsafe { own::calloc(n, bytes) })
        }

        /// C: `free`.
        ///
        /// # Safety
        /// As C asks.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn free(p: *mut c_void) {
            // SAFETY: the caller's contract.
            unsafe { own::free(p) }
        }

        /// C: `realloc`. Size 0 frees and returns NULL, as glibc does.
        ///
        /// # Safety
        /// As C asks.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn realloc(p: *mut c_void, bytes: usize) -> *mut c_void {
            if !p.is_null() && bytes == 0 {
                // SAFETY: the caller gives the block up.
                unsafe { own::free(p) };
                return core::ptr::null_mut();
            }
            // SAFETY: the caller's contract.
            or_enomem(unsafe { own::realloc(p, bytes) })
        }

        /// glibc, BSD: `realloc` of `n` objects.
        ///
        /// # Safety
        /// As for `realloc`.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn reallocarray(p: *mut c_void, n: usize, bytes: usize) -> *mut c_void {
            match n.checked_mul(bytes) {
                // SAFETY: the caller's contract.
                Some(total) => unsafe { realloc(p, total) },
                None => fail($crate::libc::ENOMEM),
            }
        }

        /// glibc: `memalign`.
        #[unsafe(no_mangle)]
        pub extern "C" fn memalign(align: usize, bytes: usize) -> *mut c_void {
            match align.max(1).checked_next_power_of_two() {
                Some(align) => aligned(align, bytes),
                None => fail($crate::libc::EINVAL),
            }
        }

        /// C11: `aligned_alloc`.
        #[unsafe(no_mangle)]
        pub extern "C" fn aligned_alloc(align: usize, bytes: usize) -> *mut c_void {
            if align.is_power_of_two() { aligned(align, bytes) } else { fail($crate::libc::EINVAL) }
        }

        /// POSIX: `posix_memalign`.
        ///
        /// # Safety
        /// `out` can be written to.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn posix_memalign(out: *mut *mut c_void, align: usize, bytes: usize) -> c_int {
            if !align.is_power_of_two() || align < size_of::<usize>() {
                return $crate::libc::EINVAL;
            }
            // SAFETY: a power of two and any size.
            let p = unsafe { own::memalign(align.max(MALLOC_ALIGN), bytes) };
            if p.is_null() {
                return $crate::libc::ENOMEM;
            }
            // SAFETY: the caller says that `out` can be written to.
            unsafe { out.write(p) };
            0
        }

        /// BSD: a page-aligned block.
        #[unsafe(no_mangle)]
        pub extern "C" fn valloc(bytes: usize) -> *mut c_void {
            aligned(PAGE_BYTES, bytes)
        }

        /// glibc: whole pages.
        #[unsafe(no_mangle)]
        pub extern "C" fn pvalloc(bytes: usize) -> *mut c_void {
            match bytes.max(1).checked_next_multiple_of(PAGE_BYTES) {
                Some(bytes) => aligned(PAGE_BYTES, bytes),
                None => fail($crate::libc::ENOMEM),
            }
        }

        /// glibc: bytes that the block can hold.
        ///
        /// # Safety
        /// `p` is NULL or a live block.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn malloc_usable_size(p: *mut c_void) -> usize {
            // SAFETY: the caller's contract.
            if p.is_null() { 0 } else { unsafe { own::usable_size(p) } }
        }

        /// The old name of `free`.
        ///
        /// # Safety
        /// As for `free`.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn cfree(p: *mut c_void) {
            // SAFETY: the caller's contract.
            unsafe { own::free(p) }
        }
    };
}
