//! `ablate`, `sweep`, `learn` and `explain` end to end, small, on real engines in real child processes; and what they refuse.

#[path = "common/binary.rs"]
mod binary;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use binary::allocbench;
use cell::wire::{Pass, Request};

fn run(words: &[&str], out: &Path) -> Output {
    let output = allocbench().args(words).arg("--out").arg(out).output().unwrap();
    assert!(
        output.status.success(),
        "{words:?}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

fn refused(words: &[&str], environment: &[(&str, &str)], expected: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let output = allocbench()
        .args(words)
        .envs(environment.iter().copied())
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).trim().to_string();
    assert_eq!(output.status.code(), Some(2), "{words:?}: {said}");
    assert_eq!(said.lines().count(), 1, "{words:?} says more than one line: {said}");
    for word in expected {
        assert!(said.contains(word), "{words:?} does not mention '{word}': {said}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{words:?} leaves something behind");
}

fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(str::to_owned).collect()
}

/// Nothing but the files that are promised: no temporary one is left.
fn no_part_is_left(folder: &Path) {
    let left: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".part"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

const SMALL: [&str; 6] = ["--threads", "1", "--ops", "2000", "--reps", "2"];

#[test]
fn an_ablation_run_writes_its_files_and_resumes_to_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("results");
    let mut words = vec![
        "ablate",
        "--ablations",
        "refill_one,ace_off",
        "--workloads",
        "tiny_hot,rl_small+",
        "--trace",
        "none",
    ];
    words.extend(SMALL);
    run(&words, &out);
    let found = lines(&out.join("ablation.csv"));
    // The control and two ablations, two workloads, five figures; no drain points of these workloads.
    assert_eq!(found.len() - 1, 3 * 2 * 5, "{found:?}");
    for engine in ["ace#aa", "refill_one", "ace_off"] {
        for workload in ["tiny_hot", "rl_small+"] {
            let mine = |line: &&String| line.starts_with(&format!("{engine},{workload},1,"));
            assert_eq!(found.iter().filter(mine).count(), 5, "{engine} {workload}");
        }
    }
    let text = lines(&out.join("ablation.md")).join("\n");
    for expected in [
        "### Every ablation",
        "### The learning layer: on, observe, off",
        "### refill_one: ace, a miss takes one block",
    ] {
        assert!(text.contains(expected), "`{expected}` is missing");
    }
    let plots = folder.path().join("plots");
    assert!(plots.join("ablation.png").metadata().unwrap().len() > 10_000);
    let svg = lines(&plots.join("ablation.svg")).join("\n");
    assert!(svg.contains("refill_one") && svg.contains("rl_small+"));

    words.push("--resume");
    run(&words, &out);
    assert_eq!(lines(&out.join("ablation.csv")), found, "all was on record: nothing is measured anew");
    no_part_is_left(&out);
}

#[test]
fn a_budget_that_is_too_small_says_what_it_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("results");
    let words = [
        "ablate",
        "--ablations",
        "ace_off",
        "--workloads",
        "tiny_hot,mostly_idle",
        "--trace",
        "none",
        "--threads",
        "1",
        "--ops",
        "2000",
        "--budget",
        "4",
    ];
    let said = String::from_utf8(run(&words, &out).stderr).unwrap();
    assert!(said.contains("left out: mostly_idle: its threads sleep") && said.contains("--budget"), "{said}");
    let text = lines(&out.join("ablation.md")).join("\n");
    assert!(text.contains("### Planned, and not measured") && text.contains("mostly_idle"), "{text}");
}

#[test]
fn a_sweep_tries_every_setting_and_recommends_with_reason() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("results");
    let mut words = vec!["sweep", "rl_small", "--knob", "ACE_BATCH=0,8", "--knob", "ACE_LIMIT_HARD=0,1"];
    words.extend(SMALL);
    let said = String::from_utf8(run(&words, &out).stdout).unwrap();
    assert!(said.contains("Keep what is shipped"), "two blocks prove nothing: {said}");
    let found = lines(&out.join("sweep.csv"));
    assert!(found[0].starts_with("setting,ACE_BATCH,ACE_LIMIT_HARD,speed_ratio,"), "{}", found[0]);
    // That a setting reaches the engine: with a limit of one byte nothing can be allocated, so no figures.
    let settings: Vec<&String> = found
        .iter()
        .filter(|line| {
            line.starts_with('s')
                && !line.starts_with("s,")
                && !line.starts_with("se")
                && !line.starts_with("sy")
        })
        .collect();
    assert_eq!(settings.len(), 2, "{found:?}");
    assert!(settings.iter().all(|line| line.contains(",0,")), "{settings:?}");
    for engine in ["ace,", "ace_on,", "ace_off,", "system,"] {
        assert!(found.iter().any(|line| line.starts_with(engine)), "{engine} {found:?}");
    }
    assert!(folder.path().join("plots/sweep.png").is_file() && out.join("sweep.md").is_file());
    no_part_is_left(&out);
    // Other settings under the same number are another run.
    let mut other =
        vec!["sweep", "rl_small", "--resume", "--knob", "ACE_BATCH=0,16", "--knob", "ACE_LIMIT_HARD=0,1"];
    other.extend(SMALL);
    let output = allocbench().args(&other).arg("--out").arg(&out).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("--resume"), "{said}");
}

