//! The tiers behind the thread caches, and where their locks stand in each variant.
//!
//! `Tiers` is the baseline's state: every list, guarded together by the pool lock. `Shard` is the
//! other variants' state for one node: the same lists, each behind a lock of its own, or without
//! one. A shard's operations take exactly one lock, or none (lock-free fixed lists), and
//! never call anything that takes another.

use crate::best_fit::BestFit;
use crate::class_list::ClassList;
use crate::lock::{CountedLock, LockCounts};
use crate::lockfree_list::LockFreeList;
use crate::route::{FIXED_BYTES, FIXED_COUNT, SEGREGATED_BYTES, SEGREGATED_COUNT};
use crate::stats::{ClassStats, Stats};
use crate::supply::Supply;

/// All lists of a baseline pool.
pub(crate) struct Tiers {
    pub(crate) fixed: [ClassList; FIXED_COUNT],
    pub(crate) segregated: [ClassList; SEGREGATED_COUNT],
    pub(crate) best_fit: BestFit,
}

impl Tiers {
    pub(crate) fn new() -> Tiers {
        Tiers {
            fixed: FIXED_BYTES.map(|bytes| ClassList::new(bytes, 0)),
            segregated: SEGREGATED_BYTES.map(|bytes| ClassList::new(bytes, 0)),
            best_fit: BestFit::new(0),
        }
    }

    pub(crate) fn trim(&mut self, supply: &Supply) -> usize {
        let lists = self.fixed.iter_mut().chain(&mut self.segregated);
        lists.map(|list| list.trim(supply)).sum::<usize>() + self.best_fit.trim(supply)
    }

    pub(crate) fn add_to(&self, stats: &mut Stats) {
        for (list, class) in self.fixed.iter().zip(&mut stats.fixed) {
            add_list(list, class);
        }
        for (list, class) in self.segregated.iter().zip(&mut stats.segregated) {
            add_segregated(list, class);
        }
        add_best_fit(&self.best_fit, stats);
    }
}

/// A fixed-size list of a shard.
pub(crate) enum FixedList {
    /// Behind a lock of its own.
    Locked(CountedLock<ClassList>),
    /// Without a lock.
    Free(LockFreeList),
}

/// The lists of one node.
pub(crate) struct Shard {
    pub(crate) fixed: [FixedList; FIXED_COUNT],
    pub(crate) segregated: [CountedLock<ClassList>; SEGREGATED_COUNT],
    pub(crate) best_fit: CountedLock<BestFit>,
}

impl Shard {
    pub(crate) fn new(node: usize, lock_free: bool) -> Shard {
        let fixed = |bytes| match lock_free {
            true => FixedList::Free(LockFreeList::new(bytes, node)),
            false => FixedList::Locked(CountedLock::new(ClassList::new(bytes, node))),
        };
        Shard {
            fixed: FIXED_BYTES.map(fixed),
            segregated: SEGREGATED_BYTES.map(|bytes| CountedLock::new(ClassList::new(bytes, node))),
            best_fit: CountedLock::new(BestFit::new(node)),
        }
    }

    /// Fills the front of `out`; the blocks got, and the read-modify-writes spent.
    pub(crate) fn take_fixed(&self, supply: &Supply, class: usize, out: &mut [*mut u8]) -> (usize, u64) {
        match &self.fixed[class] {
            FixedList::Locked(list) => (list.lock().take_batch(supply, out), 0),
            FixedList::Free(list) => list.take_batch(supply, out),
        }
    }

    /// Takes blocks of this node back; the read-modify-writes spent.
    pub(crate) fn give_fixed(&self, supply: &Supply, class: usize, blocks: &[*mut u8]) -> u64 {
        match &self.fixed[class] {
            FixedList::Locked(list) => {
                list.lock().give_batch(blocks);
                0
            }
            FixedList::Free(list) => list.give_batch(supply, blocks),
        }
    }

    pub(crate) fn trim(&self, supply: &Supply) -> usize {
        let fixed = self.fixed.iter().filter_map(|list| match list {
            FixedList::Locked(list) => Some(list),
            FixedList::Free(_) => None,
        });
        let lists = fixed.chain(&self.segregated);
        lists.map(|list| list.lock().trim(supply)).sum::<usize>() + self.best_fit.lock().trim(supply)
    }

    pub(crate) fn add_to(&self, stats: &mut Stats) {
        let mut counts = LockCounts::default();
        for (list, class) in self.fixed.iter().zip(&mut stats.fixed) {
            match list {
                FixedList::Locked(list) => list.inspect(|list, taken| {
                    counts += taken;
                    add_list(list, class);
                }),
                FixedList::Free(list) => {
                    class.carved_blocks += list.carved_blocks() as u64;
                    class.listed_blocks += list.listed_blocks() as u64;
                }
            }
        }
        for (list, class) in self.segregated.iter().zip(&mut stats.segregated) {
            list.inspect(|list, taken| {
                counts += taken;
                add_segregated(list, class);
            });
        }
        self.best_fit.inspect(|tier, taken| {
            counts += taken;
            add_best_fit(tier, stats);
        });
        stats.locks += counts;
    }
}

fn add_list(list: &ClassList, class: &mut ClassStats) {
    class.carved_blocks += list.carved_blocks() as u64;
    class.listed_blocks += list.listed_blocks() as u64;
}

fn add_segregated(list: &ClassList, class: &mut ClassStats) {
    add_list(list, class);
    class.allocs += list.allocs;
    class.frees += list.frees;
    // Wrapping: on the fake or real nodes of a sharded pool only the sum over nodes is a count.
    class.live_blocks = class.allocs.wrapping_sub(class.frees);
}

fn add_best_fit(tier: &BestFit, stats: &mut Stats) {
    stats.best_fit.live_blocks += tier.live.blocks;
    stats.best_fit.live_bytes += tier.live.bytes;
    stats.best_fit.allocs += tier.live.allocs;
    stats.best_fit.free_bytes += tier.free_bytes();
    stats.mappings.live_blocks += tier.mapped.blocks;
    stats.mappings.live_bytes += tier.mapped.bytes;
    stats.mappings.allocs += tier.mapped.allocs;
}
