//! ACE-Alloc: an adaptive allocator for small objects. `no_std`, libc alone.
//!
//! The layers, each using only those below it:
//!
//! | layer | modules | runs |
//! |---|---|---|
//! | entry | `route`, `global` | every call |
//! | front (HOT) | `front` | every call; a pop or a push |
//! | heap (WARM) | `heap` | refill and flush, under the heap's ownership word |
//! | superslab (COLD) | `superslab`, `huge` | slabs, runs, mappings, under the pool's lock |
//! | platform | `pal` | system calls |
//!
//! Beside them: `size_class` and `units` (tables and geometry), `class_map` (address → class), `config` (knobs),
//! `limits`, `trim`, `stats`, `fork`, `sync` (the only door to atomics), `text` and `fail`. README.md beside this crate says who
//! may change which state, and when.

#![no_std]

#[cfg(any(test, loom))]
extern crate std;

pub mod sync;

#[cfg(loom)]
#[path = "heap/remote.rs"]
pub mod remote;

#[cfg(not(loom))]
mod class_map;
#[cfg(not(loom))]
pub mod config;
#[cfg(not(loom))]
mod fail;
#[cfg(not(loom))]
mod fork;
#[cfg(not(loom))]
mod front;
#[cfg(not(loom))]
mod global;
#[cfg(not(loom))]
mod heap;
#[cfg(not(loom))]
mod huge;
#[cfg(not(loom))]
mod limits;
#[cfg(not(loom))]
mod meta;
#[cfg(not(loom))]
pub mod pal;
#[cfg(not(loom))]
pub mod route;
#[cfg(not(loom))]
pub mod size_class;
#[cfg(not(loom))]
pub mod stats;
#[cfg(not(loom))]
mod superslab;
#[cfg(not(loom))]
pub mod text;
#[cfg(not(loom))]
mod trim;
#[cfg(not(loom))]
pub mod units;
#[cfg(not(loom))]
pub mod variants;

#[cfg(not(loom))]
pub use api::*;

#[cfg(not(loom))]
mod api {
    use crate::config::{self, Config, Knob};
    use crate::{route, trim as trimming};

    pub use crate::global::AceAlloc;
    pub use crate::limits::committed_bytes;
    pub use crate::route::{dealloc, free, malloc, owns, realloc, resize, usable_size};
    pub use crate::stats::{Stats, stats};

    /// `n` objects of `bytes` each, zeroed, or null.
    #[inline]
    pub fn calloc(n: usize, bytes: usize) -> *mut u8 {
        match n.checked_mul(bytes) {
            Some(total) => route::alloc_zeroed(total, 1),
            None => {
                crate::pal::out_of_memory();
                core::ptr::null_mut()
            }
        }
    }

    /// `bytes` at a multiple of `align`, a power of two, or null.
    #[inline]
    pub fn memalign(align: usize, bytes: usize) -> *mut u8 {
        route::alloc(bytes, align)
    }

    /// Applies a configuration; `ACE_*` variables override it. Without effect once the first block was asked for.
    pub fn start(config: &Config) {
        crate::front::lifecycle::start(config);
    }

    /// Gives all free memory that can be reached back to the system; returns bytes.
    pub fn trim() -> usize {
        trimming::trim()
    }

    /// As [`trim`], but leaves about `keep_bytes` of free memory at hand.
    pub fn trim_keeping(keep_bytes: usize) -> usize {
        trimming::trim_keeping(keep_bytes)
    }

    /// Sets the limits on committed bytes: above `soft` memory is returned before more is taken, above `hard` requests
    /// fail. 0 is none.
    pub fn set_memory_limit(soft: usize, hard: usize) {
        crate::front::lifecycle::start(&Config::DEFAULT);
        config::set(Knob::LimitSoftBytes, soft as u64);
        config::set(Knob::LimitHardBytes, hard as u64);
    }

    /// Name and version, as seen from inside the process that runs it.
    pub const fn version() -> &'static str {
        concat!("ace-alloc ", env!("CARGO_PKG_VERSION"))
    }
}
