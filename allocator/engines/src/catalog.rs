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
        instance: Some(|| &crate::floor::FLOOR),
    },
    Entry {
        name: "system",
        feature: "",
        flavour: flavour::STANDARD,
        about: "the C library's malloc, proven to be glibc's",
        instance: Some(|| &crate::system::SYSTEM),
    },
    Entry {
        name: "c_abi",
        feature: "",
        flavour: flavour::STANDARD,
        about: "the malloc family that the process is loaded with, for LD_PRELOAD",
        instance: Some(|| &crate::c_abi::C_ABI),
    },
    Entry {
        name: "jemalloc",
        feature: "jemalloc",
        flavour: flavour::STANDARD,
        about: "jemalloc 5.3",
        instance: instance!("jemalloc", crate::jemalloc::JEMALLOC),
    },
    Entry {
        name: "mimalloc",
        feature: "mimalloc",
        flavour: flavour::STANDARD,
        about: "mimalloc 3",
        instance: instance!("mimalloc", crate::mimalloc::MIMALLOC),
    },
    Entry {
        name: "mimalloc2",
        feature: "mimalloc2",
        flavour: flavour::MIMALLOC2,
        about: "mimalloc 2",
        instance: instance!("mimalloc2", crate::mimalloc::MIMALLOC),
    },
    Entry {
        name: "snmalloc",
        feature: "snmalloc",
        flavour: flavour::CXX,
        about: "snmalloc 0.7",
        instance: instance!("snmalloc", crate::snmalloc::SNMALLOC),
    },
    Entry {
        name: "rpmalloc",
        feature: "rpmalloc",
        flavour: flavour::RPMALLOC,
        about: "rpmalloc 1.4",
        instance: instance!("rpmalloc", crate::rpmalloc::RPMALLOC),
    },
    Entry {
        name: "tcmalloc",
        feature: "tcmalloc",
        flavour: flavour::CXX,
        about: "Google's tcmalloc with per-CPU caches",
        instance: instance!("tcmalloc", crate::tcmalloc::TCMALLOC),
    },
    Entry {
        name: "slowed",
        feature: "",
        flavour: flavour::STANDARD,
        about: "another engine with a planted slowdown (SLOWED_* variables), for the study of the gate's power",
        instance: Some(crate::slowed::slowed),
    },
    Entry {
        name: "mempool_baseline",
        feature: "mempool",
        flavour: flavour::STANDARD,
        about: "the design note's pool: one lock for all of it",
        instance: pool_instance!(baseline),
    },
    Entry {
        name: "mempool_sharded",
        feature: "mempool",
        flavour: flavour::STANDARD,
        about: "the design note's pool: a lock a size class",
        instance: pool_instance!(sharded),
    },
    Entry {
        name: "mempool_lockfree",
        feature: "mempool",
        flavour: flavour::STANDARD,
        about: "as sharded, with lock-free lists for the fixed sizes",
        instance: pool_instance!(lockfree),
    },
    Entry {
        name: "mempool_numa",
        feature: "mempool",
        flavour: flavour::STANDARD,
        about: "as sharded, with a set of shards a memory node",
        instance: pool_instance!(numa),
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
