//! One cell: a fresh server, a client, readings during the load and in the idle time after it.
//!
//! The resident set is read from outside, so that idle means idle: nothing is asked of the server before the last
//! reading. Both processes are ended whatever happens; a server whose starter dies ends by itself.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serving::wire::{Listening, Outcome};

use super::plan::{self, Point, Size, Test};
use super::row::Row;
use super::variant::Variant;
use crate::interrupt;

/// Between two readings of the timeline.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(20);
/// What the server may take to listen, and to end.
const PATIENCE: Duration = Duration::from_secs(10);
/// Variables that would change an engine behind the back of the one asked for.
const FOREIGN: [&str; 7] =
    ["MALLOC_", "GLIBC_TUNABLES", "_RJEM_MALLOC_CONF", "MIMALLOC_", "TCMALLOC_", "ACE_", "LD_PRELOAD"];

/// One reading of the server's size.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Time after the start of the load, ms.
    pub t_ms: u64,
    /// Resident set.
    pub resident_bytes: u64,
    /// `load` or `idle`.
    pub phase: &'static str,
}

/// Both binaries and the time a cell may take.
#[derive(Clone, Debug)]
pub struct Bench<'a> {
    /// Folder of `allocbench-serve` and `allocbench-load`.
    pub folder: &'a Path,
    /// Longest load.
    pub time_limit: Duration,
}

/// Runs a cell; what fails becomes the row's status and detail. `None` if the user asked to stop.
pub fn run(bench: &Bench, point: &Point, variant: &Variant, mut row: Row) -> Option<(Row, Vec<Sample>)> {
    let start = Instant::now();
    let samples = match measure(bench, point, variant, &mut row) {
        Ok(samples) => {
            row.status = "ok".into();
            samples
        }
        Err(error) => {
            row.status = "failed".into();
            row.detail = format!("{error:#}").replace('\n', " ");
            Vec::new()
        }
    };
    row.cell_ns = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    (!interrupt::requested()).then_some((row, samples))
}

fn measure(bench: &Bench, point: &Point, variant: &Variant, row: &mut Row) -> Result<Vec<Sample>> {
    let server = Server::start(bench, point, variant)?;
    (row.version, row.library) = (server.listening.version.clone(), server.listening.library.clone());
    server.prove(variant)?;
    let pid = server.listening.pid;
    std::thread::sleep(Duration::from_millis(100));
    row.resident_bytes_before = Some(resident(pid)?.0);
    let clock = Instant::now();
    let idle = AtomicBool::new(false);
    let threads_peak = AtomicU64::new(0);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let sampler = scope.spawn(|| sample(pid, clock, &idle, &done, &threads_peak));
        let loaded = load(bench, point, &server).map(|outcome| fill_outcome(row, &outcome));
        idle.store(true, Ordering::Relaxed);
        let rested = loaded.and_then(|()| rest(pid, point, row));
        done.store(true, Ordering::Relaxed);
        let samples = sampler.join().unwrap_or_default();
        row.threads_peak = Some(threads_peak.load(Ordering::Relaxed));
        rested.map(|()| samples)
    })
    .and_then(|samples| {
        ask(pid, row)?;
        let errors = row.errors.unwrap_or(0);
        ensure!(errors == 0, "{errors} requests failed, the first: {}", row.detail);
        Ok(samples)
    })
}

/// The kernel's figures of the load, and the idle readings.
fn rest(pid: u32, point: &Point, row: &mut Row) -> Result<()> {
    let quiet = Instant::now();
    let mut lazy = 0;
    for &idle_ms in &point.idle_ms {
        while quiet.elapsed() < Duration::from_millis(idle_ms) {
            ensure!(!interrupt::requested(), "interrupted");
            let left = Duration::from_millis(idle_ms).saturating_sub(quiet.elapsed());
            std::thread::sleep(left.min(Duration::from_millis(50)));
        }
        let (bytes, lazy_bytes) = resident(pid)?;
        row.set_idle(idle_ms, bytes);
        lazy = lazy_bytes;
    }
    row.lazy_bytes_idle = Some(lazy);
    let reading = serving::process::read(pid).context("the server is gone")?;
    row.resident_bytes_peak = Some(reading.resident_bytes_peak);
    row.virtual_bytes_peak = Some(reading.virtual_bytes_peak);
    row.server_cpu_seconds = Some(reading.cpu_seconds);
    Ok(())
}

