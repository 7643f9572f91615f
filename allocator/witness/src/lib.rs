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
    // SAFETY: a NUL-terminated name.
    let malloc = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"malloc".as_ptr()) };
    let mut info = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: dladdr takes any address and fills the struct.
    let found = unsafe { libc::dladdr(malloc.cast::<c_void>(), info.as_mut_ptr()) };
    // SAFETY: all-zero is a value of this plain C struct.
    let info = unsafe { info.assume_init() };
    if found != 0 && !info.dli_fname.is_null() {
        // SAFETY: a NUL-terminated name that lives as long as its library.
        line.add(unsafe { CStr::from_ptr(info.dli_fname) }.to_bytes());
    }
    line.send();
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
