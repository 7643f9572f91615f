//! One run of a command: started, watched, waited for. A process of its own, `allocbench exec-cell`, so that the
//! resource usage of its children is the command's tree and nothing else. Request and reply are JSON.

use std::fs::File;
use std::hash::Hasher;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use super::{Ending, Found, Request, sample, target, witness};

/// The witness library, beside this executable.
pub const WITNESS: &str = "liballocbench_witness.so";
/// Largest request.
const REQUEST_BYTES_MAX: u64 = 4 << 20;
/// Where control groups of version 2 are.
const CGROUPS: &str = "/sys/fs/cgroup";

/// Reads a request, measures, replies.
pub fn run() -> Result<()> {
    let mut text = String::new();
    std::io::stdin().take(REQUEST_BYTES_MAX).read_to_string(&mut text)?;
    let request: Request = serde_json::from_str(&text).context("the request is not valid")?;
    let found = measure(&request)?;
    crate::terminal::say(serde_json::to_string(&found)?)
}

/// A control group that ends with its owner.
struct Group(PathBuf);

impl Group {
    /// A group with this limit, and this process in it, where that is permitted.
    fn enter(limit_bytes: u64) -> std::io::Result<Group> {
        let path = Path::new(CGROUPS).join(format!("allocbench-{}", std::process::id()));
        // Only version 2 has this file at its root.
        std::fs::metadata(Path::new(CGROUPS).join("cgroup.controllers"))?;
        std::fs::create_dir(&path)?;
        let group = Group(path);
        std::fs::write(group.0.join("memory.max"), limit_bytes.to_string())?;
        // Absent where there is no swap accounting; then there is nothing to shut off.
        let _ = std::fs::write(group.0.join("memory.swap.max"), "0");
        std::fs::write(group.0.join("cgroup.procs"), std::process::id().to_string())?;
        Ok(group)
    }

    /// Processes that the kernel killed for the limit.
    fn killed(&self) -> u64 {
        let text = std::fs::read_to_string(self.0.join("memory.events")).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        line.and_then(|count| count.parse().ok()).unwrap_or(0)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = std::fs::write(Path::new(CGROUPS).join("cgroup.procs"), std::process::id().to_string());
        let _ = std::fs::remove_dir(&self.0);
    }
}

fn measure(request: &Request) -> Result<Found> {
    let folder = tempfile::tempdir().context("no temporary folder can be made")?;
    let (output, lines) = (folder.path().join("output"), folder.path().join("witness"));
    File::create(&lines)?;
    let group = request.memory_limit_bytes.map(Group::enter);
    let limit = match (&request.memory_limit_bytes, &group) {
        (Some(_), Some(Ok(_))) => "cgroup v2".to_owned(),
        (Some(_), _) => "watchdog on resident bytes (no cgroup v2 can be made here)".to_owned(),
        _ => String::new(),
    };
    let mut libraries = request.libraries.clone();
    libraries.push(target::library_beside(WITNESS)?);
    let (program, arguments) = request.command.split_first().context("no command was given")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(File::create(&output)?).stderr(Stdio::null());
    command.env("LD_PRELOAD", target::preload_list(&libraries)).env("ALLOCBENCH_WITNESS", &lines);
    command.envs(request.env.iter().map(|(name, value)| (name, value)));
    command.process_group(0);
    let before = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let begin = Instant::now();
    let child = command.spawn().with_context(|| format!("{program} cannot be started"))?;
    let watched = watch(child, request, begin, limit.starts_with("watchdog"))?;
    let after = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let account = witness::parse(&String::from_utf8_lossy(&std::fs::read(&lines)?));
    let killed = group.and_then(Result::ok).is_some_and(|group| group.killed() > 0);
    let ending = if killed { Ending::OverLimit } else { watched.ending };
    let (output_hash, output_bytes) = digest(&output)?;
    let ns = |time: fn(&Usage) -> nix::sys::time::TimeVal| {
        (time(&after).num_microseconds() - time(&before).num_microseconds()).max(0) as u64 * 1000
    };
    let tree = watched.tree;
    let unwitnessed =
        |(pid, executable): &(&u32, &Option<String>)| !account.vouches_for(**pid, executable.as_deref());
    let unserved = tree.seen.iter().filter(unwitnessed).count() as u32;
    Ok(Found {
        ending,
        wall_ns: watched.wall.as_nanos() as u64,
        user_ns: ns(Usage::user_time),
        sys_ns: ns(Usage::system_time),
        faults_minor: (after.minor_page_faults() - before.minor_page_faults()).max(0) as u64,
        faults_major: (after.major_page_faults() - before.major_page_faults()).max(0) as u64,
        resident_bytes_peak: tree.resident_bytes_peak.max(account.resident_bytes_peak),
        reserved_bytes_peak: tree.reserved_bytes_peak.max(account.reserved_bytes_peak),
        timeline: tree.timeline,
        output_hash,
        output_bytes,
        unserved,
        served: account.started.into_iter().collect(),
        mapped: watched.mapped,
        limit,
    })
}

