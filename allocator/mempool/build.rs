//! Declares the `loom` configuration flag, so that the compiler checks its spelling.
//! The flag swaps the synchronisation façade (`src/sync.rs`) for loom's; nothing else is decided here.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(loom)");
}
