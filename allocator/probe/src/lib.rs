//! Figures of whichever allocator serves this process, asked through that allocator's own public interface.
//!
//! [`report()`] finds the library that `malloc` belongs to, proves it by the address of the symbol, and asks it: glibc by
//! `malloc_info` and `mallinfo2`, jemalloc by `mallctl`, mimalloc by `mi_stats_print_out`, tcmalloc by its extension,
//! ACE by its own statistics. glibc's reports are never taken for those of another allocator, although
//! they stay callable under a preload. [`answer`] serves reports to other processes: a thread on an abstract socket.
//!
//! Asking allocates a little in the process asked, on the asking thread. Figures that an allocator does not give are
//! absent, never guessed.

mod engines;
mod glibc;
mod jemalloc;
mod mimalloc;
pub mod report;
pub mod socket;
mod symbol;
mod tcmalloc;

pub use engines::{report, trim};
pub use report::Report;
pub use socket::{answer, ask};
