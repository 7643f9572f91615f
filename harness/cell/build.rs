//! Gives every binary of one source tree the same build id, so that `allocbench` can refuse a cell binary that was
//! built from other sources, and records the compiler.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::process::Command;

const MEASURED: [&str; 3] = ["allocator", "workloads", "harness/cell"];

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for folder in MEASURED {
        let folder = root.join(folder);
        println!("cargo::rerun-if-changed={}", folder.display());
        collect(&folder, &mut files);
    }
    files.push(root.join("Cargo.lock"));
    files.sort();
    let mut hash = DefaultHasher::new();
    for file in &files {
        let name = file.strip_prefix(&root).unwrap_or(file);
        hash.write(name.to_string_lossy().as_bytes());
        hash.write(&fs::read(file).unwrap_or_default());
    }
    println!("cargo::rustc-env=BUILD_ID={:016x}", hash.finish());
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().ok();
    let version = version.and_then(|out| String::from_utf8(out.stdout).ok()).unwrap_or_default();
    println!("cargo::rustc-env=BUILD_RUSTC={}", version.trim());
    println!("cargo::rustc-env=BUILD_PROFILE={}", std::env::var("PROFILE").unwrap_or_default());
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                collect(&path, files);
            }
        } else if path.extension().is_some_and(|ext| ext == "rs" || ext == "toml" || ext == "c" || ext == "s")
        {
            files.push(path);
        }
    }
}
