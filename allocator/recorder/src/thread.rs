//! A thread's state, and the common path: reserve a record, stamp it, write it.
//!
//! The state lies in initial-exec TLS, in an all-zero image, so that a thread's very first call needs no test: cursor
//! and end are 0, so the first reservation fails into [`crate::window::slow`]. Reserving is one instruction that
//! adds to the cursor, so a signal handler that allocates between a reservation and its write gets a record of its
//! own. The stamp is written last: a record without one does not count.

use core::arch::{asm, global_asm};
use core::cell::Cell;
use core::sync::atomic::{AtomicU64, Ordering, compiler_fence};
use record_layout::RECORD_BYTES;

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
compile_error!("the recorder knows the thread-local storage of x86-64 Linux alone");

/// What a thread's [`Thread::state`] may be.
pub mod state {
    /// No call seen yet; also what a forked child's thread goes back to.
    pub const NEW: u64 = 0;
    /// It has a number, and a window unless one could not be had.
    pub const RECORDING: u64 = 1;
    /// Its key's destructor has run: what it still calls goes through a shared window.
    pub const ENDED: u64 = 2;
    /// Not recorded.
    pub const OFF: u64 = 3;
}

/// State of one thread. Cells: touched by the thread itself alone, and by signal handlers that run on it.
#[repr(C)]
pub struct Thread {
    /// Address of the next record. First, since the assembly below adds to it.
    pub cursor: Cell<usize>,
    /// Where the window ends; 0 while there is none or it is being changed.
    pub end: Cell<usize>,
    /// Begin of the window's mapping.
    pub base: Cell<usize>,
    /// Its number in the spool.
    pub number: Cell<u64>,
    /// One of [`state`].
    pub state: Cell<u64>,
    /// 1 while the slow path runs: a call from a signal handler or from the C library below it is then not recorded.
    pub busy: Cell<u64>,
    /// Rounds of key destructors seen.
    pub rounds: Cell<u64>,
}

const WORDS: usize = size_of::<Thread>() / 8;

global_asm!(
    ".pushsection .tbss.__allocbench_record_thread,\"awT\",@nobits",
    ".globl __allocbench_record_thread",
    ".hidden __allocbench_record_thread",
    ".type __allocbench_record_thread, @object",
    ".p2align 6",
    "__allocbench_record_thread:",
    ".zero 8 * {words}",
    ".size __allocbench_record_thread, . - __allocbench_record_thread",
    ".popsection",
    words = const WORDS,
);

/// The calling thread's state. Valid from its first instruction to its last.
#[inline(always)]
pub fn thread() -> &'static Thread {
    let state: *const Thread;
    // SAFETY: reads the thread pointer and the symbol's constant offset from it; no memory changes.
    unsafe {
        asm!(
            "mov {0}, qword ptr [rip + __allocbench_record_thread@GOTTPOFF]",
            "add {0}, qword ptr fs:[0]",
            out(reg) state,
            options(pure, nomem, nostack)
        );
    }
    // SAFETY: the block is this thread's own, zero is a value of every field, all are Cells; references are not kept.
    unsafe { &*state }
}

/// Adds a record's length to the cursor and returns where it was, in one instruction that no signal can split.
#[inline(always)]
fn reserve(thread: &Thread) -> usize {
    let mut at = RECORD_BYTES;
    // SAFETY: the cursor is this thread's own word; nothing else is touched.
    unsafe {
        asm!("xadd qword ptr [{0}], {1}", in(reg) thread.cursor.as_ptr(), inout(reg) at, options(nostack));
    }
    at
}

/// The cycle counter, read when all before it is done: what another thread sees of this call comes later.
#[inline(always)]
pub fn cycles() -> u64 {
    let (low, high): (u64, u64);
    // SAFETY: user code may read the counter; rdtscp waits for earlier instructions and touches no memory.
    unsafe {
        asm!("rdtscp", out("rax") low, out("rdx") high, out("rcx") _, options(nomem, nostack));
    }
    (high << 32) | low
}

/// Notes a call: `head` as [`record_layout::head`] makes it.
#[inline(always)]
pub fn record(head: u64, size: u64) {
    let stamp = cycles();
    let thread = thread();
    let at = reserve(thread);
    if at.wrapping_add(RECORD_BYTES) > thread.end.get() {
        crate::window::slow([stamp, head, size]);
    } else {
        // SAFETY: the record lies inside this thread's window, and the reservation made it this call's alone.
        unsafe { write(at, [stamp, head, size]) };
    }
}

/// Writes a record, its stamp last.
///
/// # Safety
/// `at` is the 8-aligned address of a record in a mapped window, reserved by the caller.
#[inline(always)]
pub unsafe fn write(at: usize, words: [u64; 3]) {
    let place = at as *mut u64;
    // SAFETY: the caller's promise.
    let (second, third) = unsafe { (place.add(1), place.add(2)) };
    // SAFETY: as above; the file's pages are ordinary memory.
    unsafe { second.write(words[1]) };
    // SAFETY: as above.
    unsafe { third.write(words[2]) };
    // Only this thread and, after its end, a reader of the file look here: the compiler's order is enough.
    compiler_fence(Ordering::Release);
    // SAFETY: as above; aligned, and written by this call alone.
    let stamp = unsafe { AtomicU64::from_ptr(place) };
    stamp.store(words[0], Ordering::Relaxed);
}
