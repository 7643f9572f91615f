//! One colour and one marker an engine, the same in every figure, for both colour schemes.
//!
//! The hues are those of Okabe and Ito where they suffice, so that the peers stay apart for colour-blind readers;
//! markers and direct labels carry the rest. The system allocator is grey, `ace` is the one warm red. Each light
//! colour is unique: a page that follows the reader's scheme replaces it by a variable ([`css_variables`]).

/// Red, green, blue.
pub type Rgb = (u8, u8, u8);

/// What a shape is drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Background.
    Paper,
    /// Words and figures.
    Text,
    /// Lesser words.
    Muted,
    /// Axis lines and references.
    Axis,
    /// Grid lines.
    Grid,
    /// An entry of the table below.
    Engine(usize),
}

/// Marker of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// ●
    Circle,
    /// ■
    Square,
    /// ▲
    Triangle,
    /// ▼
    Nabla,
    /// ◆
    Diamond,
}

/// Name, light colour, dark colour, marker. Engines that are not listed share the last entries by their name.
const ENGINES: &[(&str, Rgb, Rgb, Shape)] = &[
    ("system", (0x6E, 0x76, 0x81), (0x9A, 0xA4, 0xAF), Shape::Circle),
    ("ace", (0xD5, 0x2B, 0x1E), (0xFF, 0x6B, 0x57), Shape::Diamond),
    ("jemalloc", (0x00, 0x72, 0xB2), (0x4D, 0xA8, 0xE0), Shape::Square),
    ("mimalloc", (0xD8, 0x90, 0x00), (0xF0, 0xB4, 0x29), Shape::Triangle),
    ("mimalloc2", (0x9C, 0x6A, 0x00), (0xC9, 0x97, 0x3F), Shape::Nabla),
    ("snmalloc", (0x00, 0x9E, 0x73), (0x2C, 0xC7, 0x9A), Shape::Circle),
    ("rpmalloc", (0x3F, 0xA5, 0xDF), (0x7C, 0xC8, 0xF2), Shape::Diamond),
    ("tcmalloc", (0xC4, 0x62, 0x9A), (0xE5, 0x9B, 0xC4), Shape::Square),
    ("mempool_baseline", (0x7A, 0x4B, 0x2A), (0xB9, 0x8A, 0x66), Shape::Square),
    ("mempool_sharded", (0x8C, 0x5B, 0xC1), (0xB0, 0x95, 0xE6), Shape::Triangle),
    ("mempool_lockfree", (0x44, 0x44, 0xA0), (0x8F, 0x8F, 0xE8), Shape::Nabla),
    ("mempool_numa", (0x2F, 0x6B, 0x5E), (0x6F, 0xB3, 0xA4), Shape::Diamond),
    ("floor", (0xA3, 0xA8, 0xAE), (0x6B, 0x72, 0x7B), Shape::Nabla),
    ("c_abi", (0x3E, 0x42, 0x47), (0xC5, 0xC9, 0xCE), Shape::Triangle),
    ("other", (0x5F, 0x8A, 0x1E), (0xA3, 0xCF, 0x5C), Shape::Square),
    ("other", (0x00, 0x7C, 0x86), (0x4F, 0xC3, 0xCC), Shape::Circle),
    ("other", (0xB0, 0x52, 0x0F), (0xE0, 0x8D, 0x50), Shape::Triangle),
    ("other", (0x87, 0x30, 0x62), (0xCB, 0x7F, 0xAC), Shape::Diamond),
];
/// Entries for engines without one of their own.
const OTHERS: usize = 4;

