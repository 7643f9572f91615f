//! The allocator as Rust's `#[global_allocator]`.
//!
//! A thin face over `route`: allocation and deallocation know their layout, so no metadata is loaded on HOT. Carries
//! the configuration that a program states at link time, applied by the first miss.

use crate::config::Config;
use crate::front::lifecycle;
use crate::route;
use core::alloc::{GlobalAlloc, Layout};

/// ACE-Alloc. All values are one allocator: the state is the process's.
///
/// ```
/// #[global_allocator]
/// static A: ace_alloc::AceAlloc = ace_alloc::AceAlloc::new();
/// ```
pub struct AceAlloc {
    config: Option<Config>,
}

impl AceAlloc {
    /// With the shipped configuration.
    pub const fn new() -> AceAlloc {
        AceAlloc { config: None }
    }

    /// With a configuration of the program's own; `ACE_*` variables override it. Applied by the first miss.
    pub const fn with_config(config: Config) -> AceAlloc {
        AceAlloc { config: Some(config) }
    }

    /// Applies the configuration if nothing was allocated yet.
    #[cold]
    fn start(&self) {
        lifecycle::start(self.config.as_ref().unwrap_or(&Config::DEFAULT));
    }
}

impl Default for AceAlloc {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: blocks are exclusive, of at least the layout's size and alignment, and stay until freed (tests/). No method
// unwinds; null means that there is no memory.
unsafe impl GlobalAlloc for AceAlloc {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let class = route::class_for(layout.size(), layout.align());
        let block = route::try_cached(class);
        if block.is_null() { alloc_cold(self, layout) } else { block }
    }

    #[inline]
    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        // SAFETY: GlobalAlloc's contract is `dealloc`'s.
        unsafe { route::dealloc(p, layout.size(), layout.align()) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if !lifecycle::is_started() {
            self.start();
        }
        route::alloc_zeroed(layout.size(), layout.align())
    }

    #[inline]
    unsafe fn realloc(&self, p: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // SAFETY: GlobalAlloc's contract is `resize`'s.
        unsafe { route::resize(p, layout.size(), layout.align(), bytes) }
    }
}

#[cold]
#[inline(never)]
fn alloc_cold(a: &AceAlloc, layout: Layout) -> *mut u8 {
    if !lifecycle::is_started() {
        a.start();
    }
    route::alloc_slow(layout.size(), layout.align())
}
