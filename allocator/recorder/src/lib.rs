//! The recording library: `LD_PRELOAD=liballocbench_record.so` and `ALLOCBENCH_RECORD_DIR` make a process write what
//! it asks of its allocator, whichever that is, to a spool file of its own. Without the variable it only passes on.
//!
//! Every exported function calls the next allocator in line and notes the call in a window of the spool that is
//! mapped into this process and belongs to the calling thread. So nothing has to be flushed: what was written is the
//! kernel's, whether the process ends well, by `_exit`, or by SIGKILL.
//!
//! **States of a thread**: new → recording ⇄ refilling → ended. `thread` holds its word in initial-exec TLS,
//! `window` takes and passes on windows, `spool` makes the file, `lifecycle` knows forks and ends of threads.
//! Nothing here allocates, locks on the common path, or uses std.

#![cfg_attr(panic = "abort", no_std)]

mod c_abi;
mod cpp_abi;
mod lifecycle;
mod next;
mod spool;
mod thread;
mod window;

#[cfg(panic = "abort")]
mod no_unwind {
    //! What a `no_std` library must bring itself. Nothing in it panics.

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo) -> ! {
        // SAFETY: ends the process; takes nothing.
        unsafe { libc::abort() }
    }

    // `core` refers to this symbol where it is not optimised away. Never called; hidden, so that a program's own is
    // not interposed.
    core::arch::global_asm!(
        ".globl rust_eh_personality",
        ".hidden rust_eh_personality",
        "rust_eh_personality: ud2",
    );
}
