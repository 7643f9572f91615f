//! The shared pool: which slabs of which superslabs are free, by tier.
//!
//! One lock guards the tier lists, the superslabs' headers and the page masks of free slabs; system calls on the way
//! (a new superslab, an unmap) are made outside it where they can be. A superslab is FREE (no slab out), DRAINING
//! (below a quarter out; avoided while a HOT one has room), HOT, or FULL (nothing to give). Runs of slabs are found by
//! shifting the bitmap of free slabs; slabs with resident pages are preferred to untouched ones. Called by heaps (with
//! their word held), by large and huge paths, by `trim`.

use super::{Kind, RECORD_PAGES, SlabRef, SuperslabRef, pages, record_pages, registry, slabs_recorded_on};
use crate::config::{self, Knob};
use crate::pal;
use crate::sync::{Lock, Ordering};
use crate::units::{PAGE_BYTES, SLABS, SUPERSLAB_BYTES};
use core::sync::atomic::AtomicUsize;

/// Bits of the slabs that a superslab can hand out: all but slab 0.
const ALL_FREE: u32 = !1;
/// Slabs that a superslab can hand out.
pub const SLABS_USABLE: usize = SLABS - 1;
/// Superslabs looked at for a run before a new one is mapped; bounds the time under the lock.
const SEARCH_MAX: usize = 64;
/// When releasing eagerly, one FREE superslab in this many mapped ones is kept for reuse, and at least this many:
/// demand that swings by less does not enter the kernel. What rests longer than the purge delay expires all the same.
const RESERVE_SHARE: usize = 8;
pub const RESERVE_MIN: usize = 8;

#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Tier {
    Hot = 0,
    Draining = 1,
    Free = 2,
    Full = 3,
}

const TIERS: [Tier; 4] = [Tier::Hot, Tier::Draining, Tier::Free, Tier::Full];

/// Heads of the tier lists and their lengths.
struct Pool {
    heads: [usize; 4],
    lengths: [usize; 4],
}

static POOL: Lock<Pool> = Lock::new(Pool { heads: [0; 4], lengths: [0; 4] });

// Relaxed: statistics.
static MAPPED: AtomicUsize = AtomicUsize::new(0);
static RELEASED: AtomicUsize = AtomicUsize::new(0);

/// Superslabs by tier: HOT, DRAINING, FREE, FULL.
pub fn tiers() -> [usize; 4] {
    POOL.lock().lengths
}

/// Superslabs mapped and unmapped since the start.
pub fn turnover() -> (usize, usize) {
    (MAPPED.load(Ordering::Relaxed), RELEASED.load(Ordering::Relaxed))
}

fn slabs_out(free: u32) -> usize {
    SLABS_USABLE - free.count_ones() as usize
}

/// The tier that fits, with hysteresis: falls to DRAINING only by a release, rises to HOT at half out.
fn tier_for(free: u32, now: Tier, released: bool) -> Tier {
    let out = slabs_out(free);
    let falls = released && out * 4 < SLABS_USABLE;
    let stays = now == Tier::Draining && out * 2 < SLABS_USABLE;
    if out == 0 {
        Tier::Free
    } else if free == 0 {
        Tier::Full
    } else if config::on(Knob::Tiering) && (falls || stays) {
        Tier::Draining
    } else {
        Tier::Hot
    }
}

/// Lowest index at which `slabs` free ones begin, a multiple of `align`.
fn find_run(free: u32, slabs: usize, align: usize) -> Option<usize> {
    const STARTS: [u32; 5] = [u32::MAX, 0x5555_5555, 0x1111_1111, 0x0101_0101, 0x0001_0001];
    let mut starts = free;
    let mut have = 1;
    while have < slabs {
        let step = have.min(slabs - have);
        starts &= starts >> step;
        have += step;
    }
    starts &= STARTS[align.trailing_zeros() as usize];
    if starts == 0 { None } else { Some(starts.trailing_zeros() as usize) }
}

/// Bits of `slabs` slabs from `index`.
fn run_mask(index: usize, slabs: usize) -> u32 {
    (((1u64 << slabs) - 1) << index) as u32
}