/// The allocator's own figures, and what a trim returns.
fn ask(pid: u32, row: &mut Row) -> Result<()> {
    let report = heap_probe::ask(pid, false).context("the server does not answer")?;
    row.live_bytes = report.counted_live_bytes;
    row.utilisation = report.utilisation();
    row.allocated_bytes = report.allocated_bytes;
    row.thread_cache_bytes = report.thread_cache_bytes;
    row.arena_bytes = report.arena_bytes;
    row.free_bytes = report.free_bytes;
    row.releasable_bytes = report.releasable_bytes;
    row.dirty_bytes = report.dirty_bytes;
    row.arenas = report.arenas;
    row.free_chunks = report.free_chunks;
    row.mapped_large_bytes = report.mapped_large_bytes;
    row.mapped_large_count = report.mapped_large_count;
    heap_probe::ask(pid, true).context("the server does not answer a trim")?;
    row.resident_bytes_trimmed = Some(resident(pid)?.0);
    Ok(())
}

/// Resident set and its part under MADV_FREE.
fn resident(pid: u32) -> Result<(u64, u64)> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let text = std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
    let kib = |name: &str| -> u64 {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0) * 1024
    };
    Ok((kib("Rss:"), kib("LazyFree:")))
}

fn sample(
    pid: u32,
    clock: Instant,
    idle: &AtomicBool,
    done: &AtomicBool,
    threads_peak: &AtomicU64,
) -> Vec<Sample> {
    // Relaxed throughout: flags and a maximum that publish nothing else.
    let mut samples = Vec::new();
    while !done.load(Ordering::Relaxed) {
        let Ok(reading) = serving::process::read(pid) else { break };
        threads_peak.fetch_max(reading.threads, Ordering::Relaxed);
        let phase = if idle.load(Ordering::Relaxed) { "idle" } else { "load" };
        let t_ms = u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX);
        samples.push(Sample { t_ms, resident_bytes: reading.resident_bytes, phase });
        std::thread::sleep(SAMPLE_INTERVAL);
    }
    samples
}

fn fill_outcome(row: &mut Row, outcome: &Outcome) {
    row.answered = Some(outcome.answered);
    row.errors = Some(outcome.errors);
    row.detail.clone_from(&outcome.first_error);
    row.requests_per_s = Some(outcome.requests_per_s);
    row.latency_ns_p50 = Some(outcome.latency_ns_p50);
    row.latency_ns_p90 = Some(outcome.latency_ns_p90);
    row.latency_ns_p99 = Some(outcome.latency_ns_p99);
    row.latency_ns_p999 = Some(outcome.latency_ns_p999);
    row.latency_ns_max = Some(outcome.latency_ns_max);
    row.client_cpu_seconds = Some(outcome.client_cpu_seconds);
}

/// Runs the client to its end.
fn load(bench: &Bench, point: &Point, server: &Server) -> Result<Outcome> {
    let path = bench.folder.join("allocbench-load");
    let mut command = Command::new(&path);
    clean(&mut command);
    command.args(["--port", &server.listening.port.to_string()]);
    command.args(["--concurrency", &point.concurrency.to_string()]);
    command.args(["--payload", &point.payload_bytes.to_string()]);
    match point.rate_per_s {
        Some(rate) => {
            let seconds = point.requests as f64 / rate + 1e-6;
            command.args(["--rate", &rate.to_string(), "--seconds", &seconds.to_string()]);
        }
        None => {
            command.args(["--requests", &point.requests.to_string()]);
        }
    }
    command.args(["--time-limit", &bench.time_limit.as_secs_f64().to_string()]);
    let mut child = spawn(&mut command, &path)?;
    let mut text = String::new();
    let deadline = Instant::now() + 2 * bench.time_limit + PATIENCE;
    while child.0.try_wait()?.is_none() {
        ensure!(!interrupt::requested(), "interrupted");
        ensure!(Instant::now() < deadline, "the client did not end in its time");
        std::thread::sleep(Duration::from_millis(2));
    }
    if let Some(mut out) = child.0.stdout.take() {
        out.read_to_string(&mut text)?;
    }
    serde_json::from_str(&text).with_context(|| format!("the client gave no result: {}", child.complaint()))
}

