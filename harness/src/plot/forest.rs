//! Point and interval a line, one line an engine, one panel a workload: for ratios and other single figures.
//!
//! All panels of a figure share one axis, so that they compare. Every line is labelled with engine and value, so no
//! legend is needed.

use super::axis::{self, Axis};
use super::palette::Ink;
use super::scene::{Anchor, Heading, Point, Scene, clip, panels};

/// One engine.
#[derive(Clone, Debug)]
pub struct Line {
    /// Engine.
    pub label: String,
    /// Its ink.
    pub ink: Ink,
    /// The figure.
    pub value: f64,
    /// Its interval.
    pub interval: Option<(f64, f64)>,
    /// The figure as text.
    pub text: String,
}

/// One workload.
#[derive(Clone, Debug)]
pub struct Panel {
    /// Workload.
    pub title: String,
    /// Engines.
    pub lines: Vec<Line>,
}

/// The axis of all panels.
#[derive(Clone, Debug)]
pub struct Scale {
    /// What it measures, with its unit.
    pub label: String,
    /// Logarithmic.
    pub log: bool,
    /// A line at this value, where the reference stands.
    pub mark: Option<f64>,
}

const LINE_HEIGHT: f64 = 17.0;
const LABEL_WIDTH: f64 = 122.0;
const VALUE_WIDTH: f64 = 46.0;

/// Columns that leave no panel alone in its row where that can be had, nor half of the width empty.
fn columns(count: usize) -> usize {
    match count {
        0 | 1 => 1,
        2 | 4 => 2,
        _ => 3,
    }
}

/// Draws the panels.
pub fn draw(heading: &Heading, scale: &Scale, found: &[Panel]) -> Scene {
    let lines_most = found.iter().map(|panel| panel.lines.len()).max().unwrap_or(0);
    let plot_height = lines_most as f64 * LINE_HEIGHT;
    let (mut scene, corners, width) = panels(heading, found.len(), columns(found.len()), plot_height + 76.0);
    let values = found.iter().flat_map(|panel| &panel.lines).flat_map(|line| {
        let (low, high) = line.interval.unwrap_or((line.value, line.value));
        [low, high, line.value]
    });
    let (low, high) = axis::range(values.chain(scale.mark)).unwrap_or((1.0, 1.0));
    // Without a reference to compare with, an amount starts at nothing.
    let low = if scale.mark.is_none() && !scale.log { 0.0 } else { low };
    for (panel, corner) in found.iter().zip(corners) {
        let (from, to) = (corner.0 + LABEL_WIDTH, corner.0 + width - VALUE_WIDTH - 14.0);
        let axis = if scale.log { Axis::log(low, high, from, to) } else { Axis::linear(low, high, from, to) };
        draw_panel(&mut scene, scale, panel, &axis, corner, (from, to, plot_height));
    }
    scene
}

fn draw_panel(
    scene: &mut Scene,
    scale: &Scale,
    panel: &Panel,
    axis: &Axis,
    corner: Point,
    (from, to, height): (f64, f64, f64),
) {
    let top = corner.1 + 28.0;
    let bottom = top + height;
    scene.bold(
        (corner.0, corner.1 + 12.0),
        &clip(&panel.title, to + VALUE_WIDTH - corner.0, 14.0),
        14.0,
        Anchor::Start,
        Ink::Text,
    );
    for (value, label) in axis.ticks(5) {
        let x = axis.px(value);
        scene.line((x, top), (x, bottom), Ink::Grid, 1.0);
        scene.text((x, bottom + 11.0), &label, 11.0, Anchor::Middle, Ink::Muted);
    }
    scene.line((from, bottom), (to, bottom), Ink::Axis, 1.0);
    if let Some(mark) = scale.mark {
        let x = axis.px(mark);
        scene.line((x, top), (x, bottom), Ink::Axis, 1.6);
    }
    scene.text((f64::midpoint(from, to), bottom + 28.0), &scale.label, 11.0, Anchor::Middle, Ink::Muted);
    for (at, line) in panel.lines.iter().enumerate() {
        let y = top + (at as f64 + 0.5) * LINE_HEIGHT;
        scene.text(
            (from - 8.0, y),
            &clip(&line.label, LABEL_WIDTH - 10.0, 11.0),
            11.0,
            Anchor::End,
            Ink::Text,
        );
        if let Some((low, high)) = line.interval {
            scene.line((axis.px(low), y), (axis.px(high), y), line.ink, 2.0);
        }
        scene.marker((axis.px(line.value), y), 3.6, line.ink);
        scene.text((to + VALUE_WIDTH, y), &line.text, 11.0, Anchor::End, Ink::Muted);
    }
}
