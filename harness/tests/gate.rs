//! The verbs `gate`, `bisect` and `power` from outside: verdicts and their codes, refusals, what is written.

use std::path::Path;
use std::process::{Command, Output};

const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../gate.toml");

fn allocbench(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_allocbench"))
        .args(args)
        .current_dir(folder)
        .env_remove("GITHUB_ACTIONS")
        .output()
        .unwrap()
}

/// One line, code 3, and no report.
fn refused(folder: &Path, args: &[&str], expected: &[&str]) {
    let output = allocbench(folder, args);
    let said = String::from_utf8_lossy(&output.stderr).trim().to_string();
    assert_eq!(output.status.code(), Some(3), "{args:?}: {said}");
    assert_eq!(said.lines().count(), 1, "{args:?} says more than one line: {said}");
    for word in expected {
        assert!(said.contains(word), "{args:?} does not mention '{word}': {said}");
    }
    assert!(!folder.join("target/gate/report").exists(), "{args:?} leaves a report behind");
}

fn git(folder: &Path, args: &[&str]) {
    let identity = ["-c", "user.name=a", "-c", "user.email=a@b"];
    let output = Command::new("git").arg("-C").arg(folder).args(identity).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A repository whose revisions hold no package to build.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(CONFIG, folder.path().join("gate.toml")).unwrap();
    std::fs::write(folder.path().join(".gitignore"), "/target\n").unwrap();
    git(folder.path(), &["init", "--quiet"]);
    for message in ["first", "second"] {
        std::fs::write(folder.path().join("file"), message).unwrap();
        git(folder.path(), &["add", "--all"]);
        git(folder.path(), &["commit", "--quiet", "-m", message]);
    }
    folder
}

fn gate<'a>(flags: &[&'a str]) -> Vec<&'a str> {
    [&["gate", "--no-instructions", "--quiet"], flags].concat()
}

#[test]
fn what_cannot_run_is_one_line_and_code_three() {
    let folder = repository();
    let here = folder.path();
    refused(here, &gate(&["--candidate", "nosuch"]), &["'nosuch'", "git log"]);
    refused(here, &gate(&["--candidate", "system", "--reference", "HEAD~9"]), &["HEAD~9", "git log"]);
    refused(here, &gate(&["--candidate", "HEAD", "--reference", "HEAD~1"]), &["does not build", "log"]);
    refused(here, &gate(&["--candidate", "bin:/bin/true"]), &["/bin/true", "allocbench-cell"]);
    refused(here, &gate(&["--candidate", "engine:nosuch"]), &["'nosuch'", "known are"]);
    refused(here, &gate(&["--engine", "nosuch"]), &["'nosuch'", "known are"]);
    refused(here, &gate(&["--candidate", "csv:x.csv", "--reference", "system"]), &["x.csv", "--candidate"]);
    refused(here, &gate(&["--candidate", "system", "--reference", "none.csv"]), &["none.csv"]);
    refused(here, &gate(&["--metrics", "speed"]), &["'speed'", "alloc_ns_p99"]);
    refused(here, &gate(&["--budget", "0"]), &["--budget"]);
    refused(here, &gate(&["--config", "none.toml"]), &["none.toml", "--config"]);
    refused(here, &["bisect", "--good", "nosuch"], &["'nosuch'"]);
    refused(here, &["bisect", "--good", "HEAD"], &["the same revision"]);
    refused(here, &["bisect", "--good", "HEAD", "--bad", "HEAD~1"], &["ancestor"]);
    refused(here, &["bisect", "--quiet", "--good", "HEAD~1"], &["does not build"]);
}

#[test]
fn a_dirty_tree_is_refused_with_the_file_and_the_remedy() {
    let folder = repository();
    std::fs::write(folder.path().join("file"), "changed").unwrap();
    refused(folder.path(), &gate(&[]), &["differs", "file", "--allow-dirty"]);
    let none = tempfile::tempdir().unwrap();
    std::fs::copy(CONFIG, none.path().join("gate.toml")).unwrap();
    refused(none.path(), &gate(&[]), &["git repository"]);
}

#[test]
fn wrong_flags_have_code_three_as_two_is_a_verdict() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(allocbench(folder.path(), &["gate", "--nosuch"]).status.code(), Some(3));
    assert_eq!(allocbench(folder.path(), &["bench", "--nosuch"]).status.code(), Some(2));
    assert_eq!(allocbench(folder.path(), &["gate", "--help"]).status.code(), Some(0));
}

