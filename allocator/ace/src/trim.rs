//! Returning memory: on demand, and when it has been free for the purge delay.
//!
//! No thread of its own: `expire` (by time) and `balance` (by amount) are called by whoever passes in WARM; `trim` is the
//! user's.

use crate::config::{self, Knob};
use crate::heap::{orphan, purge, table};
use crate::huge;
use crate::pal;
use crate::superslab::{large, pages, pool};
use crate::sync::{AtomicU64, AtomicUsize, Ordering};
use crate::units::{PAGE_BYTES, SUPERSLAB_BYTES};

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

/// Excess (committed less live bytes) that is never worth a sweep; what small programs keep.
const EXCESS_MIN_BYTES: usize = 16 << 20;
/// A sweep must have this share of committed bytes to gain over what the last one left.
const GAIN_SHARE: usize = 8;

/// Excess that the last sweep could not return, or less if it has shrunk since.
static EXCESS_LEFT: AtomicUsize = AtomicUsize::new(0);

/// Bytes of blocks, runs and cached blocks in use, as far as heaps can tell.
fn live_bytes() -> usize {
    table::all().map(|heap| heap.out_bytes()).sum::<usize>() + large::live_bytes()
}

/// Purges free slabs and free pages of live slabs when committed bytes have passed the configured percentage of live
/// ones: by amount, not by time. Sweeps are spaced by growth of the excess, so that their cost is a share of what was
/// freed. Caller holds no word.
pub fn balance() {
    let percent = config::get(Knob::PurgePercent) as usize;
    if percent == 0 {
        return;
    }
    let (live, committed) = (live_bytes(), pages::committed_bytes());
    let excess = committed.saturating_sub(live);
    // Relaxed: a threshold; two threads that pass it at once sweep twice.
    let left = EXCESS_LEFT.load(Ordering::Relaxed);
    if excess < left {
        EXCESS_LEFT.store(excess, Ordering::Relaxed);
        return;
    }
    if committed <= live / 100 * percent || excess < left + (committed / GAIN_SHARE).max(EXCESS_MIN_BYTES) {
        return;
    }
    pool::purge(u64::MAX, pool::RESERVE_MIN);
    if config::on(Knob::IdleTrim) {
        purge::purge_all_pages();
    }
    EXCESS_LEFT.store(pages::committed_bytes().saturating_sub(live), Ordering::Relaxed);
}

/// Returns all free memory of the process that can be reached: the caller's cache, every heap not in use at this
/// moment, orphans, free slabs, cached mappings. Bytes returned, as advised to the system.
pub fn trim() -> usize {
    trim_keeping(0)
}

/// As [`trim`], but leaves `keep_bytes` in FREE superslabs, rounded up to whole ones, as far as there are any.
pub fn trim_keeping(keep_bytes: usize) -> usize {
    crate::front::lifecycle::flush_own();
    orphan::sweep_orphans();
    let pages = purge::trim_all();
    let spared = keep_bytes.div_ceil(SUPERSLAB_BYTES);
    pages * PAGE_BYTES + huge::purge(u64::MAX) + pool::purge_sparing(u64::MAX, spared, spared)
}
