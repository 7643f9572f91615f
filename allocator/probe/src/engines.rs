//! Which allocator it is, and the two questions that all of them are asked.

use std::ffi::{CStr, c_char, c_int, c_void};

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
        ace_figures(&mut report);
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

/// ACE-Alloc's own statistics as flat JSON, where the library exports them.
fn ace_figures(report: &mut Report) {
    type Json = unsafe extern "C" fn(*mut c_char, usize) -> c_int;
    let Some(address) = symbol::beside_malloc(c"ace_stats_json") else { return };
    // SAFETY: the symbol of this name has this type.
    let json = unsafe { std::mem::transmute::<*mut c_void, Json>(address) };
    let mut text = vec![0_u8; 16 << 10];
    // SAFETY: the buffer holds as many bytes as it is said to.
    let length = unsafe { json(text.as_mut_ptr().cast(), text.len()) };
    let text = text.get(..usize::try_from(length).unwrap_or(0)).unwrap_or_default();
    let Ok(serde_json::Value::Object(fields)) = serde_json::from_slice(text) else { return };
    report.extra = fields.into_iter().filter_map(|(name, value)| Some((name, value.as_u64()?))).collect();
    report.metadata_bytes = report.extra.get("meta_bytes").copied().or(report.metadata_bytes);
    report.arena_bytes = report.extra.get("committed_bytes").copied().or(report.arena_bytes);
}
