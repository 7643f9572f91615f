//! What the allocator can say about itself.
//!
//! Counters live with the heaps and are summed on demand, under each heap's word for a moment; HOT counts nothing. The
//! sums hold exactly when no thread is inside the allocator:
//! `refilled = flushed_local + drained + out_blocks` (blocks accounted on both sides), and
//! `superslabs = hot + draining + free + full = mapped − released`. docs/STATS.md says what each counter is for; a test
//! compares it with [`Stats::fields`].

use crate::class_map;
use crate::heap::{orphan, table};
use crate::huge;
use crate::limits;
use crate::meta;
use crate::superslab::{large, pages, pool};
use crate::text::Line;
use crate::units::SUPERSLAB_BYTES;

/// A snapshot. Bytes and counts since the start of the process unless said otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stats {
    /// Refills: misses of the thread cache that went to a heap.
    pub refills: u64,
    /// Blocks that refills took out of slabs.
    pub refilled_blocks: u64,
    /// Flushes: parts of magazines given back.
    pub flushes: u64,
    /// Blocks flushed to slabs of the flushing heap.
    pub flushed_local_blocks: u64,
    /// Blocks flushed to slabs of other heaps or orphans.
    pub flushed_remote_blocks: u64,
    /// Blocks that owners took in after others had freed them.
    pub drained_blocks: u64,
    /// Slabs (spans) taken from the pool.
    pub slabs_acquired: u64,
    /// Slabs (spans) given back to the pool.
    pub slabs_released: u64,
    /// Orphans taken over by a heap.
    pub slabs_adopted: u64,
    /// Slabs left without owner by a retiring heap or a sweep.
    pub slabs_orphaned: u64,
    /// Misses of the HOT shelf that the warm pool served.
    pub warm_hits: u64,
    /// Misses of the HOT shelf that it did not.
    pub warm_misses: u64,
    /// Resting magazines that gave blocks back.
    pub magazines_shrunk: u64,
    /// Heaps ever made, now.
    pub heaps: u64,
    /// Orphans now.
    pub orphans: u64,
    /// Bytes of slab blocks out now: live, in magazines, or returned and not yet taken in; orphans not included.
    pub out_bytes: u64,
    /// Bytes of slab blocks out now of orphans, returns not yet taken in included.
    pub orphan_out_bytes: u64,
    /// Superslabs now, by tier: HOT, DRAINING, FREE, FULL.
    pub superslabs: [u64; 4],
    /// Superslabs mapped.
    pub superslabs_mapped: u64,
    /// Superslabs unmapped.
    pub superslabs_released: u64,
    /// Bytes of superslabs now.
    pub superslab_bytes: u64,
    /// Bytes of pages that may be resident now: slabs, runs, huge blocks, cached mappings.
    pub committed_bytes: u64,
    /// Bytes of pages of slabs and runs that may be resident now; a part of `committed_bytes`.
    pub slab_committed_bytes: u64,
    /// Bytes of live large runs now.
    pub large_bytes: u64,
    /// Live huge blocks now.
    pub huge_blocks: u64,
    /// Bytes of live huge blocks now.
    pub huge_bytes: u64,
    /// Bytes of freed mappings kept for reuse now.
    pub huge_cached_bytes: u64,
    /// Bytes mapped for metadata outside superslabs now.
    pub meta_bytes: u64,
    /// Bytes of address space the class map reserves.
    pub class_map_bytes: u64,
    /// Bytes returned by purges and unmaps of superslabs.
    pub purged_bytes: u64,
    /// Purged bytes that were taken again: savings not realised.
    pub refaulted_bytes: u64,
    /// System calls that purged.
    pub purge_calls: u64,
}

/// Counters that [`Stats::fields`] names.
pub const FIELDS: usize = 35;

