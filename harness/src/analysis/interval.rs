//! The interval of a median, for few values.
//!
//! It is the sign-test interval: the k-th smallest and k-th largest value, k as large as 95 % allows. Its coverage
//! follows from the binomial distribution alone and holds for noise of any shape, and [`Interval::confidence`] says
//! what it is: 98.4 % at n = 7, 97.9 % at 10, 95.9 % at 20. Below six values no such interval reaches 95 %: smallest
//! to largest then is given with the confidence that it has, 93.75 % at n = 5. The percentile bootstrap of the median
//! is not used: it covers less than it says for all n that a run affords, which the tests below measure.

use super::robust::sorted;

/// The confidence that is aimed at.
pub const CONFIDENCE: f64 = 0.95;
/// Below this, an interval supports no statement: the confidence of five values, 1 − 2⁻⁴.
pub const CONFIDENCE_MIN: f64 = 0.937;
/// Above so many values the binomial distribution is taken as normal: ½ⁿ leaves the range of a float soon after.
const BINOMIAL_MAX: usize = 1000;

/// From, to, and how often such an interval contains the true median.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Coverage, 0 to 1.
    pub confidence: f64,
}

impl Interval {
    /// The interval of e^x.
    pub fn exp(self) -> Self {
        Self { low: self.low.exp(), high: self.high.exp(), ..self }
    }
}

/// Interval of the median; `None` below two values.
pub fn of_median(values: &[f64]) -> Option<Interval> {
    let (n, sorted) = (values.len(), sorted(values));
    let (rank, confidence) = match n {
        0 | 1 => return None,
        // 0.98 = 1.96 · ½: the 97.5 % point of the normal distribution times the deviation of one coin.
        n if n > BINOMIAL_MAX => ((n as f64 / 2.0 - 0.98 * (n as f64).sqrt()) as usize, CONFIDENCE),
        n => sign_test_rank(n),
    };
    Some(Interval { low: sorted[rank - 1], high: sorted[n - rank], confidence })
}

/// Rank k (from 1) of the ends, and the coverage 1 − 2 · P(Bin(n, ½) < k).
fn sign_test_rank(n: usize) -> (usize, f64) {
    let mut probability = 0.5f64.powi(n as i32);
    let mut below = probability;
    let mut rank = 1;
    loop {
        probability *= (n - rank + 1) as f64 / rank as f64;
        if 2.0 * (below + probability) > 1.0 - CONFIDENCE || rank >= n / 2 {
            return (rank, 1.0 - 2.0 * below);
        }
        below += probability;
        rank += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::super::random::SplitMix;
    use super::super::robust::median_of_sorted;
    use super::*;

    #[test]
    fn ranks_and_confidence_match_the_binomial_table() {
        for (n, rank, confidence) in [
            (2, 1, 0.5),
            (3, 1, 0.75),
            (5, 1, 0.9375),
            (6, 1, 0.96875),
            (7, 1, 0.984_375),
            (9, 2, 0.960_937_5),
            (10, 2, 0.978_515_625),
            (20, 6, 0.958_610_534_667_968_8),
        ] {
            let (found_rank, found) = sign_test_rank(n);
            assert_eq!(found_rank, rank, "n {n}");
            assert!((found - confidence).abs() < 1e-12, "n {n}: {found}");
        }
    }

    #[test]
    fn ends_are_values_of_the_sample() {
        let values: Vec<f64> = (1..=10).rev().map(f64::from).collect();
        let interval = of_median(&values).unwrap();
        assert_eq!((interval.low, interval.high), (2.0, 9.0));
        assert_eq!(of_median(&[1.0]), None);
        let many: Vec<f64> = (0..10_000).map(f64::from).collect();
        let interval = of_median(&many).unwrap();
        assert_eq!((interval.low, interval.high), (4901.0, 5098.0));
    }

    /// Resamples: the 2.5 % quantile then has 50 values beyond it.
    const RESAMPLES: usize = 2000;

    /// Percentile bootstrap of the median, the method that was rejected.
    fn bootstrap(values: &[f64]) -> Interval {
        let mut random = SplitMix::new(42);
        let mut sample = vec![0.0; values.len()];
        let mut medians: Vec<f64> = (0..RESAMPLES)
            .map(|_| {
                sample.fill_with(|| values[random.below(values.len())]);
                sample.sort_by(f64::total_cmp);
                median_of_sorted(&sample).unwrap_or(f64::NAN)
            })
            .collect();
        medians.sort_by(f64::total_cmp);
        let tail = (RESAMPLES as f64 * (1.0 - CONFIDENCE) / 2.0) as usize;
        Interval { low: medians[tail], high: medians[RESAMPLES - 1 - tail], confidence: CONFIDENCE }
    }

    /// Share of intervals that hold the true median 0 of a difference of two log-normal noises with heavy tails:
    /// one value in ten has three times the spread.
    fn coverage(n: usize, trials: usize, interval: impl Fn(&[f64]) -> Interval) -> f64 {
        let mut random = SplitMix::new(7);
        let mut held = 0;
        for _ in 0..trials {
            let values: Vec<f64> = (0..n)
                .map(|_| {
                    let spread = if random.below(10) == 0 { 0.15 } else { 0.05 };
                    spread * (random.normal() - random.normal())
                })
                .collect();
            let found = interval(&values);
            held += usize::from(found.low <= 0.0 && 0.0 <= found.high);
        }
        held as f64 / trials as f64
    }

    #[test]
    fn exact_interval_covers_what_it_says() {
        for n in [5, 7, 10, 20, 31] {
            let found = coverage(n, 20_000, |values| of_median(values).unwrap());
            let (_, said) = sign_test_rank(n);
            println!("sign test n {n}: says {said:.4}, covers {found:.4}");
            assert!((found - said).abs() < 0.006, "n {n}: covers {found}, says {said}");
        }
    }

    #[test]
    fn rejected_bootstrap_covers_less_than_it_says() {
        for (n, least, most) in
            [(5, 0.88, 0.95), (7, 0.84, 0.92), (10, 0.90, 0.97), (21, 0.92, 0.975), (31, 0.92, 0.975)]
        {
            let found = coverage(n, 1500, bootstrap);
            println!("bootstrap n {n}: says {CONFIDENCE}, covers {found:.4}");
            assert!((least..=most).contains(&found), "n {n}: {found}");
        }
    }
}
