//! Orphans: slabs whose thread has ended, and their adoption.
//!
//! A retiring heap closes its pending list, releases what is empty, and shows the rest here, by class. Any heap that
//! misses adopts from here before it takes fresh memory. The lists are linked through the slabs' shelf links and
//! guarded by one lock; the change of owner itself is `remote::orphan` and `remote::adopt`. The shared heap's list is
//! never closed: a token pushed there after its slab was orphaned is forwarded by the next drain.

use super::shelf::slab_at;
use super::{HeapRef, Memory, count, remote, table};
use crate::size_class::{CLASS_COUNT, class};
use crate::superslab::{Shelf, SlabRef};
use crate::sync::{AtomicUsize, Lock, Ordering};

struct Orphans {
    heads: [u32; CLASS_COUNT + 1],
}

static ORPHANS: Lock<Orphans> = Lock::new(Orphans { heads: [0; CLASS_COUNT + 1] });
/// How many there are; Relaxed: a hint that saves the lock where there are none.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Bytes of their blocks out. Relaxed: a statistic.
static OUT_BYTES: AtomicUsize = AtomicUsize::new(0);

/// Bytes of orphans' blocks out, returns that nobody has taken in included.
pub fn out_bytes() -> usize {
    OUT_BYTES.load(Ordering::Relaxed)
}

fn slab_out_bytes(slab: SlabRef) -> usize {
    usize::from(slab.out.get()) * class(usize::from(slab.class.get())).bytes as usize
}

/// Orphans at present.
pub fn orphans() -> usize {
    COUNT.load(Ordering::Relaxed)
}

fn show(slab: SlabRef) {
    let mut orphans = ORPHANS.lock();
    let head = &mut orphans.heads[usize::from(slab.class.get())];
    slab.prev.set(0);
    slab.next.set(*head);
    *head = slab.id().0;
    COUNT.fetch_add(1, Ordering::Relaxed);
    OUT_BYTES.fetch_add(slab_out_bytes(slab), Ordering::Relaxed);
}

fn take(class_index: usize) -> Option<SlabRef> {
    let mut orphans = ORPHANS.lock();
    let slab = slab_at(orphans.heads[class_index])?;
    orphans.heads[class_index] = slab.next.get();
    COUNT.fetch_sub(1, Ordering::Relaxed);
    OUT_BYTES.fetch_sub(slab_out_bytes(slab), Ordering::Relaxed);
    Some(slab)
}

impl HeapRef {
    /// Adopts orphans of a class until one has room; it ends on a shelf from which a refill takes.
    pub fn adopt_orphan(self, class_index: usize) -> Option<SlabRef> {
        if orphans() == 0 {
            return None;
        }
        loop {
            let slab = take(class_index)?;
            self.adopt(slab);
            if slab.room.get() != 0 {
                return Some(slab);
            }
        }
    }

    /// Makes an orphan this heap's and takes in what was returned to it.
    fn adopt(self, slab: SlabRef) {
        let accounted = remote::adopt(&Memory, slab.id().0, self.owner());
        self.add_out(slab_out_bytes(slab));
        self.sweep_in(slab, accounted);
        let shelf = if slab.room.get() == 0 { Shelf::Full } else { Shelf::Hot };
        self.put_on(slab, shelf);
        count(&self.counters.slabs_adopted, 1);
    }

    /// Empties this heap: the thread is gone and its magazines are flushed. Afterwards the heap owns nothing.
    pub fn retire(self) {
        remote::close(&Memory, self.owner(), |slab, accounted| self.take_in(slab, accounted));
        for class_index in 1..=CLASS_COUNT {
            self.abandon_class(class_index);
        }
        self.thread.set(0);
    }

    /// Releases a slab of this heap, or orphans it and shows it to adopters.
    fn abandon(self, slab: SlabRef) {
        self.sub_out(slab_out_bytes(slab));
        if self.try_release(slab) {
            return;
        }
        self.take_off(slab);
        remote::orphan(&Memory, slab.id().0);
        count(&self.counters.slabs_orphaned, 1);
        show(slab);
    }

    fn abandon_class(self, class_index: usize) {
        for shelf in [Shelf::Hot, Shelf::Draining, Shelf::Warm, Shelf::Full] {
            while let Some(slab) = self.first_on(class_index, shelf) {
                self.abandon(slab);
            }
        }
    }
}

/// Releases orphans that have become empty: the shared heap adopts all of them for a moment. Caller holds no word.
pub fn sweep_orphans() {
    let Some(heap) = table::shared() else { return };
    heap.with(|heap| {
        heap.drain_pending();
        for class_index in 1..=CLASS_COUNT {
            while let Some(slab) = take(class_index) {
                heap.adopt(slab);
            }
            heap.abandon_class(class_index);
        }
    });
}

/// Holds the lists across a fork.
pub fn fork_prepare() {
    ORPHANS.acquire_raw();
}

/// Ends `fork_prepare`, in parent and child.
pub fn fork_done() {
    // SAFETY: taken in `fork_prepare` on this thread.
    unsafe { ORPHANS.release_raw() }
}
