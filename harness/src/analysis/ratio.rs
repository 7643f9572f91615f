//! A ratio of two engines (or of two files) with what is known about its certainty.
//!
//! Ratios are formed as differences of logarithms, so that `a / b` and `b / a` agree. Paired ratios take the
//! median over blocks; unpaired ones the Hodges–Lehmann shift. Values that are not above zero have no logarithm
//! and are left out, which `n` shows.

use super::interval::{self, CONFIDENCE_MIN, Interval};
use super::robust;
use super::shift;

/// value / reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// The estimate.
    pub median: f64,
    /// Its interval; absent when one pair alone was measured.
    pub interval: Option<Interval>,
    /// Blocks (pairs), or the smaller side's values where unpaired.
    pub n: usize,
    /// Whether it was formed within blocks.
    pub paired: bool,
}

impl Ratio {
    /// Median over blocks of `value / reference`.
    pub fn paired(pairs: &[(f64, f64)]) -> Option<Self> {
        let logs: Vec<f64> = pairs
            .iter()
            .filter(|(value, reference)| *value > 0.0 && *reference > 0.0)
            .map(|(value, reference)| (value / reference).ln())
            .collect();
        Self::of_logs(&logs)
    }

    /// Median of ratios that are given as logarithms, one a block.
    pub fn of_logs(logs: &[f64]) -> Option<Self> {
        let median = robust::median(logs)?.exp();
        Some(Self {
            median,
            interval: interval::of_median(logs).map(Interval::exp),
            n: logs.len(),
            paired: true,
        })
    }

    /// Ratios that are given as logarithms, for each block those of its rounds.
    ///
    /// The estimate is the Hodges–Lehmann centre of all rounds. The interval is that of the blocks' medians: rounds of a
    /// block share their processes' address-space layout, so blocks are what is independent. It is widened to hold the
    /// estimate where it does not.
    pub fn by_rounds(blocks: &[Vec<f64>]) -> Option<Self> {
        let rounds: Vec<f64> = blocks.iter().flatten().copied().collect();
        let centre = shift::centre(&rounds)?;
        let medians: Vec<f64> = blocks.iter().filter_map(|rounds| robust::median(rounds)).collect();
        let interval = interval::of_median(&medians).map(|found| Interval {
            low: found.low.min(centre),
            high: found.high.max(centre),
            ..found
        });
        Some(Self {
            median: centre.exp(),
            interval: interval.map(Interval::exp),
            n: medians.len(),
            paired: true,
        })
    }

    /// `values / references` where nothing pairs them.
    pub fn unpaired(values: &[f64], references: &[f64]) -> Option<Self> {
        let logs = |side: &[f64]| -> Vec<f64> { side.iter().filter(|v| **v > 0.0).map(|v| v.ln()).collect() };
        let (values, references) = (logs(values), logs(references));
        let (centre, interval) = shift::hodges_lehmann(&references, &values)?;
        let n = values.len().min(references.len());
        Some(Self { median: centre.exp(), interval: interval.map(Interval::exp), n, paired: false })
    }

    /// Whether the whole interval lies above `bound`, at a confidence that supports saying so.
    pub fn surely_above(&self, bound: f64) -> bool {
        self.trusted().is_some_and(|interval| interval.low > bound)
    }

    /// Whether the whole interval lies below `bound`, at a confidence that supports saying so.
    pub fn surely_below(&self, bound: f64) -> bool {
        self.trusted().is_some_and(|interval| interval.high < bound)
    }

    fn trusted(&self) -> Option<Interval> {
        self.interval.filter(|interval| interval.confidence >= CONFIDENCE_MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_are_pooled_for_the_estimate_and_blocks_make_the_interval() {
        let blocks: Vec<Vec<f64>> =
            (0..6).map(|b| vec![0.1 * f64::from(b), 0.1 * f64::from(b) + 0.02]).collect();
        let ratio = Ratio::by_rounds(&blocks).unwrap();
        assert!((ratio.median.ln() - 0.26).abs() < 1e-9 && ratio.n == 6 && ratio.paired);
        let interval = ratio.interval.unwrap();
        assert!((interval.low.ln() - 0.01).abs() < 1e-9 && (interval.high.ln() - 0.51).abs() < 1e-9);
        assert_eq!(Ratio::by_rounds(&[]), None);
    }

    #[test]
    fn paired_ratio_takes_the_median_of_block_ratios() {
        // Ratios 2, 3, 1.5, 2.5, 2: the shared drift of the blocks cancels.
        let pairs = [(20.0, 10.0), (300.0, 100.0), (1.5, 1.0), (5.0, 2.0), (8.0, 4.0)];
        let ratio = Ratio::paired(&pairs).unwrap();
        assert!((ratio.median - 2.0).abs() < 1e-12);
        let interval = ratio.interval.unwrap();
        assert!((interval.low - 1.5).abs() < 1e-12 && (interval.high - 3.0).abs() < 1e-12);
        assert!(ratio.surely_above(1.0) && !ratio.surely_above(1.6) && !ratio.surely_below(1.0));
    }

    #[test]
    fn few_blocks_support_no_statement() {
        let ratio = Ratio::paired(&[(2.0, 1.0), (2.1, 1.0), (2.2, 1.0)]).unwrap();
        assert!(ratio.interval.is_some() && !ratio.surely_above(1.0));
        assert_eq!(Ratio::paired(&[(2.0, 1.0)]).unwrap().interval, None);
        assert_eq!(Ratio::paired(&[(2.0, 0.0)]), None);
    }

    #[test]
    fn unpaired_ratio_is_symmetric() {
        let (a, b) = ([1.0, 2.0, 4.0, 8.0, 9.0], [3.0, 5.0, 7.0, 11.0, 2.0]);
        let (forth, back) = (Ratio::unpaired(&a, &b).unwrap(), Ratio::unpaired(&b, &a).unwrap());
        assert!((forth.median * back.median - 1.0).abs() < 1e-12);
        assert!(!forth.paired);
    }
}
