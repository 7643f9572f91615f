//! Matrices of ratios, coloured by how much better or worse: rows by columns, one panel a figure of merit.
//!
//! A cell is coloured only where the interval supports it; a dot stands for "measured, no difference shown", nothing for
//! "not measured". Colours have four steps a side, so that a glance tells 5 % from a factor of two.

use super::palette::Ink;
use super::scene::{Anchor, FOOT_HEIGHT, HEAD_HEIGHT, Heading, MARGIN, Point, Scene, WIDTH, clip};

/// What one cell says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Heat {
    /// Not measured.
    Blank,
    /// Measured; the interval holds 1.
    Even,
    /// Surely better, by this factor above 1.
    Better(f64),
    /// Surely worse, by this factor above 1.
    Worse(f64),
}

/// One figure of merit.
#[derive(Clone, Debug)]
pub struct Panel {
    /// What it is.
    pub title: String,
    /// Rows of cells.
    pub cells: Vec<Vec<Heat>>,
}

/// Factors from which a colour is one step stronger.
const STEPS: [f64; 3] = [1.05, 1.2, 2.0];
const STEP_NAMES: [&str; 4] = ["below 5 %", "5 to 20 %", "20 % to 2 ×", "above 2 ×"];
const ROW_HEIGHT: f64 = 15.0;
const LABEL_WIDTH: f64 = 112.0;
const COLUMN_LABEL_HEIGHT: f64 = 118.0;
const GAP: f64 = 22.0;
const LEGEND_HEIGHT: f64 = 34.0;
const LABEL_SIZE: f64 = 10.5;
const PANELS_ABREAST: usize = 2;

fn step(factor: f64) -> usize {
    STEPS.iter().filter(|&&least| factor >= least).count()
}

fn ink(heat: Heat) -> Option<Ink> {
    match heat {
        Heat::Worse(factor) => Some(Ink::Heat(step(factor))),
        Heat::Better(factor) => Some(Ink::Heat(STEP_NAMES.len() + step(factor))),
        Heat::Blank | Heat::Even => None,
    }
}

/// Draws the panels, two abreast, all with the same rows and columns.
pub fn draw(heading: &Heading, rows: &[String], columns: &[String], panels: &[Panel]) -> Scene {
    let panel_height = 30.0 + COLUMN_LABEL_HEIGHT + rows.len() as f64 * ROW_HEIGHT + GAP;
    let lines = panels.len().div_ceil(PANELS_ABREAST);
    let height = HEAD_HEIGHT + LEGEND_HEIGHT + lines as f64 * panel_height + FOOT_HEIGHT;
    let mut scene = Scene::new(WIDTH, height);
    scene.bold((MARGIN, 26.0), &heading.title, 20.0, Anchor::Start, Ink::Text);
    scene.text((MARGIN, 52.0), &heading.subtitle, 13.0, Anchor::Start, Ink::Muted);
    let caption = clip(&heading.caption, WIDTH - 2.0 * MARGIN, 11.0);
    scene.text((MARGIN, height - 16.0), &caption, 11.0, Anchor::Start, Ink::Muted);
    legend(&mut scene, (MARGIN, HEAD_HEIGHT + 4.0));
    let width = (WIDTH - 2.0 * MARGIN - GAP) / PANELS_ABREAST as f64;
    for (at, panel) in panels.iter().enumerate() {
        let left = MARGIN + (at % PANELS_ABREAST) as f64 * (width + GAP);
        let top = HEAD_HEIGHT + LEGEND_HEIGHT + (at / PANELS_ABREAST) as f64 * panel_height;
        draw_panel(&mut scene, panel, (rows, columns), (left, top), width);
    }
    scene
}

fn legend(scene: &mut Scene, (mut x, y): Point) {
    let mut entry = |scene: &mut Scene, ink: Option<Ink>, words: &str| {
        match ink {
            Some(ink) => scene.fill((x, y), (x + 13.0, y + 13.0), ink),
            None => scene.marker((x + 6.5, y + 6.5), 1.5, Ink::Axis),
        }
        scene.text((x + 18.0, y + 7.0), words, 11.0, Anchor::Start, Ink::Muted);
        x += 30.0 + super::backend::text_width(words, 11.0);
    };
    for (at, name) in STEP_NAMES.iter().enumerate() {
        let words = if at == 0 { format!("worse, {name}") } else { (*name).to_owned() };
        entry(scene, Some(Ink::Heat(at)), &words);
    }
    for (at, name) in STEP_NAMES.iter().enumerate() {
        let words = if at == 0 { format!("better, {name}") } else { (*name).to_owned() };
        entry(scene, Some(Ink::Heat(STEP_NAMES.len() + at)), &words);
    }
    entry(scene, None, "no difference shown");
}

