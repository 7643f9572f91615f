//! The next allocator in line, for pointers that are not ours.
//!
//! Such pointers exist: blocks that a library got before this one was loaded, or from an allocator that it reached by
//! another name. Resolved at the first one, with `dlsym(RTLD_NEXT)`.

use core::mem::transmute;
use core::sync::atomic::{AtomicPtr, Ordering};

use ace::route::{Foreign, set_foreign};

static NEXT: Foreign = Foreign { free: free_foreign, usable_size: usable_foreign };

/// Registered before main; pointers that are not ours before that are fatal, as they would be without this module.
#[used]
#[unsafe(link_section = ".init_array")]
static REGISTER: extern "C" fn() = register;

extern "C" fn register() {
    set_foreign(&NEXT);
}

type FreeFn = unsafe extern "C" fn(*mut u8);
type UsableFn = unsafe extern "C" fn(*mut u8) -> usize;

// Relaxed: both are addresses of functions; every thread that resolves one finds the same.
static FREE: AtomicPtr<libc::c_void> = AtomicPtr::new(core::ptr::null_mut());
static USABLE: AtomicPtr<libc::c_void> = AtomicPtr::new(core::ptr::null_mut());

fn resolve(slot: &AtomicPtr<libc::c_void>, name: &core::ffi::CStr) -> *mut libc::c_void {
    let mut found = slot.load(Ordering::Relaxed);
    if found.is_null() {
        // SAFETY: a NUL-terminated name; the look-up may allocate, which this library serves.
        found = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
        slot.store(found, Ordering::Relaxed);
    }
    found
}

unsafe extern "C" fn free_foreign(p: *mut u8) {
    let f = resolve(&FREE, c"free");
    if f.is_null() {
        return;
    }
    // SAFETY: the symbol `free` has this type.
    let f = unsafe { transmute::<*mut libc::c_void, FreeFn>(f) };
    // SAFETY: not ours, so it is the next allocator's, by the caller's word.
    unsafe { f(p) }
}

unsafe extern "C" fn usable_foreign(p: *mut u8) -> usize {
    let f = resolve(&USABLE, c"malloc_usable_size");
    if f.is_null() {
        return 0;
    }
    // SAFETY: the symbol `malloc_usable_size` has this type.
    let f = unsafe { transmute::<*mut libc::c_void, UsableFn>(f) };
    // SAFETY: as in `free_foreign`.
    unsafe { f(p) }
}
