//! The event ring: what threads in WARM tell the worker, bounded, never waited for.
//!
//! Many producers, one consumer. Each slot carries a sequence number that says whose turn it is: equal to a producer's
//! position, the slot is free for it; one more, it is filled for the consumer. A producer that finds the ring full
//! counts its event as lost and goes on. `tests/ring_model.rs` checks it with loom.

use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// Events that may wait; small under the model checker.
pub const RING: usize = if cfg!(loom) { 2 } else { 256 };

struct Slot {
    turn: AtomicU32,
    event: AtomicU64,
}

/// The ring.
pub struct Ring {
    slots: [Slot; RING],
    /// The next producer's position.
    head: AtomicU32,
    /// The consumer's.
    tail: AtomicU32,
    lost: AtomicU64,
}

impl Ring {
    /// An empty ring.
    #[cfg(not(loom))]
    pub const fn new() -> Ring {
        let mut slots = [const { Slot { turn: AtomicU32::new(0), event: AtomicU64::new(0) } }; RING];
        let mut i = 0;
        while i < RING {
            slots[i].turn = AtomicU32::new(i as u32);
            i += 1;
        }
        Ring { slots, head: AtomicU32::new(0), tail: AtomicU32::new(0), lost: AtomicU64::new(0) }
    }

    /// An empty ring.
    #[cfg(loom)]
    pub fn new() -> Ring {
        let slot = |i| Slot { turn: AtomicU32::new(i as u32), event: AtomicU64::new(0) };
        Ring {
            slots: core::array::from_fn(slot),
            head: AtomicU32::new(0),
            tail: AtomicU32::new(0),
            lost: AtomicU64::new(0),
        }
    }

    fn slot(&self, position: u32) -> &Slot {
        &self.slots[position as usize % RING]
    }

    /// Adds an event; false, and counted as lost, if the ring is full. Any thread.
    pub fn push(&self, event: u64) -> bool {
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            let slot = self.slot(head);
            // Acquire: pairs with the Release in `pop`; the consumer has read the slot's last event.
            let ahead = slot.turn.load(Ordering::Acquire).wrapping_sub(head) as i32;
            if ahead < 0 {
                // Relaxed: a statistic.
                self.lost.fetch_add(1, Ordering::Relaxed);
                return false;
            }
            if ahead > 0 {
                head = self.head.load(Ordering::Relaxed);
                continue;
            }
            let next = head.wrapping_add(1);
            // Relaxed: elects who fills the slot; `turn` publishes what is in it.
            match self.head.compare_exchange_weak(head, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    slot.event.store(event, Ordering::Relaxed);
                    // Release: pairs with the Acquire in `pop`.
                    slot.turn.store(next, Ordering::Release);
                    return true;
                }
                Err(seen) => head = seen,
            }
        }
    }

    /// The oldest event. The worker alone.
    pub fn pop(&self) -> Option<u64> {
        let tail = self.tail.load(Ordering::Relaxed);
        let slot = self.slot(tail);
        // Acquire: pairs with the Release in `push`.
        if slot.turn.load(Ordering::Acquire) != tail.wrapping_add(1) {
            return None;
        }
        let event = slot.event.load(Ordering::Relaxed);
        // Release: pairs with the Acquire in `push`.
        slot.turn.store(tail.wrapping_add(RING as u32), Ordering::Release);
        self.tail.store(tail.wrapping_add(1), Ordering::Relaxed);
        Some(event)
    }

    /// Events that found no room, since start.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Empties the ring. The caller is alone: a forked child, in which a producer that did not come along may have left
    /// a slot half filled.
    pub fn reset(&self) {
        for (i, slot) in self.slots.iter().enumerate() {
            slot.turn.store(i as u32, Ordering::Relaxed);
        }
        self.head.store(0, Ordering::Relaxed);
        self.tail.store(0, Ordering::Relaxed);
    }
}

impl Default for Ring {
    fn default() -> Self {
        Ring::new()
    }
}
