//! What is looked at: a process that runs, a command that is started for it, or a server of `scale` under load.

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::snapshot::{self, Snapshot};
use crate::interrupt;

/// The library that makes a program answer.
const PROBE: &str = "libheap_probe_preload.so";

/// How long and how often to look.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    /// The whole time.
    pub time: Duration,
    /// Looks, evenly spread over it.
    pub looks: u32,
}

/// Looks at a running process; ends early when it ends.
pub fn process(pid: u32, watch: Watch) -> Result<Vec<Snapshot>> {
    let start = Instant::now();
    let mut looks = vec![snapshot::take(pid, 0.0)?];
    for at in 1..watch.looks {
        let due = watch.time * at / (watch.looks - 1).max(1);
        while start.elapsed() < due && !interrupt::requested() {
            std::thread::sleep((due - start.elapsed()).min(Duration::from_millis(50)));
        }
        if interrupt::requested() {
            break;
        }
        match snapshot::take(pid, start.elapsed().as_secs_f64()) {
            // A process that has ended has an empty map for a moment.
            Ok(look) if look.kinds.resident_bytes > 0 => looks.push(look),
            _ => break,
        }
    }
    Ok(looks)
}

/// A started program that is ended with this value.
pub struct Started(Child);

impl Started {
    /// Its process.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a command so that it answers, behind whatever it preloads itself.
pub fn command(words: &[String], folder: &Path) -> Result<Started> {
    let probe = probe(folder)?;
    let before = std::env::var("LD_PRELOAD").unwrap_or_default();
    let preload =
        if before.is_empty() { probe.display().to_string() } else { format!("{before}:{}", probe.display()) };
    // Standard output is for the report: what the command prints goes where messages go.
    let out = std::io::stderr().as_fd().try_clone_to_owned().context("standard error cannot be shared")?;
    let child = Command::new(&words[0])
        .args(&words[1..])
        .env("LD_PRELOAD", preload)
        .stdin(Stdio::null())
        .stdout(out)
        .spawn()
        .with_context(|| {
            format!("{} cannot be started; name a program on the PATH or with its folder", words[0])
        })?;
    Ok(Started(child))
}

fn probe(folder: &Path) -> Result<PathBuf> {
    let path = folder.join(PROBE);
    ensure!(path.is_file(), "{PROBE} is missing beside allocbench; build the workspace first: make build");
    Ok(path)
}