/// A process that ends with its value.
struct Ended(Child);

impl Ended {
    fn complaint(&mut self) -> String {
        let mut text = String::new();
        if let Some(err) = self.0.stderr.take() {
            let _ = err.take(4096).read_to_string(&mut text);
        }
        text.lines().next().unwrap_or("no message").to_string()
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn spawn(command: &mut Command, path: &Path) -> Result<Ended> {
    // A group of its own: Ctrl-C at the terminal reaches allocbench alone, which then ends the child itself.
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let child = command.spawn().with_context(|| {
        format!("{} cannot be started; build the workspace first: make build", path.display())
    })?;
    Ok(Ended(child))
}

fn clean(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if FOREIGN.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
}

struct Server {
    listening: Listening,
    /// Its end tells the server to stop; dropped before the process is.
    input: Option<ChildStdin>,
    process: Ended,
}

impl Server {
    fn start(bench: &Bench, point: &Point, variant: &Variant) -> Result<Server> {
        let path = bench.folder.join("allocbench-serve");
        let mut command = Command::new(&path);
        clean(&mut command);
        command.arg("--until-input-ends").stdin(Stdio::piped());
        command.args(["--blocking-max", &point.blocking_max.to_string()]);
        command.args(["--keep-alive", &(point.keep_alive_ms as f64 / 1000.0).to_string()]);
        command.args(&variant.flags).envs(variant.env.iter().map(|(name, value)| (name, value)));
        if let Some(library) = &variant.library {
            command.env("LD_PRELOAD", library);
        }
        let mut process = spawn(&mut command, &path)?;
        let input = process.0.stdin.take();
        let mut line = String::new();
        if let Some(out) = process.0.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        match serde_json::from_str(&line) {
            Ok(listening) => Ok(Server { listening, input, process }),
            Err(_) => bail!("the server did not start: {}", process.complaint()),
        }
    }

    /// Refuses a server that another library serves than the one asked for.
    fn prove(&self, variant: &Variant) -> Result<()> {
        let found = std::fs::canonicalize(&self.listening.library).unwrap_or_default();
        match &variant.library {
            Some(library) => {
                ensure!(found == *library, "malloc is in {}, not in {}", found.display(), library.display())
            }
            None => {
                ensure!(self.listening.engine == "glibc", "malloc is in {}, not in glibc", found.display())
            }
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline && matches!(self.process.0.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A server for `diagnose`, loaded burst by burst.
pub struct Loaded<'a> {
    bench: &'a Bench<'a>,
    point: Point,
    server: Server,
}

impl<'a> Loaded<'a> {
    /// Starts a server under an engine; a burst is that of the test of engines.
    pub fn start(bench: &'a Bench<'a>, variant: &Variant, requests: u64) -> Result<Loaded<'a>> {
        let wish =
            plan::Wish { tests: vec![Test::Engines], requests: Some(requests), ..plan::Wish::default() };
        let points = plan::points(Size::Default, &wish);
        let (point, _) = points.into_iter().next().context("the plan has no test of engines")?;
        let server = Server::start(bench, &point, variant)?;
        server.prove(variant)?;
        Ok(Loaded { bench, point, server })
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.server.listening.pid
    }

    /// One burst, to its end.
    pub fn burst(&self) -> Result<()> {
        let outcome = load(self.bench, &self.point, &self.server)?;
        ensure!(
            outcome.errors == 0,
            "{} requests failed, the first: {}",
            outcome.errors,
            outcome.first_error
        );
        Ok(())
    }
}
