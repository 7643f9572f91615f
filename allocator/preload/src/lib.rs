//! ACE-Alloc behind the C ABI: `LD_PRELOAD=libace_alloc.so program`.
//!
//! Exports the allocation functions of C, POSIX and glibc (`c_abi`), glibc's reports and tuning (`report`) and C++'s
//! operators (`cxx`); each is the thinnest possible face over `ace::route`. Sizes passed to `free_sized` and its kin are
//! not needed: a block is found by its address. Pointers of other allocators go to the next one in line (`next`).
//! Errors are reported as the standards ask: `errno` is ENOMEM, or EINVAL for a bad alignment; a free keeps errno.
//!
//! `cargo build --release` builds it as it is deployed: `no_std`, on libc alone. Under a profile that unwinds it links
//! std, which it does not use, because the language wants an unwinder from somewhere.
//!
//! `tests/library.rs` holds the built file to this: exported names, no `__tls_get_addr`, thread-local bytes.

#![cfg_attr(panic = "abort", no_std)]

mod c_abi;
mod cxx;
mod next;
mod report;

#[cfg(panic = "abort")]
mod no_unwind {
    //! What a `no_std` library must bring itself. Nothing in it panics.

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo) -> ! {
        ace::pal::message(b"ace-alloc: internal error\n");
        ace::pal::abort()
    }

    // `core` is compiled to unwind and refers to this symbol where it is not optimised away. Never called; hidden, so
    // that a program's own is not interposed.
    core::arch::global_asm!(
        ".globl rust_eh_personality",
        ".hidden rust_eh_personality",
        "rust_eh_personality: ud2",
    );
}
