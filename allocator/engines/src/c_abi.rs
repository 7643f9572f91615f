//! `c_abi`: the malloc family that the process is loaded with, for measurements under `LD_PRELOAD`.
//!
//! The calls are `system`'s; what differs is whose they must be.
//! **Proof.** Of the process: one object serves `malloc`, `free`, `realloc`, `posix_memalign` and `malloc_usable_size`; it is not glibc when
//! `LD_PRELOAD` is set; and it is the file that [`EXPECT_LIBRARY`] names, where that is set. Of a block: the library's own ownership
//! query where it exports one of [`OWNERSHIP_QUERIES`], glibc's records where glibc serves; failing both by exclusion: the address lies in
//! anonymous writable memory that is no stack, no heap of glibc's and no other engine's of this binary.

use crate::engine::{Engine, Stats};
use crate::process::{self, Object};
use crate::system::{self, SYSTEM};
use crate::{catalog, glibc_heap};
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::path::Path;
use std::sync::OnceLock;
use std::{env, ptr};

/// Environment variable with the path of the library that must serve `malloc`.
pub const EXPECT_LIBRARY: &str = "CELL_EXPECT_LIBRARY";

/// The instance.
pub static C_ABI: CAbi = CAbi;

/// The process's malloc, whoever serves it.
pub struct CAbi;

type MallctlFn = unsafe extern "C" fn(*const c_char, *mut c_void, *mut usize, *mut c_void, usize) -> c_int;
type OwnsFn = unsafe extern "C" fn(*const c_void) -> bool;
type OwnershipFn = unsafe extern "C" fn(*const c_void) -> c_int;
type NumberFn = unsafe extern "C" fn() -> c_int;
type TextFn = unsafe extern "C" fn() -> *const c_char;
type GperftoolsVersionFn = unsafe extern "C" fn(*mut c_int, *mut c_int, *mut *const c_char) -> *const c_char;

/// A library's answer to "is this yours?".
#[derive(Clone, Copy)]
enum OwnershipQuery {
    Owns(OwnsFn),
    Ownership(OwnershipFn),
    Mallctl(MallctlFn),
}

impl OwnershipQuery {
    fn asks(self, block: *const u8) -> bool {
        // The two enumerations of tcmalloc's, Google's and gperftools', agree on this value.
        const OWNED: c_int = 1;
        match self {
            // SAFETY: the query takes any address.
            Self::Owns(owns) => unsafe { owns(block.cast()) },
            // SAFETY: as above.
            Self::Ownership(ownership) => unsafe { ownership(block.cast()) == OWNED },
            Self::Mallctl(mallctl) => arena_lookup(mallctl, block),
        }
    }
}

/// Symbols that answer whether an address is the library's, with the shape of each.
pub const OWNERSHIP_QUERIES: [&CStr; 4] = [
    c"mi_is_in_heap_region",
    c"MallocExtension_Internal_GetOwnership",
    c"MallocExtension_GetOwnership",
    c"mallctl",
];

fn ownership_query(object: &Object) -> Option<OwnershipQuery> {
    OWNERSHIP_QUERIES.iter().find_map(|name| {
        let address = object.own_symbol(name)?;
        Some(match name.to_bytes() {
            // SAFETY: mimalloc's header gives the symbol this shape.
            b"mi_is_in_heap_region" => OwnershipQuery::Owns(unsafe { as_function(address) }),
            // SAFETY: jemalloc's header gives the symbol this shape.
            b"mallctl" => OwnershipQuery::Mallctl(unsafe { as_function(address) }),
            // SAFETY: both tcmallocs' headers give the symbols this shape.
            _ => OwnershipQuery::Ownership(unsafe { as_function(address) }),
        })
    })
}

/// The function at `address`.
///
/// # Safety
/// `address` is that of a function of type `F`, a function pointer type.
unsafe fn as_function<F: Copy>(address: *const c_void) -> F {
    const { assert!(size_of::<F>() == size_of::<*const c_void>()) };
    // SAFETY: function pointers and data pointers have one size and meaning on this platform; the type is the caller's word.
    unsafe { std::mem::transmute_copy(&address) }
}

fn arena_lookup(mallctl: MallctlFn, block: *const u8) -> bool {
    let mut arena: c_uint = 0;
    let mut len = size_of::<c_uint>();
    let mut address = block;
    let name = c"arenas.lookup".as_ptr();
    let (old, new) = ((&raw mut arena).cast(), (&raw mut address).cast());
    // SAFETY: the control takes an address, which it does not follow, and gives an unsigned.
    let error = unsafe { mallctl(name, old, &raw mut len, new, size_of::<*const u8>()) };
    error == 0
}

/// What the library says its version is, by whichever entry it exports.
fn own_version(object: &Object) -> Option<String> {
    type Reader = fn(*const c_void) -> String;
    const ENTRIES: [(&CStr, Reader); 5] = [
        (c"ace_version", |address| text_version("ace", address)),
        (c"mi_version", mimalloc_version),
        (c"mallctl", jemalloc_version),
        (c"tc_version", gperftools_version),
        (c"gnu_get_libc_version", |address| text_version("glibc", address)),
    ];
    ENTRIES.iter().find_map(|(name, read)| object.own_symbol(name).map(read))
}

