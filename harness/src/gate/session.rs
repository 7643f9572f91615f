//! One gate: units of every bench in turn, a look whenever a share of the budget is used, a verdict.
//!
//! The verdict is *fail* as soon as one comparison has failed, *pass* once every comparison that is waited for has
//! passed, *undecided* when the budget is used up before. A control made of the reference alone – each unit against
//! its neighbour – must show no difference: where it does, the machine changed under the gate, and a failure is not
//! believed. A candidate whose process ends badly fails; a reference that does so makes the gate an error.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde::Serialize;

use crate::analysis::robust;
use crate::engine::Choice;
use crate::gate::config::Threshold;
use crate::gate::figures::{Clock, Figures, GateMetric};
use crate::gate::measure::{Bench, Bencher, Fault, SIDES, Unit};
use crate::gate::sequence::{LOOKS, Sequence, State, Terms};
use crate::gate::signed_rank::{Bounds, SignedRank, bounds};

/// Error of the control, both directions together.
const CONTROL_ALPHA: f64 = 0.002;
/// Weight of a comparison that is waited for, in sharing out the false-alarm probability, where a watched one has 1.
const DECIDING_WEIGHT: f64 = 4.0;
/// Share of a processor that a timed part gets on a machine with nothing else to do, at least.
const CPU_SHARE_MIN: f64 = 0.9;
/// Deviations between centre and bound at the end of a gate, of the error levels in use: what can be resolved.
const RESOLUTION_DEVIATIONS: f64 = 5.0;

/// What a gate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// No regression of the size that must be caught.
    Pass,
    /// A regression.
    Fail,
    /// The budget did not suffice, or the machine is too noisy.
    Undecided,
}

impl Verdict {
    /// Exit code.
    pub fn code(self) -> u8 {
        match self {
            Verdict::Pass => 0,
            Verdict::Fail => 1,
            Verdict::Undecided => 2,
        }
    }

    /// As in files.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Undecided => "undecided",
        }
    }
}

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

/// One metric on one workload.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Workload × threads.
    pub place: String,
    /// Metric name.
    pub metric: String,
    /// For people.
    pub label: String,
    /// Unit of the medians.
    pub unit: String,
    /// Median of the candidate's cells.
    pub candidate: f64,
    /// Median of the reference's cells.
    pub reference: f64,
    /// Candidate / reference.
    pub ratio: f64,
    /// Bounds that hold together over all looks; `None` says nothing.
    pub low: Option<f64>,
    /// See `low`.
    pub high: Option<f64>,
    /// A ratio surely above fails.
    pub fail_above: f64,
    /// A ratio surely below passes.
    pub pass_below: f64,
    /// `passed`, `failed`, `open`.
    pub state: String,
    /// Nobody waits for it to pass.
    pub watch: bool,
    /// Units compared.
    pub units: usize,
    /// Deviation of a unit's ratio, from its median absolute deviation.
    pub spread: f64,
    /// The reference against itself.
    pub control: Option<Control>,
}

/// The reference against itself: each unit against its neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Control {
    /// Estimate.
    pub ratio: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

impl Finding {
    /// Whether it has this state.
    pub fn is(&self, state: State) -> bool {
        self.state == state_name(state)
    }

    /// Smallest regression, as a ratio less 1, that this many units of this spread can tell from the threshold.
    pub fn resolution(&self) -> f64 {
        (RESOLUTION_DEVIATIONS * self.spread / (self.units.max(1) as f64).sqrt()).exp() * self.fail_above
            - 1.0
    }
}

/// State as in files.
pub fn state_name(state: State) -> &'static str {
    match state {
        State::Open => "open",
        State::Passed => "passed",
        State::Failed => "failed",
    }
}

/// What a gate found.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The verdict.
    pub verdict: Verdict,
    /// One line that says why.
    pub reason: String,
    /// Every comparison.
    pub findings: Vec<Finding>,
    /// What a reader should know of the machine and the comparison.
    pub notes: Vec<String>,
    /// Seconds of measuring.
    pub seconds: f64,
}

/// Errors and time of a gate.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Seconds.
    pub budget: Duration,
    /// Of all comparisons together.
    pub false_alarm: f64,
    /// Of each.
    pub missed: f64,
}

/// What is compared in one bench: metrics in the order of the bench's.
pub struct Contest {
    /// What is run.
    pub bench: Bench,
    /// Bounds by metric.
    pub thresholds: Vec<Threshold>,
    /// What the ratios are held against; zeros for a reference that runs beside.
    pub recorded: Vec<Recorded>,
}

/// A contest in progress.
struct Course {
    contest: Contest,
    sequences: Vec<Sequence>,
    units: Vec<Unit>,
    cost: Duration,
}

