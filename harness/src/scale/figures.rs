//! The plots of `scale`: resident set over concurrency, requests, threads and time, and throughput against memory.

use super::plan::PAYLOADS;
use super::record::Reading;
use super::row::Row;
use super::rows::{REFERENCE, Rows, median, resident};
use crate::plot::figures::Figure;
use crate::plot::lines::{self, Panel, Scale, Series};
use crate::plot::palette::{self, Ink};
use crate::plot::scatter::{self, Dot};
use crate::plot::scene::Heading;

/// Engines by the ink that they share with the benchmark's figures, or that is free here.
const INKS: [(&str, &str); 7] = [
    ("glibc", "system"),
    ("glibc_arena2", "c_abi"),
    ("glibc_arena128", "mempool_baseline"),
    ("glibc_trim", "mempool_numa"),
    ("jemalloc_arena2", "mempool_lockfree"),
    ("jemalloc_bg", "rpmalloc"),
    ("tcmalloc", "tcmalloc"),
];

fn ink(engine: &str) -> Ink {
    palette::ink(INKS.iter().find(|(label, _)| *label == engine).map_or(engine, |(_, name)| name))
}

/// All figures that have rows. `caption` names command and revision.
pub fn all(rows: &[Row], timeline: &[Reading], caption: &str) -> Vec<Figure> {
    let rows = Rows(rows);
    let drawn = [
        over(&rows, caption, "concurrency", "requests in flight", |row| row.concurrency),
        over(&rows, caption, "requests", "requests", |row| row.requests),
        over(&rows, caption, "threads", "blocking threads", |row| row.blocking_max),
        over_time(timeline, caption),
        against_memory(&rows, caption),
    ];
    drawn.into_iter().flatten().collect()
}

fn heading(title: &str, subtitle: &str, caption: &str) -> Heading {
    Heading { title: title.into(), subtitle: subtitle.into(), caption: caption.into() }
}

fn figure(name: &str, title: &str, scene: crate::plot::scene::Scene) -> Figure {
    Figure { name: format!("scaling-{name}"), topic: "scaling", title: title.into(), scene }
}

/// Resident set over a column, one panel a payload.
fn over(
    rows: &Rows,
    caption: &str,
    test: &'static str,
    x_label: &str,
    axis: fn(&Row) -> u64,
) -> Option<Figure> {
    let mut values: Vec<u64> = Vec::new();
    let panels: Vec<Panel> = PAYLOADS
        .iter()
        .filter_map(|&payload| {
            let own = || rows.of(test).filter(move |row| row.payload_bytes == payload);
            let mut at: Vec<u64> = own().map(axis).collect();
            at.sort_unstable();
            at.dedup();
            values.extend(&at);
            let series = rows.engines(test).into_iter().map(|engine| Series {
                label: engine.into(),
                ink: ink(engine),
                points: at
                    .iter()
                    .filter_map(|&x| {
                        let y = median(own().filter(|row| row.engine == engine && axis(row) == x), resident)?;
                        Some(((x as f64).log2(), y))
                    })
                    .collect(),
            });
            let title = format!("{} KiB bodies", payload / 1024);
            (at.len() > 1).then(|| Panel { title, series: series.collect(), marks: Vec::new() })
        })
        .collect();
    if panels.is_empty() {
        return None;
    }
    values.sort_unstable();
    values.dedup();
    let scale = Scale {
        categories: values.iter().map(|&value| ((value as f64).log2(), value.to_string())).collect(),
        x_label: x_label.into(),
        y_label: "resident MB when the load has ended".into(),
        y_log: false,
        markers: true,
    };
    let title = format!("Resident set over {x_label}");
    let subtitle = "A fresh server a point; lower is better. Medians over blocks.";
    Some(figure(test, &title, lines::draw(&heading(&title, subtitle, caption), &scale, &panels)))
}

