//! C++ `new` and `delete`: a library behind this one may export its own, which would go round the recorder.
//!
//! `new` is `malloc` here, `delete` is `free`, as in every C++ library whose operators were not replaced. Where memory
//! cannot be had, the next library's `new` is asked, which calls the handler and throws. All names are the Itanium
//! ABI's for 64-bit targets.

use core::ffi::{CStr, c_void};
use core::mem::transmute;

use crate::c_abi::{free, free_sized, malloc, memalign};

type NewFn = unsafe extern "C-unwind" fn(usize) -> *mut c_void;
type AlignedNewFn = unsafe extern "C-unwind" fn(usize, usize) -> *mut c_void;

fn look_up(name: &CStr) -> *mut c_void {
    // SAFETY: a NUL-terminated name.
    unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) }
}

#[cold]
fn new_or_throw(bytes: usize) -> *mut c_void {
    let found = look_up(c"_Znwm");
    if found.is_null() {
        return found;
    }
    // SAFETY: the symbol has this type.
    let next = unsafe { transmute::<*mut c_void, NewFn>(found) };
    // SAFETY: it takes any size.
    unsafe { next(bytes) }
}

#[cold]
fn aligned_new_or_throw(bytes: usize, align: usize) -> *mut c_void {
    let found = look_up(c"_ZnwmSt11align_val_t");
    if found.is_null() {
        return found;
    }
    // SAFETY: the symbol has this type.
    let next = unsafe { transmute::<*mut c_void, AlignedNewFn>(found) };
    // SAFETY: the caller's alignment is C++'s to check.
    unsafe { next(bytes, align) }
}

macro_rules! new {
    ($($name:ident, $about:literal;)*) => {$(
        #[doc = $about]
        #[unsafe(no_mangle)]
        pub extern "C-unwind" fn $name(bytes: usize) -> *mut c_void {
            let p = malloc(bytes);
            if p.is_null() { new_or_throw(bytes) } else { p }
        }
    )*};
}

macro_rules! aligned_new {
    ($($name:ident, $about:literal;)*) => {$(
        #[doc = $about]
        #[unsafe(no_mangle)]
        pub extern "C-unwind" fn $name(bytes: usize, align: usize) -> *mut c_void {
            let p = memalign(align, bytes);
            if p.is_null() { aligned_new_or_throw(bytes, align) } else { p }
        }
    )*};
}

macro_rules! delete {
    ($($name:ident($p:ident $(, $more:ident: $type:ty)*) $call:expr, $about:literal;)*) => {$(
        #[doc = $about]
        ///
        /// # Safety
        /// As C++ asks.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($p: *mut c_void $(, $more: $type)*) {
            // SAFETY: a block of `new`, which is a block of `malloc`.
            unsafe { $call }
        }
    )*};
}

new! {
    _Znwm, "`operator new(size_t)`";
    _Znam, "`operator new[](size_t)`";
}

aligned_new! {
    _ZnwmSt11align_val_t, "`operator new(size_t, align_val_t)`";
    _ZnamSt11align_val_t, "`operator new[](size_t, align_val_t)`";
}

/// `operator new(size_t, nothrow_t const&)`
#[unsafe(no_mangle)]
pub extern "C" fn _ZnwmRKSt9nothrow_t(bytes: usize, _: *const c_void) -> *mut c_void {
    malloc(bytes)
}

/// `operator new[](size_t, nothrow_t const&)`
#[unsafe(no_mangle)]
pub extern "C" fn _ZnamRKSt9nothrow_t(bytes: usize, _: *const c_void) -> *mut c_void {
    malloc(bytes)
}

/// `operator new(size_t, align_val_t, nothrow_t const&)`
#[unsafe(no_mangle)]
pub extern "C" fn _ZnwmSt11align_val_tRKSt9nothrow_t(
    bytes: usize,
    align: usize,
    _: *const c_void,
) -> *mut c_void {
    memalign(align, bytes)
}

/// `operator new[](size_t, align_val_t, nothrow_t const&)`
#[unsafe(no_mangle)]
pub extern "C" fn _ZnamSt11align_val_tRKSt9nothrow_t(
    bytes: usize,
    align: usize,
    _: *const c_void,
) -> *mut c_void {
    memalign(align, bytes)
}

delete! {
    _ZdlPv(p) free(p), "`operator delete(void*)`";
    _ZdaPv(p) free(p), "`operator delete[](void*)`";
    _ZdlPvm(p, bytes: usize) free_sized(p, bytes), "`operator delete(void*, size_t)`";
    _ZdaPvm(p, bytes: usize) free_sized(p, bytes), "`operator delete[](void*, size_t)`";
    _ZdlPvSt11align_val_t(p, _align: usize) free(p), "`operator delete(void*, align_val_t)`";
    _ZdaPvSt11align_val_t(p, _align: usize) free(p), "`operator delete[](void*, align_val_t)`";
    _ZdlPvmSt11align_val_t(p, bytes: usize, _align: usize) free_sized(p, bytes),
        "`operator delete(void*, size_t, align_val_t)`";
    _ZdaPvmSt11align_val_t(p, bytes: usize, _align: usize) free_sized(p, bytes),
        "`operator delete[](void*, size_t, align_val_t)`";
    _ZdlPvRKSt9nothrow_t(p, _tag: *const c_void) free(p), "`operator delete(void*, nothrow_t const&)`";
    _ZdaPvRKSt9nothrow_t(p, _tag: *const c_void) free(p), "`operator delete[](void*, nothrow_t const&)`";
}
