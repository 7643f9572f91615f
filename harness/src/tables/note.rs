//! The design note's tables: its four workloads, engine by engine, with the note's own figures beside them.
//!
//! The note was measured on another machine with another system allocator, so its throughput appears only as a
//! ratio to the system allocator of that run. Its p99 values stand for what they are: of about 20 samples a side.

use super::format::{millions, ratio, ratio_interval, significant, threads};
use super::{Cell, Input, Mark, Section, Table};
use crate::analysis::dataset::NOTE_WORKLOADS;
use crate::analysis::{Metric, metric, verdict};

/// What the note says of one workload.
struct NoteFigures {
    workload: &'static str,
    /// Operations a second of system, baseline, sharded; 2 threads, 20,000 operations a thread.
    short_ops_per_s: [f64; 3],
    /// The same from its later run: 8 threads, 200,000 operations a thread.
    long_ops_per_s: [f64; 3],
    /// p99 alloc, free of baseline and sharded, 2 threads, nanoseconds.
    p99_ns: [[f64; 2]; 2],
    /// Σ usable / Σ requested of both pools.
    usable_per_requested: f64,
}

const NOTE: [NoteFigures; 4] = [
    NoteFigures {
        workload: NOTE_WORKLOADS[0],
        short_ops_per_s: [15.42e6, 8.865e6, 3.840e6],
        long_ops_per_s: [25.5e6, 2.70e6, 3.45e6],
        p99_ns: [[42.0, 42.0], [83.0, 6958.0]],
        usable_per_requested: 1.17,
    },
    NoteFigures {
        workload: NOTE_WORKLOADS[1],
        short_ops_per_s: [11.05e6, 3.620e6, 2.175e6],
        long_ops_per_s: [17.0e6, 0.71e6, 0.79e6],
        p99_ns: [[458.0, 417.0], [5083.0, 1958.0]],
        usable_per_requested: 1.00,
    },
    NoteFigures {
        workload: NOTE_WORKLOADS[2],
        short_ops_per_s: [16.32e6, 3.913e6, 2.774e6],
        long_ops_per_s: [10.5e6, 0.21e6, 0.25e6],
        p99_ns: [[375.0, 6125.0], [3500.0, 13250.0]],
        usable_per_requested: 1.01,
    },
    NoteFigures {
        workload: NOTE_WORKLOADS[3],
        short_ops_per_s: [14.56e6, 5.287e6, 4.534e6],
        long_ops_per_s: [19.6e6, 1.16e6, 1.16e6],
        p99_ns: [[250.0, 1083.0], [166.0, 4458.0]],
        usable_per_requested: 1.72,
    },
];

/// Place of an engine in the note's triples.
fn note_index(engine: &str) -> Option<usize> {
    ["system", "mempool_baseline", "mempool_sharded"].iter().position(|known| *known == engine)
}

/// The section.
pub fn section(input: &Input) -> Section {
    let mut tables = Vec::new();
    for figures in &NOTE {
        tables.push(throughput(input, figures));
        tables.push(latency(input, figures));
    }
    tables.push(overhead(input));
    tables.retain(|table| !table.rows.is_empty());
    if tables.is_empty() {
        return Section::default();
    }
    let text = vec![format!(
        "Ratios are to `{}` in the same interleaved run, with their interval. Columns headed “note” are the design note's own figures from another machine: \
         compare orders and ratios with them, never absolute values. The note timed 1 operation in 1,024 with a 42 ns clock, so its p99 is nearly the maximum of 20 samples.",
        input.reference
    )];
    Section { id: "note", title: "The design note's workloads", text, tables }
}

