//! Ends of threads, and forks.
//!
//! A thread's end is seen by the destructor of a pthread key, which asks to be called again until the last round but
//! one, so that what other destructors free is still the thread's own. A fork in the C library takes the lock first,
//! so that a child never inherits it held; in the child the only thread starts over with a spool of its own.

use core::ffi::c_void;
use core::sync::atomic::{AtomicU32, Ordering};

use crate::thread::thread;
use crate::window;

/// The round of key destructors in which a thread counts as ended; POSIX promises four.
const LAST_ROUND: u64 = 3;
/// What `busy` is while the thread forks with the lock held.
const FORKING: u64 = 2;
/// No key yet.
const NONE: u32 = u32::MAX;

/// Made once, before the first thread is watched. Relaxed: made under `ready`'s exchange or by the constructor.
static KEY: AtomicU32 = AtomicU32::new(NONE);
/// 1 once key and fork handlers are there.
static READY: AtomicU32 = AtomicU32::new(0);

#[used]
#[unsafe(link_section = ".init_array")]
static REGISTER: extern "C" fn() = ready;

unsafe extern "C" {
    fn __register_atfork(
        prepare: Option<unsafe extern "C" fn()>,
        parent: Option<unsafe extern "C" fn()>,
        child: Option<unsafe extern "C" fn()>,
        library: *mut c_void,
    ) -> libc::c_int;
}

/// Key and fork handlers; at the first call of the program or before main, whichever is first.
extern "C" fn ready() {
    if READY.swap(1, Ordering::AcqRel) != 0 {
        return;
    }
    let mut key: libc::pthread_key_t = 0;
    // SAFETY: a place for the key, and a function of the destructor's type.
    if unsafe { libc::pthread_key_create(&raw mut key, Some(destructor)) } == 0 {
        KEY.store(key, Ordering::Release);
    }
    // SAFETY: three functions that stay where they are: this library is never unloaded before the process ends.
    unsafe { __register_atfork(Some(before_fork), Some(after_fork), Some(in_child), core::ptr::null_mut()) };
}

/// Asks for the calling thread's end to be told.
pub fn watch_thread() {
    ready();
    let key = KEY.load(Ordering::Acquire);
    if key != NONE {
        // SAFETY: a key of ours and any word but NULL.
        unsafe { libc::pthread_setspecific(key, core::ptr::dangling::<c_void>()) };
    }
}

unsafe extern "C" fn destructor(_: *mut c_void) {
    let thread = thread();
    thread.rounds.set(thread.rounds.get() + 1);
    if thread.rounds.get() < LAST_ROUND {
        watch_thread();
    } else {
        window::end_thread(thread);
    }
}

unsafe extern "C" fn before_fork() {
    // A fork from a signal handler inside the slow path would wait for itself: it goes on without the lock.
    let thread = thread();
    if thread.busy.get() == 0 {
        thread.busy.set(FORKING);
        window::lock();
    }
}

unsafe extern "C" fn after_fork() {
    let thread = thread();
    if thread.busy.get() == FORKING {
        window::unlock();
        thread.busy.set(0);
    }
}

unsafe extern "C" fn in_child() {
    window::forget();
    window::unlock();
    let thread = thread();
    if thread.busy.get() == FORKING {
        thread.busy.set(0);
    }
}
