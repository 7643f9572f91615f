//! The process tree of a command over time, from /proc.
//!
//! Processes are found by their parents. Bounded: a timeline keeps at most `POINTS_MAX` points, thinned by halves; of a
//! thinned pair the higher stays.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

/// Points of a timeline.
const POINTS_MAX: usize = 1024;
/// Time between two looks.
pub const INTERVAL: Duration = Duration::from_millis(2);
/// Looks between two searches for new processes.
const SEARCH_EVERY: u64 = 10;

/// What has been seen.
pub struct Tree {
    root: u32,
    begin: Instant,
    looks: u64,
    members: BTreeSet<u32>,
    /// All processes that were seen, with the executable each last ran; none where that could not be read.
    pub seen: BTreeMap<u32, Option<String>>,
    /// Highest sum of resident bytes.
    pub resident_bytes_peak: u64,
    /// Highest VmPeak of a process.
    pub reserved_bytes_peak: u64,
    /// Time and resident bytes.
    pub timeline: Vec<(u64, u64)>,
    stretch: u64,
    highest: (u64, u64),
}

fn page_bytes() -> u64 {
    4096
}

fn resident_bytes(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let pages: u64 = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * page_bytes())
}

/// VmPeak of a process, bytes.
fn reserved_bytes_peak(pid: u32) -> u64 {
    serving::process::read(pid).map_or(0, |reading| reading.virtual_bytes_peak)
}

/// The executable that a process runs.
fn executable(pid: u32) -> Option<String> {
    Some(std::fs::read_link(format!("/proc/{pid}/exe")).ok()?.to_string_lossy().into_owned())
}

/// Parents of all processes.
fn parents() -> BTreeMap<u32, u32> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name in brackets may hold anything; the parent is the second word behind it.
        let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
        let mut words = rest.split_ascii_whitespace();
        let is_dead = words.next() == Some("Z");
        if let (false, Some(parent)) = (is_dead, words.next().and_then(|word| word.parse().ok())) {
            found.insert(pid, parent);
        }
    }
    found
}

impl Tree {
    /// The tree under `root`.
    pub fn new(root: u32) -> Tree {
        Tree {
            root,
            begin: Instant::now(),
            looks: 0,
            members: BTreeSet::from([root]),
            seen: BTreeMap::from([(root, None)]),
            resident_bytes_peak: 0,
            reserved_bytes_peak: 0,
            timeline: Vec::new(),
            stretch: 1,
            highest: (0, 0),
        }
    }

    /// Looks once; the sum of resident bytes.
    pub fn look(&mut self) -> u64 {
        let searches = self.looks.is_multiple_of(SEARCH_EVERY);
        self.looks += 1;
        if searches {
            self.search();
        }
        let mut sum = 0;
        self.members.retain(|&pid| {
            let resident = resident_bytes(pid);
            sum += resident.unwrap_or(0);
            resident.is_some()
        });
        if searches {
            let peak = self.members.iter().map(|&pid| reserved_bytes_peak(pid)).max().unwrap_or(0);
            self.reserved_bytes_peak = self.reserved_bytes_peak.max(peak);
        }
        self.resident_bytes_peak = self.resident_bytes_peak.max(sum);
        self.keep(sum);
        sum
    }

    fn keep(&mut self, sum: u64) {
        let now = self.begin.elapsed().as_nanos() as u64;
        if sum >= self.highest.1 {
            self.highest = (now, sum);
        }
        if self.looks.is_multiple_of(self.stretch) {
            self.timeline.push(self.highest);
            self.highest = (now, 0);
        }
        if self.timeline.len() >= POINTS_MAX {
            self.stretch *= 2;
            let pairs = self.timeline.chunks(2);
            self.timeline =
                pairs.filter_map(|pair| pair.iter().max_by_key(|point| point.1).copied()).collect();
        }
    }

    fn search(&mut self) {
        let parents = parents();
        for &pid in parents.keys() {
            let mut at = pid;
            // A chain of parents is as long as the tree is deep; a reused id could close a circle.
            for _ in 0..64 {
                if at == self.root {
                    self.members.insert(pid);
                    let executable = executable(pid);
                    let last = self.seen.entry(pid).or_default();
                    *last = executable.or(last.take());
                    break;
                }
                match parents.get(&at) {
                    Some(&parent) if parent != at => at = parent,
                    _ => break,
                }
            }
        }
    }

    /// Ends every process of the tree.
    pub fn members(&mut self) -> Vec<u32> {
        self.search();
        self.members.iter().copied().collect()
    }
}

/// Whether a process has mapped the library; `None` where its maps cannot be read any more.
pub fn has_mapped(pid: u32, library: &Path) -> Option<bool> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/maps")).ok().filter(|text| !text.is_empty())?;
    Some(text.lines().any(|line| line.ends_with(&*library.to_string_lossy())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_and_its_child_are_seen() {
        let mut child =
            std::process::Command::new("sh").args(["-c", "sleep 5 & wait"]).spawn().expect("sh is there");
        std::thread::sleep(Duration::from_millis(200));
        let mut tree = Tree::new(child.id());
        let sum = tree.look();
        let members = tree.members();
        assert_eq!(members.len(), 2, "{members:?}");
        // The sum is of both processes; VmPeak is of the larger one alone.
        assert!(sum > 300 << 10, "{sum}");
        assert!(2 * tree.reserved_bytes_peak > sum, "{sum} {}", tree.reserved_bytes_peak);
        for pid in members {
            let _ = std::process::Command::new("kill").arg(pid.to_string()).status();
        }
        let _ = child.wait();
        // Nobody here waits for the child's child, which takes a moment to go.
        let deadline = Instant::now() + Duration::from_secs(10);
        while tree.look() > 0 && Instant::now() < deadline {
            std::thread::sleep(INTERVAL);
        }
        assert_eq!(tree.look(), 0);
    }
}
