//! Many comparisons at once: exact p-values of the sign test, and Holm's correction.
//!
//! Of twenty comparisons without any difference one is "significant" at 5 % by chance. A statement over a family of
//! comparisons therefore corrects for their number: [`holm`] keeps the chance of even one false claim in the whole family below the level, whatever
//! the comparisons have to do with each other. The p-values are those of the sign test, the partner of the interval in
//! [`super::interval`]: no shape of noise is assumed. n blocks can show no less than 2^(1 − n), so a family of m needs
//! about log2(m / level) + 1 blocks before it can show anything.

/// The level below which a corrected p-value supports a claim.
pub const LEVEL: f64 = 0.05;

/// Chance that so lopsided a split of `logs` around `bound` comes from a median at the bound, both sides counted; ties are left
/// out. 1 for no values.
pub fn sign_p(logs: &[f64], bound: f64) -> f64 {
    let above = logs.iter().filter(|&&log| log > bound).count();
    let below = logs.iter().filter(|&&log| log < bound).count();
    (2.0 * tail(above + below, above.min(below))).min(1.0)
}

/// Chance that values with their median at or above `bound` fall below it as often as these do: small where they are surely
/// below. Ties count against the claim.
pub fn sign_p_below(logs: &[f64], bound: f64) -> f64 {
    let below = logs.iter().filter(|&&log| log < bound).count();
    tail(logs.len(), logs.len() - below)
}

/// P(Bin(n, ½) ≤ k).
fn tail(n: usize, k: usize) -> f64 {
    let mut term = 0.5f64.powi(n as i32);
    let mut sum = term;
    for i in 0..k.min(n) {
        term *= (n - i) as f64 / (i + 1) as f64;
        sum += term;
    }
    sum.min(1.0)
}

/// Holm's corrected p-values, in the order given: each is to be compared with the level itself.
pub fn holm(ps: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..ps.len()).collect();
    order.sort_by(|&a, &b| ps[a].total_cmp(&ps[b]));
    let mut corrected = vec![1.0; ps.len()];
    let mut floor = 0.0f64;
    for (rank, &at) in order.iter().enumerate() {
        floor = floor.max((ps[at] * (ps.len() - rank) as f64).min(1.0));
        corrected[at] = floor;
    }
    corrected
}

#[cfg(test)]
mod tests {
    use super::super::random::SplitMix;
    use super::*;

    #[test]
    fn sign_test_matches_hand_computed_values() {
        assert_eq!(sign_p(&[], 0.0), 1.0);
        // Five of five on one side: 2 / 32.
        assert_eq!(sign_p(&[1.0; 5], 0.0), 0.0625);
        // Nine of ten: 2 · (1 + 10) / 1024.
        let mut logs = vec![-1.0; 9];
        logs.push(1.0);
        assert!((sign_p(&logs, 0.0) - 22.0 / 1024.0).abs() < 1e-12);
        assert!((sign_p_below(&logs, 0.0) - 11.0 / 1024.0).abs() < 1e-12);
        // A tie is no evidence for being below.
        assert_eq!(sign_p_below(&[0.0, -1.0], 0.0), 0.75);
        assert_eq!(sign_p(&[0.0, 0.0], 0.0), 1.0);
    }

    #[test]
    fn holm_matches_the_textbook() {
        let corrected = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (found, wanted) in corrected.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((found - wanted).abs() < 1e-12, "{corrected:?}");
        }
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }

    #[test]
    fn a_family_without_differences_makes_a_claim_in_fewer_than_one_case_in_twenty() {
        let mut random = SplitMix::new(11);
        let (mut corrected, mut plain) = (0, 0);
        for _ in 0..1000 {
            let ps: Vec<f64> =
                (0..20).map(|_| sign_p(&(0..12).map(|_| random.normal()).collect::<Vec<_>>(), 0.0)).collect();
            corrected += usize::from(holm(&ps).iter().any(|&p| p < LEVEL));
            plain += usize::from(ps.iter().any(|&p| p < LEVEL));
        }
        assert!(corrected < 50 && plain > 300, "{corrected} with, {plain} without correction");
    }
}
