//! jemalloc: `mallctl`, after its epoch is advanced so that the figures are of this moment.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::null_mut;

use crate::report::Report;
use crate::symbol;

type Mallctl = unsafe extern "C" fn(*const c_char, *mut c_void, *mut usize, *mut c_void, usize) -> c_int;

/// Index that stands for all arenas (`MALLCTL_ARENAS_ALL`).
const ALL: &str = "4096";

/// jemalloc's control function, if `malloc` is jemalloc's. Builds with a prefix have the same function under it.
pub fn control() -> Option<Control> {
    let address = symbol::beside_malloc(c"mallctl").or_else(|| symbol::beside_malloc(c"_rjem_mallctl"))?;
    // SAFETY: the symbol of this name has this type.
    Some(Control(unsafe { std::mem::transmute::<*mut c_void, Mallctl>(address) }))
}

/// `mallctl`.
pub struct Control(Mallctl);

impl Control {
    fn read<T: Default>(&self, name: &str) -> Option<T> {
        let name = CString::new(name).ok()?;
        let mut value = T::default();
        let mut bytes = size_of::<T>();
        // SAFETY: `value` holds `bytes` bytes, and mallctl refuses (EINVAL) when the control's type has another size.
        let code = unsafe { self.0(name.as_ptr(), (&raw mut value).cast(), &raw mut bytes, null_mut(), 0) };
        (code == 0 && bytes == size_of::<T>()).then_some(value)
    }

    fn bytes(&self, name: &str) -> Option<u64> {
        self.read::<usize>(name).map(|value| value as u64)
    }

    fn advance(&self) {
        let mut epoch = 1_u64;
        // SAFETY: `epoch` takes and gives a u64.
        unsafe { self.0(c"epoch".as_ptr(), null_mut(), null_mut(), (&raw mut epoch).cast(), 8) };
    }

    /// Purges every arena.
    pub fn purge(&self) {
        let Ok(name) = CString::new(format!("arena.{ALL}.purge")) else { return };
        // SAFETY: a control without value.
        unsafe { self.0(c"thread.tcache.flush".as_ptr(), null_mut(), null_mut(), null_mut(), 0) };
        // SAFETY: a control without value.
        unsafe { self.0(name.as_ptr(), null_mut(), null_mut(), null_mut(), 0) };
    }

    /// Fills in the report.
    pub fn fill(&self, report: &mut Report) {
        self.advance();
        report.version = self.version().unwrap_or_default();
        let page = self.bytes("arenas.page").unwrap_or(4096);
        let arenas = |name: &str| format!("stats.arenas.{ALL}.{name}");
        report.allocated_bytes = self.bytes("stats.allocated");
        report.thread_cache_bytes = self.bytes(&arenas("tcache_bytes"));
        let active = self.bytes("stats.active");
        report.dirty_bytes = self.bytes(&arenas("pdirty")).map(|pages| pages * page);
        report.lazy_bytes = self.bytes(&arenas("pmuzzy")).map(|pages| pages * page);
        report.metadata_bytes = self.bytes("stats.metadata");
        report.arena_bytes = active;
        report.free_bytes =
            active.zip(report.allocated_bytes).map(|(active, allocated)| active.saturating_sub(allocated));
        report.arenas = self.read::<u32>("arenas.narenas").map(u64::from);
        for name in ["stats.resident", "stats.mapped", "stats.retained"] {
            if let Some(value) = self.bytes(name) {
                report.extra.insert(name.into(), value);
            }
        }
        if let Some(on) = self.read::<bool>("background_thread") {
            report.extra.insert("background_thread".into(), u64::from(on));
        }
    }

    fn version(&self) -> Option<String> {
        let mut text: *const c_char = std::ptr::null();
        let mut bytes = size_of::<*const c_char>();
        // SAFETY: the control `version` gives a pointer.
        let code =
            unsafe { self.0(c"version".as_ptr(), (&raw mut text).cast(), &raw mut bytes, null_mut(), 0) };
        if code != 0 || text.is_null() {
            return None;
        }
        // SAFETY: a NUL-terminated constant of the library.
        Some(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
    }
}
