//! Planted regressions of a stated size: what the engine `slowed` must add so that a figure becomes worse by so much.
//!
//! The size is solved from cells of the engine without a plant, measured just before: a delay of a twentieth of all
//! allocations that moves their p99 to where it is wanted, a long delay of few allocations for throughput, a ballast for
//! the resident set. What was really added is what the gate then measures; both stand in the study's rows.

use anyhow::{Context, Result, bail};
use cell::wire::{Measurement, Request};

use crate::analysis::robust;
use crate::engine::{Choice, Shelf};
use crate::gate::figures::{self, Steps};
use crate::gate::measure::Bench;
use crate::gate::study::Kind;
use crate::runner::{self, Ending, Limits};

/// Every so manyth allocation is delayed to move the p99.
pub const TAIL_EVERY: u64 = 20;
/// Every so manyth allocation is delayed to lower throughput: long delays are not hidden by what runs beside them.
pub const THROUGHPUT_EVERY: u64 = 64;
/// Cells measured to learn what there is to make worse.
const CALIBRATION_CELLS: usize = 16;
/// Smallest absolute change of a p99 that must be caught, ns.
const TAIL_NS_MIN: f64 = 4.0;

/// What `slowed` adds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Plant {
    /// Length of a delay, ns.
    pub delay_ns: f64,
    /// Which allocations are delayed; 0 leaves the default.
    pub every: u64,
    /// Ballast.
    pub ballast_bytes: u64,
    /// Length of a delay in turns, for counting instructions.
    pub turns: Option<u64>,
}

impl Plant {
    /// The plant that adds `missing` more to the figure of its kind: ns, or bytes.
    pub fn grown(self, missing: f64, kind: Kind) -> Plant {
        let larger = |value: f64, by: f64| (value + by).max(0.0);
        match kind {
            Kind::Resident => {
                Plant { ballast_bytes: larger(self.ballast_bytes as f64, missing) as u64, ..self }
            }
            // An allocation and a free are two operations.
            Kind::Throughput => {
                Plant { delay_ns: larger(self.delay_ns, missing * 2.0 * self.every as f64), ..self }
            }
            _ => Plant { delay_ns: larger(self.delay_ns, missing), ..self },
        }
    }

    /// The same code with nothing to add: what a planted form is compared with.
    pub fn without(self) -> Plant {
        Plant { delay_ns: 0.0, ballast_bytes: 0, ..self }
    }

    /// The engine `slowed` over `base` with this plant.
    pub fn choice(&self, shelf: &Shelf, base: &str) -> Result<Choice> {
        shelf.choose(base)?;
        let mut choice = shelf.choose("slowed")?;
        choice.env = vec![
            ("SLOWED_BASE".into(), base.into()),
            ("SLOWED_EVERY".into(), self.every.max(1).to_string()),
            ("SLOWED_DELAY_NS".into(), format!("{:.3}", self.delay_ns)),
            ("SLOWED_BALLAST_BYTES".into(), self.ballast_bytes.to_string()),
        ];
        choice.env.extend(self.turns.map(|turns| ("SLOWED_TURNS".into(), turns.to_string())));
        Ok(choice)
    }
}

/// Adds `wanted` instructions to an operation of a loop that allocates. `first` and `further` are what the first turn of
/// a delay and each after it add to an operation, planted in every allocation: one turn every so many allocations, or
/// several in each. Never less than is wanted.
pub fn fast_path(wanted: f64, first: f64, further: f64) -> Plant {
    if wanted <= first {
        let every = (first / wanted).floor();
        return Plant { every: every as u64, turns: Some(1), ..Plant::default() };
    }
    let turns = 1.0 + ((wanted - first) / further).ceil();
    Plant { every: 1, turns: Some(turns as u64), ..Plant::default() }
}

/// What cells without a plant found.
#[derive(Clone, Debug, PartialEq)]
pub struct Base {
    /// Net allocation times, ns.
    pub alloc_ns: Steps,
    /// Thread time an operation, ns.
    pub ns_per_op: f64,
    /// Operations an allocation.
    pub ops_per_alloc: f64,
    /// Peak of the resident set over what was before, bytes.
    pub resident_bytes: f64,
}

