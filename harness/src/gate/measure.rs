//! Units of measuring: four fresh processes, two of each side, and the coin that decides their order.
//!
//! One thread a process and two processors: both sides run at the same time, each on a processor of its own, then
//! once more with the processors exchanged. Else one after another, ABBA. In both forms each side has every place
//! once, so that what is common to a processor, or a drift, cancels within the unit; and which side begins is drawn
//! anew for each unit, which is all that the false-alarm guarantee rests on.

use std::time::{Duration, Instant};

use cell::wire::{Pass, Request};
use core_affinity::CoreId;
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use workloads::spec::Workload;

use crate::engine::Choice;
use crate::gate::figures::{Figures, GateMetric};
use crate::runner::{self, Ending, Limits};

/// Candidate, reference.
pub const SIDES: [&str; 2] = ["candidate", "reference"];

/// What is run, over and over.
#[derive(Clone, Debug)]
pub struct Bench {
    /// Scaled.
    pub workload: Workload,
    /// Threads.
    pub threads: usize,
    /// Pass that takes the metrics.
    pub pass: Pass,
    /// Metrics.
    pub metrics: Vec<&'static GateMetric>,
    /// Quantiles as result files hold them.
    pub plain: bool,
}

impl Bench {
    /// `rl_small+ × 1`.
    pub fn place(&self) -> String {
        format!("{} × {}", self.workload.name, self.threads)
    }
}

/// Figures of a unit by round and side.
#[derive(Clone, Debug, Default)]
pub struct Unit {
    /// `[round][side]`.
    pub cells: [[Figures; 2]; 2],
}

/// Why a unit has no figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A side's process ended badly; which side, and how.
    Side(usize, String),
    /// The user asked to stop.
    Interrupted,
}

/// Runs units.
pub struct Bencher<'a> {
    sides: [&'a Choice; 2],
    seed: u64,
    coin: Xoshiro256PlusPlus,
    cores: Vec<CoreId>,
    limits: Limits,
}

impl<'a> Bencher<'a> {
    /// For a candidate and a reference; `pin` keeps processes on processors where that is allowed.
    pub fn new(sides: [&'a Choice; 2], seed: u64, pin: bool) -> Bencher<'a> {
        let cores = if pin { core_affinity::get_core_ids().unwrap_or_default() } else { Vec::new() };
        let resident_bytes = crate::machine::available_bytes().unwrap_or(4 << 30) / 5 * 2;
        Bencher {
            sides,
            seed,
            coin: Xoshiro256PlusPlus::seed_from_u64(seed),
            cores,
            limits: Limits { time: Duration::from_secs(60), resident_bytes },
        }
    }

    /// Whether both sides of `bench` run at the same time.
    pub fn side_by_side(&self, bench: &Bench) -> bool {
        bench.threads == 1 && self.cores.len() >= 2
    }

    /// The `number`-th unit of a bench, and its wall time.
    pub fn unit(&mut self, bench: &Bench, number: usize) -> Result<(Unit, Duration), Fault> {
        let begin = Instant::now();
        let heads = self.coin.next_u64() >> 63 == 1;
        // Neighbouring units draw the same operations, so that the control compares like with like.
        let seed = self.seed.wrapping_add(number as u64 / 2);
        let cells = if self.side_by_side(bench) {
            let (near, far) = (self.cores[0], self.cores[1]);
            [self.at_once(bench, seed, heads, [near, far])?, self.at_once(bench, seed, heads, [far, near])?]
        } else {
            let [a, b] = self.in_turn(bench, seed, heads)?;
            let [c, d] = self.in_turn(bench, seed, !heads)?;
            [[a, b], [c, d]]
        };
        Ok((Unit { cells }, begin.elapsed()))
    }

    /// Both sides at once; the first of the pair of processors is the candidate's if `heads`.
    fn at_once(
        &self,
        bench: &Bench,
        seed: u64,
        heads: bool,
        cores: [CoreId; 2],
    ) -> Result<[Figures; 2], Fault> {
        let order = if heads { [0, 1] } else { [1, 0] };
        let run = |side: usize, core: CoreId| {
            // A refusal leaves the process to the scheduler; the exchange of places then still balances what it can.
            core_affinity::set_for_current(core);
            self.cell(bench, seed, side)
        };
        let found = std::thread::scope(|scope| {
            let [first, second] =
                [0, 1].map(|place| scope.spawn(move || (order[place], run(order[place], cores[place]))));
            [first.join(), second.join()]
        });
        let mut figures = [Figures::default(), Figures::default()];
        for joined in found {
            let Ok((side, cell)) = joined else {
                return Err(Fault::Side(0, "its supervisor panicked".into()));
            };
            figures[side] = cell?;
        }
        Ok(figures)
    }

    fn in_turn(&self, bench: &Bench, seed: u64, heads: bool) -> Result<[Figures; 2], Fault> {
        if heads {
            let candidate = self.cell(bench, seed, 0)?;
            Ok([candidate, self.cell(bench, seed, 1)?])
        } else {
            let reference = self.cell(bench, seed, 1)?;
            Ok([self.cell(bench, seed, 0)?, reference])
        }
    }

    fn cell(&self, bench: &Bench, seed: u64, side: usize) -> Result<Figures, Fault> {
        let choice = self.sides[side];
        let request = Request {
            engine: choice.engine.clone(),
            workload: bench.workload.clone(),
            threads: bench.threads,
            seed,
            pass: bench.pass,
            verify: false,
            pin: !self.cores.is_empty(),
        };
        match runner::run(choice, &request, &self.limits).ending {
            Ending::Measured(found) => Figures::read(&found, bench.threads, &bench.metrics, bench.plain)
                .map_err(|what| Fault::Side(side, format!("{}: {what}", bench.place()))),
            Ending::Interrupted => Err(Fault::Interrupted),
            Ending::Crashed(what)
            | Ending::Timeout(what)
            | Ending::OutOfMemory(what)
            | Ending::Failed(what) => Err(Fault::Side(side, format!("{}: {what}", bench.place()))),
        }
    }
}
