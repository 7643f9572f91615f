//! The measuring process on its own: listing, one request, rubbish.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};

use cell::wire::{Listing, Pass, Reply, Request};
use workloads::spec::Workload;

fn cell(verb: &str, input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_allocbench-cell"));
    command.arg(verb).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A process that refuses its arguments may leave before it reads.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn workload(name: &str) -> Workload {
    workloads::catalog::find(name).unwrap().scaled(4_000)
}

fn request(engine: &str, pass: Pass) -> Request {
    Request {
        engine: engine.into(),
        workload: workload("rl_medium+"),
        threads: 2,
        seed: 42,
        pass,
        verify: false,
        pin: true,
    }
}

fn reply(request: &Request) -> Reply {
    let output = cell("run", &serde_json::to_vec(request).unwrap());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn engines() -> Vec<String> {
    let listing: Listing = serde_json::from_slice(&cell("engines", b"").stdout).unwrap();
    assert_eq!(listing.build_id, cell::BUILD_ID);
    assert!(listing.engines.iter().all(|engine| !engine.version.is_empty()));
    listing.engines.into_iter().map(|engine| engine.name).filter(|name| name != "c_abi").collect()
}

#[test]
fn every_engine_answers_every_timed_pass_with_its_figures() {
    for engine in engines() {
        for pass in [Pass::Throughput, Pass::Latency, Pass::Memory] {
            let Reply::Measured(found) = reply(&request(&engine, pass)) else { panic!("{engine} {pass:?}") };
            assert!(found.elapsed_ns > 0 && found.allocs > 0 && found.frees > 0, "{engine} {pass:?}");
            assert!(found.served_checks > 0, "{engine} {pass:?}: no pointer was checked");
            assert!(found.resources.resident_bytes_before > 0, "{engine}");
            assert_eq!(found.latency.is_some(), pass == Pass::Latency, "{engine}");
            if let Some(latency) = found.latency {
                assert_eq!(latency.alloc.count, found.allocs, "{engine}");
                assert_eq!(
                    latency.free.count + latency.alloc.count + found.reallocs,
                    found.allocs + found.frees + found.reallocs
                );
                assert!(latency.alloc.p50 <= latency.alloc.p99 && latency.alloc.p99 <= latency.alloc.max);
                assert!(!latency.by_size.is_empty());
            }
            if pass == Pass::Memory && engine != "floor" {
                assert!(found.usable_bytes_sum.unwrap() >= found.requested_bytes_sum, "{engine}");
            }
        }
    }
}

/// A process that serves runs.
struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Server {
    fn start(mut command: Command, request: &Request) -> Server {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        writeln!(stdin, "{}", serde_json::to_string(request).unwrap()).unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Server { child, stdin: Some(stdin), lines }
    }

    fn reply(&mut self) -> Reply {
        serde_json::from_str(&self.lines.next().unwrap().unwrap()).unwrap()
    }

    fn run(&mut self, engine: &str) -> Reply {
        writeln!(self.stdin.as_mut().unwrap(), "{engine}").unwrap();
        self.reply()
    }

    fn end(mut self) {
        self.stdin = None;
        assert!(self.child.wait().unwrap().success());
    }
}

fn serve() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_allocbench-cell"));
    command.arg("serve");
    command
}

#[test]
fn every_run_of_a_server_finds_its_engine_as_new() {
    // A run that leaves megabytes resident, whatever the engine.
    let request = Request { workload: workload("size_bands"), threads: 1, ..request("", Pass::Throughput) };
    let mut server = Server::start(serve(), &request);
    assert_eq!(server.reply(), Reply::Ready);
    for engine in engines() {
        let runs: Vec<(u64, u64)> = (0..3)
            .map(|_| {
                let Reply::Measured(found) = server.run(&engine) else { panic!("{engine}") };
                assert!(found.elapsed_ns > 0 && found.served_checks > 0, "{engine}");
                assert!(found.engine_version.len() > 2);
                (found.resources.resident_bytes_before, found.resources.resident_bytes_end)
            })
            .collect();
        // Memory that one run left behind would be resident before the next.
        let before = runs.iter().map(|run| run.0);
        assert!(before.clone().max().unwrap() - before.min().unwrap() < 2 << 20, "{engine}: {runs:?}");
        let left = |run: &(u64, u64)| engine == "floor" || run.1 > run.0 + (8 << 20);
        assert!(runs.iter().all(left), "{engine}: {runs:?}");
    }
    server.end();
}

#[test]
fn a_server_survives_unknown_engines_and_the_death_of_a_run() {
    let mut command = Command::new("sh");
    // Enough address space to draw, too little for 200 stacks of 2 MiB.
    let script = "ulimit -v 300000; exec \"$0\" serve";
    command.args(["-c", script, env!("CARGO_BIN_EXE_allocbench-cell")]);
    let threads = 200;
    let mut server = Server::start(command, &Request { threads, ..request("", Pass::Throughput) });
    assert_eq!(server.reply(), Reply::Ready);
    assert!(matches!(server.run("nosuch"), Reply::Failed(why) if why.contains("nosuch")));
    assert!(!matches!(server.run("system"), Reply::Measured(_)));
    assert!(!matches!(server.run("system"), Reply::Measured(_) | Reply::Ready));
    server.end();
}

#[test]
fn blocks_are_verified_when_asked() {
    for engine in engines().into_iter().filter(|name| name != "floor") {
        let Reply::Measured(found) = reply(&Request { verify: true, ..request(&engine, Pass::Throughput) })
        else {
            panic!("{engine}")
        };
        assert!(found.verified_blocks > 1_000, "{engine}: {}", found.verified_blocks);
    }
}

#[test]
fn rubbish_is_refused_with_one_line() {
    for (verb, input) in [("run", &b"rubbish"[..]), ("run", b""), ("nosuch", b"")] {
        let output = cell(verb, input);
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(String::from_utf8_lossy(&output.stderr).lines().count(), 1);
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn an_unknown_engine_is_a_failure_not_a_crash() {
    let Reply::Failed(why) = reply(&request("nosuch", Pass::Throughput)) else { panic!() };
    assert!(why.contains("nosuch"));
}
