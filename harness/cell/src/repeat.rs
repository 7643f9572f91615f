//! Several fresh runs of one prepared cell, each in a forked copy of this process.
//!
//! Drawing the operations and starting a process cost several times what a short run takes, and one run of some
//! milliseconds says little on a machine that others use too. So this process draws, and every run happens in a copy that
//! has never called the engine: each finds the heap that a new process finds, and pays its first page faults. The copy
//! sends its reply through a pipe and ends; it dies with this process. Only the thread that forks exists at that moment.
//!
//! The reply of the cell is that of the run of median duration, with the durations of all.

use std::time::{Duration, Instant};

use cell::wire::{Repeat, Reply};

use crate::raw::{self, Side};

/// Runs `once` in copies, at least one, until `repeat` says that it is enough. Ends early at a reply without figures.
pub fn in_copies(repeat: Repeat, once: impl FnOnce() -> Reply) -> Result<Reply, String> {
    let start = Instant::now();
    let spend = Duration::from_millis(repeat.spend_ms);
    let mut found = Vec::new();
    while found.is_empty() || (found.len() < repeat.runs_max as usize && start.elapsed() < spend) {
        let bytes = match raw::fork_with_pipe().map_err(|error| format!("no copy for a run: {error}"))? {
            Side::Copy(pipe) => {
                let sent = serde_json::to_writer(&pipe, &once());
                raw::leave(if sent.is_ok() { 0 } else { 2 });
            }
            Side::Original(copy) => copy.finish()?,
        };
        match serde_json::from_slice(&bytes)
            .map_err(|error| format!("a run's reply is not valid: {error}"))?
        {
            Reply::Measured(measurement) => found.push(measurement),
            other => return Ok(other),
        }
    }
    let durations = found.iter().map(|measurement| measurement.elapsed_ns).collect();
    found.sort_by_key(|measurement| measurement.elapsed_ns);
    let mut median = found.swap_remove((found.len() - 1) / 2);
    median.elapsed_ns_runs = durations;
    Ok(Reply::Measured(median))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cell::wire::Measurement;

    #[test]
    fn every_run_starts_from_the_same_state_and_the_median_is_kept() {
        let state = std::cell::Cell::new(0);
        let repeat = Repeat { runs_max: 3, spend_ms: 60_000 };
        let once = || {
            state.set(state.get() + 1);
            Reply::Measured(Box::new(Measurement { elapsed_ns: state.get(), ..Measurement::default() }))
        };
        let Ok(Reply::Measured(found)) = in_copies(repeat, once) else { panic!() };
        assert_eq!((found.elapsed_ns, found.elapsed_ns_runs), (1, vec![1, 1, 1]));
        assert_eq!(state.get(), 0);
    }

    #[test]
    fn time_ends_the_repetition_and_one_run_is_always_made() {
        let repeat = Repeat { runs_max: 1000, spend_ms: 0 };
        let once = || Reply::Measured(Box::default());
        let Ok(Reply::Measured(found)) = in_copies(repeat, once) else { panic!() };
        assert_eq!(found.elapsed_ns_runs.len(), 1);
    }

    #[test]
    fn a_reply_without_figures_is_passed_on() {
        let repeat = Repeat { runs_max: 5, spend_ms: 1000 };
        let reply = in_copies(repeat, || Reply::OutOfMemory("what".into())).unwrap();
        assert_eq!(reply, Reply::OutOfMemory("what".into()));
    }

    #[test]
    fn a_copy_that_fails_is_an_error() {
        let repeat = Repeat { runs_max: 5, spend_ms: 1000 };
        assert!(in_copies(repeat, || raw::leave(3)).unwrap_err().contains("exit code 3"));
    }
}
