//! mimalloc: `mi_version`, and the table that `mi_stats_print_out` prints.
//!
//! A release build counts what it reserved and committed, not what the program holds: `allocated_bytes` is there only
//! where the build counts it (`malloc` rows of the table).

use std::ffi::{CStr, c_char, c_int, c_void};

use crate::report::Report;
use crate::symbol;

type Output = unsafe extern "C" fn(*const c_char, *mut c_void);

/// Whether `malloc` is mimalloc's.
pub fn present() -> bool {
    symbol::beside_malloc(c"mi_version").is_some()
}

/// Fills in the report.
pub fn fill(report: &mut Report) {
    if let Some(address) = symbol::beside_malloc(c"mi_version") {
        // SAFETY: the symbol of this name has this type.
        let version = unsafe { std::mem::transmute::<*mut c_void, extern "C" fn() -> c_int>(address) };
        report.version = match version() {
            // Two digits a part from 3.x on, one before.
            v if v >= 10_000 => format!("{}.{}.{}", v / 10_000, v / 100 % 100, v % 100),
            v => format!("{}.{}.{}", v / 100, v / 10 % 10, v % 10),
        };
    }
    let table = table();
    let current = |name: &str| row(&table, name);
    report.arena_bytes = current("committed");
    for name in ["reserved", "committed", "reset", "purged", "abandoned", "segments", "threads"] {
        if let Some(value) = current(name) {
            report.extra.insert(name.into(), value);
        }
    }
}

/// `mi_collect(true)`.
pub fn collect() {
    if let Some(address) = symbol::beside_malloc(c"mi_collect") {
        // SAFETY: the symbol of this name has this type.
        let collect = unsafe { std::mem::transmute::<*mut c_void, extern "C" fn(bool)>(address) };
        collect(true);
    }
}

fn table() -> String {
    let Some(address) = symbol::beside_malloc(c"mi_stats_print_out") else { return String::new() };
    type Print = unsafe extern "C" fn(Option<Output>, *mut c_void);
    // SAFETY: the symbol of this name has this type.
    let print = unsafe { std::mem::transmute::<*mut c_void, Print>(address) };
    let mut text = String::new();
    // SAFETY: `append` gets `text` back, which outlives the call.
    unsafe { print(Some(append), (&raw mut text).cast()) };
    text
}

/// # Safety
/// `text` is a NUL-terminated string, `to` a String that nothing else uses meanwhile.
unsafe extern "C" fn append(text: *const c_char, to: *mut c_void) {
    // SAFETY: the caller's word.
    let text = unsafe { CStr::from_ptr(text) };
    // SAFETY: the caller's word.
    let to = unsafe { &mut *to.cast::<String>() };
    to.push_str(&text.to_string_lossy());
}

/// The fourth figure of a row (`peak total freed current`, or `peak total current block`), in bytes or as a count.
fn row(table: &str, name: &str) -> Option<u64> {
    let line = table.lines().map(str::trim_start).find(|line| line.starts_with(&format!("{name}:")))?;
    let figures = figures(&line[name.len() + 1..]);
    let header = table.lines().find(|line| line.contains("current"))?;
    let place = header.split_ascii_whitespace().filter(|word| !word.ends_with(':') && *word != "heap");
    let place = place.take_while(|word| *word != "current").filter(|word| *word != "stats:").count();
    figures.get(place).copied()
}

/// `1.5 MiB`, `64.0 Mi`, `12`: figures with their units, as numbers.
fn figures(text: &str) -> Vec<u64> {
    let mut found: Vec<f64> = Vec::new();
    for word in text.split_ascii_whitespace() {
        if let Ok(value) = word.parse::<f64>() {
            found.push(value);
            continue;
        }
        let factor = match word {
            "KiB" | "Ki" => 1024.0,
            "MiB" | "Mi" => 1_048_576.0,
            "GiB" | "Gi" => 1_073_741_824.0,
            "K" => 1e3,
            "M" => 1e6,
            "G" => 1e9,
            _ => continue,
        };
        if let Some(last) = found.last_mut() {
            *last *= factor;
        }
    }
    found.into_iter().map(|value| value.max(0.0) as u64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_with_their_units() {
        let table = "heap stats:     peak       total       freed     current        unit       count   \n\
                     \x20 reserved:    1.0 GiB     1.0 GiB      0         1.0 GiB                          \n\
                     \x20committed:   84.5 MiB     1.2 GiB     1.1 GiB  60.5 MiB                          not all freed\n\
                     \x20  threads:    12          12          10          2                             not all freed\n";
        assert_eq!(row(table, "reserved"), Some(1 << 30));
        assert_eq!(row(table, "committed"), Some((60.5 * 1_048_576.0) as u64));
        assert_eq!(row(table, "threads"), Some(2));
        assert_eq!(row(table, "missing"), None);
    }
}
