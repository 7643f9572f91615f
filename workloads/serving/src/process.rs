//! What the kernel says of this process: resident and virtual size, threads, CPU time.

use std::fs;

use serde::{Deserialize, Serialize};

/// One reading of `/proc/self`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// VmRSS.
    pub resident_bytes: u64,
    /// VmHWM.
    pub resident_bytes_peak: u64,
    /// VmPeak: most address space ever mapped.
    pub virtual_bytes_peak: u64,
    /// Threads now.
    pub threads: u64,
    /// User and system time so far.
    pub cpu_seconds: f64,
}

/// Reads process `pid`; 0 is this one.
pub fn read(pid: u32) -> std::io::Result<Reading> {
    let folder = if pid == 0 { "/proc/self".to_string() } else { format!("/proc/{pid}") };
    let status = fs::read_to_string(format!("{folder}/status"))?;
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok()
    };
    let kib = |name: &str| field(name).unwrap_or(0) * 1024;
    Ok(Reading {
        resident_bytes: kib("VmRSS:"),
        resident_bytes_peak: kib("VmHWM:"),
        virtual_bytes_peak: kib("VmPeak:"),
        threads: field("Threads:").unwrap_or(0),
        cpu_seconds: cpu_seconds(&fs::read_to_string(format!("{folder}/stat"))?),
    })
}

/// Fields 14 and 15 of `stat`, counted in hundredths on every Linux that Rust runs on.
fn cpu_seconds(stat: &str) -> f64 {
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks =
        after_name.split_ascii_whitespace().skip(11).take(2).filter_map(|word| word.parse::<u64>().ok());
    ticks.sum::<u64>() as f64 / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_a_size_and_a_thread() {
        let reading = read(0).unwrap();
        assert!(reading.resident_bytes > 100_000 && reading.threads >= 1, "{reading:?}");
        assert!(reading.virtual_bytes_peak >= reading.resident_bytes_peak);
        assert_eq!(cpu_seconds("1 (a b) c) S 1 1 1 0 -1 0 1 0 0 0 250 50 0 0"), 3.0);
    }
}
