//! The policy: (state, observation) → knobs. No clock, no threads, no memory beyond its own state.
//!
//! Puts together [`Cap`], [`Elo`] and [`Pressure`]; each brings its own bounds, hysteresis and cooldown, and their sum is
//! clamped once more where it is published. What changed is told to a [`Journal`], which the worker makes log lines of.

use super::cap::{Cap, Why};
use super::elo::{self, Elo, Strategy};
use super::observation::Observation;
use super::pressure::Pressure;
use crate::learned::{BUDGET_SHIFT_MAX, Knobs, SLOTS_SHIFT_MAX, SLOTS_SHIFT_MIN};

/// One decision.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// CAP moved a class's capacity.
    Slots {
        /// Size class.
        class: u8,
        /// Doublings before.
        from: i8,
        /// Doublings now.
        to: i8,
        /// The reason.
        why: Why,
    },
    /// CAP changed a class's batch.
    Batch {
        /// Size class.
        class: u8,
        /// Refills fill the whole magazine.
        whole: bool,
    },
    /// ELO did something.
    Strategy {
        /// What.
        event: elo::Event,
        /// Who runs from now on.
        runs: Strategy,
        /// Who runs outside duels.
        champion: Strategy,
        /// In the order of [`Strategy`].
        ratings: [i32; 3],
    },
    /// Pressure changed its level.
    Pressure {
        /// Level before.
        from: u8,
        /// Level now.
        to: u8,
    },
}

/// Decisions of one tick that are kept; more are counted.
pub const JOURNAL: usize = 24;

/// What one tick decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Journal {
    entries: [Option<Decision>; JOURNAL],
    len: usize,
    /// Decisions beyond [`JOURNAL`].
    pub omitted: u32,
}

impl Journal {
    /// No decisions.
    pub const fn new() -> Journal {
        Journal { entries: [None; JOURNAL], len: 0, omitted: 0 }
    }

    fn add(&mut self, decision: Decision) {
        match self.entries.get_mut(self.len) {
            Some(slot) => {
                *slot = Some(decision);
                self.len += 1;
            }
            None => self.omitted = self.omitted.saturating_add(1),
        }
    }

    /// In the order they were made.
    pub fn decisions(&self) -> impl Iterator<Item = &Decision> {
        self.entries.iter().flatten()
    }
}

impl Default for Journal {
    fn default() -> Self {
        Journal::new()
    }
}

/// The policy's memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    cap: Cap,
    elo: Elo,
    pressure: Pressure,
}

impl Policy {
    /// Nothing learned; `seed` decides the order of ELO's challengers.
    pub const fn new(seed: u32) -> Policy {
        Policy { cap: Cap::new(), elo: Elo::new(seed), pressure: Pressure::new() }
    }

    /// One tick.
    pub fn step(&mut self, seen: &Observation) -> (Knobs, Journal) {
        let mut journal = Journal::new();
        if let Some(from) = self.pressure.step(&seen.scarcity, seen.elapsed_ms) {
            journal.add(Decision::Pressure { from, to: self.pressure.level });
        }
        self.cap.step(seen, |class, before, after, why| {
            let class = class as u8;
            journal.add(match why {
                Why::Sides => Decision::Batch { class, whole: after.whole },
                why => Decision::Slots { class, from: before.shift, to: after.shift, why },
            });
        });
        if let Some(event) = self.elo.step(seen, self.pressure.level != 0) {
            let (runs, champion, ratings) = (self.elo.current(), self.elo.champion, self.elo.ratings);
            journal.add(Decision::Strategy { event, runs, champion, ratings });
        }
        (self.knobs(), journal)
    }

    /// The pressure level, 0 to 2.
    pub fn pressure_level(&self) -> u8 {
        self.pressure.level
    }

    /// The strategy that runs.
    pub fn strategy(&self) -> Strategy {
        self.elo.current()
    }

    fn knobs(&self) -> Knobs {
        let (slots, purge) = self.elo.current().shifts();
        let (budget_shift, scarce) = self.pressure.shifts();
        let mut knobs = Knobs::NEUTRAL;
        knobs.budget_shift = budget_shift.min(BUDGET_SHIFT_MAX);
        knobs.purge_shift = if scarce == 0 { purge } else { scarce };
        for (i, class) in self.cap.classes.iter().enumerate() {
            knobs.slots_shift[i] = (class.shift + slots).clamp(SLOTS_SHIFT_MIN, SLOTS_SHIFT_MAX);
            knobs.whole_batch[i] = class.whole;
        }
        knobs
    }
}
