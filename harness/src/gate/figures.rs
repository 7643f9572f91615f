//! The figures that a gate compares, read off one cell.
//!
//! Quantiles are *mid-quantiles*: the distribution function is taken at the middle of each recorded value's step and
//! joined by straight lines. A clock that advances in steps then yields a continuous figure that moves with the true
//! one, where the plain quantile stays on a step or jumps by a whole one. Latencies are kept as gross cycles:
//! what an empty measurement reads is itself quantised, so it is subtracted once for a whole gate, not cell by cell.

use anyhow::{Result, anyhow};
use base64::Engine as _;
use cell::wire::{Measurement, Pass};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;

/// Bytes below which a difference of resident sets is not told from nothing.
const RESIDENT_BYTES_MIN: f64 = 262_144.0;
/// Net latency below which a value is not told from nothing, ns.
const LATENCY_NS_MIN: f64 = 0.5;

/// One figure.
#[derive(Debug, PartialEq)]
pub struct GateMetric {
    /// Name in `gate.toml` and on the command line.
    pub name: &'static str,
    /// Name for people.
    pub label: &'static str,
    /// Pass that takes it.
    pub pass: Pass,
    /// How it is read.
    read: Read,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Read {
    /// Mid-quantile of allocations (`true`) or frees.
    Quantile(bool, f64),
    /// Mean between two quantiles.
    Mean(bool, f64, f64),
    /// Thread time per operation.
    NsPerOp,
    /// Peak over what was resident before.
    ResidentPeak,
    /// After the last free, over what was resident before.
    ResidentDrained,
}

const fn latency(name: &'static str, label: &'static str, read: Read) -> GateMetric {
    GateMetric { name, label, pass: Pass::Latency, read }
}

/// All figures.
pub static METRICS: [GateMetric; 13] = [
    latency("alloc_ns_p50", "alloc p50", Read::Quantile(true, 0.5)),
    latency("alloc_ns_p99", "alloc p99", Read::Quantile(true, 0.99)),
    latency("alloc_ns_p999", "alloc p99.9", Read::Quantile(true, 0.999)),
    latency("alloc_ns_tail_trimmed", "alloc p99–p99.9", Read::Mean(true, 0.99, 0.999)),
    latency("alloc_ns_tail_mean", "alloc slowest 1 %", Read::Mean(true, 0.99, 1.0)),
    latency("free_ns_p50", "free p50", Read::Quantile(false, 0.5)),
    latency("free_ns_p99", "free p99", Read::Quantile(false, 0.99)),
    latency("free_ns_p999", "free p99.9", Read::Quantile(false, 0.999)),
    latency("free_ns_tail_trimmed", "free p99–p99.9", Read::Mean(false, 0.99, 0.999)),
    latency("free_ns_tail_mean", "free slowest 1 %", Read::Mean(false, 0.99, 1.0)),
    GateMetric { name: "ns_per_op", label: "time per op", pass: Pass::Throughput, read: Read::NsPerOp },
    GateMetric {
        name: "resident_bytes_peak",
        label: "resident peak",
        pass: Pass::Throughput,
        read: Read::ResidentPeak,
    },
    GateMetric {
        name: "resident_bytes_drained",
        label: "resident drained",
        pass: Pass::Throughput,
        read: Read::ResidentDrained,
    },
];

impl GateMetric {
    /// Unit of its values.
    pub fn unit(&self) -> &'static str {
        if self.name.starts_with("resident") { "bytes" } else { "ns" }
    }

    fn is_latency(&self) -> bool {
        self.pass == Pass::Latency
    }
}

/// The figure of this name; `throughput` and `ops_per_s` mean the time per operation.
pub fn find(name: &str) -> Result<&'static GateMetric> {
    let name = if ["throughput", "ops_per_s"].contains(&name) { "ns_per_op" } else { name };
    METRICS.iter().find(|metric| metric.name == name).ok_or_else(|| {
        let known: Vec<&str> = METRICS.iter().map(|metric| metric.name).collect();
        anyhow!(
            "no metric of the gate is called '{name}'; known are {}, instructions_per_op",
            known.join(", ")
        )
    })
}

/// Figures of one cell: gross cycles for latencies, net values for the rest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    values: Vec<f64>,
    overhead_cycles: f64,
    ns_per_cycle: f64,
    /// Share of the timed part in which a processor worked for it, a thread.
    pub cpu_share: f64,
}

/// What is common to all cells of a gate, so that it cancels in ratios.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    overhead_cycles: f64,
    ns_per_cycle: f64,
}

impl Clock {
    /// The mean over cells: an empty measurement reads one of a few steps, their mean is nearer to what it takes.
    pub fn of<'a>(cells: impl Iterator<Item = &'a Figures>) -> Clock {
        let (mut overhead, mut rate, mut count) = (0.0, 0.0, 0.0_f64);
        for cell in cells {
            overhead += cell.overhead_cycles;
            rate += cell.ns_per_cycle;
            count += 1.0;
        }
        let count = count.max(1.0);
        Clock { overhead_cycles: overhead / count, ns_per_cycle: rate / count }
    }
}

