//! The list of engines: which exist, which cargo feature builds each, which this binary holds.
//!
//! A row an engine, in the order tables show them. To add one: write its module, declare it in `lib.rs` under its feature, and
//! add a row here; the tests and benchmarks run over this list.

use crate::engine::Engine;

/// One engine the workspace knows.
pub struct Entry {
    /// Name as users type it.
    pub name: &'static str,
    /// Cargo feature of the `cell` package that builds it; empty for those that are always built.
    pub feature: &'static str,
    /// The cell binary that is built with the feature.
    pub flavour: &'static str,
    /// One line for `allocbench list`.
    pub about: &'static str,
    /// Whether it is `ace` with one thing taken away: measured where it is named, or by an ablation.
    pub ablation: bool,
    /// The instance, where this binary was built with the feature.
    pub instance: Option<fn() -> &'static dyn Engine>,
}

/// The flavours of the cell binary: engines that exclude each other live in different ones.
pub mod flavour {
    /// All that can live together and build without a C++ compiler.
    pub const STANDARD: &str = "allocbench-cell";
    /// mimalloc v2, whose symbols are v3's.
    pub const MIMALLOC2: &str = "allocbench-cell-mimalloc2";
    /// rpmalloc, which defines `pthread_create`.
    pub const RPMALLOC: &str = "allocbench-cell-rpmalloc";
    /// snmalloc and tcmalloc, which are written in C++.
    pub const CXX: &str = "allocbench-cell-cxx";
}

/// The instance, if the engine's feature is on.
macro_rules! instance {
    ($feature:literal, $path:path) => {{
        #[cfg(feature = $feature)]
        let instance: Option<fn() -> &'static dyn Engine> = Some(|| &$path);
        #[cfg(not(feature = $feature))]
        let instance: Option<fn() -> &'static dyn Engine> = None;
        instance
    }};
}

/// The pool's constructor, if the pools are built in.
macro_rules! pool_instance {
    ($function:ident) => {{
        #[cfg(feature = "mempool")]
        let instance: Option<fn() -> &'static dyn Engine> = Some(crate::pools::$function);
        #[cfg(not(feature = "mempool"))]
        let instance: Option<fn() -> &'static dyn Engine> = None;
        instance
    }};
}

