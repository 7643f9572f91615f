//! Time against memory: one point an engine, one panel a workload, both as ratio to the reference.
//!
//! Better is up (throughput) and left (resident peak). Labels are placed greedily at the nearest free spot and tied
//! to their point where that is not beside it.

use super::axis::{self, Axis};
use super::backend::text_width;
use super::palette::Ink;
use super::scene::{Anchor, Heading, Point, Scene, clip, panels};

/// One engine.
#[derive(Clone, Debug)]
pub struct Dot {
    /// Engine.
    pub label: String,
    /// Its ink.
    pub ink: Ink,
    /// Resident peak and throughput, as ratios.
    pub at: Point,
}

/// One workload.
#[derive(Clone, Debug)]
pub struct Panel {
    /// Workload.
    pub title: String,
    /// Engines.
    pub dots: Vec<Dot>,
}

const COLUMNS: usize = 2;
const PANEL_HEIGHT: f64 = 390.0;
const LABEL_SIZE: f64 = 11.0;

/// A rectangle: left, top, right, bottom.
type Area = (f64, f64, f64, f64);

/// Draws the panels.
pub fn draw(heading: &Heading, x_label: &str, y_label: &str, found: &[Panel]) -> Scene {
    let (mut scene, corners, width) = panels(heading, found.len(), COLUMNS, PANEL_HEIGHT);
    for (panel, corner) in found.iter().zip(corners) {
        let area =
            (corner.0 + 46.0, corner.1 + 46.0, corner.0 + width - 22.0, corner.1 + PANEL_HEIGHT - 54.0);
        scene.bold(
            (corner.0, corner.1 + 12.0),
            &clip(&panel.title, width - 20.0, 14.0),
            14.0,
            Anchor::Start,
            Ink::Text,
        );
        scene.text((corner.0, corner.1 + 31.0), y_label, 11.0, Anchor::Start, Ink::Muted);
        scene.text((f64::midpoint(area.0, area.2), area.3 + 32.0), x_label, 11.0, Anchor::Middle, Ink::Muted);
        draw_panel(&mut scene, panel, area);
    }
    scene
}

fn draw_panel(scene: &mut Scene, panel: &Panel, area: Area) {
    let extent = |pick: fn(Point) -> f64| {
        axis::range(panel.dots.iter().map(|dot| pick(dot.at)).chain([1.0])).unwrap_or((1.0, 1.0))
    };
    let (x, y) = (extent(|at| at.0), extent(|at| at.1));
    let x_axis = Axis::log(x.0 / 1.03, x.1 * 1.03, area.0, area.2);
    let y_axis = Axis::log(y.0 / 1.03, y.1 * 1.03, area.3, area.1);
    for (value, label) in x_axis.ticks(6) {
        let x = x_axis.px(value);
        scene.line((x, area.1), (x, area.3), Ink::Grid, 1.0);
        scene.text((x, area.3 + 13.0), &label, 11.0, Anchor::Middle, Ink::Muted);
    }
    for (value, label) in y_axis.ticks(6) {
        let y = y_axis.px(value);
        scene.line((area.0, y), (area.2, y), Ink::Grid, 1.0);
        scene.text((area.0 - 7.0, y), &label, 11.0, Anchor::End, Ink::Muted);
    }
    scene.line((x_axis.px(1.0), area.1), (x_axis.px(1.0), area.3), Ink::Axis, 1.2);
    scene.line((area.0, y_axis.px(1.0)), (area.2, y_axis.px(1.0)), Ink::Axis, 1.2);
    scene.text((area.0 + 4.0, area.1 + 9.0), "better", 10.0, Anchor::Start, Ink::Muted);
    let points: Vec<Point> =
        panel.dots.iter().map(|dot| (x_axis.px(dot.at.0), y_axis.px(dot.at.1))).collect();
    let widths: Vec<f64> = panel.dots.iter().map(|dot| text_width(&dot.label, LABEL_SIZE)).collect();
    let corner = (area.0, area.1, area.0 + 46.0, area.1 + 18.0);
    let places = place_labels(&points, &widths, area, corner);
    for ((dot, point), (place, width)) in panel.dots.iter().zip(&points).zip(places.iter().zip(&widths)) {
        let middle = f64::midpoint(place.1, place.3);
        let near = point.0.clamp(place.0, place.0 + width);
        if (near - point.0).hypot(middle - point.1) > 14.0 {
            scene.line(*point, (near, middle), dot.ink, 1.0);
        }
        scene.marker(*point, 5.0, dot.ink);
        scene.text((place.0, middle), &dot.label, LABEL_SIZE, Anchor::Start, dot.ink);
    }
}

fn overlap(a: Area, b: Area) -> f64 {
    let width = (a.2.min(b.2) - a.0.max(b.0)).max(0.0);
    let height = (a.3.min(b.3) - a.1.max(b.1)).max(0.0);
    width * height
}

/// A place for each label: of the spots on growing rings around its point, the first that touches neither a point
/// nor a label nor the frame, else the one that touches least.
fn place_labels(points: &[Point], widths: &[f64], frame: Area, taken: Area) -> Vec<Area> {
    let dots: Vec<Area> = points.iter().map(|(x, y)| (x - 6.0, y - 6.0, x + 6.0, y + 6.0)).collect();
    let mut placed: Vec<Area> = vec![taken];
    for (point, width) in points.iter().zip(widths) {
        let cost = |spot: Area| {
            let others = dots.iter().map(|dot| overlap(spot, *dot));
            let labels = placed.iter().map(|label| overlap(spot, *label));
            let outside =
                width * 12.0 - overlap(spot, (frame.0 - 8.0, frame.1 - 4.0, frame.2 + 18.0, frame.3 + 4.0));
            others.chain(labels).sum::<f64>() + 4.0 * outside.max(0.0)
        };
        let spots: Vec<Area> = spots(*point, *width).collect();
        let free = spots.iter().copied().find(|spot| cost(*spot) < 1e-6);
        let least = || spots.iter().copied().min_by(|a, b| cost(*a).total_cmp(&cost(*b)));
        placed.push(free.or_else(least).unwrap_or((point.0, point.1, point.0 + width, point.1 + 12.0)));
    }
    placed.split_off(1)
}

fn spots((x, y): Point, width: f64) -> impl Iterator<Item = Area> {
    let rings = [9.0, 16.0, 26.0, 38.0, 52.0, 70.0, 92.0, 120.0];
    rings.into_iter().flat_map(move |radius| {
        (0..16).map(move |step| {
            let angle = f64::from(step) * std::f64::consts::TAU / 16.0;
            let (cos, sin) = (angle.cos(), angle.sin());
            // The nearest edge of the label touches the ring.
            let left = x + radius * cos - width * (1.0 - cos) / 2.0;
            let middle = y + (radius + 4.0 * sin.abs()) * sin;
            (left, middle - 6.0, left + width, middle + 6.0)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_crowded_points_do_not_overlap() {
        let points: Vec<Point> =
            (0..12).map(|at| (200.0 + f64::from(at % 4) * 5.0, 150.0 + f64::from(at / 4) * 6.0)).collect();
        let widths = vec![90.0; 12];
        let places = place_labels(&points, &widths, (0.0, 0.0, 480.0, 300.0), (0.0, 0.0, 1.0, 1.0));
        for (at, a) in places.iter().enumerate() {
            for b in &places[..at] {
                assert!(overlap(*a, *b) < 1e-6, "{a:?} {b:?}");
            }
            assert!(a.0 >= -9.0 && a.2 <= 500.0 && a.1 >= -5.0 && a.3 <= 305.0, "{a:?}");
        }
    }
}
