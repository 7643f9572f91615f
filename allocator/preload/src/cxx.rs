//! C++: `operator new` and `operator delete` in all their forms, by their Itanium names.
//!
//! A `new` that finds no memory calls the installed new-handler and tries again, until there is no handler: then it
//! throws `std::bad_alloc`. An exception, the handler's or this one, must not pass a Rust frame, so the throwing forms and
//! their loop are a few instructions of assembly with unwind information; the memory itself comes from Rust. What C++'s
//! run-time library must do is reached by weak references, or looked up where that library came later: its handler, its
//! throw, and for `nothrow` under a handler (which may throw) its own operator, which catches. Without that library a
//! failed `new` ends the process with one line.

use ace::pal;
use ace::route;
use core::arch::{global_asm, naked_asm};
use core::ffi::{CStr, c_void};
use core::mem::transmute;
use core::ptr;

/// `std::nothrow_t const&`; never looked at.
type NoThrow = *const c_void;

extern "C" fn allocate(bytes: usize) -> *mut c_void {
    route::malloc(bytes).cast()
}

/// Null also where the alignment is none: C++ leaves that undefined, libstdc++ throws.
extern "C" fn allocate_aligned(bytes: usize, align: usize) -> *mut c_void {
    if align.is_power_of_two() { route::alloc(bytes, align).cast() } else { ptr::null_mut() }
}

// The slow end of the throwing forms, entered with the original arguments and the caller's return address on the stack.
// rbx and rbp hold the arguments over the calls; the frame's description lets exceptions of the handler through.
global_asm!(
    ".weak _ZSt15get_new_handlerv",
    ".weak _ZSt17__throw_bad_allocv",
    ".pushsection .text.ace_new_failed,\"ax\",@progbits",
    ".p2align 4",
    ".type ace_new_failed, @function",
    "ace_new_failed:",
    ".cfi_startproc",
    "push rbx",
    ".cfi_adjust_cfa_offset 8",
    ".cfi_rel_offset rbx, 0",
    "push rbp",
    ".cfi_adjust_cfa_offset 8",
    ".cfi_rel_offset rbp, 0",
    "sub rsp, 8",
    ".cfi_adjust_cfa_offset 8",
    "mov rbx, rdi",
    "mov rbp, rsi",
    "2:",
    "call {handler}",
    "test rax, rax",
    "jz 3f",
    "call rax",
    "mov rdi, rbx",
    "mov rsi, rbp",
    "call {allocate}",
    "test rax, rax",
    "jz 2b",
    "add rsp, 8",
    ".cfi_adjust_cfa_offset -8",
    "pop rbp",
    ".cfi_adjust_cfa_offset -8",
    ".cfi_restore rbp",
    "pop rbx",
    ".cfi_adjust_cfa_offset -8",
    ".cfi_restore rbx",
    "ret",
    "3:",
    ".cfi_adjust_cfa_offset 24",
    ".cfi_rel_offset rbx, 16",
    ".cfi_rel_offset rbp, 8",
    "call {throw}",
    "call rax",
    "ud2",
    ".cfi_endproc",
    ".size ace_new_failed, . - ace_new_failed",
    ".popsection",
    handler = sym new_handler,
    allocate = sym allocate_aligned,
    throw = sym thrower,
);

/// The throwing forms without alignment; the failed path passes the alignment that every block has.
macro_rules! throwing {
    ($($name:ident)*) => {$(
        /// C++: `operator new` or `operator new[]`; never null.
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        pub extern "C" fn $name(bytes: usize) -> *mut c_void {
            naked_asm!(
                ".cfi_startproc",
                "push rdi",
                ".cfi_adjust_cfa_offset 8",
                "call {allocate}",
                "pop rdi",
                ".cfi_adjust_cfa_offset -8",
                "test rax, rax",
                "jz 2f",
                "ret",
                "2:",
                "mov esi, 16",
                "jmp ace_new_failed",
                ".cfi_endproc",
                allocate = sym allocate,
            )
        }
    )*};
}

macro_rules! throwing_aligned {
    ($($name:ident)*) => {$(
        /// C++17: `operator new` or `operator new[]` with an alignment; never null.
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        pub extern "C" fn $name(bytes: usize, align: usize) -> *mut c_void {
            naked_asm!(
                ".cfi_startproc",
                "push rdi",
                ".cfi_adjust_cfa_offset 8",
                "push rsi",
                ".cfi_adjust_cfa_offset 8",
                "sub rsp, 8",
                ".cfi_adjust_cfa_offset 8",
                "call {allocate}",
                "add rsp, 8",
                ".cfi_adjust_cfa_offset -8",
                "pop rsi",
                ".cfi_adjust_cfa_offset -8",
                "pop rdi",
                ".cfi_adjust_cfa_offset -8",
                "test rax, rax",
                "jz 2f",
                "ret",
                "2:",
                "jmp ace_new_failed",
                ".cfi_endproc",
                allocate = sym allocate_aligned,
            )
        }
    )*};
}

throwing! { _Znwm _Znam }
throwing_aligned! { _ZnwmSt11align_val_t _ZnamSt11align_val_t }

/// C++: `new (std::nothrow)`.
#[unsafe(no_mangle)]
pub extern "C" fn _ZnwmRKSt9nothrow_t(bytes: usize, tag: NoThrow) -> *mut c_void {
    let p = allocate(bytes);
    if p.is_null() { nothrow_failed(c"_ZnwmRKSt9nothrow_t", bytes, None, tag) } else { p }
}

