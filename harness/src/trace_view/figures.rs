//! The description of a trace as plots: live bytes, sizes, lifetimes, threads.

use std::path::Path;

use crate::cmd::trace::Described;
use crate::plot::axis::Axis;
use crate::plot::figures::Figure;
use crate::plot::palette::{Ink, ink};
use crate::plot::scene::{Anchor, Heading, Point, Scene, panels};

const PANEL_HEIGHT: f64 = 300.0;
/// Bars of the size panel: powers of two.
const BARS_MAX: u32 = 34;
/// Threads that get a bar.
const THREADS_MAX: usize = 24;

/// One panel's frame.
struct Frame {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

/// The figure of a trace.
pub fn all(path: &Path, found: &Described) -> Vec<Figure> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let info = &found.info;
    let heading = Heading {
        title: format!("The trace {name}"),
        subtitle: format!(
            "{} calls of {} threads; bytes are those the program asked for",
            info.calls(),
            info.threads
        ),
        caption: format!("allocbench trace info {} --plots …   {}", path.display(), found.meta.tool),
    };
    let (mut scene, corners, width) = panels(&heading, 4, 2, PANEL_HEIGHT);
    let titles = ["Live bytes", "Sizes", "Lifetimes", "Calls of each thread"];
    let frames: Vec<Frame> = corners
        .iter()
        .zip(titles)
        .map(|(corner, title)| {
            scene.bold((corner.0, corner.1 + 12.0), title, 14.0, Anchor::Start, Ink::Text);
            Frame {
                left: corner.0 + 52.0,
                right: corner.0 + width - 30.0,
                top: corner.1 + 48.0,
                bottom: corner.1 + PANEL_HEIGHT - 56.0,
            }
        })
        .collect();
    live(&mut scene, &frames[0], found);
    bars(&mut scene, &frames[1], &sizes(found), "allocations and resizes", "size up to, bytes", true);
    bars(
        &mut scene,
        &frames[2],
        &lifetimes(found),
        "freed blocks",
        "further allocations during its life, up to",
        true,
    );
    bars(&mut scene, &frames[3], &threads(found), "calls", "threads, the busiest first", true);
    vec![Figure { name: format!("trace_{name}"), topic: "trace", scene, title: heading.title }]
}

fn live(scene: &mut Scene, frame: &Frame, found: &Described) {
    let timed = found.meta.quantum_ns > 0;
    let x_of = |point: &(u64, u64, u64)| {
        if timed { point.1 as f64 * found.meta.quantum_ns as f64 / 1e9 } else { point.0 as f64 / 1e6 }
    };
    let points = &found.info.curve.points;
    let x_max = points.last().map_or(1.0, x_of).max(1e-6);
    let y_max = found.info.peak_live_bytes.max(1) as f64 / 1_048_576.0;
    let x_axis = Axis::linear(0.0, x_max, frame.left, frame.right);
    let y_axis = Axis::linear(0.0, y_max, frame.bottom, frame.top);
    grid(scene, frame, &y_axis, "MiB");
    for (value, label) in x_axis.ticks(6) {
        scene.text((x_axis.px(value), frame.bottom + 14.0), &label, 11.0, Anchor::Middle, Ink::Muted);
    }
    let label = if timed { "seconds" } else { "million events" };
    below(scene, frame, label);
    let path: Vec<Point> = points
        .iter()
        .map(|point| (x_axis.px(x_of(point)), y_axis.px(point.2 as f64 / 1_048_576.0)))
        .collect();
    scene.path(path, ink("jemalloc"), 1.6);
}

fn grid(scene: &mut Scene, frame: &Frame, axis: &Axis, unit: &str) {
    for (value, label) in axis.ticks(5) {
        let y = axis.px(value);
        scene.line((frame.left, y), (frame.right, y), Ink::Grid, 1.0);
        scene.text((frame.left - 6.0, y), &label, 11.0, Anchor::End, Ink::Muted);
    }
    scene.text((frame.left - 46.0, frame.top - 18.0), unit, 11.0, Anchor::Start, Ink::Muted);
}

/// What the horizontal axis shows.
fn below(scene: &mut Scene, frame: &Frame, label: &str) {
    scene.text(
        (f64::midpoint(frame.left, frame.right), frame.bottom + 34.0),
        label,
        11.0,
        Anchor::Middle,
        Ink::Muted,
    );
}

/// Bars with their names below; every so manieth is named where they are many.
fn bars(scene: &mut Scene, frame: &Frame, found: &[(String, u64)], unit: &str, label: &str, log: bool) {
    let most = found.iter().map(|(_, count)| *count).max().unwrap_or(1).max(2) as f64;
    let axis = if log {
        Axis::log(1.0, most, frame.bottom, frame.top)
    } else {
        Axis::linear(0.0, most, frame.bottom, frame.top)
    };
    grid(scene, frame, &axis, unit);
    let step = (frame.right - frame.left) / found.len().max(1) as f64;
    let every = (found.len() as f64 * 34.0 / (frame.right - frame.left)).ceil().max(1.0) as usize;
    for (at, (name, count)) in found.iter().enumerate() {
        let x = frame.left + (at as f64 + 0.5) * step;
        if *count > 0 {
            // One call is still a bar that can be seen.
            let top = axis.px(*count as f64).min(frame.bottom - 2.0);
            scene.line((x, frame.bottom), (x, top), ink("jemalloc"), (step * 0.7).clamp(2.0, 26.0));
        }
        if at % every == 0 {
            scene.text((x, frame.bottom + 14.0), name, 11.0, Anchor::Middle, Ink::Muted);
        }
    }
    scene.line((frame.left, frame.bottom), (frame.right, frame.bottom), Ink::Axis, 1.0);
    below(scene, frame, label);
}

fn short(value: u64) -> String {
    match value {
        0..1024 => value.to_string(),
        1024..1_048_576 => format!("{}k", value >> 10),
        1_048_576..1_073_741_824 => format!("{}M", value >> 20),
        _ => format!("{}G", value >> 30),
    }
}

/// Counts by power of two, without the empty ends.
fn by_power(counts: impl Iterator<Item = (u32, u64)>) -> Vec<(String, u64)> {
    let mut all = vec![0; BARS_MAX as usize];
    for (power, count) in counts {
        all[power.min(BARS_MAX - 1) as usize] += count;
    }
    let first = all.iter().position(|&count| count > 0).unwrap_or(0);
    let last = all.iter().rposition(|&count| count > 0).unwrap_or(0);
    (first..=last).map(|power| (short(1 << power), all[power])).collect()
}

fn sizes(found: &Described) -> Vec<(String, u64)> {
    by_power(found.info.sizes.iter().map(|(&size, &count)| (size.max(1).next_power_of_two().ilog2(), count)))
}

fn lifetimes(found: &Described) -> Vec<(String, u64)> {
    by_power(found.info.lifetimes.iter().map(|(&power, &count)| (power + 1, count)))
}

fn threads(found: &Described) -> Vec<(String, u64)> {
    let mut calls: Vec<(u32, u64)> =
        found.info.calls_by_thread.iter().map(|(&thread, &calls)| (thread, calls)).collect();
    calls.sort_by_key(|(_, calls)| std::cmp::Reverse(*calls));
    calls.into_iter().take(THREADS_MAX).map(|(thread, calls)| (thread.to_string(), calls)).collect()
}
