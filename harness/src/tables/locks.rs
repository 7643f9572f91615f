//! The study of the design note's pools: each variant against the baseline, with what it spends on locks.

use super::format::{ratio_interval, significant};
use super::{Cell, Input, Mark, Section, Table};
use crate::analysis::{metric, verdict};

/// The pool with one lock.
const BASELINE: &str = "mempool_baseline";
/// Its variants.
const VARIANTS: [&str; 3] = ["mempool_sharded", "mempool_lockfree", "mempool_numa"];

/// The section.
pub fn section(input: &Input) -> Section {
    let mut text = Vec::new();
    let mut tables = Vec::new();
    for variant in VARIANTS {
        let (table, [ahead, behind, all]) = table(input, variant);
        if all > 0 {
            text.push(format!(
                "{variant} against {BASELINE} above 1 thread: surely faster in {ahead} of {all} cells, surely slower in {behind}, undecided in {}.",
                all - ahead - behind
            ));
        }
        tables.push(table);
    }
    tables.retain(|table| !table.rows.is_empty());
    if tables.is_empty() {
        return Section::default();
    }
    Section { id: "locks", title: "Does sharding the pool's lock pay?", text, tables }
}

fn table(input: &Input, variant: &str) -> (Table, [usize; 3]) {
    let head = [
        "workload",
        "threads",
        "throughput ratio",
        "lock takings/op, baseline",
        "variant",
        "lock waits/op, baseline",
        "variant",
    ];
    let mut table = Table::new(format!("{variant} / {BASELINE}"), "", 2, head.map(str::to_owned).into());
    let (data, ops) = (&input.data, metric("ops_per_s"));
    let [mut ahead, mut behind, mut all] = [0; 3];
    for place in data.places() {
        let (workload, count) = (place.workload.as_str(), place.threads);
        let Some(found) = data.ratio(ops, variant, BASELINE, workload, count) else { continue };
        let worse = found.median < 1.0;
        if count > 1 {
            all += 1;
            ahead += usize::from(verdict::surely_better(ops, &found));
            behind += usize::from(verdict::surely_worse(ops, &found));
        }
        let mut row = vec![Cell::text(workload), Cell::number(count.to_string(), f64::from(count))];
        row.push(Cell::number(ratio_interval(&found), found.median).marked(if worse {
            Mark::Worse
        } else {
            Mark::Plain
        }));
        for name in ["lock_takings_per_op", "lock_waits_per_op"] {
            for engine in [BASELINE, variant] {
                row.push(Cell::figure(
                    data.summary(metric(name), engine, workload, count).map(|found| found.median),
                    significant,
                ));
            }
        }
        table.push(row);
    }
    (table, [ahead, behind, all])
}
