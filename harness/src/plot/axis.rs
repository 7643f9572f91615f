//! Axes: from values to pixels, and where the ticks stand.

use crate::tables::format::significant;

/// One axis.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    low: f64,
    high: f64,
    log: bool,
    from_px: f64,
    to_px: f64,
}

impl Axis {
    /// A linear axis from `low` to at least `high`, both widened by a twentieth unless `low` is zero.
    pub fn linear(low: f64, high: f64, from_px: f64, to_px: f64) -> Self {
        let pad = ((high - low) * 0.05).max(high.abs() * 1e-3).max(1e-9);
        let start = if low == 0.0 { 0.0 } else { low - pad };
        Self { low: start, high: high + pad, log: false, from_px, to_px }
    }

    /// A logarithmic axis over positive values, a factor of two at least.
    pub fn log(low: f64, high: f64, from_px: f64, to_px: f64) -> Self {
        let (mut low, mut high) = (low.max(1e-12), high.max(1e-12));
        if high / low < 2.0 {
            let centre = (low * high).sqrt();
            (low, high) = (centre / 1.42, centre * 1.42);
        }
        let pad = (high / low).powf(0.04);
        Self { low: low / pad, high: high * pad, log: true, from_px, to_px }
    }

    /// Pixel of a value; what lies outside is put on the edge.
    pub fn px(&self, value: f64) -> f64 {
        let share = if self.log {
            (value.max(1e-12) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from_px + share.clamp(0.0, 1.0) * (self.to_px - self.from_px)
    }

    /// Ticks with their labels, at most `most`.
    pub fn ticks(&self, most: usize) -> Vec<(f64, String)> {
        let values = if self.log { self.log_ticks(most) } else { self.linear_ticks(most) };
        values.into_iter().map(|value| (value, tick_label(value))).collect()
    }

    fn linear_ticks(&self, most: usize) -> Vec<f64> {
        let rough = (self.high - self.low) / most.max(1) as f64;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|factor| factor * power)
            .into_iter()
            .find(|step| *step >= rough)
            .unwrap_or(10.0 * power);
        let first = (self.low / step).ceil() as i64;
        (first..)
            .map(|at| at as f64 * step)
            .take_while(|value| *value <= self.high + step * 1e-9)
            .take(most + 2)
            .collect()
    }

    fn log_ticks(&self, most: usize) -> Vec<f64> {
        // Over less than half a decade, even steps are rounder than powers.
        if self.high / self.low < 3.0 {
            return self.linear_ticks(most);
        }
        // From fine to coarse: the first set that is not too many.
        let sets: [&[f64]; 4] = [&[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0], &[1.0, 2.0, 5.0], &[1.0, 3.0], &[1.0]];
        let decades = self.low.log10().floor() as i32..=self.high.log10().ceil() as i32;
        let within = |set: &[f64]| -> Vec<f64> {
            decades
                .clone()
                .flat_map(|decade| set.iter().map(move |m| m * 10f64.powi(decade)))
                .filter(|v| (self.low..=self.high).contains(v))
                .collect()
        };
        let found = sets
            .iter()
            .map(|set| within(set))
            .find(|ticks| ticks.len() <= most)
            .unwrap_or_else(|| within(&[1.0]));
        let stride = found.len().div_ceil(most.max(1)).max(1);
        found.into_iter().step_by(stride).collect()
    }
}

/// `0.5`, `20`, `3 k`: without zeros that say nothing.
fn tick_label(value: f64) -> String {
    match value.abs() {
        m if m >= 1e6 => format!("{} M", plain(value / 1e6)),
        m if m >= 1e4 => format!("{} k", plain(value / 1e3)),
        _ => plain(value),
    }
}

fn plain(value: f64) -> String {
    let text = significant(value);
    if text.contains('.') && !text.contains('e') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Least and greatest of positive finite values.
pub fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|value| value.is_finite()).fold(None, |range, value| match range {
        None => Some((value, value)),
        Some((low, high)) => Some((f64::min(low, value), f64::max(high, value))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        let labels =
            |axis: Axis, most| axis.ticks(most).into_iter().map(|(_, label)| label).collect::<Vec<_>>();
        assert_eq!(labels(Axis::linear(0.0, 100.0, 0.0, 1.0), 5), ["0", "50", "100"]);
        assert_eq!(labels(Axis::log(0.1, 10.0, 0.0, 1.0), 4), ["0.1", "1", "10"]);
        assert_eq!(labels(Axis::log(1.0, 1.0, 0.0, 1.0), 5), ["0.8", "1", "1.2", "1.4"]);
        for axis in [Axis::log(1e-3, 1e9, 0.0, 1.0), Axis::linear(3.0, 3.0, 0.0, 1.0)] {
            assert!(axis.ticks(5).len() <= 7);
        }
    }

    #[test]
    fn pixels_follow_the_scale_and_stay_inside() {
        let axis = Axis::log(1.0, 100.0, 0.0, 100.0);
        assert!((axis.px(10.0) - 50.0).abs() < 1e-9);
        assert_eq!(axis.px(1e9), 100.0);
        assert_eq!(Axis::linear(0.0, 10.0, 100.0, 0.0).px(0.0), 100.0);
    }
}
