//! One look over all heaps: what happened since the last, and emptying those that rest.
//!
//! A heap whose clock has not moved costs a load. From the others the events of each class are taken, under the heap's
//! word for a moment, so what a thread did is known at most one tick later. Runs on the worker alone.

use super::observation::{ClassSeen, Observation, Scarcity};
use crate::config::{self, Knob};
use crate::front::{budget, taking};
use crate::heap::idle::Action;
use crate::heap::{HeapRef, orphan, table};
use crate::superslab::{large, pages};
use crate::sync::Ordering;
use crate::{limits, meta, trim};

/// What emptying brought in one tick.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Effect {
    /// Heaps emptied.
    pub heaps: usize,
    /// Blocks taken from magazines of threads that rest.
    pub taken_blocks: usize,
    /// Arrays given back.
    pub arrays: usize,
    /// Heaps that rest and into which others' frees were taken.
    pub drained_heaps: usize,
    /// Bytes purged in this tick, by anybody.
    pub purged_bytes: usize,
}

/// What the worker remembers from tick to tick.
pub struct Eyes {
    purged: (usize, usize, usize),
    may_open: bool,
    /// Some heap is in use or may come to rest.
    pub is_busy: bool,
}

impl Eyes {
    /// From now on; `may_open` allows to look at threads, which opens files.
    pub fn open(may_open: bool) -> Eyes {
        Eyes { purged: pages::purge_totals(), may_open, is_busy: true }
    }

    /// Looks at every heap; with `act`, empties those that rest.
    pub fn look(
        &mut self,
        now_ms: u64,
        elapsed_ms: u32,
        scarcity: Scarcity,
        act: bool,
    ) -> (Observation, Effect) {
        let mut seen = Observation::quiet(elapsed_ms);
        let mut effect = Effect::default();
        self.is_busy = false;
        for heap in table::all() {
            self.look_at(heap, now_ms, act, &mut seen, &mut effect);
        }
        if act {
            finish(&mut effect);
        }
        self.sum_up(&mut seen, &mut effect);
        seen.scarcity = scarcity;
        (seen, effect)
    }

    fn look_at(
        &mut self,
        heap: HeapRef,
        now_ms: u64,
        act: bool,
        seen: &mut Observation,
        effect: &mut Effect,
    ) {
        let mut rest = heap.rest.get();
        let before = rest.ticks_seen;
        // Relaxed: the clock alone; what it stands for is read under the word.
        let ticks = heap.ticks.load(Ordering::Relaxed);
        let action = rest.look(ticks, now_ms, config::get(Knob::IdleMs));
        if ticks != before {
            heap.with(|heap| collect(heap, seen));
        }
        self.is_busy |= action == Action::Wait;
        match action {
            Action::Empty if act => match empty(heap, self.may_open, effect) {
                Some(false) => rest.emptied(now_ms),
                Some(true) => {
                    rest.again(now_ms);
                    self.is_busy = true;
                }
                None => self.is_busy = true,
            },
            Action::Leave if act && !heap.pending.is_empty() => {
                // At most once a wait: others may go on freeing into it for long.
                if now_ms.saturating_sub(rest.emptied_ms) >= config::get(Knob::IdleMs) {
                    drain(heap, effect);
                    rest.emptied(now_ms);
                } else {
                    self.is_busy = true;
                }
            }
            _ => {}
        }
        heap.rest.set(rest);
    }

    fn sum_up(&mut self, seen: &mut Observation, effect: &mut Effect) {
        let purged = pages::purge_totals();
        seen.granted_bytes = budget::granted_bytes() as u64;
        seen.budget_bytes = config::get(Knob::CacheBudget);
        seen.live_bytes =
            (table::all().map(|heap| heap.out_bytes()).sum::<usize>() + large::live_bytes()) as u64;
        seen.committed_bytes = limits::committed_bytes() as u64;
        effect.purged_bytes = purged.0.wrapping_sub(self.purged.0);
        seen.refaulted_bytes = purged.1.wrapping_sub(self.purged.1) as u64;
        seen.purge_calls = purged.2.wrapping_sub(self.purged.2) as u32;
        self.purged = purged;
    }
}

/// Takes the events of each class. Caller holds the word.
fn collect(heap: HeapRef, seen: &mut Observation) {
    seen.refusals = seen.refusals.saturating_add(heap.refusals.replace(0));
    for (bin, class) in heap.bins.iter().zip(&mut seen.classes) {
        let events = ClassSeen {
            refills: u32::from(bin.refills.replace(0)),
            flushes: u32::from(bin.flushes.replace(0)),
            moved: bin.moved.replace(0),
        };
        class.refills = class.refills.saturating_add(events.refills);
        class.flushes = class.flushes.saturating_add(events.flushes);
        class.moved = class.moved.saturating_add(events.moved);
    }
}

/// Empties a heap that rests; None if it cannot be now, true if something stayed because its thread ran meanwhile.
fn empty(heap: HeapRef, may_open: bool, effect: &mut Effect) -> Option<bool> {
    if !heap.word.try_take() {
        return None;
    }
    let taken = if heap.thread.get() == 0 {
        Some(taking::release_dormant(heap))
    } else {
        taking::empty(heap, may_open)
    };
    if let Some(taken) = taken {
        heap.trim();
        effect.heaps += 1;
        effect.taken_blocks += taken.blocks;
        effect.arrays += taken.arrays;
    }
    heap.word.give();
    taken.map(|taken| taken.ran)
}

/// Takes in what others have freed into a heap that rests, and purges it.
fn drain(heap: HeapRef, effect: &mut Effect) {
    if heap.word.try_take() {
        heap.trim();
        heap.word.give();
        effect.drained_heaps += 1;
    }
}

/// What follows when heaps were emptied: orphans, the arrays' pages, free slabs.
fn finish(effect: &mut Effect) {
    if effect.heaps + effect.drained_heaps != 0 {
        if orphan::orphans() != 0 {
            orphan::sweep_orphans();
        }
        meta::purge();
    }
    trim::expire();
}
