//! A line an engine, one panel a workload: scaling over threads, percentiles, the resident set over time.
//!
//! Lines are labelled at their right end; the labels are moved apart and tied to their line.

use super::axis::{self, Axis};
use super::palette::Ink;
use super::scene::{Anchor, Heading, Point, Scene, clip, panels, spread};

/// One engine.
#[derive(Clone, Debug)]
pub struct Series {
    /// Engine.
    pub label: String,
    /// Its ink.
    pub ink: Ink,
    /// x and y.
    pub points: Vec<Point>,
}

/// One workload.
#[derive(Clone, Debug, Default)]
pub struct Panel {
    /// Workload.
    pub title: String,
    /// Engines.
    pub series: Vec<Series>,
    /// Vertical lines with a name each.
    pub marks: Vec<(f64, String)>,
}

/// Both axes.
#[derive(Clone, Debug)]
pub struct Scale {
    /// Ticks of a category axis: place and name. Empty: a linear axis from 0.
    pub categories: Vec<(f64, String)>,
    /// What x measures, with its unit.
    pub x_label: String,
    /// What y measures, with its unit.
    pub y_label: String,
    /// Whether y is logarithmic; else it starts at 0.
    pub y_log: bool,
    /// Whether points have markers.
    pub markers: bool,
}

const COLUMNS_MAX: usize = 2;
const PANEL_HEIGHT: f64 = 304.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 136.0;
const LABEL_GAP: f64 = 13.5;

/// Draws the panels.
pub fn draw(heading: &Heading, scale: &Scale, found: &[Panel]) -> Scene {
    // A panel alone has the whole width.
    let columns = found.len().clamp(1, COLUMNS_MAX);
    let (mut scene, corners, width) = panels(heading, found.len(), columns, PANEL_HEIGHT);
    for (panel, corner) in found.iter().zip(corners) {
        draw_panel(&mut scene, scale, panel, corner, width);
    }
    scene
}

fn draw_panel(scene: &mut Scene, scale: &Scale, panel: &Panel, corner: Point, width: f64) {
    let (from, to) = (corner.0 + LEFT, corner.0 + width - RIGHT);
    let (top, bottom) = (corner.1 + 50.0, corner.1 + PANEL_HEIGHT - 56.0);
    scene.bold(
        (corner.0, corner.1 + 12.0),
        &clip(&panel.title, width - 20.0, 14.0),
        14.0,
        Anchor::Start,
        Ink::Text,
    );
    scene.text((corner.0, corner.1 + 32.0), &scale.y_label, 11.0, Anchor::Start, Ink::Muted);
    let points = || panel.series.iter().flat_map(|series| series.points.iter().copied());
    let (y_low, y_high) = axis::range(points().map(|point| point.1)).unwrap_or((1.0, 1.0));
    let y_axis = if scale.y_log {
        Axis::log(y_low, y_high, bottom, top)
    } else {
        Axis::linear(0.0, y_high, bottom, top)
    };
    for (value, label) in y_axis.ticks(6) {
        let y = y_axis.px(value);
        scene.line((from, y), (to, y), Ink::Grid, 1.0);
        scene.text((from - 7.0, y), &label, 11.0, Anchor::End, Ink::Muted);
    }
    let x_axis = x_axis(scale, points(), from, to);
    let ticks = if scale.categories.is_empty() { x_axis.ticks(6) } else { scale.categories.clone() };
    for (value, label) in ticks {
        let x = x_axis.px(value);
        scene.line((x, bottom), (x, bottom + 4.0), Ink::Axis, 1.0);
        scene.text((x, bottom + 14.0), &label, 11.0, Anchor::Middle, Ink::Muted);
    }
    scene.line((from, bottom), (to, bottom), Ink::Axis, 1.0);
    scene.text((f64::midpoint(from, to), bottom + 31.0), &scale.x_label, 11.0, Anchor::Middle, Ink::Muted);
    draw_marks(scene, panel, &x_axis, (top, bottom), to);
    for series in &panel.series {
        let path: Vec<Point> = series.points.iter().map(|(x, y)| (x_axis.px(*x), y_axis.px(*y))).collect();
        if scale.markers {
            path.iter().for_each(|at| scene.marker(*at, 3.2, series.ink));
        }
        if path.len() > 1 {
            scene.path(path, series.ink, 1.8);
        }
    }
    draw_labels(scene, panel, (&x_axis, &y_axis), (top, bottom), to);
}

fn x_axis(scale: &Scale, points: impl Iterator<Item = Point>, from: f64, to: f64) -> Axis {
    let categories = axis::range(scale.categories.iter().map(|(value, _)| *value));
    match categories {
        // Half a step of room at both ends.
        Some((low, high)) => Axis::linear(low - 0.2, high + 0.2, from, to),
        None => {
            Axis::linear(0.0, axis::range(points.map(|point| point.0)).map_or(1.0, |range| range.1), from, to)
        }
    }
}

/// Phase names above the plot, left out where they would run into each other.
fn draw_marks(scene: &mut Scene, panel: &Panel, x_axis: &Axis, (top, bottom): (f64, f64), to: f64) {
    let mut free_from = f64::NEG_INFINITY;
    for (value, name) in &panel.marks {
        let x = x_axis.px(*value);
        scene.line((x, top - 4.0), (x, bottom), Ink::Axis, 1.0);
        let end = x + 3.0 + super::backend::text_width(name, 10.0);
        if x >= free_from && end <= to + RIGHT / 2.0 {
            scene.text((x + 3.0, top - 4.0), name, 10.0, Anchor::Start, Ink::Muted);
            free_from = end + 6.0;
        }
    }
}

fn draw_labels(
    scene: &mut Scene,
    panel: &Panel,
    (x_axis, y_axis): (&Axis, &Axis),
    (top, bottom): (f64, f64),
    to: f64,
) {
    let ends: Vec<(Point, &Series)> = panel
        .series
        .iter()
        .filter_map(|series| series.points.last().map(|(x, y)| ((x_axis.px(*x), y_axis.px(*y)), series)))
        .collect();
    let wanted: Vec<f64> = ends.iter().map(|(end, _)| end.1).collect();
    let gap = LABEL_GAP.min((bottom - top + 24.0) / ends.len().max(1) as f64);
    for ((end, series), y) in ends.iter().zip(spread(&wanted, gap, top - 6.0, bottom + 18.0)) {
        scene.line((end.0 + 4.0, end.1), (to + 12.0, y), series.ink, 1.0);
        scene.text((to + 15.0, y), &clip(&series.label, RIGHT - 22.0, 11.0), 11.0, Anchor::Start, series.ink);
    }
}
