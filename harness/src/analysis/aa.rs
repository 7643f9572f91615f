//! The A/A control: an engine measured against itself under another label in the same interleaved run.
//!
//! Whatever this control shows as a difference is noise, so it bounds what the run can tell. A place counts as
//! good when the median differs by less than [`DIFFERENCE_MAX`]; an interval that excludes 1 is a false alarm, of
//! which about one in twenty is expected.

use super::dataset::{CONTROL_SUFFIX, Dataset};
use super::metric::Metric;
use super::ratio::Ratio;

/// Largest difference of the medians that the control may show.
pub const DIFFERENCE_MAX: f64 = 0.03;

/// The control in one place.
#[derive(Clone, Debug)]
pub struct Control {
    /// The engine that was measured twice.
    pub engine: String,
    /// Workload.
    pub workload: String,
    /// Threads.
    pub threads: u32,
    /// control / engine.
    pub ratio: Ratio,
}

impl Control {
    /// Whether the median differs by less than [`DIFFERENCE_MAX`].
    pub fn is_close(&self) -> bool {
        (self.ratio.median - 1.0).abs() < DIFFERENCE_MAX
    }

    /// Whether the interval excludes 1.
    pub fn is_false_alarm(&self) -> bool {
        self.ratio.surely_above(1.0) || self.ratio.surely_below(1.0)
    }
}

/// The control in every place that has one.
pub fn controls(data: &Dataset, metric: &Metric) -> Vec<Control> {
    let mut controls = Vec::new();
    for place in data.places() {
        for label in data.engines() {
            let Some(engine) = label.strip_suffix(CONTROL_SUFFIX) else { continue };
            if let Some(ratio) = data.ratio(metric, label, engine, &place.workload, place.threads) {
                controls.push(Control {
                    engine: engine.to_owned(),
                    workload: place.workload.clone(),
                    threads: place.threads,
                    ratio,
                });
            }
        }
    }
    controls
}

/// Places that are close and places in all, among those of at most `threads_max` threads.
pub fn close_of(controls: &[Control], threads_max: u32) -> (usize, usize) {
    let chosen = controls.iter().filter(|control| control.threads <= threads_max);
    chosen.fold((0, 0), |(close, all), control| (close + usize::from(control.is_close()), all + 1))
}

#[cfg(test)]
mod tests {
    use super::super::metric::metric;
    use super::*;
    use crate::row::Row;

    #[test]
    fn control_is_judged_by_its_median() {
        let row = |engine: &str, threads, block, value| Row {
            engine: engine.into(),
            workload: "w".into(),
            threads,
            pass: "throughput".into(),
            block,
            status: "ok".into(),
            ops_per_s: Some(value),
            ..Row::default()
        };
        let mut rows = vec![];
        for block in 0..5 {
            rows.extend([row("system", 1, block, 100.0), row("system#aa", 1, block, 102.0)]);
            rows.extend([row("system", 2, block, 100.0), row("system#aa", 2, block, 104.0)]);
            rows.extend([row("system", 8, block, 100.0), row("system#aa", 8, block, 150.0)]);
        }
        let controls = controls(&Dataset::new(rows), metric("ops_per_s"));
        assert_eq!(close_of(&controls, 2), (1, 2));
        assert_eq!(close_of(&controls, 99), (1, 3));
        assert!(controls[0].is_false_alarm(), "five blocks that all differ by 2 %");
    }
}
