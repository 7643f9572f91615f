//! The exported functions.
//!
//! Called by any C program, on any thread, from before `main` to after the last destructor. A block is 16-aligned;
//! size 0 gives a block that can be freed.

use ace::pal::{errno, set_errno};
use ace::route;
use core::ffi::{c_int, c_void};
use core::ptr;

const PAGE_BYTES: usize = ace::units::PAGE_BYTES;

/// C: `malloc`.
#[unsafe(no_mangle)]
pub extern "C" fn malloc(bytes: usize) -> *mut c_void {
    route::malloc(bytes).cast()
}

/// C: `free`.
///
/// # Safety
/// As C asks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free(p: *mut c_void) {
    // SAFETY: the caller's contract is `free`'s.
    unsafe { route::free(p.cast()) }
}

/// C: `calloc`.
#[unsafe(no_mangle)]
pub extern "C" fn calloc(n: usize, bytes: usize) -> *mut c_void {
    ace::calloc(n, bytes).cast()
}

/// C: `realloc`. Size 0 frees and returns null, as glibc does.
///
/// # Safety
/// As C asks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn realloc(p: *mut c_void, bytes: usize) -> *mut c_void {
    if p.is_null() {
        return malloc(bytes);
    }
    if bytes == 0 {
        // SAFETY: the caller gives the block up.
        unsafe { free(p) };
        return ptr::null_mut();
    }
    // SAFETY: the caller's contract is `realloc`'s.
    unsafe { route::realloc(p.cast(), bytes).cast() }
}

/// glibc, BSD: `realloc` of `n` objects, with a check for overflow.
///
/// # Safety
/// As for `realloc`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn reallocarray(p: *mut c_void, n: usize, bytes: usize) -> *mut c_void {
    match n.checked_mul(bytes) {
        // SAFETY: the caller's contract is `realloc`'s.
        Some(total) => unsafe { realloc(p, total) },
        None => {
            set_errno(libc::ENOMEM);
            ptr::null_mut()
        }
    }
}

/// C11: `aligned_alloc`. As glibc, takes any power of two and any size.
#[unsafe(no_mangle)]
pub extern "C" fn aligned_alloc(align: usize, bytes: usize) -> *mut c_void {
    if !align.is_power_of_two() {
        set_errno(libc::EINVAL);
        return ptr::null_mut();
    }
    route::alloc(bytes, align).cast()
}

/// glibc: `memalign`. An alignment that is not a power of two is rounded up to one.
#[unsafe(no_mangle)]
pub extern "C" fn memalign(align: usize, bytes: usize) -> *mut c_void {
    match align.max(1).checked_next_power_of_two() {
        Some(align) => route::alloc(bytes, align).cast(),
        None => {
            set_errno(libc::EINVAL);
            ptr::null_mut()
        }
    }
}

/// POSIX: `posix_memalign`. Leaves errno alone and `*out` untouched on failure.
///
/// # Safety
/// `out` can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn posix_memalign(out: *mut *mut c_void, align: usize, bytes: usize) -> c_int {
    if !align.is_power_of_two() || !align.is_multiple_of(size_of::<*mut c_void>()) {
        return libc::EINVAL;
    }
    let before = errno();
    let block = route::alloc(bytes, align);
    if block.is_null() {
        set_errno(before);
        return libc::ENOMEM;
    }
    // SAFETY: the caller says that `out` can be written to.
    unsafe { out.write(block.cast()) };
    0
}

/// BSD: a page-aligned block.
#[unsafe(no_mangle)]
pub extern "C" fn valloc(bytes: usize) -> *mut c_void {
    route::alloc(bytes, PAGE_BYTES).cast()
}

/// glibc: whole pages.
#[unsafe(no_mangle)]
pub extern "C" fn pvalloc(bytes: usize) -> *mut c_void {
    match bytes.checked_next_multiple_of(PAGE_BYTES) {
        Some(bytes) => valloc(bytes.max(PAGE_BYTES)),
        None => {
            set_errno(libc::ENOMEM);
            ptr::null_mut()
        }
    }
}

/// glibc: bytes that the block can hold.
///
/// # Safety
/// `p` is null or a live block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn malloc_usable_size(p: *mut c_void) -> usize {
    // SAFETY: the caller's contract is `usable_size`'s.
    unsafe { route::usable_size(p.cast()) }
}

/// The old name of `free`.
///
/// # Safety
/// As for `free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cfree(p: *mut c_void) {
    // SAFETY: the caller's contract is `free`'s.
    unsafe { free(p) }
}

/// C23: `free` with the size that was asked for.
///
/// # Safety
/// As for `free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free_sized(p: *mut c_void, _bytes: usize) {
    // SAFETY: the caller's contract is `free`'s.
    unsafe { free(p) }
}

/// C23: `free` with alignment and size.
///
/// # Safety
/// As for `free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free_aligned_sized(p: *mut c_void, _align: usize, _bytes: usize) {
    // SAFETY: the caller's contract is `free`'s.
    unsafe { free(p) }
}

/// Exports a function under the name by which glibc's own parts, and programs that wrap `malloc`, reach it.
macro_rules! alias {
    ($($name:ident($($arg:ident: $type:ty),*) $(-> $result:ty)? = $target:ident;)*) => {$(
        #[doc = concat!("glibc: another name of `", stringify!($target), "`.\n\n# Safety\nAs for that.")]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($arg: $type),*) $(-> $result)? {
            #[allow(unused_unsafe, reason = "some targets are safe functions")]
            // SAFETY: the same contract.
            unsafe { $target($($arg),*) }
        }
    )*};
}

alias! {
    __libc_malloc(bytes: usize) -> *mut c_void = malloc;
    __libc_free(p: *mut c_void) = free;
    __libc_cfree(p: *mut c_void) = free;
    __libc_calloc(n: usize, bytes: usize) -> *mut c_void = calloc;
    __libc_realloc(p: *mut c_void, bytes: usize) -> *mut c_void = realloc;
    __libc_reallocarray(p: *mut c_void, n: usize, bytes: usize) -> *mut c_void = reallocarray;
    __libc_memalign(align: usize, bytes: usize) -> *mut c_void = memalign;
    __libc_valloc(bytes: usize) -> *mut c_void = valloc;
    __libc_pvalloc(bytes: usize) -> *mut c_void = pvalloc;
    __posix_memalign(out: *mut *mut c_void, align: usize, bytes: usize) -> c_int = posix_memalign;
}