impl Stats {
    /// Every counter with its name; names end in their unit where that is not a count.
    pub fn fields(&self) -> [(&'static str, u64); FIELDS] {
        // Without `..`, so that a counter cannot be forgotten here.
        let Stats {
            refills,
            refilled_blocks,
            flushes,
            flushed_local_blocks,
            flushed_remote_blocks,
            drained_blocks,
            slabs_acquired,
            slabs_released,
            slabs_adopted,
            slabs_orphaned,
            warm_hits,
            warm_misses,
            magazines_shrunk,
            heaps,
            orphans,
            out_bytes,
            orphan_out_bytes,
            superslabs,
            superslabs_mapped,
            superslabs_released,
            superslab_bytes,
            committed_bytes,
            slab_committed_bytes,
            large_bytes,
            huge_blocks,
            huge_bytes,
            huge_cached_bytes,
            meta_bytes,
            class_map_bytes,
            purged_bytes,
            refaulted_bytes,
            purge_calls,
        } = *self;
        [
            ("refills", refills),
            ("refilled_blocks", refilled_blocks),
            ("flushes", flushes),
            ("flushed_local_blocks", flushed_local_blocks),
            ("flushed_remote_blocks", flushed_remote_blocks),
            ("drained_blocks", drained_blocks),
            ("slabs_acquired", slabs_acquired),
            ("slabs_released", slabs_released),
            ("slabs_adopted", slabs_adopted),
            ("slabs_orphaned", slabs_orphaned),
            ("warm_hits", warm_hits),
            ("warm_misses", warm_misses),
            ("magazines_shrunk", magazines_shrunk),
            ("heaps", heaps),
            ("orphans", orphans),
            ("out_bytes", out_bytes),
            ("orphan_out_bytes", orphan_out_bytes),
            ("superslabs_hot", superslabs[0]),
            ("superslabs_draining", superslabs[1]),
            ("superslabs_free", superslabs[2]),
            ("superslabs_full", superslabs[3]),
            ("superslabs_mapped", superslabs_mapped),
            ("superslabs_released", superslabs_released),
            ("superslab_bytes", superslab_bytes),
            ("committed_bytes", committed_bytes),
            ("slab_committed_bytes", slab_committed_bytes),
            ("large_bytes", large_bytes),
            ("huge_blocks", huge_blocks),
            ("huge_bytes", huge_bytes),
            ("huge_cached_bytes", huge_cached_bytes),
            ("meta_bytes", meta_bytes),
            ("class_map_bytes", class_map_bytes),
            ("purged_bytes", purged_bytes),
            ("refaulted_bytes", refaulted_bytes),
            ("purge_calls", purge_calls),
        ]
    }

    /// Bytes that the program has out: blocks of slabs, runs, huge blocks. Blocks in thread caches count.
    pub fn live_bytes(&self) -> u64 {
        self.out_bytes + self.orphan_out_bytes + self.large_bytes + self.huge_bytes
    }

    /// One line a counter, `name value`. Allocates nothing.
    pub fn write_text(&self, mut sink: impl FnMut(&[u8])) {
        for (name, value) in self.fields() {
            sink(Line::new().text(name).text(" ").decimal(value).text("\n").bytes());
        }
    }

    /// One JSON object on one line. Allocates nothing.
    pub fn write_json(&self, mut sink: impl FnMut(&[u8])) {
        for (i, (name, value)) in self.fields().into_iter().enumerate() {
            let before = if i == 0 { "{\"" } else { ",\"" };
            sink(Line::new().text(before).text(name).text("\":").decimal(value).bytes());
        }
        sink(b"}\n");
    }
}

/// A snapshot of the whole process. Takes each heap's word for a moment; allocates nothing.
pub fn stats() -> Stats {
    let mut s = Stats::default();
    for heap in table::all() {
        heap.with(|heap| {
            let c = &heap.counters;
            s.refills += c.refills.get();
            s.refilled_blocks += c.refilled_blocks.get();
            s.flushes += c.flushes.get();
            s.flushed_local_blocks += c.flushed_local_blocks.get();
            s.flushed_remote_blocks += c.flushed_remote_blocks.get();
            s.drained_blocks += c.drained_blocks.get();
            s.slabs_acquired += c.slabs_acquired.get();
            s.slabs_released += c.slabs_released.get();
            s.slabs_adopted += c.slabs_adopted.get();
            s.slabs_orphaned += c.slabs_orphaned.get();
            s.warm_hits += c.warm_hits.get();
            s.warm_misses += c.warm_misses.get();
            s.magazines_shrunk += c.magazines_shrunk.get();
            s.out_bytes += heap.out_bytes() as u64;
            s.heaps += 1;
        });
    }
    s.orphans = orphan::orphans() as u64;
    s.orphan_out_bytes = orphan::out_bytes() as u64;
    s.superslabs = pool::tiers().map(|n| n as u64);
    let (mapped, released) = pool::turnover();
    (s.superslabs_mapped, s.superslabs_released) = (mapped as u64, released as u64);
    s.superslab_bytes = s.superslabs.iter().sum::<u64>() * SUPERSLAB_BYTES as u64;
    s.committed_bytes = limits::committed_bytes() as u64;
    s.slab_committed_bytes = pages::committed_bytes() as u64;
    s.large_bytes = large::live_bytes() as u64;
    s.huge_blocks = huge::blocks() as u64;
    let (live, cached) = huge::totals();
    (s.huge_bytes, s.huge_cached_bytes) = (live as u64, cached as u64);
    s.meta_bytes = meta::mapped_bytes() as u64;
    s.class_map_bytes = class_map::reserved_bytes() as u64;
    let (purged, refaulted, calls) = pages::purge_totals();
    (s.purged_bytes, s.refaulted_bytes, s.purge_calls) = (purged as u64, refaulted as u64, calls as u64);
    s
}
