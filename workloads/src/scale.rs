//! Longer and shorter forms of a workload.
//!
//! `ops` operations a thread is what the churn models then do; every other model keeps its proportion to the churn
//! models' default of [`OPS_DEFAULT`]. Live sets, slots, rings, trees' depths and idle times stay as they are: a
//! shorter form is the same load for a shorter time. Bursts are such a load, so they stay too.

use crate::spec::{Action, Model, Workload};

/// Operations a thread of the churn models as they are written down.
pub const OPS_DEFAULT: u64 = 200_000;

/// Events of a trace that a shorter run replays for each operation of the churn models.
const REPLAY_EVENTS_PER_OP: u64 = 10;

impl Workload {
    /// This workload with its loops cut to about `ops_max` operations a thread. Only loops that do the same over and over
    /// are cut: shorter, they are the same load.
    pub fn capped(&self, ops_max: u64) -> Workload {
        let mut capped = self.clone();
        match &mut capped.model {
            Model::Batch(batch) => {
                batch.cycles = batch.cycles.min((ops_max / (2 * batch.batch as u64)).max(1));
            }
            // Each of these touches its block: some five times as long as an operation of the other loop.
            Model::Slots(slots) => slots.cycles = slots.cycles.min((ops_max / 2).max(1)),
            _ => {}
        }
        capped
    }

    /// This workload for `ops` operations a thread.
    pub fn scaled(&self, ops: u64) -> Workload {
        let mut scaled = self.clone();
        let scale = |count: u64| {
            let exact = u128::from(count) * u128::from(ops) / u128::from(OPS_DEFAULT);
            u64::try_from(exact).unwrap_or(u64::MAX).max(1)
        };
        match &mut scaled.model {
            Model::Churn(churn) => churn.ops = ops.max(1),
            Model::Batch(batch) => batch.cycles = scale(batch.cycles),
            Model::Slots(slots) => slots.cycles = scale(slots.cycles),
            Model::Relay(relay) => relay.blocks = scale(relay.blocks),
            Model::Larson(larson) => larson.cycles = scale(larson.cycles),
            Model::Steal(steal) => steal.trees = scale(steal.trees.into()).try_into().unwrap_or(u32::MAX),
            Model::ThreadChurn(churn) => churn.starts = scale(churn.starts),
            // A trace is what it is; only a run that is to be short takes its begin.
            Model::Replay(replay) if ops < OPS_DEFAULT => {
                let most = ops.saturating_mul(REPLAY_EVENTS_PER_OP);
                replay.events_max = Some(replay.events_max.map_or(most, |events| events.min(most)));
            }
            Model::Replay(_) => {}
            Model::Phases(phases) => {
                for step in &mut phases.steps {
                    match &mut step.action {
                        Action::Churn(churn) => churn.ops = scale(churn.ops),
                        Action::Threads(churn) => churn.starts = scale(churn.starts),
                        Action::Idle(_) | Action::Burst { .. } => {}
                    }
                }
            }
        }
        scaled
    }
}
