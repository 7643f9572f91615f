//! HOT: the thread cache.
//!
//! For each size class a magazine, a LIFO array of block addresses; the thread's TLS block holds one word a class,
//! `top`, which points one past the last address. The slot below a magazine's bottom holds 0 and the slot past its end
//! holds [`END`]: the word read by a pop is its empty test, the word about to be overwritten by a push its full test.
//! A class without magazine points at a static one that is both empty and full, as does class 0 ("not a slab") always,
//! so there is no "initialised?" and no "ours?" test. Freed blocks are neither read nor written.
//!
//! Only the thread itself touches its TLS block, except a forked child that takes in the caches of threads that are
//! gone. Misses and overflows are one call to a cold function, in `magazine`.

pub mod lifecycle;
pub mod magazine;
mod tls;

pub use tls::{sll_lists, thread};

use crate::size_class::CLASS_COUNT;
use crate::sync::{Ordering, compiler_fence};
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
    pub top: [Cell<*mut usize>; TOPS],
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

impl Thread {
    #[inline(always)]
    fn top(&self, class: usize) -> &Cell<*mut usize> {
        debug_assert!(class < TOPS);
        // SAFETY: classes come from CLASS_OF or the class map and are at most CLASS_COUNT < TOPS.
        unsafe { self.top.get_unchecked(class) }
    }

    /// The block freed last, or 0 if the magazine is empty.
    #[inline(always)]
    pub fn pop(&self, class: usize) -> usize {
        let below = self.top(class).get().wrapping_sub(1);
        // SAFETY: `top` points into a magazine or one past its bottom guard, so the slot below it exists.
        let block = unsafe { below.read() };
        if block != 0 {
            self.top(class).set(below);
        }
        block
    }

    /// Puts a block on the magazine; false if it is full.
    #[inline(always)]
    pub fn push(&self, class: usize, block: usize) -> bool {
        let top = self.top(class).get();
        // SAFETY: `top` points at a free slot or at the end guard.
        if unsafe { top.read() } == END {
            return false;
        }
        // SAFETY: a slot that is not the end guard is this magazine's to write.
        unsafe { top.write(block) };
        // No instruction: the block is in its slot before `top` covers it, for a fork that catches this thread between.
        compiler_fence(Ordering::Release);
        self.top(class).set(top.wrapping_add(1));
        true
    }
}
