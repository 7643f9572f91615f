//! How a thread gets its heap and gives it up, and how the process starts.
//!
//! A thread attaches on its first miss and retires in a key destructor, which lets two rounds of other destructors
//! pass first. After that, and wherever no heap can be had, its calls go to the shared heap: nothing is cached any
//! more, everything still works, to the thread's last instruction. Start-up (configuration, class map, shared heap) runs
//! once, before the first slab; what may itself call malloc (key, fork handlers) runs after it with no lock held.

use super::{Thread, magazine, thread};
use crate::class_map;
use crate::config::{self, Config};
use crate::fork;
use crate::heap::{HeapRef, table};
use crate::sync::{AtomicPtr, AtomicU32, AtomicU64, Lock, Ordering};
use core::ffi::c_void;
use core::ptr;

/// A thread's place in its life; 0, from the TLS image, is neither of these.
const ATTACHED: usize = 1;
const RETIRED: usize = 2;

/// Rounds of key destructors to let pass, so that other libraries' frees still find the cache.
const ROUNDS: usize = 2;

/// 0 before start-up, then 1.
static STARTED: AtomicU32 = AtomicU32::new(0);
static STARTING: Lock<()> = Lock::new(());
/// 0 until one thread has begun to register key and fork handlers.
static HOOKED: AtomicU32 = AtomicU32::new(0);
/// The key plus one, once there is one; [`NO_KEY`] if none could be had.
static KEY: AtomicU64 = AtomicU64::new(0);
const NO_KEY: u64 = u64::MAX;

/// What a variant of the front adds to retiring, by address; null where none runs, so that a library which uses none
/// does not carry its thread-local lists.
static VARIANT_RETIRE: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

/// Registers what a variant of the front gives back when the calling thread retires.
pub fn on_retire(flush: fn(HeapRef)) {
    // Relaxed: the address of a function; a thread that has lists has itself stored it before.
    VARIANT_RETIRE.store(flush as *mut c_void, Ordering::Relaxed);
}

fn retire_variant(heap: HeapRef) {
    let flush = VARIANT_RETIRE.load(Ordering::Relaxed);
    if !flush.is_null() {
        // SAFETY: not null, so `on_retire` stored a function of this type.
        let flush = unsafe { core::mem::transmute::<*mut c_void, fn(HeapRef)>(flush) };
        flush(heap);
    }
}

/// Configures the process unless it is configured already; what the program states comes in `stated`.
#[cold]
pub fn start(stated: &Config) {
    // Acquire: pairs with the Release below; map, table and knobs are set up.
    if STARTED.load(Ordering::Acquire) != 0 {
        return;
    }
    let _starting = STARTING.lock();
    if STARTED.load(Ordering::Relaxed) != 0 {
        return;
    }
    config::start(stated);
    class_map::start();
    table::start();
    STARTED.store(1, Ordering::Release);
}

/// Whether the process is configured.
#[inline]
pub fn is_started() -> bool {
    STARTED.load(Ordering::Acquire) != 0
}

/// The calling thread's heap; None once it has retired, or if there is no memory for one.
#[inline]
pub fn heap(t: &Thread) -> Option<HeapRef> {
    if t.state.get() == ATTACHED { HeapRef::at(t.heap.get()) } else { attach(t) }
}

#[cold]
fn attach(t: &Thread) -> Option<HeapRef> {
    if t.state.get() == RETIRED {
        return None;
    }
    start(&Config::DEFAULT);
    let heap = table::attach(ptr::from_ref(t) as usize)?;
    t.heap.set(heap.address());
    t.state.set(ATTACHED);
    hook();
    arm();
    Some(heap)
}

/// Registers the key and the fork handlers, once. Both may allocate, which finds this thread attached.
fn hook() {
    // Relaxed: only decides who registers; `KEY` is published by itself.
    if HOOKED.swap(1, Ordering::Relaxed) != 0 {
        return;
    }
    let mut key: libc::pthread_key_t = 0;
    // SAFETY: `key` outlives the call and `at_exit` has the destructor's signature.
    let made = unsafe { libc::pthread_key_create(&mut key, Some(at_exit)) } == 0;
    KEY.store(if made { u64::from(key) + 1 } else { NO_KEY }, Ordering::Release);
    fork::register();
}

/// Asks for `at_exit` when this thread ends.
fn arm() {
    let mut turn = 0;
    let key = loop {
        // Acquire: pairs with the Release in `hook`. Another thread is between its two stores at most once a process.
        match KEY.load(Ordering::Acquire) {
            0 => crate::sync::relax(turn),
            NO_KEY => return,
            key => break key - 1,
        }
        turn += 1;
    };
    // SAFETY: the key exists and is never deleted; any non-null value will do.
    unsafe { libc::pthread_setspecific(key as libc::pthread_key_t, ptr::from_ref(thread()).cast()) };
}

unsafe extern "C" fn at_exit(_: *mut c_void) {
    let t = thread();
    if t.rounds.get() < ROUNDS {
        t.rounds.set(t.rounds.get() + 1);
        arm();
        return;
    }
    retire(t);
}

/// Gives the thread's blocks, slabs and heap up. Its later calls go to the shared heap.
fn retire(t: &Thread) {
    let Some(heap) = HeapRef::at(t.heap.get()) else { return };
    t.state.set(RETIRED);
    retire_variant(heap);
    surrender(heap, t);
    t.heap.set(0);
    table::detach(heap);
}

/// Flushes `t`'s cache into `heap` and retires that. `t` is this thread's block or that of a thread that is gone.
pub fn surrender(heap: HeapRef, t: &Thread) {
    magazine::flush_all(heap, t);
    magazine::uninstall(t);
    heap.with(|heap| heap.retire());
}

/// Gives the calling thread's cached blocks back to their slabs.
pub fn flush_own() {
    let t = thread();
    if t.state.get() == ATTACHED
        && let Some(heap) = HeapRef::at(t.heap.get())
    {
        magazine::flush_all(heap, t);
    }
}
