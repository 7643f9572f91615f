//! What the tests of the library share: the built file, and C programs compiled against nothing but the standard.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The library, built as it is deployed, into a target folder of its own.
pub fn library() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("library");
        let status = Command::new(env!("CARGO"))
            .args(["build", "--release", "-p", "ace-preload", "--target-dir"])
            .arg(&target)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .expect("cargo runs");
        assert!(status.success());
        target.join("release/libace_alloc.so")
    })
}

#[allow(dead_code, reason = "not every test file compiles programs")]
/// A program from a source beside the tests; None, aloud, where the compiler is missing.
pub fn compile(compiler: &str, source: &str, name: &str) -> Option<PathBuf> {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let made = Command::new(compiler)
        .args(["-O0", "-fno-builtin", "-pthread", "-o"])
        .arg(&program)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(source))
        .arg("-ldl")
        .status();
    let Ok(status) = made else {
        println!("skipped: {compiler} is not installed");
        return None;
    };
    assert!(status.success(), "{compiler} {source}");
    Some(program)
}

#[allow(dead_code, reason = "not every test file runs programs")]
/// Runs a program, preloaded if asked.
pub fn run(program: &str, args: &[&str], preload: Option<&Path>) -> Output {
    let mut command = Command::new(program);
    command.args(args).env_remove("LD_PRELOAD");
    if let Some(library) = preload {
        command.env("LD_PRELOAD", library);
    }
    command.output().unwrap()
}

/// Runs a preloaded program that ends by printing "all held".
#[allow(dead_code, reason = "not every test file runs such programs")]
pub fn holds(program: &Path, args: &[&str]) {
    let out = run(program.to_str().unwrap(), args, Some(library()));
    let text = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{program:?} {args:?}: {:?}\n{text}", out.status);
    assert_eq!(out.stdout, b"all held\n", "{program:?} {args:?}: {text}");
}
