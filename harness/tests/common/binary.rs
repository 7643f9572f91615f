//! The built `allocbench`, without the settings of whoever runs the tests.

use std::path::PathBuf;
use std::process::Command;

/// A command that has no arguments yet.
pub fn allocbench() -> Command {
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_allocbench"));
    assert!(
        binary.with_file_name("allocbench-cell").is_file(),
        "allocbench-cell is not built beside allocbench: run `cargo build --workspace` first, as `make test` does"
    );
    let mut command = Command::new(binary);
    for (name, _) in
        std::env::vars().filter(|(name, _)| name.starts_with("ACE_") || name.starts_with("BENCH_"))
    {
        command.env_remove(name);
    }
    command
}
