//! What the executing loop costs by itself: an engine that hands out addresses of a small, resident arena and does
//! nothing on a free. `loop_cost [WORKLOAD ...]` prints nanoseconds an operation; under callgrind, instructions.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicUsize, Ordering};

use engines::Engine;
use workloads::{Mode, NoHooks, RunOptions, builtin, prepare};

/// Bytes among which blocks begin; they wrap round, and stay in a first-level cache.
const ARENA_BYTES: usize = 1 << 14;
/// Bytes behind them for the longest block.
const TAIL_BYTES: usize = 8 << 20;

#[repr(align(4096))]
struct Bump {
    arena: UnsafeCell<[u8; ARENA_BYTES + TAIL_BYTES]>,
    next: AtomicUsize,
}

// SAFETY: nobody makes a reference to the arena; blocks overlap, which the run is told by `keeps_contents`.
unsafe impl Sync for Bump {}

// SAFETY: the arena outlives every run and a block of up to 8 MiB fits behind each offset; blocks overlap, so
// this is for measuring the loop alone.
unsafe impl Engine for Bump {
    fn name(&self) -> &'static str {
        "bump"
    }
    fn version(&self) -> String {
        String::new()
    }
    #[inline(never)]
    unsafe fn alloc(&self, size: usize, align: usize) -> *mut u8 {
        // Relaxed: one thread; a load and a store, not a locked addition.
        let at = (self.next.load(Ordering::Relaxed) + align - 1) & !(align - 1) & (ARENA_BYTES - 1);
        self.next.store(at + size, Ordering::Relaxed);
        self.arena.get().cast::<u8>().wrapping_add(at)
    }
    #[inline(never)]
    unsafe fn dealloc(&self, _ptr: *mut u8, _size: usize, _align: usize) {}
    unsafe fn realloc(&self, _ptr: *mut u8, _old: usize, align: usize, new_size: usize) -> *mut u8 {
        // SAFETY: as the caller promises.
        unsafe { self.alloc(new_size, align) }
    }
    unsafe fn usable_size(&self, _ptr: *mut u8, size: usize, _align: usize) -> usize {
        size
    }
    fn served(&self, ptr: *const u8) -> bool {
        (self.arena.get() as usize..self.arena.get() as usize + ARENA_BYTES + TAIL_BYTES)
            .contains(&(ptr as usize))
    }
    fn keeps_contents(&self) -> bool {
        false
    }
}

static BUMP: Bump = Bump { arena: UnsafeCell::new([0; ARENA_BYTES + TAIL_BYTES]), next: AtomicUsize::new(0) };

fn main() -> Result<(), String> {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let repetitions = if std::env::var_os("ONCE").is_some() { 1 } else { 9 };
    for workload in builtin().iter().filter(|workload| names.contains(&workload.name)) {
        let mut ns_per_op = Vec::new();
        let mut ops = 0;
        for _ in 0..repetitions {
            let options = RunOptions { mode: Mode::Plain, verify: false, pin: true };
            let prepared = prepare(workload, 1, 42)?;
            let outcome = prepared.run(&BUMP, &options, &NoHooks).map_err(|error| error.to_string())?;
            ops = outcome.allocs + outcome.frees + outcome.reallocs;
            ns_per_op.push(outcome.elapsed_ns as f64 / ops as f64);
        }
        ns_per_op.sort_by(f64::total_cmp);
        println!(
            "{:20} {ops:>9} ops, ns/op: median {:.2}, least {:.2}, most {:.2}",
            workload.name,
            ns_per_op[ns_per_op.len() / 2],
            ns_per_op[0],
            ns_per_op[ns_per_op.len() - 1]
        );
    }
    Ok(())
}