/// Every engine, in the order tables show them.
pub static CATALOG: &[Entry] = &[
    Entry {
        name: "floor",
        feature: "",
        flavour: flavour::STANDARD,
        about: "no allocator: a bump pointer that never frees, the harness's own cost",
        ablation: false,
        instance: Some(|| &crate::floor::FLOOR),
    },
    Entry {
        name: "system",
        feature: "",
        flavour: flavour::STANDARD,
        about: "the C library's malloc, proven to be glibc's",
        ablation: false,
        instance: Some(|| &crate::system::SYSTEM),
    },
    Entry {
        name: "c_abi",
        feature: "",
        flavour: flavour::STANDARD,
        about: "the malloc family that the process is loaded with, for LD_PRELOAD",
        ablation: false,
        instance: Some(|| &crate::c_abi::C_ABI),
    },
    Entry {
        name: "jemalloc",
        feature: "jemalloc",
        flavour: flavour::STANDARD,
        about: "jemalloc 5.3",
        ablation: false,
        instance: instance!("jemalloc", crate::jemalloc::JEMALLOC),
    },
    Entry {
        name: "mimalloc",
        feature: "mimalloc",
        flavour: flavour::STANDARD,
        about: "mimalloc 3",
        ablation: false,
        instance: instance!("mimalloc", crate::mimalloc::MIMALLOC),
    },
    Entry {
        name: "mimalloc2",
        feature: "mimalloc2",
        flavour: flavour::MIMALLOC2,
        about: "mimalloc 2",
        ablation: false,
        instance: instance!("mimalloc2", crate::mimalloc::MIMALLOC),
    },
    Entry {
        name: "snmalloc",
        feature: "snmalloc",
        flavour: flavour::CXX,
        about: "snmalloc 0.7",
        ablation: false,
        instance: instance!("snmalloc", crate::snmalloc::SNMALLOC),
    },
    Entry {
        name: "rpmalloc",
        feature: "rpmalloc",
        flavour: flavour::RPMALLOC,
        about: "rpmalloc 1.4",
        ablation: false,
        instance: instance!("rpmalloc", crate::rpmalloc::RPMALLOC),
    },
    Entry {
        name: "tcmalloc",
        feature: "tcmalloc",
        flavour: flavour::CXX,
        about: "Google's tcmalloc with per-CPU caches",
        ablation: false,
        instance: instance!("tcmalloc", crate::tcmalloc::TCMALLOC),
    },
    Entry {
        name: "slowed",
        feature: "",
        flavour: flavour::STANDARD,
        about: "another engine with a planted slowdown (SLOWED_* variables), for the study of the gate's power",
        ablation: false,
        instance: Some(crate::slowed::slowed),
    },
    Entry {
        name: "ace",
        feature: "",
        flavour: flavour::STANDARD,
        about: "ACE-Alloc, as shipped",
        ablation: false,
        instance: Some(crate::ace::shipped),
    },
    Entry {
        name: "mempool_baseline",
        feature: "mempool",
        flavour: flavour::STANDARD,
        about: "the design note's pool: one lock for all of it",
        ablation: false,
        instance: pool_instance!(baseline),
    },
    Entry {
        name: "mempool_sharded",
        feature: "mempool",
        flavour: flavour::STANDARD,
        about: "the design note's pool: a lock a size class",
        ablation: false,
        instance: pool_instance!(sharded),
    },
    Entry {
        name: "mempool_lockfree",
        feature: "mempool",
        flavour: flavour::STANDARD,
        about: "as sharded, with lock-free lists for the fixed sizes",
        ablation: false,
        instance: pool_instance!(lockfree),
    },
    Entry {
        name: "mempool_numa",
        feature: "mempool",
        flavour: flavour::STANDARD,
        about: "as sharded, with a set of shards a memory node",
        ablation: false,
        instance: pool_instance!(numa),
    },
    Entry {
        name: "ace_off",
        feature: "",
        flavour: flavour::STANDARD,
        about: "ace, no learning layer",
        ablation: true,
        instance: Some(crate::ace::learn_off),
    },
    Entry {
        name: "ace_observe",
        feature: "",
        flavour: flavour::STANDARD,
        about: "ace, the learning layer decides and applies nothing",
        ablation: true,
        instance: Some(crate::ace::learn_observe),
    },
    Entry {
        name: "ace_on",
        feature: "",
        flavour: flavour::STANDARD,
        about: "ace, the learning layer on",
        ablation: true,
        instance: Some(crate::ace::learn_on),
    },
    Entry {
        name: "refill_one",
        feature: "",
        flavour: flavour::STANDARD,
        about: "ace, a miss takes one block",
        ablation: true,
        instance: Some(crate::ace::refill_one),
    },
    Entry {
        name: "no_tiering",
        feature: "",
        flavour: flavour::STANDARD,
        about: "ace without tiers of slabs and superslabs",
        ablation: true,
        instance: Some(crate::ace::no_tiering),
    },
    Entry {
        name: "no_eager_free",
        feature: "",
        flavour: flavour::STANDARD,
        about: "ace, empty superslabs wait for the purge delay",
        ablation: true,
        instance: Some(crate::ace::no_eager_free),
    },
    Entry {
        name: "no_cache_shrink",
        feature: "",
        flavour: flavour::STANDARD,
        about: "ace, resting magazines keep their blocks",
        ablation: true,
        instance: Some(crate::ace::no_cache_shrink),
    },
    Entry {
        name: "no_idle_trim",
        feature: "",
        flavour: flavour::STANDARD,
        about: "ace, free pages of live slabs stay",
        ablation: true,
        instance: Some(crate::ace::no_idle_trim),
    },
    Entry {
        name: "no_warm_pool",
        feature: "",
        flavour: flavour::STANDARD,
        about: "ace, no empty slab is kept for its class",
        ablation: true,
        instance: Some(crate::ace::no_warm_pool),
    },
    Entry {
        name: "prefill_1",
        feature: "",
        flavour: flavour::STANDARD,
        about: "ace, a miss of the warm pool takes 1 slab more",
        ablation: true,
        instance: Some(crate::ace::prefill_1),
    },
    Entry {
        name: "prefill_3",
        feature: "",
        flavour: flavour::STANDARD,
        about: "ace, a miss of the warm pool takes 3 slabs more",
        ablation: true,
        instance: Some(crate::ace::prefill_3),
    },
    Entry {
        name: "prefill_8",
        feature: "",
        flavour: flavour::STANDARD,
        about: "ace, a miss of the warm pool takes 8 slabs more",
        ablation: true,
        instance: Some(crate::ace::prefill_8),
    },
    Entry {
        name: "prefill_adaptive",
        feature: "",
        flavour: flavour::STANDARD,
        about: "ace, a miss of the warm pool takes up to 8 slabs more, by how misses follow one another",
        ablation: true,
        instance: Some(crate::ace::prefill_adaptive),
    },
    Entry {
        name: "no_idle_steal",
        feature: "",
        flavour: flavour::STANDARD,
        about: "ace, the learning layer on, but resting threads keep their caches: to be set beside ace_on",
        ablation: true,
        instance: Some(crate::ace::no_idle_steal),
    },
    Entry {
        name: "tiny_only",
        feature: "",
        flavour: flavour::STANDARD,
        about: "ace with route profile tiny-only",
        ablation: true,
        instance: Some(crate::ace::tiny_only),
    },
    Entry {
        name: "pool_only",
        feature: "",
        flavour: flavour::STANDARD,
        about: "ace with route profile pool-only: no thread cache",
        ablation: true,
        instance: Some(crate::ace::pool_only),
    },
    Entry {
        name: "hot",
        feature: "",
        flavour: flavour::STANDARD,
        about: "ace with route profile hot",
        ablation: true,
        instance: Some(crate::ace::hot),
    },
    Entry {
        name: "full",
        feature: "",
        flavour: flavour::STANDARD,
        about: "ace with route profile full",
        ablation: true,
        instance: Some(crate::ace::full),
    },
    Entry {
        name: "conservative",
        feature: "",
        flavour: flavour::STANDARD,
        about: "ace with route profile conservative",
        ablation: true,
        instance: Some(crate::ace::conservative),
    },
    Entry {
        name: "front_sll",
        feature: "",
        flavour: flavour::STANDARD,
        about: "ace, the thread cache a list through the freed blocks",
        ablation: true,
        instance: Some(|| &crate::ace::FRONT_SLL),
    },
    Entry {
        name: "header",
        feature: "",
        flavour: flavour::STANDARD,
        about: "ace, 16 bytes before each block say its class",
        ablation: true,
        instance: Some(|| &crate::ace::HEADER),
    },
];

/// The engines this binary was built with.
pub fn built() -> impl Iterator<Item = &'static Entry> {
    CATALOG.iter().filter(|entry| entry.instance.is_some())
}

/// The entry called `name`, built or not.
pub fn find(name: &str) -> Option<&'static Entry> {
    CATALOG.iter().find(|entry| entry.name == name)
}
