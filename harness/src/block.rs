//! One block of a timed pass: all engines of a comparison, interleaved run by run.
//!
//! The speed of a shared machine changes within seconds, by half and more where a neighbour comes and goes. Cells one
//! after another would each meet another machine. So a block holds a measuring process for each binary (see
//! [`crate::server`]) and makes rounds: in each, every engine runs once, in an order drawn anew and reversed in every
//! second round. Runs of one round stand some milliseconds apart and meet the same machine.
//!
//! A throughput block makes as many rounds as its time allows; the row of a cell holds the run of median duration, and
//! the durations of all in the order of the rounds. A latency block makes one: a run times every operation.

use std::time::{Duration, Instant};

use cell::wire::{Measurement, Pass, Request};

use crate::engine::Choice;
use crate::interrupt;
use crate::runner::{Ending, Finished, Limits};
use crate::schedule;
use crate::server::Servers;

/// Fewest rounds of a block.
const ROUNDS_MIN: u32 = 3;
/// Most rounds.
const ROUNDS_MAX: u32 = 32;
/// Time for the rounds of a block, for each of its engines.
const SPEND_EACH: Duration = Duration::from_millis(30);

/// What one engine of the block has come to.
struct Entrant<'a> {
    choice: &'a Choice,
    runs: Vec<Measurement>,
    ended: Option<Ending>,
    wall: Duration,
}

/// Fewest and most rounds of a pass.
fn rounds(pass: Pass) -> (u32, u32) {
    match pass {
        Pass::Throughput => (ROUNDS_MIN, ROUNDS_MAX),
        _ => (1, 1),
    }
}

/// Runs the block whose order `key`, `seed` and `block` determine; one [`Finished`] for each of `choices`, in their order.
pub fn run(
    choices: &[&Choice],
    request: &Request,
    limits: Limits,
    (seed, key, block): (u64, &str, u32),
) -> Vec<Finished> {
    let mut servers = Servers::new(request, limits);
    let mut entrants: Vec<Entrant> = choices
        .iter()
        .map(|choice| {
            let start = Instant::now();
            let ended = servers.start(choice).err();
            Entrant { choice, runs: Vec::new(), ended, wall: start.elapsed() }
        })
        .collect();
    let start = Instant::now();
    let spend = SPEND_EACH * choices.len() as u32;
    let (least, most) = rounds(request.pass);
    for round in 0..most {
        let enough = round >= least && start.elapsed() >= spend;
        if enough || interrupt::requested() || entrants.iter().all(|entrant| entrant.ended.is_some()) {
            break;
        }
        for index in schedule::block_order(choices.len(), seed, key, block * most + round) {
            let entrant = &mut entrants[index];
            if entrant.ended.is_none() {
                let start = Instant::now();
                match servers.run(entrant.choice) {
                    Ok(measurement) => entrant.runs.push(*measurement),
                    Err(ending) => entrant.ended = Some(ending),
                }
                entrant.wall += start.elapsed();
            }
        }
    }
    entrants.into_iter().map(|entrant| finish(entrant, most > 1)).collect()
}

/// The cell that the runs make; one that failed once has failed.
fn finish(entrant: Entrant, repeated: bool) -> Finished {
    let Entrant { mut runs, ended, wall, .. } = entrant;
    let runs_ns = if repeated { runs.iter().map(|run| run.elapsed_ns).collect() } else { Vec::new() };
    runs.sort_by_key(|run| run.elapsed_ns);
    let median = runs.len().saturating_sub(1) / 2;
    let ending = match ended {
        Some(ending) => ending,
        None if interrupt::requested() || runs.is_empty() => Ending::Interrupted,
        None => Ending::Measured(Box::new(runs.swap_remove(median))),
    };
    Finished { ending, runs_ns, wall, instructions: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entrant(choice: &Choice, durations: &[u64], ended: Option<Ending>) -> Entrant<'static> {
        let run = |&elapsed_ns: &u64| Measurement { elapsed_ns, ..Measurement::default() };
        let choice: &'static Choice = Box::leak(Box::new(choice.clone()));
        Entrant { choice, runs: durations.iter().map(run).collect(), ended, wall: Duration::ZERO }
    }

    fn choice() -> Choice {
        Choice {
            label: "system".into(),
            engine: "system".into(),
            version: String::new(),
            binary: "nowhere".into(),
            env: Vec::new(),
        }
    }

    #[test]
    fn a_cell_is_its_median_run_and_keeps_all_durations_in_order() {
        let finished = finish(entrant(&choice(), &[9, 1, 5, 7], None), true);
        let Ending::Measured(found) = finished.ending else { panic!() };
        assert_eq!((found.elapsed_ns, finished.runs_ns), (5, vec![9, 1, 5, 7]));
    }

    #[test]
    fn one_failed_run_fails_the_cell() {
        let finished = finish(entrant(&choice(), &[1, 2], Some(Ending::Crashed("it".into()))), true);
        assert!(matches!(finished.ending, Ending::Crashed(what) if what == "it"));
    }

    #[test]
    fn a_binary_that_is_not_there_ends_every_cell() {
        let workload = workloads::catalog::builtin().remove(0).scaled(1000);
        let request = Request {
            engine: String::new(),
            workload,
            threads: 1,
            seed: 1,
            pass: cell::wire::Pass::Throughput,
            verify: false,
            pin: false,
        };
        let limits = Limits { time: Duration::from_secs(5), resident_bytes: 1 << 30 };
        let finished = run(&[&choice(), &choice()], &request, limits, (1, "key", 0));
        assert!(
            finished
                .iter()
                .all(|cell| matches!(&cell.ending, Ending::Crashed(what) if what.contains("nowhere")))
        );
        assert_eq!(finished.len(), 2);
    }
}
