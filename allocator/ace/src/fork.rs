//! Fork: handlers that leave nothing half-way, and what the child takes in.
//!
//! Before a fork every lock and every heap's word is taken, outermost first. All flushes and therefore all remote frees
//! run under some heap's word, so no producer is caught between its OR and its accounting, and every list is whole. The
//! child gives everything back and then retires the heaps of threads that did not come along: their magazines are read
//! from their TLS blocks, which are still mapped, and their slabs become orphans. The child has no worker.

use crate::controller;
use crate::front::{Thread, budget, lifecycle, thread};
use crate::heap::{orphan, table};
use crate::superslab::pool;
use crate::{huge, meta, pal};
use core::ptr;

/// Registers the handlers, once a process. May allocate.
pub fn register() {
    // SAFETY: three functions that live as long as the process.
    unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
}

unsafe extern "C" fn prepare() {
    table::fork_prepare();
    orphan::fork_prepare();
    pool::fork_prepare();
    huge::fork_prepare();
    meta::fork_prepare();
}

unsafe extern "C" fn parent() {
    meta::fork_done();
    huge::fork_done();
    pool::fork_done();
    orphan::fork_done();
    table::fork_done();
}

unsafe extern "C" fn child() {
    // SAFETY: the same locks were taken by the same thread, now this process's only one.
    unsafe { parent() };
    let me = ptr::from_ref(thread()) as usize;
    controller::after_fork();
    pal::barrier_after_fork();
    let mut sharers = 0;
    for heap in table::all() {
        let t = heap.thread.get();
        if t == me {
            sharers = 1;
            if heap.tid.get() != 0 {
                heap.tid.set(pal::thread_number());
            }
        }
        if t == 0 || t == me {
            continue;
        }
        // SAFETY: the thread was attached at the fork and is gone; its TLS block is in memory the child inherited.
        let gone = unsafe { &*ptr::with_exposed_provenance::<Thread>(t) };
        lifecycle::surrender(heap, gone);
        table::detach(heap);
    }
    budget::sharers_after_fork(sharers);
}
