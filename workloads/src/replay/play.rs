//! The loop that is measured: one thread's operations of a segment.
//!
//! An operation costs the read of 16 bytes in order, a branch on its kind, and one access to the table; a wait only
//! where another thread touched the block last. What engine `floor` takes for the same trace is this loop's cost.
#![expect(unsafe_code, reason = "takes and puts blocks in the shared table, in their turn")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::feed::{Kind, Op};
use super::table::Table;
use crate::content::Content;
use crate::exec::Patience;
use crate::probe::Probe;
use crate::raw::Heap;
use crate::run::RunError;

/// A sleep ends this much before its time, and the rest is spun.
const SLEEP_SLACK: Duration = Duration::from_micros(80);

/// What one thread of a replay keeps.
pub struct Lane<P, C> {
    /// What is measured.
    pub probe: P,
    /// What is done with contents.
    pub content: C,
}

/// What all threads share while they play.
pub struct Ground<'a> {
    /// Heaps by log2 of the alignment.
    pub heaps: &'a [Heap],
    /// Blocks.
    pub table: &'a Table,
    /// Set when a thread failed; ends waits. Relaxed: it publishes nothing.
    pub stop: &'a AtomicBool,
    /// Begin of recorded time.
    pub begin: Instant,
}

#[cold]
fn out_of_memory(size: u32) -> RunError {
    RunError::OutOfMemory(format!("the engine returned NULL for {size} bytes"))
}

#[cold]
fn astray() -> RunError {
    RunError::Corrupt("an operation found its slot empty: the trace's order is broken".into())
}

impl<P: Probe, C: Content> Lane<P, C> {
    /// Plays operations; `start` starts a thread.
    pub fn play(&mut self, ops: &[Op], ground: &Ground<'_>, start: &dyn Fn(u32)) -> Result<(), RunError> {
        for op in ops {
            if op.waits && !wait_turn(op, ground) {
                return Ok(());
            }
            match op.kind {
                Kind::Alloc => self.alloc(op, ground)?,
                Kind::Free => self.free(op, ground)?,
                Kind::Resize => self.resize(op, ground)?,
                Kind::Start => start(op.slot),
                Kind::Pause => pause(op, ground),
            }
            if op.passes {
                ground.table.pass(op.slot, op.turn.wrapping_add(1));
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn alloc(&mut self, op: &Op, ground: &Ground<'_>) -> Result<(), RunError> {
        let heap = &ground.heaps[usize::from(op.align_log2)];
        let mark = self.probe.mark();
        let Some(mut block) = heap.alloc(op.size) else { return Err(out_of_memory(op.size)) };
        self.probe.alloc_done(mark, op.size);
        self.probe.gained(heap, &block);
        self.content.fresh(heap, &mut block)?;
        // SAFETY: it is this operation's turn: waited for, or this thread's since its last.
        unsafe { ground.table.put(op.slot, block) };
        Ok(())
    }

    #[inline(always)]
    fn free(&mut self, op: &Op, ground: &Ground<'_>) -> Result<(), RunError> {
        let heap = &ground.heaps[usize::from(op.align_log2)];
        // SAFETY: as in `alloc`.
        let Some(block) = (unsafe { ground.table.take(op.slot) }) else { return Err(astray()) };
        self.content.last(heap, &block)?;
        self.probe.losing(heap, &block);
        let mark = self.probe.mark();
        heap.free(block);
        self.probe.free_done(mark, op.size);
        Ok(())
    }

    fn resize(&mut self, op: &Op, ground: &Ground<'_>) -> Result<(), RunError> {
        let heap = &ground.heaps[usize::from(op.align_log2)];
        // SAFETY: as in `alloc`.
        let Some(block) = (unsafe { ground.table.take(op.slot) }) else { return Err(astray()) };
        let kept = self.content.before_resize(heap, &block)?;
        self.probe.losing(heap, &block);
        let mark = self.probe.mark();
        let resized = heap.resize(block, op.size);
        self.probe.realloc_done(mark, op.size);
        let Ok(mut block) = resized else { return Err(out_of_memory(op.size)) };
        self.probe.gained(heap, &block);
        self.content.after_resize(heap, &mut block, kept)?;
        // SAFETY: as in `alloc`.
        unsafe { ground.table.put(op.slot, block) };
        Ok(())
    }
}

/// Waits for the slot; false when the run is given up.
#[cold]
fn wait_turn(op: &Op, ground: &Ground<'_>) -> bool {
    let mut patience = Patience::new();
    while !ground.table.is_turn(op.slot, op.turn) {
        // Relaxed: see the field.
        if ground.stop.load(Ordering::Relaxed) {
            return false;
        }
        patience.wait();
    }
    true
}

fn pause(op: &Op, ground: &Ground<'_>) {
    let due = ground.begin + Duration::from_nanos((u64::from(op.turn) << 32) | u64::from(op.slot));
    let left = due.saturating_duration_since(Instant::now());
    if left > 2 * SLEEP_SLACK {
        std::thread::sleep(left - SLEEP_SLACK);
    }
    while Instant::now() < due && !ground.stop.load(Ordering::Relaxed) {
        std::hint::spin_loop();
    }
}