impl Figures {
    /// Reads `metrics` off a measurement; `plain` takes quantiles as result files hold them, on the clock's steps.
    pub fn read(
        found: &Measurement,
        threads: usize,
        metrics: &[&GateMetric],
        plain: bool,
    ) -> Result<Figures, String> {
        let steps = match &found.latency {
            Some(latency) => Some((decode(&latency.alloc.histogram)?, decode(&latency.free.histogram)?)),
            None => None,
        };
        let read = |metric: &&GateMetric| -> Result<f64, String> {
            let side = |alloc: bool| {
                let (allocs, frees) = steps.as_ref().ok_or("the reply holds no latencies")?;
                let steps = if alloc { allocs } else { frees };
                if steps.is_empty() {
                    Err(format!("no operation to take {} of", metric.label))
                } else {
                    Ok(steps)
                }
            };
            match metric.read {
                Read::Quantile(alloc, _) | Read::Mean(alloc, ..) if plain => {
                    side(alloc)?;
                    let latency = found.latency.as_ref().ok_or("the reply holds no latencies")?;
                    let recorded = if alloc { &latency.alloc } else { &latency.free };
                    let net_ns = match metric.read {
                        Read::Quantile(_, 0.5) => recorded.p50,
                        Read::Quantile(_, 0.99) => recorded.p99,
                        Read::Quantile(..) => recorded.p999,
                        _ => recorded.tail_mean,
                    };
                    Ok(net_ns / latency.ns_per_cycle + latency.clock_overhead_cycles as f64)
                }
                Read::Quantile(alloc, q) => Ok(mid_quantile(side(alloc)?, q)),
                Read::Mean(alloc, from, to) => Ok(mean_between(side(alloc)?, from, to)),
                Read::NsPerOp => {
                    let ops = found.allocs + found.frees + found.reallocs;
                    Ok(found.elapsed_ns as f64 * threads as f64 / ops.max(1) as f64)
                }
                Read::ResidentPeak => {
                    let peak = found.resources.resident_bytes_peak;
                    let peak =
                        peak.ok_or("the kernel does not allow the peak of the resident set to be reset")?;
                    Ok(peak as f64 - found.resources.resident_bytes_before as f64)
                }
                Read::ResidentDrained => Ok(found.resources.resident_bytes_drained as f64
                    - found.resources.resident_bytes_before as f64),
            }
        };
        let values = metrics.iter().map(read).collect::<Result<Vec<f64>, String>>()?;
        let cpu_ns = (found.resources.cpu_user_ns + found.resources.cpu_sys_ns) as f64;
        Ok(Figures {
            values,
            overhead_cycles: found
                .latency
                .as_ref()
                .map_or(0.0, |latency| latency.clock_overhead_cycles as f64),
            ns_per_cycle: found.latency.as_ref().map_or(1.0, |latency| latency.ns_per_cycle),
            cpu_share: cpu_ns / (found.elapsed_ns.max(1) as f64 * threads.max(1) as f64),
        })
    }

    /// The value of the `at`-th metric, above zero.
    pub fn value(&self, at: usize, metric: &GateMetric, clock: &Clock) -> f64 {
        match metric.unit() {
            _ if metric.is_latency() => {
                ((self.values[at] - clock.overhead_cycles) * clock.ns_per_cycle).max(LATENCY_NS_MIN)
            }
            "bytes" => self.values[at].max(RESIDENT_BYTES_MIN),
            _ => self.values[at].max(f64::MIN_POSITIVE),
        }
    }
}

/// Values and how often each was recorded, in rising order.
pub type Steps = Vec<(f64, f64)>;

/// The steps of a histogram as a reply holds it.
pub fn decode(text: &str) -> Result<Steps, String> {
    if text.is_empty() {
        return Ok(Steps::new());
    }
    let wrong = |what: String| format!("the histogram cannot be read: {what}");
    let bytes =
        base64::engine::general_purpose::STANDARD.decode(text).map_err(|error| wrong(error.to_string()))?;
    let histogram: Histogram<u64> =
        Deserializer::new().deserialize(&mut bytes.as_slice()).map_err(|error| wrong(error.to_string()))?;
    Ok(histogram
        .iter_recorded()
        .map(|step| (step.value_iterated_to() as f64, step.count_at_value() as f64))
        .collect())
}

fn total(steps: &Steps) -> f64 {
    steps.iter().map(|(_, count)| count).sum()
}

/// The mid-quantile.
pub fn mid_quantile(steps: &Steps, q: f64) -> f64 {
    let total = total(steps);
    let mut below = 0.0;
    let mut last: Option<(f64, f64)> = None;
    for &(value, count) in steps {
        let share = (below + count / 2.0) / total;
        if share >= q {
            return match last {
                None => value,
                Some((from, from_share)) => from + (value - from) * (q - from_share) / (share - from_share),
            };
        }
        last = Some((value, share));
        below += count;
    }
    last.map_or(f64::NAN, |(value, _)| value)
}

