//! Runs one cell in a process of its own, under a time limit and a memory limit, and says how it ended.
//!
//! Whatever the child does – crash, hang, eat memory, print rubbish – becomes an [`Ending`]; nothing here panics or
//! gives up the run. The child is killed when the limit passes or the user interrupts.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use cell::wire::{Measurement, Pass, Reply, Request};

use crate::engine::Choice;
use crate::interrupt;

/// Most bytes read from a child: a reply holds histograms and a timeline, well below this.
const REPLY_MAX: u64 = 64 << 20;

/// Most bytes of a child's standard error that are kept.
const COMPLAINT_MAX: u64 = 64 << 10;

/// How often limits and interruption are looked at while a child runs.
const WATCH_INTERVAL: Duration = Duration::from_millis(100);

/// What a child may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Wall time.
    pub time: Duration,
    /// Resident set, bytes.
    pub resident_bytes: u64,
}

/// How a cell ended.
#[derive(Clone, Debug)]
pub enum Ending {
    /// With figures.
    Measured(Box<Measurement>),
    /// Killed by a signal, or left with an exit code and no reply.
    Crashed(String),
    /// Still running at the time limit.
    Timeout(String),
    /// The engine returned NULL, or the resident set passed the limit.
    OutOfMemory(String),
    /// It ran, but what it found is worthless (wrong engine, corrupt blocks, unsupported).
    Failed(String),
    /// The user asked to stop; no row is written.
    Interrupted,
}

impl Ending {
    /// What a reply says.
    pub fn of(reply: Reply) -> Ending {
        match reply {
            Reply::Measured(measurement) => Ending::Measured(measurement),
            Reply::OutOfMemory(what) => Ending::OutOfMemory(cell::shorten(&what)),
            Reply::Failed(what) => Ending::Failed(cell::shorten(&what)),
            Reply::Died(what) => Ending::Crashed(what),
            Reply::Ready => Ending::Failed("the process was ready when it should have measured".into()),
        }
    }
}

/// One finished cell.
#[derive(Clone, Debug)]
pub struct Finished {
    /// How it ended; of several runs, that of median duration.
    pub ending: Ending,
    /// Durations of the timed part of all runs, in their order, where there were several.
    pub runs_ns: Vec<u64>,
    /// Wall time of the whole process.
    pub wall: Duration,
    /// Instructions of the timed part (instructions pass).
    pub instructions: Option<u64>,
}

/// Runs `request` on `choice`.
pub fn run(choice: &Choice, request: &Request, limits: &Limits) -> Finished {
    let start = Instant::now();
    let (ending, instructions) = match request.pass {
        Pass::Instructions => run_under_callgrind(choice, request, limits),
        _ => (run_command(Command::new(&choice.binary), choice, request, limits), None),
    };
    Finished { ending, runs_ns: Vec::new(), wall: start.elapsed(), instructions }
}

/// Whether instructions can be counted on this machine.
pub fn has_valgrind() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// The cell under callgrind; its client requests bracket the timed part, so the first dump holds just that.
fn run_under_callgrind(choice: &Choice, request: &Request, limits: &Limits) -> (Ending, Option<u64>) {
    let folder = match tempfile::tempdir() {
        Ok(folder) => folder,
        Err(error) => return (Ending::Failed(format!("no temporary folder: {error}")), None),
    };
    let out = folder.path().join("callgrind.out");
    let mut command = Command::new("valgrind");
    // A run takes fifty times as long here: what happens by the clock would be counted, once more or less.
    command.env("ACE_PURGE_DELAY_MS", "never");
    command.args(["--tool=callgrind", "--quiet"]);
    command.arg(format!("--callgrind-out-file={}", out.display())).arg(&choice.binary);
    let ending = run_command(command, choice, request, limits);
    if !matches!(ending, Ending::Measured(_)) {
        return (ending, None);
    }
    match read_totals(&out.with_extension("out.1")) {
        Some(instructions) => (ending, Some(instructions)),
        None => (Ending::Failed("callgrind wrote no counts for the timed part".into()), None),
    }
}

/// The `totals:` line of a callgrind output file.
fn read_totals(path: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().rev().find(|line| line.starts_with("totals:"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

fn run_command(command: Command, choice: &Choice, request: &Request, limits: &Limits) -> Ending {
    let text = match serde_json::to_vec(request) {
        Ok(text) => text,
        Err(error) => return Ending::Failed(format!("the request cannot be written: {error}")),
    };
    let mut child = match start(command, "run", choice) {
        Ok(child) => child,
        Err(ending) => return ending,
    };
    if let Some(mut stdin) = child.stdin.take() {
        // A child that died early has closed the pipe; how it ended is read below.
        let _ = stdin.write_all(&text);
    }
    watch(child, limits)
}

/// Starts a measuring process with its three streams piped.
pub fn start(mut command: Command, verb: &str, choice: &Choice) -> Result<Child, Ending> {
    command.arg(verb).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env_remove("LD_PRELOAD").env_remove("CELL_EXPECT_LIBRARY");
    command.envs(choice.env.iter().map(|(name, value)| (name, value)));
    // A group of its own: Ctrl-C at the terminal reaches allocbench alone, which then ends the child itself.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command
        .spawn()
        .map_err(|error| Ending::Crashed(format!("{} cannot be started: {error}", choice.binary.display())))
}

/// Collects the child's output on threads of their own and enforces the limits meanwhile.
fn watch(mut child: Child, limits: &Limits) -> Ending {
    let (sender, receiver) = mpsc::channel();
    let mut stdout = child.stdout.take();
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = &mut stdout {
            let _ = pipe.take(REPLY_MAX).read_to_end(&mut bytes);
        }
        let _ = sender.send(());
        bytes
    });
    let mut stderr = child.stderr.take();
    let complaints = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = &mut stderr {
            let _ = pipe.take(COMPLAINT_MAX).read_to_end(&mut bytes);
        }
        bytes
    });
    let cut = wait(&child, &receiver, limits).err();
    if cut.is_some() {
        let _ = child.kill();
    }
    let status = child.wait();
    let reply = reader.join().unwrap_or_default();
    let complaint = complaints.join().unwrap_or_default();
    match (cut, status) {
        (Some(ending), _) => ending,
        (None, Err(error)) => Ending::Crashed(format!("the process cannot be waited for: {error}")),
        (None, Ok(status)) => judge(status, &reply, &String::from_utf8_lossy(&complaint)),
    }
}

