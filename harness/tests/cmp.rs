//! The verbs `cmp` and `merge`, and the program's exit codes.

mod common;

use harness::cmd::cmp;
use harness::store;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn args(files: &[&Path], engines: &[&str]) -> cmp::Args {
    cmp::Args {
        files: files.iter().map(PathBuf::from).collect(),
        engines: engines.iter().map(|name| (*name).to_owned()).collect(),
        metrics: vec!["ops_per_s".into()],
        json: true,
        markdown: false,
    }
}

fn ratios(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

fn allocbench(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_allocbench")).args(arguments).output().unwrap()
}

fn written(folder: &Path, name: &str, factor: f64) -> PathBuf {
    let path = folder.join(name);
    let mut rows = common::run(5);
    for row in &mut rows {
        row.ops_per_s = row.ops_per_s.map(|value| value * factor);
    }
    store::write_atomic(&path, &rows).unwrap();
    path
}

#[test]
fn two_engines_of_one_file_are_paired() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), "a.csv", 1.0);
    let found = ratios(&cmp::compare(&args(&[&path], &["ace", "system"])).unwrap());
    assert_eq!(found["pairing"], "Paired within blocks.");
    assert_eq!(found["ratios"].as_array().unwrap().len(), 14 * 4);
    assert_eq!(found["ratios"][0]["n"], 5);
    assert_eq!(found["ratios"][0]["confidence"], 0.9375);
}

#[test]
fn two_files_are_unpaired_and_the_second_is_over_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (written(folder.path(), "old.csv", 1.0), written(folder.path(), "new.csv", 0.5));
    let found = ratios(&cmp::compare(&args(&[&old, &new], &[])).unwrap());
    assert!(found["pairing"].as_str().unwrap().starts_with("Not paired"));
    let first = &found["ratios"][0];
    assert!((first["ratio"].as_f64().unwrap() - 0.5).abs() < 0.02, "{first}");
    assert_eq!(first["judgement"], "worse");
}

#[test]
fn each_form_is_written_and_a_wrong_word_names_the_right_ones() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), "a.csv", 1.0);
    let form = |json, markdown| {
        cmp::compare(&cmp::Args { json, markdown, ..args(&[&path], &["ace", "system"]) }).unwrap()
    };
    assert!(form(false, true).contains("| engine | workload | threads |"));
    assert!(form(false, false).contains("judgement"));
    let error = cmp::compare(&args(&[&path], &["ace", "nosuch"])).unwrap_err().to_string();
    assert!(error.contains("no engine `nosuch`") && error.contains("jemalloc"), "{error}");
    let error =
        cmp::compare(&cmp::Args { metrics: vec!["speed".into()], ..args(&[&path], &["ace", "system"]) })
            .unwrap_err();
    assert!(error.to_string().contains("alloc_ns_p99"), "{error}");
}

#[test]
fn exit_codes_and_error_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), "a.csv", 1.0);
    let done = allocbench(&["cmp", "--engines", "ace,system", path.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(0));
    let failed = allocbench(&["report", "/nonexistent/bench.csv"]);
    let said = String::from_utf8(failed.stderr).unwrap();
    assert_eq!(failed.status.code(), Some(2));
    assert!(said.starts_with("allocbench: /nonexistent/bench.csv: ") && said.lines().count() == 1, "{said}");
}

#[test]
fn merge_writes_rows_and_what_lies_beside_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let rows = common::run(2);
    let (a, b): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.block == 0);
    for (name, shard, place) in [("a", &a, 1), ("b", &b, 2)] {
        store::write_atomic(&path(&format!("{name}.csv")), shard).unwrap();
        let provenance = format!(r#"{{"revision": "r", "shard": {place}, "left_out": ["{name}"]}}"#);
        std::fs::write(path(&format!("{name}.provenance.json")), provenance).unwrap();
        std::fs::write(path(&format!("{name}.timeline.csv")), format!("engine\n{name}\n")).unwrap();
    }
    let words: Vec<String> =
        ["a.csv", "b.csv", "all.csv"].iter().map(|name| path(name).display().to_string()).collect();
    let done = allocbench(&["merge", &words[0], &words[1], "-o", &words[2]]);
    let said = String::from_utf8(done.stdout).unwrap();
    assert_eq!(done.status.code(), Some(0), "{said}");
    assert!(said.contains(&format!("{} rows of 2 shards", a.len() + b.len())), "{said}");
    let provenance = store::read_provenance(&path("all.csv")).unwrap();
    assert_eq!(provenance["revision"], "r");
    assert_eq!(provenance["left_out"], serde_json::json!(["a", "b"]));
    assert_eq!(std::fs::read_to_string(path("all.timeline.csv")).unwrap(), "engine\na\nb\n");
    let again = allocbench(&["merge", &words[0], &words[0], "-o", &path("x.csv").display().to_string()]);
    assert_eq!(again.status.code(), Some(2));
}
