//! Knobs and resident memory on one time axis: three strips, one below the other.
//!
//! Above, memory: resident, live, charged to caches. In the middle, what the policy did: the mean of all capacity shifts, the strategy, the
//! pressure level, as steps. Below, how much went on in WARM. A vertical line is a heap emptied.

use super::log::{Entry, Log};
use crate::plot::axis::{self, Axis};
use crate::plot::palette::{self, Ink};
use crate::plot::scene::{
    Anchor, FOOT_HEIGHT, HEAD_HEIGHT, Heading, MARGIN, Point, Scene, WIDTH, clip, spread,
};

const STRIP_HEIGHTS: [f64; 3] = [250.0, 170.0, 130.0];
const LEFT: f64 = MARGIN + 46.0;
const RIGHT: f64 = WIDTH - MARGIN - 150.0;
const MIB: f64 = (1 << 20) as f64;
/// Points of one line; more cannot be told apart.
const POINTS_MAX: usize = 900;
/// Classes whose capacity moved and that have a line of their own in words.
const STRATEGIES: [(&str, f64); 3] = [("throughput", 1.0), ("balanced", 0.0), ("footprint", -1.0)];

struct Line {
    label: &'static str,
    ink: Ink,
    points: Vec<Point>,
    steps: bool,
}

/// The figure.
pub fn scene(log: &Log, title: &str) -> Scene {
    let height = HEAD_HEIGHT + STRIP_HEIGHTS.iter().sum::<f64>() + FOOT_HEIGHT + 26.0;
    let mut scene = Scene::new(WIDTH, height);
    let heading = Heading {
        title: "What the learning layer did".into(),
        subtitle: "Memory, the policy's knobs and the events it reacts to, on one time axis; vertical lines: resting heaps emptied.".into(),
        caption: title.to_owned(),
    };
    scene.bold((MARGIN, 26.0), &heading.title, 20.0, Anchor::Start, Ink::Text);
    scene.text((MARGIN, 52.0), &heading.subtitle, 13.0, Anchor::Start, Ink::Muted);
    scene.text(
        (MARGIN, height - 14.0),
        &clip(&heading.caption, WIDTH - 2.0 * MARGIN, 11.0),
        11.0,
        Anchor::Start,
        Ink::Muted,
    );
    let end = log.entries.last().map_or(1.0, |entry| entry.t_ms as f64 / 1e3).max(0.1);
    let x_axis = Axis::linear(0.0, end, LEFT, RIGHT);
    let marks: Vec<f64> = of(log, "effect").filter(|entry| entry.count("heaps") > 0).map(at).collect();
    let mut top = HEAD_HEIGHT;
    let strips =
        [("MiB", memory(log)), ("doublings; level", knobs(log)), ("WARM events a second", events(log))];
    for ((name, lines), strip_height) in strips.into_iter().zip(STRIP_HEIGHTS) {
        let area = (top + 24.0, top + strip_height - 14.0);
        strip(&mut scene, name, &lines, &x_axis, area, &marks);
        top += strip_height;
    }
    for (value, label) in x_axis.ticks(10) {
        scene.text((x_axis.px(value), top + 2.0), &label, 11.0, Anchor::Middle, Ink::Muted);
    }
    let words = "seconds since the worker began";
    scene.text((f64::midpoint(LEFT, RIGHT), top + 20.0), words, 11.0, Anchor::Middle, Ink::Muted);
    scene
}

fn of<'a>(log: &'a Log, kind: &'a str) -> impl Iterator<Item = &'a Entry> {
    log.entries.iter().filter(move |entry| entry.kind == kind)
}

fn at(entry: &Entry) -> f64 {
    entry.t_ms as f64 / 1e3
}

fn memory(log: &Log) -> Vec<Line> {
    let line = |label, ink, name: &str| {
        let points =
            of(log, "memory").filter_map(|entry| Some((at(entry), entry.number(name)? as f64 / MIB)));
        Line { label, ink, points: thinned(points.collect()), steps: false }
    };
    vec![
        line("resident", palette::ink("ace"), "resident_bytes"),
        line("live", Ink::Text, "live_bytes"),
        line("charged to caches", palette::ink("jemalloc"), "granted_bytes"),
    ]
}

/// The policy's state as it would be if every decision were applied.
fn knobs(log: &Log) -> Vec<Line> {
    let end = log.entries.last().map_or(0.0, at);
    let mut shifts: Vec<(i64, i64)> = Vec::new();
    let (mut capacity, mut strategy, mut pressure) = (vec![(0.0, 0.0)], vec![(0.0, 0.0)], vec![(0.0, 0.0)]);
    for entry in &log.entries {
        match (entry.kind.as_str(), entry.word("knob")) {
            ("decision", Some("slots_shift")) => {
                let class = entry.count("class");
                shifts.retain(|(known, _)| *known != class);
                shifts.push((class, entry.count("to")));
                let sum: i64 = shifts.iter().map(|(_, shift)| shift).sum();
                capacity.push((at(entry), sum as f64 / shifts.len() as f64));
            }
            ("observation", _) => {
                let runs = entry.word("strategy").unwrap_or("balanced");
                let value = STRATEGIES.iter().find(|(name, _)| *name == runs).map_or(0.0, |found| found.1);
                strategy.push((at(entry), value));
                pressure.push((at(entry), entry.count("pressure") as f64));
            }
            _ => {}
        }
    }
    let line = |label, ink, mut points: Vec<Point>| {
        points.dedup_by(|later, earlier| later.1 == earlier.1);
        points.extend(points.last().map(|last| (end, last.1)));
        Line { label, ink, points: thinned(points), steps: true }
    };
    vec![
        line("capacity, mean shift", palette::ink("ace"), capacity),
        line("strategy (1 fast, −1 lean)", palette::ink("mempool_sharded"), strategy),
        line("pressure", palette::ink("mimalloc"), pressure),
    ]
}