/// Waits for word of the child, `None` where it closed its output first; the ending where it has to be killed before.
pub fn wait<T>(child: &Child, word: &mpsc::Receiver<T>, limits: &Limits) -> Result<Option<T>, Ending> {
    let deadline = Instant::now() + limits.time;
    loop {
        match word.recv_timeout(WATCH_INTERVAL) {
            Ok(word) => return Ok(Some(word)),
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if interrupt::requested() {
            return Err(Ending::Interrupted);
        }
        if Instant::now() >= deadline {
            return Err(Ending::Timeout(format!(
                "still running after the limit of {} s",
                limits.time.as_secs()
            )));
        }
        let resident = resident_bytes(child.id());
        if resident > limits.resident_bytes {
            return Err(Ending::OutOfMemory(format!(
                "stopped at {} MiB resident, above the limit of {} MiB",
                resident >> 20,
                limits.resident_bytes >> 20
            )));
        }
    }
}

/// Resident bytes of a cell: of its process and of the copy that may be running.
fn resident_bytes(pid: u32) -> u64 {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let copies = children.split_ascii_whitespace().filter_map(|copy| copy.parse().ok());
    resident_bytes_alone(pid) + copies.map(resident_bytes_alone).sum::<u64>()
}

fn resident_bytes_alone(pid: u32) -> u64 {
    serving::process::read(pid).map_or(0, |reading| reading.resident_bytes)
}

/// From exit status and output to an ending.
fn judge(status: ExitStatus, reply: &[u8], complaint: &str) -> Ending {
    let crashed = |how: String| Ending::Crashed(cell::with_complaint(how, complaint));
    if let Some(signal) = status.signal() {
        return crashed(format!("killed by {}", cell::signal_name(signal)));
    }
    if !status.success() {
        return crashed(format!("exit code {}", status.code().unwrap_or(-1)));
    }
    match serde_json::from_slice(reply) {
        Ok(reply) => Ending::of(reply),
        Err(error) => crashed(format!("no valid reply ({error})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { time: Duration::from_secs(20), resident_bytes: 1 << 30 };

    fn shell(script: &str, limits: &Limits) -> Ending {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        watch(command.spawn().unwrap(), limits)
    }

    #[test]
    fn a_crash_is_named_with_its_first_complaint() {
        let Ending::Crashed(what) = shell("echo; echo broken >&2; kill -SEGV $$", &LIMITS) else { panic!() };
        assert_eq!(what, "killed by SIGSEGV: broken");
        let Ending::Crashed(what) = shell("echo no >&2; exit 3", &LIMITS) else { panic!() };
        assert_eq!(what, "exit code 3: no");
    }

    #[test]
    fn rubbish_is_a_crash_not_a_panic() {
        assert!(matches!(shell("echo rubbish", &LIMITS), Ending::Crashed(_)));
        assert!(matches!(shell("true", &LIMITS), Ending::Crashed(_)));
        assert!(
            matches!(shell("echo '{\"failed\":\"why\"}'", &LIMITS), Ending::Failed(what) if what == "why")
        );
        assert!(matches!(shell("echo '{\"out_of_memory\":\"x\"}'", &LIMITS), Ending::OutOfMemory(_)));
    }

    #[test]
    fn a_hang_ends_at_the_time_limit() {
        let limits = Limits { time: Duration::from_millis(300), ..LIMITS };
        let start = Instant::now();
        assert!(matches!(shell("exec sleep 30", &limits), Ending::Timeout(_)));
        assert!(start.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_memory_hog_ends_at_the_memory_limit() {
        let limits = Limits { resident_bytes: 1 << 10, ..LIMITS };
        assert!(matches!(shell("exec sleep 30", &limits), Ending::OutOfMemory(_)));
    }

    #[test]
    fn callgrind_totals_are_read_from_the_last_line_of_that_name() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "events: Ir\nsummary: 7\ntotals: 123456\n").unwrap();
        assert_eq!(read_totals(file.path()), Some(123_456));
        std::fs::write(file.path(), "events: Ir\n").unwrap();
        assert_eq!(read_totals(file.path()), None);
    }
}
