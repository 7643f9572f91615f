//! A witness inside each process of a measured command: which library serves its `malloc`, and, at its end, the
//! peaks of its memory, read in the process itself.
//!
//! Preloaded beside (never before) the engine under test; it exports nothing and allocates nothing. One line of words,
//! parted by tabs, for each moment goes to the file that `ALLOCBENCH_WITNESS` names, in one write, so lines of many
//! processes do not mix: `start PID EXECUTABLE LIBRARY` before main, `fork PID EXECUTABLE LIBRARY` in a forked
//! child, `end PID VmHWM VmPeak` (kB) when the process ends by itself. A process that is killed, or leaves by
//! `_exit`, has no end line; one made by `vfork` or a bare `clone` has no line until it starts a program.
//!
//! File and library are kept from the start: after a fork of a threaded process nothing may be called that takes a
//! lock, and a program may write over the environment it was given.

use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char, c_void};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicPtr, Ordering};

const PATH_BYTES: usize = 1024;
const LINE_BYTES: usize = 2 * PATH_BYTES + 64;

#[used]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = start;
#[used]
#[unsafe(link_section = ".fini_array")]
static END: extern "C" fn() = end;

/// The file to write to; empty where nobody asked.
struct File(UnsafeCell<[u8; PATH_BYTES]>);

// SAFETY: written once, by `start`, before main and so before any other thread; read only after that.
unsafe impl Sync for File {}

static FILE: File = File(UnsafeCell::new([0; PATH_BYTES]));
/// The name of the library that serves, kept by the dynamic linker while the library is loaded: always, for one
/// that was loaded with the program.
static LIBRARY: AtomicPtr<c_char> = AtomicPtr::new(core::ptr::null_mut());

/// Takes the file's name from the environment; one that is too long is as none.
fn keep_file() {
    // SAFETY: reads the environment before main.
    let path = unsafe { libc::getenv(c"ALLOCBENCH_WITNESS".as_ptr()) };
    if path.is_null() {
        return;
    }
    // SAFETY: a NUL-terminated string of the environment.
    let path = unsafe { CStr::from_ptr(path) }.to_bytes();
    if path.len() < PATH_BYTES {
        // SAFETY: before main, so nobody else has the array.
        unsafe { (&mut *FILE.0.get())[..path.len()].copy_from_slice(path) };
    }
}

/// A line that is being put together, cut where it is full.
struct Line {
    bytes: [u8; LINE_BYTES],
    count: usize,
}

impl Line {
    /// A line of this process.
    fn new(word: &[u8]) -> Line {
        let mut line = Line { bytes: [0; LINE_BYTES], count: 0 };
        line.text(word);
        // SAFETY: takes nothing.
        line.number(unsafe { libc::getpid() } as u32);
        line
    }

    fn text(&mut self, text: &[u8]) {
        let count = text.len().min(LINE_BYTES - 1 - self.count);
        self.bytes[self.count..self.count + count].copy_from_slice(&text[..count]);
        self.count += count;
    }

    /// A further word.
    fn add(&mut self, word: &[u8]) {
        self.text(b"\t");
        self.text(word);
    }

    fn number(&mut self, number: u32) {
        let mut digits = [0; 10];
        let (mut first, mut rest) = (digits.len(), number);
        loop {
            first -= 1;
            digits[first] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                return self.add(&digits[first..]);
            }
        }
    }

    fn send(mut self) {
        self.bytes[self.count] = b'\n';
        let path = FILE.0.get().cast::<c_char>().cast_const();
        // SAFETY: the array has been written by `start` and holds at least one NUL at its end.
        if unsafe { *path } == 0 {
            return;
        }
        let flags = libc::O_WRONLY | libc::O_APPEND | libc::O_CLOEXEC;
        // SAFETY: a NUL-terminated path, as above.
        let file = unsafe { libc::open(path, flags) };
        // SAFETY: a buffer with its length; a descriptor of ours, or −1, which is refused.
        unsafe { libc::write(file, self.bytes.as_ptr().cast(), self.count + 1) };
        // SAFETY: as above.
        unsafe { libc::close(file) };
    }
}

extern "C" fn start() {
    keep_file();
    let mut name = server().map_or(core::ptr::null(), CStr::as_ptr);
    if name.is_null() {
        // SAFETY: a callback of the type asked for; the place outlives the call.
        unsafe { libc::dl_iterate_phdr(Some(keep_definer), (&raw mut name).cast()) };
    }
    LIBRARY.store(name.cast_mut(), Ordering::Relaxed);
    tell(b"start");
    // SAFETY: the handler calls nothing but what a signal handler may call.
    unsafe { libc::pthread_atfork(None, None, Some(forked)) };
}

