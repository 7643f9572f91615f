//! Runs the study of the gate: gates of equal sides and of planted regressions, one after another.
//!
//! Both sides are the engine `slowed` over the same base, so that they differ by the plant alone. A gate runs as
//! `allocbench gate` does, with the checked-in bounds and budget; instructions are left to cells of their own.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::analysis::dataset::FLOOR;
use crate::engine::{self, Shelf};
use crate::gate::callgrind;
use crate::gate::config::Config;
use crate::gate::course::Contest;
use crate::gate::figures;
use crate::gate::lineup::{contests, workload};
use crate::gate::plant::{self, Base, Plant, TAIL_EVERY};
use crate::gate::session::{self, Limits};
use crate::gate::study::{Cell, Kind, Row};
use crate::gate::verdict::{Finding, Verdict};
use crate::machine;

/// The workload of which the fast path is the largest part.
const COUNTED: &str = "tiny_hot";
/// Processes that load the machine: one more than a quiet machine has processors to give.
const BURNERS: usize = 2;
/// Turns of the delay loop by which the instructions of a turn after the first are counted.
const PROBE_TURNS: u64 = 64;
/// Time for each measurement of what a plant does: short ones first, then long ones until it does what is wanted.
const SIZINGS: [Duration; 5] = [
    Duration::from_secs(9),
    Duration::from_secs(9),
    Duration::from_secs(27),
    Duration::from_secs(27),
    Duration::from_secs(27),
];
/// The shortest measurement that may end the sizing.
const SIZING_ENOUGH: Duration = Duration::from_secs(20);
/// Distance of ratios, of what a plant does and what is wanted of it, that ends the sizing.
const SIZING_TOLERANCE: f64 = 0.01;

/// A plant, and the ratio that it was measured to give in one run that nothing stops early; `None` where nothing is planted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Planted {
    plant: Plant,
    effect: Option<f64>,
}

/// Runs gates of a study.
pub struct Study<'a> {
    config: &'a Config,
    base: &'a str,
    shelf: Shelf,
    /// Plants by cell, sized once an invocation.
    plants: Vec<(&'static str, Planted)>,
    revision: String,
    cpu: String,
}

