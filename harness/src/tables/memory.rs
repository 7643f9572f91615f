//! Resident memory: at its peak, at the end, and in the seconds after everything is freed.
//!
//! All figures are MiB above the resident set before the workload, so that what the process held anyway does not
//! dilute the comparison.

use super::format::mebibytes;
use super::{Cell, Input, Section, Table};
use crate::analysis::metric;

/// Columns of the table after release.
const DRAIN: [(&str, &str); 6] = [
    ("resident_bytes_drained", "all freed"),
    ("resident_bytes_drained_100ms", "100 ms"),
    ("resident_bytes_drained_1s", "1 s"),
    ("resident_bytes_drained_2s", "2 s"),
    ("resident_bytes_drained_5s", "5 s"),
    ("resident_bytes_trimmed", "trimmed"),
];
/// Columns of the table while blocks live.
const HELD: [(&str, &str); 2] =
    [("resident_bytes_peak", "resident peak"), ("resident_bytes_end", "resident at the end")];

/// The section.
pub fn section(input: &Input) -> Section {
    let tables: Vec<Table> =
        [held(input), drained(input)].into_iter().filter(|table| !table.rows.is_empty()).collect();
    if tables.is_empty() {
        return Section::default();
    }
    let text = vec!["MiB, medians, above the resident set that the process had before the workload. Less is better; what stays after all is freed is retention.".to_owned()];
    Section { id: "memory", title: "Memory", text, tables }
}

/// MiB above the resident set before.
fn grown(input: &Input, name: &str, engine: &str, workload: &str, threads: u32) -> Option<f64> {
    let data = &input.data;
    let of = metric(name);
    let value = data.summary(of, engine, workload, threads)?.median;
    let before = before(input, of.passes, engine, workload, threads).unwrap_or(0.0);
    Some((value - before).max(0.0))
}

/// Median of the resident set before the workload, in the first of these passes that has rows.
fn before(input: &Input, passes: &[&str], engine: &str, workload: &str, threads: u32) -> Option<f64> {
    passes.iter().find_map(|pass| {
        let rows = input.data.rows().iter().filter(|row| {
            row.is_ok()
                && row.pass == *pass
                && row.engine == engine
                && row.workload == workload
                && row.threads == threads
        });
        let values: Vec<f64> =
            rows.filter_map(|row| row.resident_bytes_before).map(|bytes| bytes as f64).collect();
        crate::analysis::robust::median(&values)
    })
}

fn held(input: &Input) -> Table {
    let head = ["workload", "threads", "engine", "peak live requested", "peak live usable"]
        .map(str::to_owned)
        .into_iter();
    let head = head
        .chain(HELD.iter().map(|(_, label)| (*label).to_owned()))
        .chain(["peak per requested".to_owned()]);
    let mut table = Table::new("While blocks live", "", 3, head.collect());
    each(input, |engine, workload, threads| {
        let value = |name: &str| {
            input.data.summary(metric(name), engine, workload, threads).map(|found| found.median)
        };
        let peak = grown(input, HELD[0].0, engine, workload, threads);
        let requested = value("peak_live_requested_bytes");
        let mut cells = vec![
            Cell::figure(requested, mebibytes),
            Cell::figure(value("peak_live_usable_bytes"), mebibytes),
        ];
        cells.extend(
            HELD.map(|(name, _)| Cell::figure(grown(input, name, engine, workload, threads), mebibytes)),
        );
        let share = peak
            .zip(requested)
            .filter(|(_, requested)| *requested > 0.0)
            .map(|(peak, requested)| peak / requested);
        cells.push(Cell::figure(share, super::format::ratio));
        push(&mut table, engine, workload, threads, cells, peak.is_some());
    });
    table
}

fn drained(input: &Input) -> Table {
    let head = ["workload", "threads", "engine"].map(str::to_owned).into_iter();
    let head =
        head.chain(DRAIN.iter().map(|(_, label)| (*label).to_owned())).chain(["of 5 s: LazyFree".to_owned()]);
    let note = "“LazyFree” is memory that the kernel may take at will and counts as resident until it does.";
    let mut table = Table::new("After all is freed", note, 3, head.collect());
    each(input, |engine, workload, threads| {
        let mut cells: Vec<Cell> = DRAIN
            .map(|(name, _)| Cell::figure(grown(input, name, engine, workload, threads), mebibytes))
            .into();
        let lazy = input.data.summary(metric("lazyfree_bytes_drained_5s"), engine, workload, threads);
        cells.push(Cell::figure(lazy.map(|found| found.median), mebibytes));
        let any = cells[1..].iter().any(|cell| cell.key.is_some());
        push(&mut table, engine, workload, threads, cells, any);
    });
    table
}

fn each(input: &Input, mut visit: impl FnMut(&str, &str, u32)) {
    for place in input.data.places() {
        for engine in input.data.contenders() {
            visit(engine, &place.workload, place.threads);
        }
    }
}

fn push(table: &mut Table, engine: &str, workload: &str, threads: u32, cells: Vec<Cell>, wanted: bool) {
    if wanted {
        let mut row = vec![
            Cell::text(workload),
            Cell::number(threads.to_string(), f64::from(threads)),
            Cell::text(engine),
        ];
        row.extend(cells);
        table.push(row);
    }
}