fn draw_panel(
    scene: &mut Scene,
    panel: &Panel,
    (rows, columns): (&[String], &[String]),
    (left, top): Point,
    width: f64,
) {
    scene.bold((left, top + 12.0), &panel.title, 14.0, Anchor::Start, Ink::Text);
    let (x0, y0) = (left + LABEL_WIDTH, top + 30.0 + COLUMN_LABEL_HEIGHT);
    let cell = ((width - LABEL_WIDTH) / columns.len().max(1) as f64).min(2.0 * ROW_HEIGHT);
    let (right, bottom) = (x0 + cell * columns.len() as f64, y0 + ROW_HEIGHT * rows.len() as f64);
    for (at, name) in columns.iter().enumerate() {
        let x = x0 + (at as f64 + 0.5) * cell;
        scene.turned(
            (x, y0 - 5.0),
            &clip(name, COLUMN_LABEL_HEIGHT - 4.0, LABEL_SIZE),
            LABEL_SIZE,
            Ink::Text,
        );
        scene.line((x0 + at as f64 * cell, y0), (x0 + at as f64 * cell, bottom), Ink::Grid, 1.0);
    }
    for (at, name) in rows.iter().enumerate() {
        let y = y0 + (at as f64 + 0.5) * ROW_HEIGHT;
        let name = clip(name, LABEL_WIDTH - 8.0, LABEL_SIZE);
        scene.text((x0 - 6.0, y), &name, LABEL_SIZE, Anchor::End, Ink::Text);
        scene.line((x0, y - ROW_HEIGHT / 2.0), (right, y - ROW_HEIGHT / 2.0), Ink::Grid, 1.0);
    }
    for (row, cells) in panel.cells.iter().enumerate() {
        for (column, &heat) in cells.iter().enumerate() {
            let (x, y) = (x0 + column as f64 * cell, y0 + row as f64 * ROW_HEIGHT);
            match ink(heat) {
                Some(ink) => scene.fill((x + 1.0, y + 1.0), (x + cell, y + ROW_HEIGHT), ink),
                None if heat == Heat::Even => {
                    scene.marker((x + cell / 2.0, y + ROW_HEIGHT / 2.0), 1.5, Ink::Axis);
                }
                None => {}
            }
        }
    }
    scene.line((x0, bottom), (right, bottom), Ink::Grid, 1.0);
    scene.line((right, y0), (right, bottom), Ink::Grid, 1.0);
}

#[cfg(test)]
mod tests {
    use super::super::scene::Item;
    use super::*;

    fn drawn(cells: Vec<Vec<Heat>>) -> Scene {
        let heading = Heading { title: "t".into(), subtitle: "s".into(), caption: "c".into() };
        let names = |n: usize| (0..n).map(|at| format!("name {at}")).collect::<Vec<_>>();
        let (rows, columns) = (names(cells.len()), names(cells[0].len()));
        draw(&heading, &rows, &columns, &[Panel { title: "throughput".into(), cells }])
    }

    fn boxes(scene: &Scene) -> Vec<Ink> {
        let ink = |item: &Item| if let Item::Box { ink, .. } = item { Some(*ink) } else { None };
        scene.items.iter().filter_map(ink).collect()
    }

    #[test]
    fn only_what_is_sure_is_coloured_and_stronger_is_darker() {
        let legend = boxes(&drawn(vec![vec![Heat::Even, Heat::Blank]]));
        assert_eq!(legend.len(), 8);
        let found = boxes(&drawn(vec![vec![Heat::Worse(1.01), Heat::Worse(3.0), Heat::Better(1.1)]]));
        assert_eq!(found[8..], [Ink::Heat(0), Ink::Heat(3), Ink::Heat(5)]);
    }

    #[test]
    fn everything_stays_on_the_canvas() {
        let scene = drawn(vec![vec![Heat::Even; 40]; 30]);
        for item in &scene.items {
            if let Item::Marker { at, .. } = item {
                assert!(at.0 < scene.width && at.1 < scene.height, "{at:?}");
            }
        }
    }
}