/// Mean of what lies between two quantiles.
pub fn mean_between(steps: &Steps, from: f64, to: f64) -> f64 {
    let total = total(steps);
    let (from, to) = (from * total, to * total);
    let (mut below, mut sum) = (0.0, 0.0);
    for &(value, count) in steps {
        let inside = (below + count).min(to) - f64::max(below, from);
        sum += inside.max(0.0) * value;
        below += count;
    }
    sum / (to - from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::random::SplitMix;
    use cell::wire::{Latency, Quantiles, Resources};

    #[test]
    fn quantiles_and_means_match_hand_computed_values() {
        let steps: Steps = vec![(10.0, 1.0), (20.0, 2.0), (30.0, 1.0)];
        // Mid shares: 0.125, 0.5, 0.875.
        assert_eq!(mid_quantile(&steps, 0.5), 20.0);
        assert_eq!(mid_quantile(&steps, 0.6875), 25.0);
        assert_eq!((mid_quantile(&steps, 0.01), mid_quantile(&steps, 0.99)), (10.0, 30.0));
        assert_eq!(mean_between(&steps, 0.0, 1.0), 20.0);
        assert_eq!(mean_between(&steps, 0.5, 1.0), 25.0);
        assert_eq!(mean_between(&steps, 0.75, 1.0), 30.0);
    }

    /// Durations of a skewed distribution, longer by `shift`, as a clock of steps of 25 reads them.
    fn recorded(shift: f64, seed: u64) -> Steps {
        let mut random = SplitMix::new(seed);
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..40_000 {
            let duration = 60.0 + 40.0 * -random.unit().ln() + shift;
            let start = random.unit() * 25.0;
            let read = ((start + duration) / 25.0).floor() * 25.0;
            *counts.entry(read as u64).or_insert(0.0) += 1.0;
        }
        counts.into_iter().map(|(value, count)| (value as f64, count)).collect()
    }

    #[test]
    fn a_mid_quantile_moves_with_the_truth_where_the_clock_has_steps() {
        let base = mid_quantile(&recorded(0.0, 1), 0.99);
        for shift in [4.0, 10.0, 18.0, 25.0] {
            let moved = mid_quantile(&recorded(shift, 2), 0.99) - base;
            assert!((moved - shift).abs() < 4.0, "a shift of {shift} reads {moved}");
        }
    }

    #[test]
    fn figures_are_net_of_what_was_before_and_of_the_common_clock() {
        let histogram = {
            let mut histogram = Histogram::<u64>::new(3).unwrap();
            (0..100).for_each(|_| histogram.record(120).unwrap());
            let mut bytes = Vec::new();
            use hdrhistogram::serialization::{Serializer, V2DeflateSerializer};
            V2DeflateSerializer::new().serialize(&histogram, &mut bytes).unwrap();
            base64::engine::general_purpose::STANDARD.encode(&bytes)
        };
        let quantiles = Quantiles { count: 100, histogram, ..Quantiles::default() };
        let found = Measurement {
            elapsed_ns: 1_000,
            allocs: 60,
            frees: 40,
            resources: Resources {
                resident_bytes_before: 1 << 20,
                resident_bytes_peak: Some(3 << 20),
                resident_bytes_drained: 1 << 20,
                cpu_user_ns: 900,
                ..Resources::default()
            },
            latency: Some(Latency {
                ns_per_cycle: 0.5,
                clock_overhead_cycles: 20,
                alloc: quantiles,
                ..Latency::default()
            }),
            ..Measurement::default()
        };
        let metrics: Vec<&GateMetric> =
            ["alloc_ns_p99", "ns_per_op", "resident_bytes_peak", "resident_bytes_drained"]
                .map(|name| find(name).unwrap())
                .into();
        let figures = Figures::read(&found, 1, &metrics, false).unwrap();
        let clock = Clock::of([&figures].into_iter());
        let value = |at: usize| figures.value(at, metrics[at], &clock);
        assert_eq!((value(0), value(1), value(2)), (50.0, 10.0, f64::from(2 << 20)));
        assert_eq!(
            value(3),
            RESIDENT_BYTES_MIN,
            "nothing is left: the smallest value that is told from nothing"
        );
        assert_eq!(figures.cpu_share, 0.9);
        let frees = [find("free_ns_p99").unwrap()];
        assert!(Figures::read(&found, 1, &frees, false).unwrap_err().contains("free p99"));
    }

    #[test]
    fn unknown_metrics_are_named_with_the_known_ones() {
        assert!(find("speed").unwrap_err().to_string().contains("alloc_ns_p99"));
        assert_eq!(find("throughput").unwrap().name, "ns_per_op");
    }
}
