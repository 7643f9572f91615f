//! `allocbench bisect`: the first revision that fails a gate against a good one.
//!
//! The bad end is gated first: a range whose end does not fail has nothing to find. Then the range is halved. A
//! revision whose gate is undecided, or that does not build, is neither good nor bad: its neighbour is asked instead, and
//! what remains is said as a range.

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};

use crate::cmd::gate::{self, Shared, Wanted};
use crate::gate::checkout::{Checkout, short};
use crate::gate::config::Config;
use crate::gate::side::{self, Side, Word};
use crate::gate::verdict::Verdict;
use crate::interrupt;
use crate::terminal::say;

/// Flags.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Revision that is known to be good: the reference of every gate
    #[arg(long, value_name = "REVISION")]
    pub good: String,
    /// Revision that is known to be bad
    #[arg(long, value_name = "REVISION", default_value = "HEAD")]
    pub bad: String,
    /// Flags of every gate
    #[command(flatten)]
    pub shared: Shared,
}

/// Runs the verb: 0 where a revision or a range was found, 2 where the bad end does not fail, 3 on an error.
pub fn run(args: &Args) -> u8 {
    gate::code(try_run(args))
}

/// What is known of a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Passes.
    Good,
    /// Fails.
    Bad,
    /// Undecided, or does not build.
    Unknown,
}

/// Indices after the last good and up to the first bad revision: one index, or several where some are unknown.
pub fn search(
    count: usize,
    mut ask: impl FnMut(usize) -> Result<Mark>,
) -> Result<std::ops::RangeInclusive<usize>> {
    let (mut first, mut last) = (0, count - 1);
    let mut known: BTreeMap<usize, Mark> = BTreeMap::from([(last, Mark::Bad)]);
    while first < last {
        let middle = first + (last - first) / 2;
        // Outwards from the middle, within what can still be the last good one.
        let mut candidates: Vec<usize> = (first..last).filter(|at| !known.contains_key(at)).collect();
        candidates.sort_by_key(|&at| at.abs_diff(middle));
        let Some(&at) = candidates.first() else { break };
        let mark = ask(at)?;
        known.insert(at, mark);
        match mark {
            Mark::Good => first = at + 1,
            Mark::Bad => last = at,
            Mark::Unknown => {}
        }
    }
    Ok(first..=last)
}

fn try_run(args: &Args) -> Result<u8> {
    interrupt::listen();
    let config = Config::load(&args.shared.config)?;
    let wanted = Wanted::new(&args.shared, &config)?;
    gate::budget(&args.shared, &config)?;
    let checkout = Checkout::open()?;
    let (good, bad) = (checkout.commit(&args.good)?, checkout.commit(&args.bad)?);
    ensure!(good != bad, "--good and --bad are the same revision, {}", short(&good));
    let range = checkout.between(&good, &bad)?;
    ensure!(
        !range.is_empty(),
        "{} is not an ancestor of {}; exchange --good and --bad, or name others",
        args.good,
        args.bad
    );
    let engine = args.shared.engine.clone().unwrap_or_else(|| config.engine.clone());
    let mut talk = args.shared.talk();
    let side = |commit: &str, talk: &mut dyn FnMut(&str)| {
        side::resolve(&Word::Revision(commit.into()), &engine, false, talk)
    };
    let reference = side(&good, &mut talk)?;
    let gate = |candidate: &Side, talk: &mut dyn FnMut(&str)| -> Result<(Verdict, String)> {
        let report = gate::judge(&args.shared, &config, &wanted, [candidate, &reference], talk)?;
        Ok((report.outcome.verdict, report.outcome.reason))
    };
    let (verdict, reason) = gate(&side(&bad, &mut talk)?, &mut talk)?;
    say(format!("{} {}: {reason}", short(&bad), verdict.name()))?;
    if verdict != Verdict::Fail {
        say(format!("{} does not fail against {}, so there is nothing to find", args.bad, args.good))?;
        return Ok(Verdict::Undecided.code());
    }
    let found = search(range.len(), |at| {
        let commit = &range[at];
        let (mark, what) = match side(commit, &mut talk) {
            Ok(candidate) => match gate(&candidate, &mut talk)? {
                (Verdict::Pass, reason) => (Mark::Good, format!("pass: {reason}")),
                (Verdict::Fail, reason) => (Mark::Bad, format!("fail: {reason}")),
                (Verdict::Undecided, reason) => (Mark::Unknown, format!("undecided: {reason}")),
            },
            Err(error) => (Mark::Unknown, format!("cannot be measured: {error:#}")),
        };
        say(format!("{} {what}", short(commit)))?;
        if interrupt::requested() {
            bail!("interrupted; start the search again, revisions already built are kept");
        }
        Ok(mark)
    })?;
    let line = |at: usize| format!("{} {}", short(&range[at]), checkout.subject(&range[at]));
    if found.start() == found.end() {
        say(format!("first bad revision: {}", line(*found.start())))?;
    } else {
        say("the first bad revision is one of these; the others could not be judged:")?;
        for at in found {
            say(format!("  {}", line(at)))?;
        }
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_first_bad_revision_is_found_with_few_gates() {
        for count in 1..40 {
            for first_bad in 0..count {
                let mut asked = 0;
                let found = search(count, |at| {
                    asked += 1;
                    Ok(if at >= first_bad { Mark::Bad } else { Mark::Good })
                })
                .unwrap();
                assert_eq!(found, first_bad..=first_bad);
                assert!(asked <= 6, "{asked} gates for {count} revisions");
            }
        }
    }

    #[test]
    fn revisions_that_cannot_be_judged_leave_a_range() {
        let unknown = 3..6;
        let found = search(10, |at| {
            Ok(match at {
                at if unknown.contains(&at) => Mark::Unknown,
                at if at >= 6 => Mark::Bad,
                _ => Mark::Good,
            })
        });
        assert_eq!(found.unwrap(), 3..=6);
        let nothing = search(10, |_| Ok(Mark::Unknown));
        assert_eq!(nothing.unwrap(), 0..=9);
    }
}