/// In the child of a fork, which may have had threads.
extern "C" fn forked() {
    // SAFETY: the address of this thread's own errno.
    let errno = unsafe { *libc::__errno_location() };
    tell(b"fork");
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

/// Says what runs here and who serves it.
fn tell(word: &[u8]) {
    let mut line = Line::new(word);
    let mut path = [0_u8; PATH_BYTES];
    // SAFETY: a NUL-terminated path and a buffer with its length.
    let count = unsafe { libc::readlink(c"/proc/self/exe".as_ptr(), path.as_mut_ptr().cast(), path.len()) };
    line.add(&path[..count.max(0) as usize]);
    let library = LIBRARY.load(Ordering::Relaxed);
    if !library.is_null() {
        // SAFETY: a NUL-terminated name, see `LIBRARY`.
        line.add(unsafe { CStr::from_ptr(library) }.to_bytes());
    }
    line.send();
}

const MALLOC: &CStr = c"malloc";

/// The library that a symbol's address lies in, with its symbol's section where it is told.
fn object_of(address: *const c_void) -> Option<(&'static CStr, u16)> {
    let mut info = MaybeUninit::<libc::Dl_info>::zeroed();
    let mut symbol = core::ptr::null_mut::<c_void>();
    // SAFETY: takes any address, fills the struct and the pointer to the symbol's entry.
    let found = unsafe { dladdr1(address, info.as_mut_ptr(), &raw mut symbol, RTLD_DL_SYMENT) };
    // SAFETY: all-zero is a value of this plain C struct.
    let info = unsafe { info.assume_init() };
    if found == 0 || info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: a NUL-terminated name that lives as long as its object.
    let name = unsafe { CStr::from_ptr(info.dli_fname) };
    if symbol.is_null() {
        return Some((name, 0));
    }
    // SAFETY: the dynamic linker gave the entry of its own table.
    let entry = unsafe { symbol.cast::<libc::Elf64_Sym>().read() };
    Some((name, entry.st_shndx))
}

const RTLD_DL_SYMENT: libc::c_int = 1;

unsafe extern "C" {
    fn dladdr1(
        address: *const c_void,
        info: *mut libc::Dl_info,
        extra: *mut *mut c_void,
        flags: libc::c_int,
    ) -> libc::c_int;
}

/// What the name resolves to; none where that is but a stub in a program that is not position-independent, which
/// has the function's address without being its definition.
fn server() -> Option<&'static CStr> {
    // SAFETY: a NUL-terminated name.
    let malloc = unsafe { libc::dlsym(libc::RTLD_DEFAULT, MALLOC.as_ptr()) };
    object_of(malloc).filter(|(_, section)| *section != 0).map(|(name, _)| name)
}

/// Keeps the first loaded object, in the order in which names are looked up, that defines the function itself.
unsafe extern "C" fn keep_definer(
    object: *mut libc::dl_phdr_info,
    _: usize,
    place: *mut c_void,
) -> libc::c_int {
    // SAFETY: the caller of the callback gives a valid entry.
    let name = unsafe { (*object).dlpi_name };
    // SAFETY: a NUL-terminated name, empty for the program itself.
    if name.is_null() || unsafe { CStr::from_ptr(name) }.is_empty() {
        return 0;
    }
    // SAFETY: a name of a loaded object; nothing is loaded anew.
    let handle = unsafe { libc::dlopen(name, libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
    if handle.is_null() {
        return 0;
    }
    // SAFETY: a handle of ours and a NUL-terminated name.
    let malloc = unsafe { libc::dlsym(handle, MALLOC.as_ptr()) };
    // SAFETY: as above; the object stays loaded by those who loaded it.
    unsafe { libc::dlclose(handle) };
    // SAFETY: a NUL-terminated name.
    let own = unsafe { CStr::from_ptr(name) };
    match object_of(malloc) {
        // Through its dependencies an object finds others' definitions too.
        Some((found, _)) if found == own => {
            // SAFETY: `start` passes the place of its name.
            unsafe { *place.cast::<*const c_char>() = found.as_ptr() };
            1
        }
        _ => 0,
    }
}

/// The digits behind `name` in `text`.
fn field<'a>(text: &'a [u8], name: &[u8]) -> &'a [u8] {
    let found = text.windows(name.len()).position(|window| window == name);
    let rest = found.map_or(&text[..0], |at| &text[at + name.len()..]);
    let begin = rest.iter().position(u8::is_ascii_digit).unwrap_or(rest.len());
    let digits = &rest[begin..];
    let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    &digits[..end]
}

extern "C" fn end() {
    let mut text = [0_u8; 4096];
    // SAFETY: a NUL-terminated path.
    let file = unsafe { libc::open(c"/proc/self/status".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
    // SAFETY: a buffer with its length; a descriptor of ours, or −1, which is refused.
    let count = unsafe { libc::read(file, text.as_mut_ptr().cast(), text.len()) };
    // SAFETY: as above.
    unsafe { libc::close(file) };
    let text = &text[..count.max(0) as usize];
    let mut line = Line::new(b"end");
    for name in [b"VmHWM:".as_slice(), b"VmPeak:"] {
        line.add(field(text, name));
    }
    line.send();
}
