//! `floor`: the engine that does nothing, so that what remains is the harness's own cost.
//!
//! Each thread bumps a pointer through its window of one `MAP_NORESERVE` region; freeing is empty. [`Engine::expect`] chooses how:
//! - a run that leaves contents alone recycles one small populated window a thread, so that neither page faults nor cache misses
//!   of memory that no allocator would touch are counted as the harness's; live blocks overlap, and
//!   [`Engine::keeps_contents`] says no;
//! - a run that relies on contents, of up to [`PREFAULT_BYTES_MAX`], gets memory that is populated before it starts, and never
//!   wraps.
//!
//! A thread owns its window; windows come from a shared cursor, and leftovers of threads that left from a list.
//! **Proof.** The address lies in the handed-out part of the region, which no one else maps.

use crate::engine::{Engine, Stats};
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// The instance.
pub static FLOOR: Floor = Floor {
    handed_out_bytes: AtomicUsize::new(0),
    recycles: AtomicBool::new(false),
    spare: Mutex::new(Vec::new()),
};

/// Largest run, in bytes, that is served from populated memory without wrapping.
pub const PREFAULT_BYTES_MAX: usize = 1 << 30;

/// Sizes of the region to try, in bytes; the smaller ones are for limits on address space.
const REGION_BYTES: [usize; 4] = [64 << 30, 16 << 30, 4 << 30, 1 << 30];
/// Bytes a thread takes from the region at a time, where nothing is recycled.
const CHUNK_BYTES: usize = 256 << 10;
/// Blocks above this do not come from a thread's chunk, so at most this much of one is left over.
const CHUNKED_BYTES_MAX: usize = CHUNK_BYTES / 4;
/// Bytes of a recycled window: fits a second-level cache, as a thread cache's working set would.
const RECYCLED_BYTES: usize = 256 << 10;
/// Alignment of a fresh window in bytes: a page, so that threads share no cache line.
const WINDOW_ALIGN: usize = 4096;
/// Bytes populated beyond the expected total, for the leftovers of a few threads' chunks.
const PREFAULT_SLACK_BYTES: usize = 16 * CHUNK_BYTES;
/// All requests are below this, so that address arithmetic cannot overflow.
const REQUEST_BYTES_MAX: usize = 1 << 46;

/// The bump allocator.
pub struct Floor {
    /// Bytes of the region given to threads. Written by every thread that takes a window; Relaxed: the
    /// counter hands out disjoint ranges by itself and publishes no data.
    handed_out_bytes: AtomicUsize,
    /// Whether windows wrap. Written by `expect` before the run's threads start, so Relaxed is enough.
    recycles: AtomicBool,
    /// Unused parts of windows whose threads have left.
    spare: Mutex<Vec<Span>>,
}

/// Addresses from `start` up to `limit`.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    limit: usize,
}

impl Span {
    fn len_bytes(self) -> usize {
        self.limit - self.start
    }
}

/// The calling thread's window. Zeroes are a window that has no room.
struct Window {
    next: Cell<usize>,
    limit: Cell<usize>,
    start: Cell<usize>,
}

thread_local! {
    static WINDOW: Window = const { Window { next: Cell::new(0), limit: Cell::new(0), start: Cell::new(0) } };
}

impl Window {
    fn set(&self, span: Span) {
        self.start.set(span.start);
        self.next.set(span.start);
        self.limit.set(span.limit);
    }

    /// The next aligned block, if it fits. Neither sum overflows: the next address and every request are below 2^47.
    #[inline(always)]
    fn bump(&self, size: usize, align: usize) -> Option<usize> {
        let block = self.next.get().wrapping_add(align - 1) & align.wrapping_neg();
        let end = block.wrapping_add(size);
        if end > self.limit.get() {
            return None;
        }
        self.next.set(end);
        Some(block)
    }
}

/// The region that every block comes from, mapped on first use and never unmapped.
fn region() -> Option<Span> {
    static REGION: OnceLock<Option<Span>> = OnceLock::new();
    *REGION.get_or_init(|| REGION_BYTES.into_iter().find_map(map_region))
}

