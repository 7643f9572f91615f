//! Calibration of the cycle clock: what a cycle is in nanoseconds, and what an empty measurement reads.
//!
//! Both are taken once a process, on the thread that asks first, before any operation is timed; forked copies inherit
//! them. Samples keep raw cycles; whoever reports them subtracts the overhead and multiplies.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::raw::{cycles_after, cycles_before};

/// Time over which the cycle counter is compared with the monotonic clock.
const SPAN: Duration = Duration::from_millis(2);
/// Comparisons taken; the median is kept, so that one preemption does not spoil the ratio.
const COMPARISONS: usize = 5;
/// Empty measurements taken for the overhead.
const EMPTY_MEASUREMENTS: usize = 20_001;

/// What the clock reads mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    /// Nanoseconds of the monotonic clock a cycle lasts.
    pub ns_per_cycle: f64,
    /// Cycles that a measurement of nothing reads, the median.
    pub overhead_cycles: u64,
}

/// The calibration of this process; the first call takes about ten milliseconds.
pub fn calibration() -> Calibration {
    static CALIBRATION: OnceLock<Calibration> = OnceLock::new();
    *CALIBRATION.get_or_init(calibrate)
}

fn calibrate() -> Calibration {
    let mut ratios: Vec<f64> = (0..COMPARISONS).map(|_| compare()).collect();
    ratios.sort_by(f64::total_cmp);
    let mut empty: Vec<u64> = (0..EMPTY_MEASUREMENTS)
        .map(|_| {
            let before = cycles_before();
            cycles_after().saturating_sub(before)
        })
        .collect();
    empty.sort_unstable();
    Calibration { ns_per_cycle: ratios[COMPARISONS / 2], overhead_cycles: empty[EMPTY_MEASUREMENTS / 2] }
}

fn compare() -> f64 {
    let begin = Instant::now();
    let first = cycles_before();
    while begin.elapsed() < SPAN {
        std::hint::spin_loop();
    }
    let ns = begin.elapsed().as_nanos() as f64;
    let cycles = cycles_after().saturating_sub(first).max(1);
    ns / cycles as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_agrees_with_the_monotonic_clock() {
        let calibration = calibrate();
        let begin = Instant::now();
        let first = cycles_before();
        std::thread::sleep(Duration::from_millis(30));
        let cycles = cycles_after() - first;
        let ns = begin.elapsed().as_nanos() as f64;
        let ratio = cycles as f64 * calibration.ns_per_cycle / ns;
        assert!((0.95..1.05).contains(&ratio), "a cycle is off by the factor {ratio}");
    }

    #[test]
    fn an_empty_measurement_costs_something_but_little() {
        let overhead = calibrate().overhead_cycles;
        assert!((1..2000).contains(&overhead), "an empty measurement reads {overhead} cycles");
    }
}