/// Resident set over time with the idle tail, of the first block: engines, then keep-alive times.
fn over_time(timeline: &[Reading], caption: &str) -> Option<Figure> {
    let mut keys: Vec<(&str, u64)> = timeline.iter().map(|reading| (reading.0.as_str(), reading.2)).collect();
    keys.sort_unstable_by_key(|(test, keep_alive)| (*test != "engines", std::cmp::Reverse(*keep_alive)));
    keys.dedup();
    let order = super::variant::labels();
    let panels: Vec<Panel> = keys
        .into_iter()
        .map(|(test, keep_alive)| {
            let own = |reading: &&Reading| reading.0 == test && reading.2 == keep_alive && reading.3 == 0;
            let mut engines: Vec<&str> =
                timeline.iter().filter(own).map(|reading| reading.1.as_str()).collect();
            engines.sort_by_key(|engine| order.iter().position(|known| known == engine));
            engines.dedup();
            let series = engines.into_iter().map(|engine| Series {
                label: engine.into(),
                ink: ink(engine),
                points: timeline
                    .iter()
                    .filter(|reading| own(reading) && reading.1 == engine)
                    .map(|reading| (reading.4 / 1000.0, reading.5 / 1e6))
                    .collect(),
            });
            let title = match test {
                "engines" => "Every engine, keep-alive 10 s".to_string(),
                _ => format!("Idle for 12 s, keep-alive {} s", keep_alive as f64 / 1000.0),
            };
            Panel { title, series: series.collect(), marks: Vec::new() }
        })
        .collect();
    if panels.is_empty() {
        return None;
    }
    let scale = Scale {
        categories: Vec::new(),
        x_label: "seconds since the load began".into(),
        y_label: "resident MB".into(),
        y_log: false,
        markers: false,
    };
    let title = "Resident set over time: a burst of 200 KiB bodies, 96 in flight, then nothing";
    let subtitle =
        "One server an engine. The load ends where a line turns flat or falls; nothing is asked after that.";
    Some(figure("time", title, lines::draw(&heading(title, subtitle, caption), &scale, &panels)))
}

/// Throughput against the resident set, as ratios to glibc.
fn against_memory(rows: &Rows, caption: &str) -> Option<Figure> {
    let dots = |pick: fn(&Row) -> Option<f64>| -> Vec<Dot> {
        let engines = rows.engines("engines");
        let found = engines.iter().filter(|engine| **engine != REFERENCE).filter_map(|engine| {
            let x = super::rows::paired(rows, "engines", engine, pick)?.median;
            let y = super::rows::paired(rows, "engines", engine, |row| row.requests_per_s)?.median;
            Some(Dot { label: (*engine).into(), ink: ink(engine), at: (x, y) })
        });
        found.collect()
    };
    let after = |title: &str, dots: Vec<Dot>| scatter::Panel { title: title.into(), dots };
    let panels = [
        after("When the load has ended", dots(resident)),
        after("After 2 s of idle time", dots(|row| row.resident_bytes_idle_2s.map(|bytes| bytes as f64))),
    ];
    if panels.iter().all(|panel| panel.dots.is_empty()) {
        return None;
    }
    let title = "Throughput against memory, 200 KiB bodies, 96 in flight";
    let subtitle = "Both against glibc in the same blocks (1, 1). Up and left is better.";
    let scene = scatter::draw(
        &heading(title, subtitle, caption),
        "resident set / glibc",
        "requests per second / glibc",
        &panels,
    );
    Some(figure("throughput-memory", title, scene))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_drawn_for_what_was_measured() {
        let row = |engine: &str, concurrency: u64| Row {
            test: "concurrency".into(),
            engine: engine.into(),
            payload_bytes: PAYLOADS[1],
            concurrency,
            status: "ok".into(),
            resident_bytes_idle_0ms: Some(concurrency * 1_000_000),
            ..Row::default()
        };
        let rows = [row("glibc", 2), row("glibc", 96), row("ace", 2), row("ace", 96)];
        let names: Vec<String> = all(&rows, &[], "").into_iter().map(|figure| figure.name).collect();
        assert_eq!(names, ["scaling-concurrency"]);
        assert!(all(&[], &[], "").is_empty());
    }

    #[test]
    fn engines_of_one_figure_have_inks_of_their_own() {
        let mut inks: Vec<String> =
            super::super::variant::labels().iter().map(|label| format!("{:?}", ink(label))).collect();
        let count = inks.len();
        inks.sort_unstable();
        inks.dedup();
        assert_eq!(inks.len(), count);
    }
}
