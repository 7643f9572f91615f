//! What the witness library wrote: who serves `malloc` in each process, and each one's own peaks.

use std::collections::BTreeMap;

/// Lines that are read.
const LINES_MAX: usize = 1_000_000;

/// The account of all processes of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Library by process; the last one's, where a process replaced itself.
    pub libraries: BTreeMap<u32, String>,
    /// Programs that started, by library.
    pub started: BTreeMap<String, u32>,
    /// Highest VmHWM of a process that ended by itself, bytes.
    pub resident_bytes_peak: u64,
    /// Highest VmPeak, bytes.
    pub reserved_bytes_peak: u64,
}

/// Reads the lines; one that is not whole is passed over.
pub fn parse(text: &str) -> Account {
    let mut account = Account::default();
    for line in text.lines().take(LINES_MAX) {
        let mut words = line.splitn(4, ' ');
        let (verb, pid) = (words.next(), words.next().and_then(|word| word.parse::<u32>().ok()));
        let (third, fourth) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        match (verb, pid) {
            (Some("start"), Some(pid)) if !fourth.is_empty() => {
                let library = fourth.to_owned();
                *account.started.entry(library.clone()).or_default() += 1;
                account.libraries.insert(pid, library);
            }
            (Some("end"), Some(_)) => {
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
            "start 7 1 /lib/libc.so.6\nstart 8 7 /a b.so\nend 7 100 900\nend 8 50 1000\nstart x\nend\n\nhello\n",
        );
        assert_eq!(account.libraries[&8], "/a b.so");
        assert_eq!(account.started.values().sum::<u32>(), 2);
        assert_eq!((account.resident_bytes_peak, account.reserved_bytes_peak), (102_400, 1_024_000));
    }
}
