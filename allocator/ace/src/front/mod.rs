//! HOT: the thread cache.
//!
//! For each size class a magazine, a LIFO array of block addresses; the thread's TLS block holds one word a class,
//! `top`, which points one past the last address. The slot below a magazine's bottom holds 0 and the slot past its end
//! holds [`END`]: the word read by a pop is its empty test, the word about to be overwritten by a push its full test.
//! A class without magazine points at a static one that is both empty and full, as does class 0 ("not a slab") always,
//! so there is no "initialised?" and no "ours?" test. Freed blocks are neither read nor written.
//!
//! Only the thread itself stores to its `top`s and pushes; another thread that holds the heap's word may exchange slots
//! for 0 (`taking`), and a forked child takes in the caches of threads that are gone. So `top` and slots are atomics,
//! read and written with plain moves. Misses and overflows are one call to a cold function, in `magazine`.

pub mod array;
pub mod budget;
pub mod handshake;
pub mod lifecycle;
pub mod magazine;
pub mod taking;
mod tls;

pub use tls::{sll_lists, thread};

use crate::size_class::CLASS_COUNT;
use crate::sync::{AtomicPtr, AtomicUsize, Ordering, compiler_fence};
use core::arch::asm;
use core::cell::Cell;
use core::ptr;

/// Marks the slot past a magazine's end; no block has this address.
pub const END: usize = 1;
/// Words of `top`: one a class and class 0, rounded up to whole cache lines.
pub const TOPS: usize = 80;

const _: () = assert!(TOPS > CLASS_COUNT);

/// The magazine of classes that have none: {0, END} with `top` at the second word.
pub static NO_MAGAZINE: [usize; 2] = [0, END];

/// A thread's TLS block. Its image in `tls` initialises it before the thread's first instruction.
#[repr(C)]
pub struct Thread {
    /// By class, one past the address that the next pop returns.
    pub top: [AtomicPtr<usize>; TOPS],
    /// The thread's heap while attached, else 0.
    pub heap: Cell<usize>,
    /// Its place in its life; values in `lifecycle`.
    pub state: Cell<usize>,
    /// Rounds of key destructors that were let pass.
    pub rounds: Cell<usize>,
    /// Keeps the block a whole number of cache lines.
    pub spare: [Cell<usize>; 5],
}

/// Where `top` points for a class without magazine.
#[inline]
pub fn no_magazine() -> *mut usize {
    ptr::addr_of!(NO_MAGAZINE).cast::<usize>().cast_mut().wrapping_add(1)
}

/// A word of a magazine.
///
/// # Safety
/// `at` points into a magazine's array, guards included, that is not given back while the reference lives.
#[inline(always)]
unsafe fn word<'a>(at: *mut usize) -> &'a AtomicUsize {
    // SAFETY: the caller's promise; all accesses to arrays in use are atomic.
    unsafe { AtomicUsize::from_ptr(at) }
}

impl Thread {
    #[inline(always)]
    fn top(&self, class: usize) -> &AtomicPtr<usize> {
        debug_assert!(class < TOPS);
        // SAFETY: classes come from CLASS_OF or the class map and are at most CLASS_COUNT < TOPS.
        unsafe { self.top.get_unchecked(class) }
    }

    /// The block freed last, or 0 if the magazine is empty.
    #[inline(always)]
    pub fn pop(&self, class: usize) -> usize {
        // Relaxed throughout: for the owner these are its own words; what `taking` needs is that its loads and stores
        // happen in program order, which x86-64 and the data dependences give.
        let below = self.top(class).load(Ordering::Relaxed).wrapping_sub(1);
        // SAFETY: `top` points into a magazine or one past its bottom guard, so the slot below it exists; the array is
        // this thread's until it passes in WARM.
        let block = unsafe { word(below) }.load(Ordering::Relaxed);
        if block != 0 {
            self.top(class).store(below, Ordering::Relaxed);
        }
        block
    }

    /// Puts a block on the magazine; false if it is full.
    #[inline(always)]
    pub fn push(&self, class: usize, block: usize) -> bool {
        let top = self.top(class).load(Ordering::Relaxed);
        // By hand, because the compiler compares with memory in one instruction only where the read is not atomic.
        // SAFETY: `top` points at a free slot or at the end guard, in this thread's array; nothing is written.
        unsafe {
            asm!(
                "cmp qword ptr [{top}], {end}",
                "je {full}",
                top = in(reg) top,
                end = const END,
                full = label { return false },
                options(nostack, readonly)
            );
        }
        // SAFETY: as above, and not the guard.
        unsafe { word(top) }.store(block, Ordering::Relaxed);
        // No instruction: the block is in its slot before `top` covers it, for a fork that catches this thread between.
        compiler_fence(Ordering::Release);
        self.top(class).store(top.wrapping_add(1), Ordering::Relaxed);
        true
    }
}