/// The ratio that a plant of this kind and size must give to a figure whose reference is so large.
pub fn wanted(kind: Kind, size: f64, reference: f64) -> f64 {
    match kind {
        Kind::Tail if size >= 0.1 => 1.0 + size.max(TAIL_NS_MIN / reference),
        Kind::Throughput => 1.0 / (1.0 - size),
        _ => 1.0 + size,
    }
}

impl Base {
    /// Measures `bench` without a plant.
    pub fn measure(choice: &Choice, bench: &Bench) -> Result<Base> {
        let limits = Limits { time: std::time::Duration::from_secs(60), resident_bytes: 4 << 30 };
        let mut found: Vec<Box<Measurement>> = Vec::new();
        for seed in 0..CALIBRATION_CELLS {
            let request = Request {
                engine: choice.engine.clone(),
                workload: bench.workload.clone(),
                threads: bench.threads,
                seed: seed as u64,
                pass: bench.pass,
                verify: false,
                pin: true,
            };
            match runner::run(choice, &request, &limits).ending {
                Ending::Measured(measurement) => found.push(measurement),
                ending => bail!("{} does not run on {}: {ending:?}", choice.label, bench.place()),
            }
        }
        Base::of(&found, bench.threads)
    }

    fn of(found: &[Box<Measurement>], threads: usize) -> Result<Base> {
        let latencies = found.iter().filter_map(|cell| cell.latency.as_ref());
        let (count, overhead) = latencies.clone().fold((0.0_f64, 0.0), |(count, sum), latency| {
            (count + 1.0, sum + latency.clock_overhead_cycles as f64)
        });
        let mut alloc_ns = Steps::new();
        for latency in latencies {
            let steps = figures::decode(&latency.alloc.histogram).map_err(anyhow::Error::msg)?;
            let net = |cycles: f64| (cycles - overhead / count.max(1.0)) * latency.ns_per_cycle;
            alloc_ns.extend(steps.into_iter().map(|(cycles, times)| (net(cycles), times)));
        }
        alloc_ns.sort_by(|a, b| a.0.total_cmp(&b.0));
        let median = |read: &dyn Fn(&Measurement) -> f64| {
            let values: Vec<f64> = found.iter().map(|cell| read(cell)).collect();
            robust::median(&values).context("no cell was measured")
        };
        let ops = |cell: &Measurement| (cell.allocs + cell.frees + cell.reallocs).max(1) as f64;
        Ok(Base {
            alloc_ns,
            ns_per_op: median(&|cell| cell.elapsed_ns as f64 * threads as f64 / ops(cell))?,
            ops_per_alloc: median(&|cell| ops(cell) / cell.allocs.max(1) as f64)?,
            resident_bytes: median(&|cell| {
                cell.resources.resident_bytes_peak.unwrap_or(0) as f64
                    - cell.resources.resident_bytes_before as f64
            })?,
        })
    }

    /// Moves the p99 of allocations by `share` of it, or by 4 ns where ten per cent or more are asked for and are less.
    pub fn tail(&self, share: f64) -> Plant {
        let p99 = figures::mid_quantile(&self.alloc_ns, 0.99);
        let target = p99 * wanted(Kind::Tail, share, p99);
        let delayed = 1.0 / TAIL_EVERY as f64;
        // Of all operations one in a hundred must lie above `target`: what lies there undelayed, and the rest by delay.
        let above = share_above(&self.alloc_ns, target);
        let by_delay = ((0.01 - (1.0 - delayed) * above) / delayed).clamp(1e-6, 1.0);
        let lifted = figures::mid_quantile(&self.alloc_ns, 1.0 - by_delay);
        Plant { delay_ns: (target - lifted).max(0.0), every: TAIL_EVERY, ..Plant::default() }
    }

    /// Lowers throughput by `share`.
    pub fn throughput(&self, share: f64) -> Plant {
        let added_ns = self.ns_per_op * (1.0 / (1.0 - share) - 1.0);
        let delay_ns = added_ns * self.ops_per_alloc * THROUGHPUT_EVERY as f64;
        Plant { delay_ns, every: THROUGHPUT_EVERY, ..Plant::default() }
    }

    /// Raises the peak of the resident set by `share`.
    pub fn resident(&self, share: f64) -> Plant {
        Plant { ballast_bytes: (share * self.resident_bytes).max(0.0) as u64, every: 1, ..Plant::default() }
    }
}

