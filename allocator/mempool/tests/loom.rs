//! Runs the crate's loom models: builds its unit tests under `--cfg loom` in a target folder of
//! their own (a change of flags would else rebuild the whole workspace) and requires them to pass.
#![cfg(not(loom))]

use std::process::Command;

#[test]
fn models_pass() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let target = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/loom");
    let output = Command::new(env!("CARGO"))
        .args(["test", "--manifest-path", manifest, "--lib", "--release", "--target-dir", target])
        .env("RUSTFLAGS", "--cfg loom")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .output()
        .expect("cargo runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("4 passed"), "the four models must have run:\n{text}");
}
