//! The figures that can be read off a row: name, unit, the passes that take it, and which way is better.
//!
//! A metric names its passes in order of preference; [`super::Dataset`] takes the first one that holds a value for
//! any engine of a workload and thread count, so that both sides of a ratio come from the same pass.

use crate::row::Row;

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Operations a second.
    OpsPerSecond,
    /// Bytes a second.
    BytesPerSecond,
    /// Nanoseconds.
    Nanoseconds,
    /// Bytes.
    Bytes,
    /// A bare number.
    Count,
}

/// One figure.
#[derive(Debug)]
pub struct Metric {
    /// Name, also on the command line; a column's name wherever it is a column.
    pub name: &'static str,
    /// Name for people.
    pub label: &'static str,
    /// How a value is written.
    pub unit: Unit,
    /// Which way is better.
    pub better: Better,
    /// Passes that take it, the best first.
    pub passes: &'static [&'static str],
    /// Reads it.
    pub get: fn(&Row) -> Option<f64>,
    /// Its value, up to a factor that all engines of a place share, in a run that took so many ns; where it follows from that.
    pub per_run: Option<fn(&Row, u64) -> Option<f64>>,
}

impl Metric {
    /// Whether a value is the same in every run of the same workload and seed, so that one run settles it.
    pub fn exact(&self) -> bool {
        ["instructions_per_op", "usable_per_requested"].contains(&self.name)
    }
}

const THROUGHPUT: &[&str] = &["throughput"];
const LATENCY: &[&str] = &["latency"];
const MEMORY: &[&str] = &["memory", "throughput"];
const DRAIN: &[&str] = &["drain"];

macro_rules! float {
    ($name:ident, $label:literal, $unit:ident, $better:ident, $passes:expr) => {
        Metric {
            name: stringify!($name),
            label: $label,
            unit: Unit::$unit,
            better: Better::$better,
            passes: $passes,
            get: |row| row.$name,
            per_run: None,
        }
    };
}

macro_rules! count {
    ($name:ident, $label:literal, $unit:ident, $passes:expr) => {
        Metric {
            name: stringify!($name),
            label: $label,
            unit: Unit::$unit,
            better: Better::Lower,
            passes: $passes,
            get: |row| row.$name.map(|value| value as f64),
            per_run: None,
        }
    };
}