#[test]
fn empty_baselines_are_refused() {
    let folder = repository();
    let here = folder.path();
    let header = harness::store::columns().join(",") + "\n";
    std::fs::write(here.join("empty.csv"), header).unwrap();
    refused(here, &gate(&["--candidate", "system", "--reference", "empty.csv"]), &["empty.csv"]);
    std::fs::write(here.join("counts.csv"), "engine,workload\n").unwrap();
    let args = ["gate", "--instructions-baseline", "counts.csv"];
    refused(here, &args, &["counts.csv", "make gate-baseline"]);
}

/// A configuration whose thresholds decide after few units whatever the machine does beside.
fn coarse(folder: &Path) {
    let text = std::fs::read_to_string(CONFIG).unwrap();
    let text = text
        .replace("pass_below = 1.10\n", "pass_below = 8.0\n")
        .replace("pass_below = 1.111\n", "pass_below = 8.0\n")
        .replace("fail_above = 1.02\n", "fail_above = 3.0\n");
    let text = text.replace("ops = 50000", "ops = 2000");
    std::fs::write(folder.join("gate.toml"), text).unwrap();
}

#[test]
fn equal_sides_pass_and_every_file_is_written() {
    let folder = tempfile::tempdir().unwrap();
    coarse(folder.path());
    let flags = ["--candidate", "system", "--reference", "system", "--budget", "20", "--annotations"];
    let output = allocbench(folder.path(), &gate(&flags));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("::notice title=Gate%3A pass::"), "{said}");
    assert!(said.contains("A/A control"), "{said}");
    let report = folder.path().join("target/gate/report");
    for name in ["gate.md", "gate.xml", "gate.json", "gate.svg", "gate.png"] {
        assert!(report.join(name).metadata().unwrap().len() > 100, "{name}");
    }
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(report.join("gate.json")).unwrap()).unwrap();
    assert_eq!(json["outcome"]["verdict"], "pass");
}

#[test]
fn a_slow_engine_fails() {
    let folder = tempfile::tempdir().unwrap();
    coarse(folder.path());
    // Every allocation of `slowed` takes ten microseconds more.
    let output = Command::new(env!("CARGO_BIN_EXE_allocbench"))
        .args(gate(&["--candidate", "slowed", "--reference", "system", "--budget", "30"]))
        .current_dir(folder.path())
        .envs([("SLOWED_EVERY", "1"), ("SLOWED_DELAY_NS", "10000")])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("alloc") && said.contains("surely above"), "{said}");
}

#[test]
fn a_budget_for_nothing_is_undecided() {
    let folder = tempfile::tempdir().unwrap();
    coarse(folder.path());
    let output = allocbench(
        folder.path(),
        &gate(&["--candidate", "system", "--reference", "jemalloc", "--budget", "0.1"]),
    );
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn the_study_shows_its_table_and_refuses_what_it_does_not_know() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(CONFIG, folder.path().join("gate.toml")).unwrap();
    let output = allocbench(folder.path(), &["power", "--cells", "nosuch"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("p99_10"));
    let output = allocbench(folder.path(), &["power", "--table", "--out", "none.csv"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("none.csv"));
}

#[test]
fn two_per_cent_more_instructions_on_the_fast_path_fail_every_time_and_equal_sides_never() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!("skipped: valgrind is not installed, so no instruction can be counted");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(CONFIG).unwrap();
    // Counts repeat: five gates of a kind say all that more would.
    let short = text.replace("tiny_hot = 20000", "tiny_hot = 4000");
    assert_ne!(short, text);
    std::fs::write(folder.path().join("gate.toml"), short).unwrap();
    let flags = ["--cells", "instructions_2,instructions_aa", "--shard", "1/4", "--out", "power.csv"];
    let output = allocbench(folder.path(), &[&["power"], &flags[..]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows = harness::gate::study::read(&folder.path().join("power.csv")).unwrap();
    let of = |cell: &'static str| rows.iter().filter(move |row| row.cell == cell);
    for (cell, verdict) in [("instructions_2", "fail"), ("instructions_aa", "pass")] {
        assert_eq!(of(cell).count(), 5, "{cell}");
        assert!(of(cell).all(|row| row.base == "ace" && row.verdict == verdict), "{cell}: {rows:?}");
    }
    // Two per cent of the fast path, which is a seventh to a quarter of what an operation of the loop costs, by the build.
    let planted =
        |row: &harness::gate::study::Row| row.ratio.is_some_and(|ratio| (1.0022..1.01).contains(&ratio));
    assert!(of("instructions_2").all(planted), "{rows:?}");
    // Waits are not counted, so what is left is the same work: a fiftieth of the margin is room for chance in addresses.
    let equal =
        |row: &harness::gate::study::Row| row.ratio.is_some_and(|ratio| (ratio - 1.0).abs() < 0.000_04);
    assert!(of("instructions_aa").all(equal), "{rows:?}");
}
