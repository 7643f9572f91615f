//! Pressure: how near memory is to its limit, in three levels with hysteresis.
//!
//! Rises at once, falls one level at a time after the cause has been gone for a while. Pure: state, scarcity → level.

use super::observation::Scarcity;

/// Per cent of the limit at which a level begins, and below which it may end.
const ENTER_PERCENT: [u64; 2] = [85, 95];
const LEAVE_PERCENT: [u64; 2] = [75, 88];
/// Stall (PSI, hundredths of a per cent) at which a level begins, and below which it may end.
const ENTER_STALL: [u32; 2] = [500, 2000];
const LEAVE_STALL: [u32; 2] = [100, 500];
/// How long a level lasts at least.
const HOLD_MS: u32 = 2000;

/// The level's memory.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pressure {
    /// 0 none, 1 memory is scarce, 2 memory is nearly gone.
    pub level: u8,
    calm_ms: u32,
}

impl Pressure {
    /// No pressure.
    pub const fn new() -> Pressure {
        Pressure { level: 0, calm_ms: 0 }
    }

    /// One tick; the level before if it changed.
    pub fn step(&mut self, seen: &Scarcity, elapsed_ms: u32) -> Option<u8> {
        let before = self.level;
        let percent = match seen.limit_bytes {
            0 => 0,
            limit => (u128::from(seen.current_bytes) * 100 / u128::from(limit)).min(1000) as u64,
        };
        let entered = |i: usize| percent >= ENTER_PERCENT[i] || seen.stall_basis_points >= ENTER_STALL[i];
        let wanted = u8::from(entered(0)).max(if entered(1) { 2 } else { 0 });
        if wanted > self.level {
            (self.level, self.calm_ms) = (wanted, 0);
        } else if self.level != 0 {
            let i = usize::from(self.level) - 1;
            let calm = percent < LEAVE_PERCENT[i] && seen.stall_basis_points < LEAVE_STALL[i];
            self.calm_ms = if calm { self.calm_ms.saturating_add(elapsed_ms) } else { 0 };
            if self.calm_ms >= HOLD_MS {
                (self.level, self.calm_ms) = (self.level - 1, 0);
            }
        }
        (self.level != before).then_some(before)
    }

    /// Halvings of the cache budget, doublings of the purge delay.
    pub fn shifts(&self) -> (u32, i32) {
        match self.level {
            0 => (0, 0),
            1 => (1, -2),
            _ => (3, -10),
        }
    }
}
