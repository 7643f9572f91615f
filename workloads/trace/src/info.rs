//! What a trace is like: operations, sizes, lifetimes, the live curve, threads.
//!
//! One pass; memory follows the live set. Blocks are the requested bytes of the program, not what an allocator makes
//! of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{Event, Op};
use crate::live::Live;

/// Points of a curve at most.
const POINTS_MAX: usize = 1024;
/// Distinct sizes that are counted one by one; more fall into their quarter of a doubling.
const SIZES_MAX: usize = 65_536;

/// Statistics of one stream.
#[derive(Default)]
pub struct Info {
    /// Events, thread events included.
    pub events: u64,
    /// Allocations.
    pub allocs: u64,
    /// Of these, by `calloc`.
    pub zeroed: u64,
    /// Of these, with an alignment.
    pub aligned: u64,
    /// Frees.
    pub frees: u64,
    /// Of these, by another thread than the one that made the block.
    pub cross_thread_frees: u64,
    /// Resizes.
    pub reallocs: u64,
    /// Of these, moved.
    pub moved: u64,
    /// Calls without effect.
    pub strays: u64,
    /// Events about blocks that were not live.
    pub conflicts: u64,
    /// Bytes asked for by allocations and resizes.
    pub requested_bytes_sum: u64,
    /// Highest sum of live bytes.
    pub peak_live_bytes: u64,
    /// Highest number of live blocks.
    pub peak_live_blocks: u64,
    /// Live bytes at the end.
    pub end_live_bytes: u64,
    /// Live blocks at the end.
    pub end_live_blocks: u64,
    /// Threads that were seen.
    pub threads: u64,
    /// Most threads between their start and their exit at once.
    pub peak_threads: u64,
    /// Calls of each thread.
    pub calls_by_thread: BTreeMap<u32, u64>,
    /// Time of the last event, quanta.
    pub end_time: u64,
    /// Allocations and resizes by size.
    pub sizes: BTreeMap<u64, u64>,
    /// Blocks by the allocations that came during their life, in powers of two.
    pub lifetimes: BTreeMap<u32, u64>,
    /// Sum over allocations of the live blocks just before each: the mean live set follows from it.
    live_blocks_sum: u64,
    /// Live bytes over events and over time.
    pub curve: Curve,
    live_bytes: u64,
    running: BTreeSet<u32>,
    live: Live<Known>,
}

struct Known {
    size: u64,
    thread: u32,
    born: u64,
}

/// Live bytes over the trace: each point is the highest of its stretch.
#[derive(Default)]
pub struct Curve {
    /// Event number, time in quanta, live bytes.
    pub points: Vec<(u64, u64, u64)>,
    stretch: u64,
    seen: u64,
    highest: (u64, u64, u64),
}

impl Curve {
    fn add(&mut self, time: u64, live_bytes: u64) {
        if self.seen.is_multiple_of(self.stretch.max(1)) || live_bytes > self.highest.2 {
            self.highest = (self.seen, time, live_bytes);
        }
        self.seen += 1;
        if self.seen.is_multiple_of(self.stretch.max(1)) {
            self.points.push(self.highest);
            self.highest = (self.seen, time, live_bytes);
        }
        if self.points.len() >= POINTS_MAX {
            self.stretch = self.stretch.max(1) * 2;
            let pairs = self.points.chunks(2);
            self.points = pairs.filter_map(|pair| pair.iter().max_by_key(|point| point.2).copied()).collect();
        }
    }
}

/// A quarter of a doubling, as its upper end.
pub fn quarter(size: u64) -> u64 {
    if size <= 8 {
        return size;
    }
    let step = (1_u64 << (size - 1).ilog2()) / 4;
    size.next_multiple_of(step.max(1))
}

impl Info {
    /// Takes the next event of the stream.
    pub fn add(&mut self, event: &Event) -> Result<(), String> {
        self.events += 1;
        self.end_time = self.end_time.max(event.time);
        // Calls of a thread's last destructors come behind its exit and do not bring it back.
        if !self.calls_by_thread.contains_key(&event.thread) {
            self.running.insert(event.thread);
        }
        *self.calls_by_thread.entry(event.thread).or_default() += u64::from(event.op.is_call());
        self.peak_threads = self.peak_threads.max(self.running.len() as u64);
        self.threads = self.calls_by_thread.len() as u64;
        match event.op {
            Op::Alloc { id, size, align_log2, zeroed } => {
                self.live_blocks_sum += self.live.len() as u64;
                self.live.add(id, Known { size, thread: event.thread, born: self.allocs })?;
                self.allocs += 1;
                self.zeroed += u64::from(zeroed);
                self.aligned += u64::from(align_log2 > 0);
                self.live_bytes += size;
                self.count_size(size);
            }
            Op::Free { id, .. } => self.free(id, event.thread),
            Op::Realloc { id, size, moved } => self.realloc(id, size, moved),
            Op::Stray => self.strays += 1,
            Op::ThreadStart => {}
            Op::ThreadExit => drop(self.running.remove(&event.thread)),
        }
        self.conflicts = self.live.conflicts;
        self.peak_live_bytes = self.peak_live_bytes.max(self.live_bytes);
        self.peak_live_blocks = self.peak_live_blocks.max(self.live.len() as u64);
        (self.end_live_bytes, self.end_live_blocks) = (self.live_bytes, self.live.len() as u64);
        self.curve.add(event.time, self.live_bytes);
        Ok(())
    }

