//! The exact interval of a share: Clopper and Pearson's.
//!
//! Ends are found by bisection of the binomial distribution function, which is summed term by term: no tables, exact
//! to the tolerance for every count that a study has.

/// P(Bin(n, p) ≤ k).
fn at_most(k: u64, n: u64, p: f64) -> f64 {
    if p <= 0.0 || k >= n {
        return 1.0;
    }
    if p >= 1.0 {
        return 0.0;
    }
    // Logarithms: (1 − p)^n leaves the range of a float for large n.
    let mut log_term = n as f64 * (-p).ln_1p();
    let mut sum = log_term.exp();
    for i in 1..=k {
        log_term += ((n - i + 1) as f64 / i as f64).ln() + p.ln() - (-p).ln_1p();
        sum += log_term.exp();
    }
    sum.min(1.0)
}

/// The p at which a falling function passes `level`.
fn solve(falling: impl Fn(f64) -> f64, level: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if falling(middle) > level { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// From, to: holds the true share with at least `confidence`.
pub fn interval(hits: u64, n: u64, confidence: f64) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let tail = (1.0 - confidence) / 2.0;
    let low = if hits == 0 { 0.0 } else { solve(|p| at_most(hits - 1, n, p), 1.0 - tail) };
    let high = if hits >= n { 1.0 } else { solve(|p| at_most(hits, n, p), tail) };
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_match_published_values() {
        for (hits, n, low, high) in [
            (0, 10, 0.0, 0.308_5),
            (5, 10, 0.187_1, 0.812_9),
            (10, 10, 0.691_5, 1.0),
            (1, 200, 0.000_127, 0.027_54),
        ] {
            let found = interval(hits, n, 0.95);
            assert!((found.0 - low).abs() < 1e-4 && (found.1 - high).abs() < 1e-4, "{hits}/{n}: {found:?}");
        }
        assert_eq!(interval(0, 0, 0.95), (0.0, 1.0));
    }

    #[test]
    fn an_interval_covers_at_least_what_it_says() {
        for p in [0.01, 0.05, 0.5, 0.95] {
            let n = 60;
            let covered: f64 = (0..=n)
                .filter(|&hits| {
                    let (low, high) = interval(hits, n, 0.95);
                    low <= p && p <= high
                })
                .map(|hits| at_most(hits, n, p) - if hits == 0 { 0.0 } else { at_most(hits - 1, n, p) })
                .sum();
            assert!(covered >= 0.95, "{p}: {covered}");
        }
    }
}
