//! From raw per-operation samples to quantiles. Runs after the clock, so it may allocate and take its time.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use cell::wire::{Latency, Quantiles, SizeLatency};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer, V2DeflateSerializer};
use workloads::{Sample, Samples};

/// Significant decimal digits kept by the histograms: values are off by at most 0.1 %.
const DIGITS: u8 = 3;

/// Summary of all samples of a cell.
pub fn summarise(samples: &Samples) -> Result<Latency, String> {
    let scale = Scale { overhead: samples.clock_overhead_cycles, ns_per_cycle: samples.ns_per_cycle };
    let (alloc, free) = (classes(&samples.alloc)?, classes(&samples.free)?);
    Ok(Latency {
        ns_per_cycle: samples.ns_per_cycle,
        clock_overhead_cycles: samples.clock_overhead_cycles,
        alloc: scale.quantiles(&sum(&alloc)?)?,
        free: scale.quantiles(&sum(&free)?)?,
        by_size: by_size(&alloc, &free, &scale)?,
    })
}

/// Clock cycles to net nanoseconds.
struct Scale {
    overhead: u64,
    ns_per_cycle: f64,
}

impl Scale {
    fn ns(&self, cycles: u64) -> f64 {
        cycles.saturating_sub(self.overhead) as f64 * self.ns_per_cycle
    }

    fn quantile(&self, histogram: &Histogram<u64>, q: f64) -> f64 {
        self.ns(histogram.value_at_quantile(q))
    }

    fn quantiles(&self, histogram: &Histogram<u64>) -> Result<Quantiles, String> {
        if histogram.is_empty() {
            return Ok(Quantiles::default());
        }
        Ok(Quantiles {
            count: histogram.len(),
            p50: self.quantile(histogram, 0.5),
            p90: self.quantile(histogram, 0.9),
            p99: self.quantile(histogram, 0.99),
            p999: self.quantile(histogram, 0.999),
            max: self.ns(histogram.max()),
            tail_mean: self.tail_mean(histogram),
            histogram: encode(histogram)?,
        })
    }

    /// Mean of the slowest 1 % of all operations (at least one of them).
    fn tail_mean(&self, histogram: &Histogram<u64>) -> f64 {
        let tail = (histogram.len() / 100).max(1);
        let mut left = histogram.len();
        let mut sum = 0.0;
        for step in histogram.iter_recorded() {
            let count = step.count_at_value();
            let inside = count.min(tail.saturating_sub(left - count));
            sum += inside as f64 * self.ns(step.value_iterated_to());
            left -= count;
        }
        sum / tail as f64
    }
}

/// Histograms by log2 of the size, rounded up: every sample in one of them.
type Classes = BTreeMap<u32, Histogram<u64>>;

fn empty() -> Result<Histogram<u64>, String> {
    Histogram::new(DIGITS).map_err(|error| error.to_string())
}

fn classes(samples: &[Sample]) -> Result<Classes, String> {
    let mut classes = Classes::new();
    for sample in samples {
        let class = u64::from(sample.size()).max(1).next_power_of_two().ilog2();
        let histogram = match classes.entry(class) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(empty()?),
        };
        histogram.record(u64::from(sample.cycles())).map_err(|error| error.to_string())?;
    }
    Ok(classes)
}

fn sum(classes: &Classes) -> Result<Histogram<u64>, String> {
    let mut sum = empty()?;
    for histogram in classes.values() {
        sum.add(histogram).map_err(|error| error.to_string())?;
    }
    Ok(sum)
}

fn encode(histogram: &Histogram<u64>) -> Result<String, String> {
    let mut bytes = Vec::new();
    V2DeflateSerializer::new().serialize(histogram, &mut bytes).map_err(|error| error.to_string())?;
    Ok(base64::engine::general_purpose::STANDARD.encode(&bytes))
}

fn by_size(alloc: &Classes, free: &Classes, scale: &Scale) -> Result<Vec<SizeLatency>, String> {
    let sizes: BTreeSet<u32> = alloc.keys().chain(free.keys()).copied().collect();
    let nothing = empty()?;
    let row = |log2: u32| {
        let (alloc, free) = (alloc.get(&log2).unwrap_or(&nothing), free.get(&log2).unwrap_or(&nothing));
        SizeLatency {
            size_max: 1 << log2,
            allocs: alloc.len(),
            alloc_ns_p50: scale.quantile(alloc, 0.5),
            alloc_ns_p99: scale.quantile(alloc, 0.99),
            frees: free.len(),
            free_ns_p50: scale.quantile(free, 0.5),
            free_ns_p99: scale.quantile(free, 0.99),
        }
    };
    Ok(sizes.into_iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl Iterator<Item = u64>) -> Histogram<u64> {
        let mut histogram = Histogram::new(DIGITS).unwrap();
        values.for_each(|value| histogram.record(value).unwrap());
        histogram
    }

    #[test]
    fn quantiles_subtract_the_clock_and_scale() {
        let scale = Scale { overhead: 50, ns_per_cycle: 0.5 };
        let found = scale.quantiles(&of(1..=1000)).unwrap();
        assert_eq!(found.count, 1000);
        assert_eq!(found.p50, (500.0 - 50.0) * 0.5);
        assert_eq!(found.p99, (990.0 - 50.0) * 0.5);
        assert_eq!(found.max, (1000.0 - 50.0) * 0.5);
        // The slowest ten are 991 to 1000.
        assert!((found.tail_mean - (995.5 - 50.0) * 0.5).abs() < 1e-9, "{}", found.tail_mean);
    }

    #[test]
    fn a_tail_that_cuts_through_one_value_takes_only_its_share() {
        let scale = Scale { overhead: 0, ns_per_cycle: 1.0 };
        let found = scale.quantiles(&of((0..995).map(|_| 10).chain((0..5).map(|_| 100)))).unwrap();
        assert!((found.tail_mean - 55.0).abs() < 1e-9, "{}", found.tail_mean);
    }

    #[test]
    fn values_below_the_overhead_are_zero_not_negative() {
        let scale = Scale { overhead: 50, ns_per_cycle: 1.0 };
        assert_eq!(scale.quantiles(&of(1..=10)).unwrap().p99, 0.0);
    }

    #[test]
    fn classes_hold_every_sample_once() {
        let samples: Vec<Sample> = (0..1000).map(|at| Sample::new(at % 100 + 1, u64::from(at))).collect();
        let classes = classes(&samples).unwrap();
        assert_eq!(classes.keys().copied().collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6, 7]);
        let whole = sum(&classes).unwrap();
        assert_eq!((whole.len(), whole.max()), (1000, 999));
        let scale = Scale { overhead: 0, ns_per_cycle: 1.0 };
        let rows = by_size(&classes, &Classes::new(), &scale).unwrap();
        assert_eq!(rows.iter().map(|row| row.allocs).sum::<u64>(), 1000);
        assert!(rows.iter().all(|row| row.frees == 0 && row.free_ns_p99 == 0.0));
    }

    #[test]
    fn an_empty_histogram_has_no_count() {
        let scale = Scale { overhead: 50, ns_per_cycle: 1.0 };
        assert_eq!(scale.quantiles(&of(std::iter::empty())).unwrap().count, 0);
    }
}
