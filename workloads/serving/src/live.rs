//! Counts the bytes that a program holds, as it asked for them: what no allocator can be blamed for.
//!
//! [`Counting`] forwards to the system's `malloc`, which a preloaded library may serve. Each thread adds to a number of
//! its own and publishes it when it passes [`PUBLISH_BYTES`], so counting costs a thread-local addition a call. The sum
//! is exact to that many bytes a thread, running or ended.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering};

/// Bytes that a thread may hold back: small beside a server's live megabytes, large beside a small block.
pub const PUBLISH_BYTES: i64 = 1024;

/// Relaxed throughout: a sum that publishes nothing but itself.
static LIVE_BYTES: AtomicI64 = AtomicI64::new(0);

thread_local! {
    static PENDING_BYTES: Cell<i64> = const { Cell::new(0) };
}

/// Bytes live now.
pub fn live_bytes() -> u64 {
    u64::try_from(LIVE_BYTES.load(Ordering::Relaxed)).unwrap_or(0)
}

#[inline]
fn count(bytes: i64) {
    // A constant initialiser and no destructor: usable at any time in a thread's life.
    PENDING_BYTES.with(|pending| {
        let sum = pending.get() + bytes;
        if sum.abs() < PUBLISH_BYTES {
            pending.set(sum);
        } else {
            pending.set(0);
            LIVE_BYTES.fetch_add(sum, Ordering::Relaxed);
        }
    });
}

/// The system's allocator, counted.
pub struct Counting;

// SAFETY: every call is forwarded unchanged to `System`, which fulfils the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: the caller's contract is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: the caller's contract is the same.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        count(bytes as i64 - layout.size() as i64);
        // SAFETY: the caller's contract is the same.
        unsafe { System.realloc(block, layout, bytes) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        // SAFETY: the caller's contract is the same.
        unsafe { System.dealloc(block, layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_lags_by_less_than_the_limit_a_thread() {
        let before = live_bytes() as i64;
        let layout = Layout::from_size_align(300, 8).unwrap();
        // SAFETY: a layout of non-zero size.
        let blocks: Vec<*mut u8> = (0..1000).map(|_| unsafe { Counting.alloc(layout) }).collect();
        let held = live_bytes() as i64 - before;
        assert!((300_000 - PUBLISH_BYTES..=300_000).contains(&held), "{held}");
        for block in blocks {
            // SAFETY: allocated above with this layout.
            unsafe { Counting.dealloc(block, layout) };
        }
        let left = live_bytes() as i64 - before;
        assert!(left.abs() <= PUBLISH_BYTES, "{left}");
    }
}
