//! `summary.csv`: one row an engine × workload × threads, medians over blocks, with the design note's columns.

use crate::analysis::{Dataset, metric};
use anyhow::Result;

/// Columns that are medians of a metric, after engine, workload, threads.
const HEAD: [&str; 18] = [
    "engine",
    "workload",
    "threads",
    "ops_per_thread",
    "ops_total",
    "seconds",
    "ops_per_s",
    "alloc_ns_p50",
    "alloc_ns_p99",
    "free_ns_p50",
    "free_ns_p99",
    "usable_per_requested",
    "peak_live_requested_bytes",
    "peak_live_usable_bytes",
    "align_bytes",
    "resident_bytes_peak",
    "n",
    "n_failed",
];

/// The file's text.
pub fn write(data: &Dataset) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(HEAD)?;
    for place in data.places() {
        for engine in data.engines() {
            if let Some(row) = row(data, engine, &place.workload, place.threads) {
                writer.write_record(row)?;
            }
        }
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

fn row(data: &Dataset, engine: &str, workload: &str, threads: u32) -> Option<Vec<String>> {
    let rows = || {
        data.rows()
            .iter()
            .filter(|row| row.engine == engine && row.workload == workload && row.threads == threads)
    };
    let any = rows().find(|row| row.is_ok())?;
    let ok = || rows().filter(|row| row.is_ok() && row.pass == "throughput");
    let middle = |values: Vec<f64>| crate::analysis::robust::median(&values);
    let whole = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.0}"));
    let median = |name: &str| data.summary(metric(name), engine, workload, threads).map(|found| found.median);
    let exact = |name: &str| median(name).map_or_else(String::new, |value| value.to_string());
    let mut cells = vec![engine.to_owned(), workload.to_owned(), threads.to_string()];
    cells.push(whole(middle(ok().filter_map(|row| row.ops_per_thread).map(|ops| ops as f64).collect())));
    cells.push(whole(middle(ok().filter_map(|row| row.ops_total).map(|ops| ops as f64).collect())));
    let seconds = middle(ok().filter_map(|row| row.elapsed_ns).map(|ns| ns as f64 / 1e9).collect());
    cells.push(seconds.map_or_else(String::new, |value| format!("{value:.9}")));
    cells.push(whole(median("ops_per_s")));
    cells.extend(
        ["alloc_ns_p50", "alloc_ns_p99", "free_ns_p50", "free_ns_p99", "usable_per_requested"].map(exact),
    );
    cells.extend(["peak_live_requested_bytes", "peak_live_usable_bytes"].map(|name| whole(median(name))));
    cells.push(any.align_bytes.to_string());
    cells.push(whole(median("resident_bytes_peak")));
    cells.push(ok().count().to_string());
    cells.push(rows().filter(|row| !row.is_ok()).count().to_string());
    Some(cells)
}
