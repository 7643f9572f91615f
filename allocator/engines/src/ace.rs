//! `ace` and its ablations: ACE-Alloc through its Rust interface, each ablation the shipped allocator with one thing
//! taken away.
//!
//! An ablation is a setting (below) or, where HOT itself differs, a variant of the crate with entry points of its
//! own (`front_sll`, `header`). Settings are the process's: the first engine asked for decides, which a cell's one
//! engine is; a process that lists all engines serves none. **Proof.** ACE-Alloc's registry of superslabs and mappings
//! (`owns`).

use crate::engine::{Engine, Stats};
use ace_alloc::config::{Config, Route};
use ace_alloc::variants::{header, sll};
use std::sync::Once;

/// ACE-Alloc under one setting.
pub struct Ace {
    name: &'static str,
    config: Config,
}

/// The shipped configuration.
const SHIPPED: Config = Config::DEFAULT;

/// Declares one static engine a setting, and a function for the catalogue that starts the allocator with it.
macro_rules! settings {
    ($($(#[$about:meta])* $function:ident = $name:literal { $($field:ident: $value:expr),* };)*) => {
        $(
            $(#[$about])*
            pub fn $function() -> &'static dyn Engine {
                static ENGINE: Ace = Ace { name: $name, config: Config { $($field: $value,)* ..SHIPPED } };
                &ENGINE
            }
        )*
    };
}

settings! {
    /// As shipped.
    shipped = "ace" {};
    /// A miss takes one block.
    refill_one = "refill_one" { refill_one: true };
    /// No tiers of slabs and superslabs.
    no_tiering = "no_tiering" { tiering: false };
    /// Empty superslabs wait for the purge delay.
    no_eager_free = "no_eager_free" { eager_free: false };
    /// Resting magazines keep their blocks.
    no_cache_shrink = "no_cache_shrink" { cache_shrink: false };
    /// Free pages of live slabs stay.
    no_idle_trim = "no_idle_trim" { idle_trim: false };
    /// No empty slab is kept for its class.
    no_warm_pool = "no_warm_pool" { warm_slabs: 0 };
    /// One slab more than needed is taken on a miss.
    prefill_1 = "prefill_1" { prefill: 1 };
    /// Three slabs more.
    prefill_3 = "prefill_3" { prefill: 3 };
    /// Eight slabs more.
    prefill_8 = "prefill_8" { prefill: 8 };
    /// Route profile tiny-only.
    tiny_only = "tiny_only" { route: Route::TinyOnly };
    /// Route profile pool-only.
    pool_only = "pool_only" { route: Route::PoolOnly };
    /// Route profile hot.
    hot = "hot" { route: Route::Hot };
    /// Route profile full.
    full = "full" { route: Route::Full };
    /// Route profile conservative.
    conservative = "conservative" { route: Route::Conservative };
}

impl Ace {
    /// Applies the setting before the first block.
    fn start(&self) {
        static STARTED: Once = Once::new();
        STARTED.call_once(|| ace_alloc::start(&self.config));
    }
}

/// What the counters say of WARM and COLD; HOT counts nothing.
fn stats() -> Stats {
    let stats = ace_alloc::stats();
    Stats {
        allocated_bytes: Some(
            stats.out_bytes + stats.orphan_out_bytes + stats.large_bytes + stats.huge_bytes,
        ),
        committed_bytes: Some(stats.committed_bytes),
        reserved_bytes: Some(stats.superslab_bytes + stats.huge_bytes + stats.huge_cached_bytes),
        warm_ops: Some(stats.refills + stats.flushes),
        cold_ops: Some(stats.slabs_acquired + stats.slabs_released),
        remote_frees: Some(stats.flushed_remote_blocks),
        ..Stats::default()
    }
}

// SAFETY: ACE-Alloc promises the same: NULL or a fresh block of the size and alignment asked for, freed by any thread.
unsafe impl Engine for Ace {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> String {
        self.start();
        ace_alloc::version().to_owned()
    }

    unsafe fn alloc(&self, size: usize, align: usize) -> *mut u8 {
        ace_alloc::route::alloc(size, align)
    }

    unsafe fn dealloc(&self, ptr: *mut u8, size: usize, align: usize) {
        // SAFETY: the caller's promise is the allocator's demand.
        unsafe { ace_alloc::dealloc(ptr, size, align) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, old_size: usize, align: usize, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promise is the allocator's demand.
        unsafe { ace_alloc::resize(ptr, old_size, align, new_size) }
    }

    unsafe fn usable_size(&self, ptr: *mut u8, _size: usize, _align: usize) -> usize {
        // SAFETY: a live block.
        unsafe { ace_alloc::usable_size(ptr) }
    }

    fn served(&self, ptr: *const u8) -> bool {
        ace_alloc::owns(ptr)
    }

    fn trim(&self) {
        ace_alloc::trim();
    }

    fn stats(&self) -> Stats {
        stats()
    }

    fn enter_thread(&self) {
        self.start();
    }
}

/// Declares an engine over a variant that has entry points of its own.
macro_rules! variant {
    ($(#[$about:meta])* $engine:ident, $static:ident, $name:literal, $module:ident, $usable:path, $owns:path) => {
        $(#[$about])*
        pub struct $engine;
        /// The instance.
        pub static $static: $engine = $engine;

        // SAFETY: the variant promises what ACE-Alloc promises.
        unsafe impl Engine for $engine {
            fn name(&self) -> &'static str {
                $name
            }

            fn version(&self) -> String {
                ace_alloc::version().to_owned()
            }

            unsafe fn alloc(&self, size: usize, align: usize) -> *mut u8 {
                $module::alloc(size, align)
            }

            unsafe fn dealloc(&self, ptr: *mut u8, _size: usize, _align: usize) {
                // SAFETY: a live block of this variant.
                unsafe { $module::free(ptr) }
            }

            unsafe fn realloc(&self, ptr: *mut u8, old_size: usize, align: usize, new_size: usize) -> *mut u8 {
                let moved = $module::alloc(new_size, align);
                if !moved.is_null() {
                    // SAFETY: both blocks have at least the smaller of the sizes, and they are distinct.
                    unsafe { ptr.copy_to_nonoverlapping(moved, old_size.min(new_size)) };
                    // SAFETY: a live block of this variant, given up by the caller.
                    unsafe { $module::free(ptr) };
                }
                moved
            }

            unsafe fn usable_size(&self, ptr: *mut u8, _size: usize, _align: usize) -> usize {
                // SAFETY: a live block of this variant.
                unsafe { $usable(ptr) }
            }

            fn served(&self, ptr: *const u8) -> bool {
                $owns(ptr)
            }

            fn trim(&self) {
                ace_alloc::trim();
            }

            fn stats(&self) -> Stats {
                stats()
            }
        }
    };
}

variant!(
    /// The thread cache as an intrusive list through the freed blocks.
    FrontSll, FRONT_SLL, "front_sll", sll, ace_alloc::usable_size, ace_alloc::owns
);
variant!(
    /// The class in a header before each block.
    HeaderBlocks, HEADER, "header", header, header::usable_size, owns_behind_header
);

/// As `owns`, of a block that stands behind its header: a huge block's mapping begins one alignment before it.
fn owns_behind_header(ptr: *const u8) -> bool {
    const OFFSETS_LOG2: core::ops::RangeInclusive<u32> = 4..=30;
    ace_alloc::owns(ptr) || { OFFSETS_LOG2 }
        .any(|shift| ace_alloc::route::owns_mapping(ptr.wrapping_sub(1 << shift)))
}
