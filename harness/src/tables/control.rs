//! What bounds the claims of a run: the floor (the harness's own cost) and the A/A control (its noise).

use super::format::{percent, ratio_interval, significant, threads};
use super::{Cell, Input, Mark, Section, Table};
use crate::analysis::dataset::FLOOR;
use crate::analysis::{aa, metric};

/// The harness's own loop, as time and as instructions, and its share of the fastest engine.
pub fn floor_section(input: &Input) -> Section {
    let head = [
        "workload",
        "threads",
        "floor, ns/op",
        "fastest engine",
        "its ns/op",
        "floor's share",
        "floor, instructions/op",
        "fewest instructions",
        "floor's share",
    ];
    let mut table = Table::new("", "", 2, head.map(str::to_owned).into());
    let data = &input.data;
    for place in data.places() {
        let (workload, count) = (place.workload.as_str(), place.threads);
        let mut row = vec![Cell::text(workload), Cell::number(count.to_string(), f64::from(count))];
        let mut any = false;
        for (name, named) in [("ns_per_op", true), ("instructions_per_op", false)] {
            let of = metric(name);
            let floor = data.summary(of, FLOOR, workload, count).map(|found| found.median);
            let best = data.best(of, workload, count).filter(|_| floor.is_some());
            any |= floor.is_some();
            row.push(Cell::figure(floor, significant));
            if named {
                row.push(Cell::text(best.map_or("–", |(engine, _)| engine)));
                row.push(Cell::figure(best.map(|(_, value)| value), significant));
            } else {
                row.push(best.map_or_else(
                    || Cell::text("–"),
                    |(engine, value)| Cell::number(format!("{} ({engine})", significant(value)), value),
                ));
            }
            let share = floor.zip(best).map(|(floor, (_, value))| floor / value);
            let mark = if share.is_some_and(|share| share > 0.5) { Mark::Worse } else { Mark::Plain };
            row.push(Cell::figure(share, percent).marked(mark));
        }
        if any {
            table.push(row);
        }
    }
    if table.rows.is_empty() {
        return Section::default();
    }
    let text = "Engine `floor` allocates nothing: what it costs is the loop of the harness, and every other engine carries the same cost. \
                Everything random is drawn before the clock starts; what remains is reading a word, a branch that the predictor misses where kinds are random, and the array of live blocks. \
                Where its share is high, differences between allocators are larger than their throughput ratios show. Time is thread time: wall × threads / operations.";
    Section {
        id: "floor",
        title: "Floor: what the harness itself costs",
        text: vec![text.into()],
        tables: vec![table],
    }
}

/// The A/A control and its judgement.
pub fn aa_section(input: &Input) -> Section {
    let mut text = Vec::new();
    let mut tables = Vec::new();
    for name in ["ops_per_s", "alloc_ns_p99", "free_ns_p99", "resident_bytes_peak"] {
        let of = metric(name);
        let controls = aa::controls(&input.data, of);
        if controls.is_empty() {
            continue;
        }
        let (close, all) = aa::close_of(&controls, 2);
        let alarms = controls.iter().filter(|control| control.is_false_alarm()).count();
        text.push(format!(
            "{}: differs by less than {:.0} % in the median on {close} of {all} cells at 1 and 2 threads; the interval excludes 1 on {alarms} of {} cells at all thread counts (1 in 20 is expected).",
            of.label,
            100.0 * aa::DIFFERENCE_MAX,
            controls.len()
        ));
        let head = ["workload", "threads", "engine", "control / engine", "pairs", "judgement"];
        let mut table = Table::new(of.label, "", 3, head.map(str::to_owned).into());
        for control in &controls {
            let judgement = if control.is_close() { "within 3 %" } else { "beyond 3 %" };
            table.push(vec![
                Cell::text(&control.workload),
                Cell::number(control.threads.to_string(), f64::from(control.threads)),
                Cell::text(&control.engine),
                Cell::number(ratio_interval(&control.ratio), control.ratio.median),
                Cell::number(control.ratio.n.to_string(), control.ratio.n as f64),
                Cell::text(judgement).marked(if control.is_close() { Mark::Plain } else { Mark::Worse }),
            ]);
        }
        tables.push(table);
    }
    if tables.is_empty() {
        let counts: Vec<String> = input.data.threads_all().into_iter().map(threads).collect();
        let said = if counts.is_empty() { String::new() } else { format!(" ({})", counts.join(", ")) };
        text.push(format!(
            "No A/A control was measured{said}: the noise of this run is known only from the intervals."
        ));
    }
    Section { id: "control", title: "A/A control: the same engine twice", text, tables }
}
