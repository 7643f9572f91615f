//! Huge blocks: mappings of their own, from above 1 MiB or for alignments that no superslab gives.
//!
//! Owns a hash table from address to length and a set of freed ranges (`extents`), reused while they are warm and
//! unmapped after the purge delay, by whoever calls in. A range may span several mappings of the system, which unmaps
//! any range but grows and moves (`mremap`: no copying) only what lies in one; where it refuses, callers copy. One lock,
//! never held over a system call that maps or unmaps. Any thread.

use crate::config::{self, Knob};
use crate::extents::{Extent as Record, Extents, NONE as NOTHING};
use crate::meta;
use crate::pal;
use crate::sync::{AtomicUsize, Lock, Ordering};
use crate::units::PAGE_BYTES;
use core::ptr;

/// Bytes of freed ranges kept at most.
const CACHE_BYTES_MAX: usize = 64 << 20;
/// Live and kept bytes together stay below the highest live bytes of late and this share of them: what a program needed
/// a moment ago it may keep for its next demand, and its peak grows by no more.
const SLACK_SHARE: usize = 8;
/// The same for programs with little live.
const SLACK_BYTES_MIN: usize = 4 << 20;
/// A kept range serves requests down to this fraction of it whole, so that waste stays below 1.25; for smaller ones it is cut.
const FIT: (usize, usize) = (4, 5);
const TABLE_ENTRIES_MIN: usize = 256;

struct Huge {
    table: usize,
    capacity: usize,
    len: usize,
    /// Bytes of live blocks, and their highest sum; that falls with every purge.
    live_bytes: usize,
    live_bytes_high: usize,
    cache: Extents,
}

static HUGE: Lock<Huge> = Lock::new(Huge {
    table: 0,
    capacity: 0,
    len: 0,
    live_bytes: 0,
    live_bytes_high: 0,
    cache: Extents::new(),
});

// Relaxed: statistics and limits, which take an estimate.
static LIVE_BYTES: AtomicUsize = AtomicUsize::new(0);
static CACHED_BYTES: AtomicUsize = AtomicUsize::new(0);

/// Bytes of live and of cached mappings.
pub fn totals() -> (usize, usize) {
    (LIVE_BYTES.load(Ordering::Relaxed), CACHED_BYTES.load(Ordering::Relaxed))
}

/// Live huge blocks.
pub fn blocks() -> usize {
    HUGE.lock().len
}

impl Huge {
    fn slot(&self, i: usize) -> *mut Record {
        debug_assert!(i < self.capacity);
        // SAFETY: the table has `capacity` records and i is below it.
        unsafe { ptr::with_exposed_provenance_mut::<Record>(self.table).add(i) }
    }

    fn record(&self, i: usize) -> Record {
        // SAFETY: `slot` gives a record inside the table, guarded by the lock.
        unsafe { self.slot(i).read() }
    }

    fn set(&mut self, i: usize, r: Record) {
        // SAFETY: as in `record`.
        unsafe { self.slot(i).write(r) }
    }

