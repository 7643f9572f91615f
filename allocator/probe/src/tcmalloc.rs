//! tcmalloc: the numeric properties of its extension interface.

use std::ffi::{CStr, c_char, c_int, c_void};

use crate::report::Report;
use crate::symbol;

type Property = unsafe extern "C" fn(*const c_char, *mut usize) -> c_int;

/// Whether `malloc` is tcmalloc's.
pub fn present() -> bool {
    symbol::beside_malloc(c"MallocExtension_GetNumericProperty").is_some()
}

/// Fills in the report.
pub fn fill(report: &mut Report) {
    report.version = version().unwrap_or_default();
    report.allocated_bytes = property(c"generic.current_allocated_bytes");
    report.arena_bytes = property(c"generic.heap_size");
    report.thread_cache_bytes = property(c"tcmalloc.current_total_thread_cache_bytes");
    report.dirty_bytes = property(c"tcmalloc.pageheap_free_bytes");
    let caches = [c"tcmalloc.central_cache_free_bytes", c"tcmalloc.transfer_cache_free_bytes"];
    report.free_bytes = caches.map(property).into_iter().sum();
    if let Some(unmapped) = property(c"tcmalloc.pageheap_unmapped_bytes") {
        report.extra.insert("pageheap_unmapped_bytes".into(), unmapped);
        report.arena_bytes = report.arena_bytes.map(|bytes| bytes.saturating_sub(unmapped));
    }
}

/// Returns free pages to the system.
pub fn release() {
    if let Some(address) = symbol::beside_malloc(c"MallocExtension_ReleaseFreeMemory") {
        // SAFETY: the symbol of this name has this type.
        let release = unsafe { std::mem::transmute::<*mut c_void, extern "C" fn()>(address) };
        release();
    }
}

fn property(name: &CStr) -> Option<u64> {
    let address = symbol::beside_malloc(c"MallocExtension_GetNumericProperty")?;
    // SAFETY: the symbol of this name has this type.
    let get = unsafe { std::mem::transmute::<*mut c_void, Property>(address) };
    let mut value = 0_usize;
    // SAFETY: a NUL-terminated name and a place for the value.
    let found = unsafe { get(name.as_ptr(), &raw mut value) };
    (found != 0).then_some(value as u64)
}

fn version() -> Option<String> {
    let address = symbol::beside_malloc(c"tc_version")?;
    type Version = unsafe extern "C" fn(*mut c_int, *mut c_int, *mut *const c_char) -> *const c_char;
    // SAFETY: the symbol of this name has this type.
    let version = unsafe { std::mem::transmute::<*mut c_void, Version>(address) };
    let (mut major, mut minor, mut patch) = (0, 0, std::ptr::null());
    // SAFETY: three places that can be written to.
    let text = unsafe { version(&raw mut major, &raw mut minor, &raw mut patch) };
    if text.is_null() {
        return None;
    }
    // SAFETY: a NUL-terminated constant of the library.
    Some(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}
