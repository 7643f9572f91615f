//! Where another thread of this process stands: the barrier that makes its stores visible, and the proof that it rests.
//!
//! [`barrier`] is `membarrier(PRIVATE_EXPEDITED)`, registered on first use. [`Rest`] shows from `/proc/self/task` that a
//! thread is inside one system call, that no signal handler has interrupted code below it on its stack, and, asked
//! again, that it has not run since. Both may be refused by a kernel or a sandbox; callers then do without.
//! Opens files: for a thread with a table of open files of its own.

use crate::sync::{AtomicU32, Ordering};
use crate::text::Line;
use core::arch::asm;
use core::ptr;

const REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;
const PRIVATE_EXPEDITED: libc::c_int = 1 << 3;

const UNKNOWN: u32 = 0;
const READY: u32 = 1;
const REFUSED: u32 = 2;
// Relaxed: registering twice is harmless.
static BARRIER: AtomicU32 = AtomicU32::new(UNKNOWN);

fn membarrier(command: libc::c_int) -> bool {
    // SAFETY: commands without memory arguments.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}

/// Whether [`barrier`] can be had in this process; registers for it.
pub fn barrier_ready() -> bool {
    if BARRIER.load(Ordering::Relaxed) == UNKNOWN {
        let state = if membarrier(REGISTER_PRIVATE_EXPEDITED) { READY } else { REFUSED };
        BARRIER.store(state, Ordering::Relaxed);
    }
    BARRIER.load(Ordering::Relaxed) == READY
}

/// A full memory barrier on every thread of the process that runs; false if it was refused.
pub fn barrier() -> bool {
    membarrier(PRIVATE_EXPEDITED)
}

/// A forked child registers anew.
pub fn barrier_after_fork() {
    BARRIER.store(UNKNOWN, Ordering::Relaxed);
}

/// The calling thread's number in the kernel.
pub fn thread_number() -> u32 {
    // SAFETY: no arguments, no memory.
    unsafe { libc::syscall(libc::SYS_gettid) as u32 }
}

/// Reads the beginning of a file; bytes read, 0 if it cannot be read.
pub fn read_file(path: &[u8], buffer: &mut [u8]) -> usize {
    if path.last() != Some(&0) {
        return 0;
    }
    // SAFETY: a NUL-terminated path.
    let file = unsafe { libc::open(path.as_ptr().cast(), libc::O_RDONLY | libc::O_CLOEXEC) };
    if file < 0 {
        return 0;
    }
    // SAFETY: the buffer is live and of this length.
    let n = unsafe { libc::read(file, buffer.as_mut_ptr().cast(), buffer.len()) };
    // SAFETY: opened above.
    unsafe { libc::close(file) };
    n.max(0) as usize
}

/// Longest line of `syscall`: nine numbers.
const SYSCALL_BYTES: usize = 192;
/// `status` is about 1.4 KiB.
const STATUS_BYTES: usize = 4096;
/// Stack that is searched for signal frames at most; deeper ones prove nothing.
const STACK_BYTES_MAX: usize = 1 << 20;
const STACK_CHUNK_BYTES: usize = 4096;

/// A thread inside a system call, at one moment.
pub struct Rest {
    tid: u32,
    line: [u8; SYSCALL_BYTES],
    len: usize,
    switches: u64,
}

/// Where a thread stands.
#[expect(clippy::large_enum_variant, reason = "lives on the stack; there is no heap to box in")]
pub enum Standing {
    /// On a processor, or waiting for one.
    Running,
    /// It cannot be told.
    Unknown,
    /// Off the processor inside a system call that was not made from a signal handler on its stack.
    Outside(Rest),
}

impl Rest {
    /// Looks at the thread `tid`; `stack_end` is an address above its stack.
    pub fn look(tid: u32, stack_end: usize) -> Standing {
        // The count first: a thread that ran between the count and a later look has switched once more.
        let Some(switches) = switches(tid) else { return Standing::Unknown };
        let mut rest = Rest { tid, line: [0; SYSCALL_BYTES], len: 0, switches };
        rest.len = read_syscall(tid, &mut rest.line);
        let line = rest.line.get(..rest.len).unwrap_or(&[]);
        if line.starts_with(b"running") {
            return Standing::Running;
        }
        match in_call(line) {
            Some(stack) if !has_signal_frame(stack, stack_end) => Standing::Outside(rest),
            _ => Standing::Unknown,
        }
    }

    /// Whether the thread has not run since.
    pub fn still_holds(&self) -> bool {
        let mut line = [0; SYSCALL_BYTES];
        let len = read_syscall(self.tid, &mut line);
        len == self.len && line == self.line && switches(self.tid) == Some(self.switches)
    }
}

fn task_file(tid: u32, name: &str, buffer: &mut [u8]) -> usize {
    let path = Line::new().text("/proc/self/task/").decimal(u64::from(tid)).text(name).put(&[0]);
    read_file(path.bytes(), buffer)
}

fn read_syscall(tid: u32, line: &mut [u8; SYSCALL_BYTES]) -> usize {
    task_file(tid, "/syscall", line)
}

/// Context switches of the thread, of both kinds.
fn switches(tid: u32) -> Option<u64> {
    let mut text = [0; STATUS_BYTES];
    let len = task_file(tid, "/status", &mut text);
    let text = text.get(..len)?;
    Some(
        field(text, b"\nvoluntary_ctxt_switches:")?
            .wrapping_add(field(text, b"\nnonvoluntary_ctxt_switches:")?),
    )
}

/// The decimal number after `name`.
pub fn field(text: &[u8], name: &[u8]) -> Option<u64> {
    let at = text.windows(name.len()).position(|w| w == name)? + name.len();
    let digits = text.get(at..)?.trim_ascii_start();
    let end = digits.iter().position(|b| !b.is_ascii_digit()).unwrap_or(digits.len());
    number(digits.get(..end)?, 10)
}

/// A whole number without sign.
pub fn number(digits: &[u8], radix: u64) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |n, &b| {
        n.checked_mul(radix)?.checked_add(u64::from((b as char).to_digit(radix as u32)?))
    })
}

