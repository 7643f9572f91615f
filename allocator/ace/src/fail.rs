//! Fail fast: one line on standard error, then `abort`.
//!
//! Called when continuing would hand out memory twice: a double free, a pointer into a block's middle, a layout of
//! another class. Formats into a stack buffer, because the allocator cannot be asked for memory here, and writes with
//! one system call so that lines of several threads do not mix. Any thread, any lock held; never returns.

use crate::pal;

/// Longest line; reasons are literals of this crate and far shorter.
const LINE_BYTES: usize = 160;

/// Writes `ace-alloc: <reason>: 0x<address>` and aborts.
#[cold]
#[inline(never)]
pub fn die(reason: &str, address: usize) -> ! {
    let mut line = [0u8; LINE_BYTES];
    let mut at = 0;
    let mut put = |bytes: &[u8]| {
        for &b in bytes {
            if at < LINE_BYTES {
                line[at] = b;
                at += 1;
            }
        }
    };
    put(b"ace-alloc: ");
    put(reason.as_bytes());
    put(b": 0x");
    let digits = (usize::BITS - address.leading_zeros()).div_ceil(4).max(1);
    for digit in (0..digits).rev() {
        put(&[b"0123456789abcdef"[(address >> (digit * 4)) & 15]]);
    }
    put(b"\n");
    pal::message(&line[..at]);
    pal::abort()
}
