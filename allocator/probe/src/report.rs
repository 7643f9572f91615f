//! The report: one vocabulary for all allocators, in bytes.
//!
//! `allocated ≤ allocated + thread caches + free ≤ mapped`; what is resident only the kernel knows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What an allocator says of itself. A figure it does not give is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// `glibc`, `jemalloc`, `mimalloc`, `tcmalloc`, `ace` or `unknown`.
    pub engine: String,
    /// As the allocator reports it.
    pub version: String,
    /// File that `malloc` is in.
    pub library: String,
    /// Bytes in blocks that the program holds. glibc counts the blocks in its thread caches here.
    pub allocated_bytes: Option<u64>,
    /// Bytes in blocks that thread caches hold.
    pub thread_cache_bytes: Option<u64>,
    /// Free bytes inside arenas, slabs or spans.
    pub free_bytes: Option<u64>,
    /// Free bytes at the end of the heap, which the allocator returns by itself (glibc: the main arena's top).
    pub releasable_bytes: Option<u64>,
    /// Free pages not yet returned to the system.
    pub dirty_bytes: Option<u64>,
    /// Free pages that the system may take back but still counts as resident (MADV_FREE).
    pub lazy_bytes: Option<u64>,
    /// The allocator's own tables.
    pub metadata_bytes: Option<u64>,
    /// Address space in arenas, slabs or spans, without single mappings of large blocks.
    pub arena_bytes: Option<u64>,
    /// Large blocks with mappings of their own.
    pub mapped_large_bytes: Option<u64>,
    /// Number of those mappings.
    pub mapped_large_count: Option<u64>,
    /// Number of arenas or heaps.
    pub arenas: Option<u64>,
    /// Number of free chunks, where the allocator counts them.
    pub free_chunks: Option<u64>,
    /// Bytes of each arena and free bytes in it, largest first, at most sixteen.
    pub largest_arenas: Vec<(u64, u64)>,
    /// Whatever else the allocator says, under its own names.
    pub extra: BTreeMap<String, u64>,
    /// Bytes that the program itself counts as live, where it counts.
    pub counted_live_bytes: Option<u64>,
}

impl Report {
    /// Share of the arenas that is allocated; the seed of this idea calls it utilisation.
    pub fn utilisation(&self) -> Option<f64> {
        let (allocated, arena) = (self.allocated_bytes?, self.arena_bytes?);
        (arena > 0)
            .then(|| allocated.saturating_sub(self.mapped_large_bytes.unwrap_or(0)) as f64 / arena as f64)
    }

    /// The best figure for bytes that the program holds.
    pub fn live_bytes(&self) -> Option<u64> {
        self.counted_live_bytes.or(self.allocated_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utilisation_leaves_single_mappings_out() {
        let report = Report {
            allocated_bytes: Some(30),
            mapped_large_bytes: Some(20),
            arena_bytes: Some(100),
            ..Report::default()
        };
        assert_eq!(report.utilisation(), Some(0.1));
        assert_eq!(Report::default().utilisation(), None);
    }
}