impl<'a> Study<'a> {
    /// For the engine `base`.
    pub fn new(config: &'a Config, base: &'a str) -> Result<Study<'a>> {
        let shelf = Shelf::open()?;
        Plant::default().choice(&shelf, base)?;
        let cpu = machine::machine().remove("cpu_model").unwrap_or_default();
        let revision = machine::revision().unwrap_or_else(|| "unknown".into());
        Ok(Study { config, base, shelf, plants: Vec::new(), revision, cpu })
    }

    /// Runs one gate. `past` are the rows so far: a plant that was sized once on this processor is used again.
    pub fn gate(&mut self, cell: &Cell, gate: u64, past: &[Row]) -> Result<Row> {
        let mut row = Row {
            cell: cell.name.into(),
            gate,
            base: self.base.into(),
            seed: seed(cell, gate),
            revision: self.revision.clone(),
            cpu: self.cpu.clone(),
            started: machine::utc_now(),
            ..Row::default()
        };
        if cell.kind == Kind::Instructions {
            return self.count(cell, row);
        }
        let metrics = match cell.kind {
            Kind::Throughput => vec!["ns_per_op".to_string()],
            Kind::Resident => vec!["resident_bytes_peak".to_string()],
            _ => self.config.metrics.clone(),
        };
        let wanted = metrics.iter().map(|name| figures::find(name)).collect::<Result<Vec<_>>>()?;
        let contests = contests(self.config, &wanted)?;
        let Planted { plant, effect } = self.plant(cell, &contests, past)?;
        let candidate = plant.choice(&self.shelf, self.base)?;
        let reference = plant.without().choice(&self.shelf, self.base)?;
        let _load = if cell.load { Some(Load::start()?) } else { None };
        let limits = Limits {
            budget: Duration::from_secs_f64(self.config.budget_seconds),
            false_alarm: self.config.false_alarm,
            missed: self.config.missed,
        };
        let begin = Instant::now();
        let outcome = session::run([&candidate, &reference], contests, limits, row.seed, true, &mut |_| ())?;
        row.seconds = begin.elapsed().as_secs_f64();
        (row.delay_ns, row.every, row.ballast_bytes) = (plant.delay_ns, plant.every, plant.ballast_bytes);
        row.effect = effect;
        (row.verdict, row.reason) = (outcome.verdict.name().into(), outcome.reason);
        fill(&mut row, &outcome.findings);
        Ok(row)
    }

    /// Seconds that a gate of this cell may take, with the sizing of its plant where that is to come.
    pub fn seconds_at_most(&self, cell: &Cell, past: &[Row]) -> f64 {
        let sizing = if is_planted(cell) && self.known(cell, past).is_none() {
            SIZINGS.iter().map(Duration::as_secs_f64).sum()
        } else {
            0.0
        };
        self.config.budget_seconds + 2.0 + sizing
    }

    /// The plant that this invocation sized for the cell, or that of a row on record.
    fn known(&self, cell: &Cell, past: &[Row]) -> Option<Planted> {
        let own = self.plants.iter().find(|(name, _)| *name == cell.name).map(|(_, sized)| *sized);
        let same = |row: &&Row| {
            (row.cell.as_str(), row.base.as_str(), &row.cpu) == (cell.name, self.base, &self.cpu)
        };
        own.or_else(|| {
            past.iter().find(same).map(|row| Planted {
                plant: Plant {
                    delay_ns: row.delay_ns,
                    every: row.every,
                    ballast_bytes: row.ballast_bytes,
                    turns: None,
                },
                effect: row.effect,
            })
        })
    }

    /// The plant of a cell: that on record, else solved from the base and corrected by what it is measured to do.
    fn plant(&mut self, cell: &Cell, contests: &[Contest], past: &[Row]) -> Result<Planted> {
        let contest = contests.first().context("the configuration compares nothing")?;
        if !is_planted(cell) {
            return Ok(Planted { plant: Plant { every: TAIL_EVERY, ..Plant::default() }, effect: None });
        }
        if let Some(sized) = self.known(cell, past) {
            return Ok(sized);
        }
        let unplanted = Plant::default().choice(&self.shelf, self.base)?;
        let base = Base::measure(&unplanted, &contest.bench)?;
        let plant = match cell.kind {
            Kind::Tail => base.tail(cell.size),
            Kind::Throughput => base.throughput(cell.size),
            _ => base.resident(cell.size),
        };
        let sized = self.sized(cell, contest, plant)?;
        self.plants.push((cell.name, sized));
        Ok(sized)
    }

    /// Measures what a plant does, and makes it larger or smaller by what it misses, until a long measurement finds what
    /// is wanted: the end of a delay loop costs more than its turns, and a clock of steps does not show where the p99
    /// stands within one. What the last measurement found is the plant's effect, whatever it is.
    fn sized(&self, cell: &Cell, contest: &Contest, mut plant: Plant) -> Result<Planted> {
        let mut effect = f64::NAN;
        for (number, time) in SIZINGS.iter().enumerate() {
            let found = self.effect(cell, contest, plant, *time)?;
            effect = found.ratio;
            let wanted = plant::wanted(cell.kind, cell.size, found.reference);
            eprintln!(
                "{}: {:.1} ns every {} and {} B give {effect:.3}, {wanted:.3} is wanted",
                cell.name, plant.delay_ns, plant.every, plant.ballast_bytes
            );
            let met = *time >= SIZING_ENOUGH && (effect - wanted).abs() <= SIZING_TOLERANCE;
            if met || number + 1 == SIZINGS.len() {
                break;
            }
            plant = plant.grown((wanted - effect) * found.reference, cell.kind);
        }
        Ok(Planted { plant, effect: Some(effect) })
    }

    /// What a plant does to the figure that it is for, in a comparison that lasts so long and decides nothing.
    fn effect(&self, cell: &Cell, contest: &Contest, plant: Plant, time: Duration) -> Result<Finding> {
        let candidate = plant.choice(&self.shelf, self.base)?;
        let reference = plant.without().choice(&self.shelf, self.base)?;
        // Errors this small decide nothing before the time is over.
        let limits = Limits { budget: time, false_alarm: 1e-300, missed: 1e-300 };
        let metric = match cell.kind {
            Kind::Throughput => "ns_per_op",
            Kind::Resident => "resident_bytes_peak",
            _ => "alloc_ns_p99",
        };
        let found =
            session::run([&candidate, &reference], vec![contest.clone()], limits, 7, true, &mut |_| ())?;
        let found = found.findings.into_iter().find(|finding| finding.metric == metric);
        found.with_context(|| format!("gate.toml does not take {metric}"))
    }

    /// Instruction counts: a turn of a loop every so many allocations, so that the fast path costs `size` more.
    fn count(&self, cell: &Cell, mut row: Row) -> Result<Row> {
        callgrind::available()?;
        let begin = Instant::now();
        let settings = &self.config.instructions;
        let ops = *settings
            .workloads
            .get(COUNTED)
            .with_context(|| format!("gate.toml: [instructions] workloads lacks {COUNTED}"))?;
        let workload = workload(COUNTED)?;
        let count = |base: &str, plant: Plant| {
            callgrind::count(&plant.choice(&self.shelf, base)?, &workload, ops, "")
        };
        let plain = Plant { every: 1, turns: Some(0), ..Plant::default() };
        let mut plant = plain;
        if cell.size > 0.0 {
            let (own, floor) = (count(self.base, plain)?.per_op(), count(FLOOR, plain)?.per_op());
            let probe =
                |turns| count(self.base, Plant { turns: Some(turns), ..plain }).map(|found| found.per_op());
            let (one, many) = (probe(1)?, probe(PROBE_TURNS)?);
            let further = (many - one) / (PROBE_TURNS - 1) as f64;
            plant = plant::fast_path(cell.size * (own - floor), one - own, further);
        }
        let reference = count(self.base, Plant { turns: Some(0), ..plant })?;
        let finding = callgrind::compare(&count(self.base, plant)?, &reference, settings.fail_above);
        let (verdict, reason) = callgrind::judge(std::slice::from_ref(&finding));
        (row.verdict, row.reason) = (verdict.name().into(), reason);
        row.every = plant.every;
        row.seconds = begin.elapsed().as_secs_f64();
        fill(&mut row, &[finding]);
        Ok(row)
    }
}

