//! The contract between a benchmark and an allocator.
//!
//! Calls have the shape that a Rust program's have (`GlobalAlloc`): size and alignment are known at free. An
//! engine serves them through the entry points a program of its users would reach: `malloc`-shaped where the
//! alignment is at most [`MALLOC_ALIGN`], its aligned entry above; a sized free where it has one.

/// Alignment in bytes that plain `malloc` guarantees on every 64-bit target here.
pub const MALLOC_ALIGN: usize = 16;

/// An allocator under test. One static instance a process.
///
/// # Safety
/// `alloc` and `realloc` return NULL or a block of at least the size asked for, aligned as asked, that overlaps
/// no other live block; any thread may free any block.
pub unsafe trait Engine: Sync {
    /// Name as users type it, e.g. `mimalloc`.
    fn name(&self) -> &'static str;

    /// Version as the engine itself reports it at run time (not the crate's number).
    fn version(&self) -> String;

    /// A block of `size` ≥ 1 bytes aligned to `align` (a power of two), or NULL when memory cannot be had.
    ///
    /// # Safety
    /// `size` ≥ 1, `align` is a power of two, `size` rounded up to `align` does not overflow `isize`.
    unsafe fn alloc(&self, size: usize, align: usize) -> *mut u8;

    /// Gives a block back.
    ///
    /// # Safety
    /// `ptr` is a live block of this engine, asked for with this `size` and `align`.
    unsafe fn dealloc(&self, ptr: *mut u8, size: usize, align: usize);

    /// Resizes a block, in place or moved; NULL leaves the old block as it was.
    ///
    /// # Safety
    /// As [`Engine::dealloc`] for `ptr`, `old_size`, `align`; as [`Engine::alloc`] for `new_size`.
    unsafe fn realloc(&self, ptr: *mut u8, old_size: usize, align: usize, new_size: usize) -> *mut u8;

    /// Bytes the caller may use in the block, at least `size`.
    ///
    /// # Safety
    /// As [`Engine::dealloc`].
    unsafe fn usable_size(&self, ptr: *mut u8, size: usize, align: usize) -> usize;

    /// Whether this engine served the live block at `ptr`, by the engine's own records or, where it keeps none
    /// that can be asked, by the proof that the engine's module documents. A pointer of another allocator is `false`.
    fn served(&self, ptr: *const u8) -> bool;

    /// Returns what free memory the engine can to the operating system, from the calling thread.
    fn trim(&self) {}

    /// The engine's own figures; a field it does not keep is `None`.
    fn stats(&self) -> Stats {
        Stats::default()
    }

    /// Called once on each thread before its first allocation.
    fn enter_thread(&self) {}

    /// Called once on each thread after its last call, before the thread ends.
    fn leave_thread(&self) {}

    /// Tells the engine how much the coming run allocates in all, in bytes, and whether the run relies on its blocks'
    /// contents. Only the floor engine listens.
    fn expect(&self, _total_bytes: usize, _contents: bool) {}

    /// Whether blocks keep their contents until freed. Only the floor engine, which recycles live memory, says no.
    fn keeps_contents(&self) -> bool {
        true
    }
}

/// Figures an engine keeps about itself. Bytes and counts since process start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes in live blocks, in the engine's own accounting (usable bytes).
    pub allocated_bytes: Option<u64>,
    /// Bytes of memory that back the heap and may be resident.
    pub committed_bytes: Option<u64>,
    /// Bytes of address space held.
    pub reserved_bytes: Option<u64>,
    /// Times a lock was taken.
    pub lock_takings: Option<u64>,
    /// Times a lock was found held and had to be waited for.
    pub lock_waits: Option<u64>,
    /// Atomic read-modify-write operations outside locks.
    pub atomic_rmws: Option<u64>,
    /// Operations served by the thread cache alone (HOT).
    pub hot_ops: Option<u64>,
    /// Operations that refilled or flushed a thread cache from a heap (WARM).
    pub warm_ops: Option<u64>,
    /// Operations that reached shared structures or the operating system (COLD).
    pub cold_ops: Option<u64>,
    /// Blocks freed by another thread than the one that owns their slab.
    pub remote_frees: Option<u64>,
}