/// Share of what lies above `value`, by the same distribution as the mid-quantile.
fn share_above(steps: &Steps, value: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if figures::mid_quantile(steps, middle) > value { high = middle } else { low = middle }
    }
    1.0 - f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::random::SplitMix;

    fn durations(random: &mut SplitMix, plant: &Plant) -> Steps {
        let mut values: Vec<f64> = (0..200_000)
            .map(|at| {
                let base = 40.0 + 15.0 * -random.unit().ln();
                if plant.every > 0 && at % plant.every == 0 { base + plant.delay_ns } else { base }
            })
            .collect();
        values.sort_by(f64::total_cmp);
        values.into_iter().map(|value| (value, 1.0)).collect()
    }

    #[test]
    fn a_tail_plant_moves_the_p99_by_what_it_says() {
        let base = Base {
            alloc_ns: durations(&mut SplitMix::new(1), &Plant::default()),
            ns_per_op: 20.0,
            ops_per_alloc: 2.0,
            resident_bytes: 1e7,
        };
        let p99 = figures::mid_quantile(&base.alloc_ns, 0.99);
        for share in [0.05, 0.1, 0.2, 0.5] {
            let plant = base.tail(share);
            let slowed = figures::mid_quantile(&durations(&mut SplitMix::new(2), &plant), 0.99);
            assert!((slowed / p99 - 1.0 - share).abs() < 0.012, "{share}: {} by {plant:?}", slowed / p99);
        }
    }

    #[test]
    fn small_values_get_four_nanoseconds() {
        let steps: Steps = (0..1000).map(|at| (10.0 + f64::from(at) * 0.01, 1.0)).collect();
        let base = Base { alloc_ns: steps, ns_per_op: 20.0, ops_per_alloc: 2.0, resident_bytes: 1e7 };
        // p99 is 19.9; the delayed twentieth must reach 23.9 at its 80 % point, 17.99.
        assert!((base.tail(0.1).delay_ns - 5.9).abs() < 0.05, "{:?}", base.tail(0.1));
    }

    #[test]
    fn a_share_of_the_fast_path_is_a_turn_every_few_allocations_or_several_in_each() {
        for (wanted, first, further, expected) in [
            (0.3, 2.0, 1.0, (6, 1)),
            (2.0, 2.0, 1.0, (1, 1)),
            (5.0, 2.0, 1.5, (1, 3)),
            (5.1, 2.0, 1.5, (1, 4)),
        ] {
            let plant = fast_path(wanted, first, further);
            assert_eq!((plant.every, plant.turns), (expected.0, Some(expected.1)));
            let turns = expected.1 as f64;
            assert!((first + (turns - 1.0) * further) / plant.every as f64 >= wanted);
        }
    }

    #[test]
    fn a_plant_grows_by_what_is_missing_of_its_figure_and_never_below_nothing() {
        let plant = Plant { delay_ns: 10.0, every: 64, ballast_bytes: 1000, turns: None };
        assert_eq!(plant.grown(2.0, Kind::Tail).delay_ns, 12.0);
        assert_eq!(plant.grown(0.5, Kind::Throughput).delay_ns, 74.0);
        assert_eq!(plant.grown(500.0, Kind::Resident), Plant { ballast_bytes: 1500, ..plant });
        assert_eq!(plant.grown(-20.0, Kind::Tail).delay_ns, 0.0);
    }

    #[test]
    fn what_is_wanted_of_a_plant() {
        for (kind, size, reference, expected) in [
            (Kind::Tail, 0.1, 100.0, 1.1),
            (Kind::Tail, 0.1, 20.0, 1.2),
            (Kind::Tail, 0.05, 20.0, 1.05),
            (Kind::Throughput, 0.2, 20.0, 1.25),
            (Kind::Resident, 0.1, 1e7, 1.1),
        ] {
            assert!((wanted(kind, size, reference) - expected).abs() < 1e-12, "{kind:?} {size}");
        }
    }

    #[test]
    fn throughput_and_ballast_are_plain_arithmetic() {
        let base = Base { alloc_ns: Steps::new(), ns_per_op: 18.0, ops_per_alloc: 2.0, resident_bytes: 1e7 };
        let plant = base.throughput(0.1);
        assert!((plant.delay_ns - 2.0 * 2.0 * 64.0).abs() < 1e-9 && plant.every == 64);
        assert_eq!(base.resident(0.1).ballast_bytes, 1_000_000);
    }
}
