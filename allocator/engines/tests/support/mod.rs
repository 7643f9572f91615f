//! Blocks that know what was asked for and written, and the tables that the cases consult.

use engines::Engine;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

static SEEDS: AtomicUsize = AtomicUsize::new(0);
static ONE_CASE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Runs `case` over every engine built, one after the other.
pub fn for_every_engine(case: impl Fn(&'static dyn Engine)) {
    with_every_engine(|engines| engines.iter().for_each(|engine| case(*engine)));
}

/// Runs `case` over all engines built at once.
pub fn with_every_engine(case: impl FnOnce(&[&'static dyn Engine])) {
    let _guard = ONE_CASE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let engines: Vec<&'static dyn Engine> =
        engines::built().map(|entry| entry.instance.expect("built means there is one")()).collect();
    assert!(!engines.is_empty());
    case(&engines);
}

/// Whether two names stand for one allocator: `c_abi` is the process's malloc, which is `system` unless something is
/// preloaded; `slowed` wraps `system` unless the environment says otherwise; every ablation is ACE-Alloc.
pub fn is_one_allocator(one: &str, other: &str) -> bool {
    let is_glibc = |name: &str| ["system", "c_abi", "slowed"].contains(&name);
    let is_ace = |name: &str| name == "ace" || engines::find(name).is_some_and(|entry| entry.ablation);
    (is_glibc(one) && is_glibc(other)) || (is_ace(one) && is_ace(other))
}

/// What the version string of the engine called `name` must start with.
pub fn version_prefix(name: &str) -> &'static str {
    match name {
        "floor" => "floor 0.",
        "system" | "slowed" => "glibc 2.",
        "c_abi" => "/",
        "jemalloc" => "jemalloc 5.3",
        "mimalloc" => "mimalloc 3.",
        "mimalloc2" => "mimalloc 2.",
        "snmalloc" => "snmalloc 0.7",
        "rpmalloc" => "rpmalloc 1.",
        "tcmalloc" => "tcmalloc ",
        "ace" => "ace-alloc ",
        _ if name.starts_with("mempool_") => "mempool ",
        _ if engines::find(name).is_some_and(|entry| entry.ablation) => "ace-alloc ",
        _ => panic!("say in the table of versions what {name} reports"),
    }
}

/// Engines that report no version at run time and give their crate's, with the crate.
pub const CRATE_NUMBERED: [(&str, &str); 3] =
    [("snmalloc", "snmalloc-sys"), ("rpmalloc", "rpmalloc-sys"), ("tcmalloc", "libtcmalloc-sys")];

/// The version of `package` in a lock file, without what follows a `+`.
pub fn locked_version<'lock>(lock: &'lock str, package: &str) -> Option<&'lock str> {
    let (_, after_name) = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    let (version, _) = after_name.split_once('"')?;
    version.split('+').next()
}

/// Whether the engine reports what it holds.
pub fn keeps_figures(name: &str) -> bool {
    !matches!(name, "c_abi" | "rpmalloc")
}

/// A live block with a pattern in it.
pub struct Block {
    engine: &'static dyn Engine,
    ptr: *mut u8,
    size: usize,
    align: usize,
    written: usize,
    seed: usize,
}

// SAFETY: an engine's blocks may be used and freed on any thread; the pointer is this value's own.
unsafe impl Send for Block {}

impl fmt::Debug for Block {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "block of {} bytes aligned to {} at {:p}", self.size, self.align, self.ptr)
    }
}

impl Block {
    /// A block that is filled from end to end.
    pub fn filled(engine: &'static dyn Engine, size: usize, align: usize) -> Self {
        Self::written(engine, size, align, size)
    }

    /// A block whose first bytes alone are written.
    pub fn marked(engine: &'static dyn Engine, size: usize, align: usize) -> Self {
        Self::written(engine, size, align, size.min(64))
    }

