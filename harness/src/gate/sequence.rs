//! The sequential procedure: when to look, what error each look may spend, and what a look decides.
//!
//! A comparison of one metric on one workload is looked at whenever a further share of the time budget is used. The
//! error a look may make is what the spending function α·t³ gained since the last look; the sum over looks bounds
//! the error of the whole by the union bound, whatever depends on what. Early looks so need overwhelming evidence,
//! and the last keeps most of the error: little is lost against a single look at the end.
//! - *Failed*: the lower bound of the ratio passes the threshold `fail_above`.
//! - *Passed*: the upper bound falls below `pass_below`, the smallest effect that must be caught.
//! - *Open*: neither. Open at the end of the budget is *undecided*.

use super::signed_rank::{Bounds, SignedRank, bounds};

/// Shares of the budget after which the data are looked at.
pub const LOOKS: [f64; 9] = [0.08, 0.16, 0.25, 0.37, 0.5, 0.62, 0.75, 0.87, 1.0];

/// Error spent until the share `t` of the budget is used, of all that may be spent.
pub fn spent(t: f64) -> f64 {
    t.clamp(0.0, 1.0).powi(3)
}

/// Logarithms of the ratios between which a comparison is open, and the errors that it may make.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// Probability of failing although the ratio is at most `ln_fail`.
    pub false_alarm: f64,
    /// Probability of passing although the ratio is at least `ln_pass`.
    pub missed: f64,
}

/// Where a comparison stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Neither bound has passed its threshold.
    Open,
    /// The regression is excluded.
    Passed,
    /// The regression is proven.
    Failed,
}

/// One comparison over its looks.
#[derive(Clone, Debug)]
pub struct Sequence {
    terms: Terms,
    looked_at: f64,
    /// Where it stands.
    pub state: State,
    /// Bounds so far: the estimate of the last look, the tightest bounds of all looks, which hold together.
    pub bounds: Option<Bounds>,
}

impl Sequence {
    /// Before the first look.
    pub fn new(terms: Terms) -> Sequence {
        Sequence { terms, looked_at: 0.0, state: State::Open, bounds: None }
    }