/// C++: `new[] (std::nothrow)`.
#[unsafe(no_mangle)]
pub extern "C" fn _ZnamRKSt9nothrow_t(bytes: usize, tag: NoThrow) -> *mut c_void {
    _ZnwmRKSt9nothrow_t(bytes, tag)
}

/// C++17: `new (std::align_val_t, std::nothrow)`.
#[unsafe(no_mangle)]
pub extern "C" fn _ZnwmSt11align_val_tRKSt9nothrow_t(
    bytes: usize,
    align: usize,
    tag: NoThrow,
) -> *mut c_void {
    let p = allocate_aligned(bytes, align);
    if p.is_null() && align.is_power_of_two() {
        return nothrow_failed(c"_ZnwmSt11align_val_tRKSt9nothrow_t", bytes, Some(align), tag);
    }
    p
}

/// C++17: `new[] (std::align_val_t, std::nothrow)`.
#[unsafe(no_mangle)]
pub extern "C" fn _ZnamSt11align_val_tRKSt9nothrow_t(
    bytes: usize,
    align: usize,
    tag: NoThrow,
) -> *mut c_void {
    _ZnwmSt11align_val_tRKSt9nothrow_t(bytes, align, tag)
}

macro_rules! delete {
    ($($name:ident($($arg:ident: $type:ty),*);)*) => {$(
        /// C++: `operator delete` or `operator delete[]`; the block is found by its address.
        ///
        /// # Safety
        /// As for `free`.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(p: *mut c_void $(, $arg: $type)*) {
            // SAFETY: the caller's contract is `free`'s.
            unsafe { route::free(p.cast()) }
        }
    )*};
}

delete! {
    _ZdlPv();
    _ZdaPv();
    _ZdlPvm(_bytes: usize);
    _ZdaPvm(_bytes: usize);
    _ZdlPvRKSt9nothrow_t(_tag: NoThrow);
    _ZdaPvRKSt9nothrow_t(_tag: NoThrow);
    _ZdlPvSt11align_val_t(_align: usize);
    _ZdaPvSt11align_val_t(_align: usize);
    _ZdlPvmSt11align_val_t(_bytes: usize, _align: usize);
    _ZdaPvmSt11align_val_t(_bytes: usize, _align: usize);
    _ZdlPvSt11align_val_tRKSt9nothrow_t(_align: usize, _tag: NoThrow);
    _ZdaPvSt11align_val_tRKSt9nothrow_t(_align: usize, _tag: NoThrow);
}

/// A `nothrow` form without memory: null, or if a handler is installed what the run-time library's own form makes of it.
#[cold]
fn nothrow_failed(name: &CStr, bytes: usize, align: Option<usize>, tag: NoThrow) -> *mut c_void {
    if new_handler().is_null() {
        return ptr::null_mut();
    }
    let next = find(name);
    if next.is_null() {
        return ptr::null_mut();
    }
    match align {
        None => {
            // SAFETY: the symbol of this name has this type.
            let next =
                unsafe { transmute::<*mut c_void, extern "C" fn(usize, NoThrow) -> *mut c_void>(next) };
            next(bytes, tag)
        }
        Some(align) => {
            type Aligned = extern "C" fn(usize, usize, NoThrow) -> *mut c_void;
            // SAFETY: the symbol of this name has this type.
            let next = unsafe { transmute::<*mut c_void, Aligned>(next) };
            next(bytes, align, tag)
        }
    }
}

/// A function of the C++ run-time library, wherever it was loaded; null if it was not.
fn find(name: &CStr) -> *mut c_void {
    // SAFETY: a NUL-terminated name.
    let next = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
    if !next.is_null() {
        return next;
    }
    for library in [c"libstdc++.so.6", c"libc++.so.1"] {
        // SAFETY: a NUL-terminated name; nothing is loaded.
        let handle = unsafe { libc::dlopen(library.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
        if !handle.is_null() {
            // SAFETY: a library's handle and a NUL-terminated name.
            return unsafe { libc::dlsym(handle, name.as_ptr()) };
        }
    }
    ptr::null_mut()
}

/// The address behind a weak reference, or null.
macro_rules! weak {
    ($name:literal) => {{
        let address: *mut c_void;
        // SAFETY: reads an entry of the global offset table, which the loader fills with an address or 0.
        unsafe {
            core::arch::asm!(
                concat!("mov {}, qword ptr [rip + ", $name, "@GOTPCREL]"),
                out(reg) address,
                options(pure, readonly, nostack, preserves_flags)
            );
        }
        address
    }};
}

/// The installed new-handler, or null.
extern "C" fn new_handler() -> *mut c_void {
    let mut get = weak!("_ZSt15get_new_handlerv");
    if get.is_null() {
        get = find(c"_ZSt15get_new_handlerv");
    }
    if get.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: `std::get_new_handler` has this type and does not throw.
    let get = unsafe { transmute::<*mut c_void, extern "C" fn() -> *mut c_void>(get) };
    get()
}

/// What throws `std::bad_alloc`. Ends the process if there is nothing that can.
extern "C" fn thrower() -> *mut c_void {
    let mut throw = weak!("_ZSt17__throw_bad_allocv");
    if throw.is_null() {
        throw = find(c"_ZSt17__throw_bad_allocv");
    }
    if throw.is_null() {
        pal::message(b"ace-alloc: operator new: out of memory, and no C++ library to throw std::bad_alloc\n");
        pal::abort();
    }
    throw
}
