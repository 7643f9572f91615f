//! What can be done, each with the figure that was measured for it: rows of `scaling.csv`, never a figure typed in.

use serde::{Deserialize, Serialize};

use super::verdict::Class;
use crate::scale::row::Row;
use crate::scale::rows::{REFERENCE, Rows, median, paired, resident};

/// Rows of the reference run that is committed with the sources.
const REFERENCE_ROWS: &str = include_str!("../../../results/reference/scaling.csv");

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mitigation {
    /// What to do.
    pub what: String,
    /// The line to set, where there is one.
    pub set: String,
    /// Resident set after the load against glibc's, measured under `scale`.
    pub resident_ratio: Option<f64>,
    /// Throughput against glibc's.
    pub throughput_ratio: Option<f64>,
    /// Resident set against glibc's after 2 s of idle time.
    pub idle_ratio: Option<f64>,
    /// What else was measured, or what to mind.
    pub note: String,
}

/// The committed rows.
pub fn reference_rows() -> Vec<Row> {
    csv::Reader::from_reader(REFERENCE_ROWS.as_bytes()).deserialize().flatten().collect()
}

/// What fits a finding in a process of `engine`; the leanest first, by what was measured.
pub fn fitting(class: Class, engine: &str, rows: &[Row]) -> Vec<Mitigation> {
    if class == Class::Leak || class == Class::Held {
        let what = "look for what holds the blocks: no allocator setting frees live memory";
        return vec![plain(
            what,
            "",
            "a heap profiler names the call sites (heaptrack, jemalloc's prof, bytehound)",
        )];
    }
    if !class.is_retention() {
        return Vec::new();
    }
    let rows = Rows(rows);
    let other = |label: &str| !label.starts_with(engine) || engine.is_empty();
    let mut list: Vec<Mitigation> = Vec::new();
    if engine == "glibc" {
        let note = trimmed(&rows, REFERENCE);
        list.push(engine_row(&rows, "glibc_arena2", "fewer arenas", "MALLOC_ARENA_MAX=2", String::new()));
        list.push(Mitigation { note, ..plain("trim once, when the process is idle", "malloc_trim(0)", "") });
        let every = "malloc_trim(0) after every 100 requests";
        list.push(engine_row(
            &rows,
            "glibc_trim",
            "trim during the load",
            every,
            trimmed(&rows, "glibc_trim"),
        ));
    }
    if engine == "jemalloc" {
        let set = "MALLOC_CONF=background_thread:true";
        list.push(engine_row(&rows, "jemalloc_bg", "let jemalloc purge while idle", set, decayed(&rows)));
    }
    for (label, what, set) in [
        (
            "jemalloc_bg",
            "jemalloc with its background thread",
            "LD_PRELOAD=libjemalloc.so.2 MALLOC_CONF=background_thread:true",
        ),
        ("mimalloc", "mimalloc", "LD_PRELOAD=libmimalloc.so.2"),
        ("tcmalloc", "tcmalloc", "LD_PRELOAD=libtcmalloc_minimal.so.4"),
        ("ace", "ACE-Alloc", "LD_PRELOAD=libace_alloc.so"),
    ] {
        if other(label) {
            list.push(engine_row(&rows, label, what, set, trimmed(&rows, label)));
        }
    }
    list.sort_by(|a, b| a.idle_ratio.unwrap_or(f64::MAX).total_cmp(&b.idle_ratio.unwrap_or(f64::MAX)));
    let note = fewer_threads(&rows, engine);
    list.push(Mitigation {
        note,
        ..plain("fewer blocking threads (tokio)", "Builder::max_blocking_threads(4)", "")
    });
    let note = keep_alive(&rows, engine);
    list.push(Mitigation {
        note,
        ..plain("end idle threads sooner (tokio)", "Builder::thread_keep_alive(1 s)", "")
    });
    list
}

fn plain(what: &str, set: &str, note: &str) -> Mitigation {
    Mitigation {
        what: what.into(),
        set: set.into(),
        resident_ratio: None,
        throughput_ratio: None,
        idle_ratio: None,
        note: note.into(),
    }
}

