//! The measuring process and the words it exchanges with `allocbench`.
//!
//! Each cell of a benchmark runs in a fresh process of this package's binary, `allocbench-cell`: it links the engines
//! and the workloads and little else, so that what it measures is not shaped by plotting or parsing code. Engines that
//! cannot share a process are built into *flavours* of the same binary (`allocbench-cell-mimalloc2`, …).
//! The library part holds the wire format, which `allocbench` imports.

pub mod wire;

/// Hash of the sources of everything that is measured. Binaries with different ids must not be compared.
pub const BUILD_ID: &str = env!("BUILD_ID");

/// Compiler and profile this was built with.
pub const COMPILER: &str = concat!(env!("BUILD_RUSTC"), ", profile ", env!("BUILD_PROFILE"));
