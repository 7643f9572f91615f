//! Both programs as processes: the protocol, latency from intended times, bounds, and a clean end.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serving::wire::{Listening, Outcome, Stats};
use serving::work;

struct Serve {
    child: Child,
    listening: Listening,
}

impl Serve {
    fn start(flags: &[&str]) -> Serve {
        let mut child = Command::new(env!("CARGO_BIN_EXE_allocbench-serve"))
            .arg("--until-input-ends")
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Serve { listening: serde_json::from_str(&line).unwrap(), child }
    }

    fn ask(&self, request: &str) -> String {
        ask(self.listening.port, request.as_bytes())
    }

    fn stats(&self) -> Stats {
        let answer = self.ask("GET /stats HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap()
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ask(port: u16, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(request).unwrap();
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text);
    text
}

fn load(port: u16, flags: &[&str]) -> Outcome {
    let output = Command::new(env!("CARGO_BIN_EXE_allocbench-load"))
        .args(["--port", &port.to_string()])
        .args(flags)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A server with one connection at a time that answers rightly, but stalls once for `stall`.
fn stalling(stall: Duration, at: u64) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut served = 0;
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut stream = stream;
            while let Some(body) = read_request(&mut reader) {
                if served == at {
                    std::thread::sleep(stall);
                }
                served += 1;
                let mut answer = Vec::new();
                let _ = work::answer(&body, 256, 0, |chunk| {
                    answer.extend_from_slice(&chunk);
                    true
                });
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", answer.len());
                if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&answer)).is_err() {
                    break;
                }
            }
        }
    });
    port
}

fn read_request(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}

#[test]
fn every_request_is_answered_and_counted() {
    let serve = Serve::start(&["--sessions", "10"]);
    for keep in [&[][..], &["--no-keep-alive"][..]] {
        let mut flags = vec!["--concurrency", "4", "--requests", "30", "--payload", "20000"];
        flags.extend(keep);
        let outcome = load(serve.listening.port, &flags);
        assert_eq!((outcome.answered, outcome.errors, outcome.samples), (30, 0, 30), "{outcome:?}");
        assert!(outcome.received_bytes > outcome.sent_bytes, "{outcome:?}");
    }
    let stats = serve.stats();
    assert_eq!((stats.answered, stats.sessions), (60, 10));
    assert_eq!(stats.heap.engine, "glibc");
    assert!(stats.process.resident_bytes > 1 << 20);
    let live = stats.heap.counted_live_bytes.unwrap();
    assert!(live > 10_000 && live < 4 << 20, "{live}");
}

#[test]
fn a_stall_shows_in_every_request_that_it_delayed() {
    // 100 requests/s over one connection, and a stall of 400 ms: the 40 requests due meanwhile wait for it too.
    let port = stalling(Duration::from_millis(400), 20);
    let flags = ["--rate", "100", "--seconds", "1", "--concurrency", "1", "--payload", "1000"];
    let open = load(port, &flags);
    assert_eq!((open.samples, open.errors), (100, 0), "{open:?}");
    let port = stalling(Duration::from_millis(400), 20);
    let closed = load(port, &["--requests", "100", "--concurrency", "1", "--payload", "1000"]);
    assert_eq!(closed.samples, 100);
    assert!(open.latency_ns_p90 > 100_000_000, "omitted: {open:?}");
    assert!(closed.latency_ns_p90 < 100_000_000, "a closed loop hides it: {closed:?}");
}

#[test]
fn a_client_ends_in_its_time_and_counts_what_is_missing() {
    // Accepts and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let start = Instant::now();
    let closed =
        load(port, &["--requests", "5", "--concurrency", "2", "--time-limit", "1", "--payload", "1000"]);
    assert_eq!((closed.answered, closed.errors), (0, 5), "{closed:?}");
    let open = load(
        port,
        &["--rate", "50", "--seconds", "1", "--concurrency", "3", "--time-limit", "0.5", "--payload", "1000"],
    );
    assert_eq!((open.answered, open.errors, open.samples), (0, 50, 50), "{open:?}");
    assert!(open.latency_ns_max > 1_000_000_000, "waits count: {open:?}");
    assert!(start.elapsed() < Duration::from_secs(8));
}

#[test]
fn a_server_that_dies_is_an_error_and_no_hang() {
    let mut serve = Serve::start(&[]);
    let port = serve.listening.port;
    let killer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        serve.child.kill().unwrap();
        serve
    });
    let outcome = load(
        port,
        &["--requests", "100000", "--concurrency", "8", "--payload", "50000", "--time-limit", "20"],
    );
    drop(killer.join().unwrap());
    assert!(outcome.errors > 0 && !outcome.first_error.is_empty(), "{outcome:?}");
}

#[test]
fn rubbish_is_answered_with_a_reason() {
    let serve = Serve::start(&[]);
    let answer =
        serve.ask("POST /generate HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}");
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("messages"), "{answer}");
    let answer = serve.ask("GET /elsewhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
}

#[test]
fn a_server_ends_when_told_and_when_its_starter_does() {
    for told in [true, false] {
        let mut serve = Serve::start(&[]);
        if told {
            serve.ask("POST /stop HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        } else {
            drop(serve.child.stdin.take());
        }
        let deadline = Instant::now() + Duration::from_secs(5);
        let status = loop {
            if let Some(status) = serve.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "still running");
            std::thread::sleep(Duration::from_millis(10));
        };
        assert!(status.success(), "{status}");
    }
}

#[test]
fn flags_that_cannot_work_are_named() {
    for (program, flags, name) in [
        (env!("CARGO_BIN_EXE_allocbench-serve"), ["--blocking-max", "0"], "--blocking-max"),
        (env!("CARGO_BIN_EXE_allocbench-serve"), ["--keep-alive", "nan"], "--keep-alive"),
        (env!("CARGO_BIN_EXE_allocbench-load"), ["--port=1", "--concurrency=0"], "--concurrency"),
        (env!("CARGO_BIN_EXE_allocbench-load"), ["--port=1", "--rate=-1"], "--rate"),
    ] {
        let output = Command::new(program).args(flags).stdin(Stdio::null()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(name) && text.lines().count() == 1, "{text}");
    }
}
