//! What the witness library wrote: who serves `malloc` in each process, and each one's own peaks.

use std::collections::{BTreeMap, BTreeSet};

/// Lines that are read.
const LINES_MAX: usize = 1_000_000;

/// The account of all processes of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Processes that spoke.
    pub speakers: BTreeSet<u32>,
    /// Executables that they spoke as.
    pub executables: BTreeSet<String>,
    /// Programs that started, by library.
    pub started: BTreeMap<String, u32>,
    /// Highest VmHWM of a process that ended by itself, bytes.
    pub resident_bytes_peak: u64,
    /// Highest VmPeak, bytes.
    pub reserved_bytes_peak: u64,
}

impl Account {
    /// Whether a process that was last seen running `executable` (none where that could not be read) has a witness.
    ///
    /// A process is forked before it becomes another program, so it may have been seen as the one and have spoken as
    /// the other; but a program without a witness (static, set-uid) is one that no process of the run spoke as.
    pub fn vouches_for(&self, pid: u32, executable: Option<&str>) -> bool {
        self.speakers.contains(&pid) && executable.is_none_or(|seen| self.executables.contains(seen))
    }
}

/// Reads the lines; one that is not whole is passed over.
pub fn parse(text: &str) -> Account {
    let mut account = Account::default();
    for line in text.lines().take(LINES_MAX) {
        let words: Vec<&str> = line.split('\t').collect();
        let &[verb, pid, third, fourth] = words.as_slice() else { continue };
        let Ok(pid) = pid.parse::<u32>() else { continue };
        match verb {
            "start" | "fork" => {
                account.speakers.insert(pid);
                account.executables.insert(third.to_owned());
                // A forked child is part of a program that has been counted.
                if verb == "start" {
                    *account.started.entry(fourth.to_owned()).or_default() += 1;
                }
            }
            "end" => {
                let bytes = |word: &str| word.parse::<u64>().unwrap_or(0).saturating_mul(1024);
                account.resident_bytes_peak = account.resident_bytes_peak.max(bytes(third));
                account.reserved_bytes_peak = account.reserved_bytes_peak.max(bytes(fourth));
            }
            _ => {}
        }
    }
    account
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_rubbish_is_passed_over() {
        let account = parse(
            "start\t7\t/bin/sh\t/lib/libc.so.6\nfork\t8\t/bin/sh\t/a b.so\nstart\t8\t/bin/a b\t/a b.so\n\
             end\t7\t100\t900\nend\t8\t50\t1000\nstart x\nend\n\nhello\nstart\t9\t/bin/sh\n",
        );
        assert_eq!(account.started["/a b.so"], 1);
        assert_eq!(account.started.values().sum::<u32>(), 2);
        assert_eq!((account.resident_bytes_peak, account.reserved_bytes_peak), (102_400, 1_024_000));
        assert_eq!(account.speakers.len(), 2);
    }

    #[test]
    fn a_process_is_vouched_for_as_what_it_or_a_sibling_spoke_as() {
        let account = parse("start\t7\t/bin/sh\tl\nfork\t8\t/bin/sh\tl\nstart\t9\t/bin/true\tl\n");
        assert!(account.vouches_for(7, Some("/bin/sh")) && account.vouches_for(7, None));
        // Forked from the shell, and never anything else.
        assert!(account.vouches_for(8, Some("/bin/sh")));
        // Spawned without a fork, seen as its parent just before it became itself.
        assert!(account.vouches_for(9, Some("/bin/sh")));
        // Forked with a witness, then a static program.
        assert!(!account.vouches_for(8, Some("/bin/static")));
        assert!(!account.vouches_for(10, Some("/bin/sh")) && !account.vouches_for(10, None));
    }
}
