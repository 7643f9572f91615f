//! The space of settings: axes from the command line, points on them.
//!
//! Names and values are those of the allocator's own table of knobs, so that a misspelt knob or a value out of bounds is refused
//! before anything runs. A point's label holds a hash of its settings: a run that is resumed with other knobs finds other labels, and is refused.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};
use engines::knobs::{self, Spec};
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Most points of one sweep: each is an engine of every block.
pub const POINTS_MAX: usize = 64;
/// Values of one knob.
const VALUES_MAX: usize = 32;

/// One knob and the values tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    /// The variable.
    pub name: &'static str,
    /// As given.
    pub values: Vec<String>,
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// `s07-1a2b3c4d`: number and hash of the setting.
    pub label: String,
    /// Variables and values.
    pub env: Vec<(String, String)>,
}

impl Point {
    fn new(number: usize, env: Vec<(String, String)>) -> Point {
        let label = format!("s{number:02}-{:08x}", hash(&env_line(&env)));
        Point { label, env }
    }

    /// The number alone, for plots.
    pub fn short(&self) -> &str {
        self.label.split('-').next().unwrap_or(&self.label)
    }

    /// `ACE_BATCH=8 ACE_CACHE_BYTES=64K`.
    pub fn env_line(&self) -> String {
        env_line(&self.env)
    }
}

fn env_line(env: &[(String, String)]) -> String {
    env.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

/// FNV-1a.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn spec(name: &str) -> Option<(&'static Spec, &'static str)> {
    let named = |spec: &'static Spec| Some((spec, spec.name.to_str().ok()?));
    knobs::SPECS.iter().filter_map(named).find(|(_, known)| *known == name)
}

/// Axes from words of the form `NAME=a,b,c`.
pub fn axes(words: &[String]) -> Result<Vec<Axis>> {
    let mut axes: Vec<Axis> = Vec::new();
    for word in words {
        let axis = axis(word)?;
        ensure!(
            axes.iter().all(|other| other.name != axis.name),
            "--knob: {} is named twice; give all its values at once",
            axis.name
        );
        axes.push(axis);
    }
    Ok(axes)
}

fn axis(word: &str) -> Result<Axis> {
    let (name, values) = word.split_once('=').with_context(|| {
        format!("--knob: '{word}' is not of the form NAME=VALUE,VALUE, e.g. ACE_BATCH=0,8")
    })?;
    let Some((spec, name)) = spec(name.trim()) else {
        let known: Vec<&str> = knobs::SPECS.iter().filter_map(|spec| spec.name.to_str().ok()).collect();
        bail!("--knob: no knob is called '{}'; known are {} (docs/CONFIG.md)", name.trim(), known.join(", "));
    };
    let mut found: Vec<String> = Vec::new();
    for value in values.split(',').map(str::trim).filter(|value| !value.is_empty()) {
        ensure!(
            knobs::read(spec, value.as_bytes()).is_some(),
            "--knob: {name}={value} is not understood; give {} from {} to {}",
            if spec.words.is_empty() {
                "whole numbers (K, M, G allowed)"
            } else {
                "one of its words, or numbers"
            },
            spec.min,
            if spec.max == u64::MAX { "never".into() } else { spec.max.to_string() }
        );
        if !found.iter().any(|other| other == value) {
            found.push(value.to_owned());
        }
    }
    ensure!(!found.is_empty(), "--knob: {name} has no value; give one or more, e.g. {name}={}", spec.min);
    ensure!(found.len() <= VALUES_MAX, "--knob: {name} has more than {VALUES_MAX} values; give fewer");
    Ok(Axis { name, values: found })
}

