//! Real programs under `LD_PRELOAD`: same output, same exit status as without.
//!
//! A program that is not installed is skipped aloud; at least two must be there. `scripts/real_programs.sh` runs more.

mod support;

use std::process::Command;
use support::{compile, holds, library, run};

/// The real file behind a program's name: a version manager's shim would be preloaded instead of the interpreter.
fn find(name: &str, ask: &[&str]) -> Option<String> {
    let out = Command::new(name).args(ask).output().ok()?;
    out.status.success().then(|| match ask {
        ["-c", _] => String::from_utf8(out.stdout).unwrap().trim().to_owned(),
        _ => name.to_owned(),
    })
}

fn same(program: &str, args: &[&str]) {
    let (plain, ours) = (run(program, args, None), run(program, args, Some(library())));
    assert_eq!(plain.status, ours.status, "{program} {args:?}: {}", String::from_utf8_lossy(&ours.stderr));
    assert_eq!(plain.stderr, ours.stderr, "{program} {args:?}");
    assert!(plain.stdout == ours.stdout, "{program} {args:?}: output differs");
    assert!(!plain.stdout.is_empty(), "{program} {args:?}: prints something to compare");
}

const PYTHON: &str = "
import json, threading, sqlite3, subprocess, ctypes, re
data = [{'k%d' % i: list(range(i % 50))} for i in range(20000)]
print(len(json.dumps(json.loads(json.dumps(data)))))
out = []
def work(n): out.append(sum(len(str(i)) for i in range(n * 1000)))
ts = [threading.Thread(target=work, args=(i,)) for i in range(16)]
[t.start() for t in ts]; [t.join() for t in ts]
print(sorted(out))
db = sqlite3.connect(':memory:')
db.execute('create table t (a integer, b text)')
db.executemany('insert into t values (?, ?)', [(i, str(i) * (i % 30)) for i in range(50000)])
print(db.execute('select count(*), sum(length(b)) from t').fetchone())
print(subprocess.run(['echo', 'child'], capture_output=True).stdout)
print(len(re.findall(r'(a+)(b*)', 'aab' * 30000)))
";

const SQL: &str = "create table t(a,b); with recursive c(x) as (select 1 union all select x+1 from c where x<100000) \
    insert into t select x, hex(x*x) from c; create index i on t(b); select count(*), sum(length(b)) from t; \
    select b from t order by b limit 5;";

#[test]
fn programs_behave_the_same() {
    let mut ran = 0;
    let mut case = |name: &str, ask: &[&str], args: &[&str]| match find(name, ask) {
        Some(program) => {
            same(&program, args);
            ran += 1;
        }
        None => println!("skipped: {name} is not installed"),
    };
    case("python3", &["-c", "import sys; print(sys.executable)"], &["-c", PYTHON]);
    case("git", &["--version"], &["-C", env!("CARGO_MANIFEST_DIR"), "log", "--stat", "-n", "50"]);
    case(
        "gcc",
        &["--version"],
        &["-O2", "-S", "-o", "-", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/c_abi.c")],
    );
    case("sqlite3", &["--version"], &[":memory:", SQL]);
    assert!(ran >= 2, "too few programs to say anything");
}

/// A C program that checks errno, alignment and refusals of every exported function.
#[test]
fn c_abi() {
    let Some(program) = compile("gcc", "c_abi.c", "c_abi") else { return };
    // Without a limit, and where the class map cannot be had (it reserves 2 GiB of address space).
    for limit in ["unlimited", "1000000"] {
        let script = format!("ulimit -v {limit}; LD_PRELOAD={} {}", library().display(), program.display());
        let out = run("sh", &["-c", &script], None);
        assert!(out.status.success(), "{limit}: {:?}\n{}", out.status, String::from_utf8_lossy(&out.stderr));
        assert_eq!(out.stdout, b"all held\n", "{limit}");
    }
}

#[test]
fn reports_and_tuning() {
    let Some(program) = compile("gcc", "report.c", "report") else { return };
    holds(&program, &[]);
}

#[test]
fn cxx_operators() {
    let Some(program) = compile("g++", "cxx.cpp", "cxx") else { return };
    holds(&program, &[]);
}

#[test]
fn fork_from_a_threaded_process() {
    let Some(program) = compile("gcc", "fork.c", "fork") else { return };
    holds(&program, &[]);
}

#[test]
fn loaded_at_run_time() {
    let Some(program) = compile("gcc", "dlopen.c", "dlopen") else { return };
    let out = run(program.to_str().unwrap(), &[library().to_str().unwrap()], None);
    assert!(out.status.success(), "{:?}\n{}", out.status, String::from_utf8_lossy(&out.stderr));
    assert_eq!(out.stdout, b"all held\n");
}

/// A bad value is complained about once, in one line, and the program goes on.
#[test]
fn bad_variables() {
    let cases = [
        (
            "ACE_BATCH",
            "foo",
            "ace-alloc: ACE_BATCH=foo is not understood: give a whole number from 0 to 65535 (K, M, G allowed) or unset it; 0 is used\n",
        ),
        (
            "ACE_ROUTE",
            "6",
            "ace-alloc: ACE_ROUTE=6 is not understood: give a whole number from 0 to 5 (K, M, G allowed) or unset it; 0 is used\n",
        ),
        (
            "ACE_PURGE_DELAY_MS",
            "",
            "ace-alloc: ACE_PURGE_DELAY_MS= is not understood: give a whole number (K, M, G allowed) or never or unset it; 100 is used\n",
        ),
        ("ACE_PURGE_DELAY_MS", "never", ""),
        ("ACE_LIMIT_HARD", "1G", ""),
    ];
    for (name, value, line) in cases {
        let mut command = Command::new("echo");
        let out = command.arg("goes on").env("LD_PRELOAD", library()).env(name, value).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&out.stderr), line, "{name}={value}");
        assert!(out.status.success() && out.stdout == b"goes on\n", "{name}={value}");
    }
}
