//! The spool file of this process: made at the first recorded call, mapped header, growing by chunks.
//!
//! No descriptor is kept: a program that closes them all, or all it does not know, takes nothing away, and none of
//! its own files is ever mistaken for the spool. The file is opened by name for each chunk.
//!
//! Who may do what: [`open`], [`forget`] under the lock of [`crate::window`]; the header's counters are atomics of
//! the mapped page that any thread adds to.

use core::cell::UnsafeCell;
use core::ffi::c_char;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use record_layout::{CHUNK_BYTES, CHUNKS_MAX, MAGIC, VERSION, header};

const HEADER_BYTES: usize = 4096;
const PATH_BYTES: usize = 4096;
/// Names tried for one process id: a process that replaces itself by exec keeps its id.
const NAMES_MAX: u32 = 100_000;

struct Path(UnsafeCell<[u8; PATH_BYTES]>);
// SAFETY: written by `open` alone, under the lock; read by threads that saw the header (Release / Acquire), and by
// the lock's holder.
unsafe impl Sync for Path {}

/// Path of the spool, NUL-terminated.
static PATH: Path = Path(UnsafeCell::new([0; PATH_BYTES]));
/// The mapped header; null before `open` and after `forget`. Release by `open`, Acquire by readers: publishes PATH.
static HEADER: AtomicPtr<u64> = AtomicPtr::new(ptr::null_mut());
/// Events that could not be kept while there was no header. Relaxed: a count.
static LOST_EARLY: AtomicU64 = AtomicU64::new(0);
/// 1 once it is known that nothing is to be recorded. Relaxed: a hint that saves look-ups.
static OFF: AtomicU64 = AtomicU64::new(0);

/// A word of the header.
fn word(index: usize) -> Option<&'static AtomicU64> {
    let header = HEADER.load(Ordering::Acquire);
    if header.is_null() {
        return None;
    }
    // SAFETY: the header is a mapped page of at least `header::WORDS` words.
    let word = unsafe { header.add(index) };
    // SAFETY: aligned; every access to these words is atomic. The page is unmapped only by `forget`, in a child that
    // has one thread.
    Some(unsafe { AtomicU64::from_ptr(word) })
}

/// Counts an event that could not be kept.
pub fn lose() {
    word(header::LOST).unwrap_or(&LOST_EARLY).fetch_add(1, Ordering::Relaxed);
}

/// Whether a spool is there.
pub fn is_open() -> bool {
    !HEADER.load(Ordering::Relaxed).is_null()
}

/// A number for a new thread; `None` where there are too many.
pub fn thread_number() -> Option<u64> {
    let number = word(header::THREADS)?.fetch_add(1, Ordering::Relaxed);
    (number < record_layout::THREADS_MAX).then_some(number)
}

/// Process that the spool belongs to.
pub fn pid() -> u64 {
    word(header::PID).map_or(0, |word| word.load(Ordering::Relaxed))
}

fn append(path: &mut [u8; PATH_BYTES], at: &mut usize, text: &[u8]) -> bool {
    let Some(place) = path.get_mut(*at..*at + text.len()) else { return false };
    place.copy_from_slice(text);
    *at += text.len();
    *at < PATH_BYTES
}

fn append_number(path: &mut [u8; PATH_BYTES], at: &mut usize, number: u32) -> bool {
    let mut digits = [0_u8; 10];
    let mut first = digits.len();
    let mut rest = number;
    loop {
        first -= 1;
        digits[first] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            return append(path, at, &digits[first..]);
        }
    }
}

/// Makes the spool of this process. Under the lock; `false` where nothing is to be or can be recorded.
pub fn open() -> bool {
    if OFF.load(Ordering::Relaxed) != 0 {
        return false;
    }
    // SAFETY: reads the environment; a program that changes it at this very moment races with its own getenv too.
    let folder = unsafe { libc::getenv(c"ALLOCBENCH_RECORD_DIR".as_ptr()) };
    if folder.is_null() {
        OFF.store(1, Ordering::Relaxed);
        return false;
    }
    // SAFETY: the environment's strings end with NUL.
    let folder = unsafe { core::ffi::CStr::from_ptr(folder) }.to_bytes();
    // SAFETY: under the lock, and no header is published, so nobody else looks at the path.
    let path = unsafe { &mut *PATH.0.get() };
    // SAFETY: takes nothing.
    let pid = unsafe { libc::getpid() };
    for attempt in 0..NAMES_MAX {
        let mut at = 0;
        let fits = append(path, &mut at, folder)
            && append(path, &mut at, b"/")
            && append_number(path, &mut at, pid as u32)
            && append(path, &mut at, b"-")
            && append_number(path, &mut at, attempt)
            && append(path, &mut at, b".spool\0");
        if !fits {
            break;
        }
        let flags = libc::O_RDWR | libc::O_CREAT | libc::O_EXCL | libc::O_CLOEXEC;
        // SAFETY: a NUL-terminated path, flags and a mode.
        let file = unsafe { libc::open(path.as_ptr().cast::<c_char>(), flags, 0o600) };
        if file >= 0 {
            let made = make(file, pid as u64);
            // SAFETY: a descriptor of ours.
            unsafe { libc::close(file) };
            return made;
        }
        if errno() != libc::EEXIST {
            break;
        }
    }
    OFF.store(1, Ordering::Relaxed);
    false
}

