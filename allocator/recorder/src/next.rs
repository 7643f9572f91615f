//! The next allocator in line, found by `dlsym(RTLD_NEXT)`.
//!
//! Each function is a word that at first points at a stub which resolves all of them, so the common path has neither
//! test nor branch. A call that comes from inside the resolving (the dynamic linker may allocate for an error text)
//! is served from a small arena here; a pointer into it is known by its address and never given to the next one.

use core::cell::UnsafeCell;
use core::ffi::{CStr, c_int, c_void};
use core::mem::transmute;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use crate::thread::thread;

/// Type of the function of this name.
pub type MallocFn = unsafe extern "C" fn(usize) -> *mut c_void;
/// Type of the function of this name.
pub type FreeFn = unsafe extern "C" fn(*mut c_void);
/// Type of the function of this name.
pub type CallocFn = unsafe extern "C" fn(usize, usize) -> *mut c_void;
/// Type of the function of this name.
pub type ReallocFn = unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void;
/// Type of the function of this name.
pub type MemalignFn = unsafe extern "C" fn(usize, usize) -> *mut c_void;
/// Type of the function of this name.
pub type PosixMemalignFn = unsafe extern "C" fn(*mut *mut c_void, usize, usize) -> c_int;

const ARENA_BYTES: usize = 64 << 10;

#[repr(align(64))]
struct Arena(UnsafeCell<[u8; ARENA_BYTES]>);
// SAFETY: parts of it are handed out once, by an atomic counter.
unsafe impl Sync for Arena {}

static ARENA: Arena = Arena(UnsafeCell::new([0; ARENA_BYTES]));
/// Bytes handed out. Relaxed: ranges are disjoint by the counter itself and publish nothing.
static ARENA_USED: AtomicUsize = AtomicUsize::new(0);

/// Whether a block is the arena's.
#[inline(always)]
pub fn is_early(p: *const c_void) -> bool {
    (p as usize).wrapping_sub(ARENA.0.get() as usize) < ARENA_BYTES
}

/// A block of the arena: zeroed, never reused; its size stands in the word before it.
fn early(bytes: usize, align: usize) -> *mut c_void {
    let Some(room) = bytes.checked_add(align.max(16) + 16).filter(|&room| room < ARENA_BYTES) else {
        return ptr::null_mut();
    };
    let begin = ARENA_USED.fetch_add(room, Ordering::Relaxed);
    if begin + room > ARENA_BYTES {
        return ptr::null_mut();
    }
    let address = (ARENA.0.get() as usize + begin + 16).next_multiple_of(align.max(16));
    // SAFETY: 16 bytes of this block's own part lie before `address`.
    unsafe { (address as *mut usize).sub(1).write(bytes) };
    address as *mut c_void
}

/// Bytes that were asked for in an early block.
///
/// # Safety
/// [`is_early`] holds of `p`, and `early` returned it.
pub unsafe fn early_bytes(p: *const c_void) -> usize {
    // SAFETY: `early` wrote the size there.
    unsafe { p.cast::<usize>().sub(1).read() }
}

/// A function of the next library. Relaxed: whoever resolves it finds the same.
macro_rules! next {
    ($word:ident, $function:ident, $type:ty, $stub:ident, ($($arg:ident: $arg_type:ty),*) -> $result:ty, $early:expr) => {
        static $word: AtomicPtr<c_void> = AtomicPtr::new($stub as *mut c_void);
        unsafe extern "C" fn $stub($($arg: $arg_type),*) -> $result {
            if !resolve() {
                return $early;
            }
            // SAFETY: the stub's caller gave what the real function asks for.
            unsafe { $function()($($arg),*) }
        }
        /// The next library's function of this name.
        #[inline(always)]
        pub fn $function() -> $type {
            // SAFETY: the word holds the stub or what the dynamic linker gave for the name, both of this type.
            unsafe { transmute::<*mut c_void, $type>($word.load(Ordering::Relaxed)) }
        }
    };
}

next!(MALLOC, malloc, MallocFn, stub_malloc, (bytes: usize) -> *mut c_void, early(bytes, 16));
next!(FREE, free, FreeFn, stub_free, (p: *mut c_void) -> (), { let _ = p; });
next!(CALLOC, calloc, CallocFn, stub_calloc, (n: usize, bytes: usize) -> *mut c_void,
    n.checked_mul(bytes).map_or(ptr::null_mut(), |bytes| early(bytes, 16)));
next!(REALLOC, realloc, ReallocFn, stub_realloc, (p: *mut c_void, bytes: usize) -> *mut c_void,
    { let _ = p; early(bytes, 16) });
next!(MEMALIGN, memalign, MemalignFn, stub_memalign, (align: usize, bytes: usize) -> *mut c_void,
    early(bytes, align));
next!(ALIGNED_ALLOC, aligned_alloc, MemalignFn, stub_aligned_alloc, (align: usize, bytes: usize) -> *mut c_void,
    early(bytes, align));
next!(POSIX_MEMALIGN, posix_memalign, PosixMemalignFn, stub_posix_memalign,
    (out: *mut *mut c_void, align: usize, bytes: usize) -> c_int, { let _ = (out, align, bytes); libc::ENOMEM });

fn look_up(word: &AtomicPtr<c_void>, name: &CStr) {
    // SAFETY: a NUL-terminated name.
    let found = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
    if found.is_null() {
        fail();
    }
    word.store(found, Ordering::Relaxed);
}

#[cold]
fn fail() -> ! {
    const TEXT: &[u8] = b"allocbench: no allocator behind the recorder (is the program static?)\n";
    // SAFETY: writes a constant to standard error.
    unsafe { libc::write(2, TEXT.as_ptr().cast(), TEXT.len()) };
    // SAFETY: ends the process.
    unsafe { libc::abort() }
}

/// Resolves all; `false` on the thread that is just doing so.
#[cold]
fn resolve() -> bool {
    let thread = thread();
    if thread.busy.replace(1) != 0 {
        return false;
    }
    look_up(&FREE, c"free");
    look_up(&CALLOC, c"calloc");
    look_up(&REALLOC, c"realloc");
    look_up(&MEMALIGN, c"memalign");
    look_up(&ALIGNED_ALLOC, c"aligned_alloc");
    look_up(&POSIX_MEMALIGN, c"posix_memalign");
    look_up(&MALLOC, c"malloc");
    thread.busy.set(0);
    true
}

/// Path of the library that serves `malloc` behind this one; empty where it cannot be told.
pub fn library(out: &mut [u8]) {
    let mut info = core::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: dladdr takes any address and fills the struct.
    let found = unsafe { libc::dladdr(MALLOC.load(Ordering::Relaxed), info.as_mut_ptr()) };
    // SAFETY: all-zero is a value of this plain C struct.
    let info = unsafe { info.assume_init() };
    if found == 0 || info.dli_fname.is_null() {
        return;
    }
    // SAFETY: dladdr gave a NUL-terminated name that lives as long as the library.
    let name = unsafe { CStr::from_ptr(info.dli_fname) }.to_bytes();
    let count = name.len().min(out.len().saturating_sub(1));
    out[..count].copy_from_slice(&name[..count]);
}
