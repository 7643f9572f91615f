//! `sweep.csv`, `sweep.md`, the Pareto plot and the words at the end, from an [`Outcome`].

use anyhow::Result;

use super::REFERENCE;
use super::outcome::{Found, Outcome};
use super::space::{Axis, Point};
use crate::analysis::dataset::Place;
use crate::analysis::multiple::LEVEL;
use crate::analysis::{Better, Ratio};
use crate::plot::palette::{self, Ink};
use crate::plot::scatter::{self, Dot, Panel};
use crate::plot::scene::{Heading, Scene};
use crate::study::Measured;
use crate::tables::format::{ratio, ratio_interval, threads};
use crate::tables::{Cell, Mark, Table, render, status};

/// One line a setting or engine: knobs, ratios, place on the front.
pub fn csv(outcome: &Outcome, axes: &[Axis], points: &[Point]) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let figures = ["speed", "rss_peak", "rss_drained", "alloc_p99"];
    let mut head = vec!["setting".to_owned()];
    head.extend(axes.iter().map(|axis| axis.name.to_owned()));
    for figure in figures {
        head.extend(["", "_low", "_high"].map(|end| format!("{figure}_ratio{end}")));
    }
    head.extend(["p_holm", "on_front"].map(str::to_owned));
    writer.write_record(&head)?;
    for found in &outcome.found {
        let mut line = vec![found.label.clone()];
        let point = points.iter().find(|point| point.label == found.label);
        line.extend(
            axes.iter()
                .enumerate()
                .map(|(at, _)| point.map_or(String::new(), |point| point.env[at].1.clone())),
        );
        for figure in [Some(found.speed), found.peak, found.drained, found.p99] {
            let interval = figure.and_then(|figure: Ratio| figure.interval);
            let numbers = [figure.map(|f| f.median), interval.map(|i| i.low), interval.map(|i| i.high)];
            line.extend(numbers.map(|number| number.map_or(String::new(), |number| format!("{number:.6}"))));
        }
        line.push(found.p.map_or(String::new(), |p| format!("{p:.6}")));
        line.push(found.on_front.to_string());
        writer.write_record(&line)?;
    }
    Ok(writer.into_inner()?)
}

/// What is advised, in one line or two; the last is the environment to use, or empty.
pub fn advice(outcome: &Outcome, peak_limit: f64) -> Vec<String> {
    let Some((at, shown)) = outcome.best else {
        return vec![format!(
            "No setting keeps its resident peak within {peak_limit} × that of {REFERENCE}: keep what is shipped."
        )];
    };
    let best = &outcome.found[at];
    let p = best.p.unwrap_or(1.0);
    if !shown {
        return vec![format!(
            "Keep what is shipped: the fastest of {} settings within {peak_limit} × its resident peak ({}) has {} × its speed, which is not shown to be more (p = {p:.2}, corrected for their number).",
            outcome.found.iter().filter(|found| found.p.is_some()).count(),
            best.env,
            ratio_interval(&best.speed)
        )];
    }
    vec![
        format!(
            "{} × the speed of {REFERENCE} at {} × its resident peak (p = {p:.3}, corrected for the number of settings):",
            ratio_interval(&best.speed),
            best.peak.map_or("–".into(), |peak| ratio(peak.median))
        ),
        best.env.clone(),
    ]
}