#[test]
fn a_learn_table_finds_a_best_setting_and_judges() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("results");
    let rows = concat!(env!("CARGO_MANIFEST_DIR"), "/learn-table.toml");
    let output = run(&["learn", "--rows", rows, "--only", "rl_small+", "--reps", "2", "--ops", "2000"], &out);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("Of 3 statements that it does no harm"), "{said}");
    let found = lines(&out.join("learn.csv"));
    // Three comparisons, five figures.
    assert_eq!(found.len() - 1, 15, "{found:?}");
    assert!(found[1].contains("ACE_CACHE_SLOTS=") && found[1].contains("ACE_CACHE_BYTES="), "{}", found[1]);
    let text = lines(&out.join("learn.md")).join("\n");
    assert!(text.contains("undecided") && text.contains("corrected by Holm"), "{text}");
}

/// A cell under the learning layer, its log in `log`.
fn record_log(log: &Path) {
    let workload = workloads::catalog::find("mostly_idle").unwrap().scaled(200_000);
    let request = Request {
        engine: "ace".into(),
        workload,
        threads: 2,
        seed: 1,
        pass: Pass::Throughput,
        verify: false,
        pin: false,
    };
    let mut child =
        Command::new(Path::new(env!("CARGO_BIN_EXE_allocbench")).with_file_name("allocbench-cell"))
            .arg("run")
            .envs([("ACE_LEARN", "on"), ("ACE_LOG", "decisions")])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(log).unwrap())
            .spawn()
            .unwrap();
    serde_json::to_writer(child.stdin.take().unwrap(), &request).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_real_log_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("idle.log");
    record_log(&log);
    let plots = folder.path().join("plots");
    let output = allocbench().arg("explain").arg(&log).arg("--plots").arg(&plots).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for expected in ["Summary", "resting heaps emptied", "Course", "balanced"] {
        assert!(said.contains(expected), "`{expected}`: {said}");
    }
    assert!(plots.join("explain-idle.svg").is_file() && plots.join("explain-idle.png").is_file());
}

#[test]
fn wrong_requests_are_named() {
    refused(&["ablate", "--ablations", "nosuch"], &[], &["--ablations", "'nosuch'", "known are"]);
    refused(&["ablate", "--ablations", "jemalloc"], &[], &["'jemalloc'"]);
    refused(&["ablate", "--workloads", "nosuch", "--trace", "none"], &[], &["'nosuch'", "known are"]);
    refused(&["ablate", "--trace", "/no/such.trace"], &[], &["/no/such.trace"]);
    refused(&["ablate", "--trace", "none", "--threads", "0"], &[], &["--threads"]);
    refused(&["ablate", "--trace", "none", "--budget", "0"], &[], &["--budget"]);
    refused(&["ablate"], &[("ACE_BATCH", "8")], &["ACE_BATCH", "unset"]);
    refused(&["sweep", "nosuch"], &[], &["'nosuch'"]);
    refused(&["sweep", "note"], &[], &["several workloads"]);
    refused(&["sweep", "--threads", "1,2"], &[], &["--threads", "one"]);
    refused(&["sweep", "--knob", "ACE_SPEED=1"], &[], &["'ACE_SPEED'", "known are"]);
    refused(&["sweep", "--knob", "ACE_BATCH=many"], &[], &["ACE_BATCH=many", "from 0 to 65535"]);
    refused(&["sweep", "--random", "0"], &[], &["--random"]);
    refused(&["sweep", "--peak-limit", "nan"], &[], &["--peak-limit"]);
    refused(&["sweep"], &[("ACE_LEARN", "on")], &["ACE_LEARN", "unset"]);
    refused(&["learn", "--rows", "/no/such.toml"], &[], &["/no/such.toml", "--rows"]);
    let rows = concat!(env!("CARGO_MANIFEST_DIR"), "/learn-table.toml");
    refused(&["learn", "--rows", rows, "--only", "larson"], &[], &["'larson'", "burst_idle"]);
    refused(&["learn", "--rows", rows, "--reps", "0"], &[], &["--reps"]);
    refused(&["explain", "/no/such.log"], &[], &["/no/such.log", "ACE_LOG=decisions"]);
}

#[test]
fn a_malformed_log_is_refused_with_its_line_and_leaves_no_plot() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("x.log");
    std::fs::write(&log, "ace-worker t_ms=0 tick=0 state=started mode=on\nace-memory t_ms=zero\n").unwrap();
    refused(&["explain", log.to_str().unwrap()], &[], &["x.log: line 2"]);
    std::fs::write(&log, "nothing of ours\n").unwrap();
    refused(&["explain", log.to_str().unwrap()], &[], &["x.log", "ACE_LEARN=on"]);
}
