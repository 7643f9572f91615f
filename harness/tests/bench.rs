//! `allocbench bench` end to end, on real engines in real child processes: rows, interruption, resumption, failures.

#[path = "common/binary.rs"]
mod binary;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use binary::allocbench;
use harness::row::Row;
use harness::store;

/// A small run into `out`.
fn small(out: &Path, flags: &[&str]) -> Command {
    let mut command = allocbench();
    command.args(["bench", "--rows-only", "--out"]).arg(out);
    command.args(["--engines", "system,system#aa,mempool_sharded", "--workloads", "rl_small,rl_medium+"]);
    command.args(["--threads", "1,2", "--ops", "2000", "--passes", "throughput,latency,memory"]);
    if !flags.contains(&"--reps") {
        command.args(["--reps", "2"]);
    }
    command.args(flags);
    command
}

fn finish(mut command: Command) -> Output {
    command.output().expect("allocbench starts")
}

fn rows(out: &Path) -> Vec<Row> {
    store::read(&out.join("bench.csv")).expect("a readable result file")
}

fn keys(rows: &[Row]) -> BTreeSet<(String, String, u32, String, u32)> {
    rows.iter().map(Row::key).collect()
}

fn succeeded(output: &Output) {
    assert!(output.status.success(), "{}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_cell_of_the_plan_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    succeeded(&finish(small(folder.path(), &[])));
    let rows = rows(folder.path());
    // 2 workloads × 2 thread counts × (2 throughput + 2 latency) blocks × 3 engines, and 1 memory cell of each but the control.
    assert_eq!(rows.len(), 2 * 2 * 4 * 3 + 2 * 2 * 2);
    assert_eq!(keys(&rows).len(), rows.len());
    for row in &rows {
        assert!(row.is_ok(), "{} {}: {}", row.engine, row.workload, row.detail);
        assert!(row.ops_total.unwrap() >= 2000, "{row:?}");
        assert!(row.elapsed_ns.unwrap() > 0 && !row.engine_version.is_empty());
        assert_eq!(row.alloc_ns_p99.is_some(), row.pass == "latency");
        assert_eq!(row.usable_per_requested.is_some(), row.pass == "memory");
        if let Some(ratio) = row.usable_per_requested {
            assert!((1.0..3.0).contains(&ratio), "{row:?}");
        }
    }
    let locks = |row: &&Row| row.engine == "mempool_sharded" && row.lock_takings.is_some();
    assert!(rows.iter().any(|row| locks(&row)), "the pool counts its locks");
    assert!(folder.path().join("bench.histograms.jsonl").is_file());
    assert!(folder.path().join("bench.timeline.csv").is_file());
    assert!(folder.path().join("bench.provenance.json").is_file());
}

#[test]
fn an_interrupted_run_resumes_to_the_same_set_of_rows() {
    let whole = tempfile::tempdir().unwrap();
    succeeded(&finish(small(whole.path(), &[])));
    let cut = tempfile::tempdir().unwrap();
    let child = small(cut.path(), &[]).stderr(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(300);
    let csv = cut.path().join("bench.csv");
    while std::fs::read_to_string(&csv).unwrap_or_default().lines().count() < 8 {
        assert!(Instant::now() < deadline, "no rows after five minutes");
        std::thread::sleep(Duration::from_millis(2));
    }
    let killed = Command::new("kill").args(["-KILL", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let mut child = child;
    child.wait().unwrap();
    let before = std::fs::read_to_string(&csv).unwrap();
    assert!(
        before.lines().count() - 1 < keys(&rows(whole.path())).len(),
        "the run was over before it was killed"
    );
    // What a kill in the middle of a write leaves.
    std::fs::write(&csv, format!("{before}1,system,rl_sm")).unwrap();
    let resumed = finish(small(cut.path(), &["--resume"]));
    succeeded(&resumed);
    assert_eq!(keys(&rows(cut.path())), keys(&rows(whole.path())));
    let kept = std::fs::read_to_string(&csv).unwrap();
    assert!(kept.starts_with(&before), "rows that were measured are kept as they are");
}

#[test]
fn ctrl_c_keeps_what_is_done_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = small(folder.path(), &["--reps", "200"]).stderr(Stdio::piped()).spawn().unwrap();
    let csv = folder.path().join("bench.csv");
    let deadline = Instant::now() + Duration::from_secs(300);
    while std::fs::read_to_string(&csv).unwrap_or_default().lines().count() < 5 {
        assert_eq!(child.try_wait().unwrap(), None, "the run ended early");
        assert!(Instant::now() < deadline, "no rows after five minutes");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    assert!(rows(folder.path()).len() >= 4);
    let provenance = std::fs::read_to_string(folder.path().join("bench.provenance.json")).unwrap();
    assert!(provenance.contains("interrupted"), "{provenance}");
}

#[test]
fn a_cell_without_figures_becomes_a_row_and_the_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--memory-limit", "1", "--passes", "drain", "--workloads", "rl_medium+", "--threads", "2"];
    let mut command = allocbench();
    command.args(["bench", "--rows-only", "--out"]).arg(folder.path());
    command.args(["--engines", "system,mempool_baseline", "--ops", "2000", "--reps", "1"]).args(flags);
    let output = finish(command);
    assert_eq!(output.status.code(), Some(2), "no cell had figures");
    let rows = rows(folder.path());
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert_eq!(row.status, "out_of_memory");
        assert!(row.detail.contains("limit of 1 MiB"), "{}", row.detail);
    }
}

#[test]
fn contents_are_verified_on_every_workload() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = allocbench();
    command.args(["bench", "--rows-only", "--verify", "--out"]).arg(folder.path());
    command.args([
        "--engines",
        "system,jemalloc,mimalloc,mempool_baseline,mempool_sharded",
        "--threads",
        "2",
    ]);
    command.args(["--ops", "2000", "--reps", "1", "--passes", "throughput"]);
    succeeded(&finish(command));
    for row in rows(folder.path()) {
        assert!(row.is_ok() && row.verify, "{} {}: {}", row.engine, row.workload, row.detail);
    }
}

#[test]
fn a_workload_of_the_users_own_runs_without_recompiling() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    std::fs::write(
        &file,
        "[[workload]]\nname = \"mine\"\nabout = \"x\"\n[workload.model.batch]\nsizes = { uniform = [8, 100] }\nbatch = 10\ncycles = 50\norder = \"random\"\n",
    )
    .unwrap();
    let mut command = allocbench();
    command.args([
        "bench",
        "--rows-only",
        "--engines",
        "system",
        "--threads",
        "1",
        "--reps",
        "1",
        "--passes",
        "throughput",
    ]);
    command.arg("--workload-file").arg(&file).args(["--workloads", "mine", "--out"]).arg(folder.path());
    succeeded(&finish(command));
    let rows = rows(folder.path());
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].workload.as_str(), rows[0].ops_total), ("mine", Some(1000)));
}

#[test]
fn shards_split_the_plan_without_loss() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    succeeded(&finish(small(&whole, &[])));
    let mut joined = BTreeSet::new();
    for part in ["1/3", "2/3", "3/3"] {
        let out = folder.path().join(part.replace('/', "of"));
        succeeded(&finish(small(&out, &["--shard", part])));
        for key in keys(&rows(&out)) {
            assert!(joined.insert(key), "a cell in two shards");
        }
    }
    assert_eq!(joined, keys(&rows(&whole)));
}
