//! What the process is made of: the object behind a symbol, and memory that may not be there.
//!
//! Identity proofs ask two questions that must not be answered by assumption. Which loaded object serves
//! `malloc`? ([`Object::exporting`], by the dynamic linker's own look-up, so an interposed library is seen.) And what
//! stands before a pointer that may belong to anyone? ([`read_words`], by a system call that fails where a load would fault.)
//! None of this is on a measured path.

use std::ffi::{CStr, c_void};
use std::mem::MaybeUninit;
use std::ops::Range;
use std::path::PathBuf;

/// A loaded executable or shared object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Path as the dynamic linker has it.
    pub path: PathBuf,
    /// Address the object is loaded at.
    pub base: usize,
}

impl Object {
    /// The object that the process's own look-up of `symbol` ends in.
    pub fn exporting(symbol: &CStr) -> Option<Self> {
        let address = look_up(symbol)?;
        Self::containing(address)
    }

    /// The object whose mapping holds `address`.
    pub fn containing(address: *const c_void) -> Option<Self> {
        let mut info = MaybeUninit::<libc::Dl_info>::zeroed();
        // SAFETY: `info` is writable storage of the type that dladdr fills; any address may be asked about.
        let found = unsafe { libc::dladdr(address, info.as_mut_ptr()) };
        if found == 0 {
            return None;
        }
        // SAFETY: all-zero bytes are a valid `Dl_info`, and dladdr has filled it.
        let info = unsafe { info.assume_init() };
        if info.dli_fname.is_null() {
            return None;
        }
        // SAFETY: dladdr gives a NUL-terminated string that lives as long as the object is loaded.
        let name = unsafe { CStr::from_ptr(info.dli_fname) };
        let path = PathBuf::from(String::from_utf8_lossy(name.to_bytes()).into_owned());
        Some(Self { path, base: info.dli_fbase.addr() })
    }

    /// The address of `symbol`, if this very object is where the process's look-up finds it.
    pub fn own_symbol(&self, symbol: &CStr) -> Option<*const c_void> {
        let address = look_up(symbol)?;
        (Self::containing(address)?.base == self.base).then_some(address)
    }
}

fn look_up(symbol: &CStr) -> Option<*const c_void> {
    // SAFETY: the name is NUL-terminated; RTLD_DEFAULT needs no handle.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, symbol.as_ptr()) };
    (!address.is_null()).then_some(address.cast_const())
}

/// The entry points that a C program's memory comes and goes through.
pub const MALLOC_FAMILY: [&CStr; 5] =
    [c"malloc", c"free", c"realloc", c"posix_memalign", c"malloc_usable_size"];

/// The one object that serves the whole of [`MALLOC_FAMILY`], or nothing if two share the work.
pub fn malloc_object() -> Option<Object> {
    let object = Object::exporting(c"malloc")?;
    MALLOC_FAMILY.iter().all(|symbol| object.own_symbol(symbol).is_some()).then_some(object)
}

/// The object that is glibc.
pub fn glibc_object() -> Option<Object> {
    Object::exporting(c"gnu_get_libc_version")
}

/// `N` words from `address` on, or nothing if any byte of them cannot be read.
pub fn read_words<const N: usize>(address: usize) -> Option<[usize; N]> {
    let mut words = [0usize; N];
    let len = size_of_val(&words);
    let local = libc::iovec { iov_base: words.as_mut_ptr().cast(), iov_len: len };
    let remote = libc::iovec { iov_base: std::ptr::without_provenance_mut(address), iov_len: len };
    // SAFETY: getpid has no preconditions.
    let own = unsafe { libc::getpid() };
    // SAFETY: the local vector is `words`, which takes any bits; the remote one is read by the kernel, which
    // answers EFAULT for what is not mapped readable.
    let read = unsafe { libc::process_vm_readv(own, &raw const local, 1, &raw const remote, 1, 0) };
    (usize::try_from(read) == Ok(len)).then_some(words)
}

/// Whether `address` lies in writable memory that no file backs and that is not the stack of this thread or the first.
pub fn is_anonymous_heap(address: usize) -> bool {
    let on_stack = 0u8;
    let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else { return false };
    let holds = |line: &&str, address| range_of(line).is_some_and(|range| range.contains(&address));
    let Some(line) = maps.lines().find(|line| holds(line, address)) else { return false };
    is_anonymous_and_writable(line) && !holds(&line, (&raw const on_stack).addr())
}

/// The addresses of one line of `/proc/self/maps`.
fn range_of(line: &str) -> Option<Range<usize>> {
    let (start, end) = line.split(' ').next()?.split_once('-')?;
    Some(usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?)
}

fn is_anonymous_and_writable(line: &str) -> bool {
    let mut fields = line.split_ascii_whitespace();
    let is_writable = fields.nth(1).is_some_and(|permissions| permissions.starts_with("rw"));
    // Offset, device and inode stand between the permissions and the name.
    let name = fields.nth(3);
    is_writable && name.is_none_or(|name| name == "[heap]" || name.starts_with("[anon:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heap_memory_is_anonymous_and_nothing_else_is() {
        static WORD: u8 = 1;
        let on_stack = 0u8;
        let boxed = Box::new(0u8);
        assert!(is_anonymous_heap((&raw const *boxed).addr()));
        assert!(!is_anonymous_heap((&raw const on_stack).addr()));
        assert!(!is_anonymous_heap((&raw const WORD).addr()));
        assert!(!is_anonymous_heap(16));
    }

    #[test]
    fn words_are_read_and_holes_are_not() {
        let here = [7usize, 9];
        assert_eq!(read_words::<2>(here.as_ptr().addr()), Some([7, 9]));
        assert_eq!(read_words::<1>(0x1000), None);
        assert_eq!(read_words::<1>(usize::MAX - 64), None);
    }

    #[test]
    fn one_object_serves_malloc() {
        let object = malloc_object().expect("malloc's family has one server");
        assert!(object.path.exists(), "{object:?}");
    }
}
