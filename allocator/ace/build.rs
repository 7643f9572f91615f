//! Declares the `loom` configuration, under which only the remote-free protocol is compiled, for its model.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(loom)");
    println!("cargo::rerun-if-changed=build.rs");
}
