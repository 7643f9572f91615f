//! A witness inside each process of a measured command: which library serves its `malloc`, and, at its end, the
//! peaks of its memory, read in the process itself.
//!
//! Preloaded beside (never before) the engine under test; it exports nothing and allocates nothing. One line of text
//! for each moment goes to the file that `ALLOCBENCH_WITNESS` names, in one write, so lines of many processes do not mix:
//! `start PID PARENT LIBRARY` before main, `end PID VmHWM VmPeak` (kB) when the process ends by itself. A process
//! that is killed, or leaves by `_exit`, has no end line.

use core::ffi::{CStr, c_void};
use core::mem::MaybeUninit;

const LINE_BYTES: usize = 1200;

#[used]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = start;
#[used]
#[unsafe(link_section = ".fini_array")]
static END: extern "C" fn() = end;

/// A line that is being put together, cut where it is full.
struct Line {
    bytes: [u8; LINE_BYTES],
    count: usize,
}

impl Line {
    fn new(word: &[u8]) -> Line {
        let mut line = Line { bytes: [0; LINE_BYTES], count: 0 };
        line.add(word);
        line
    }

    fn add(&mut self, text: &[u8]) {
        let count = text.len().min(LINE_BYTES - 1 - self.count);
        self.bytes[self.count..self.count + count].copy_from_slice(&text[..count]);
        self.count += count;
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
        // SAFETY: reads the environment before main or after it.
        let path = unsafe { libc::getenv(c"ALLOCBENCH_WITNESS".as_ptr()) };
        if path.is_null() {
            return;
        }
        let flags = libc::O_WRONLY | libc::O_APPEND | libc::O_CLOEXEC;
        // SAFETY: a NUL-terminated path of the environment.
        let file = unsafe { libc::open(path, flags) };
        // SAFETY: a buffer with its length; a descriptor of ours, or −1, which is refused.
        unsafe { libc::write(file, self.bytes.as_ptr().cast(), self.count + 1) };
        // SAFETY: as above.
        unsafe { libc::close(file) };
    }
}

fn pid(line: &mut Line) {
    line.add(b" ");
    // SAFETY: takes nothing.
    line.number(unsafe { libc::getpid() } as u32);
}

extern "C" fn start() {
    let mut line = Line::new(b"start");
    pid(&mut line);
    line.add(b" ");
    // SAFETY: takes nothing.
    line.number(unsafe { libc::getppid() } as u32);
    line.add(b" ");
    if !add_server(&mut line) {
        // SAFETY: a callback of the type asked for; the line outlives the call.
        unsafe { libc::dl_iterate_phdr(Some(add_definer), (&raw mut line).cast()) };
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

/// Adds what the name resolves to; false where that is but a stub in a program that is not position-independent, which
/// has the function's address without being its definition.
fn add_server(line: &mut Line) -> bool {
    // SAFETY: a NUL-terminated name.
    let malloc = unsafe { libc::dlsym(libc::RTLD_DEFAULT, MALLOC.as_ptr()) };
    match object_of(malloc) {
        Some((name, section)) if section != 0 => {
            line.add(name.to_bytes());
            true
        }
        _ => false,
    }
}

/// Adds the first loaded object, in the order in which names are looked up, that defines the function itself.
unsafe extern "C" fn add_definer(
    object: *mut libc::dl_phdr_info,
    _: usize,
    line: *mut c_void,
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
            // SAFETY: `start` passes its line.
            unsafe { (*line.cast::<Line>()).add(own.to_bytes()) };
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
    pid(&mut line);
    for name in [b"VmHWM:".as_slice(), b"VmPeak:"] {
        line.add(b" ");
        line.add(field(text, name));
    }
    line.send();
}