/// Takes slabs `index..index + slabs`, which are free, off the superslab's books.
fn hand_out(s: SuperslabRef, index: usize, slabs: usize) {
    let mask = run_mask(index, slabs);
    s.free_slabs.set(s.free_slabs.get() & !mask);
    s.dirty_slabs.set(s.dirty_slabs.get() & !mask);
    s.blank_record_pages.set(s.blank_record_pages.get() & !record_pages(s.base(), index, slabs));
}

impl Pool {
    fn link(&mut self, s: SuperslabRef, tier: Tier) {
        let head = self.heads[tier as usize];
        s.prev.set(0);
        s.next.set(head);
        s.tier.set(tier as u8);
        if head != 0 {
            // SAFETY: list members are mapped superslabs.
            unsafe { SuperslabRef::at(head) }.prev.set(s.base());
        }
        self.heads[tier as usize] = s.base();
        self.lengths[tier as usize] += 1;
    }

    fn unlink(&mut self, s: SuperslabRef) {
        let (prev, next) = (s.prev.get(), s.next.get());
        if prev == 0 {
            self.heads[s.tier.get() as usize] = next;
        } else {
            // SAFETY: list members are mapped superslabs.
            unsafe { SuperslabRef::at(prev) }.next.set(next);
        }
        if next != 0 {
            // SAFETY: as above.
            unsafe { SuperslabRef::at(next) }.prev.set(prev);
        }
        self.lengths[s.tier.get() as usize] -= 1;
    }

    fn retier(&mut self, s: SuperslabRef, released: bool) {
        let now = TIERS[s.tier.get() as usize];
        let tier = tier_for(s.free_slabs.get(), now, released);
        if tier != now {
            self.unlink(s);
            self.link(s, tier);
        }
    }

    fn take_from(&mut self, s: SuperslabRef, slabs: usize, align: usize) -> Option<SlabRef> {
        let free = s.free_slabs.get();
        let index =
            find_run(free & s.dirty_slabs.get(), slabs, align).or_else(|| find_run(free, slabs, align))?;
        hand_out(s, index, slabs);
        self.retier(s, false);
        Some(s.slab(index))
    }

    fn take(&mut self, slabs: usize, align: usize) -> Option<SlabRef> {
        for tier in [Tier::Hot, Tier::Draining, Tier::Free] {
            let mut at = self.heads[tier as usize];
            for _ in 0..SEARCH_MAX {
                if at == 0 {
                    break;
                }
                // SAFETY: list members are mapped superslabs.
                let s = unsafe { SuperslabRef::at(at) };
                at = s.next.get();
                if let Some(slab) = self.take_from(s, slabs, align) {
                    return Some(slab);
                }
            }
        }
        None
    }

    /// Marks slabs free; true if their superslab became FREE.
    fn give(&mut self, head: SlabRef, slabs: usize, now_ms: u64) -> bool {
        let s = head.superslab();
        let mut dirty = 0;
        for i in 0..slabs {
            let slab = head.plus(i);
            slab.kind.set(Kind::Free);
            slab.class.set(0);
            if slab.dirty.get() != 0 {
                dirty |= 1 << (head.index() + i);
            }
        }
        s.free_slabs.set(s.free_slabs.get() | run_mask(head.index(), slabs));
        s.dirty_slabs.set(s.dirty_slabs.get() | dirty);
        s.freed_ms.set(now_ms);
        self.retier(s, true);
        s.free_slabs.get() == ALL_FREE
    }

    fn mapped(&self) -> usize {
        self.lengths.iter().sum()
    }

    /// Takes a FREE superslab off the books if more than `reserve` are there; the caller unmaps it.
    fn withdraw(&mut self, reserve: usize, idle_since_ms: u64) -> Option<SuperslabRef> {
        if self.lengths[Tier::Free as usize] <= reserve {
            return None;
        }
        let mut at = self.heads[Tier::Free as usize];
        while at != 0 {
            // SAFETY: list members are mapped superslabs.
            let s = unsafe { SuperslabRef::at(at) };
            if s.freed_ms.get() <= idle_since_ms {
                self.unlink(s);
                registry::remove(s.base());
                return Some(s);
            }
            at = s.next.get();
        }
        None
    }

