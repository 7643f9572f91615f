//! One bench of a gate in progress: its units so far, and a sequence of looks for each of its metrics.
//!
//! A look reads every metric off all units so far, because the overhead of the clock is a mean over all cells of the
//! bench. Units belong to one bench and are compared with each other only.

use std::time::Duration;

use super::config::Threshold;
use super::figures::{Clock, Figures, GateMetric};
use super::measure::{Bench, Unit};
use super::sequence::{Sequence, State, Terms};
use super::signed_rank::{Bounds, SignedRank, bounds};
use super::verdict::{Control, Finding, state_name};
use crate::analysis::robust;

/// Error of the control, both directions together.
const CONTROL_ALPHA: f64 = 0.002;

/// A recorded ratio that a comparison is held against, as logarithms: estimate and interval.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Recorded {
    /// Estimate.
    pub centre: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// What is compared in one bench: metrics in the order of the bench's.
#[derive(Clone)]
pub struct Contest {
    /// What is run.
    pub bench: Bench,
    /// Bounds by metric.
    pub thresholds: Vec<Threshold>,
    /// What the ratios are held against; zeros for a reference that runs beside.
    pub recorded: Vec<Recorded>,
}

/// A contest in progress.
pub struct Course {
    /// What is compared.
    pub contest: Contest,
    /// By metric.
    pub sequences: Vec<Sequence>,
    /// So far.
    pub units: Vec<Unit>,
    /// Time of the last unit.
    pub cost: Duration,
}

impl Course {
    /// Before the first unit.
    pub fn new(contest: Contest, terms: impl Fn(&Threshold) -> Terms) -> Course {
        let sequences = contest.thresholds.iter().map(|threshold| Sequence::new(terms(threshold))).collect();
        Course { contest, sequences, units: Vec::new(), cost: Duration::ZERO }
    }

    /// Whether any comparison that is waited for is open, or none is waited for at all.
    pub fn is_open(&self) -> bool {
        let mut waited = self.contest.thresholds.iter().zip(&self.sequences).filter(|(t, _)| !t.watch);
        waited.any(|(_, sequence)| sequence.state == State::Open)
    }

    /// Whether a comparison has failed.
    pub fn has_failed(&self) -> bool {
        self.sequences.iter().any(|sequence| sequence.state == State::Failed)
    }

    fn clock(&self) -> Clock {
        Clock::of(self.units.iter().flat_map(|unit| unit.cells.iter().flatten()))
    }

    /// Values of the `at`-th metric of one side, by unit: the mean of the logarithms of both rounds.
    fn logs(&self, at: usize, side: usize, clock: &Clock) -> Vec<f64> {
        let metric = self.contest.bench.metrics[at];
        let log = |cell: &Figures| cell.value(at, metric, clock).ln();
        self.units
            .iter()
            .map(|unit| f64::midpoint(log(&unit.cells[0][side]), log(&unit.cells[1][side])))
            .collect()
    }

    fn medians(&self, at: usize, clock: &Clock) -> [f64; 2] {
        let metric = self.contest.bench.metrics[at];
        [0, 1].map(|side| {
            let values: Vec<f64> = self
                .units
                .iter()
                .flat_map(|unit| unit.cells.iter())
                .map(|round| round[side].value(at, metric, clock))
                .collect();
            robust::median(&values).unwrap_or(f64::NAN)
        })
    }

    fn differences(&self, at: usize, clock: &Clock) -> Vec<f64> {
        let (candidate, reference) = (self.logs(at, 0, clock), self.logs(at, 1, clock));
        candidate.iter().zip(&reference).map(|(candidate, reference)| candidate - reference).collect()
    }

    /// Looks at every comparison, the share `t` of the budget being used.
    pub fn look(&mut self, ranks: &mut SignedRank, t: f64) {
        let clock = self.clock();
        for at in 0..self.sequences.len() {
            let recorded = self.contest.recorded[at];
            let (fail, pass) = self.contest.thresholds[at].at(self.medians(at, &clock)[1]);
            let (ln_fail, ln_pass) = (fail.ln() + recorded.high, pass.ln() + recorded.low);
            let differences = self.differences(at, &clock);
            self.sequences[at].look(ranks, &differences, t, ln_fail, ln_pass);
        }
    }

    fn control(&self, at: usize, clock: &Clock) -> Option<Control> {
        let reference = self.logs(at, 1, clock);
        let differences: Vec<f64> = reference.chunks_exact(2).map(|pair| pair[1] - pair[0]).collect();
        let half = CONTROL_ALPHA / 2.0;
        let found = bounds(&mut SignedRank::default(), &differences, half, half)?;
        // Too few units bound nothing.
        (found.low.is_finite() && found.high.is_finite()).then(|| Control {
            ratio: found.centre.exp(),
            low: found.low.exp(),
            high: found.high.exp(),
        })
    }

    /// What every comparison has found so far.
    pub fn findings(&self) -> Vec<Finding> {
        let clock = self.clock();
        (0..self.sequences.len())
            .map(|at| {
                let metric: &GateMetric = self.contest.bench.metrics[at];
                let (sequence, recorded) = (&self.sequences[at], self.contest.recorded[at]);
                let [candidate, reference] = self.medians(at, &clock);
                let differences = self.differences(at, &clock);
                let unknown = Bounds { centre: f64::NAN, low: f64::NEG_INFINITY, high: f64::INFINITY };
                let found = sequence.bounds.unwrap_or(unknown);
                let (fail_above, pass_below) = self.contest.thresholds[at].at(reference);
                let finite = |ln: f64| ln.is_finite().then(|| ln.exp());
                Finding {
                    place: self.contest.bench.place(),
                    metric: metric.name.into(),
                    label: metric.label.into(),
                    unit: metric.unit().into(),
                    candidate,
                    reference,
                    ratio: (found.centre - recorded.centre).exp(),
                    low: finite(found.low - recorded.high),
                    high: finite(found.high - recorded.low),
                    fail_above,
                    pass_below,
                    state: state_name(sequence.state).into(),
                    watch: self.contest.thresholds[at].watch,
                    units: differences.len(),
                    spread: 1.4826 * robust::mad(&differences).unwrap_or(f64::NAN),
                    control: self.control(at, &clock),
                }
            })
            .collect()
    }
}
