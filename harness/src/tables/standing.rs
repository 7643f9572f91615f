//! The verdict: who is best at what, how sure that is, and where the best one loses.

use super::format::{percent, ratio, ratio_interval, threads};
use super::{Cell, Input, Mark, Section, Table};
use crate::analysis::verdict::{Loss, Ranking, Standing};
use crate::analysis::{Metric, metric, verdict};

/// Metrics that are ranked, with what the first of them does.
const RANKED: [(&str, &str); 4] = [
    ("ops_per_s", "is fastest"),
    ("alloc_ns_p99", "has the lowest"),
    ("free_ns_p99", "has the lowest"),
    ("resident_bytes_peak", "has the smallest"),
];
/// Losses that are listed before the rest is only counted.
const LOSSES_MAX: usize = 12;

/// The section.
pub fn section(input: &Input) -> Section {
    let rankings: Vec<(&Metric, Ranking)> = RANKED
        .iter()
        .map(|(name, _)| (metric(name), verdict::rank(&input.data, metric(name), &input.reference)))
        .collect();
    let mut text = Vec::new();
    for ((_, word), (of, ranking)) in RANKED.iter().zip(&rankings) {
        text.extend(sentence(input, word, of, ranking));
    }
    text.push(certainty(input));
    let failures = input.data.failures().count();
    if failures > 0 {
        text.push(format!(
            "{failures} of {} cells failed; they are listed below and enter no figure.",
            input.data.rows().len()
        ));
    }
    let mut tables: Vec<Table> = rankings.iter().map(|(of, ranking)| table(input, of, ranking)).collect();
    tables.extend(loss_tables(input, &rankings[0].1));
    Section { id: "verdict", title: "Which allocator is best here, and how sure is that?", text, tables }
}

/// One sentence about the first of a ranking.
fn sentence(input: &Input, word: &str, of: &Metric, ranking: &Ranking) -> Option<String> {
    let first = ranking.standings.first()?;
    let mut text = format!("By {}: `{}` {word}", of.label, first.engine);
    if first.engine == input.reference {
        text += " (the reference itself)";
    } else {
        text += &format!(
            ", {} × `{}` (geometric mean over {})",
            ratio_interval(&first.mean),
            input.reference,
            places(ranking)
        );
    }
    if let Some(second) = ranking.standings.get(1) {
        text += &format!("; next is `{}` with {}", second.engine, ratio(second.mean.median));
        if overlap(first, second) {
            text += ", which the intervals do not separate";
        }
    }
    text += &format!(
        ". It has the best median in {} of {} cells, surely so in {}.",
        first.best,
        ranking.places.len(),
        first.surely_best
    );
    if first.engine != input.reference {
        text += &format!(" It is surely worse than `{}` in {}.", input.reference, first.surely_worse);
    }
    Some(text)
}

fn places(ranking: &Ranking) -> String {
    let (shared, all) = (ranking.places.len(), ranking.places_all);
    if shared == all {
        format!("{all} cells of workload × threads")
    } else {
        format!("the {shared} of {all} cells that all ranked engines share")
    }
}

/// Whether the intervals of two means leave their order open.
fn overlap(first: &Standing, second: &Standing) -> bool {
    match (first.mean.interval, second.mean.interval) {
        (Some(a), Some(b)) => a.low <= b.high && b.low <= a.high,
        _ => second.engine != first.engine,
    }
}

/// What the intervals of this run are worth.
fn certainty(input: &Input) -> String {
    match verdict::blocks(&input.data, metric("ops_per_s")) {
        None => "There are no throughput rows, so nothing is ranked by speed.".into(),
        Some((least, most)) => {
            let range = if least == most { format!("{least}") } else { format!("{least} to {most}") };
            let weak = if least < 5 {
                " Fewer than 5 blocks support no statement: “sure” needs at least 5."
            } else {
                ""
            };
            format!(
                "Throughput cells were measured in {range} interleaved blocks. “Surely” means that the whole interval of the paired ratio lies on one side of 1.{weak} Many cells are judged at once, so about one undecided cell in twenty will look decided."
            )
        }
    }
}

fn table(input: &Input, of: &Metric, ranking: &Ranking) -> Table {
    let reference = &input.reference;
    let head = [
        "engine".into(),
        format!("mean ratio to {reference}"),
        "best in cells".into(),
        "surely best".into(),
        format!("surely worse than {reference}"),
        "worst cell".into(),
        "there".into(),
    ];
    let mut note = format!("Geometric mean over {}; one mean a block gives the interval.", places(ranking));
    if !ranking.unranked.is_empty() {
        note += &format!(" Not ranked, for fewer than half of the cells: {}.", ranking.unranked.join(", "));
    }
    let mut table = Table::new(format!("Ranking by {}", of.label), note, 1, head.into());
    for (at, standing) in ranking.standings.iter().enumerate() {
        let count = |value: usize| Cell::number(value.to_string(), value as f64);
        let (worst, there) = match &standing.worst {
            Some((place, value)) if standing.engine != *reference => {
                (format!("{}, {}", place.workload, threads(place.threads)), Cell::figure(Some(*value), ratio))
            }
            _ => ("–".into(), Cell::text("–")),
        };
        let mark = if at == 0 { Mark::Best } else { Mark::Plain };
        let worse = if standing.surely_worse > 0 { Mark::Worse } else { Mark::Plain };
        table.push(vec![
            Cell::text(&standing.engine),
            Cell::number(ratio_interval(&standing.mean), standing.mean.median).marked(mark),
            count(standing.best),
            count(standing.surely_best),
            count(standing.surely_worse).marked(worse),
            Cell::text(worst),
            there,
        ]);
    }
    table
}

/// Where the fastest engine, and `ace` if that is another, are behind.
fn loss_tables(input: &Input, ranking: &Ranking) -> Vec<Table> {
    let mut engines: Vec<&str> =
        ranking.standings.first().map(|first| first.engine.as_str()).into_iter().collect();
    if input.data.contenders().contains(&"ace") && !engines.contains(&"ace") {
        engines.push("ace");
    }
    engines
        .into_iter()
        .map(|engine| loss_table(engine, &verdict::losses(&input.data, metric("ops_per_s"), engine)))
        .collect()
}

fn loss_table(engine: &str, losses: &[Loss]) -> Table {
    let of = metric("ops_per_s");
    let sure = losses.iter().filter(|loss| verdict::surely_worse(of, &loss.ratio)).count();
    let rest = losses.len().saturating_sub(LOSSES_MAX);
    let more = if rest > 0 { format!(" The {rest} smallest are not shown.") } else { String::new() };
    let note = format!(
        "Another engine has the better median throughput in {} cells, surely so in {sure}.{more}",
        losses.len()
    );
    let head = ["workload", "threads", "fastest there", "ratio to it", "deficit"];
    let mut table = Table::new(format!("Where {engine} loses"), note, 3, head.map(str::to_owned).into());
    for loss in losses.iter().take(LOSSES_MAX) {
        let mark = if verdict::surely_worse(of, &loss.ratio) { Mark::Worse } else { Mark::Plain };
        table.push(vec![
            Cell::text(&loss.place.workload),
            Cell::number(loss.place.threads.to_string(), f64::from(loss.place.threads)),
            Cell::text(&loss.winner),
            Cell::number(ratio_interval(&loss.ratio), loss.ratio.median).marked(mark),
            Cell::number(percent(1.0 - loss.ratio.median), 1.0 - loss.ratio.median),
        ]);
    }
    table
}