    /// Purges free slabs last freed no later than `idle_since_ms`, but not those of `spared` FREE superslabs; returns
    /// pages.
    fn purge_idle(&mut self, idle_since_ms: u64, mut spared: usize) -> usize {
        let mut pages = 0;
        for tier in [Tier::Free, Tier::Draining, Tier::Hot] {
            let mut at = self.heads[tier as usize];
            while at != 0 {
                // SAFETY: list members are mapped superslabs.
                let s = unsafe { SuperslabRef::at(at) };
                at = s.next.get();
                if tier == Tier::Free && spared != 0 {
                    spared -= 1;
                    continue;
                }
                if s.freed_ms.get() <= idle_since_ms {
                    pages += purge_free_slabs(s);
                }
            }
        }
        pages
    }
}

/// Purges a superslab's dirty free slabs, run by run.
fn purge_free_slabs(s: SuperslabRef) -> usize {
    let mut left = s.free_slabs.get() & s.dirty_slabs.get();
    let mut pages = 0;
    while left != 0 {
        let first = left.trailing_zeros() as usize;
        let run = ((!(left >> first)).trailing_zeros() as usize).min(SLABS - first);
        left &= !run_mask(first, run);
        let done = pages::purge_slabs(s.slab(first), run);
        if done != 0 {
            s.dirty_slabs.set(s.dirty_slabs.get() & !run_mask(first, run));
        }
        pages += done;
    }
    purge_records(s);
    pages
}

/// Purges those pages of the records on which no slab is recorded that is in use or may have resident pages. Page 0 has
/// the header. Nobody but the pool refers to a free slab's record; a call that frees a stale pointer reads class 0
/// there before and after. What is lost is which pages had been purged (`refaulted_bytes` misses those).
fn purge_records(s: SuperslabRef) {
    let blank_slabs = s.free_slabs.get() & !s.dirty_slabs.get();
    let is_due = |page: usize| {
        s.blank_record_pages.get() & (1 << page) == 0 && slabs_recorded_on(s.base(), page) & !blank_slabs == 0
    };
    let mut page = 1;
    while page < RECORD_PAGES {
        let run = (page..RECORD_PAGES).take_while(|&page| is_due(page)).count();
        if run != 0 && pages::purge_uncounted(s.base() + page * PAGE_BYTES, run * PAGE_BYTES) {
            s.blank_record_pages.set(s.blank_record_pages.get() | run_mask(page, run) as u16);
        }
        page += run + 1;
    }
}

/// Takes `slabs` adjacent slabs from superslabs that are mapped already.
pub fn acquire_mapped(slabs: usize, align: usize) -> Option<SlabRef> {
    POOL.lock().take(slabs, align)
}

/// Takes `slabs` adjacent slabs whose index is a multiple of `align`, mapping a superslab if none has them.
pub fn acquire(slabs: usize, align: usize) -> Option<SlabRef> {
    debug_assert!(slabs <= SLABS - align && align.is_power_of_two());
    if let Some(slab) = acquire_mapped(slabs, align) {
        return Some(slab);
    }
    let base = pal::map_aligned(SUPERSLAB_BYTES, SUPERSLAB_BYTES)?;
    // SAFETY: just mapped, aligned, zeroed: a superslab whose records are all zero.
    let s = unsafe { SuperslabRef::at(base) };
    s.free_slabs.set(ALL_FREE);
    s.freed_ms.set(u64::MAX);
    s.blank_record_pages.set(u16::MAX);
    let mut pool = POOL.lock();
    if !registry::insert(base) {
        drop(pool);
        pal::unmap(base, SUPERSLAB_BYTES);
        return None;
    }
    MAPPED.fetch_add(1, Ordering::Relaxed);
    pool.link(s, Tier::Free);
    pool.take_from(s, slabs, align)
}

