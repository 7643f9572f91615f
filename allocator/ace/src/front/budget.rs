//! The budget of all thread caches: one sum, one limit.
//!
//! A magazine is charged its capacity times its block size, whatever it holds at the moment, so the sum bounds what idle
//! threads may keep. Asked before an array grows; given back when one shrinks, when its thread ends, and when it is found
//! at rest. A class's first, smallest array may be had above the limit (the floor in `array`). Any thread, the heap's
//! word held.

use crate::config::{self, Knob};
use crate::learned;
use crate::sync::{AtomicUsize, Ordering};

// Relaxed throughout: a sum that admits or refuses; nothing is published by it.
static GRANTED_BYTES: AtomicUsize = AtomicUsize::new(0);
/// Heaps attached to a thread.
static SHARERS: AtomicUsize = AtomicUsize::new(0);

/// Bytes that all magazines together may be charged.
pub fn limit_bytes() -> usize {
    (config::get(Knob::CacheBudget) >> learned::budget_shift()) as usize
}

/// Bytes charged now.
pub fn granted_bytes() -> usize {
    GRANTED_BYTES.load(Ordering::Relaxed)
}

/// Charges `bytes` more to a heap that is charged `own`: if they fit, or if the heap stays below its share and the sum
/// below twice the limit. So a thread that comes late is served while those above their share yield.
pub fn ask(bytes: usize, own: usize) -> bool {
    let limit = limit_bytes();
    let most = if own + bytes <= share_bytes() { limit.saturating_mul(2) } else { limit };
    // The load spares the line that all threads share where the answer is plain.
    if granted_bytes().saturating_add(bytes) > most {
        return false;
    }
    // Adds first: of two that ask at once for the last bytes both may be refused, never both served.
    let before = GRANTED_BYTES.fetch_add(bytes, Ordering::Relaxed);
    if before.saturating_add(bytes) <= most {
        return true;
    }
    GRANTED_BYTES.fetch_sub(bytes, Ordering::Relaxed);
    false
}

/// Charges a floor, which is never refused.
pub fn charge(bytes: usize) {
    GRANTED_BYTES.fetch_add(bytes, Ordering::Relaxed);
}

/// Takes back what `ask` or `charge` gave.
pub fn give_back(bytes: usize) {
    GRANTED_BYTES.fetch_sub(bytes, Ordering::Relaxed);
}

/// Whether nearly all of the limit is granted, so that those above their share should yield.
pub fn is_tight() -> bool {
    let limit = limit_bytes();
    granted_bytes() > limit - limit / 8
}

/// What each attached thread could have if all had the same.
pub fn share_bytes() -> usize {
    limit_bytes() / SHARERS.load(Ordering::Relaxed).max(1)
}

/// One more thread, or one fewer.
pub fn join() {
    SHARERS.fetch_add(1, Ordering::Relaxed);
}

/// See `join`.
pub fn leave() {
    SHARERS.fetch_sub(1, Ordering::Relaxed);
}

/// A forked child counts the threads that came along.
pub fn sharers_after_fork(n: usize) {
    SHARERS.store(n, Ordering::Relaxed);
}