/// The stack pointer in a line of `syscall` that shows a system call: "number six-arguments sp pc"; None for "running",
/// for "-1 sp pc" (blocked, but not in a call: a page fault in HOT), for calls that lend the stack, for anything else.
fn in_call(line: &[u8]) -> Option<usize> {
    const WORDS: usize = 9;
    // While such a call lasts, a child may run on the caller's stack and thread-local storage.
    const LENDING: [libc::c_long; 3] = [libc::SYS_vfork, libc::SYS_clone, libc::SYS_clone3];
    let mut words = line.trim_ascii().split(|&b| b == b' ');
    let call = number(words.next()?, 10)?;
    if LENDING.iter().any(|&lending| call == lending as u64) {
        return None;
    }
    let stack = words.nth(WORDS - 3)?.strip_prefix(b"0x")?;
    let pc = words.next()?;
    if words.next().is_some() || !pc.starts_with(b"0x") {
        return None;
    }
    number(stack, 16).map(|n| n as usize)
}

/// The selectors as the kernel saves them in a signal frame, all in one word: cs, gs, fs, ss.
fn is_selectors(word: u64) -> bool {
    let (cs, ss): (u64, u64);
    // SAFETY: reads two segment registers; all 64-bit threads of a process have the same.
    unsafe { asm!("mov {0:r}, cs", "mov {1:r}, ss", out(reg) cs, out(reg) ss, options(nomem, nostack)) };
    word & 0xffff == cs & 0xffff && word >> 48 == ss & 0xffff
}

