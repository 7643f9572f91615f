//! `gate.toml`: what is measured, which regression must be caught, and what is taken for noise.
//!
//! Two numbers bound a metric: above `fail_above` a proven ratio fails, below `pass_below` a proven ratio passes. Ratios
//! are costs, candidate / reference, so that more is worse for every metric. Where a ratio means little because the
//! value is small, floors in the metric's own unit widen both: the threshold is the larger of the two.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::figures::{self, GateMetric};

/// The file as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Engine that is compared where a side is a tree, a revision or a binary.
    pub engine: String,
    /// Seconds of measuring.
    pub budget_seconds: f64,
    /// Probability that any comparison of a gate fails although nothing is worse than its threshold.
    pub false_alarm: f64,
    /// Probability that a comparison passes although the candidate is worse by `pass_below`.
    pub missed: f64,
    /// Metrics that are compared where none is named.
    pub metrics: Vec<String>,
    /// Bounds by metric.
    pub threshold: BTreeMap<String, Threshold>,
    /// What is run.
    pub workload: Vec<Entry>,
    /// The comparison of instruction counts.
    pub instructions: Instructions,
}

/// Bounds of one metric.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// A ratio that is surely above fails.
    pub fail_above: f64,
    /// A ratio that is surely below passes.
    pub pass_below: f64,
    /// Smallest difference that fails, in the metric's unit.
    #[serde(default)]
    pub fail_floor: f64,
    /// Smallest difference that must be caught, in the metric's unit.
    #[serde(default)]
    pub pass_floor: f64,
    /// It can fail, but nobody waits for it to pass.
    #[serde(default)]
    pub watch: bool,
}

impl Threshold {
    /// Both bounds as ratios, for a reference of this value.
    pub fn at(&self, reference: f64) -> (f64, f64) {
        let wider = |ratio: f64, floor: f64| {
            if reference > 0.0 { ratio.max(1.0 + floor / reference) } else { ratio }
        };
        (wider(self.fail_above, self.fail_floor), wider(self.pass_below, self.pass_floor))
    }
}

/// One workload, and what is read off it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Workload name.
    pub name: String,
    /// Threads.
    #[serde(default = "one")]
    pub threads: usize,
    /// Operations a thread, in the scale of `--ops`: short processes, because the layout of the address space differs
    /// from process to process more than one process differs from moment to moment.
    pub ops: u64,
    /// Metrics.
    pub metrics: Vec<String>,
    /// Bounds that differ here.
    #[serde(default)]
    pub threshold: BTreeMap<String, Threshold>,
}

/// The comparison of instruction counts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instructions {
    /// Workloads, with operations a thread.
    pub workloads: BTreeMap<String, u64>,
    /// Candidate against reference, counted in one run.
    pub fail_above: f64,
    /// Against the recorded baseline, which another machine may have counted.
    pub baseline_fail_above: f64,
    /// Engines of the recorded baseline.
    pub baseline_engines: Vec<String>,
}

fn one() -> usize {
    1
}

impl Config {
    /// Reads and checks a file.
    pub fn load(path: &Path) -> Result<Config> {
        let text = std::fs::read_to_string(path).with_context(|| {
            format!("{} cannot be read; run in the repository, or name a file with --config", path.display())
        })?;
        let config: Config = match toml::from_str(&text) {
            Ok(config) => config,
            Err(error) => bail!("{}: {}", path.display(), first_line(&error)),
        };
        config.check().with_context(|| format!("{} is not usable", path.display()))?;
        Ok(config)
    }

    fn check(&self) -> Result<()> {
        ensure!(self.budget_seconds > 0.0, "budget_seconds: {} is not above 0", self.budget_seconds);
        for (name, value) in [("false_alarm", self.false_alarm), ("missed", self.missed)] {
            ensure!(value > 0.0 && value < 0.5, "{name}: {value} is not a probability between 0 and 0.5");
        }
        let own = self.threshold.iter().chain(self.workload.iter().flat_map(|entry| &entry.threshold));
        for (name, threshold) in own {
            figures::find(name)?;
            let Threshold { fail_above, pass_below, .. } = *threshold;
            ensure!(
                fail_above >= 1.0 && pass_below > fail_above,
                "{name}: 1 ≤ fail_above ({fail_above}) < pass_below ({pass_below}) does not hold"
            );
        }
        for name in self.metrics.iter().chain(self.workload.iter().flat_map(|entry| &entry.metrics)) {
            figures::find(name)?;
            ensure!(self.threshold.contains_key(name), "{name} has no [threshold.{name}]");
        }
        ensure!(!self.workload.is_empty(), "it has no [[workload]]");
        Ok(())
    }

    /// Bounds of a metric in an entry.
    pub fn threshold(&self, entry: &Entry, metric: &GateMetric) -> Threshold {
        *entry.threshold.get(metric.name).unwrap_or(&self.threshold[metric.name])
    }
}

fn first_line(error: &toml::de::Error) -> String {
    let line = error.to_string();
    let words: Vec<&str> = line.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    words.first().zip(words.last()).map_or_else(String::new, |(first, last)| format!("{first}: {last}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHECKED_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../gate.toml");

    fn edited(from: &str, to: &str) -> Result<Config> {
        let text = std::fs::read_to_string(CHECKED_IN).unwrap();
        assert!(text.contains(from), "{from}");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text.replacen(from, to, 1)).unwrap();
        Config::load(file.path())
    }

    #[test]
    fn the_checked_in_file_is_valid_and_its_thresholds_are_well_below_what_must_be_caught() {
        let config = Config::load(Path::new(CHECKED_IN)).unwrap();
        for name in ["alloc_ns_p99", "free_ns_p99"] {
            let threshold = config.threshold[name];
            assert!(threshold.fail_above <= 1.04 && threshold.pass_below >= 1.10, "{name}: {threshold:?}");
            assert!(!threshold.watch && config.metrics.iter().any(|metric| metric == name));
        }
        assert!(config.false_alarm <= 0.01 && config.budget_seconds <= 30.0);
    }

    #[test]
    fn floors_widen_thresholds_of_small_values_only() {
        let threshold =
            Threshold { fail_above: 1.02, pass_below: 1.10, fail_floor: 1.0, pass_floor: 4.0, watch: false };
        assert_eq!(threshold.at(100.0), (1.02, 1.10));
        assert_eq!(threshold.at(20.0), (1.05, 1.20));
        assert_eq!(threshold.at(0.0), (1.02, 1.10));
    }

    #[test]
    fn wrong_files_are_refused_with_the_field() {
        for (from, to, expected) in [
            ("budget_seconds", "budget_minutes", "budget_minutes"),
            ("false_alarm = 0.005", "false_alarm = 2", "false_alarm"),
            ("[threshold.alloc_ns_p99]", "[threshold.alloc_ns_p98]", "alloc_ns_p98"),
            ("fail_above = 1.02", "fail_above = 1.2", "pass_below"),
            ("budget_seconds", "budget seconds", "expected"),
        ] {
            let found = format!("{:#}", edited(from, to).unwrap_err());
            assert!(found.contains(expected), "{expected}: {found}");
            assert_eq!(found.lines().count(), 1, "{found}");
        }
    }
}
