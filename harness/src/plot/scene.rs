//! A drawing as data: lines, boxes, markers and words in pixels of a canvas, y downwards.
//!
//! Layout code adds items; [`super::backend`] alone knows how they reach a file.

use super::palette::{Ink, Shape};

/// A point, pixels.
pub type Point = (f64, f64);

/// Where a text's position lies on it, horizontally; vertically it is always the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// At its left end.
    Start,
    /// In its middle.
    Middle,
    /// At its right end.
    End,
}

/// One thing to draw.
#[derive(Clone, Debug)]
pub enum Item {
    /// A chain of straight lines.
    Path {
        /// Corners.
        points: Vec<Point>,
        /// Colour.
        ink: Ink,
        /// Width, pixels.
        width: f64,
    },
    /// A filled rectangle.
    Box {
        /// Upper left corner.
        from: Point,
        /// Lower right corner.
        to: Point,
        /// Colour.
        ink: Ink,
    },
    /// A marker.
    Marker {
        /// Centre.
        at: Point,
        /// Half its width, pixels.
        radius: f64,
        /// Form.
        shape: Shape,
        /// Colour.
        ink: Ink,
    },
    /// Words.
    Text {
        /// Position.
        at: Point,
        /// What is written.
        text: String,
        /// Height of the font, pixels.
        size: f64,
        /// Which part of it lies at `at`.
        anchor: Anchor,
        /// Bold.
        bold: bool,
        /// Reads upwards; `at` is where its baseline begins.
        turned: bool,
        /// Colour.
        ink: Ink,
    },
}

/// A drawing.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Width, pixels.
    pub width: f64,
    /// Height, pixels.
    pub height: f64,
    /// Items in the order in which they are drawn.
    pub items: Vec<Item>,
}

impl Scene {
    /// An empty drawing.
    pub fn new(width: f64, height: f64) -> Self {
        Self { width, height, items: Vec::new() }
    }

    /// Adds a line.
    pub fn line(&mut self, from: Point, to: Point, ink: Ink, width: f64) {
        self.path(vec![from, to], ink, width);
    }

    /// Adds a chain of lines.
    pub fn path(&mut self, points: Vec<Point>, ink: Ink, width: f64) {
        self.items.push(Item::Path { points, ink, width });
    }

    /// Adds a filled rectangle.
    pub fn fill(&mut self, from: Point, to: Point, ink: Ink) {
        self.items.push(Item::Box { from, to, ink });
    }

    /// Adds words that read upwards from `at`.
    pub fn turned(&mut self, at: Point, text: &str, size: f64, ink: Ink) {
        let (text, anchor) = (text.to_owned(), Anchor::Start);
        self.items.push(Item::Text { at, text, size, anchor, bold: false, turned: true, ink });
    }

    /// Adds a marker in the form of its ink.
    pub fn marker(&mut self, at: Point, radius: f64, ink: Ink) {
        self.items.push(Item::Marker { at, radius, shape: super::palette::shape(ink), ink });
    }

    /// Adds words.
    pub fn text(&mut self, at: Point, text: &str, size: f64, anchor: Anchor, ink: Ink) {
        self.items.push(Item::Text {
            at,
            text: text.to_owned(),
            size,
            anchor,
            bold: false,
            turned: false,
            ink,
        });
    }

    /// Adds bold words.
    pub fn bold(&mut self, at: Point, text: &str, size: f64, anchor: Anchor, ink: Ink) {
        self.items.push(Item::Text {
            at,
            text: text.to_owned(),
            size,
            anchor,
            bold: true,
            turned: false,
            ink,
        });
    }
}

/// Title, the line below it and the caption, which every figure has.
#[derive(Clone, Debug)]
pub struct Heading {
    /// What it shows.
    pub title: String,
    /// How to read it.
    pub subtitle: String,
    /// Command and revision.
    pub caption: String,
}

/// Height of title and subtitle, pixels.
pub const HEAD_HEIGHT: f64 = 74.0;
/// Height of the caption, pixels.
pub const FOOT_HEIGHT: f64 = 40.0;
/// Free space at the sides, pixels.
pub const MARGIN: f64 = 24.0;
/// Width of every figure, pixels.
pub const WIDTH: f64 = 1080.0;

/// Space for panels of equal size in rows of `columns`; returns the drawing with its heading, and the upper left
/// corner of each panel.
pub fn panels(
    heading: &Heading,
    count: usize,
    columns: usize,
    panel_height: f64,
) -> (Scene, Vec<Point>, f64) {
    let panel_width = (WIDTH - 2.0 * MARGIN) / columns as f64;
    let rows = count.div_ceil(columns);
    let mut scene = Scene::new(WIDTH, HEAD_HEIGHT + rows as f64 * panel_height + FOOT_HEIGHT);
    scene.bold((MARGIN, 26.0), &heading.title, 20.0, Anchor::Start, Ink::Text);
    scene.text((MARGIN, 52.0), &heading.subtitle, 13.0, Anchor::Start, Ink::Muted);
    let foot = scene.height - 16.0;
    scene.text(
        (MARGIN, foot),
        &clip(&heading.caption, WIDTH - 2.0 * MARGIN, 11.0),
        11.0,
        Anchor::Start,
        Ink::Muted,
    );
    let corners = (0..count).map(|at| {
        (MARGIN + (at % columns) as f64 * panel_width, HEAD_HEIGHT + (at / columns) as f64 * panel_height)
    });
    (scene, corners.collect(), panel_width)
}

/// Text cut to a width, with an ellipsis.
pub fn clip(text: &str, width: f64, size: f64) -> String {
    if super::backend::text_width(text, size) <= width {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().collect();
    while !kept.is_empty() {
        kept.pop();
        let shorter: String = kept.iter().chain(['…'].iter()).collect();
        if super::backend::text_width(&shorter, size) <= width {
            return shorter;
        }
    }
    String::new()
}

/// Moves positions apart to at least `gap`, as little as a downward sweep and an upward one need, within
/// `[low, high]`; the order of the input is kept.
pub fn spread(positions: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..positions.len()).collect();
    order.sort_by(|a, b| positions[*a].total_cmp(&positions[*b]));
    let mut placed = positions.to_vec();
    let mut floor = low;
    for &at in &order {
        placed[at] = placed[at].max(floor);
        floor = placed[at] + gap;
    }
    let mut ceiling = high;
    for &at in order.iter().rev() {
        placed[at] = placed[at].min(ceiling);
        ceiling = placed[at] - gap;
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_spread_within_bounds() {
        let placed = spread(&[50.0, 51.0, 52.0, 99.0], 10.0, 0.0, 100.0);
        assert_eq!(placed, [50.0, 60.0, 70.0, 99.0]);
        let placed = spread(&[99.0, 98.0, 97.0], 10.0, 0.0, 100.0);
        assert_eq!(placed, [100.0, 90.0, 80.0]);
    }

    #[test]
    fn long_captions_are_clipped() {
        let long = "x".repeat(1000);
        let clipped = clip(&long, 200.0, 11.0);
        assert!(clipped.ends_with('…') && super::super::backend::text_width(&clipped, 11.0) <= 200.0);
        assert_eq!(clip("short", 200.0, 11.0), "short");
    }
}