impl Course {
    /// Whether any comparison that is waited for is open, or none is waited for at all.
    fn is_open(&self) -> bool {
        let mut waited = self.contest.thresholds.iter().zip(&self.sequences).filter(|(t, _)| !t.watch);
        waited.any(|(_, sequence)| sequence.state == State::Open)
    }

    fn has_failed(&self) -> bool {
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

    fn look(&mut self, ranks: &mut SignedRank, t: f64) {
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
        Some(Control { ratio: found.centre.exp(), low: found.low.exp(), high: found.high.exp() })
    }

    fn findings(&self) -> Vec<Finding> {
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

/// Runs a gate. `say` is told of every look.
pub fn run(
    sides: [&Choice; 2],
    contests: Vec<Contest>,
    limits: Limits,
    seed: u64,
    pin: bool,
    say: &mut dyn FnMut(&str),
) -> Result<Outcome> {
    let begin = Instant::now();
    let weight = |threshold: &Threshold| if threshold.watch { 1.0 } else { DECIDING_WEIGHT };
    let weights: f64 = contests.iter().flat_map(|contest| &contest.thresholds).map(weight).sum();
    let mut courses: Vec<Course> = contests
        .into_iter()
        .map(|contest| Course {
            sequences: contest
                .thresholds
                .iter()
                .map(|threshold| {
                    let false_alarm = limits.false_alarm * weight(threshold) / weights.max(1.0);
                    Sequence::new(Terms { false_alarm, missed: limits.missed })
                })
                .collect(),
            contest,
            units: Vec::new(),
            cost: Duration::ZERO,
        })
        .collect();
    let mut bencher = Bencher::new(sides, seed, pin);
    let mut ranks = SignedRank::default();
    let mut fault = None;
    'looks: for (number, &t) in LOOKS.iter().enumerate() {
        let until = limits.budget.mul_f64(t);
        loop {
            let open: Vec<usize> = (0..courses.len()).filter(|&at| courses[at].is_open()).collect();
            let dearest = open.iter().map(|&at| courses[at].cost).max().unwrap_or_default();
            if open.is_empty() || begin.elapsed() + dearest > until {
                break;
            }
            for at in open {
                let course = &mut courses[at];
                match bencher.unit(&course.contest.bench, course.units.len()) {
                    Ok((unit, cost)) => {
                        course.units.push(unit);
                        course.cost = cost;
                    }
                    Err(Fault::Interrupted) => bail!("interrupted; a gate cannot be resumed, start it again"),
                    Err(Fault::Side(1, what)) => bail!("the reference does not run: {what}"),
                    Err(Fault::Side(_, what)) => {
                        fault = Some(what);
                        break 'looks;
                    }
                }
            }
        }
        courses.iter_mut().for_each(|course| course.look(&mut ranks, t));
        say(&progress(number, begin.elapsed(), &courses));
        if courses.iter().any(Course::has_failed) || !courses.iter().any(Course::is_open) {
            break;
        }
    }
    let findings: Vec<Finding> = courses.iter().flat_map(Course::findings).collect();
    let (verdict, reason) = match fault {
        Some(what) => (Verdict::Fail, format!("the {} does not run: {what}", SIDES[0])),
        None => judge(&findings),
    };
    let notes = notes(&bencher, &courses);
    Ok(Outcome { verdict, reason, findings, notes, seconds: begin.elapsed().as_secs_f64() })
}

fn progress(look: usize, elapsed: Duration, courses: &[Course]) -> String {
    let waited: Vec<String> = courses
        .iter()
        .flat_map(|course| {
            let waited = course.contest.thresholds.iter().zip(&course.sequences).enumerate();
            waited.filter(|(_, (threshold, _))| !threshold.watch).map(|(at, (_, sequence))| {
                let ratio = sequence.bounds.map_or(f64::NAN, |bounds| bounds.centre.exp());
                let label = course.contest.bench.metrics[at].label;
                format!("{label} {ratio:.3} {}", state_name(sequence.state))
            })
        })
        .collect();
    format!("look {} of {}, {:.0} s: {}", look + 1, LOOKS.len(), elapsed.as_secs_f64(), waited.join(", "))
}

/// From findings to the verdict.
pub fn judge(findings: &[Finding]) -> (Verdict, String) {
    let named = |finding: &Finding| format!("{} on {}", finding.label, finding.place);
    if let Some(failed) = findings.iter().find(|finding| finding.is(State::Failed)) {
        let unsteady = failed
            .control
            .filter(|control| control.low > failed.fail_above || control.high < 1.0 / failed.fail_above);
        if let Some(control) = unsteady {
            let what = format!(
                "{} failed, but so does the control: the reference against itself is {:.3}; the machine changed while it was measured, run the gate again",
                named(failed),
                control.ratio
            );
            return (Verdict::Undecided, what);
        }
        let low = failed.low.unwrap_or(failed.ratio);
        let what = format!(
            "{}: ratio {:.3}, surely above {low:.3}; at most {:.3} is allowed",
            named(failed),
            failed.ratio,
            failed.fail_above
        );
        return (Verdict::Fail, what);
    }
    let open: Vec<&Finding> =
        findings.iter().filter(|finding| !finding.watch && finding.is(State::Open)).collect();
    match open.iter().max_by(|a, b| a.resolution().total_cmp(&b.resolution())) {
        None if findings.is_empty() => (Verdict::Undecided, "nothing was compared".into()),
        None => (Verdict::Pass, "no regression of the size that must be caught".into()),
        Some(worst) => (Verdict::Undecided, undecided(worst, &named(worst))),
    }
}

fn undecided(worst: &Finding, named: &str) -> String {
    let resolved = worst.resolution();
    let needed = worst.pass_below - 1.0;
    if worst.units == 0 {
        format!("{named}: the budget does not suffice for one unit; give more with --budget")
    } else if resolved > needed || !resolved.is_finite() {
        format!(
            "{named}: too noisy to judge: {} units that spread by {:.0} % resolve {:.0} %, {:.0} % is needed; quieten the machine, or give more time with --budget",
            worst.units,
            100.0 * worst.spread,
            100.0 * resolved,
            100.0 * needed
        )
    } else {
        format!(
            "{named}: ratio {:.3} lies between {:.3} (fails) and {:.3} (must be caught); give more time with --budget",
            worst.ratio, worst.fail_above, worst.pass_below
        )
    }
}

fn notes(bencher: &Bencher, courses: &[Course]) -> Vec<String> {
    let mut notes = Vec::new();
    for course in courses {
        let bench = &course.contest.bench;
        let how = if bencher.side_by_side(bench) {
            "both sides at once, processors exchanged in every unit"
        } else {
            "one process at a time, ABBA"
        };
        notes.push(format!("{} ({}): {} units, {how}", bench.place(), bench.pass.name(), course.units.len()));
        let shares: Vec<f64> = course
            .units
            .iter()
            .flat_map(|unit| unit.cells.iter().flatten())
            .map(|cell| cell.cpu_share)
            .collect();
        let share = robust::median(&shares).unwrap_or(1.0);
        if share < CPU_SHARE_MIN {
            notes.push(format!(
                "{}: the timed parts had {:.0} % of their processors; other work disturbs this machine",
                bench.place(),
                100.0 * share
            ));
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(state: State, watch: bool) -> Finding {
        Finding {
            place: "w × 1".into(),
            metric: "alloc_ns_p99".into(),
            label: "alloc p99".into(),
            unit: "ns".into(),
            candidate: 110.0,
            reference: 100.0,
            ratio: 1.10,
            low: Some(1.05),
            high: Some(1.15),
            fail_above: 1.02,
            pass_below: 1.10,
            state: state_name(state).into(),
            watch,
            units: 100,
            spread: 0.1,
            control: Some(Control { ratio: 1.0, low: 0.97, high: 1.03 }),
        }
    }

    #[test]
    fn a_failure_outranks_all_and_says_what_failed() {
        let found =
            [finding(State::Passed, false), finding(State::Failed, true), finding(State::Open, false)];
        let (verdict, reason) = judge(&found);
        assert_eq!(verdict, Verdict::Fail);
        assert!(reason.contains("alloc p99 on w × 1") && reason.contains("1.050"), "{reason}");
    }

    #[test]
    fn nobody_waits_for_what_is_watched() {
        assert_eq!(judge(&[finding(State::Passed, false), finding(State::Open, true)]).0, Verdict::Pass);
        assert_eq!(
            judge(&[finding(State::Passed, false), finding(State::Open, false)]).0,
            Verdict::Undecided
        );
        assert_eq!(judge(&[]).0, Verdict::Undecided);
    }

    #[test]
    fn a_control_that_fails_too_is_believed_before_the_failure() {
        let unsteady = Control { ratio: 1.2, low: 1.1, high: 1.3 };
        let (verdict, reason) =
            judge(&[Finding { control: Some(unsteady), ..finding(State::Failed, false) }]);
        assert_eq!(verdict, Verdict::Undecided);
        assert!(reason.contains("against itself is 1.200"), "{reason}");
    }

    #[test]
    fn undecided_says_whether_noise_or_the_effect_is_to_blame() {
        let noisy = judge(&[Finding { spread: 0.8, ..finding(State::Open, false) }]).1;
        assert!(noisy.contains("too noisy to judge") && noisy.contains("100 units"), "{noisy}");
        let between = judge(&[Finding { spread: 0.02, ratio: 1.04, ..finding(State::Open, false) }]).1;
        assert!(between.contains("between 1.020"), "{between}");
    }

    #[test]
    fn exit_codes_are_fixed() {
        assert_eq!([Verdict::Pass, Verdict::Fail, Verdict::Undecided].map(Verdict::code), [0, 1, 2]);
    }
}