fn events(log: &Log) -> Vec<Line> {
    let rate = |entry: &Entry| {
        let events = entry.count("refills") + entry.count("flushes");
        (at(entry), 1e3 * events as f64 / entry.count("elapsed_ms").max(1) as f64)
    };
    let points = thinned(of(log, "observation").map(rate).collect());
    vec![Line { label: "refills and flushes", ink: palette::ink("snmalloc"), points, steps: false }]
}

/// Of each stretch the highest point, so that no peak is lost.
fn thinned(points: Vec<Point>) -> Vec<Point> {
    let stretch = points.len().div_ceil(POINTS_MAX).max(1);
    points
        .chunks(stretch)
        .filter_map(|chunk| chunk.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1)))
        .collect()
}

fn strip(
    scene: &mut Scene,
    name: &str,
    lines: &[Line],
    x_axis: &Axis,
    (top, bottom): (f64, f64),
    marks: &[f64],
) {
    scene.text((MARGIN, top - 12.0), name, 11.0, Anchor::Start, Ink::Muted);
    let values = || lines.iter().flat_map(|line| line.points.iter().map(|point| point.1));
    let (low, high) = axis::range(values()).unwrap_or((0.0, 1.0));
    let y_axis = Axis::linear(low.min(0.0), high.max(1.0), bottom, top);
    for (value, label) in y_axis.ticks(5) {
        let y = y_axis.px(value);
        scene.line((LEFT, y), (RIGHT, y), Ink::Grid, 1.0);
        scene.text((LEFT - 7.0, y), &label, 11.0, Anchor::End, Ink::Muted);
    }
    for (value, _) in x_axis.ticks(10) {
        scene.line((x_axis.px(value), top), (x_axis.px(value), bottom), Ink::Grid, 1.0);
    }
    for &mark in marks.iter().take(POINTS_MAX) {
        scene.line((x_axis.px(mark), top), (x_axis.px(mark), bottom), Ink::Axis, 1.0);
    }
    let mut ends = Vec::new();
    for line in lines {
        let mut path: Vec<Point> = Vec::new();
        for &(x, y) in &line.points {
            let point = (x_axis.px(x), y_axis.px(y));
            if let Some(last) = path.last().copied().filter(|_| line.steps) {
                path.push((point.0, last.1));
            }
            path.push(point);
        }
        ends.extend(path.last().map(|end| (*end, line)));
        if path.len() > 1 {
            scene.path(path, line.ink, 1.8);
        }
    }
    let wanted: Vec<f64> = ends.iter().map(|(end, _)| end.1).collect();
    for ((end, line), y) in ends.iter().zip(spread(&wanted, 13.5, top, bottom + 8.0)) {
        scene.line((end.0 + 3.0, end.1), (RIGHT + 12.0, y), line.ink, 1.0);
        scene.text((RIGHT + 15.0, y), line.label, 11.0, Anchor::Start, line.ink);
    }
}

#[cfg(test)]
mod tests {
    use super::super::log;
    use super::*;

    #[test]
    fn knobs_follow_the_decisions_step_by_step() {
        let text = "\
ace-observation t_ms=100 tick=1 pressure=0 strategy=balanced
ace-decision t_ms=100 tick=1 knob=slots_shift class=9 to=1
ace-decision t_ms=300 tick=3 knob=slots_shift class=10 to=2
ace-observation t_ms=400 tick=4 pressure=2 strategy=footprint
";
        let log = log::parse(text.as_bytes(), "f").unwrap();
        let lines = knobs(&log);
        assert_eq!(lines[0].points, [(0.0, 0.0), (0.1, 1.0), (0.3, 1.5), (0.4, 1.5)]);
        assert_eq!(lines[1].points, [(0.0, 0.0), (0.4, -1.0), (0.4, -1.0)]);
        assert_eq!(lines[2].points.last(), Some(&(0.4, 2.0)));
    }

    #[test]
    fn peaks_survive_thinning() {
        let mut points: Vec<Point> = (0..100_000).map(|x| (f64::from(x), 1.0)).collect();
        points[54_321].1 = 9.0;
        let kept = thinned(points);
        assert!(kept.len() <= POINTS_MAX && kept.iter().any(|point| point.1 == 9.0));
    }
}
