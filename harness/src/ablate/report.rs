//! `ablation.csv`, `ablation.md` and the plot, from the rows of an ablation run.
//!
//! The CSV has one line an effect. The Markdown begins with the mean effect of each ablation and what it surely changes, then
//! the learning layer's modes, then one table an ablation with every workload. The plot is the matrix of all.

use std::collections::BTreeSet;

use anyhow::Result;

use super::figures::{self, Effect, LATE, SHOWN, heat};
use super::{CONTROL, REFERENCE};
use crate::analysis::dataset::Place;
use crate::analysis::{Dataset, metric, robust, verdict};
use crate::plot::heat::{self as matrix, Heat, Panel};
use crate::plot::scene::{Heading, Scene};
use crate::study::Measured;
use crate::tables::format::{ratio, ratio_interval};
use crate::tables::{Cell, Mark, Table, render, status};

/// Engines of the table of modes.
const MODES: [&str; 3] = ["ace_on", "ace_observe", "ace_off"];
/// Figures of the plot.
const DRAWN: [usize; 4] = [0, 1, 3, 4];

/// One line an effect.
pub fn csv(data: &Dataset, effects: &[Effect]) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "ablation",
        "workload",
        "threads",
        "figure",
        "blocks",
        "ratio",
        "low",
        "high",
        "confidence",
        "verdict",
        "ace_median",
    ])?;
    for effect in effects {
        let place = &effect.place;
        let of = data.summary(effect.metric, REFERENCE, &place.workload, place.threads);
        let interval = effect.ratio.interval;
        let figure = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.6}"));
        writer.write_record([
            effect.engine.clone(),
            place.workload.clone(),
            place.threads.to_string(),
            effect.metric.name.into(),
            effect.ratio.n.to_string(),
            figure(Some(effect.ratio.median)),
            figure(interval.map(|interval| interval.low)),
            figure(interval.map(|interval| interval.high)),
            figure(interval.map(|interval| interval.confidence)),
            word(effect).into(),
            figure(of.map(|of| of.median)),
        ])?;
    }
    Ok(writer.into_inner()?)
}

fn word(effect: &Effect) -> &'static str {
    match heat(effect.metric, &effect.ratio) {
        _ if effect.ratio.interval.is_none() => "one run",
        Heat::Better(_) => "better",
        Heat::Worse(_) => "worse",
        Heat::Even | Heat::Blank => "no difference shown",
    }
}

/// The Markdown report.
pub fn markdown(measured: &Measured, ablations: &[&str], effects: &[Effect]) -> String {
    let mut out = format!(
        "# What each part of ACE-Alloc is worth\n\n{}\n\n",
        render::escape_markdown(&status::caption(&measured.provenance))
    );
    out.push_str(
        "Each figure is the median of the paired ratio to `ace` as shipped, within blocks of one interleaved run, with its interval \
         (at least 93.75 %). Throughput above 1 is better; of latency and memory less is. Bold: surely better; italic: surely \
         worse. `ace#aa` is `ace` under a second name: what differs there differs by chance, and so about one cell in twenty of any other \
         row. RSS is what the process holds over what it held before, and 1 MiB on both sides, so that a few pages are no multiple.\n\n",
    );
    let data = &measured.data;
    for table in
        [overview(data, ablations, effects), modes(data)].into_iter().chain(by_ablation(data, ablations))
    {
        if !table.rows.is_empty() {
            out.push_str(&render::markdown(&table));
            out.push('\n');
        }
    }
    if !measured.left_out.is_empty() {
        out.push_str("### Planned, and not measured\n\n");
        for line in &measured.left_out {
            out.push_str(&format!("* {}\n", render::escape_markdown(line)));
        }
    }
    out
}

/// Mean over places, and in how many places an ablation is surely better or worse.
pub fn overview(data: &Dataset, ablations: &[&str], effects: &[Effect]) -> Table {
    let places = data.places().len();
    let note = format!(
        "Geometric mean of the ratio over {places} places of workload × threads; in brackets the places in which it is surely \
         better, and surely worse."
    );
    let head = std::iter::once("ablation".to_owned()).chain(SHOWN.map(|(_, name)| name.to_owned()));
    let mut table = Table::new("Every ablation", note, 1, head.collect());
    for engine in std::iter::once(&CONTROL).chain(ablations) {
        let mut row = vec![Cell::text(*engine)];
        for (name, _) in SHOWN {
            let own: Vec<&Effect> = effects
                .iter()
                .filter(|effect| effect.engine == *engine && effect.metric.name == name)
                .collect();
            row.push(mean(&own));
        }
        if row[1..].iter().any(|cell| cell.key.is_some()) {
            table.push(row);
        }
    }
    table
}

