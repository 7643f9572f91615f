//! A scene as SVG or PNG, through plotters with the DejaVu font that is compiled in.
//!
//! Both files come from the same items. The PNG is drawn at twice the size, for dense screens and print.

use super::palette::{Ink, Shape, light};
use super::scene::{Anchor, Item, Point, Scene};
use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::path::Path;
use std::sync::Once;

/// Name under which the font is registered; in an SVG the reader's own font of this kind is used.
const FAMILY: &str = "sans-serif";

/// How a medium differs from the scene.
#[derive(Clone, Copy)]
struct Medium {
    /// Pixels for one of the scene.
    scale: f64,
    /// Font size for one of the scene.
    font: f64,
    /// Share of the font size by which words are lowered to stand in the middle.
    drop: f64,
}

/// Plotters writes a smaller font size into an SVG than it was given; usual fonts are narrower than DejaVu, so part
/// of that is taken back.
const SVG: Medium = Medium { scale: 1.0, font: 1.12, drop: 0.0 };
/// Twice the size; the bitmap font stands above its middle.
const PNG: Medium = Medium { scale: 2.0, font: 1.0, drop: 0.12 };

fn register_fonts() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        for (style, font) in
            [(FontStyle::Normal, dejavu::sans::regular()), (FontStyle::Bold, dejavu::sans::bold())]
        {
            let registered = plotters::style::register_font(FAMILY, style, font);
            debug_assert!(registered.is_ok(), "the DejaVu fonts are valid");
        }
    });
}

/// Width of a text in the compiled-in font, pixels.
pub fn text_width(text: &str, size: f64) -> f64 {
    register_fonts();
    let measured = (FAMILY, size).into_font().box_size(text);
    // 0.6 em: a wide letter of DejaVu, if the font cannot be measured.
    measured.map_or(0.6 * size * text.chars().count() as f64, |(width, _)| f64::from(width))
}

/// The scene as SVG text.
pub fn svg(scene: &Scene) -> Result<String> {
    let mut text = String::new();
    {
        let backend = SVGBackend::with_string(&mut text, (scene.width as u32, scene.height as u32));
        draw(&backend.into_drawing_area(), scene, SVG)
            .map_err(|error| anyhow!("the SVG cannot be drawn: {error}"))?;
    }
    Ok(text)
}

/// The scene as a PNG file.
pub fn png(scene: &Scene, path: &Path) -> Result<()> {
    let size = ((scene.width * PNG.scale) as u32, (scene.height * PNG.scale) as u32);
    let area = BitMapBackend::new(path, size).into_drawing_area();
    draw(&area, scene, PNG).map_err(|error| anyhow!("{}: cannot be drawn: {error}", path.display()))
}

fn colour(ink: Ink) -> RGBColor {
    let (r, g, b) = light(ink);
    RGBColor(r, g, b)
}

fn draw<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    scene: &Scene,
    medium: Medium,
) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
    let scale = medium.scale;
    register_fonts();
    area.fill(&colour(Ink::Paper))?;
    let pixel = |(x, y): Point| ((x * scale).round() as i32, (y * scale).round() as i32);
    for item in &scene.items {
        match item {
            Item::Path { points, ink, width } => {
                let points: Vec<(i32, i32)> = points.iter().copied().map(pixel).collect();
                let stroke = ((width * scale).round() as u32).max(1);
                area.draw(&PathElement::new(points, colour(*ink).stroke_width(stroke)))?;
            }
            Item::Marker { at, radius, shape, ink } => {
                marker(area, pixel(*at), radius * scale, *shape, colour(*ink))?
            }
            Item::Box { from, to, ink } => {
                area.draw(&Rectangle::new([pixel(*from), pixel(*to)], colour(*ink).filled()))?
            }
            Item::Text { at, text, size, bold, turned: true, ink, .. } => {
                let style = if *bold { FontStyle::Bold } else { FontStyle::Normal };
                let font = FontDesc::new(FontFamily::Name(FAMILY), size * scale * medium.font, style);
                let font = font.transform(FontTransform::Rotate270);
                let colour = colour(*ink);
                let style = TextStyle::from(font).color(&colour).pos(Pos::new(HPos::Left, VPos::Center));
                area.draw(&Text::new(text.as_str(), pixel((at.0 + size * medium.drop, at.1)), style))?;
            }
            Item::Text { at, text, size, anchor, bold, ink, .. } => {
                let horizontal = match anchor {
                    Anchor::Start => HPos::Left,
                    Anchor::Middle => HPos::Center,
                    Anchor::End => HPos::Right,
                };
                let style = if *bold { FontStyle::Bold } else { FontStyle::Normal };
                let font = FontDesc::new(FontFamily::Name(FAMILY), size * scale * medium.font, style);
                let colour = colour(*ink);
                let style = TextStyle::from(font).color(&colour).pos(Pos::new(horizontal, VPos::Center));
                area.draw(&Text::new(text.as_str(), pixel((at.0, at.1 + size * medium.drop)), style))?;
            }
        }
    }
    area.present()
}

fn marker<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    (x, y): (i32, i32),
    radius: f64,
    shape: Shape,
    colour: RGBColor,
) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
    let r = radius.round().max(1.0) as i32;
    let wide = (radius * 1.25).round() as i32;
    let corners = match shape {
        Shape::Circle => return area.draw(&Circle::new((x, y), r, colour.filled())),
        Shape::Square => vec![(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)],
        Shape::Triangle => vec![(x, y - wide), (x + wide, y + r), (x - wide, y + r)],
        Shape::Nabla => vec![(x, y + wide), (x + wide, y - r), (x - wide, y - r)],
        Shape::Diamond => vec![(x, y - wide), (x + wide, y), (x, y + wide), (x - wide, y)],
    };
    area.draw(&Polygon::new(corners, colour.filled()))
}
