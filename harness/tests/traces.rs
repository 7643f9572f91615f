//! The verbs about traces and programs, as a user calls them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn allocbench(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_allocbench"));
    command.current_dir(folder).args(arguments).env_remove("LD_PRELOAD");
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let output = allocbench(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout) + &text(&output.stderr)
}

/// One line on standard error, exit code 2, and nothing in the folder that was not there.
fn is_refused(folder: &Path, arguments: &[&str], says: &str) {
    let names = || {
        let mut names: Vec<PathBuf> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        names
    };
    let before = names();
    let output = allocbench(folder, arguments);
    let complaint = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {complaint}");
    assert!(complaint.contains(says), "{arguments:?}: {complaint}");
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    assert_eq!(names(), before, "{arguments:?} left something behind");
}

/// Whether the libraries of the workspace are built beside the executable, as `make test` does first.
fn has_library(name: &str) -> bool {
    let there = Path::new(env!("CARGO_BIN_EXE_allocbench")).with_file_name(name).is_file();
    if !there {
        println!("skipped: {name} is not built; build it: cargo build --workspace");
    }
    there
}

const TEXT: &str =
    "1: malloc 0x10 100\n2: malloc 0x20 50\n2: free 0x10\n1: realloc 0x30 0x20 70\n1: malloc 0x40 9\n";

#[test]
fn an_import_is_described_replayed_and_refused_in_turn() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("small.txt"), TEXT).unwrap();
    let said = succeeds(folder, &["import", "small.txt", "-o", "small.trace"]);
    assert!(said.contains("5 events in 2 threads, peak live 150 bytes"), "{said}");
    let said = succeeds(folder, &["trace", "info", "small.trace", "--plots", "plots"]);
    assert!(said.contains("3 allocations, 1 frees, 1 resizes"), "{said}");
    assert!(folder.join("plots/trace_small.png").is_file());
    succeeds(
        folder,
        &[
            "replay",
            "small.trace",
            "--engines",
            "system,floor",
            "--reps",
            "1",
            "--passes",
            "throughput,memory",
        ],
    );
    let rows = harness::store::read(&folder.join("results/bench.csv")).unwrap();
    assert_eq!(rows.len(), 4);
    for row in rows {
        assert!(row.is_ok(), "{row:?}");
        assert_eq!((row.workload.as_str(), row.threads, row.ops_total), ("trace.small", 2, Some(5)));
    }
    let timeline = std::fs::read_to_string(folder.join("results/bench.timeline.csv")).unwrap();
    assert!(
        timeline.starts_with("engine,workload,threads,pass,block,t_ns,resident_bytes,phase,live_bytes\n")
    );

    is_refused(folder, &["trace", "synth", "small.trace"], "too few to fit");
    is_refused(folder, &["trace", "info", "small.txt"], "is no allocation trace");
    is_refused(folder, &["trace", "info", "nosuch"], "nosuch");
    is_refused(folder, &["trace", "info", "small.trace", "--stream", "7"], "1 streams");
    is_refused(folder, &["replay", "small.trace", "--pace", "recorded"], "no times");
    is_refused(folder, &["bench", "--workloads", "trace:nosuch.trace"], "nosuch.trace");
    is_refused(folder, &["bench", "--workloads", "trace:small.trace?pace=slow"], "pace=slow");
    std::fs::write(folder.join("bad.txt"), "1: malloc 0x10\n").unwrap();
    is_refused(folder, &["import", "bad.txt", "-o", "bad.trace"], "line 1: a number is missing");
    is_refused(folder, &["import", "small.txt", "-o", "no/such/folder/x.trace"], "cannot be written");
}

