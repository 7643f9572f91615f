//! The one file of this package with `unsafe`: system calls, one call to an engine, valgrind's client requests.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use engines::Engine;

/// CPU time, faults and context switches of the whole process so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// User CPU time, ns.
    pub user_ns: u64,
    /// System CPU time, ns.
    pub sys_ns: u64,
    /// Page faults without input or output.
    pub faults_minor: u64,
    /// Page faults with.
    pub faults_major: u64,
    /// Voluntary and involuntary.
    pub context_switches: u64,
}

/// `getrusage` of the process.
pub fn usage() -> Usage {
    let mut raw = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: `raw` is writable memory of the type that the call fills.
    let failed = unsafe { libc::getrusage(libc::RUSAGE_SELF, raw.as_mut_ptr()) } != 0;
    // SAFETY: all-zero is a value of this plain C struct, and the call only writes valid ones.
    let raw = unsafe { raw.assume_init() };
    if failed {
        return Usage::default();
    }
    let ns = |time: libc::timeval| time.tv_sec as u64 * 1_000_000_000 + time.tv_usec as u64 * 1_000;
    Usage {
        user_ns: ns(raw.ru_utime),
        sys_ns: ns(raw.ru_stime),
        faults_minor: raw.ru_minflt as u64,
        faults_major: raw.ru_majflt as u64,
        context_switches: (raw.ru_nvcsw + raw.ru_nivcsw) as u64,
    }
}

/// One allocation of 64 bytes and its free, so that an engine which works only when called gets to.
pub fn call_once(engine: &dyn Engine) {
    const SIZE: usize = 64;
    const ALIGN: usize = 8;
    // SAFETY: size and alignment meet `Engine::alloc`'s demands.
    let block = unsafe { engine.alloc(SIZE, ALIGN) };
    if !block.is_null() {
        // SAFETY: `block` came from this engine just now with this size and alignment, and is given back once.
        unsafe { engine.dealloc(block, SIZE, ALIGN) };
    }
}

/// The two processes after [`fork_with_pipe`].
pub enum Side {
    /// The copy, with the pipe it reports through.
    Copy(File),
    /// The process that was copied.
    Original(Copy),
}

/// A forked copy, seen from its original.
pub struct Copy {
    pid: libc::pid_t,
    pipe: File,
    complaints: File,
}

/// What came of a copy.
pub struct Remains {
    /// What it wrote to its pipe.
    pub report: Vec<u8>,
    /// How it ended.
    pub end: End,
    /// Its standard error, in part.
    pub complaints: String,
}

/// Most bytes read of a copy's standard error.
const COMPLAINTS_MAX: u64 = 4096;

/// Forks. To be called while this process has one thread; the copy is killed when the original ends.
pub fn fork_with_pipe() -> std::io::Result<Side> {
    let mut ends = [0; 2];
    // SAFETY: `ends` has room for the two descriptors.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    let [from, to] = ends.map(|end| {
        // SAFETY: the call above opened it, and nothing else owns it.
        File::from(unsafe { OwnedFd::from_raw_fd(end) })
    });
    // SAFETY: a NUL-terminated name.
    let complaints = unsafe { libc::memfd_create(c"complaints".as_ptr(), libc::MFD_CLOEXEC) };
    if complaints < 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: the call above opened it, and nothing else owns it.
    let complaints = File::from(unsafe { OwnedFd::from_raw_fd(complaints) });
    // SAFETY: one thread, so the copy's memory is whole: no lock is held by a thread that is not there.
    match unsafe { libc::fork() } {
        -1 => Err(std::io::Error::last_os_error()),
        0 => {
            // SAFETY: no pointers.
            unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
            // SAFETY: both descriptors are open; standard error is replaced.
            unsafe { libc::dup2(complaints.as_raw_fd(), libc::STDERR_FILENO) };
            Ok(Side::Copy(to))
        }
        pid => Ok(Side::Original(Copy { pid, pipe: from, complaints })),
    }
}

/// How a copy ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself.
    Code(i32),
    /// By a signal.
    Signal(i32),
}

impl Copy {
    /// Waits for the copy's end.
    pub fn finish(mut self) -> std::io::Result<Remains> {
        let mut report = Vec::new();
        let read = self.pipe.read_to_end(&mut report);
        let mut status = 0;
        // SAFETY: `status` is writable; the copy is this process's child and was not waited for.
        if unsafe { libc::waitpid(self.pid, &raw mut status, 0) } != self.pid {
            return Err(std::io::Error::last_os_error());
        }
        read?;
        let end = if libc::WIFSIGNALED(status) {
            End::Signal(libc::WTERMSIG(status))
        } else {
            End::Code(libc::WEXITSTATUS(status))
        };
        let mut complaints = Vec::new();
        self.complaints.seek(SeekFrom::Start(0))?;
        self.complaints.take(COMPLAINTS_MAX).read_to_end(&mut complaints)?;
        Ok(Remains { report, end, complaints: String::from_utf8_lossy(&complaints).into_owned() })
    }
}

/// Ends a copy at once: what its original has yet to do at its own end is not done twice.
pub fn leave(code: i32) -> ! {
    // SAFETY: ends the process.
    unsafe { libc::_exit(code) }
}

/// Callgrind client requests; each does nothing outside valgrind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callgrind {
    /// Forget the counts so far.
    ZeroStats,
    /// Write the counts to the next output file.
    DumpStats,
    /// Count what this thread does no longer, or again.
    ToggleCollect,
}

impl Callgrind {
    /// Number of the request: the tool's two letters, then the request's index (valgrind's callgrind.h).
    fn number(self) -> u64 {
        let base = (u64::from(b'C') << 24) | (u64::from(b'T') << 16);
        match self {
            Callgrind::DumpStats => base,
            Callgrind::ZeroStats => base + 1,
            Callgrind::ToggleCollect => base + 2,
        }
    }

    /// Sends the request.
    pub fn send(self) {
        let request: [u64; 6] = [self.number(), 0, 0, 0, 0, 0];
        magic(&request);
    }
}

#[cfg(target_arch = "x86_64")]
fn magic(request: &[u64; 6]) {
    // SAFETY: the four rotations of rdi add up to 128 bits, so that on a real processor the sequence changes nothing but
    // flags and rdx's declared output; valgrind recognises it and reads six words at rax, which `request` holds.
    unsafe {
        core::arch::asm!(
            "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51", "xchg rbx, rbx",
            in("rax") request.as_ptr(), inout("rdx") 0_u64 => _, options(nostack),
        );
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn magic(_request: &[u64; 6]) {}