/// All metrics.
pub const METRICS: &[Metric] = &[
    Metric {
        per_run: Some(|row, ns| per_op(row, Some(ns)).map(f64::recip)),
        ..float!(ops_per_s, "throughput", OpsPerSecond, Higher, THROUGHPUT)
    },
    Metric {
        // Every run of a cell allocates the same bytes.
        per_run: Some(|row, ns| Some(row.bytes_per_s? * row.elapsed_ns? as f64 / ns as f64)),
        ..float!(bytes_per_s, "bytes allocated a second", BytesPerSecond, Higher, THROUGHPUT)
    },
    Metric {
        name: "ns_per_op",
        label: "thread time per operation",
        unit: Unit::Nanoseconds,
        better: Better::Lower,
        passes: THROUGHPUT,
        get: ns_per_op,
        per_run: Some(|row, ns| per_op(row, Some(ns))),
    },
    Metric {
        name: "cpu_ns_per_op",
        label: "CPU time per operation",
        unit: Unit::Nanoseconds,
        better: Better::Lower,
        passes: THROUGHPUT,
        get: cpu_ns_per_op,
        per_run: None,
    },
    float!(alloc_ns_p50, "alloc p50", Nanoseconds, Lower, LATENCY),
    float!(alloc_ns_p90, "alloc p90", Nanoseconds, Lower, LATENCY),
    float!(alloc_ns_p99, "alloc p99", Nanoseconds, Lower, LATENCY),
    float!(alloc_ns_p999, "alloc p99.9", Nanoseconds, Lower, LATENCY),
    float!(alloc_ns_tail_mean, "alloc, mean of slowest 1 %", Nanoseconds, Lower, LATENCY),
    float!(free_ns_p50, "free p50", Nanoseconds, Lower, LATENCY),
    float!(free_ns_p90, "free p90", Nanoseconds, Lower, LATENCY),
    float!(free_ns_p99, "free p99", Nanoseconds, Lower, LATENCY),
    float!(free_ns_p999, "free p99.9", Nanoseconds, Lower, LATENCY),
    float!(free_ns_tail_mean, "free, mean of slowest 1 %", Nanoseconds, Lower, LATENCY),
    float!(usable_per_requested, "usable / requested", Count, Lower, &["memory"]),
    count!(peak_live_requested_bytes, "peak live requested", Bytes, MEMORY),
    count!(peak_live_usable_bytes, "peak live usable", Bytes, MEMORY),
    count!(resident_bytes_before, "resident before", Bytes, MEMORY),
    count!(resident_bytes_peak, "resident peak", Bytes, MEMORY),
    count!(resident_bytes_end, "resident at the end, blocks held", Bytes, MEMORY),
    count!(resident_bytes_drained, "resident, all freed", Bytes, &["drain", "memory"]),
    count!(resident_bytes_drained_100ms, "resident 100 ms after", Bytes, DRAIN),
    count!(resident_bytes_drained_1s, "resident 1 s after", Bytes, DRAIN),
    count!(resident_bytes_drained_2s, "resident 2 s after", Bytes, DRAIN),
    count!(resident_bytes_drained_5s, "resident 5 s after", Bytes, DRAIN),
    count!(lazyfree_bytes_drained_5s, "of it LazyFree", Bytes, DRAIN),
    count!(resident_bytes_trimmed, "resident after trim", Bytes, DRAIN),
    count!(reserved_bytes_peak, "address space peak", Bytes, MEMORY),
    count!(faults_minor, "minor faults", Count, THROUGHPUT),
    count!(context_switches, "context switches", Count, THROUGHPUT),
    Metric {
        name: "lock_takings_per_op",
        label: "lock takings per operation",
        unit: Unit::Count,
        better: Better::Lower,
        passes: THROUGHPUT,
        get: |row| per_op(row, row.lock_takings),
        per_run: None,
    },
    Metric {
        name: "lock_waits_per_op",
        label: "lock waits per operation",
        unit: Unit::Count,
        better: Better::Lower,
        passes: THROUGHPUT,
        get: |row| per_op(row, row.lock_waits),
        per_run: None,
    },
    float!(hot_share, "HOT share", Count, Higher, THROUGHPUT),
    float!(warm_share, "WARM share", Count, Lower, THROUGHPUT),
    float!(cold_share, "COLD share", Count, Lower, THROUGHPUT),
    float!(instructions_per_op, "instructions per operation", Count, Lower, &["instructions"]),
];

fn per_op(row: &Row, count: Option<u64>) -> Option<f64> {
    let ops = row.ops_total.filter(|&ops| ops > 0)?;
    Some(count? as f64 / ops as f64)
}

/// Wall time × threads / operations: what one operation costs the thread that does it.
fn ns_per_op(row: &Row) -> Option<f64> {
    per_op(row, row.elapsed_ns).map(|wall| wall * f64::from(row.threads))
}

fn cpu_ns_per_op(row: &Row) -> Option<f64> {
    per_op(row, Some(row.cpu_user_ns? + row.cpu_sys_ns?))
}

/// The metric of this name.
///
/// # Panics
/// If there is none: names in the source are checked by the tests of every table. Use [`find`] for a user's word.
pub fn metric(name: &str) -> &'static Metric {
    find(name).unwrap_or_else(|| panic!("no metric is called {name}"))
}

/// The metric of this name, if there is one.
pub fn find(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for metric in METRICS {
            assert_eq!(
                METRICS.iter().filter(|other| other.name == metric.name).count(),
                1,
                "{}",
                metric.name
            );
            assert!(
                std::ptr::eq(super::metric(metric.name), metric)
                    || super::metric(metric.name).name == metric.name
            );
        }
    }

    #[test]
    fn derived_figures_match_hand_computed_values() {
        let row = Row {
            threads: 2,
            ops_total: Some(1000),
            elapsed_ns: Some(50_000),
            cpu_user_ns: Some(60_000),
            cpu_sys_ns: Some(20_000),
            lock_takings: Some(250),
            ..Row::default()
        };
        assert_eq!((metric("ns_per_op").get)(&row), Some(100.0));
        assert_eq!((metric("cpu_ns_per_op").get)(&row), Some(80.0));
        assert_eq!((metric("lock_takings_per_op").get)(&row), Some(0.25));
        assert_eq!((metric("lock_waits_per_op").get)(&row), None);
        assert_eq!((metric("ns_per_op").get)(&Row { ops_total: Some(0), ..row }), None);
    }
}
