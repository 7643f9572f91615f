//! The measuring process on its own: listing, one request, rubbish.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use cell::wire::{Listing, Pass, Repeat, Reply, Request};

fn cell(verb: &str, input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_allocbench-cell"));
    command.arg(verb).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A process that refuses its arguments may leave before it reads.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn request(engine: &str, pass: Pass) -> Request {
    let workload =
        workloads::catalog::builtin().into_iter().find(|workload| workload.name == "rl_medium+").unwrap();
    Request {
        engine: engine.into(),
        workload: workload.scaled(4_000),
        threads: 2,
        seed: 42,
        pass,
        verify: false,
        pin: true,
        repeat: Repeat::ONCE,
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

#[test]
fn several_runs_each_find_a_fresh_engine() {
    let repeat = Repeat { runs_max: 4, spend_ms: 60_000 };
    for engine in engines() {
        let once = reply(&request(&engine, Pass::Throughput));
        let repeated = reply(&Request { repeat, ..request(&engine, Pass::Throughput) });
        let (Reply::Measured(once), Reply::Measured(found)) = (once, repeated) else { panic!("{engine}") };
        let mut durations = found.elapsed_ns_runs.clone();
        durations.sort_unstable();
        assert_eq!((durations.len(), found.elapsed_ns), (4, durations[1]), "{engine}");
        // Memory that one run left behind would be missing from what the next has to fault in.
        let (faults, faults_once) = (found.resources.faults_minor, once.resources.faults_minor);
        assert!(faults + 20 > faults_once / 2, "{engine}: {faults} faults, alone {faults_once}");
    }
}

#[test]
fn a_run_that_dies_takes_its_cell_with_it() {
    let mut request = request("system", Pass::Throughput);
    request.repeat = Repeat { runs_max: 2, spend_ms: 1000 };
    let mut command = Command::new("sh");
    // Less address space than the streams and the heap need: the copy cannot start its threads.
    command.args(["-c", "ulimit -v 60000; exec \"$0\" run", env!("CARGO_BIN_EXE_allocbench-cell")]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    request.threads = 64;
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(&serde_json::to_vec(&request).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    let measured = serde_json::from_slice::<Reply>(&output.stdout);
    assert!(!matches!(measured, Ok(Reply::Measured(_))), "64 threads ran in 60 MB of address space");
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
