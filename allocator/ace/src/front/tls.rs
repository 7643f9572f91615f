//! The thread's block in initial-exec TLS: one `fs:`-relative address, in the preload library too.
//!
//! Stable Rust has no initial-exec `thread_local!` for a library (it calls `__tls_get_addr`), so the block is defined
//! in assembly: an image in `.tdata` in which every class points at the static magazine, which the loader copies for
//! each new thread. x86-64 Linux alone.

use super::Thread;
use crate::variants::sll::Lists;
use core::arch::{asm, global_asm};

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
compile_error!("ace-alloc knows the thread-local storage of x86-64 Linux alone");

global_asm!(
    ".pushsection .tdata.__ace_alloc_thread,\"awT\",@progbits",
    ".globl __ace_alloc_thread",
    ".hidden __ace_alloc_thread",
    ".type __ace_alloc_thread, @object",
    ".p2align 6",
    "__ace_alloc_thread:",
    ".rept {tops}",
    ".quad {none} + 8",
    ".endr",
    ".zero 64",
    ".size __ace_alloc_thread, . - __ace_alloc_thread",
    ".popsection",
    tops = const super::TOPS,
    none = sym super::NO_MAGAZINE,
);

// The lists of the ablation `variants::sll`: heads 0, lengths all ones, which is "full" until the thread is attached.
global_asm!(
    ".pushsection .tdata.__ace_alloc_sll,\"awT\",@progbits",
    ".globl __ace_alloc_sll",
    ".hidden __ace_alloc_sll",
    ".type __ace_alloc_sll, @object",
    ".p2align 6",
    "__ace_alloc_sll:",
    ".fill {lists}, 8, 0",
    ".rept {lists}",
    ".quad -1",
    ".endr",
    ".size __ace_alloc_sll, . - __ace_alloc_sll",
    ".popsection",
    lists = const crate::variants::sll::LISTS,
);

const _: () =
    assert!(size_of::<Lists>() == crate::variants::sll::LISTS * 16, "the assembly above lays the lists out");
const _: () = assert!(size_of::<Thread>() == super::TOPS * 8 + 64, "the assembly above lays the block out");

/// This thread's block. Valid from the thread's first instruction to its last.
#[inline(always)]
pub fn thread() -> &'static Thread {
    let block: *const Thread;
    // SAFETY: reads the thread pointer and the symbol's constant offset from it; no memory changes. The result is the
    // same for all calls on one thread.
    unsafe {
        asm!(
            "mov {0}, qword ptr [rip + __ace_alloc_thread@GOTTPOFF]",
            "add {0}, qword ptr fs:[0]",
            out(reg) block,
            options(pure, nomem, nostack)
        );
    }
    // SAFETY: the block is this thread's own, initialised from the image, and all its fields are Cells. The 'static
    // lifetime is the thread's: references are never stored.
    unsafe { &*block }
}

/// This thread's lists of the ablation `variants::sll`.
#[inline(always)]
pub fn sll_lists() -> &'static Lists {
    let lists: *const Lists;
    // SAFETY: as in `thread`.
    unsafe {
        asm!(
            "mov {0}, qword ptr [rip + __ace_alloc_sll@GOTTPOFF]",
            "add {0}, qword ptr fs:[0]",
            out(reg) lists,
            options(pure, nomem, nostack)
        );
    }
    // SAFETY: as in `thread`; the image is a thread not attached.
    unsafe { &*lists }
}
