//! Which allocator it is, and the two questions that all of them are asked.

use std::ffi::CStr;

use crate::report::Report;
use crate::{glibc, jemalloc, mimalloc, symbol, tcmalloc};

/// Figures of the allocator that serves this process.
pub fn report() -> Report {
    let mut report = Report { library: symbol::malloc_file(), ..Report::default() };
    if let Some(control) = jemalloc::control() {
        report.engine = "jemalloc".into();
        control.fill(&mut report);
    } else if mimalloc::present() {
        report.engine = "mimalloc".into();
        mimalloc::fill(&mut report);
    } else if tcmalloc::present() {
        report.engine = "tcmalloc".into();
        tcmalloc::fill(&mut report);
    } else if symbol::beside_malloc(c"gnu_get_libc_version").is_some() {
        report.engine = "glibc".into();
        report.version = glibc_version();
        glibc::fill(&mut report);
    } else {
        let ace = report.library.contains("libace_alloc");
        report.engine = if ace { "ace" } else { "unknown" }.into();
        // Whatever such a library says through the interfaces of glibc that it has itself.
        glibc::fill(&mut report);
        report.metadata_bytes = report.extra.get("meta_bytes").copied();
    }
    report
}

/// Asks the allocator to return what it can to the system; false if it has no such function.
pub fn trim() -> bool {
    if let Some(control) = jemalloc::control() {
        control.purge();
    } else if mimalloc::present() {
        mimalloc::collect();
    } else if tcmalloc::present() {
        tcmalloc::release();
    } else {
        return glibc::trim();
    }
    true
}

fn glibc_version() -> String {
    // SAFETY: takes nothing and returns a NUL-terminated constant.
    let text = unsafe { CStr::from_ptr(libc::gnu_get_libc_version()) };
    text.to_string_lossy().into_owned()
}