const BASE: [(Ink, &str, Rgb, Rgb); 5] = [
    (Ink::Paper, "paper", (0xFF, 0xFF, 0xFF), (0x15, 0x18, 0x1C)),
    (Ink::Text, "text", (0x1A, 0x1D, 0x21), (0xE8, 0xEA, 0xED)),
    (Ink::Muted, "muted", (0x59, 0x61, 0x6B), (0xA9, 0xB1, 0xBA)),
    (Ink::Axis, "axis", (0x8B, 0x93, 0x9D), (0x7B, 0x84, 0x8E)),
    (Ink::Grid, "grid", (0xE4, 0xE7, 0xEB), (0x2C, 0x31, 0x37)),
];

/// Ink of an engine. A label with `#aa` has the ink of its engine.
pub fn ink(engine: &str) -> Ink {
    let name = engine.split('#').next().unwrap_or(engine);
    let known = ENGINES.iter().position(|entry| entry.0 == name);
    Ink::Engine(known.unwrap_or_else(|| {
        let sum: usize = name.bytes().map(usize::from).sum();
        ENGINES.len() - OTHERS + sum % OTHERS
    }))
}

/// Marker of an ink.
pub fn shape(ink: Ink) -> Shape {
    match ink {
        Ink::Engine(at) => ENGINES[at].3,
        _ => Shape::Circle,
    }
}

/// Light colour of an ink.
pub fn light(ink: Ink) -> Rgb {
    match ink {
        Ink::Engine(at) => ENGINES[at].1,
        base => BASE.iter().find(|entry| entry.0 == base).map_or((0, 0, 0), |entry| entry.2),
    }
}

/// Name of the variable, light and dark colour of every ink.
fn variables() -> impl Iterator<Item = (String, Rgb, Rgb)> {
    let base = BASE.iter().map(|(_, name, light, dark)| (format!("--plot-{name}"), *light, *dark));
    base.chain(
        ENGINES.iter().enumerate().map(|(at, (_, light, dark, _))| (format!("--plot-e{at}"), *light, *dark)),
    )
}

fn hex((r, g, b): Rgb) -> String {
    format!("#{r:02X}{g:02X}{b:02X}")
}

/// Declarations of all variables for the light and for the dark scheme.
pub fn css_variables() -> (String, String) {
    variables().fold((String::new(), String::new()), |(mut light, mut dark), (name, day, night)| {
        light += &format!("{name}:{};", hex(day));
        dark += &format!("{name}:{};", hex(night));
        (light, dark)
    })
}

/// An SVG whose colours are variables instead.
pub fn with_variables(svg: &str) -> String {
    variables().fold(svg.to_owned(), |svg, (name, light, _)| {
        svg.replace(&format!("\"{}\"", hex(light)), &format!("\"var({name})\""))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn light_colours_are_unique() {
        let all: Vec<Rgb> = variables().map(|(_, light, _)| light).collect();
        for (at, colour) in all.iter().enumerate() {
            assert!(!all[..at].contains(colour), "{colour:?} stands for two inks");
        }
    }

    /// Relative luminance and contrast as WCAG 2 defines them.
    fn contrast(a: Rgb, b: Rgb) -> f64 {
        let channel = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        let luminance = |(r, g, b): Rgb| 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        a.max(b) / a.min(b)
    }

    #[test]
    fn every_engine_is_visible_on_both_papers() {
        for (name, light, dark, _) in ENGINES {
            assert!(contrast(*light, BASE[0].2) >= 2.3, "{name} on light: {}", contrast(*light, BASE[0].2));
            assert!(contrast(*dark, BASE[0].3) >= 3.0, "{name} on dark: {}", contrast(*dark, BASE[0].3));
        }
        for (light, dark) in [(BASE[1].2, BASE[1].3), (BASE[2].2, BASE[2].3)] {
            assert!(contrast(light, BASE[0].2) >= 4.5 && contrast(dark, BASE[0].3) >= 4.5);
        }
    }

    #[test]
    fn svg_colours_become_variables() {
        assert_eq!(
            with_variables(r##"<a fill="#FFFFFF" stroke="#D52B1E"/>"##),
            r#"<a fill="var(--plot-paper)" stroke="var(--plot-e1)"/>"#
        );
    }
}