/// Gives slabs back. Nothing refers to them any more: the caller has passed the release guard and cleared the class map.
pub fn release(head: SlabRef, slabs: usize) {
    let mut pool = POOL.lock();
    let now = pal::now_ms();
    let emptied = pool.give(head, slabs, now);
    if emptied && config::on(Knob::EagerFree) {
        let reserve = (pool.mapped() / RESERVE_SHARE).max(RESERVE_MIN);
        let victim = pool.withdraw(reserve, u64::MAX);
        drop(pool);
        if let Some(s) = victim {
            unmap(s);
        }
    }
}

/// Gives a large run back if `head` is the start of one; false if it is not (checked and changed under one lock, so
/// that of two threads that free the same run one is told).
pub fn release_run(head: SlabRef) -> bool {
    let pool = POOL.lock();
    if head.kind.get() != Kind::Large {
        return false;
    }
    head.kind.set(Kind::Tail);
    super::large::note_freed(head);
    drop(pool);
    release(head, super::large::slabs_of(head));
    true
}

/// Takes the slabs after a run if they are free; false leaves everything as it was.
pub fn extend(head: SlabRef, from_slabs: usize, to_slabs: usize) -> bool {
    let mut pool = POOL.lock();
    let s = head.superslab();
    if head.index() + to_slabs > SLABS {
        return false;
    }
    let wanted = run_mask(head.index() + from_slabs, to_slabs - from_slabs);
    if s.free_slabs.get() & wanted != wanted {
        return false;
    }
    hand_out(s, head.index() + from_slabs, to_slabs - from_slabs);
    pool.retier(s, false);
    true
}

fn unmap(s: SuperslabRef) {
    let dirty = pages::dirty_pages(s.slab(1), SLABS_USABLE);
    if pal::unmap(s.base(), SUPERSLAB_BYTES) {
        pages::forget(dirty);
        RELEASED.fetch_add(1, Ordering::Relaxed);
        return;
    }
    // The system may refuse to split a mapping. Empty the pages, as far as it lets us, and keep the superslab. What
    // stays dirty must say so: calloc takes a clean page for zeros.
    purge_free_slabs(s);
    let mut pool = POOL.lock();
    registry::insert(s.base());
    pool.link(s, Tier::Free);
}

/// Returns what has been free since `idle_since_ms`: FREE superslabs beyond `reserve`, then pages of free slabs.
/// Returns bytes.
pub fn purge(idle_since_ms: u64, reserve: usize) -> usize {
    purge_sparing(idle_since_ms, reserve, 0)
}

/// As [`purge`], and leaves the pages of `spared` FREE superslabs alone.
pub fn purge_sparing(idle_since_ms: u64, reserve: usize, spared: usize) -> usize {
    let mut bytes = 0;
    loop {
        let victim = POOL.lock().withdraw(reserve, idle_since_ms);
        let Some(s) = victim else { break };
        bytes += pages::dirty_pages(s.slab(1), SLABS_USABLE) * crate::units::PAGE_BYTES;
        unmap(s);
        if s_is_back(s) {
            break;
        }
    }
    bytes + POOL.lock().purge_idle(idle_since_ms, spared) * crate::units::PAGE_BYTES
}

/// Whether `unmap` had to keep the superslab.
fn s_is_back(s: SuperslabRef) -> bool {
    registry::contains(s.base())
}

/// Holds the pool across a fork.
pub fn fork_prepare() {
    POOL.acquire_raw();
}

/// Ends `fork_prepare`, in parent and child.
pub fn fork_done() {
    // SAFETY: taken in `fork_prepare` on this thread.
    unsafe { POOL.release_raw() }
}

#[cfg(test)]
mod tests {
    use super::{ALL_FREE, find_run, run_mask};

    #[test]
    fn runs_against_a_search_by_hand() {
        let masks = [0, ALL_FREE, 0b1110, 0xffff_0000, 0x0ff0_0ff0, 0xaaaa_aaaa, 0x8000_0000, 0x7777_7776];
        for free in masks {
            for align in [1usize, 2, 4, 8, 16] {
                for slabs in 1..=16usize {
                    let by_hand = (0..=32 - slabs)
                        .step_by(align)
                        .find(|&i| free & run_mask(i, slabs) == run_mask(i, slabs));
                    assert_eq!(find_run(free, slabs, align), by_hand, "{free:#x} {slabs} {align}");
                }
            }
        }
    }
}