fn text_version(name: &str, address: *const c_void) -> String {
    // SAFETY: the entries that are read this way take nothing and give a C string.
    let version: TextFn = unsafe { as_function(address) };
    // SAFETY: as above.
    format!("{name} {}", unsafe { to_text(version()) })
}

fn mimalloc_version(address: *const c_void) -> String {
    // SAFETY: mimalloc's header gives mi_version this shape.
    let version: NumberFn = unsafe { as_function(address) };
    // SAFETY: as above.
    let number = unsafe { version() };
    // Minor and patch had one digit each before they had two.
    let base = if number < 10_000 { 10 } else { 100 };
    format!("mimalloc {}.{}.{}", number / base / base, number / base % base, number % base)
}

fn jemalloc_version(address: *const c_void) -> String {
    // SAFETY: jemalloc's header gives mallctl this shape.
    let mallctl: MallctlFn = unsafe { as_function(address) };
    let mut text: *const c_char = ptr::null();
    let mut len = size_of::<*const c_char>();
    let old = (&raw mut text).cast();
    // SAFETY: the control `version` gives a C string.
    unsafe { mallctl(c"version".as_ptr(), old, &raw mut len, ptr::null_mut(), 0) };
    // SAFETY: NULL, if the control is missing, or a C string.
    format!("jemalloc {}", unsafe { to_text(text) })
}

fn gperftools_version(address: *const c_void) -> String {
    // SAFETY: gperftools' header gives tc_version this shape.
    let version: GperftoolsVersionFn = unsafe { as_function(address) };
    let (mut major, mut minor, mut patch) = (0, 0, ptr::null());
    // SAFETY: the three places are writable.
    let text = unsafe { version(&raw mut major, &raw mut minor, &raw mut patch) };
    // SAFETY: a C string.
    unsafe { to_text(text) }
}

/// # Safety
/// `text` is NULL or a C string.
unsafe fn to_text(text: *const c_char) -> String {
    if text.is_null() {
        return String::from("?");
    }
    // SAFETY: not NULL, so a C string by the caller's word.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// What the process's malloc is, found once.
struct Identity {
    version: String,
    is_glibc: bool,
    reports_figures: bool,
    query: Option<OwnershipQuery>,
    is_as_expected: bool,
}

fn identity() -> Option<&'static Identity> {
    static IDENTITY: OnceLock<Option<Identity>> = OnceLock::new();
    IDENTITY.get_or_init(|| process::malloc_object().map(|object| identify(&object))).as_ref()
}

fn identify(object: &Object) -> Identity {
    let is_glibc = process::glibc_object().is_some_and(|glibc| glibc.base == object.base);
    let path = object.path.display();
    let version = match own_version(object) {
        Some(version) => format!("{path} ({version})"),
        None => path.to_string(),
    };
    let preload = env::var_os("LD_PRELOAD").is_some_and(|list| !list.is_empty());
    let expected = env::var_os(EXPECT_LIBRARY);
    let is_the_file = expected.is_none_or(|expected| same_file(&object.path, Path::new(&expected)));
    Identity {
        version,
        is_glibc,
        reports_figures: object.own_symbol(c"mallinfo2").is_some(),
        query: ownership_query(object),
        is_as_expected: is_the_file && !(preload && is_glibc),
    }
}

fn same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// The last resort for a library that cannot be asked.
fn is_served_by_exclusion(block: *const u8) -> bool {
    let others = catalog::built().filter(|entry| entry.name != C_ABI.name());
    process::is_anonymous_heap(block.addr())
        && !glibc_heap::owns(block)
        && !others.filter_map(|entry| entry.instance).any(|instance| instance().served(block))
}

// SAFETY: any malloc family of C gives disjoint blocks, aligned to 16 or as posix_memalign is asked, to all threads.
unsafe impl Engine for CAbi {
    fn name(&self) -> &'static str {
        "c_abi"
    }

    fn version(&self) -> String {
        identity()
            .map_or_else(|| String::from("malloc's family has no one server"), |found| found.version.clone())
    }

    unsafe fn alloc(&self, size: usize, align: usize) -> *mut u8 {
        // SAFETY: the caller's own contract.
        unsafe { SYSTEM.alloc(size, align) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, size: usize, align: usize) {
        // SAFETY: the caller's own contract.
        unsafe { SYSTEM.dealloc(ptr, size, align) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, old_size: usize, align: usize, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's own contract.
        unsafe { SYSTEM.realloc(ptr, old_size, align, new_size) }
    }

    unsafe fn usable_size(&self, ptr: *mut u8, size: usize, align: usize) -> usize {
        // SAFETY: the caller's own contract.
        unsafe { SYSTEM.usable_size(ptr, size, align) }
    }

    fn served(&self, ptr: *const u8) -> bool {
        let Some(identity) = identity().filter(|identity| identity.is_as_expected) else { return false };
        match identity.query {
            Some(query) => query.asks(ptr),
            None if identity.is_glibc => glibc_heap::owns(ptr),
            None => is_served_by_exclusion(ptr),
        }
    }

    fn trim(&self) {
        SYSTEM.trim();
    }

    fn stats(&self) -> Stats {
        // Another library that leaves mallinfo2 to glibc would get figures of glibc's idle heap.
        match identity() {
            Some(identity) if identity.reports_figures => system::glibc_stats(),
            _ => Stats::default(),
        }
    }
}
