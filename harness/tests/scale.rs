//! `scale` and `diagnose` as a user runs them: rows, resuming, interruption, refusals, and verdicts on planted causes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use harness::scale::{record, row::Row};

/// The program; its server and client must lie beside it, as a build of the workspace leaves them.
fn allocbench() -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_allocbench"));
    let folder = program.parent().unwrap();
    for name in ["allocbench-serve", "allocbench-load", "libheap_probe_preload.so"] {
        assert!(folder.join(name).is_file(), "{name} is missing; run `cargo build --workspace` first");
    }
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    command
}

fn run(folder: &Path, words: &str) -> Output {
    let output = allocbench().args(words.split_whitespace()).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn rows(folder: &Path) -> Vec<Row> {
    record::read(&folder.join("results/scaling.csv")).unwrap()
}

const TINY: &str =
    "scale --size quick --tests threads,keep_alive --engines glibc --requests 8 --payloads 204800";

#[test]
fn a_run_can_be_cut_and_resumed_and_writes_rows_tables_and_plots() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &format!("{TINY} --stop-after 9"));
    let some = rows(folder.path());
    run(folder.path(), &format!("{TINY} --stop-after 0 --resume"));
    assert_eq!(rows(folder.path()), some, "nothing is measured after no time");
    run(folder.path(), &format!("{TINY} --resume"));
    let all = rows(folder.path());
    assert_eq!(all.len(), 7);
    assert_eq!(all[..some.len()], some[..], "what was measured is kept");
    for row in &all {
        assert!(row.is_ok(), "{row:?}");
        assert_eq!((row.answered, row.errors), (Some(8), Some(0)));
        assert!(row.live_bytes.unwrap() < row.resident_bytes_idle_0ms.unwrap(), "{row:?}");
        assert!(row.library.contains("libc.so"), "{row:?}");
        assert!(row.threads_peak.unwrap() >= 4, "{row:?}");
    }
    let page = std::fs::read_to_string(folder.path().join("results/scaling.md")).unwrap();
    assert!(page.contains("Keep-alive") && page.contains("Threads"), "{page}");
    for name in ["scaling-threads.svg", "scaling-time.png"] {
        assert!(folder.path().join("plots").join(name).is_file(), "{name}");
    }
    let again = run(folder.path(), "scale --report results/scaling.csv --out again");
    assert!(String::from_utf8_lossy(&again.stdout).contains("Keep-alive"));
    assert_eq!(std::fs::read_to_string(folder.path().join("again/scaling.md")).unwrap(), page);
}

#[test]
fn an_interrupted_run_keeps_its_rows_and_leaves_no_process() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = allocbench()
        .args("scale --size quick --tests engines --engines glibc --requests 100000".split_whitespace())
        .current_dir(folder.path())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let server = wait_for(|| child_of(child.id()));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let status = wait_for(|| child.try_wait().unwrap());
    assert_eq!(status.code(), Some(130));
    assert!(rows(folder.path()).is_empty());
    wait_for(|| (!Path::new(&format!("/proc/{server}")).exists()).then_some(()));
}

fn wait_for<T>(mut ready: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = ready() {
            return found;
        }
        assert!(Instant::now() < deadline, "it did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The server that a process has started.
fn child_of(pid: u32) -> Option<u32> {
    std::fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
        let own: u32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        let parent: u32 = stat.rsplit(") ").next()?.split(' ').nth(1)?.parse().ok()?;
        (parent == pid && stat.contains("allocbench-serv")).then_some(own)
    })
}

#[test]
fn what_cannot_work_is_one_line_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (words, name) in [
        ("scale --engines nonesuch", "known are glibc"),
        ("scale --engines glibc,glibc", "named twice"),
        ("scale --blocks 0", "--blocks"),
        ("scale --concurrency 5000", "--concurrency"),
        ("scale --payloads 7", "--payloads"),
        ("scale --rate=-3", "--rate"),
        ("scale --shard 3/2", "--shard"),
        ("scale --preload x=/nowhere", "--preload"),
        ("scale --report nowhere.csv", "nowhere.csv"),
        ("diagnose", "name a process id"),
        ("diagnose 4194304", "there is none"),
        ("diagnose --cell nonesuch", "known are glibc"),
        ("diagnose --looks 0 1", "--looks"),
        ("diagnose --figures nowhere.csv 1", "nowhere.csv"),
        ("diagnose -- /nowhere/program", "cannot be started"),
    ] {
        let output = allocbench().args(words.split_whitespace()).current_dir(folder.path()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{words}: {text}");
        assert!(text.contains(name), "{words}: {text}");
        assert!(text.lines().count() == 1 || text.contains("tip:"), "{words}: {text}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

fn class_of(words: &str) -> (String, serde_json::Value) {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), words);
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    (found["verdict"]["class"].as_str().unwrap().to_string(), found)
}

#[test]
fn a_planted_leak_is_called_a_leak() {
    let (class, found) = class_of("diagnose --cell glibc --bursts 6 --requests 60 --leak 30000 --json");
    assert_eq!(class, "leak", "{found}");
    assert!(found["verdict"]["sentence"].as_str().unwrap().contains("go on growing"), "{found}");
}

#[test]
fn what_a_burst_leaves_is_called_retention_and_its_mechanism_named() {
    let (class, found) = class_of("diagnose --cell glibc --bursts 5 --requests 100 --trim --json");
    assert_eq!(class, "arena_retention", "{found}");
    let sentence = found["verdict"]["sentence"].as_str().unwrap();
    assert!(sentence.contains("utilisation collapsed") && sentence.contains("a trim returned"), "{sentence}");
    let heap = &found["snapshots"][4]["heap"];
    let of = |name: &str| heap[name].as_f64().unwrap();
    assert!(of("allocated_bytes") < 0.1 * of("arena_bytes"), "{heap}");
}

#[test]
fn a_command_is_made_to_answer() {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_allocbench"));
    let serve = program.with_file_name("allocbench-serve");
    let (class, found) = class_of("diagnose --seconds 1 --looks 4 --json -- sleep 30");
    assert_eq!(class, "small", "{found}");
    assert_eq!(found["snapshots"][0]["heap"]["engine"], "glibc", "{found}");
    let (class, _) = class_of(&format!("diagnose --seconds 1 --looks 4 --json -- {}", serve.display()));
    assert_eq!(class, "small");
}

#[test]
fn every_column_is_documented() {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/SERVING.md")).unwrap();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.serialize(Row::default()).unwrap();
    let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
    for column in text.lines().next().unwrap().split(',') {
        assert!(page.contains(&format!("`{column}`")), "docs/SERVING.md does not explain `{column}`");
    }
}