fn map_region(len_bytes: usize) -> Option<Span> {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a fresh anonymous mapping at an address of the kernel's choice touches nothing of ours.
    let start = unsafe { libc::mmap(ptr::null_mut(), len_bytes, protection, flags, -1, 0) };
    let start = (start != libc::MAP_FAILED).then(|| start.expose_provenance())?;
    // SAFETY: the range is the mapping just made. Huge pages would make the floor's faults unlike anyone's.
    unsafe { libc::madvise(ptr::with_exposed_provenance_mut(start), len_bytes, libc::MADV_NOHUGEPAGE) };
    Some(Span { start, limit: start + len_bytes })
}

/// Makes a span of the region resident and writable ahead of its use. Where the kernel cannot, faults stay in the run.
fn populate(span: Span) {
    const PAGE_BYTES_MAX: usize = 64 << 10;
    let start = span.start & !(PAGE_BYTES_MAX - 1);
    // SAFETY: the span lies in the region, whose start is page-aligned; populating changes no contents.
    unsafe {
        libc::madvise(ptr::with_exposed_provenance_mut(start), span.limit - start, libc::MADV_POPULATE_WRITE)
    };
}

impl Floor {
    /// Takes `len_bytes` of the region, aligned to `align`, for good.
    fn take(&self, len_bytes: usize, align: usize) -> Option<Span> {
        let region = region()?;
        let padded_bytes = len_bytes + align;
        let advance = |taken: usize| Some(taken + padded_bytes).filter(|end| *end <= region.len_bytes());
        // Relaxed both ways: see the field.
        let taken = self.handed_out_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, advance).ok()?;
        let start = (region.start + taken).next_multiple_of(align);
        Some(Span { start, limit: start + len_bytes })
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Span>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A window with room for `bytes`: one that a thread left behind, else a fresh one of `fresh_bytes`.
    fn take_window(&self, bytes: usize, fresh_bytes: usize) -> Option<Span> {
        let mut spare = self.spare();
        if let Some(index) = spare.iter().rposition(|span| span.len_bytes() >= bytes) {
            return Some(spare.swap_remove(index));
        }
        drop(spare);
        self.take(fresh_bytes, WINDOW_ALIGN)
    }

    /// Serves the request that did not fit the thread's window.
    #[cold]
    #[inline(never)]
    fn refill(&self, window: &Window, size: usize, align: usize) -> *mut u8 {
        if size >= REQUEST_BYTES_MAX || align >= REQUEST_BYTES_MAX {
            return ptr::null_mut();
        }
        // Relaxed: see the field.
        let block = if self.recycles.load(Ordering::Relaxed) {
            self.refill_recycled(window, size, align)
        } else {
            self.refill_fresh(window, size, align)
        };
        block.map_or(ptr::null_mut(), ptr::with_exposed_provenance_mut)
    }

    /// Big blocks come straight from the region; the thread keeps its chunk for the others.
    fn refill_fresh(&self, window: &Window, size: usize, align: usize) -> Option<usize> {
        let bytes = size + align;
        if bytes > CHUNKED_BYTES_MAX {
            return self.take(size, align).map(|span| span.start);
        }
        window.set(self.take_window(bytes, CHUNK_BYTES)?);
        window.bump(size, align)
    }

    /// Rewinds the window, after replacing it if even the whole of it is too small.
    fn refill_recycled(&self, window: &Window, size: usize, align: usize) -> Option<usize> {
        let bytes = size + align;
        if bytes > window.limit.get() - window.start.get() {
            let fresh_bytes = bytes.next_power_of_two().max(RECYCLED_BYTES);
            let span = self.take_window(fresh_bytes, fresh_bytes)?;
            populate(span);
            window.set(span);
        }
        window.next.set(window.start.get());
        window.bump(size, align)
    }