/// Settings on the front and all engines; every other setting is in the CSV.
pub fn table(outcome: &Outcome, place: &Place) -> Table {
    let speed = if outcome.metric.better == Better::Higher { "throughput" } else { "speed by CPU time" };
    let head = ["setting", "variables", speed, "RSS peak", "RSS after drain", "alloc p99"];
    let mut table = Table::new(
        format!("{}, {}", place.workload, threads(place.threads)),
        format!(
            "Ratios to {REFERENCE} as shipped. Settings on the Pareto front of {speed} and RSS peak, then engines."
        ),
        2,
        head.map(str::to_owned).into(),
    );
    let mut rows: Vec<(usize, &Found)> =
        outcome.found.iter().enumerate().filter(|(_, found)| found.on_front || found.p.is_none()).collect();
    rows.sort_by(|a, b| {
        (a.1.p.is_none(), -a.1.speed.median)
            .partial_cmp(&(b.1.p.is_none(), -b.1.speed.median))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    for (at, found) in rows {
        let recommended = outcome.best == Some((at, true));
        let figure = |value: Option<Ratio>| {
            value.map_or(Cell::text("–"), |value| Cell::number(ratio_interval(&value), value.median))
        };
        let name = if recommended { format!("{} (recommended)", found.label) } else { found.label.clone() };
        table.push(vec![
            Cell::text(name),
            Cell::text(&found.env),
            figure(Some(found.speed)).marked(if recommended { Mark::Best } else { Mark::Plain }),
            figure(found.peak),
            figure(found.drained),
            figure(found.p99),
        ]);
    }
    table
}

/// The Markdown report.
pub fn markdown(measured: &Measured, outcome: &Outcome, place: &Place, peak_limit: f64) -> String {
    let mut out = format!(
        "# Settings tried out\n\n{}\n\n",
        render::escape_markdown(&status::caption(&measured.provenance))
    );
    let advice = advice(outcome, peak_limit);
    out.push_str(&format!("{}\n\n", advice[0]));
    if let Some(line) = advice.get(1) {
        out.push_str(&format!("```\n{line}\n```\n\n"));
    }
    out.push_str(&format!(
        "A setting counts as shown to be faster where the sign test over blocks, corrected by Holm for the number of settings, gives p < {LEVEL}.\n\n"
    ));
    out.push_str(&render::markdown(&table(outcome, place)));
    for line in &measured.left_out {
        out.push_str(&format!("\n* left out: {}", render::escape_markdown(line)));
    }
    out.push('\n');
    out
}

/// Speed against resident memory: every setting a grey point, the front, the learning layer and the peers named.
pub fn scene(measured: &Measured, outcome: &Outcome, place: &Place) -> Scene {
    let panel = |title: &str, pick: fn(&Found) -> Option<Ratio>| {
        let mut dots: Vec<Dot> = outcome
            .found
            .iter()
            .enumerate()
            .filter_map(|(at, found)| {
                let (ink, label) = look(found, outcome.best == Some((at, true)));
                Some(Dot { label, ink, at: (pick(found)?.median, found.speed.median) })
            })
            .collect();
        // What has no name first, so that nothing named lies below it.
        dots.sort_by_key(|dot| !dot.label.is_empty());
        Panel { title: title.to_owned(), dots }
    };
    let panels = [
        panel("against the resident peak", |found| found.peak),
        panel("against what stays after the drain", |found| found.drained),
    ];
    let heading = Heading {
        title: format!("Settings of ACE-Alloc on {}, {}", place.workload, threads(place.threads)),
        subtitle: "Each grey point is a setting; red and numbered: no setting is faster and smaller. Better is up and left."
            .into(),
        caption: status::caption(&measured.provenance),
    };
    scatter::draw(
        &heading,
        "resident memory, ratio to ace as shipped",
        "speed, ratio to ace as shipped",
        &panels,
    )
}

fn look(found: &Found, recommended: bool) -> (Ink, String) {
    let short = found.label.split('-').next().unwrap_or(&found.label);
    match (found.p.is_some(), found.on_front) {
        (true, _) if recommended => (palette::ink("ace"), format!("{short}, recommended")),
        (true, true) => (palette::ink("ace"), short.to_owned()),
        (true, false) => (Ink::Axis, String::new()),
        (false, _) => match found.label.as_str() {
            "ace_on" => (palette::ink("ace_on"), "learning on".into()),
            "ace_off" => (palette::ink("ace_off"), "learning off".into()),
            "ace" => (Ink::Text, "ace, shipped".into()),
            peer => (palette::ink(peer), peer.to_owned()),
        },
    }
}