fn errno() -> i32 {
    // SAFETY: the thread's errno location is always valid.
    unsafe { *libc::__errno_location() }
}

fn make(file: i32, pid: u64) -> bool {
    // SAFETY: a descriptor of ours; reserves the header's blocks, so that writing to the mapping cannot fail later.
    if unsafe { libc::posix_fallocate(file, 0, CHUNK_BYTES as libc::off_t) } != 0 {
        return false;
    }
    let Some(page) = map(file, 0, HEADER_BYTES, ptr::null_mut(), 0) else { return false };
    // SAFETY: a fresh mapping of this many bytes that nobody else has.
    let bytes = unsafe { core::slice::from_raw_parts_mut(page.cast::<u8>(), HEADER_BYTES) };
    let program = &mut bytes[header::PROGRAM_AT..header::PROGRAM_AT + header::PROGRAM_BYTES - 1];
    // SAFETY: a NUL-terminated path and a buffer with its length.
    unsafe { libc::readlink(c"/proc/self/exe".as_ptr(), program.as_mut_ptr().cast(), program.len()) };
    crate::next::library(&mut bytes[header::NEXT_AT..header::NEXT_AT + header::PROGRAM_BYTES]);
    // SAFETY: takes nothing.
    let parent = unsafe { libc::getppid() } as u64;
    let set = |index: usize, value: u64| {
        // SAFETY: inside the mapped page.
        unsafe { page.add(index).write(value) }
    };
    set(header::VERSION, VERSION);
    set(header::PID, pid);
    set(header::PARENT_PID, parent);
    set(header::START_CYCLES, crate::thread::cycles());
    set(header::LOST, LOST_EARLY.swap(0, Ordering::Relaxed));
    set(header::MAGIC, MAGIC);
    HEADER.store(page, Ordering::Release);
    true
}

fn map(file: i32, at_byte: u64, bytes: usize, place: *mut u64, more_flags: i32) -> Option<*mut u64> {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_SHARED | more_flags;
    // SAFETY: at an address of the kernel's choice, or (MAP_FIXED) over a window that the caller owns and gives up.
    let found = unsafe { libc::mmap(place.cast(), bytes, protection, flags, file, at_byte as libc::off_t) };
    (found != libc::MAP_FAILED).then_some(found.cast())
}

/// Takes the next chunk and maps it, over the window at `place` where that is not 0.
pub fn chunk(place: usize) -> Option<usize> {
    let chunk = word(header::CHUNKS)?.fetch_add(1, Ordering::Relaxed) + 1;
    if chunk > CHUNKS_MAX {
        return None;
    }
    let path = PATH.0.get().cast::<c_char>();
    // SAFETY: the header is there, so the path is written, and changes only in a forked child with one thread.
    let file = unsafe { libc::open(path, libc::O_RDWR | libc::O_CLOEXEC) };
    if file < 0 {
        return None;
    }
    let at_byte = chunk * CHUNK_BYTES as u64;
    // SAFETY: a descriptor of ours. Without blocks of its own, a write to the mapping on a full disk would be SIGBUS.
    let refused = unsafe { libc::posix_fallocate(file, at_byte as libc::off_t, CHUNK_BYTES as libc::off_t) };
    let mapped = match (refused, place) {
        (0, 0) => map(file, at_byte, CHUNK_BYTES, ptr::null_mut(), 0),
        // A thread that filled a chunk fills the next: its pages are made in one go.
        (0, _) => map(file, at_byte, CHUNK_BYTES, place as *mut u64, libc::MAP_FIXED | libc::MAP_POPULATE),
        _ => None,
    };
    // SAFETY: a descriptor of ours.
    unsafe { libc::close(file) };
    mapped.map(|window| window as usize)
}

/// Unmaps a window.
pub fn unmap(base: usize) {
    // SAFETY: a window of CHUNK_BYTES that its owner gives up.
    unsafe { libc::munmap(base as *mut libc::c_void, CHUNK_BYTES) };
}

/// In a forked child: the spool is the parent's.
pub fn forget() {
    let page = HEADER.swap(ptr::null_mut(), Ordering::Relaxed);
    if !page.is_null() {
        // SAFETY: the header's mapping; the child has one thread, which holds no reference into it.
        unsafe { libc::munmap(page.cast(), HEADER_BYTES) };
    }
}
