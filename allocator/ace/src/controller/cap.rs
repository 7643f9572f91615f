//! CAP: magazine capacity and batch of each class against a miss-rate target, within the budget.
//!
//! The miss rate is WARM events per thousand blocks they move. A busy class above the target doubles its capacity, one
//! step at a time; the step is a canary, taken back if the rate does not fall by a tenth, and then not tried again for a
//! while that doubles with each failure. A class that rests, or any when the budget is tight, gives steps back. A class
//! that only refills takes whole magazines. Pure: state, observation → steps.

use super::observation::{CLASSES, ClassSeen, Observation};
use crate::learned::SLOTS_SHIFT_MAX;

/// Events per thousand blocks above which a class is worth more capacity.
const TARGET_PER_MILLE: u32 = 10;
/// Events a second below which a class's misses do not matter.
const BUSY_PER_SECOND: u32 = 500;
/// Events a second below which a class rests.
const REST_PER_SECOND: u32 = 50;
/// Time between two steps of a class, and how long it must rest before it gives one back.
const COOLDOWN_MS: u32 = 300;
const REST_MS: u32 = 2000;
/// First wait after a step that did not help, and the longest.
const HOLD_MS: u32 = 5000;
const HOLD_MS_MAX: u32 = 600_000;
/// Looks in a row that must agree before the batch changes.
const BATCH_LOOKS: u8 = 3;
/// Refills to one flush from which a class counts as refilling only.
const ONE_SIDED: u32 = 8;

/// What CAP remembers of a class.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClassState {
    /// Doublings of capacity.
    pub shift: i8,
    /// Refills take the whole magazine.
    pub whole: bool,
    /// Rate before the step under trial; 0 if none is.
    trial_rate: u32,
    /// Time that must pass before the next step up.
    wait_ms: u32,
    /// The next wait after a failure.
    hold_ms: u32,
    rested_ms: u32,
    one_sided: u8,
}

/// Why a class changed; the log's words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// The miss rate is above the target.
    MissRate,
    /// A step did not lower the miss rate.
    NoEffect,
    /// The class rests.
    Rest,
    /// The budget is tight.
    Tight,
    /// The class only refills, or no longer.
    Sides,
}

impl Why {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Why::MissRate => "miss_rate",
            Why::NoEffect => "no_effect",
            Why::Rest => "rest",
            Why::Tight => "tight",
            Why::Sides => "sides",
        }
    }
}

/// CAP's memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cap {
    /// By class.
    pub classes: [ClassState; CLASSES],
}

impl Cap {
    /// Nothing learned.
    pub const fn new() -> Cap {
        const FRESH: ClassState = ClassState {
            shift: 0,
            whole: false,
            trial_rate: 0,
            wait_ms: 0,
            hold_ms: HOLD_MS,
            rested_ms: 0,
            one_sided: 0,
        };
        Cap { classes: [FRESH; CLASSES] }
    }

    /// One tick; `changed` is told of each step: class, state before and after, why.
    pub fn step(&mut self, seen: &Observation, mut changed: impl FnMut(usize, ClassState, ClassState, Why)) {
        let tight = seen.refusals != 0 || seen.granted_bytes > seen.budget_bytes / 8 * 7;
        let room = seen.granted_bytes <= seen.budget_bytes / 4 * 3 && seen.refusals == 0;
        for (i, (state, class)) in self.classes.iter_mut().zip(&seen.classes).enumerate().skip(1) {
            let before = *state;
            if let Some(why) = state.step(class, seen.elapsed_ms.max(1), tight, room) {
                changed(i, before, *state, why);
            }
            let before = *state;
            if state.side(class) {
                changed(i, before, *state, Why::Sides);
            }
        }
    }
}

impl Default for Cap {
    fn default() -> Self {
        Cap::new()
    }
}

fn per_second(events: u32, elapsed_ms: u32) -> u32 {
    (u64::from(events) * 1000 / u64::from(elapsed_ms)).min(u64::from(u32::MAX)) as u32
}

fn per_mille(seen: &ClassSeen) -> u32 {
    (u64::from(seen.events()) * 1000 / u64::from(seen.moved.max(1))).min(u64::from(u32::MAX)) as u32
}

impl ClassState {
    fn step(&mut self, seen: &ClassSeen, elapsed_ms: u32, tight: bool, room: bool) -> Option<Why> {
        let (busy, rate) = (per_second(seen.events(), elapsed_ms), per_mille(seen));
        self.wait_ms = self.wait_ms.saturating_sub(elapsed_ms);
        self.rested_ms = if busy < REST_PER_SECOND { self.rested_ms.saturating_add(elapsed_ms) } else { 0 };
        if self.shift > 0 && (tight || self.rested_ms >= REST_MS) {
            let why = if tight { Why::Tight } else { Why::Rest };
            self.shift -= 1;
            (self.trial_rate, self.rested_ms) = (0, 0);
            // Freed budget must not be taken again at once.
            self.wait_ms = self.wait_ms.max(HOLD_MS);
            return Some(why);
        }
        if busy < BUSY_PER_SECOND || self.wait_ms != 0 {
            return None;
        }
        if self.trial_rate != 0 {
            let failed = rate > self.trial_rate / 10 * 9;
            self.trial_rate = 0;
            if failed {
                self.shift -= 1;
                self.wait_ms = self.hold_ms;
                self.hold_ms = self.hold_ms.saturating_mul(2).min(HOLD_MS_MAX);
                return Some(Why::NoEffect);
            }
            self.hold_ms = HOLD_MS;
        }
        if rate > TARGET_PER_MILLE && room && self.shift < SLOTS_SHIFT_MAX {
            self.trial_rate = rate;
            self.shift += 1;
            self.wait_ms = COOLDOWN_MS;
            return Some(Why::MissRate);
        }
        None
    }

    /// Turns whole batches on or off; true if it did.
    fn side(&mut self, seen: &ClassSeen) -> bool {
        if seen.events() == 0 {
            return false;
        }
        let one_sided = seen.refills > seen.flushes.saturating_mul(ONE_SIDED).max(ONE_SIDED);
        self.one_sided = if one_sided == self.whole { 0 } else { self.one_sided + 1 };
        if self.one_sided < BATCH_LOOKS {
            return false;
        }
        self.one_sided = 0;
        self.whole = one_sided;
        true
    }
}
