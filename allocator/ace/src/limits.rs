//! The memory limit: a soft one that returns memory before more is taken, a hard one that refuses.
//!
//! Both are compared with [`committed_bytes`], the sum of pages that may be resident. Asked before a slab, a run or a
//! mapping is taken, so a program can pass the hard limit by what its slabs in use still have free. Any thread; a heap's
//! word may be held, the pool's lock may not.

use crate::config::{self, Knob};
use crate::controller::{self, Event};
use crate::huge;
use crate::superslab::{pages, pool};

/// Pages of slabs and runs that may be resident, live huge blocks and cached ones.
pub fn committed_bytes() -> usize {
    let (live, cached) = huge::totals();
    pages::committed_bytes() + live + cached
}

/// Whether `bytes` more may be taken; above a limit, free slabs and cached mappings are returned first.
#[inline]
pub fn admit(bytes: usize) -> bool {
    let (soft, hard) =
        (config::get(Knob::LimitSoftBytes) as usize, config::get(Knob::LimitHardBytes) as usize);
    if soft | hard == 0 {
        return true;
    }
    admit_within(bytes, soft, hard)
}

#[cold]
fn admit_within(bytes: usize, soft: usize, hard: usize) -> bool {
    let lowest = match (soft, hard) {
        (0, limit) | (limit, 0) => limit,
        (soft, hard) => soft.min(hard),
    };
    if committed_bytes().saturating_add(bytes) > lowest {
        controller::tell(Event::Limited);
        huge::purge(u64::MAX);
        pool::purge(u64::MAX, 0);
    }
    hard == 0 || committed_bytes().saturating_add(bytes) <= hard
}
