//! Programs under the recorder: what the trace says against what the program says of itself, and against a second
//! library that counts in front of the recorder in the same run. Needs gcc; skips aloud without it.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use trace::info::Info;
use trace::spool::{Clock, Converted, Spool};
use trace::{Meta, Op, Reader, Writer};

struct Built {
    recorder: PathBuf,
    counter: PathBuf,
    program: PathBuf,
}

fn built() -> Option<&'static Built> {
    static BUILT: OnceLock<Option<Built>> = OnceLock::new();
    let found = BUILT.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let source = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name);
        let gcc = |out: &Path, name: &str, flags: &[&str]| {
            let mut command = Command::new("gcc");
            command.args(["-O1", "-fno-builtin", "-pthread", "-o"]).arg(out).arg(source(name)).args(flags);
            command.status().is_ok_and(|status| status.success())
        };
        let (counter, program) = (folder.join("libcount.so"), folder.join("program"));
        if !gcc(&counter, "count.c", &["-shared", "-fPIC", "-ldl"]) || !gcc(&program, "program.c", &[]) {
            return None;
        }
        let target = folder.join("library");
        let status = Command::new(env!("CARGO"))
            .args(["build", "--release", "-p", "recorder", "--config", "profile.release.panic=\"abort\""])
            .arg("--target-dir")
            .arg(&target)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .expect("cargo runs");
        assert!(status.success());
        Some(Built { recorder: target.join("release/liballocbench_record.so"), counter, program })
    });
    if found.is_none() {
        println!("skipped: gcc is not installed");
    }
    found.as_ref()
}

/// A recorded run: the program's output, what the counter counted, and each process's trace.
struct Run {
    output: Output,
    counted: u64,
    streams: Vec<(Converted, Info)>,
}

fn record(built: &Built, command: &mut Command) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let count = folder.path().join("count");
    std::fs::write(&count, [0; 4096]).unwrap();
    let spools = folder.path().join("spools");
    std::fs::create_dir(&spools).unwrap();
    let libraries = format!("{}:{}", built.counter.display(), built.recorder.display());
    command.env("LD_PRELOAD", libraries).env("COUNT_FILE", &count).env("ALLOCBENCH_RECORD_DIR", &spools);
    let output = command.output().unwrap();
    let counted = u64::from_ne_bytes(std::fs::read(&count).unwrap()[..8].try_into().unwrap());
    let mut found: Vec<_> = std::fs::read_dir(&spools)
        .unwrap()
        .map(|entry| Spool::open(&entry.unwrap().path()).unwrap())
        .collect();
    found.sort_by_key(|(_, spool)| spool.start_cycles);
    let mut streams = Vec::new();
    for (file, spool) in found {
        let mut writer = Writer::new(Vec::new(), &Meta { quantum_ns: 1, ..Meta::default() }).unwrap();
        let done =
            spool.convert(&file, None, Clock { ns_per_cycle: 0.4, quantum_ns: 1 }, &mut writer).unwrap();
        let bytes = writer.finish().unwrap();
        let mut info = Info::default();
        let (mut starts, mut exits) = (0, 0);
        Reader::new(&bytes[..]).unwrap().for_each(|_, event| {
            starts += u64::from(event.op == Op::ThreadStart);
            exits += u64::from(event.op == Op::ThreadExit);
            info.add(event).unwrap();
        });
        assert_eq!((done.lost, done.conflicts), (0, 0), "{done:?}");
        assert_eq!(starts, done.threads);
        assert!(exits <= starts);
        streams.push((done, info));
    }
    Run { output, counted, streams }
}

fn run_program(verb: &str) -> Option<Run> {
    let built = built()?;
    Some(record(built, Command::new(&built.program).arg(verb)))
}

fn calls(run: &Run) -> u64 {
    run.streams.iter().map(|(done, _)| done.calls).sum()
}

#[test]
fn a_serial_program_is_recorded_to_the_call() {
    let Some(run) = run_program("serial") else { return };
    let said = String::from_utf8(run.output.stdout.clone()).unwrap();
    let said: Vec<u64> = said.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let (_, info) = &run.streams[0];
    assert_eq!(run.counted, calls(&run));
    // The program alone: nothing in it allocates before or after but its own loop.
    assert_eq!([info.calls(), info.peak_live_bytes, info.end_live_bytes], said[..3]);
}

#[test]
fn thousands_of_threads_are_told_apart_and_counted() {
    let Some(run) = run_program("threads") else { return };
    assert!(run.output.status.success());
    assert_eq!(run.counted, calls(&run));
    let (done, info) = &run.streams[0];
    assert_eq!(done.threads, 4001);
    // Each thread frees what it was given, and leaves a block to be freed by the first.
    assert!(info.cross_thread_frees >= 8000, "{}", info.cross_thread_frees);
    assert!(info.peak_threads <= 60, "{} at once", info.peak_threads);
}

#[test]
fn forked_children_are_streams_of_their_own() {
    let Some(run) = run_program("fork") else { return };
    assert!(run.output.status.success());
    assert_eq!(run.streams.len(), 4);
    assert_eq!(run.counted, calls(&run));
    for (done, info) in &run.streams[1..] {
        assert_eq!((done.calls, info.peak_live_blocks), (200, 1));
    }
}

#[test]
fn a_killed_program_loses_nothing_it_had_done() {
    let Some(run) = run_program("killed") else { return };
    assert_eq!(run.output.status.signal(), Some(9));
    assert_eq!((run.counted, calls(&run)), (20_000, 20_000));
}

#[test]
fn leaving_at_once_keeps_code_and_records() {
    let Some(run) = run_program("exits") else { return };
    assert_eq!(run.output.status.code(), Some(7));
    assert_eq!((run.counted, calls(&run)), (2468, 2468));
}

#[test]
fn signal_handlers_that_allocate_are_recorded() {
    let Some(run) = run_program("signals") else { return };
    assert!(run.output.status.success());
    assert_eq!(run.counted, calls(&run));
    assert!(calls(&run) >= 800);
}

#[test]
fn real_programs_are_recorded_to_the_call() {
    let Some(built) = built() else { return };
    let mut ran = 0;
    for (program, arguments) in [
        ("/usr/bin/python3", &["-S", "-c", "import json; print(len(json.dumps(list(range(50000)))))"][..]),
        ("sqlite3", &[":memory:", "create table t(a, b); insert into t values (1, 2); select * from t;"]),
        ("git", &["--version"]),
        ("sh", &["-c", "ls / | wc -l"]),
    ] {
        if Command::new(program).arg("--version").output().is_err() {
            println!("skipped: {program} is not installed");
            continue;
        }
        let plain = Command::new(program).args(arguments).output().unwrap();
        let run = record(built, Command::new(program).args(arguments));
        assert_eq!((plain.status, plain.stdout), (run.output.status, run.output.stdout.clone()), "{program}");
        assert_eq!(run.counted, calls(&run), "{program}");
        ran += 1;
    }
    assert!(ran >= 1, "no program to record");
}
