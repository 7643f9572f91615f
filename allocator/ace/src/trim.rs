//! Returning memory: on demand, and when it has been free for the purge delay.
//!
//! No thread of its own: `expire` is called by whoever passes in WARM and looks at the clock; `trim` is the user's.

use crate::config::{self, Knob};
use crate::heap::{orphan, purge};
use crate::huge;
use crate::pal;
use crate::superslab::pool;
use crate::sync::{AtomicU64, Ordering};
use crate::units::PAGE_BYTES;

/// FREE superslabs that expiry leaves, so that a program at its floor does not map and unmap one for ever.
const RESERVE: usize = 1;

/// When expiry ran last, in milliseconds.
static LAST_MS: AtomicU64 = AtomicU64::new(0);

/// Returns what has been free for the purge delay, at most twice a delay and by one thread at a time.
pub fn expire() {
    let delay = config::get(Knob::PurgeDelayMs);
    if delay == u64::MAX {
        return;
    }
    let now = pal::now_ms();
    let last = LAST_MS.load(Ordering::Relaxed);
    // Relaxed: the exchange elects who works; nothing is published by it.
    if now.wrapping_sub(last) < delay / 2
        || LAST_MS.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_err()
    {
        return;
    }
    let since = now.saturating_sub(delay);
    huge::purge(since);
    pool::purge(since, RESERVE);
}

/// Returns all free memory of the process that can be reached: the caller's cache, every heap not in use at this
/// moment, orphans, free slabs, cached mappings. Bytes returned, as advised to the system.
pub fn trim() -> usize {
    crate::front::lifecycle::flush_own();
    orphan::sweep_orphans();
    let pages = purge::trim_all();
    pages * PAGE_BYTES + huge::purge(u64::MAX) + pool::purge(u64::MAX, 0)
}
