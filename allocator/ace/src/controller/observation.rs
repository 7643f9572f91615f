//! What the policy is told, and nothing else: plain numbers over the time since the last tick.

pub use crate::learned::CLASSES;

/// WARM events of one class, of all threads.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct ClassSeen {
    /// Refills of magazines.
    pub refills: u32,
    /// Flushes of magazines.
    pub flushes: u32,
    /// Blocks that both moved.
    pub moved: u32,
}

impl ClassSeen {
    /// Refills and flushes.
    pub fn events(&self) -> u32 {
        self.refills.saturating_add(self.flushes)
    }
}

/// How scarce memory is, as the system says.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Scarcity {
    /// The nearest limit in bytes: control group's or configured; 0 is none.
    pub limit_bytes: u64,
    /// What counts against it now.
    pub current_bytes: u64,
    /// Share of the last 10 s in which some task waited for memory, in hundredths of a per cent (PSI).
    pub stall_basis_points: u32,
}

/// One tick's worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Observation {
    /// Milliseconds since the last tick.
    pub elapsed_ms: u32,
    /// By class.
    pub classes: [ClassSeen; CLASSES],
    /// Bytes charged to magazines, now.
    pub granted_bytes: u64,
    /// What they may be charged as stated.
    pub budget_bytes: u64,
    /// Magazines that could not grow for want of budget.
    pub refusals: u32,
    /// Bytes of blocks out, now.
    pub live_bytes: u64,
    /// Bytes of pages that may be resident, now.
    pub committed_bytes: u64,
    /// Purged bytes that came back.
    pub refaulted_bytes: u64,
    /// System calls that purged.
    pub purge_calls: u32,
    /// How scarce memory is.
    pub scarcity: Scarcity,
}

impl Observation {
    /// Nothing happened for `elapsed_ms`.
    pub const fn quiet(elapsed_ms: u32) -> Observation {
        Observation {
            elapsed_ms,
            classes: [ClassSeen { refills: 0, flushes: 0, moved: 0 }; CLASSES],
            granted_bytes: 0,
            budget_bytes: 0,
            refusals: 0,
            live_bytes: 0,
            committed_bytes: 0,
            refaulted_bytes: 0,
            purge_calls: 0,
            scarcity: Scarcity { limit_bytes: 0, current_bytes: 0, stall_basis_points: 0 },
        }
    }
}