    /// Looks at all `differences` so far, the share `t` of the budget being used. The thresholds are logarithms of
    /// ratios.
    pub fn look(&mut self, ranks: &mut SignedRank, differences: &[f64], t: f64, ln_fail: f64, ln_pass: f64) {
        let gain = (spent(t) - spent(self.looked_at)).max(0.0);
        self.looked_at = t.max(self.looked_at);
        let Terms { false_alarm, missed } = self.terms;
        let Some(found) = bounds(ranks, differences, false_alarm * gain, missed * gain) else { return };
        let before = self.bounds.unwrap_or(found);
        let now = Bounds { low: found.low.max(before.low), high: found.high.min(before.high), ..found };
        self.bounds = Some(now);
        if now.low > ln_fail {
            self.state = State::Failed;
        } else if now.high < ln_pass {
            self.state = State::Passed;
        } else if self.state != State::Passed {
            self.state = State::Open;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::random::SplitMix;

    const FAIL: f64 = 1.02;
    const PASS: f64 = 1.10;
    const TERMS: Terms = Terms { false_alarm: 0.002, missed: 0.01 };

    /// Noise of a pair of processes: heavy-tailed, a drift, and a load that comes and goes over tens of units.
    struct Machine {
        random: SplitMix,
        spread: f64,
        load: f64,
        drift: f64,
    }

    impl Machine {
        /// Log-ratio of one unit, of a program that is slower by the factor `effect`: the coin decides who goes first, and
        /// the one who goes first is favoured by the drift.
        fn unit(&mut self, effect: f64) -> f64 {
            if self.random.below(20) == 0 {
                self.load = if self.load > 1.0 { 1.0 } else { 3.0 };
            }
            let tail = if self.random.below(12) == 0 { 4.0 } else { 1.0 };
            let noise = self.random.normal() * self.spread * self.load * tail + self.drift;
            let coin = if self.random.below(2) == 0 { 1.0 } else { -1.0 };
            effect.ln() + coin * noise
        }
    }

    /// State after at most `units` units and the share of the budget that was used.
    fn gate(seed: u64, effect: f64, spread: f64, drift: f64, units: usize) -> (State, f64) {
        let mut machine = Machine { random: SplitMix::new(seed), spread, load: 1.0, drift };
        let (mut ranks, mut sequence) = (SignedRank::default(), Sequence::new(TERMS));
        let mut differences = Vec::new();
        for t in LOOKS {
            while (differences.len() as f64) < t * units as f64 {
                differences.push(machine.unit(effect));
            }
            sequence.look(&mut ranks, &differences, t, FAIL.ln(), PASS.ln());
            if sequence.state != State::Open {
                return (sequence.state, t);
            }
        }
        (sequence.state, 1.0)
    }

    fn share(state: State, trials: u64, effect: f64, spread: f64, drift: f64, units: usize) -> (f64, f64) {
        let found: Vec<_> = (0..trials).map(|seed| gate(seed, effect, spread, drift, units)).collect();
        let hits = found.iter().filter(|(found, _)| *found == state).count();
        let used: f64 = found.iter().map(|(_, t)| t).sum();
        (hits as f64 / trials as f64, used / trials as f64)
    }

    #[test]
    fn all_error_is_spent_at_the_end_and_hardly_any_at_first() {
        assert_eq!(LOOKS.last(), Some(&1.0));
        assert!(LOOKS.is_sorted());
        assert_eq!(spent(1.0), 1.0);
        assert!(spent(LOOKS[0]) < 0.001);
    }

    #[test]
    fn a_program_against_itself_fails_no_oftener_than_allowed() {
        // On the threshold itself, the hardest place, the share of failures may reach the allowed error.
        for (effect, drift, most) in
            [(1.0, 0.0, 0.001), (1.0, 0.2, 0.001), (FAIL, 0.0, 0.004), (FAIL, 0.2, 0.004)]
        {
            let (failed, _) = share(State::Failed, 1_500, effect, 0.1, drift, 120);
            println!("effect {effect} drift {drift}: failed {failed:.4}");
            assert!(failed <= most, "effect {effect} drift {drift}: {failed}");
        }
    }

    #[test]
    fn a_regression_that_must_be_caught_rarely_passes() {
        let (passed, _) = share(State::Passed, 1_500, PASS, 0.1, 0.0, 120);
        println!("passed at the limit: {passed:.4}");
        assert!(passed <= 0.015, "{passed}");
    }

    #[test]
    fn power_and_time_at_the_spread_that_the_gate_was_planned_for() {
        // 0.06 a unit, before the load triples and the tails quadruple it.
        let (caught, used) = share(State::Failed, 300, 1.10, 0.06, 0.0, 300);
        println!("+10 %: caught {caught:.3}, {used:.2} of the budget");
        assert!(caught >= 0.95, "{caught}");
        let (caught, faster) = share(State::Failed, 300, 1.50, 0.06, 0.0, 300);
        println!("+50 %: caught {caught:.3}, {faster:.2} of the budget");
        assert!(caught >= 0.99 && faster < 0.5 * used.max(0.3), "{caught} {faster} {used}");
        let (passed, used) = share(State::Passed, 300, 1.0, 0.06, 0.0, 300);
        println!("no effect: passed {passed:.3}, {used:.2} of the budget");
        assert!(passed >= 0.95, "{passed}");
    }

    #[test]
    fn few_differences_decide_nothing() {
        let mut sequence = Sequence::new(TERMS);
        sequence.look(&mut SignedRank::default(), &[5.0, 5.1, 5.2, 5.3], 1.0, FAIL.ln(), PASS.ln());
        assert_eq!(sequence.state, State::Open);
        sequence.look(&mut SignedRank::default(), &[], 1.0, FAIL.ln(), PASS.ln());
        assert_eq!(sequence.state, State::Open);
    }

    #[test]
    fn the_same_look_twice_spends_nothing() {
        let differences: Vec<f64> = (0..40).map(|at| 0.3 + 0.001 * f64::from(at)).collect();
        let mut sequence = Sequence::new(TERMS);
        sequence.look(&mut SignedRank::default(), &differences, 0.5, FAIL.ln(), PASS.ln());
        let before = sequence.bounds;
        sequence.look(&mut SignedRank::default(), &differences, 0.5, FAIL.ln(), PASS.ln());
        assert_eq!(sequence.bounds, before);
        assert_eq!(sequence.state, State::Failed);
    }
}
