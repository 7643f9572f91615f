//! A recording and failing stand-in before the system calls that can fail.
//!
//! Off by default: then each call costs one relaxed load, on paths that enter the kernel anyway. A test arms it with
//! the ordinal of the first call to fail and how many fail; the rest pass through to the kernel, so that what survives
//! the failure is exercised on real memory. Counts are for assertions on what was mapped and purged. Global to the
//! process: a test that arms it runs alone in its binary or serialises itself.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The calls that can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// A new mapping.
    Map,
    /// A mapping given back.
    Unmap,
    /// A mapping resized.
    Remap,
    /// Pages dropped inside a mapping.
    Purge,
}

const CALLS: usize = 4;

// Relaxed throughout: counters and switches of a single test thread, or statistics; nothing is published by them.
static ARMED: AtomicBool = AtomicBool::new(false);
static ORDINAL: AtomicU64 = AtomicU64::new(0);
static FAIL_FROM: AtomicU64 = AtomicU64::new(u64::MAX);
static FAIL_UNTIL: AtomicU64 = AtomicU64::new(u64::MAX);
static COUNT: [AtomicU64; CALLS] = [const { AtomicU64::new(0) }; CALLS];
static BYTES: [AtomicU64; CALLS] = [const { AtomicU64::new(0) }; CALLS];

/// Starts recording; calls number `from` up to and not including `until` (from 0, of all kinds together) fail.
pub fn arm(from: u64, until: u64) {
    ORDINAL.store(0, Ordering::Relaxed);
    for i in 0..CALLS {
        COUNT[i].store(0, Ordering::Relaxed);
        BYTES[i].store(0, Ordering::Relaxed);
    }
    FAIL_FROM.store(from, Ordering::Relaxed);
    FAIL_UNTIL.store(until, Ordering::Relaxed);
    ARMED.store(true, Ordering::Relaxed);
}

/// Stops failing and recording; returns how many calls there were since `arm`.
pub fn disarm() -> u64 {
    ARMED.store(false, Ordering::Relaxed);
    ORDINAL.load(Ordering::Relaxed)
}

/// How many calls of this kind passed since `arm`, and their bytes.
pub fn passed(call: Call) -> (u64, u64) {
    (COUNT[call as usize].load(Ordering::Relaxed), BYTES[call as usize].load(Ordering::Relaxed))
}

#[inline]
pub(super) fn fails(call: Call, bytes: usize) -> bool {
    ARMED.load(Ordering::Relaxed) && decide(call, bytes)
}

#[cold]
fn decide(call: Call, bytes: usize) -> bool {
    let ordinal = ORDINAL.fetch_add(1, Ordering::Relaxed);
    if ordinal >= FAIL_FROM.load(Ordering::Relaxed) && ordinal < FAIL_UNTIL.load(Ordering::Relaxed) {
        return true;
    }
    COUNT[call as usize].fetch_add(1, Ordering::Relaxed);
    BYTES[call as usize].fetch_add(bytes as u64, Ordering::Relaxed);
    false
}
