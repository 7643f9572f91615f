//! The deterministic comparison: instructions per operation, counted under callgrind.
//!
//! A count repeats to a small part of the margin for engines that draw no random numbers, so one process a side
//! suffices. Only this module starts processes under callgrind for a gate; [`super::counts`] keeps counts on record.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use cell::wire::{Pass, Request};
use serde::{Deserialize, Serialize};
use workloads::spec::Workload;

use crate::engine::Choice;
use crate::gate::sequence::State;
use crate::gate::verdict::{Finding, Verdict, state_name};
use crate::runner::{self, Ending, Limits};

/// Name of the metric.
pub const METRIC: &str = "instructions_per_op";

/// One recorded count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Count {
    /// Engine.
    pub engine: String,
    /// Workload.
    pub workload: String,
    /// Operations a thread it was scaled to.
    pub ops: u64,
    /// Timed operations.
    pub operations: u64,
    /// Instructions of the timed part.
    pub instructions: u64,
    /// Compiler and profile.
    pub compiler: String,
    /// Version of the C library, as the engine `system` reports it.
    pub libc: String,
}

impl Count {
    /// Instructions an operation.
    pub fn per_op(&self) -> f64 {
        self.instructions as f64 / self.operations.max(1) as f64
    }
}

/// Whether counting is possible here; an error that says what to do if not.
pub fn available() -> Result<()> {
    ensure!(
        runner::has_valgrind(),
        "instructions cannot be counted: valgrind is not installed; install it (apt-get install valgrind), or leave them out with --no-instructions"
    );
    Ok(())
}

/// Counts one workload on one side.
pub fn count(choice: &Choice, workload: &Workload, ops: u64, libc: &str) -> Result<Count> {
    let limits = Limits { time: Duration::from_secs(120), resident_bytes: 4 << 30 };
    let request = Request {
        engine: choice.engine.clone(),
        workload: workload.scaled(ops),
        threads: 1,
        seed: 42,
        pass: Pass::Instructions,
        verify: false,
        pin: true,
    };
    let finished = runner::run(choice, &request, &limits);
    let found = match finished.ending {
        Ending::Measured(found) => found,
        Ending::Interrupted => bail!("interrupted; start the gate again"),
        Ending::Crashed(what) | Ending::Timeout(what) | Ending::OutOfMemory(what) | Ending::Failed(what) => {
            bail!("{} on {} under callgrind: {what}", choice.label, workload.name)
        }
    };
    Ok(Count {
        engine: choice.engine.clone(),
        workload: workload.name.clone(),
        ops,
        operations: found.allocs + found.frees + found.reallocs,
        instructions: finished.instructions.context("callgrind gave no count")?,
        compiler: cell::COMPILER.into(),
        libc: libc.into(),
    })
}

/// The comparison of two counts.
pub fn compare(candidate: &Count, reference: &Count, fail_above: f64) -> Finding {
    let ratio = candidate.per_op() / reference.per_op();
    let state = if ratio > fail_above { State::Failed } else { State::Passed };
    Finding {
        place: format!("{} × 1", candidate.workload),
        metric: METRIC.into(),
        label: "instructions/op".into(),
        unit: "instructions".into(),
        candidate: candidate.per_op(),
        reference: reference.per_op(),
        ratio,
        low: Some(ratio),
        high: Some(ratio),
        fail_above,
        pass_below: fail_above,
        state: state_name(state).into(),
        watch: false,
        units: 1,
        spread: 0.0,
        control: None,
    }
}

/// Verdict of counts alone.
pub fn judge(findings: &[Finding]) -> (Verdict, String) {
    let worst = findings.iter().max_by(|a, b| a.ratio.total_cmp(&b.ratio));
    match worst {
        None => (Verdict::Undecided, "nothing was counted".into()),
        Some(worst) if worst.is(State::Failed) => (
            Verdict::Fail,
            format!(
                "instructions per operation on {}: {:.3} of the reference, at most {:.3} is allowed",
                worst.place, worst.ratio, worst.fail_above
            ),
        ),
        Some(worst) => (
            Verdict::Pass,
            format!(
                "no count is above its margin; the largest ratio is {:.4} ({})",
                worst.ratio, worst.place
            ),
        ),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn sample(instructions: u64) -> Count {
        Count {
            engine: "system".into(),
            workload: "tiny_hot".into(),
            ops: 20_000,
            operations: 1_000,
            instructions,
            compiler: "rustc 1".into(),
            libc: "glibc 2".into(),
        }
    }

    #[test]
    fn half_a_per_cent_fails_and_equality_passes() {
        let found = compare(&sample(100_500), &sample(100_000), 1.002);
        assert!(found.is(State::Failed) && (found.ratio - 1.005).abs() < 1e-12);
        assert_eq!(judge(&[found]).0, Verdict::Fail);
        let found = compare(&sample(100_000), &sample(100_000), 1.002);
        assert_eq!(judge(&[found]).0, Verdict::Pass);
        assert_eq!(judge(&[]).0, Verdict::Undecided);
    }
}
