//! One gate: units of every bench in turn, a look whenever a share of the budget is used, a verdict.
//!
//! A gate ends early when a comparison has failed or none that is waited for is open, else when the budget is used up.
//! A candidate whose process ends badly fails; a reference that does so makes the gate an error. [`super::course`] holds
//! what is measured, [`super::verdict`] says what it means.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::course::{Contest, Course};
use super::measure::{Bencher, Fault, SIDES};
use super::sequence::{LOOKS, Terms};
use super::signed_rank::SignedRank;
use super::verdict::{Finding, Outcome, Verdict, judge, state_name};
use crate::analysis::robust;
use crate::engine::Choice;
use crate::gate::config::Threshold;

/// Weight of a comparison that is waited for, in sharing out the false-alarm probability, where a watched one has 1.
const DECIDING_WEIGHT: f64 = 4.0;

/// Share of a processor that a timed part gets on a machine with nothing else to do, at least.
const CPU_SHARE_MIN: f64 = 0.9;

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
    let mut courses = courses(contests, limits);
    let mut bencher = Bencher::new(sides, seed, pin);
    let mut ranks = SignedRank::default();
    let mut crash = None;
    for (number, &t) in LOOKS.iter().enumerate() {
        crash = measure(&mut bencher, &mut courses, begin, limits.budget.mul_f64(t))?;
        if crash.is_some() {
            break;
        }
        courses.iter_mut().for_each(|course| course.look(&mut ranks, t));
        say(&progress(number, begin.elapsed(), &courses));
        if courses.iter().any(Course::has_failed) || !courses.iter().any(Course::is_open) {
            break;
        }
    }
    let mut findings: Vec<Finding> = courses.iter().flat_map(Course::findings).collect();
    let crashed = crash.is_some();
    let (verdict, reason) = match crash {
        Some(what) => {
            findings.retain(|finding| finding.units > 0);
            (Verdict::Fail, format!("the {} does not run: {what}", SIDES[0]))
        }
        None => judge(&findings),
    };
    let notes = notes(&bencher, &courses);
    Ok(Outcome { verdict, reason, crashed, findings, notes, seconds: begin.elapsed().as_secs_f64() })
}

/// Contests before their first unit, with the false-alarm probability shared out among all their metrics.
fn courses(contests: Vec<Contest>, limits: Limits) -> Vec<Course> {
    let weight = |threshold: &Threshold| if threshold.watch { 1.0 } else { DECIDING_WEIGHT };
    let weights: f64 = contests.iter().flat_map(|contest| &contest.thresholds).map(weight).sum();
    let terms = |threshold: &Threshold| Terms {
        false_alarm: limits.false_alarm * weight(threshold) / weights.max(1.0),
        missed: limits.missed,
    };
    contests.into_iter().map(|contest| Course::new(contest, terms)).collect()
}

/// Measures units of all open courses in turn until the time `until` after `begin`; returns how the candidate ended
/// badly, if it did.
fn measure(
    bencher: &mut Bencher,
    courses: &mut [Course],
    begin: Instant,
    until: Duration,
) -> Result<Option<String>> {
    loop {
        let open: Vec<usize> = (0..courses.len()).filter(|&at| courses[at].is_open()).collect();
        let dearest = open.iter().map(|&at| courses[at].cost).max().unwrap_or_default();
        if open.is_empty() || begin.elapsed() + dearest > until {
            return Ok(None);
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
                Err(Fault::Side(_, what)) => return Ok(Some(what)),
            }
        }
    }
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
