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

/// Name of a signal, as people know it.
pub fn signal_name(signal: i32) -> String {
    match signal {
        4 => "SIGILL".into(),
        6 => "SIGABRT".into(),
        7 => "SIGBUS".into(),
        8 => "SIGFPE".into(),
        9 => "SIGKILL".into(),
        11 => "SIGSEGV".into(),
        other => format!("signal {other}"),
    }
}

/// How a process ended, with the first thing that it said on standard error.
pub fn with_complaint(how: String, complaints: &str) -> String {
    match complaints.lines().map(str::trim).find(|line| !line.is_empty()) {
        Some(first) => format!("{how}: {}", shorten(first)),
        None => how,
    }
}

/// One line of at most 200 characters.
pub fn shorten(line: &str) -> String {
    let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.chars().count() <= 200 { line } else { line.chars().take(199).chain(['…']).collect() }
}
