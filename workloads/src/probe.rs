//! What is measured beside the run: nothing, every operation's cycles, or usable sizes.
//!
//! A probe is a type parameter of the executing loop, so that [`Plain`] leaves no trace in it. A probe belongs to one
//! thread (or to one after another) and is never locked. Only [`Probe::mark`] and the `*_done` calls stand next to
//! the engine's calls; whatever else a probe does stays outside the time it measures.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::raw::{Block, Heap, cycles_after, cycles_before, resident_vec};

/// Bytes live on one account: the blocks that one thread made (in a forest: that all made), wherever they are now.
/// Written by makers and by whoever frees. None goes below zero: a free comes after its allocation in the order that the
/// hand-over of the block gives.
///
/// Usable bytes come before requested ones when a block is gained and go after them when it is lost, each step AcqRel: whoever
/// adds requested bytes has acquired every gain counted in them, and no loss that they do not count is released yet. So the usable
/// bytes were once at least as many, and the peak of the one is never below that of the other.
#[derive(Default)]
pub struct Live {
    bytes: [AtomicU64; 2],
    peak_bytes: [AtomicU64; 2],
}

/// Places in the pairs of [`Live`].
const REQUESTED: usize = 0;
const USABLE: usize = 1;

impl Live {
    fn gain(&self, requested_usable: [u64; 2]) {
        for kind in [USABLE, REQUESTED] {
            let added = requested_usable[kind];
            let live = self.bytes[kind].fetch_add(added, Ordering::AcqRel) + added;
            // Relaxed: read when the threads are joined.
            self.peak_bytes[kind].fetch_max(live, Ordering::Relaxed);
        }
    }

    fn lose(&self, requested_usable: [u64; 2]) {
        for kind in [REQUESTED, USABLE] {
            self.bytes[kind].fetch_sub(requested_usable[kind], Ordering::AcqRel);
        }
    }

    /// Highest Σ requested and Σ usable.
    pub fn peaks(&self) -> [u64; 2] {
        [REQUESTED, USABLE].map(|kind| self.peak_bytes[kind].load(Ordering::Relaxed))
    }
}

/// A view of the bytes that are live, for a thread that watches a run.
#[derive(Clone)]
pub struct LiveGauge(Arc<Live>);

impl LiveGauge {
    /// A view of `live`.
    pub fn new(live: &Arc<Live>) -> LiveGauge {
        LiveGauge(live.clone())
    }

    /// Requested bytes live now; 0 where the run does not account for them.
    pub fn requested_bytes(&self) -> u64 {
        self.0.bytes[REQUESTED].load(Ordering::Relaxed)
    }
}

/// What a probe is made for.
#[derive(Clone, Default)]
pub struct Room {
    /// Allocations at most.
    pub allocs: usize,
    /// Frees at most, blocks of other threads included.
    pub frees: usize,
    /// Resizes at most.
    pub reallocs: usize,
    /// Account of the blocks this thread makes.
    pub own: Arc<Live>,
    /// Account of the blocks this thread receives: their maker's.
    pub received: Arc<Live>,
}

/// An observer of one thread's operations.
pub trait Probe: Send {
    /// What is kept from before an engine call to after it.
    type Mark: Copy;
    /// A probe with its buffers resident.
    fn new(room: &Room) -> Self;
    /// Before an engine call.
    fn mark(&self) -> Self::Mark;
    /// After an allocation.
    fn alloc_done(&mut self, _mark: Self::Mark, _size: u32) {}
    /// After a free.
    fn free_done(&mut self, _mark: Self::Mark, _size: u32) {}
    /// After a resize.
    fn realloc_done(&mut self, _mark: Self::Mark, _size: u32) {}
    /// A block was made or has its new size.
    fn gained(&mut self, _heap: &Heap, _block: &Block) {}
    /// A block of this thread's own is about to be freed or resized.
    fn losing(&mut self, _heap: &Heap, _block: &Block) {}
    /// A block that came from the neighbour is about to be freed.
    fn losing_received(&mut self, _heap: &Heap, _block: &Block) {}
    /// The clock is about to start: forget sums, keep what is live.
    fn restart(&mut self) {}
    /// What was found.
    fn finish(self) -> Findings;
}

/// What a probe found.
#[derive(Default)]
pub struct Findings {
    /// Samples of allocations, frees and resizes.
    pub samples: [Vec<Sample>; 3],
    /// Figures of [`Accounting`].
    pub account: Option<Account>,
}

