//! Windows: who has which, and everything that a call does when the common path cannot.
//!
//! A window is a mapped chunk from its next free record on. One thread owns it; a thread that ends leaves it in the
//! pool, and the next thread goes on behind a `THREAD` record, so thousands of short threads share few chunks. The pool is
//! guarded by a lock that is taken only here, with signals' calls shut out by `busy`.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU32, Ordering};

use record_layout::{CHUNK_BYTES, CHUNK_RECORDS, RECORD_BYTES, head, kind};

use crate::thread::{Thread, cycles, state, thread, write};
use crate::{lifecycle, spool};

/// Windows that wait for a thread: more threads than this that end together leave theirs unfinished.
const POOL: usize = 256;
/// Bytes of a chunk that hold records.
const RECORDS_BYTES: usize = CHUNK_RECORDS * RECORD_BYTES;

struct Pool {
    count: usize,
    /// Base and cursor.
    windows: [(usize, usize); POOL],
}

struct Locked(UnsafeCell<Pool>);
// SAFETY: touched by the holder of LOCK alone.
unsafe impl Sync for Locked {}

static POOLED: Locked = Locked(UnsafeCell::new(Pool { count: 0, windows: [(0, 0); POOL] }));
/// 1 while held. Acquire by the taker, Release by the giver: what happened under it is seen by the next holder.
static LOCK: AtomicU32 = AtomicU32::new(0);

/// Takes the lock. The caller has set `busy`, so no signal handler comes here on the same thread.
pub fn lock() {
    while LOCK.compare_exchange_weak(0, 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
        // SAFETY: takes nothing.
        unsafe { libc::sched_yield() };
    }
}

/// Gives it back.
pub fn unlock() {
    LOCK.store(0, Ordering::Release);
}

/// Runs `f` with the pool, under the lock.
fn with_pool<T>(f: impl FnOnce(&mut Pool) -> T) -> T {
    lock();
    // SAFETY: the lock is held.
    let result = f(unsafe { &mut *POOLED.0.get() });
    unlock();
    result
}

/// In a forked child, with its one thread: nothing of the parent's is written to any more.
pub fn forget() {
    // SAFETY: one thread; the lock is held by the fork itself.
    let pool = unsafe { &mut *POOLED.0.get() };
    pool.windows[..pool.count].iter().for_each(|(base, _)| spool::unmap(*base));
    pool.count = 0;
    spool::forget();
    let thread = thread();
    if thread.base.get() != 0 {
        spool::unmap(thread.base.get());
    }
    thread.end.set(0);
    thread.base.set(0);
    thread.state.set(state::NEW);
}

/// A call whose record did not fit the window: gets one, or counts the event as lost. Leaves errno alone.
#[cold]
#[inline(never)]
pub fn slow(words: [u64; 3]) {
    let thread = thread();
    if thread.busy.replace(1) != 0 {
        spool::lose();
        return;
    }
    // SAFETY: the thread's errno location is always valid.
    let errno = unsafe { *libc::__errno_location() };
    // The window is shut before anything else: a signal handler's call comes here too, and finds `busy`.
    thread.end.set(0);
    if thread.state.get() == state::NEW {
        attach(thread);
    }
    match thread.state.get() {
        state::RECORDING => recording(thread, words),
        state::ENDED => late(thread, words),
        _ => thread.cursor.set(0),
    }
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
    thread.busy.set(0);
}

/// A thread's first call: the spool, a number, and a destructor for its end.
fn attach(thread: &Thread) {
    lock();
    let open = spool::is_open() || spool::open();
    unlock();
    thread.base.set(0);
    thread.rounds.set(0);
    let number = if open { spool::thread_number() } else { None };
    thread.number.set(number.unwrap_or(0));
    thread.state.set(if number.is_some() { state::RECORDING } else { state::OFF });
    if number.is_some() {
        lifecycle::watch_thread();
    }
}

fn recording(thread: &Thread, words: [u64; 3]) {
    // SAFETY: takes nothing.
    if spool::pid() != unsafe { libc::getpid() } as u64 {
        // A child made behind the C library's back: its parent goes on with the window.
        forget();
        attach(thread);
        if thread.state.get() != state::RECORDING {
            return thread.cursor.set(0);
        }
    }
    let first = thread.base.get() == 0;
    let window = if first { take() } else { spool::chunk(thread.base.get()).map(|base| (base, base)) };
    let Some((base, at)) = window else {
        // The old window stays mapped; the next call tries again.
        thread.cursor.set(0);
        return spool::lose();
    };
    thread.base.set(base);
    // SAFETY: a window has room for two records, and it is this thread's now.
    unsafe { write(at, [words[0], head(kind::THREAD, 0, thread.number.get()), u64::from(first)]) };
    // SAFETY: as above.
    unsafe { write(at + RECORD_BYTES, words) };
    thread.cursor.set(at + 2 * RECORD_BYTES);
    thread.end.set(base + RECORDS_BYTES);
}

/// A window that another thread left, or a fresh one; with room for two records at least.
fn take() -> Option<(usize, usize)> {
    let pooled = with_pool(|pool| {
        pool.count = pool.count.checked_sub(1)?;
        Some(pool.windows[pool.count])
    });
    pooled.or_else(|| spool::chunk(0).map(|base| (base, base)))
}

/// Leaves a window to others, or unmaps it where it is full or there are enough.
fn leave(base: usize, cursor: usize) {
    let has_room = cursor + 4 * RECORD_BYTES <= base + RECORDS_BYTES;
    let kept = has_room
        && with_pool(|pool| {
            let Some(place) = pool.windows.get_mut(pool.count) else { return false };
            *place = (base, cursor);
            pool.count += 1;
            true
        });
    if !kept {
        spool::unmap(base);
    }
}

/// A call of a thread that has ended: its own run of one record in a window of the pool.
fn late(thread: &Thread, words: [u64; 3]) {
    thread.cursor.set(0);
    let Some((base, at)) = take() else { return spool::lose() };
    // SAFETY: a window has room for two records, and it is this call's until it is left.
    unsafe { write(at, [words[0], head(kind::THREAD, 0, thread.number.get()), 0]) };
    // SAFETY: as above.
    unsafe { write(at + RECORD_BYTES, words) };
    leave(base, at + 2 * RECORD_BYTES);
}

/// The thread ends: says so, and leaves its window.
pub fn end_thread(thread: &Thread) {
    if thread.state.get() != state::RECORDING || thread.busy.replace(1) != 0 {
        return;
    }
    let (cursor, end, base) = (thread.cursor.get(), thread.end.get(), thread.base.get());
    thread.end.set(0);
    thread.cursor.set(0);
    thread.base.set(0);
    thread.state.set(state::ENDED);
    if base != 0 && cursor + RECORD_BYTES <= end {
        // SAFETY: inside the window, which is this thread's.
        unsafe { write(cursor, [cycles(), head(kind::EXIT, 0, 0), 0]) };
        leave(base, cursor + RECORD_BYTES);
    } else {
        if base != 0 {
            spool::unmap(base);
        }
        late(thread, [cycles(), head(kind::EXIT, 0, 0), 0]);
    }
    thread.busy.set(0);
}

const _: () = assert!(RECORDS_BYTES <= CHUNK_BYTES);
