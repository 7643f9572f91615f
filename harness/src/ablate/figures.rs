//! What an ablation is judged by, and the judgement of each: a paired ratio to `ace` in every place.
//!
//! Throughput is compared run by run; p99, resident peak and resident after the drain within blocks, the resident figures of the throughput
//! pass less what the process held before. One second after the drain is a single run of a named subset, and so has no interval.

use crate::analysis::dataset::Place;
use crate::analysis::{Dataset, Metric, Ratio, metric, verdict};
use crate::plot::heat::Heat;

use super::REFERENCE;

/// Figures of merit: name of the metric, heading.
pub const SHOWN: [(&str, &str); 5] = [
    ("ops_per_s", "throughput"),
    ("alloc_ns_p99", "alloc p99"),
    ("free_ns_p99", "free p99"),
    ("net_peak_bytes", "RSS peak"),
    ("net_drained_bytes", "RSS after drain"),
];

/// Columns of the CSV that have no interval, beyond those of [`SHOWN`].
pub const LATE: (&str, &str) = ("resident_bytes_drained_1s", "RSS 1 s after drain");

/// One ablation in one place by one figure.
#[derive(Clone, Debug)]
pub struct Effect {
    /// Ablation.
    pub engine: String,
    /// Workload and threads.
    pub place: Place,
    /// The figure.
    pub metric: &'static Metric,
    /// ablation / `ace`.
    pub ratio: Ratio,
}

/// Every effect that was measured, in the order ablation, place, figure.
pub fn effects(data: &Dataset, ablations: &[&str]) -> Vec<Effect> {
    let mut found = Vec::new();
    for engine in ablations {
        for place in data.places() {
            for name in SHOWN.iter().map(|shown| shown.0).chain([LATE.0]) {
                found.extend(effect(data, engine, &place, metric(name)));
            }
        }
    }
    found
}

/// One effect, if both sides were measured.
pub fn effect(data: &Dataset, engine: &str, place: &Place, metric: &'static Metric) -> Option<Effect> {
    let ratio = data.ratio(metric, engine, REFERENCE, &place.workload, place.threads)?;
    Some(Effect { engine: engine.to_owned(), place: place.clone(), metric, ratio })
}

/// What the interval supports; a single run has none, and says nothing.
pub fn heat(metric: &Metric, ratio: &Ratio) -> Heat {
    if ratio.interval.is_none() {
        return Heat::Blank;
    }
    let factor = ratio.median.max(1.0 / ratio.median);
    if verdict::surely_better(metric, ratio) {
        Heat::Better(factor)
    } else if verdict::surely_worse(metric, ratio) {
        Heat::Worse(factor)
    } else {
        Heat::Even
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(factor: f64) -> Ratio {
        Ratio::paired(&[factor, factor * 1.01, factor, factor * 0.99, factor].map(|side| (side, 1.0)))
            .unwrap()
    }

    #[test]
    fn heat_knows_which_way_is_better() {
        for (name, up) in [("ops_per_s", Heat::Better(1.5)), ("net_peak_bytes", Heat::Worse(1.5))] {
            assert_eq!(heat(metric(name), &ratio(1.5)), up);
            assert_eq!(heat(metric(name), &ratio(1.0)), Heat::Even);
        }
        assert_eq!(heat(metric("ops_per_s"), &Ratio::paired(&[(2.0, 1.0)]).unwrap()), Heat::Blank);
        assert!(
            matches!(heat(metric("alloc_ns_p99"), &ratio(0.5)), Heat::Better(f) if (f - 2.0).abs() < 1e-9)
        );
    }

    #[test]
    fn every_figure_is_a_metric() {
        for (name, _) in SHOWN.iter().chain([&LATE]) {
            assert_eq!(metric(name).name, *name);
        }
    }
}