#[test]
fn a_command_is_recorded_and_keeps_its_output_and_code() {
    if !has_library("liballocbench_record.so") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let output = allocbench(folder, &["record", "-o", "ls.trace", "--", "sh", "-c", "ls /; exit 3"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("proc"));
    let said = text(&output.stderr);
    assert!(said.contains("2 processes") && said.contains("0 events lost, 0 out of order"), "{said}");
    let said = succeeds(folder, &["trace", "info", "ls.trace"]);
    assert!(said.contains("stream 1") && said.contains("/ls"), "{said}");
    // A cut file is read to the cut, and says so.
    let bytes = std::fs::read(folder.join("ls.trace")).unwrap();
    std::fs::write(folder.join("cut.trace"), &bytes[..bytes.len() - 60]).unwrap();
    assert!(succeeds(folder, &["trace", "info", "cut.trace"]).contains("cut off"));
    is_refused(folder, &["record", "-o", "x.trace", "--", "no-such-program"], "no such program");
    // A program that clears its environment is recorded itself; what it runs is not.
    let said = succeeds(folder, &["record", "-o", "env.trace", "--", "env", "-i", "ls", "/"]);
    assert!(said.contains("of 1 processes"), "{said}");
    is_refused(folder, &["record", "-o", "x.trace", "--over", "nosuch", "--", "ls"], "nosuch");
}

#[test]
fn a_trace_with_enough_in_it_becomes_a_workload() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let lines: String = (0..3000)
        .map(|at| format!("1: malloc {:#x} {}\n1: free {:#x}\n", 64 + at, 10 + at % 300, 64 + at))
        .collect();
    std::fs::write(folder.join("many.txt"), lines).unwrap();
    succeeds(folder, &["import", "many.txt", "-o", "many.trace"]);
    let said = succeeds(folder, &["trace", "synth", "many.trace", "-o", "many.toml"]);
    assert!(said.contains("--threads 1"), "{said}");
    let found = workloads::load(&folder.join("many.toml")).unwrap();
    assert_eq!(found[0].name, "synth.many");
    assert!(prepares(&found[0]));
}

fn prepares(workload: &workloads::Workload) -> bool {
    workloads::prepare(workload, 1, 42).is_ok()
}

#[test]
fn a_command_is_run_under_engines_that_prove_themselves() {
    if !has_library("liballocbench_witness.so") || !has_library("libace_alloc.so") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let engines = "system,system+MALLOC_ARENA_MAX=2,ace";
    let said = succeeds(folder, &["exec", "--engines", engines, "--reps", "2", "--", "ls", "/"]);
    assert!(said.contains("exit code 0, same output, served") && said.contains("Choice: "), "{said}");
    let runs = std::fs::read_to_string(folder.join("results/exec/runs.csv")).unwrap();
    assert_eq!(runs.lines().count(), 7, "{runs}");
    assert!(folder.join("results/exec/plots/time_against_memory.png").is_file());
    // A library that serves nothing does not pass for an engine.
    let witness = Path::new(env!("CARGO_BIN_EXE_allocbench")).with_file_name("liballocbench_witness.so");
    let fake = format!("fake={}", witness.display());
    let said = succeeds(
        folder,
        &["exec", "--engines", "system", "--preload", &fake, "--reps", "1", "--", "ls", "/"],
    );
    assert!(said.contains("malloc was served by"), "{said}");
    // A child that is forked and starts nothing has a witness; a program that was given a clean environment has none.
    let run = |script: &str| {
        succeeds(folder, &["exec", "--engines", "system,ace", "--reps", "1", "--", "/bin/bash", "-c", script])
    };
    let forked = run("( for _ in 1 2 3 4; do sleep 0.05; done; echo subshell )");
    assert!(forked.contains("same output, served"), "{forked}");
    let bare = run("env -i sleep 0.3; echo");
    assert!(bare.contains("1 processes have no witness"), "{bare}");
    let greedy = "x = list(range(20_000_000))";
    let said = allocbench(
        folder,
        &[
            "exec",
            "--engines",
            "system",
            "--reps",
            "1",
            "--memory-limit",
            "100",
            "--",
            "/usr/bin/python3",
            "-S",
            "-c",
            greedy,
        ],
    );
    if Path::new("/usr/bin/python3").is_file() {
        assert!(text(&said.stdout).contains("passed the memory limit"), "{}", text(&said.stdout));
    }
    is_refused(folder, &["exec", "--", "no-such-program"], "no such program");
    is_refused(folder, &["exec", "--engines", "nosuch", "--", "ls"], "nosuch");
}
