//! Which heaps rest, and what is worth doing about it.
//!
//! A heap rests when its WARM clock has stood still for the wait. It is emptied once; if it is used again soon after, the
//! wait doubles, so that a thread which works a little now and then is left alone. Pure: state, clock → action.

/// Most doublings of the wait.
const PATIENCE_MAX: u8 = 6;
/// Used again within this many waits after it was emptied: too soon.
const SOON_WAITS: u64 = 4;

/// What is remembered of a heap.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Idle {
    /// WARM clock at the last look.
    pub ticks_seen: u32,
    /// When it was first seen at this value.
    pub since_ms: u64,
    /// The heap was emptied and has not been used since.
    pub is_emptied: bool,
    /// When, if `is_emptied`.
    pub emptied_ms: u64,
    /// Doublings of the wait.
    pub patience: u8,
}

/// What to do with a heap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Nothing: it is in use, or has been emptied.
    Leave,
    /// Nothing yet: it may come to rest.
    Wait,
    /// Empty its magazines, drain and purge it.
    Empty,
}

impl Idle {
    /// One look at a heap whose WARM clock shows `ticks`.
    pub fn look(&mut self, ticks: u32, now_ms: u64, wait_ms: u64) -> Action {
        if ticks != self.ticks_seen {
            let soon = now_ms.saturating_sub(self.emptied_ms) < (wait_ms << self.patience) * SOON_WAITS;
            self.patience = match (self.is_emptied, soon) {
                (true, true) => (self.patience + 1).min(PATIENCE_MAX),
                (true, false) => 0,
                _ => self.patience,
            };
            (self.ticks_seen, self.since_ms, self.is_emptied) = (ticks, now_ms, false);
            return Action::Wait;
        }
        if self.is_emptied {
            return Action::Leave;
        }
        if now_ms.saturating_sub(self.since_ms) < wait_ms << self.patience {
            Action::Wait
        } else {
            Action::Empty
        }
    }

    /// The heap was emptied in part: another try after another wait.
    pub fn again(&mut self, now_ms: u64) {
        self.since_ms = now_ms;
    }

    /// The heap was emptied.
    pub fn emptied(&mut self, now_ms: u64) {
        (self.is_emptied, self.emptied_ms) = (true, now_ms);
    }
}
