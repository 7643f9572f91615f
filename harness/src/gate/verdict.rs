//! From comparisons to a verdict, and the words that say why.
//!
//! The verdict is *fail* as soon as one comparison has failed, *pass* once every comparison that is waited for has
//! passed, *undecided* otherwise. A control made of the reference alone – each unit against its neighbour – must show no
//! difference: where it does, the machine changed under the gate, and a failure is not believed. Pure: nothing here
//! measures or reads a clock.

use serde::Serialize;

use super::sequence::State;

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
    /// Whether the candidate's process ended badly, which is the reason then.
    pub crashed: bool,
    /// Every comparison.
    pub findings: Vec<Finding>,
    /// What a reader should know of the machine and the comparison.
    pub notes: Vec<String>,
    /// Seconds of measuring.
    pub seconds: f64,
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
