//! All heaps: where they come from and which are unattached.
//!
//! A heap is cut from metadata once, stays in the table for ever, and goes between its thread and the list of
//! unattached heaps. One more heap, the shared one, serves threads that have none: those past their last destructor,
//! and any thread when there is no memory for a heap. One lock, outermost in the order of `sync`.

use super::{Heap, HeapRef};
use crate::meta;
use crate::sync::{AtomicUsize, Lock, Ordering};
use core::ptr;

struct Table {
    free: usize,
}

static TABLE: Lock<Table> = Lock::new(Table { free: 0 });
/// Newest heap; older ones follow `next_in_table`. Release on push, Acquire on read: a heap is initialised.
static ALL: AtomicUsize = AtomicUsize::new(0);
/// The shared heap, made at start.
static SHARED: AtomicUsize = AtomicUsize::new(0);

fn create() -> Option<HeapRef> {
    let address = meta::alloc(size_of::<Heap>())?;
    // SAFETY: a piece of this size that nobody else knows; all-zero is a heap with empty bins and a free word.
    unsafe { ptr::with_exposed_provenance_mut::<Heap>(address).write_bytes(0, 1) };
    let heap = HeapRef::at(address)?;
    heap.next_in_table.set(ALL.load(Ordering::Relaxed));
    ALL.store(address, Ordering::Release);
    Some(heap)
}

/// Makes the shared heap. Called once, before any thread attaches.
pub fn start() {
    let _table = TABLE.lock();
    if let Some(heap) = create() {
        // Release: pairs with the Acquire in `shared`.
        SHARED.store(heap.address(), Ordering::Release);
    }
}

/// The heap of threads without one; None only if there was no memory at start.
pub fn shared() -> Option<HeapRef> {
    HeapRef::at(SHARED.load(Ordering::Acquire))
}

/// An unattached heap for the thread whose TLS block is at `thread`.
pub fn attach(thread: usize) -> Option<HeapRef> {
    let mut table = TABLE.lock();
    let heap = match HeapRef::at(table.free) {
        Some(heap) => {
            table.free = heap.next_free.get();
            heap
        }
        None => create()?,
    };
    heap.with(|heap| {
        heap.thread.set(thread);
        heap.pending.open();
    });
    Some(heap)
}

/// Puts a retired heap on the list of unattached ones.
pub fn detach(heap: HeapRef) {
    let mut table = TABLE.lock();
    heap.next_free.set(table.free);
    table.free = heap.address();
}

/// Every heap, attached or not, newest first.
pub fn all() -> impl Iterator<Item = HeapRef> {
    let mut at = HeapRef::at(ALL.load(Ordering::Acquire));
    core::iter::from_fn(move || {
        let heap = at?;
        at = HeapRef::at(heap.next_in_table.get());
        Some(heap)
    })
}

/// Holds the table and every heap across a fork, so that no refill, flush or remote free is half-way.
pub fn fork_prepare() {
    TABLE.acquire_raw();
    for heap in all() {
        heap.word.take();
    }
}

/// Ends `fork_prepare`, in parent and child.
pub fn fork_done() {
    for heap in all() {
        heap.word.give();
    }
    // SAFETY: taken in `fork_prepare` on this thread.
    unsafe { TABLE.release_raw() }
}
