//! Fail fast: one line on standard error, then `abort`.
//!
//! Called when continuing would hand out memory twice: a double free, a pointer into a block's middle, a layout of
//! another class. Formats into a stack buffer, because the allocator cannot be asked for memory here, and writes with
//! one system call so that lines of several threads do not mix. Any thread, any lock held; never returns.

use crate::pal;
use crate::text::Line;

/// Writes `ace-alloc: <reason>: 0x<address>` and aborts.
#[cold]
#[inline(never)]
pub fn die(reason: &str, address: usize) -> ! {
    pal::message(Line::new().text("ace-alloc: ").text(reason).text(": ").hex(address).text("\n").bytes());
    pal::abort()
}