struct Watched {
    ending: Ending,
    wall: Duration,
    tree: sample::Tree,
    mapped: Option<bool>,
}

fn watch(mut child: Child, request: &Request, begin: Instant, guard: bool) -> Result<Watched> {
    let mut tree = sample::Tree::new(child.id());
    let pid = child.id();
    let (sender, receiver) = mpsc::channel();
    let waiter = std::thread::spawn(move || {
        let status = child.wait();
        let wall = begin.elapsed();
        let _ = sender.send(());
        (status, wall)
    });
    let (mut cut, mut mapped) = (None, None);
    loop {
        match receiver.recv_timeout(sample::INTERVAL) {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if let (Some(library), None | Some(false)) = (request.libraries.first(), mapped) {
            mapped = sample::has_mapped(pid, library).or(mapped);
        }
        let resident = tree.look();
        let over = guard && request.memory_limit_bytes.is_some_and(|limit| resident > limit);
        let late = begin.elapsed().as_secs() >= request.time_limit_s;
        if (over || late) && cut.is_none() {
            cut = Some(if over { Ending::OverLimit } else { Ending::Timeout });
            kill(&tree.members());
        }
    }
    let (status, wall) = waiter.join().map_err(|_| anyhow::anyhow!("the waiting thread panicked"))?;
    let ending = cut.unwrap_or_else(|| ending(status.as_ref().ok().copied()));
    Ok(Watched { ending, wall, tree, mapped })
}

fn ending(status: Option<ExitStatus>) -> Ending {
    match status {
        Some(status) => status.code().map_or(Ending::Signal(status.signal().unwrap_or(0)), Ending::Exit),
        None => Ending::Exit(-1),
    }
}

/// Ends the tree's processes, by their ids.
fn kill(pids: &[u32]) {
    let ids = pids.iter().map(u32::to_string);
    let _ = Command::new("kill").arg("-KILL").args(ids).stderr(Stdio::null()).status();
}

/// Hash and length of the output.
fn digest(path: &Path) -> Result<(u64, u64)> {
    let mut hash = std::hash::DefaultHasher::new();
    let mut file = File::open(path)?;
    let (mut buffer, mut bytes) = (vec![0; 64 << 10], 0);
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok((hash.finish(), bytes));
        }
        hash.write(&buffer[..count]);
        bytes += count as u64;
    }
}

/// Measures a request in a process of its own.
pub fn measure_apart(request: &Request) -> Result<Found> {
    let own = std::env::current_exe().context("the path of this executable cannot be read")?;
    let mut command = Command::new(own);
    command.arg("exec-cell").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env_remove("LD_PRELOAD").process_group(0);
    let mut child = command.spawn().context("the measuring process cannot be started")?;
    if let Some(mut stdin) = child.stdin.take() {
        // A child that died early has closed the pipe; how it ended is read below.
        let _ = stdin.write_all(&serde_json::to_vec(request)?);
    }
    let output = child.wait_with_output()?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).map_err(|_| {
        anyhow::anyhow!(
            "{}",
            complaint.lines().next().unwrap_or("no reply").trim_start_matches("allocbench: ")
        )
    })
}
