//! One look at a process: the kernel's view, and the allocator's where the process answers.

use std::io::ErrorKind;

use anyhow::{Result, bail};
use heap_probe::Report;
use serde::{Deserialize, Serialize};

use super::smaps::{self, Kinds};

/// One look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Seconds after the first look.
    pub t_s: f64,
    /// Threads.
    pub threads: u64,
    /// The kernel's figures.
    pub kinds: Kinds,
    /// The allocator's figures; none if the process does not answer.
    pub heap: Option<Report>,
}

impl Snapshot {
    /// Bytes that the program holds, where that is known.
    pub fn live_bytes(&self) -> Option<u64> {
        self.heap.as_ref().and_then(Report::live_bytes)
    }
}

/// Looks at `pid`.
pub fn take(pid: u32, t_s: f64) -> Result<Snapshot> {
    let kinds = match smaps::read(pid) {
        Ok(kinds) => kinds,
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            bail!("process {pid}: its memory map may not be read; run as its user or as root")
        }
        Err(_) => bail!("process {pid}: there is none, or it has ended; name a running process"),
    };
    let threads = serving::process::read(pid).map_or(0, |reading| reading.threads);
    // Whatever keeps it from answering, the kernel's figures still say something.
    let heap = heap_probe::ask(pid, false).ok();
    Ok(Snapshot { t_s, threads, kinds, heap })
}