fn engine_row(rows: &Rows, label: &str, what: &str, set: &str, note: String) -> Mitigation {
    let ratio =
        |pick: fn(&Row) -> Option<f64>| paired(rows, "engines", label, pick).map(|ratio| ratio.median);
    Mitigation {
        resident_ratio: ratio(resident),
        throughput_ratio: ratio(|row| row.requests_per_s),
        idle_ratio: ratio(|row| row.resident_bytes_idle_2s.map(|bytes| bytes as f64)),
        note,
        ..plain(what, set, "")
    }
}

fn share(
    rows: &Rows,
    test: &str,
    engine: &str,
    keep_alive_ms: Option<u64>,
    after: fn(&Row) -> Option<f64>,
) -> Option<f64> {
    let own = || {
        rows.0.iter().filter(move |row| {
            row.is_ok()
                && row.test == test
                && row.engine == engine
                && keep_alive_ms.is_none_or(|time| row.keep_alive_ms == time)
        })
    };
    Some(median(own(), after)? / median(own(), resident)?)
}

/// What a trim left of the resident set.
fn trimmed(rows: &Rows, engine: &str) -> String {
    let left = share(rows, "engines", engine, None, |row| {
        row.resident_bytes_trimmed.map(|bytes| bytes as f64 / 1e6)
    });
    left.map_or_else(String::new, |left| format!("a trim left {:.0} % of the resident set", left * 100.0))
}

fn decayed(rows: &Rows) -> String {
    let left = share(rows, "engines", "jemalloc_bg", None, |row| {
        row.resident_bytes_idle_5s.map(|bytes| bytes as f64 / 1e6)
    });
    left.map_or_else(String::new, |left| format!("after 5 s of idle time {:.0} % were left", left * 100.0))
}

/// Resident set and throughput with the smallest pool against the largest that was measured.
fn fewer_threads(rows: &Rows, engine: &str) -> String {
    let engine = if engine.is_empty() { REFERENCE } else { engine };
    let own =
        |size: u64| rows.of("threads").filter(move |row| row.engine == engine && row.blocking_max == size);
    let of_engine = rows.of("threads").filter(|row| row.engine == engine);
    let sizes: Vec<u64> = of_engine.map(|row| row.blocking_max).collect();
    let ends = sizes.iter().min().zip(sizes.iter().max());
    let Some((&least, &most)) = ends.filter(|(least, most)| least < most) else {
        return String::new();
    };
    let share = |pick: fn(&Row) -> Option<f64>| Some(median(own(least), pick)? / median(own(most), pick)?);
    match (share(resident), share(|row| row.requests_per_s)) {
        (Some(memory), Some(speed)) => format!(
            "{least} threads instead of {most}: {:.0} % of the resident set, {:.0} % of the throughput",
            memory * 100.0,
            speed * 100.0
        ),
        _ => String::new(),
    }
}

fn keep_alive(rows: &Rows, engine: &str) -> String {
    let engine = if engine.is_empty() { REFERENCE } else { engine };
    let left = |time| {
        share(rows, "keep_alive", engine, Some(time), |row| {
            row.resident_bytes_idle_5s.map(|bytes| bytes as f64 / 1e6)
        })
    };
    match (left(1000), left(10_000)) {
        (Some(short), Some(long)) => {
            format!(
                "5 s after the load {:.0} % were left, against {:.0} % with 10 s",
                short * 100.0,
                long * 100.0
            )
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leak_has_no_setting() {
        let list = fitting(Class::Leak, "glibc", &[]);
        assert!(list.len() == 1 && list[0].set.is_empty(), "{list:?}");
    }

    #[test]
    fn figures_come_from_rows_alone() {
        assert!(fitting(Class::ArenaRetention, "glibc", &[]).iter().all(|found| found.idle_ratio.is_none()));
        let row = |engine: &str, bytes: u64| Row {
            test: "engines".into(),
            engine: engine.into(),
            status: "ok".into(),
            resident_bytes_idle_0ms: Some(bytes),
            resident_bytes_idle_2s: Some(bytes),
            requests_per_s: Some(100.0),
            ..Row::default()
        };
        let list = fitting(Class::ArenaRetention, "glibc", &[row("glibc", 100), row("ace", 25)]);
        assert_eq!((list[0].what.as_str(), list[0].idle_ratio), ("ACE-Alloc", Some(0.25)));
    }

    #[test]
    fn the_committed_rows_can_be_read() {
        let lines = REFERENCE_ROWS.lines().filter(|line| !line.is_empty()).count();
        assert_eq!(reference_rows().len() + 1, lines);
    }
}