    fn free(&mut self, id: u64, thread: u32) {
        let Some(known) = self.live.remove(id) else { return };
        self.frees += 1;
        self.live_bytes -= known.size;
        self.cross_thread_frees += u64::from(known.thread != thread);
        let age = self.allocs - known.born;
        *self.lifetimes.entry(age.max(1).ilog2()).or_default() += 1;
    }

    fn realloc(&mut self, id: u64, size: u64, moved: bool) {
        let Some(known) = self.live.get_mut(id) else { return };
        let old = std::mem::replace(&mut known.size, size);
        self.live_bytes = self.live_bytes - old + size;
        self.reallocs += 1;
        self.moved += u64::from(moved);
        self.count_size(size);
    }

    fn count_size(&mut self, size: u64) {
        self.requested_bytes_sum = self.requested_bytes_sum.saturating_add(size);
        let known = self.sizes.len() < SIZES_MAX || self.sizes.contains_key(&size);
        *self.sizes.entry(if known { size } else { quarter(size) }).or_default() += 1;
    }

    /// Calls of the program.
    pub fn calls(&self) -> u64 {
        self.calls_by_thread.values().sum()
    }

    /// Mean number of live blocks.
    pub fn mean_live_blocks(&self) -> f64 {
        self.live_blocks_sum as f64 / self.allocs.max(1) as f64
    }

    /// The size below or at which `share` of all allocations and resizes lie.
    pub fn size_quantile(&self, share: f64) -> u64 {
        quantile(self.sizes.iter().map(|(&size, &count)| (size, count)), share)
    }

    /// The lifetime, in allocations (a power of two), that `share` of the freed blocks do not pass.
    pub fn lifetime_quantile(&self, share: f64) -> u64 {
        quantile(self.lifetimes.iter().map(|(&log2, &count)| (2 << log2, count)), share)
    }
}

fn quantile(counts: impl Iterator<Item = (u64, u64)> + Clone, share: f64) -> u64 {
    let all: u64 = counts.clone().map(|(_, count)| count).sum();
    let wanted = (all as f64 * share).ceil() as u64;
    let mut seen = 0;
    for (value, count) in counts {
        seen += count;
        if seen >= wanted.max(1) {
            return value;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(thread: u32, op: Op) -> Event {
        Event { thread, time: 0, op }
    }

    #[test]
    fn a_small_trace_is_described() {
        let alloc = |id, size| Op::Alloc { id, size, align_log2: 0, zeroed: false };
        let mut info = Info::default();
        for (thread, op) in [
            (0, Op::ThreadStart),
            (0, alloc(0, 100)),
            (0, alloc(1, 10)),
            (1, Op::ThreadStart),
            (1, Op::Free { id: 0, sized: None }),
            (1, Op::Free { id: 0, sized: None }),
            (1, Op::ThreadExit),
            (0, Op::Realloc { id: 1, size: 40, moved: true }),
            (2, Op::ThreadStart),
        ] {
            info.add(&event(thread, op)).unwrap();
        }
        assert_eq!((info.allocs, info.frees, info.reallocs, info.moved), (2, 1, 1, 1));
        assert_eq!((info.peak_live_bytes, info.end_live_bytes, info.end_live_blocks), (110, 40, 1));
        assert_eq!((info.cross_thread_frees, info.conflicts), (1, 1));
        assert_eq!((info.threads, info.peak_threads), (3, 2));
        assert_eq!(info.size_quantile(0.5), 40);
        assert_eq!(info.size_quantile(1.0), 100);
    }

    #[test]
    fn the_curve_keeps_its_peak_however_long() {
        let mut curve = Curve::default();
        for at in 0..1_000_000_u64 {
            curve.add(at, if at == 777_777 { 9_999 } else { at % 100 });
        }
        assert!(curve.points.len() <= POINTS_MAX);
        assert!(curve.points.contains(&(777_777, 777_777, 9_999)));
    }

    #[test]
    fn quarters_of_a_doubling() {
        for (size, expected) in
            [(0, 0), (8, 8), (9, 10), (16, 16), (17, 20), (100, 112), (1025, 1280), (2048, 2048)]
        {
            assert_eq!(quarter(size), expected, "{size}");
        }
    }
}