fn mean(effects: &[&Effect]) -> Cell {
    // A pilot that the budget did not follow up is one run: it would weigh as much as a place that was repeated.
    let repeated = effects.iter().any(|effect| effect.ratio.interval.is_some());
    let effects: Vec<&&Effect> =
        effects.iter().filter(|effect| !repeated || effect.ratio.interval.is_some()).collect();
    let medians: Vec<f64> = effects.iter().map(|effect| effect.ratio.median).collect();
    let count = |wanted: fn(&Heat) -> bool| {
        effects.iter().filter(|effect| wanted(&heat(effect.metric, &effect.ratio))).count()
    };
    let better = count(|heat| matches!(heat, Heat::Better(_)));
    let worse = count(|heat| matches!(heat, Heat::Worse(_)));
    Cell::figure(robust::geometric_mean(&medians), |value| {
        format!("{} (+{better} −{worse} of {})", ratio(value), effects.len())
    })
}

/// The learning layer's modes beside each other.
fn modes(data: &Dataset) -> Table {
    let head = ["workload", "threads", "mode"].into_iter().chain(SHOWN.map(|(_, name)| name));
    let mut table = Table::new(
        "The learning layer: on, observe, off",
        "Ratios to `ace` as shipped, whose mode docs/CONFIG.md names.",
        3,
        head.map(str::to_owned).collect(),
    );
    for place in data.places() {
        for mode in MODES {
            let cells: Vec<Cell> = SHOWN.iter().map(|(name, _)| cell(data, mode, &place, name)).collect();
            if cells.iter().any(|cell| cell.key.is_some()) {
                let mut row = vec![
                    Cell::text(&place.workload),
                    Cell::text(place.threads.to_string()),
                    Cell::text(mode.trim_start_matches("ace_")),
                ];
                row.extend(cells);
                table.push(row);
            }
        }
    }
    table
}

fn cell(data: &Dataset, engine: &str, place: &Place, name: &str) -> Cell {
    let Some(found) = figures::effect(data, engine, place, metric(name)) else { return Cell::text("–") };
    let mark = if verdict::surely_better(found.metric, &found.ratio) {
        Mark::Best
    } else if verdict::surely_worse(found.metric, &found.ratio) {
        Mark::Worse
    } else {
        Mark::Plain
    };
    Cell::number(ratio_interval(&found.ratio), found.ratio.median).marked(mark)
}

/// A table an ablation, workloads down.
fn by_ablation(data: &Dataset, ablations: &[&str]) -> Vec<Table> {
    let about = |name: &str| engines::find(name).map_or("ace under a second name", |entry| entry.about);
    let figures = || SHOWN.iter().chain([&LATE]);
    let table = |engine: &&str| {
        let head = ["workload", "threads"].into_iter().chain(figures().map(|(_, title)| *title));
        let title = format!("{engine}: {}", about(engine));
        let mut table = Table::new(title, String::new(), 2, head.map(str::to_owned).collect());
        for place in data.places() {
            let cells: Vec<Cell> = figures().map(|(name, _)| cell(data, engine, &place, name)).collect();
            if cells.iter().any(|cell| cell.key.is_some()) {
                let mut row = vec![Cell::text(&place.workload), Cell::text(place.threads.to_string())];
                row.extend(cells);
                table.push(row);
            }
        }
        table
    };
    std::iter::once(&CONTROL).chain(ablations).map(table).collect()
}

/// The matrix of ablations and workloads.
pub fn scene(measured: &Measured, ablations: &[&str], effects: &[Effect]) -> Scene {
    let mut places = measured.data.places();
    // A pilot that the budget did not follow up would be a column of nothing.
    places.retain(|place| effects.iter().any(|e| e.place == *place && e.ratio.interval.is_some()));
    let one_count = places.iter().map(|place| place.threads).collect::<BTreeSet<_>>().len() == 1;
    let columns: Vec<String> = places
        .iter()
        .map(|place| {
            if one_count {
                place.workload.clone()
            } else {
                format!("{} × {}", place.workload, place.threads)
            }
        })
        .collect();
    let rows: Vec<String> =
        std::iter::once(&CONTROL).chain(ablations).map(|name| (*name).to_owned()).collect();
    let panels: Vec<Panel> = DRAWN
        .iter()
        .map(|&at| {
            let (name, title) = SHOWN[at];
            let cell = |engine: &String, place: &Place| {
                effects
                    .iter()
                    .find(|e| e.engine == *engine && e.place == *place && e.metric.name == name)
                    .map_or(Heat::Blank, |effect| heat(effect.metric, &effect.ratio))
            };
            let cells =
                rows.iter().map(|engine| places.iter().map(|place| cell(engine, place)).collect()).collect();
            Panel { title: title.into(), cells }
        })
        .collect();
    let threads = if one_count {
        places
            .first()
            .map_or(String::new(), |place| format!(" · {}", crate::tables::format::threads(place.threads)))
    } else {
        String::new()
    };
    let heading = Heading {
        title: format!("What each part of ACE-Alloc is worth{threads}"),
        subtitle: "Each row takes one thing away; coloured where the interval of the paired ratio to ace excludes 1. The first row is ace itself, twice."
            .into(),
        caption: status::caption(&measured.provenance),
    };
    matrix::draw(&heading, &rows, &columns, &panels)
}
