//! Random draws that stay the same for ever: xoshiro256++ and arithmetic of our own over it.
//!
//! Published streams are pinned by tests, so nothing here may depend on a library's choice of algorithm or on the
//! platform's `exp` and `log`: bounded draws reject to stay unbiased, and powers of two are built from square roots,
//! which IEEE 754 rounds the same everywhere.

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::spec::Sizes;

/// Distance between the seeds of two threads.
const LANE_STRIDE: u64 = 1_315_423_911;
/// Binary digits of a fraction that powers and logarithms use.
const DIGITS: usize = 40;

/// The generator of one thread.
pub struct Draw {
    rng: Xoshiro256PlusPlus,
}

impl Draw {
    /// The generator of thread `lane` under the base seed `seed`.
    pub fn new(seed: u64, lane: usize) -> Draw {
        let own = seed.wrapping_add((lane as u64).wrapping_mul(LANE_STRIDE));
        Draw { rng: Xoshiro256PlusPlus::seed_from_u64(own) }
    }

    /// Uniform over [0, `bound`), unbiased. `bound` ≥ 1.
    pub fn below(&mut self, bound: u64) -> u64 {
        let mut wide = u128::from(self.rng.next_u64()) * u128::from(bound);
        if (wide as u64) < bound {
            let reject_below = bound.wrapping_neg() % bound;
            while (wide as u64) < reject_below {
                wide = u128::from(self.rng.next_u64()) * u128::from(bound);
            }
        }
        (wide >> 64) as u64
    }

    /// Uniform over [0, 1), 53 bits.
    pub fn unit(&mut self) -> f64 {
        (self.rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with probability `share`. Draws nothing where the share is 0, so that a workload without hand-off has
    /// the stream it would have if hand-off did not exist.
    pub fn chance(&mut self, share: f64) -> bool {
        share > 0.0 && self.unit() < share
    }
}

/// A size distribution, ready to be drawn from.
pub enum Sampler {
    /// Values, and the sums of their weights up to each.
    Weighted(Vec<u32>, Vec<f64>),
    /// Lowest size, and how many there are.
    Uniform(u32, u64),
    /// Lowest and highest size, log2 of the lowest, and log2 of the whole span.
    Log(u32, u32, f64, f64, Roots),
}

/// 2^(1/2), 2^(1/4), …
type Roots = Box<[f64; DIGITS]>;

impl Sampler {
    /// Prepares a validated distribution.
    pub fn new(sizes: &Sizes) -> Sampler {
        match sizes {
            Sizes::Weighted { values, weights } => {
                let mut sum = 0.0;
                let sums = weights.iter().map(|weight| {
                    sum += weight;
                    sum
                });
                Sampler::Weighted(values.iter().map(|&value| value as u32).collect(), sums.collect())
            }
            &Sizes::Uniform(low, high) => Sampler::Uniform(low as u32, (high - low) as u64 + 1),
            &Sizes::LogUniform(low, high) => {
                let base = log2(low as f64);
                Sampler::Log(low as u32, high as u32, base, log2((high + 1) as f64) - base, roots())
            }
        }
    }

    /// One size in bytes.
    pub fn draw(&self, draw: &mut Draw) -> u32 {
        match self {
            Sampler::Weighted(values, _) if values.len() == 1 => values[0],
            Sampler::Weighted(values, sums) => {
                let at = draw.unit() * sums[sums.len() - 1];
                // The first sum above `at`: a value of weight zero adds nothing, so it is never chosen.
                values[sums.partition_point(|&sum| sum <= at).min(values.len() - 1)]
            }
            Sampler::Uniform(low, count) => low + draw.below(*count) as u32,
            Sampler::Log(low, high, base, span, roots) => {
                (exp2(base + draw.unit() * span, roots) as u32).clamp(*low, *high)
            }
        }
    }

    /// Whether there is but one size.
    pub fn is_constant(&self) -> bool {
        match self {
            Sampler::Weighted(values, _) => values.len() == 1,
            Sampler::Uniform(_, count) => *count == 1,
            Sampler::Log(low, high, ..) => low == high,
        }
    }
}

fn roots() -> Roots {
    let mut root = 2.0_f64;
    Box::new([(); DIGITS].map(|()| {
        root = root.sqrt();
        root
    }))
}

/// 2^x for x ≥ 0.
fn exp2(x: f64, roots: &[f64; DIGITS]) -> f64 {
    let whole = x.floor();
    let mut fraction = x - whole;
    let mut power = (1_u64 << whole as u32) as f64;
    for root in roots {
        fraction *= 2.0;
        if fraction >= 1.0 {
            fraction -= 1.0;
            power *= root;
        }
    }
    power
}

/// log2 of x ≥ 1, by repeated squaring.
fn log2(x: f64) -> f64 {
    let whole = x.to_bits() >> 52;
    let mut rest = f64::from_bits((x.to_bits() & ((1 << 52) - 1)) | (1023 << 52));
    let (mut fraction, mut digit) = (0.0, 0.5);
    for _ in 0..DIGITS {
        rest *= rest;
        if rest >= 2.0 {
            rest /= 2.0;
            fraction += digit;
        }
        digit /= 2.0;
    }
    (whole as f64 - 1023.0) + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_and_logarithms_agree_with_the_library() {
        for x in [1.0, 2.0, 3.0, 16.0, 100.0, 513.0, 8_388_609.0] {
            assert!((log2(x) - f64::log2(x)).abs() < 1e-11, "log2 {x}");
            assert!((exp2(log2(x), &roots()) / x - 1.0).abs() < 1e-10, "exp2 log2 {x}");
        }
    }

    #[test]
    fn bounded_draws_are_even() {
        let mut draw = Draw::new(42, 0);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[draw.below(7) as usize] += 1;
        }
        // Nine standard deviations (93) of a fair share.
        assert!(counts.iter().all(|&count| count.abs_diff(10_000) < 850), "{counts:?}");
    }

    #[test]
    fn log_uniform_reaches_both_bounds_and_is_even_by_octave() {
        let sampler = Sampler::new(&Sizes::LogUniform(16, 1024));
        let mut draw = Draw::new(42, 1);
        let sizes: Vec<u32> = (0..60_000).map(|_| sampler.draw(&mut draw)).collect();
        assert_eq!((sizes.iter().min(), sizes.iter().max()), (Some(&16), Some(&1024)));
        for octave in 4..10 {
            let count = sizes.iter().filter(|size| size.ilog2() == octave).count();
            assert!(count.abs_diff(10_000) < 600, "octave {octave}: {count}");
        }
    }

    #[test]
    fn weights_are_kept_and_weight_zero_never_drawn() {
        let sizes = Sizes::Weighted { values: vec![8, 16, 32, 64], weights: vec![0.0, 3.0, 0.0, 1.0] };
        let sampler = Sampler::new(&sizes);
        let mut draw = Draw::new(7, 0);
        let drawn: Vec<u32> = (0..40_000).map(|_| sampler.draw(&mut draw)).collect();
        let count = |size| drawn.iter().filter(|&&drawn| drawn == size).count();
        assert_eq!(count(8) + count(32), 0);
        assert!(count(16).abs_diff(30_000) < 500, "{}", count(16));
    }

    #[test]
    fn lanes_and_seeds_differ() {
        let first = |seed, lane| Draw::new(seed, lane).below(u64::MAX);
        assert_ne!(first(42, 0), first(42, 1));
        assert_ne!(first(42, 0), first(43, 0));
        assert_eq!(first(42, 1), first(42 + 1_315_423_911, 0));
    }
}
