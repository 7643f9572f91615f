//! Linux system calls behind the contract of [`super`].
//!
//! Anonymous private `MAP_NORESERVE` mappings; `MADV_DONTNEED` for purging, because its effect is immediate, visible
//! in RSS, and leaves zeros (pages under `MADV_FREE` are neither). No state. Any thread.

use crate::sync::AtomicU32;
use core::ffi::{CStr, c_char};
use core::ptr;

const PROTECTION: libc::c_int = libc::PROT_READ | libc::PROT_WRITE;
const FLAGS: libc::c_int = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;

pub(super) fn map(bytes: usize) -> Option<usize> {
    // SAFETY: a fresh anonymous mapping without MAP_FIXED touches no existing memory.
    let p = unsafe { libc::mmap(ptr::null_mut(), bytes, PROTECTION, FLAGS, -1, 0) };
    if p == libc::MAP_FAILED { None } else { Some(p.expose_provenance()) }
}

pub(super) fn unmap(address: usize, bytes: usize) -> bool {
    // SAFETY: pal's callers own the range and hold no reference into it.
    unsafe { libc::munmap(ptr::with_exposed_provenance_mut(address), bytes) == 0 }
}

pub(super) fn remap(address: usize, old_bytes: usize, new_bytes: usize, may_move: bool) -> Option<usize> {
    let flags = if may_move { libc::MREMAP_MAYMOVE } else { 0 };
    // SAFETY: pal's callers own the range; after a move they use only the new address.
    let p = unsafe { libc::mremap(ptr::with_exposed_provenance_mut(address), old_bytes, new_bytes, flags) };
    if p == libc::MAP_FAILED { None } else { Some(p.expose_provenance()) }
}

pub(super) fn purge(address: usize, bytes: usize) -> bool {
    // SAFETY: pal's callers own the range and know that its contents are dead.
    unsafe { libc::madvise(ptr::with_exposed_provenance_mut(address), bytes, libc::MADV_DONTNEED) == 0 }
}

/// Keeps a sparse table out of core dumps and off huge pages, where one touched byte would cost 2 MiB.
pub fn exclude_from_dump(address: usize, bytes: usize) {
    let p = ptr::with_exposed_provenance_mut(address);
    // SAFETY: advice on a range the caller owns; neither advice changes contents.
    unsafe { libc::madvise(p, bytes, libc::MADV_NOHUGEPAGE) };
    // SAFETY: as above.
    unsafe { libc::madvise(p, bytes, libc::MADV_DONTDUMP) };
}

/// Milliseconds of the coarse monotonic clock: a read of shared memory, exact to a scheduler tick.
pub fn now_ms() -> u64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `t` is a valid timespec that outlives the call.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &mut t) };
    t.tv_sec as u64 * 1000 + t.tv_nsec as u64 / 1_000_000
}

/// Lets another thread run.
pub fn yield_now() {
    // SAFETY: no arguments, no memory.
    unsafe { libc::sched_yield() };
}

/// Sleeps for a moment, so that threads of any priority run.
pub fn nap() {
    let moment = libc::timespec { tv_sec: 0, tv_nsec: 50_000 };
    // SAFETY: `moment` outlives the call; the time left is not asked for.
    unsafe { libc::nanosleep(&moment, ptr::null_mut()) };
}

/// Sleeps while `word` is `expected`; may return early.
pub fn futex_wait(word: &AtomicU32, expected: u32) {
    // SAFETY: null asks for no limit.
    unsafe { futex_sleep(word, expected, ptr::null()) };
}

/// As [`futex_wait`], for `ms` milliseconds at most.
pub fn futex_wait_for(word: &AtomicU32, expected: u32, ms: u32) {
    let most = libc::timespec { tv_sec: i64::from(ms / 1000), tv_nsec: i64::from(ms % 1000) * 1_000_000 };
    // SAFETY: `most` is live for the whole call.
    unsafe { futex_sleep(word, expected, &raw const most) };
}

/// # Safety
/// `most` is null or points to a timespec that is live for the whole call.
unsafe fn futex_sleep(word: &AtomicU32, expected: u32, most: *const libc::timespec) {
    // SAFETY: `word` is a live aligned u32 for the whole call; `most` by the caller's promise.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG,
            expected,
            most,
        )
    };
}

/// Wakes one sleeper of `word`.
pub fn futex_wake(word: &AtomicU32) {
    // SAFETY: `word` is a live aligned u32; waking reads nothing through it.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, 1) };
}

unsafe extern "C" {
    /// glibc, musl: `getenv`, but nothing in a program that runs with more rights than its caller.
    fn secure_getenv(name: *const c_char) -> *const c_char;
}

/// The text of an environment variable. Called at start-up alone, when nothing changes the environment.
pub fn environment(name: &CStr) -> Option<&'static [u8]> {
    // SAFETY: a NUL-terminated name; nothing changes the environment meanwhile, as getenv asks.
    let text = unsafe { secure_getenv(name.as_ptr()) };
    if text.is_null() {
        return None;
    }
    // SAFETY: a NUL-terminated string that lives as long as the environment.
    Some(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// The calling thread's errno.
pub fn errno() -> i32 {
    // SAFETY: the thread's errno location is always valid.
    unsafe { *libc::__errno_location() }
}

/// Sets the calling thread's errno.
pub fn set_errno(code: i32) {
    // SAFETY: as in `errno`.
    unsafe { *libc::__errno_location() = code };
}

/// Writes `line` to standard error; a failure has nowhere to be reported.
pub fn message(line: &[u8]) {
    // SAFETY: the buffer is a live slice of the given length.
    let written = unsafe { libc::write(2, line.as_ptr().cast(), line.len()) };
    if written < 0 && errno() == libc::EBADF {
        message_of_worker(line);
    }
}

/// The worker has no open files of its own; the first thread's standard error can be opened by name, unless it is a
/// socket.
fn message_of_worker(line: &[u8]) {
    // SAFETY: a NUL-terminated path.
    let file =
        unsafe { libc::open(c"/proc/self/fd/2".as_ptr(), libc::O_WRONLY | libc::O_APPEND | libc::O_CLOEXEC) };
    if file >= 0 {
        // SAFETY: the buffer is a live slice of the given length.
        unsafe { libc::write(file, line.as_ptr().cast(), line.len()) };
        // SAFETY: opened above.
        unsafe { libc::close(file) };
    }
}

/// Ends the process with SIGABRT.
pub fn abort() -> ! {
    // SAFETY: abort has no preconditions.
    unsafe { libc::abort() }
}

/// Sets errno as the allocation functions of C and POSIX ask.
pub fn out_of_memory() {
    set_errno(libc::ENOMEM);
}