/// Whether there may be a signal frame in [stack, stack_end); true where that cannot be read. Read through the kernel,
/// because the thread may go on and its stack may be gone.
fn has_signal_frame(stack: usize, stack_end: usize) -> bool {
    if stack >= stack_end || stack_end - stack > STACK_BYTES_MAX || !stack.is_multiple_of(8) {
        return true;
    }
    // SAFETY: a NUL-terminated path.
    let file = unsafe { libc::open(c"/proc/self/mem".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
    if file < 0 {
        return true;
    }
    let found = scan(file, stack, stack_end);
    // SAFETY: opened above.
    unsafe { libc::close(file) };
    found
}

fn scan(file: libc::c_int, stack: usize, stack_end: usize) -> bool {
    let mut words = [0u64; STACK_CHUNK_BYTES / 8];
    let mut at = stack;
    while at < stack_end {
        let bytes = (stack_end - at).min(STACK_CHUNK_BYTES);
        // SAFETY: the buffer has at least `bytes` bytes.
        let n = unsafe { libc::pread(file, words.as_mut_ptr().cast(), bytes, at as libc::off_t) };
        if n != bytes as isize || words.iter().take(bytes / 8).any(|&w| is_selectors(w)) {
            return true;
        }
        at += bytes;
    }
    false
}

/// Names the calling thread, for people.
pub fn name_thread(name: &core::ffi::CStr) {
    // SAFETY: a NUL-terminated name; the kernel copies it.
    unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
}

/// Gives the calling thread a table of open files of its own that holds only `keep`; false where that cannot be had.
pub fn own_files(keep: libc::c_int) -> bool {
    const UNSHARE: libc::c_uint = 1 << 1;
    let close = |first: libc::c_uint, last: libc::c_uint, flags: libc::c_uint| {
        // SAFETY: numbers alone; with UNSHARE first, the files of other threads stay open.
        first > last || unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) == 0 }
    };
    let all = libc::c_uint::MAX;
    if keep < 0 {
        return close(0, all, UNSHARE);
    }
    let keep = keep as libc::c_uint;
    close(keep + 1, all, UNSHARE) && (keep == 0 || close(0, keep - 1, 0))
}

/// Starts a detached thread with all signals blocked; false if there is none to be had.
pub fn start_thread(run: extern "C" fn(*mut libc::c_void) -> *mut libc::c_void) -> bool {
    let mut all = core::mem::MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = core::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: writes the whole set.
    unsafe { libc::sigfillset(all.as_mut_ptr()) };
    // SAFETY: `all` is filled, `before` is written. The new thread inherits the mask.
    if unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) } != 0 {
        return false;
    }
    let mut id: libc::pthread_t = 0;
    // SAFETY: `id` outlives the call, default attributes, a function that lives as long as the process.
    let started = unsafe { libc::pthread_create(&mut id, ptr::null(), run, ptr::null_mut()) } == 0;
    if started {
        // SAFETY: a thread that nobody joins.
        unsafe { libc::pthread_detach(id) };
    }
    // SAFETY: as saved above.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut()) };
    started
}

#[cfg(test)]
mod tests {
    use super::{field, in_call, number};

    #[test]
    fn lines_of_the_kernel() {
        let blocked = b"202 0x1 0x2 0x3 0x4 0x5 0x6 0x7fd08f95aa70 0x7fd090694545\n";
        assert_eq!(in_call(blocked), Some(0x7fd0_8f95_aa70));
        for line in [
            &b"running\n"[..],
            b"-1 0x7fd08f95aa70 0x7fd090694545\n",
            b"",
            b"202 0x1\n",
            b"202 1 2 3 4 5 6 7 8\n",
            b"58 0x1 0x2 0x3 0x4 0x5 0x6 0x7fd08f95aa70 0x7fd090694545\n",
        ] {
            assert_eq!(in_call(line), None, "{}", line.escape_ascii());
        }
        let status = b"State:\tS (sleeping)\nvoluntary_ctxt_switches:\t17\nnonvoluntary_ctxt_switches:\t4\n";
        assert_eq!(field(status, b"\nvoluntary_ctxt_switches:"), Some(17));
        assert_eq!(field(status, b"\nnonvoluntary_ctxt_switches:"), Some(4));
        assert_eq!((number(b"", 10), number(b"1x", 10), number(b"ff", 16)), (None, None, Some(255)));
    }
}
