//! What `/proc/self` says of this process. Sizes in bytes; every reader is bounded and allocation-free enough to be
//! called before and after a workload, never inside its timed part.

use std::fs;
use std::io::Write;

/// Exact resident set and the part of it marked LazyFree, from `smaps_rollup` (walks the page tables: milliseconds
/// for large processes). Falls back to the cheaper, approximate `statm`.
pub fn resident_and_lazyfree() -> (u64, u64) {
    let Ok(text) = fs::read_to_string("/proc/self/smaps_rollup") else {
        return (resident_fast(), 0);
    };
    (field_kib(&text, "Rss:").unwrap_or(0), field_kib(&text, "LazyFree:").unwrap_or(0))
}

/// Resident set from `statm`: cheap, off by up to 64 pages a processor.
pub fn resident_fast() -> u64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text.split_ascii_whitespace().nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
    pages * page_bytes()
}

/// VmHWM and VmPeak.
pub fn peaks() -> (u64, u64) {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    (field_kib(&text, "VmHWM:").unwrap_or(0), field_kib(&text, "VmPeak:").unwrap_or(0))
}

/// Sets VmHWM back to the present resident set; `false` where the kernel does not allow it.
pub fn reset_resident_peak() -> bool {
    fs::OpenOptions::new()
        .write(true)
        .open("/proc/self/clear_refs")
        .and_then(|mut file| file.write_all(b"5"))
        .is_ok()
}

/// Bytes of a page.
pub fn page_bytes() -> u64 {
    static PAGE: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
    *PAGE.get_or_init(|| {
        let text = fs::read_to_string("/proc/self/smaps").unwrap_or_default();
        field_kib(&text, "KernelPageSize:").filter(|&bytes| bytes > 0).unwrap_or(4096)
    })
}

/// The value of a `Name:  123 kB` line, in bytes.
fn field_kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    let kib: u64 = line.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Mutex, PoisonError};

    /// Held by whoever allocates enough for the other to see.
    static MEMORY: Mutex<()> = Mutex::new(());

    #[test]
    fn fields_are_found_by_their_whole_name_and_scaled() {
        let text = "VmPeak:\t  100 kB\nVmHWM:\t 7 kB\nRss:  3 kB\n";
        assert_eq!(field_kib(text, "VmHWM:"), Some(7 * 1024));
        assert_eq!(field_kib(text, "Rss:"), Some(3 * 1024));
        assert_eq!(field_kib(text, "Pss:"), None);
    }

    #[test]
    fn the_resident_set_follows_touched_memory() {
        let _alone = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
        let (before, _) = resident_and_lazyfree();
        let block = vec![1_u8; 64 << 20];
        let (after, _) = resident_and_lazyfree();
        // Other tests of this process come and go; they hold far less than the slack.
        assert!(after - before >= 56 << 20, "{before} {after} {}", block.len());
        assert!(resident_fast() >= 56 << 20);
        assert!(peaks().0 >= after - (8 << 20));
    }

    #[test]
    fn the_peak_can_be_reset() {
        let _alone = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
        drop(vec![1_u8; 64 << 20]);
        if reset_resident_peak() {
            let (peak, _) = peaks();
            let (now, _) = resident_and_lazyfree();
            assert!(peak < now + (32 << 20), "{peak} {now}");
        }
    }
}