    fn home(&self, address: usize) -> usize {
        let mixed = ((address / PAGE_BYTES) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as usize & (self.capacity - 1)
    }

    fn find(&self, address: usize) -> Option<usize> {
        if self.capacity == 0 {
            return None;
        }
        let mut i = self.home(address);
        loop {
            match self.record(i).address {
                0 => return None,
                a if a == address => return Some(i),
                _ => i = (i + 1) & (self.capacity - 1),
            }
        }
    }

    /// Makes room for one more record; at most half of the table is in use.
    fn grow(&mut self) -> bool {
        if (self.len + 1) * 2 <= self.capacity {
            return true;
        }
        let capacity = (self.capacity * 2).max(TABLE_ENTRIES_MIN);
        let bytes = capacity * size_of::<Record>();
        let Some(table) = meta::alloc(bytes) else { return false };
        // SAFETY: a piece of `bytes` bytes that nobody else knows.
        unsafe { ptr::with_exposed_provenance_mut::<u8>(table).write_bytes(0, bytes) };
        let old = (self.table, self.capacity);
        (self.table, self.capacity, self.len) = (table, capacity, 0);
        for i in 0..old.1 {
            // SAFETY: the old table has old.1 records and is still ours.
            let r = unsafe { ptr::with_exposed_provenance::<Record>(old.0).add(i).read() };
            if r.address != 0 {
                self.insert(r);
            }
        }
        if old.1 != 0 {
            meta::free(old.0, old.1 * size_of::<Record>());
        }
        true
    }

    /// Adds a record; `grow` has made room.
    fn insert(&mut self, r: Record) {
        let mut i = self.home(r.address);
        while self.record(i).address != 0 {
            i = (i + 1) & (self.capacity - 1);
        }
        self.set(i, r);
        self.len += 1;
    }

    /// Removes the record of `address`, closing the gap so that probes need no tombstones.
    fn remove(&mut self, address: usize) -> Option<Record> {
        let mut gap = self.find(address)?;
        let removed = self.record(gap);
        let mask = self.capacity - 1;
        let mut i = (gap + 1) & mask;
        loop {
            let r = self.record(i);
            if r.address == 0 {
                break;
            }
            // Move r back if its probe started at or before the gap (cyclically).
            if (i.wrapping_sub(self.home(r.address)) & mask) >= (i.wrapping_sub(gap) & mask) {
                self.set(gap, r);
                gap = i;
            }
            i = (i + 1) & mask;
        }
        self.set(gap, NOTHING);
        self.len -= 1;
        Some(removed)
    }

    /// A range for `bytes`: the smallest kept one that is large enough, cut to size if it is far too large; else, if the
    /// caller can let it grow, the largest. And what is to be unmapped.
    fn take_cached(&mut self, bytes: usize, align: usize) -> (Option<Record>, Record) {
        match self.cache.take_fit(bytes, align) {
            Some(found) => {
                let (taken, surplus) = self.cut(found, bytes);
                (Some(taken), surplus)
            }
            None if align == PAGE_BYTES => (self.cache.take_largest(), NOTHING),
            None => (None, NOTHING),
        }
    }

    /// The first `bytes` of a range that is far too large, whose rest is kept, or all of it; and what is to be unmapped.
    fn cut(&mut self, range: Record, bytes: usize) -> (Record, Record) {
        if range.bytes / FIT.1 * FIT.0 <= bytes {
            return (range, NOTHING);
        }
        let (taken, rest) = range.split(bytes);
        (taken, self.keep(rest))
    }

    /// Adds a block's record; `grow` has made room.
    fn admit(&mut self, r: Record) {
        self.insert(r);
        self.live_bytes += r.bytes;
        self.live_bytes_high = self.live_bytes_high.max(self.live_bytes);
    }

    /// Takes a block's record out.
    fn withdraw(&mut self, address: usize) -> Option<Record> {
        let r = self.remove(address)?;
        self.live_bytes -= r.bytes;
        Some(r)
    }

    /// Bytes by which live and kept ones exceed what may be.
    fn excess(&self) -> usize {
        let most = self.live_bytes_high + (self.live_bytes_high / SLACK_SHARE).max(SLACK_BYTES_MIN);
        (self.live_bytes + self.cache.bytes()).saturating_sub(most)
    }

    /// As much of the range freed first as is too much.
    fn shed(&mut self) -> Record {
        let excess = self.excess();
        if excess == 0 {
            return NOTHING;
        }
        let Some(oldest) = self.cache.take_oldest() else { return NOTHING };
        let (surplus, rest) = oldest.split(excess.next_multiple_of(PAGE_BYTES));
        if rest != NOTHING {
            // The set was no fuller before, so there is room.
            self.cache.put(rest, pal::now_ms());
        }
        surplus
    }

    /// Keeps a freed range; what there is no room for comes back and is to be unmapped.
    fn keep(&mut self, range: Record) -> Record {
        if config::get(Knob::PurgeDelayMs) == 0 || self.cache.bytes() + range.bytes > CACHE_BYTES_MAX {
            return range;
        }
        self.cache.put(range, pal::now_ms())
    }

    /// A block's range made smaller, or larger by kept ones behind it, if that can be; and what is to be unmapped.
    fn resize_in_place(&mut self, old: Record, bytes: usize) -> (Option<Record>, Record) {
        if bytes <= old.bytes {
            let (new, surplus) = self.cut(old, bytes);
            return (Some(new), surplus);
        }
        let Some(next) = self.cache.take_at(old.address + old.bytes, bytes - old.bytes) else {
            return (None, NOTHING);
        };
        let (taken, surplus) = self.cut(next, bytes - old.bytes);
        (Some(Record { address: old.address, bytes: old.bytes + taken.bytes }), surplus)
    }

    /// Runs `f` on the table, publishes what is kept, and unmaps what `f` says with the lock let go.
    fn with<R>(f: impl FnOnce(&mut Huge) -> (R, Record)) -> R {
        let mut huge = HUGE.lock();
        let (found, surplus) = f(&mut huge);
        LIVE_BYTES.store(huge.live_bytes, Ordering::Relaxed);
        CACHED_BYTES.store(huge.cache.bytes(), Ordering::Relaxed);
        drop(huge);
        release(surplus);
        found
    }
}

/// A mapping of at least `bytes` at a multiple of `align`; zeroed if asked. 0 if there is no memory.
pub fn alloc(bytes: usize, align: usize, zero: bool) -> usize {
    let Some(padded) = bytes.checked_add(PAGE_BYTES - 1) else { return 0 };
    let bytes = padded & !(PAGE_BYTES - 1);
    let align = align.max(PAGE_BYTES);
    let cached = Huge::with(|huge| huge.take_cached(bytes, align));
    let Some(record) = cached.and_then(|r| fit(r, bytes, zero)).or_else(|| fresh(bytes, align)) else {
        return 0;
    };
    let is_known = Huge::with(|huge| {
        if !huge.grow() {
            return (false, record);
        }
        huge.admit(record);
        (true, huge.shed())
    });
    if is_known { record.address } else { 0 }
}

fn fresh(bytes: usize, align: usize) -> Option<Record> {
    pal::map_aligned(bytes, align).map(|address| Record { address, bytes })
}

/// Makes a kept range ready: grown by `mremap` if it is too small, its old part zeroed if asked.
fn fit(old: Record, bytes: usize, zero: bool) -> Option<Record> {
    let mut record = old;
    if old.bytes < bytes {
        let Some(address) = pal::remap(old.address, old.bytes, bytes, true) else {
            Huge::with(|huge| ((), huge.keep(old)));
            return None;
        };
        record = Record { address, bytes };
    }
    if zero {
        // SAFETY: the range was nobody's and is now this caller's; what was grown reads as zeros.
        unsafe { ptr::with_exposed_provenance_mut::<u8>(record.address).write_bytes(0, old.bytes) };
    }
    Some(record)
}

/// Frees the block at `address`; false if no huge block starts there.
pub fn free(address: usize) -> bool {
    Huge::with(|huge| {
        let Some(r) = huge.withdraw(address) else { return (false, NOTHING) };
        (true, huge.keep(r))
    })
}

fn release(r: Record) {
    if r != NOTHING && !pal::unmap(r.address, r.bytes) {
        // Address space is lost, memory is not.
        pal::purge(r.address, r.bytes);
    }
}

/// Usable bytes of the block at `address`, or 0 if no huge block starts there.
pub fn usable_bytes(address: usize) -> usize {
    let huge = HUGE.lock();
    huge.find(address).map_or(0, |i| huge.record(i).bytes)
}

/// Resizes the block at `address`, moving it if it must and may; its new address, or 0 if it stands as it was.
pub fn resize(address: usize, bytes: usize, may_move: bool) -> usize {
    let Some(padded) = bytes.checked_add(PAGE_BYTES - 1) else { return 0 };
    let bytes = padded & !(PAGE_BYTES - 1);
    let (found, in_place) = Huge::with(|huge| {
        let Some(old) = huge.withdraw(address) else { return ((NOTHING, None), NOTHING) };
        let (new, surplus) = huge.resize_in_place(old, bytes);
        ((old, new), surplus)
    });
    if found == NOTHING {
        return 0;
    }
    // While the record is out of the table nobody else may touch the block: it is the caller's.
    let moved = || pal::remap(address, found.bytes, bytes, may_move).map(|address| Record { address, bytes });
    let changed = in_place.or_else(moved);
    let new = changed.unwrap_or(found);
    Huge::with(|huge| {
        if !huge.grow() && (huge.len + 1) >= huge.capacity {
            crate::fail::die("no memory for the table of huge blocks", address);
        }
        huge.admit(new);
        ((), huge.shed())
    });
    if changed.is_some() { new.address } else { 0 }
}

/// Unmaps ranges freed no later than `idle_since_ms`; returns bytes.
pub fn purge(idle_since_ms: u64) -> usize {
    let mut bytes = 0;
    Huge::with(|huge| {
        let falling = huge.live_bytes_high - huge.live_bytes_high / SLACK_SHARE;
        huge.live_bytes_high = falling.max(huge.live_bytes);
        ((), NOTHING)
    });
    loop {
        let taken = Huge::with(|huge| {
            let range = huge.cache.take_idle(idle_since_ms).unwrap_or(NOTHING);
            (range.bytes, range)
        });
        if taken == 0 {
            return bytes;
        }
        bytes += taken;
    }
}

/// Holds the table across a fork.
pub fn fork_prepare() {
    HUGE.acquire_raw();
}

/// Ends `fork_prepare`, in parent and child.
pub fn fork_done() {
    // SAFETY: taken in `fork_prepare` on this thread.
    unsafe { HUGE.release_raw() }
}
