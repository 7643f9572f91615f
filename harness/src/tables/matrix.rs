//! Every workload at every thread count: one table for each family and metric, one column an engine.
//!
//! Cells are ratios to the reference; `≈` marks those whose interval does not exclude 1, so that a row of small
//! differences cannot pass for a ranking.

use super::format::{ratio, with_unit};
use super::{Cell, Input, Mark, Section, Table};
use crate::analysis::{Metric, metric, verdict};

/// Metrics that have a table here.
const SHOWN: [&str; 7] = [
    "ops_per_s",
    "alloc_ns_p99",
    "free_ns_p99",
    "alloc_ns_tail_mean",
    "resident_bytes_peak",
    "usable_per_requested",
    "instructions_per_op",
];

/// The section.
pub fn section(input: &Input) -> Section {
    let tables: Vec<Table> = input
        .data
        .groups()
        .into_iter()
        .flat_map(|group| SHOWN.map(|name| table(input, group, metric(name))))
        .filter(|table| !table.rows.is_empty())
        .collect();
    if tables.is_empty() {
        return Section::default();
    }
    let text = vec![format!(
        "Each cell is the median ratio to `{}` within the blocks of one interleaved run; the column `{0}` has the value itself. \
         “≈”: the interval does not exclude 1. Bold: the best median of its row. Italic or red: surely worse than `{0}`.",
        input.reference
    )];
    Section { id: "workloads", title: "Every workload", text, tables }
}

fn table(input: &Input, group: &str, of: &Metric) -> Table {
    let data = &input.data;
    let names: Vec<&(String, String)> = data.workloads().iter().filter(|(_, found)| found == group).collect();
    let has = |engine: &str| {
        names
            .iter()
            .any(|(name, _)| data.threads(name).iter().any(|&n| data.summary(of, engine, name, n).is_some()))
    };
    let engines: Vec<&str> = data.contenders().into_iter().filter(|engine| has(engine)).collect();
    let mut head = vec!["workload".to_owned(), "threads".into()];
    head.extend(engines.iter().map(|engine| (*engine).to_owned()));
    let title = if group.is_empty() { of.label.to_owned() } else { format!("{group}: {}", of.label) };
    let mut table = Table::new(title, String::new(), 2, head);
    for (name, _) in names {
        for count in data.threads(name) {
            let mut row = vec![Cell::text(name), Cell::number(count.to_string(), f64::from(count))];
            row.extend(engines.iter().map(|engine| cell(input, of, engine, name, count)));
            if row[2..].iter().any(|cell| cell.key.is_some()) {
                table.push(row);
            }
        }
    }
    table
}

fn cell(input: &Input, of: &Metric, engine: &str, workload: &str, threads: u32) -> Cell {
    let data = &input.data;
    let best = data.best(of, workload, threads).is_some_and(|(name, _)| name == engine);
    let value = data.summary(of, engine, workload, threads).map(|found| found.median);
    let cell = match data.ratio(of, engine, &input.reference, workload, threads) {
        Some(found) if engine != input.reference => {
            let sure = verdict::surely_better(of, &found) || verdict::surely_worse(of, &found);
            let text = format!("{}{}", if sure { "" } else { "≈ " }, ratio(found.median));
            let worse = verdict::surely_worse(of, &found);
            Cell::number(text, found.median).marked(if worse { Mark::Worse } else { Mark::Plain })
        }
        _ => Cell::figure(value, |value| with_unit(of, value)),
    };
    if best { cell.marked(Mark::Best) } else { cell }
}
