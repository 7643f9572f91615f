//! Huge blocks: mappings of their own, from above 1 MiB or for alignments that no superslab gives.
//!
//! Owns a hash table from address to length and a small cache of freed mappings, reused while they are warm and
//! unmapped after the purge delay, by whoever calls in. Growth is `mremap`: no copying. One lock, never held over a
//! system call that maps or unmaps. Any thread.

use crate::config::{self, Knob};
use crate::meta;
use crate::pal;
use crate::sync::{AtomicUsize, Lock, Ordering};
use crate::units::PAGE_BYTES;
use core::ptr;

/// Freed mappings kept at most.
const CACHE_ENTRIES: usize = 16;
/// Their bytes at most.
const CACHE_BYTES_MAX: usize = 64 << 20;
/// A cached mapping serves requests down to this fraction of it whole, so that waste stays below 1.25; for smaller ones
/// it is cut.
const FIT: (usize, usize) = (4, 5);
const TABLE_ENTRIES_MIN: usize = 256;

#[derive(Clone, Copy)]
struct Record {
    address: usize,
    bytes: usize,
}

#[derive(Clone, Copy)]
struct Cached {
    record: Record,
    freed_ms: u64,
}

const NOTHING: Record = Record { address: 0, bytes: 0 };

struct Huge {
    table: usize,
    capacity: usize,
    len: usize,
    cache: [Cached; CACHE_ENTRIES],
    cached_bytes: usize,
}

static HUGE: Lock<Huge> = Lock::new(Huge {
    table: 0,
    capacity: 0,
    len: 0,
    cache: [Cached { record: NOTHING, freed_ms: 0 }; CACHE_ENTRIES],
    cached_bytes: 0,
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

    /// The smallest cached mapping that is large enough, cut to size if it is far too large; else, if the caller can
    /// let it grow, the largest.
    fn take_cached(&mut self, bytes: usize, align: usize) -> Option<Record> {
        let kept = self.cache.iter().enumerate().filter(|(_, c)| c.record.address != 0);
        let fits =
            kept.clone().filter(|(_, c)| c.record.bytes >= bytes && c.record.address.is_multiple_of(align));
        let grows = kept.filter(|_| align == PAGE_BYTES);
        let (i, _) =
            fits.min_by_key(|(_, c)| c.record.bytes).or_else(|| grows.max_by_key(|(_, c)| c.record.bytes))?;
        let found = self.cache[i].record;
        let cut = found.bytes / FIT.1 * FIT.0 > bytes;
        let taken = Record { address: found.address, bytes: if cut { bytes } else { found.bytes } };
        let rest = Record { address: found.address + taken.bytes, bytes: found.bytes - taken.bytes };
        self.cache[i].record = if cut { rest } else { NOTHING };
        self.cached_bytes -= taken.bytes;
        Some(taken)
    }

    /// Keeps a freed mapping if there is room; else the caller unmaps it.
    fn put_cached(&mut self, record: Record, freed_ms: u64) -> bool {
        if self.cached_bytes + record.bytes > CACHE_BYTES_MAX {
            return false;
        }
        let Some(slot) = self.cache.iter_mut().find(|c| c.record.address == 0) else { return false };
        *slot = Cached { record, freed_ms };
        self.cached_bytes += record.bytes;
        true
    }
}

/// A mapping of at least `bytes` at a multiple of `align`; zeroed if asked. 0 if there is no memory.
pub fn alloc(bytes: usize, align: usize, zero: bool) -> usize {
    let Some(padded) = bytes.checked_add(PAGE_BYTES - 1) else { return 0 };
    let bytes = padded & !(PAGE_BYTES - 1);
    let align = align.max(PAGE_BYTES);
    let cached = HUGE.lock().take_cached(bytes, align);
    let Some(record) = cached.and_then(|r| fit(r, bytes, zero)).or_else(|| fresh(bytes, align)) else {
        return 0;
    };
    let mut huge = HUGE.lock();
    if !huge.grow() {
        drop(huge);
        release(record);
        return 0;
    }
    huge.insert(record);
    LIVE_BYTES.fetch_add(record.bytes, Ordering::Relaxed);
    record.address
}

fn fresh(bytes: usize, align: usize) -> Option<Record> {
    pal::map_aligned(bytes, align).map(|address| Record { address, bytes })
}

/// Makes a mapping taken from the cache ready: grown by `mremap` if it is too small, its old part zeroed if asked.
fn fit(old: Record, bytes: usize, zero: bool) -> Option<Record> {
    CACHED_BYTES.fetch_sub(old.bytes, Ordering::Relaxed);
    let mut record = old;
    if old.bytes < bytes {
        let Some(address) = pal::remap(old.address, old.bytes, bytes, true) else {
            release(old);
            return None;
        };
        record = Record { address, bytes };
    }
    if zero {
        // SAFETY: the mapping was nobody's and is now this caller's; what was grown reads as zeros.
        unsafe { ptr::with_exposed_provenance_mut::<u8>(record.address).write_bytes(0, old.bytes) };
    }
    Some(record)
}

/// Frees the block at `address`; false if no huge block starts there.
pub fn free(address: usize) -> bool {
    let mut huge = HUGE.lock();
    let Some(r) = huge.remove(address) else { return false };
    LIVE_BYTES.fetch_sub(r.bytes, Ordering::Relaxed);
    if config::get(Knob::PurgeDelayMs) != 0 && huge.put_cached(r, pal::now_ms()) {
        CACHED_BYTES.fetch_add(r.bytes, Ordering::Relaxed);
        return true;
    }
    drop(huge);
    release(r);
    true
}

fn release(r: Record) {
    if !pal::unmap(r.address, r.bytes) {
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
    let removed = HUGE.lock().remove(address);
    let Some(old) = removed else { return 0 };
    // While the record is out of the table nobody else may touch the block: it is the caller's.
    let moved = pal::remap(address, old.bytes, bytes, may_move);
    let new = moved.map_or(old, |address| Record { address, bytes });
    let mut huge = HUGE.lock();
    if !huge.grow() && (huge.len + 1) >= huge.capacity {
        crate::fail::die("no memory for the table of huge blocks", address);
    }
    huge.insert(new);
    LIVE_BYTES.fetch_add(new.bytes, Ordering::Relaxed);
    LIVE_BYTES.fetch_sub(old.bytes, Ordering::Relaxed);
    if moved.is_some() { new.address } else { 0 }
}

/// Unmaps cached mappings freed no later than `idle_since_ms`; returns bytes.
pub fn purge(idle_since_ms: u64) -> usize {
    let mut bytes = 0;
    loop {
        let mut huge = HUGE.lock();
        let found = huge.cache.iter().position(|c| c.record.address != 0 && c.freed_ms <= idle_since_ms);
        let Some(i) = found else { return bytes };
        let r = huge.cache[i].record;
        huge.cache[i].record = NOTHING;
        huge.cached_bytes -= r.bytes;
        drop(huge);
        CACHED_BYTES.fetch_sub(r.bytes, Ordering::Relaxed);
        bytes += r.bytes;
        release(r);
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