fn throughput(input: &Input, figures: &NoteFigures) -> Table {
    let (data, ops) = (&input.data, metric("ops_per_s"));
    let counts = data.threads(figures.workload);
    let mut head = vec!["engine".to_owned()];
    for &count in &counts {
        head.extend([format!("{}, M ops/s", threads(count)), format!("× {}", input.reference)]);
    }
    head.extend(["note × its system: 2 threads".into(), "8 threads".into()]);
    let mut table = Table::new(format!("{}: throughput", figures.workload), String::new(), 1, head);
    for engine in data.contenders() {
        let mut row = vec![Cell::text(engine)];
        for &count in &counts {
            row.extend(value_and_ratio(input, ops, engine, figures.workload, count, millions));
        }
        if row[1..].iter().all(|cell| cell.key.is_none()) {
            continue;
        }
        for run in [&figures.short_ops_per_s, &figures.long_ops_per_s] {
            row.push(Cell::figure(note_index(engine).map(|at| run[at] / run[0]), ratio));
        }
        table.push(row);
    }
    table
}

/// Median, and ratio to the reference with its interval.
pub fn value_and_ratio(
    input: &Input,
    of: &Metric,
    engine: &str,
    workload: &str,
    count: u32,
    write: fn(f64) -> String,
) -> [Cell; 2] {
    let data = &input.data;
    let summary = data.summary(of, engine, workload, count);
    let best = data.best(of, workload, count).is_some_and(|(name, _)| name == engine);
    let value = Cell::figure(summary.map(|found| found.median), write).marked(if best {
        Mark::Best
    } else {
        Mark::Plain
    });
    let found = data.ratio(of, engine, &input.reference, workload, count);
    let ratio = match found {
        Some(_) if engine == input.reference => Cell::number("1".into(), 1.0),
        Some(found) => {
            let worse = verdict::surely_worse(of, &found);
            Cell::number(ratio_interval(&found), found.median).marked(if worse {
                Mark::Worse
            } else {
                Mark::Plain
            })
        }
        None => Cell::text("–"),
    };
    [value, ratio]
}

fn latency(input: &Input, figures: &NoteFigures) -> Table {
    let (data, counts) = (&input.data, input.data.threads(figures.workload));
    let mut head = vec!["engine".to_owned()];
    for &count in &counts {
        head.extend([format!("{}: alloc", threads(count)), "free".into()]);
    }
    head.extend(["note, 2 threads: alloc".into(), "free".into()]);
    let title = format!("{}: p99 latency, ns", figures.workload);
    let mut table = Table::new(
        title,
        "Every operation of a pass of its own is timed; the clock's cost is subtracted.",
        1,
        head,
    );
    for engine in data.contenders() {
        let mut row = vec![Cell::text(engine)];
        for &count in &counts {
            for name in ["alloc_ns_p99", "free_ns_p99"] {
                row.push(
                    value_and_ratio(input, metric(name), engine, figures.workload, count, significant)[0]
                        .clone(),
                );
            }
        }
        if row[1..].iter().all(|cell| cell.key.is_none()) {
            continue;
        }
        let note = note_index(engine).and_then(|at| figures.p99_ns.get(at.checked_sub(1)?));
        row.extend([0, 1].map(|side| Cell::figure(note.map(|pair| pair[side]), significant)));
        table.push(row);
    }
    table
}

fn overhead(input: &Input) -> Table {
    let data = &input.data;
    let mut head = vec!["engine".to_owned()];
    for figures in &NOTE {
        head.extend([figures.workload.to_owned(), "note".into()]);
    }
    let note = "Σ usable / Σ requested over all allocations, at the fewest threads measured. Sizes at exact powers of two flatter every allocator here; the `+` variants do not.";
    let mut table = Table::new("Overhead ratio", note, 1, head);
    for engine in data.contenders() {
        let mut row = vec![Cell::text(engine)];
        for figures in &NOTE {
            let of = metric("usable_per_requested");
            let found = data
                .threads(figures.workload)
                .into_iter()
                .find_map(|count| data.summary(of, engine, figures.workload, count));
            row.push(Cell::figure(found.map(|summary| summary.median), ratio));
            let known = note_index(engine).filter(|at| *at > 0).map(|_| figures.usable_per_requested);
            row.push(Cell::figure(known, ratio));
        }
        if row[1..].iter().step_by(2).any(|cell| cell.key.is_some()) {
            table.push(row);
        }
    }
    table
}