    fn written(engine: &'static dyn Engine, size: usize, align: usize, written: usize) -> Self {
        // SAFETY: sizes here are at least 1 and far below `isize::MAX`, alignments powers of two.
        let ptr = unsafe { engine.alloc(size, align) };
        // Relaxed: the counter only has to differ from block to block.
        let seed = SEEDS.fetch_add(1, Ordering::Relaxed);
        let block = Self { engine, ptr, size, align, written, seed };
        block.check_shape();
        block.write_from(0);
        block
    }

    fn check_shape(&self) {
        assert!(!self.ptr.is_null(), "{}: no {self:?}", self.engine.name());
        assert!(self.ptr.addr().is_multiple_of(self.align), "{}: misaligned {self:?}", self.engine.name());
        assert!(
            self.usable_size() >= self.size,
            "{}: {} usable in {self:?}",
            self.engine.name(),
            self.usable_size()
        );
    }

    /// The byte at `index`, another one in the next 250 blocks, so that one block's bytes in another show.
    fn pattern(&self, index: usize) -> u8 {
        (index.wrapping_mul(167) ^ (index >> 8)).wrapping_add(self.seed % 251).to_le_bytes()[0]
    }

    fn write_from(&self, start: usize) {
        for index in start..self.written {
            // SAFETY: `index` is within the block, which is live and this value's own.
            unsafe { self.ptr.add(index).write(self.pattern(index)) };
        }
    }

    /// Panics unless the block still holds what was written.
    pub fn verify(&self) {
        for index in 0..self.written {
            // SAFETY: `index` is within the part of the block that was written.
            let found = unsafe { self.ptr.add(index).read() };
            assert_eq!(found, self.pattern(index), "{}: byte {index} of {self:?}", self.engine.name());
        }
    }

    pub fn usable_size(&self) -> usize {
        // SAFETY: the block is live and has this size and alignment.
        unsafe { self.engine.usable_size(self.ptr, self.size, self.align) }
    }

    pub fn address(&self) -> *const u8 {
        self.ptr
    }

    /// The block at another size, its common part checked and the rest written.
    pub fn resized(mut self, new_size: usize) -> Self {
        // SAFETY: the block is live and has this size and alignment; it is replaced by the result.
        let ptr = unsafe { self.engine.realloc(self.ptr, self.size, self.align, new_size) };
        let common = self.size.min(new_size);
        (self.ptr, self.size, self.written) = (ptr, new_size, common);
        self.check_shape();
        self.verify();
        self.written = new_size;
        self.write_from(common);
        self
    }

    /// Whether resizing to `new_size` fails and leaves the block.
    pub fn cannot_become(&self, new_size: usize) -> bool {
        // SAFETY: the block is live and has this size and alignment.
        unsafe { self.engine.realloc(self.ptr, self.size, self.align, new_size) }.is_null()
    }

    pub fn free(self) {
        // SAFETY: the block is live, has this size and alignment, and ends here.
        unsafe { self.engine.dealloc(self.ptr, self.size, self.align) }
    }
}

/// Whether no two blocks share a usable byte.
pub fn disjoint(blocks: &[Block]) -> bool {
    let mut ranges: Vec<(usize, usize)> =
        blocks.iter().map(|block| (block.ptr.addr(), block.ptr.addr() + block.usable_size())).collect();
    ranges.sort_unstable();
    ranges.windows(2).all(|pair| pair[0].1 <= pair[1].0)
}

/// Memory straight from the operating system.
pub struct Mapping {
    start: *mut u8,
    len_bytes: usize,
}

impl Mapping {
    pub fn new(len_bytes: usize) -> Self {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a fresh anonymous mapping at an address of the kernel's choice touches nothing of ours.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), len_bytes, protection, flags, -1, 0) };
        assert_ne!(start, libc::MAP_FAILED);
        Self { start: start.cast(), len_bytes }
    }

    pub fn start(&self) -> *const u8 {
        self.start
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own and nothing refers to it any more.
        unsafe { libc::munmap(self.start.cast(), self.len_bytes) };
    }
}