    /// Populates what a run of `total_bytes` will take from the region.
    fn populate_ahead(&self, total_bytes: usize) {
        let Some(region) = region() else { return };
        // Relaxed: no thread of the run has started.
        let start = region.start + self.handed_out_bytes.load(Ordering::Relaxed);
        // A quarter more covers what chunks leave over before a block that does not fit.
        let len_bytes = total_bytes + total_bytes / 4 + PREFAULT_SLACK_BYTES;
        populate(Span { start, limit: region.limit.min(start + len_bytes) });
    }
}

// SAFETY: a span is handed out once, so windows are disjoint, and so are the blocks bumped through one until it is
// rewound, which `keeps_contents` announces; alignment is by construction. Freeing is empty, so any thread may.
unsafe impl Engine for Floor {
    fn name(&self) -> &'static str {
        "floor"
    }

    fn version(&self) -> String {
        let way = if self.keeps_contents() { "fresh" } else { "recycling" };
        format!("floor {} ({way})", env!("CARGO_PKG_VERSION"))
    }

    unsafe fn alloc(&self, size: usize, align: usize) -> *mut u8 {
        WINDOW.with(|window| match window.bump(size, align) {
            Some(block) => ptr::with_exposed_provenance_mut(block),
            None => self.refill(window, size, align),
        })
    }

    unsafe fn dealloc(&self, _ptr: *mut u8, _size: usize, _align: usize) {}

    unsafe fn realloc(&self, ptr: *mut u8, old_size: usize, align: usize, new_size: usize) -> *mut u8 {
        if new_size <= old_size {
            return ptr;
        }
        // SAFETY: the caller's own contract.
        let new = unsafe { self.alloc(new_size, align) };
        if !new.is_null() {
            // SAFETY: both blocks are this long; a recycled window may make them overlap, which `copy` allows.
            unsafe { ptr::copy(ptr, new, old_size) };
        }
        new
    }

    unsafe fn usable_size(&self, _ptr: *mut u8, size: usize, _align: usize) -> usize {
        size
    }

    fn served(&self, ptr: *const u8) -> bool {
        // Relaxed: a caller that holds a block is ordered after its hand-out by whatever gave it the pointer.
        let handed_out_bytes = self.handed_out_bytes.load(Ordering::Relaxed);
        handed_out_bytes > 0
            && region().is_some_and(|all| (all.start..all.start + handed_out_bytes).contains(&ptr.addr()))
    }

    fn stats(&self) -> Stats {
        // Relaxed: a figure on its own.
        let committed_bytes = self.handed_out_bytes.load(Ordering::Relaxed) as u64;
        let reserved_bytes = region().map_or(0, Span::len_bytes) as u64;
        Stats {
            committed_bytes: Some(committed_bytes),
            reserved_bytes: Some(reserved_bytes),
            ..Stats::default()
        }
    }

    fn enter_thread(&self) {
        // A request of one byte gives the thread its window before anything is timed.
        WINDOW.with(|window| self.refill(window, 1, 1));
    }

    fn leave_thread(&self) {
        WINDOW.with(|window| {
            // A recycled window is whole again once its thread is done.
            // Relaxed: see the field.
            let recycled = self.recycles.load(Ordering::Relaxed);
            let start = if recycled { window.start.get() } else { window.next.get() };
            let left = Span { start, limit: window.limit.get() };
            window.set(Span { start: 0, limit: 0 });
            if left.len_bytes() > 0 {
                self.spare().push(left);
            }
        });
    }

    fn expect(&self, total_bytes: usize, contents: bool) {
        // Blocks of a run before this one may stand in leftovers that it recycled.
        self.spare().clear();
        let recycles = !contents || total_bytes > PREFAULT_BYTES_MAX;
        // Relaxed: threads of the run start after this call, and starting a thread orders them.
        self.recycles.store(recycles, Ordering::Relaxed);
        if !recycles {
            self.populate_ahead(total_bytes);
        }
    }

    fn keeps_contents(&self) -> bool {
        // Relaxed: see the field.
        !self.recycles.load(Ordering::Relaxed)
    }
}