/// Every point of the grid, or `random` different ones of it.
pub fn points(axes: &[Axis], random: Option<usize>, seed: u64) -> Result<Vec<Point>> {
    let size = axes.iter().try_fold(1usize, |size, axis| size.checked_mul(axis.values.len()));
    ensure!(random != Some(0), "--random: 0 points measure nothing; give 1 or more");
    if let Some(wanted) = random {
        ensure!(wanted <= POINTS_MAX, "--random: {wanted} points are more than {POINTS_MAX}; give fewer");
    }
    let numbers: Vec<usize> = match (size, random) {
        (Some(size), None) if size <= POINTS_MAX => (0..size).collect(),
        (Some(size), Some(wanted)) if wanted >= size => (0..size).collect(),
        (Some(size), Some(wanted)) => sample(size, wanted, seed),
        (size, _) => bail!(
            "--knob: the grid has {} points, above the limit of {POINTS_MAX}; give fewer values, or --random {POINTS_MAX}",
            size.map_or("too many".into(), |size| size.to_string())
        ),
    };
    Ok(numbers.iter().enumerate().map(|(at, &number)| Point::new(at + 1, setting(axes, number))).collect())
}

/// `wanted` < `size` different numbers below `size`, in rising order.
fn sample(size: usize, wanted: usize, seed: u64) -> Vec<usize> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut found = BTreeSet::new();
    while found.len() < wanted {
        found.insert(((u128::from(rng.next_u64()) * size as u128) >> 64) as usize);
    }
    found.into_iter().collect()
}

/// The point with this number: the last axis turns fastest.
fn setting(axes: &[Axis], mut number: usize) -> Vec<(String, String)> {
    let mut env: Vec<(String, String)> = axes
        .iter()
        .rev()
        .map(|axis| {
            let value = &axis.values[number % axis.values.len()];
            number /= axis.values.len();
            (axis.name.to_owned(), value.clone())
        })
        .collect();
    env.reverse();
    env
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_grid_holds_every_combination_once() {
        let axes = axes(&words(&["ACE_BATCH=0,8", "ACE_CACHE_BYTES=64K,1M,64K"])).unwrap();
        let points = points(&axes, None, 1).unwrap();
        let lines: Vec<String> = points.iter().map(Point::env_line).collect();
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[1], "ACE_BATCH=0 ACE_CACHE_BYTES=1M");
        assert_eq!(lines.iter().collect::<BTreeSet<_>>().len(), 4);
        assert_eq!(points[0].short(), "s01");
        assert!(points[0].label.len() == 12, "{}", points[0].label);
    }

    #[test]
    fn a_sample_is_drawn_without_repetition_and_by_the_seed() {
        let axes = axes(&words(&["ACE_CACHE_SLOTS=2,3,4,5,6,7,8,9,10,11", "ACE_BATCH=0,1,2,3,4,5,6,7,8,9"]))
            .unwrap();
        assert!(points(&axes, None, 1).unwrap_err().to_string().contains("100 points"));
        let draw = |seed| points(&axes, Some(12), seed).unwrap();
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert_eq!(draw(1).iter().map(Point::env_line).collect::<BTreeSet<_>>().len(), 12);
    }

    #[test]
    fn knobs_and_values_are_those_of_the_allocator() {
        for (word, said) in [
            ("ACE_BATCH", "NAME=VALUE"),
            ("ACE_SPEED=1", "known are ACE_CACHE_SLOTS"),
            ("ACE_BATCH=", "no value"),
            ("ACE_BATCH=-1", "ACE_BATCH=-1"),
            ("ACE_CACHE_SLOTS=1", "from 2 to 65535"),
            ("ACE_LEARN=maybe", "words"),
        ] {
            let error = axes(&words(&[word])).unwrap_err().to_string();
            assert!(error.starts_with("--knob") && error.contains(said), "{word}: {error}");
        }
        assert!(axes(&words(&["ACE_BATCH=0", "ACE_BATCH=8"])).unwrap_err().to_string().contains("twice"));
        assert!(axes(&words(&["ACE_LEARN=off,on", "ACE_PURGE_DELAY_MS=never"])).is_ok());
        assert!(points(&[], Some(0), 1).unwrap_err().to_string().contains("--random"));
    }
}
