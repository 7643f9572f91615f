//! Figures as text: three significant digits, units in the text or in the column head, intervals in brackets.

use crate::analysis::Ratio;
use crate::analysis::interval::CONFIDENCE_MIN;
use crate::analysis::metric::{Metric, Unit};

/// Three significant digits, without exponent up to a million.
pub fn significant(value: f64) -> String {
    let magnitude = value.abs();
    match magnitude {
        m if !m.is_finite() => "–".into(),
        0.0 => "0".into(),
        m if m < 0.001 => format!("{value:.1e}"),
        m if m < 9.995 => trimmed(format!("{value:.2}"), value, m),
        m if m < 99.95 => format!("{value:.1}"),
        m if m < 1e7 => format!("{value:.0}"),
        _ => format!("{value:.2e}"),
    }
}

/// Small values need more digits than two after the point.
fn trimmed(two_digits: String, value: f64, magnitude: f64) -> String {
    match magnitude {
        m if m < 0.01 => format!("{value:.4}"),
        m if m < 0.1 => format!("{value:.3}"),
        _ => two_digits,
    }
}

/// Millions, the unit left to the column head.
pub fn millions(value: f64) -> String {
    significant(value / 1e6)
}

/// MiB, the unit left to the column head.
pub fn mebibytes(value: f64) -> String {
    significant(value / f64::from(1 << 20))
}

/// A ratio.
pub fn ratio(value: f64) -> String {
    if value < 0.095 { significant(value) } else { format!("{value:.2}") }
}

/// A share as per cent.
pub fn percent(value: f64) -> String {
    format!("{} %", significant(100.0 * value))
}

/// `1.23 [1.20, 1.27]`; a confidence below that of five values is said, a single pair shows no interval.
pub fn ratio_interval(found: &Ratio) -> String {
    let median = ratio(found.median);
    match found.interval {
        None => median,
        Some(interval) => {
            let weak = interval.confidence < CONFIDENCE_MIN;
            let said = if weak { format!(" at {:.0} %", 100.0 * interval.confidence) } else { String::new() };
            format!("{median} [{}, {}{said}]", ratio(interval.low), ratio(interval.high))
        }
    }
}

/// A value of this metric with its unit.
pub fn with_unit(metric: &Metric, value: f64) -> String {
    match metric.unit {
        Unit::OpsPerSecond => format!("{} M/s", millions(value)),
        Unit::BytesPerSecond => format!("{} MiB/s", mebibytes(value)),
        Unit::Nanoseconds => format!("{} ns", significant(value)),
        Unit::Bytes => format!("{} MiB", mebibytes(value)),
        Unit::Count => significant(value),
    }
}

/// `1 thread`, `2 threads`.
pub fn threads(count: u32) -> String {
    if count == 1 { "1 thread".into() } else { format!("{count} threads") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::interval::Interval;

    #[test]
    fn figures_have_three_digits() {
        for (value, text) in [
            (0.0, "0"),
            (0.5, "0.50"),
            (0.0123, "0.012"),
            (0.0042, "0.0042"),
            (12.34, "12.3"),
            (99.96, "100"),
            (4567.0, "4567"),
            (-2.5, "-2.50"),
        ] {
            assert_eq!(significant(value), text);
        }
        assert_eq!(significant(2.5e8), "2.50e8");
    }

    #[test]
    fn a_weak_interval_says_so() {
        let interval = |confidence| Some(Interval { low: 1.1, high: 1.3, confidence });
        let found = |interval| Ratio { median: 1.2, interval, n: 5, paired: true };
        assert_eq!(ratio_interval(&found(interval(0.9375))), "1.20 [1.10, 1.30]");
        assert_eq!(ratio_interval(&found(interval(0.75))), "1.20 [1.10, 1.30 at 75 %]");
        assert_eq!(ratio_interval(&found(None)), "1.20");
    }
}
