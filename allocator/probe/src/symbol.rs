//! Symbols by name, and the file that an address belongs to.

use std::ffi::{CStr, c_void};
use std::mem::MaybeUninit;

/// The function called `name`, as the program itself would resolve it.
pub fn find(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: a NUL-terminated name; RTLD_DEFAULT needs no handle.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!address.is_null()).then_some(address)
}

/// Path of the object that holds `address`.
pub fn file_of(address: *mut c_void) -> Option<String> {
    let mut info = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: `info` can be written to; dladdr accepts any address.
    let found = unsafe { libc::dladdr(address, info.as_mut_ptr()) };
    if found == 0 {
        return None;
    }
    // SAFETY: dladdr has filled it, and all-zero is a value of it in any case.
    let info = unsafe { info.assume_init() };
    if info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: dladdr gives a NUL-terminated string that lives as long as the object is loaded.
    Some(unsafe { CStr::from_ptr(info.dli_fname) }.to_string_lossy().into_owned())
}

/// File that `malloc` is in.
pub fn malloc_file() -> String {
    find(c"malloc").and_then(file_of).unwrap_or_default()
}

/// The function called `name` if it stands in the same file as `malloc`: another allocator's report is no report.
pub fn beside_malloc(name: &CStr) -> Option<*mut c_void> {
    let address = find(name)?;
    (file_of(address)? == malloc_file()).then_some(address)
}
