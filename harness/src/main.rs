//! The `allocbench` command line.

fn main() {}