/// Sums and peaks of one thread, bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Account {
    /// Σ usable over allocations and resizes.
    pub usable_bytes_sum: u64,
    /// Highest Σ requested over live blocks, blocks in flight to the neighbour included.
    pub peak_live_requested_bytes: u64,
    /// Highest Σ usable over the same.
    pub peak_live_usable_bytes: u64,
}

/// Nothing but the run.
pub struct Plain;

impl Probe for Plain {
    type Mark = ();
    fn new(_room: &Room) -> Plain {
        Plain
    }
    #[inline(always)]
    fn mark(&self) {}
    fn finish(self) -> Findings {
        Findings::default()
    }
}

/// One operation's raw cycles, what an empty measurement reads included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample(u64);

impl Sample {
    /// An operation on a block of `size` bytes; cycles beyond 32 bits count as the most that 32 bits hold.
    #[inline(always)]
    pub fn new(size: u32, cycles: u64) -> Sample {
        Sample((u64::from(size) << 32) | cycles.min(u64::from(u32::MAX)))
    }

    /// Bytes asked for (of a resize: the new size).
    pub fn size(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Cycles, at most `u32::MAX`.
    pub fn cycles(self) -> u32 {
        self.0 as u32
    }
}

/// Every operation's cycles, into buffers that never grow.
pub struct Timed {
    allocs: Vec<Sample>,
    frees: Vec<Sample>,
    reallocs: Vec<Sample>,
}

#[inline(always)]
fn keep(samples: &mut Vec<Sample>, mark: u64, size: u32) {
    let cycles = cycles_after().saturating_sub(mark);
    // Full buffers are met in the warm-up alone, whose samples are dropped: the rest was counted beforehand.
    if samples.len() < samples.capacity() {
        samples.push(Sample::new(size, cycles));
    }
}

impl Probe for Timed {
    type Mark = u64;
    fn new(room: &Room) -> Timed {
        Timed {
            allocs: resident_vec(room.allocs),
            frees: resident_vec(room.frees),
            reallocs: resident_vec(room.reallocs),
        }
    }
    #[inline(always)]
    fn mark(&self) -> u64 {
        cycles_before()
    }
    #[inline(always)]
    fn alloc_done(&mut self, mark: u64, size: u32) {
        keep(&mut self.allocs, mark, size);
    }
    #[inline(always)]
    fn free_done(&mut self, mark: u64, size: u32) {
        keep(&mut self.frees, mark, size);
    }
    #[inline(always)]
    fn realloc_done(&mut self, mark: u64, size: u32) {
        keep(&mut self.reallocs, mark, size);
    }
    fn restart(&mut self) {
        self.allocs.clear();
        self.frees.clear();
        self.reallocs.clear();
    }
    fn finish(self) -> Findings {
        Findings { samples: [self.allocs, self.frees, self.reallocs], account: None }
    }
}

/// Usable sizes and peaks.
pub struct Accounting {
    usable_bytes_sum: u64,
    own: Arc<Live>,
    received: Arc<Live>,
}

fn requested_usable(heap: &Heap, block: &Block) -> [u64; 2] {
    [u64::from(block.size()), heap.usable(block) as u64]
}

impl Probe for Accounting {
    type Mark = ();
    fn new(room: &Room) -> Accounting {
        Accounting { usable_bytes_sum: 0, own: room.own.clone(), received: room.received.clone() }
    }
    fn mark(&self) {}
    fn gained(&mut self, heap: &Heap, block: &Block) {
        let bytes = requested_usable(heap, block);
        self.usable_bytes_sum += bytes[1];
        self.own.gain(bytes);
    }
    fn losing(&mut self, heap: &Heap, block: &Block) {
        self.own.lose(requested_usable(heap, block));
    }
    fn losing_received(&mut self, heap: &Heap, block: &Block) {
        self.received.lose(requested_usable(heap, block));
    }
    fn restart(&mut self) {
        self.usable_bytes_sum = 0;
        for (live, peak) in self.own.bytes.iter().zip(&self.own.peak_bytes) {
            peak.store(live.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }
    fn finish(self) -> Findings {
        let [peak_live_requested_bytes, peak_live_usable_bytes] = self.own.peaks();
        let account = Account {
            usable_bytes_sum: self.usable_bytes_sum,
            peak_live_requested_bytes,
            peak_live_usable_bytes,
        };
        Findings { samples: Default::default(), account: Some(account) }
    }
}
