//! The one file of this package with `unsafe`: a system call, one call to an engine, valgrind's client requests.

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

/// Callgrind client requests; each does nothing outside valgrind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callgrind {
    /// Forget the counts so far.
    ZeroStats,
    /// Write the counts to the next output file.
    DumpStats,
}

impl Callgrind {
    /// Number of the request: the tool's two letters, then the request's index (valgrind's callgrind.h).
    fn number(self) -> u64 {
        let base = (u64::from(b'C') << 24) | (u64::from(b'T') << 16);
        match self {
            Callgrind::DumpStats => base,
            Callgrind::ZeroStats => base + 1,
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
