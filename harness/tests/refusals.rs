//! Bad input: one line on standard error that names the thing and the remedy, exit code 2, nothing half-written.

#[path = "common/binary.rs"]
mod binary;

use binary::allocbench;
use std::path::{Path, PathBuf};
use std::process::Command;

fn refused(args: &[&str], expected: &[&str]) {
    refused_with(args, &[], expected);
}

fn refused_with(args: &[&str], environment: &[(&str, &str)], expected: &[&str]) {
    let output = allocbench().args(args).envs(environment.iter().copied()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).trim().to_string();
    assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
    assert_eq!(said.lines().count(), 1, "{args:?} says more than one line: {said}");
    for word in expected {
        assert!(said.contains(word), "{args:?} does not mention '{word}': {said}");
    }
}

fn folder_with(name: &str, content: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

fn bench<'a>(out: &'a Path, flags: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["bench", "--rows-only", "--out", out.to_str().unwrap()];
    args.extend(flags);
    args
}

#[test]
fn wrong_values_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("never");
    refused(&bench(&out, &["--engines", "nosuch"]), &["'nosuch'", "known are", "allocbench list"]);
    refused(&bench(&out, &["--workloads", "nosuch"]), &["'nosuch'", "known are"]);
    refused(&bench(&out, &["--threads", "0"]), &["--threads", "1 or more"]);
    refused(&bench(&out, &["--threads", "two"]), &["--threads", "'two'"]);
    refused(&bench(&out, &["--ops", "999999999999"]), &["--ops", "1000000000"]);
    refused(&bench(&out, &["--ops", "0"]), &["--ops"]);
    refused(&bench(&out, &["--reps", "0"]), &["--reps"]);
    refused(&bench(&out, &["--budget", "0"]), &["--budget"]);
    refused(&bench(&out, &["--shard", "3/2"]), &["--shard", "I/N"]);
    refused(&bench(&out, &["--passes", "speed"]), &["--passes", "throughput"]);
    refused(&bench(&out, &["--engines", "system,system"]), &["'system'", "twice"]);
    refused(&bench(&out, &["--preload", "x"]), &["--preload", "NAME=PATH"]);
    refused(&bench(&out, &["--preload", "x=/no/such.so"]), &["/no/such.so"]);
    assert!(!out.exists(), "a refused run leaves nothing behind");
}

#[test]
fn wrong_variables_are_named_like_flags() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("never");
    refused_with(&bench(&out, &[]), &[("BENCH_THREADS", "0")], &["BENCH_THREADS"]);
    refused_with(&bench(&out, &[]), &[("BENCH_OPS", "many")], &["BENCH_OPS", "'many'"]);
    refused_with(&bench(&out, &[]), &[("BENCH_ENGINES", "nosuch")], &["'nosuch'"]);
}

#[test]
fn an_engine_that_is_not_built_names_its_feature() {
    // At least one engine is in a flavour that a plain build does not make.
    let beside = Path::new(env!("CARGO_BIN_EXE_allocbench")).with_file_name("allocbench-cell-rpmalloc");
    if beside.exists() {
        eprintln!("skipped: rpmalloc is built here");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("never");
    refused(
        &bench(&out, &["--engines", "rpmalloc"]),
        &["'rpmalloc'", "not built", "feature", "make build-all"],
    );
}

#[test]
fn folders_that_cannot_be_written_are_named() {
    let (_folder, file) = folder_with("file", "");
    let below = file.join("below");
    refused(&bench(&below, &["--engines", "system", "--workloads", "rl_small"]), &["--out", "below"]);
}

#[test]
fn corrupt_result_files_are_refused_with_line_and_column() {
    for (content, expected) in [
        ("", "schema"),
        ("hello\nworld\n", "schema"),
        ("schema,engine\n1,system\n", "missing"),
        ("schema,engine\n99,system\n", "version"),
    ] {
        let (_folder, path) = folder_with("bench.csv", content);
        let path = path.to_str().unwrap();
        for verb in ["report", "plot"] {
            if !content.is_empty() {
                refused(&[verb, path], &["bench.csv", expected]);
            }
        }
    }
    refused(&["report", "/no/such/bench.csv"], &["/no/such/bench.csv"]);
}

#[test]
fn resuming_over_a_corrupt_file_is_refused_and_the_file_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let flags = [
        "--engines",
        "system",
        "--workloads",
        "rl_small",
        "--threads",
        "1",
        "--ops",
        "500",
        "--reps",
        "1",
        "--passes",
        "throughput",
    ];
    let args = bench(folder.path(), &flags);
    assert!(Command::new(env!("CARGO_BIN_EXE_allocbench")).args(&args).output().unwrap().status.success());
    let csv = folder.path().join("bench.csv");
    let damaged = std::fs::read_to_string(&csv).unwrap().replace("rl_small,1,", "rl_small,one,");
    std::fs::write(&csv, &damaged).unwrap();
    let mut again = args.clone();
    again.push("--resume");
    refused(&again, &["bench.csv", "line 2", "`threads`"]);
    assert_eq!(std::fs::read_to_string(&csv).unwrap(), damaged);
}

#[test]
fn wrong_workload_files_are_named_with_the_field() {
    let (_folder, path) = folder_with(
        "mine.toml",
        "[[workload]]\nname = \"a\"\nabout = \"x\"\n[workload.model.batch]\nsizes = { uniform = [8, 100] }\nbatch = 0\ncycles = 5\norder = \"lifo\"\n",
    );
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("never");
    refused(&bench(&out, &["--workload-file", path.to_str().unwrap()]), &["mine.toml", "batch"]);
    refused(&bench(&out, &["--workload-file", "/no/such.toml"]), &["/no/such.toml"]);
}
