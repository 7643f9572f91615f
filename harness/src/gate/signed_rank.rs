//! The signed-rank interval: bounds of the centre of paired differences, exact for any number of them.
//!
//! The bounds are Walsh averages (the means of all pairs of differences, each with itself included). That more than
//! M − c of the M averages lie above a point has, if the differences are symmetric around it, the probability of at
//! most c in the null distribution of the signed-rank statistic, which is computed exactly. Ties and zeros only make
//! the bounds wider. Symmetry is not assumed of the noise: the gate tosses a coin for the order of each unit, which
//! makes the differences of a program with itself symmetric whatever the machine does (see docs/GATE.md).

/// Null distribution of the signed-rank statistic, extended as differences come in.
#[derive(Clone, Debug)]
pub struct SignedRank {
    n: usize,
    /// Probability of each value of the statistic, 0 to n (n + 1) / 2.
    probability: Vec<f64>,
}

impl Default for SignedRank {
    fn default() -> Self {
        SignedRank { n: 0, probability: vec![1.0] }
    }
}

impl SignedRank {
    /// The distribution for `n` differences; never goes back.
    fn extend_to(&mut self, n: usize) {
        while self.n < n {
            self.n += 1;
            let rank = self.n;
            let mut next = vec![0.0; self.probability.len() + rank];
            for (value, &probability) in self.probability.iter().enumerate() {
                next[value] += probability / 2.0;
                next[value + rank] += probability / 2.0;
            }
            self.probability = next;
        }
    }

    /// The largest c with P(statistic ≤ c) ≤ `alpha` for `n` differences; `None` where even c = 0 is likelier.
    pub fn critical(&mut self, n: usize, alpha: f64) -> Option<usize> {
        if self.n > n {
            *self = SignedRank::default();
        }
        self.extend_to(n);
        let mut below = 0.0;
        let mut found = None;
        for (value, &probability) in self.probability.iter().enumerate() {
            below += probability;
            if n == 0 || below > alpha {
                break;
            }
            found = Some(value);
        }
        found
    }
}

/// All Walsh averages of `differences`, in no order.
fn walsh(differences: &[f64]) -> Vec<f64> {
    let mut averages = Vec::with_capacity(differences.len() * (differences.len() + 1) / 2);
    for (at, a) in differences.iter().enumerate() {
        averages.extend(differences[at..].iter().map(|b| f64::midpoint(*a, *b)));
    }
    averages
}

/// Estimate and one-sided bounds of the centre. An infinite bound says nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Hodges–Lehmann estimate: the median of the Walsh averages.
    pub centre: f64,
    /// The centre is above it but for `alpha_low`.
    pub low: f64,
    /// The centre is below it but for `alpha_high`.
    pub high: f64,
}

/// Bounds of the centre of `differences`; `None` for no differences.
pub fn bounds(
    ranks: &mut SignedRank,
    differences: &[f64],
    alpha_low: f64,
    alpha_high: f64,
) -> Option<Bounds> {
    let mut averages = walsh(differences);
    let count = averages.len();
    if count == 0 {
        return None;
    }
    let n = differences.len();
    let mut at = |index: usize| *averages.select_nth_unstable_by(index, f64::total_cmp).1;
    let centre = f64::midpoint(at((count - 1) / 2), at(count / 2));
    let low = ranks.critical(n, alpha_low).filter(|&c| c < count).map_or(f64::NEG_INFINITY, &mut at);
    let high =
        ranks.critical(n, alpha_high).filter(|&c| c < count).map_or(f64::INFINITY, |c| at(count - 1 - c));
    Some(Bounds { centre, low, high })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::random::SplitMix;

    #[test]
    fn critical_values_match_the_published_table() {
        // One-sided, exact: n, level, largest statistic that is rejected.
        for (n, alpha, critical) in [
            (5, 0.05, Some(0)),
            (6, 0.025, Some(0)),
            (6, 0.05, Some(2)),
            (10, 0.025, Some(8)),
            (20, 0.005, Some(37)),
            (4, 0.05, None),
        ] {
            assert_eq!(SignedRank::default().critical(n, alpha), critical, "n {n} at {alpha}");
        }
        assert_eq!(SignedRank::default().critical(0, 0.5), None);
    }

    #[test]
    fn the_distribution_can_be_extended_and_begun_again() {
        let mut ranks = SignedRank::default();
        assert_eq!(ranks.critical(20, 0.005), Some(37));
        assert_eq!(ranks.critical(10, 0.025), Some(8));
        assert_eq!(ranks.critical(20, 0.005), Some(37));
        let sum: f64 = ranks.probability.iter().sum();
        assert!((sum - 1.0).abs() < 1e-12);
    }

    #[test]
    fn bounds_are_the_right_walsh_averages() {
        let differences = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0];
        let found = bounds(&mut SignedRank::default(), &differences, 0.025, 0.025).unwrap();
        assert_eq!((found.low, found.high), (1.0, 32.0));
        // 3 of the 64 sign patterns have a statistic of at most 2, 5 one of at most 3: two of the averages, 32 and 24, are cut.
        let found = bounds(&mut SignedRank::default(), &differences, 0.001, 0.05).unwrap();
        assert_eq!((found.low, found.high), (f64::NEG_INFINITY, 20.0));
        assert_eq!(bounds(&mut SignedRank::default(), &[], 0.1, 0.1), None);
    }

    #[test]
    fn bounds_fail_as_often_as_they_say() {
        let mut ranks = SignedRank::default();
        let mut random = SplitMix::new(3);
        for (n, alpha) in [(12, 0.05), (40, 0.02)] {
            let trials = 4_000;
            let wrong = (0..trials)
                .filter(|_| {
                    // Heavy tails: one difference in ten is ten times as large.
                    let noise = |random: &mut SplitMix| {
                        random.normal() * if random.below(10) == 0 { 10.0 } else { 1.0 }
                    };
                    let differences: Vec<f64> = (0..n).map(|_| noise(&mut random)).collect();
                    bounds(&mut ranks, &differences, alpha, alpha).unwrap().low > 0.0
                })
                .count();
            let share = wrong as f64 / f64::from(trials);
            println!("n {n}: says {alpha}, fails {share:.4}");
            assert!(share < alpha * 1.2 && share > alpha * 0.6, "n {n}: {share} against {alpha}");
        }
    }

    #[test]
    fn ties_and_zeros_never_narrow_a_bound() {
        let mut ranks = SignedRank::default();
        let mut random = SplitMix::new(5);
        let wrong = (0..4_000)
            .filter(|_| {
                // A clock of steps: differences are -1, 0 or 1.
                let differences: Vec<f64> = (0..30).map(|_| random.below(3) as f64 - 1.0).collect();
                bounds(&mut ranks, &differences, 0.05, 0.05).unwrap().low > 0.0
            })
            .count();
        assert!(wrong <= 220, "{wrong} of 4000 at 5 %");
    }
}
