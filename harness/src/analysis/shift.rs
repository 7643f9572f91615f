//! Shift between two unpaired samples: the Hodges–Lehmann estimate, the median of all pairwise differences, with
//! the interval that inverts the rank-sum test of Mann and Whitney.
//!
//! The interval is exact for any continuous noise that is alike on both sides, however few values there are; with
//! too few for 95 % it is the widest one (smallest to largest difference) and says its confidence. Above
//! 2,500 pairs the distribution of the rank sum is taken as normal.

use super::interval::{CONFIDENCE, Interval};
use super::robust::median_of_sorted;

/// Up to so many pairs the rank-sum distribution is counted out.
const EXACT_PAIRS_MAX: usize = 2500;

/// Median of `b − a` over all pairs, and its interval; `None` when a side is empty, no interval when a side has
/// one value only.
pub fn hodges_lehmann(a: &[f64], b: &[f64]) -> Option<(f64, Option<Interval>)> {
    let mut differences: Vec<f64> = a.iter().flat_map(|x| b.iter().map(move |y| y - x)).collect();
    differences.sort_by(f64::total_cmp);
    let centre = median_of_sorted(&differences)?;
    if a.len() < 2 || b.len() < 2 {
        return Some((centre, None));
    }
    let (rank, confidence) = rank_and_confidence(a.len(), b.len());
    let high = differences[differences.len() - rank];
    Some((centre, Some(Interval { low: differences[rank - 1], high, confidence })))
}

/// The Hodges–Lehmann estimate of one sample: the median of the means of all pairs of values, each value with itself
/// included. As robust against a quarter of disturbed values as need be, and for noise without heavy tails half again
/// as precise as the median.
pub fn centre(values: &[f64]) -> Option<f64> {
    let pairs = values.iter().enumerate().flat_map(|(i, x)| values[i..].iter().map(move |y| (x + y) / 2.0));
    let mut means: Vec<f64> = pairs.collect();
    means.sort_by(f64::total_cmp);
    median_of_sorted(&means)
}

/// Rank k (from 1) of the ends and the coverage 1 − 2 · P(U < k).
fn rank_and_confidence(n: usize, m: usize) -> (usize, f64) {
    let tail = (1.0 - CONFIDENCE) / 2.0;
    if n * m > EXACT_PAIRS_MAX {
        let mean = (n * m) as f64 / 2.0;
        let deviation = ((n * m * (n + m + 1)) as f64 / 12.0).sqrt();
        // 1.96: the 97.5 % point of the normal distribution.
        return (((mean - 1.96 * deviation).floor() as usize).max(1), CONFIDENCE);
    }
    let counts = rank_sum_counts(n, m);
    let total: f64 = counts.iter().sum();
    let mut below = counts[0] / total;
    let mut rank = 1;
    while below + counts[rank] / total <= tail {
        below += counts[rank] / total;
        rank += 1;
    }
    (rank, 1.0 - 2.0 * below)
}

/// Number of orders of n and m values whose rank-sum statistic U is 0, 1, … n·m: the coefficients of the Gaussian
/// binomial Π (1 − q^(m+i)) / (1 − q^i).
fn rank_sum_counts(n: usize, m: usize) -> Vec<f64> {
    let mut counts = vec![0.0; n * m + 1];
    counts[0] = 1.0;
    for i in 1..=n {
        for u in (m + i..counts.len()).rev() {
            counts[u] -= counts[u - m - i];
        }
        for u in i..counts.len() {
            counts[u] += counts[u - i];
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::super::random::SplitMix;
    use super::*;

    #[test]
    fn counts_match_hand_counted_orders() {
        assert_eq!(rank_sum_counts(2, 2), [1.0, 1.0, 2.0, 1.0, 1.0]);
        assert_eq!(rank_sum_counts(5, 5).iter().sum::<f64>(), 252.0);
    }

    #[test]
    fn ranks_match_the_published_table() {
        // Critical values of U, two-sided 5 %: 2 for 5 and 5, 8 for 7 and 7, 23 for 10 and 10; the rank is one more.
        for (n, critical) in [(5, 2), (7, 8), (10, 23)] {
            assert_eq!(rank_and_confidence(n, n).0, critical + 1, "n {n}");
        }
    }

    #[test]
    fn centre_of_known_samples() {
        assert_eq!(centre(&[]), None);
        assert_eq!(centre(&[3.0]), Some(3.0));
        // Means of pairs: 1, 1.5, 2, 2, 3, 50.5, 51, 51.5 … of {1, 2, 3, 100}: ten, the middle ones 2.5 and 3.
        assert_eq!(centre(&[1.0, 2.0, 3.0, 100.0]), Some(2.75));
    }

    #[test]
    fn shift_of_known_samples() {
        let (centre, interval) = hodges_lehmann(&[1.0, 2.0, 3.0], &[11.0, 12.0, 13.0]).unwrap();
        assert_eq!(centre, 10.0);
        let interval = interval.unwrap();
        assert_eq!((interval.low, interval.high), (8.0, 12.0));
        assert!((interval.confidence - 0.9).abs() < 1e-12);
        assert_eq!(hodges_lehmann(&[], &[1.0]), None);
        assert_eq!(hodges_lehmann(&[1.0], &[4.0]), Some((3.0, None)));
    }

    #[test]
    fn interval_covers_what_it_says() {
        let mut random = SplitMix::new(3);
        for (n, m) in [(5, 5), (7, 10), (55, 50)] {
            let trials = if n > 50 { 1000 } else { 8000 };
            let said = rank_and_confidence(n, m).1;
            let held = (0..trials)
                .filter(|_| {
                    let a: Vec<f64> = (0..n).map(|_| random.normal()).collect();
                    let b: Vec<f64> = (0..m).map(|_| random.normal()).collect();
                    let interval = hodges_lehmann(&a, &b).unwrap().1.unwrap();
                    interval.low <= 0.0 && 0.0 <= interval.high
                })
                .count();
            let found = held as f64 / f64::from(trials);
            println!("rank sum n {n} m {m}: says {said:.4}, covers {found:.4}");
            assert!((found - said).abs() < 0.02, "{n} {m}: covers {found}, says {said}");
        }
    }
}
