//! Reading, appending and merging result files, and the one line that each broken file gets.

mod common;

use harness::row::Row;
use harness::store::{self, Appender};
use std::path::{Path, PathBuf};

fn rows() -> Vec<Row> {
    common::run(1).into_iter().take(20).collect()
}

fn file(folder: &Path, text: &[u8]) -> PathBuf {
    let path = folder.join("bench.csv");
    std::fs::write(&path, text).unwrap();
    path
}

fn good(folder: &Path) -> String {
    let path = folder.join("good.csv");
    store::write_atomic(&path, &rows()).unwrap();
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn rows_survive_the_way_through_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/bench.csv");
    let mut appender = Appender::create(&path).unwrap();
    let mut wanted = rows();
    wanted[0].detail = "a, \"quoted\" word".into();
    for (at, row) in wanted.iter().enumerate() {
        appender.append(row).unwrap();
        assert_eq!(store::read(&path).unwrap().len(), at + 1, "a row is not flushed");
    }
    assert_eq!(store::read(&path).unwrap(), wanted);
    assert!(Appender::create(&path).unwrap_err().to_string().contains("--resume"));
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn a_cut_line_is_refused_when_reading_and_dropped_when_resuming() {
    let folder = tempfile::tempdir().unwrap();
    let text = good(folder.path());
    let path = file(folder.path(), &text.as_bytes()[..text.len() - 5]);
    let error = store::read(&path).unwrap_err().to_string();
    assert!(error.contains("line 21 is cut short") && error.contains("--resume"), "{error}");
    let loaded = store::read_for_resume(&path).unwrap();
    assert_eq!(loaded.rows.len(), 19);
    assert!(loaded.warning.as_ref().unwrap().contains("line 21"));
    let mut appender = Appender::resume(&path, &loaded).unwrap();
    appender.append(&rows()[19]).unwrap();
    assert_eq!(store::read(&path).unwrap(), rows());
}

#[test]
fn an_empty_or_headless_file_can_be_resumed() {
    let folder = tempfile::tempdir().unwrap();
    for start in ["", "schema,eng"] {
        let path = file(folder.path(), start.as_bytes());
        let loaded = store::read_for_resume(&path).unwrap();
        Appender::resume(&path, &loaded).unwrap().append(&rows()[0]).unwrap();
        assert_eq!(store::read(&path).unwrap(), rows()[..1]);
    }
}

#[test]
fn each_broken_file_gets_one_line_with_place_and_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let text = good(folder.path());
    let nth_field = |line: usize, column: &str, value: &str| {
        let at = store::columns().iter().position(|name| name == column).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut fields: Vec<&str> = lines[line - 1].split(',').collect();
        fields[at] = value;
        lines[line - 1] = fields.join(",");
        lines.join("\n") + "\n"
    };
    let duplicate = format!("{text}{}\n", text.lines().nth(1).unwrap());
    let cases: [(Vec<u8>, &[&str]); 11] = [
        (
            text.replacen(",ops_total,", ",ops_sum,", 1).into(),
            &["line 1", "`ops_total` is missing", "measure again"],
        ),
        (nth_field(3, "schema", "2").into(), &["line 3", "`schema`", "version `2`"]),
        (nth_field(4, "threads", "two").into(), &["line 4", "`threads`", "correct the field"]),
        (nth_field(4, "threads", "0").into(), &["line 4", "`threads`", "within 1 to"]),
        (nth_field(5, "ops_per_s", "NaN").into(), &["line 5", "`ops_per_s`", "not a finite number"]),
        (nth_field(5, "elapsed_ns", "1.5e3").into(), &["line 5", "`elapsed_ns`", "correct the field"]),
        (nth_field(6, "engine", "").into(), &["line 6", "`engine`", "1 to 80 printable"]),
        (nth_field(6, "detail", &"x".repeat(5000)).into(), &["line 6", "`detail`", "longer than"]),
        (nth_field(7, "status", "ok,extra").into(), &["line 7", "columns where", "delete the line"]),
        (duplicate.into(), &["line 22 repeats the cell of line 2", "delete one"]),
        (b"hello,world\n1,2\n".into(), &["line 1", "`schema` is missing", "no result file"]),
    ];
    for (bytes, expected) in cases {
        let path = file(folder.path(), &bytes);
        let error = format!("{:#}", store::read(&path).unwrap_err());
        assert!(error.contains("bench.csv: ") && !error.contains('\n'), "{error}");
        for part in expected {
            assert!(error.contains(part), "`{part}` is not in: {error}");
        }
    }
}

#[test]
fn bad_utf8_names_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = good(folder.path()).into_bytes();
    let line = bytes.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    // Behind `1,`: the first letter of the engine.
    bytes[line + 2] = 0xFF;
    let error = store::read(&file(folder.path(), &bytes)).unwrap_err().to_string();
    assert!(error.contains("line 2") && error.contains("`engine`") && error.contains("not UTF-8"), "{error}");
}

#[test]
fn shards_merge_into_what_one_run_would_have_written() {
    let all = rows();
    let (a, b): (Vec<Row>, Vec<Row>) = all.iter().cloned().partition(|row| row.engine.as_str() < "m");
    let shards = [(PathBuf::from("a.csv"), a.clone()), (PathBuf::from("b.csv"), b.clone())];
    let merged = store::merge(&shards).unwrap();
    assert_eq!(merged.len(), all.len());
    let refused = |second: Vec<Row>| {
        store::merge(&[shards[0].clone(), (PathBuf::from("b.csv"), second)]).unwrap_err().to_string()
    };
    assert!(refused(a[..1].to_vec()).contains("is in a.csv too"));
    assert!(refused(vec![Row { seed: 7, ..b[0].clone() }]).contains("not shards of one plan"));
    let other = Row { engine_version: "9".into(), block: 5, ..a[0].clone() };
    assert!(refused(vec![other]).contains("is version 9 here"));
}