/// Whether something is planted whose size is solved for.
fn is_planted(cell: &Cell) -> bool {
    matches!(cell.kind, Kind::Tail | Kind::Throughput | Kind::Resident)
}

/// A seed of its own for each gate, the same whenever it is run.
fn seed(cell: &Cell, gate: u64) -> u64 {
    let hash = cell.name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (hash ^ (gate << 20)) >> 8
}

/// The finding that failed, else the first: it is the one that a plant is for.
fn fill(row: &mut Row, findings: &[Finding]) {
    let failed = findings.iter().find(|finding| finding.state == "failed");
    let Some(finding) = failed.filter(|_| row.verdict == Verdict::Fail.name()).or(findings.first()) else {
        return;
    };
    row.metric = finding.metric.clone();
    row.ratio = Some(finding.ratio).filter(|ratio| ratio.is_finite());
    (row.low, row.high) = (finding.low, finding.high);
    row.spread = Some(finding.spread).filter(|spread| spread.is_finite());
    row.units = finding.units as u64;
}

/// Other processes at work, ended with this value.
struct Load(Vec<Child>);

impl Load {
    fn start() -> Result<Load> {
        let own = engine::own_program()?;
        let burner = |number: usize| {
            Command::new(&own)
                .args(["power", "--burn", &number.to_string()])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn()
                .context("a process that loads the machine cannot be started")
        };
        let mut load = Load(Vec::new());
        for number in 0..BURNERS {
            load.0.push(burner(number)?);
        }
        Ok(load)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // One that has ended by itself needs no ending.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Works and rests in turns of random length, over memory larger than a second-level cache; ends after ten minutes, or
/// when the process that started it is gone.
pub fn burn(seed: u64) {
    let parent = std::os::unix::process::parent_id();
    let begin = Instant::now();
    let mut memory = vec![1_u64; 1 << 20];
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    while begin.elapsed() < Duration::from_secs(600) && std::os::unix::process::parent_id() == parent {
        state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
        let work = Duration::from_millis(5 + (state >> 58));
        let turn = Instant::now();
        while turn.elapsed() < work {
            memory.iter_mut().step_by(8).for_each(|word| *word = word.wrapping_add(state));
        }
        std::hint::black_box(&memory);
        std::thread::sleep(Duration::from_millis((state >> 40) & 31));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::study::CELLS;

    #[test]
    fn every_gate_has_a_seed_of_its_own() {
        let mut seeds: Vec<u64> =
            CELLS.iter().flat_map(|cell| (0..cell.gates).map(move |gate| seed(cell, gate))).collect();
        let count = seeds.len();
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), count);
    }
}
