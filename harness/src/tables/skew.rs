//! Latency by size class: whether some sizes wait longer than others.
//!
//! Reads `bench.histograms.jsonl`, one JSON object a line; a line counts here if it has `engine`, `workload`,
//! `threads`, `op` (`alloc` or `free`), `class_bytes_max`, `count`, `ns_p50` and `ns_p99`. Other lines (the
//! histograms themselves) are passed over. Classes with fewer than [`COUNT_MIN`] operations have no p99 worth a column.

use super::format::{ratio, significant};
use super::{Cell, Input, Section, Table};
use crate::analysis::robust;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Operations below which a class is not shown: ten beyond the 99th percentile.
pub const COUNT_MIN: u64 = 1000;

/// One size class of one cell.
#[derive(Clone, Debug, Deserialize)]
pub struct ClassLatency {
    /// Engine label.
    pub engine: String,
    /// Workload name.
    pub workload: String,
    /// Threads.
    pub threads: u32,
    /// `alloc` or `free`.
    pub op: String,
    /// Largest size of the class.
    pub class_bytes_max: u64,
    /// Operations.
    pub count: u64,
    /// Median latency.
    pub ns_p50: f64,
    /// 99th percentile.
    pub ns_p99: f64,
}

/// Reads the lines that are size classes.
pub fn parse(text: &str) -> Vec<ClassLatency> {
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The section.
pub fn section(input: &Input) -> Section {
    let places: BTreeSet<(&str, u32, &str)> =
        input.skew.iter().map(|class| (class.workload.as_str(), class.threads, class.op.as_str())).collect();
    let fewest = |workload: &str| places.iter().find(|place| place.0 == workload).map(|place| place.1);
    let tables: Vec<Table> = places
        .iter()
        .copied()
        .filter(|&(workload, threads, _)| fewest(workload) == Some(threads))
        .map(|(workload, threads, op)| table(input, workload, threads, op))
        .filter(|table| !table.rows.is_empty())
        .collect();
    if tables.is_empty() {
        return Section::default();
    }
    let text = format!(
        "p50 / p99 in ns by size class, medians over blocks. Skew is the largest p99 of a class over the smallest. Shown are the fewest threads measured; `bench.histograms.jsonl` has all. Classes with fewer than {COUNT_MIN} operations are left out."
    );
    Section { id: "skew", title: "Latency by size class", text: vec![text], tables }
}

fn table(input: &Input, workload: &str, threads: u32, op: &str) -> Table {
    let chosen = || {
        input.skew.iter().filter(|class| {
            class.workload == workload
                && class.threads == threads
                && class.op == op
                && class.count >= COUNT_MIN
        })
    };
    let classes: BTreeSet<u64> = chosen().map(|class| class.class_bytes_max).collect();
    let mut head = vec!["engine".to_owned()];
    head.extend(classes.iter().map(|bytes| format!("≤ {bytes} B")));
    head.push("skew".into());
    let mut table = Table::new(format!("{workload}, {}: {op}", super::format::threads(threads)), "", 1, head);
    for engine in input.data.engines() {
        let mut found: BTreeMap<u64, [Vec<f64>; 2]> = BTreeMap::new();
        for class in chosen().filter(|class| class.engine == *engine) {
            let values = found.entry(class.class_bytes_max).or_default();
            values[0].push(class.ns_p50);
            values[1].push(class.ns_p99);
        }
        if found.is_empty() {
            continue;
        }
        let medians: BTreeMap<u64, [f64; 2]> = found
            .into_iter()
            .filter_map(|(bytes, [p50, p99])| Some((bytes, [robust::median(&p50)?, robust::median(&p99)?])))
            .collect();
        let mut row = vec![Cell::text(engine)];
        row.extend(classes.iter().map(|bytes| match medians.get(bytes) {
            Some([p50, p99]) => Cell::number(format!("{} / {}", significant(*p50), significant(*p99)), *p99),
            None => Cell::text("–"),
        }));
        let p99s = || medians.values().map(|pair| pair[1]);
        let (least, most) = (p99s().fold(f64::INFINITY, f64::min), p99s().fold(0.0, f64::max));
        row.push(Cell::figure((least > 0.0).then(|| most / least), ratio));
        table.push(row);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Dataset;
    use crate::row::Row;

    #[test]
    fn classes_become_columns_and_other_lines_are_passed_over() {
        let line = |bytes: u64, count: u64, p99: f64| {
            format!(
                r#"{{"engine":"ace","workload":"w","threads":1,"op":"alloc","class_bytes_max":{bytes},"count":{count},"ns_p50":20.0,"ns_p99":{p99}}}"#
            )
        };
        let text = [
            line(64, 5000, 40.0),
            line(128, 5000, 100.0),
            line(256, 3, 900.0),
            r#"{"kind":"other"}"#.into(),
            "broken".into(),
        ]
        .join("\n");
        let skew = parse(&text);
        assert_eq!(skew.len(), 3);
        let data = Dataset::new(vec![Row {
            engine: "ace".into(),
            workload: "w".into(),
            status: "ok".into(),
            ..Row::default()
        }]);
        let input = Input { data, provenance: serde_json::Map::new(), skew, reference: "system".into() };
        let section = section(&input);
        assert_eq!(section.tables[0].head, ["engine", "≤ 64 B", "≤ 128 B", "skew"]);
        assert_eq!(section.tables[0].rows[0][3].text, "2.50");
    }
}
