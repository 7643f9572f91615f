//! Loom models of the protocols that have no lock to lean on: the tagged stack and the scope switch.
//!
//! Compiled only under `--cfg loom` in tests. Each model runs the shipped code over every interleaving
//! that loom distinguishes, with two or three threads and two or three blocks.

use crate::scope::{Record, ScopeSwitch};
use crate::tagged_stack::{Links, NIL, TaggedStack};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use loom::thread;

/// Three blocks; a block's `contents` cell proves that two threads never hold it at once.
struct Blocks {
    links: [AtomicU32; 3],
    contents: [loom::cell::UnsafeCell<u32>; 3],
}

// SAFETY: the contents are touched by a block's holder only; loom reports any overlap.
unsafe impl Sync for Blocks {}
// SAFETY: as for Sync.
unsafe impl Send for Blocks {}

impl Links for Blocks {
    fn next(&self, index: u32) -> u32 {
        self.links[index as usize].load(Ordering::Relaxed)
    }

    fn link(&self, index: u32, next: u32) {
        self.links[index as usize].store(next, Ordering::Relaxed);
    }
}

impl Blocks {
    fn new() -> Blocks {
        Blocks {
            links: std::array::from_fn(|_| AtomicU32::new(NIL)),
            contents: std::array::from_fn(|_| loom::cell::UnsafeCell::new(0)),
        }
    }

    /// Writes to a block, as its holder does.
    fn touch(&self, index: u32) {
        self.contents[index as usize].with_mut(|content| {
            // SAFETY: the caller popped the block; loom checks that nobody else is here.
            unsafe { *content += 1 };
        });
    }
}

/// Pops a batch, touches each block, pushes the batch back.
fn cycle(stack: &TaggedStack, blocks: &Blocks, batch: usize) {
    let mut taken = [NIL; 2];
    let (count, _) = stack.pop_batch(blocks, &mut taken[..batch]);
    taken[..count].iter().for_each(|&index| blocks.touch(index));
    stack.push_chain(blocks, taken[..count].iter().copied());
}

/// The content of the stack at rest.
fn drain(stack: &TaggedStack, blocks: &Blocks) -> Vec<u32> {
    let mut taken = [NIL; 3];
    let (count, _) = stack.pop_batch(blocks, &mut taken);
    let mut taken = taken[..count].to_vec();
    taken.sort_unstable();
    taken
}

#[test]
fn stack_hands_each_block_to_one_thread_and_loses_none() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let shared = Arc::new((TaggedStack::new(), Blocks::new()));
        shared.0.push_chain(&shared.1, 0..3);
        let theirs = Arc::clone(&shared);
        let other = thread::spawn(move || cycle(&theirs.0, &theirs.1, 2));
        cycle(&shared.0, &shared.1, 1);
        other.join().unwrap();
        assert_eq!(drain(&shared.0, &shared.1), [0, 1, 2]);
    });
}

/// The classic ABA: one thread pops A and B and returns A, while another is between reading A's
/// link and its exchange. Without the tag the exchange would put B, which is held, on top.
#[test]
fn stack_is_not_fooled_when_a_block_returns_to_the_top() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let shared = Arc::new((TaggedStack::new(), Blocks::new()));
        shared.0.push_chain(&shared.1, 0..2);
        let theirs = Arc::clone(&shared);
        let other = thread::spawn(move || {
            let mut taken = [NIL; 1];
            let (count, _) = theirs.0.pop_batch(&theirs.1, &mut taken);
            taken[..count].iter().for_each(|&index| theirs.1.touch(index));
            taken[..count].to_vec()
        });
        let mut taken = [NIL; 2];
        let (count, _) = shared.0.pop_batch(&shared.1, &mut taken);
        let mut held = taken[..count].to_vec();
        if count > 0 {
            let returned = held.remove(0);
            shared.0.push_chain(&shared.1, std::iter::once(returned));
        }
        held.iter().for_each(|&index| shared.1.touch(index));
        held.extend(other.join().unwrap());
        held.extend(drain(&shared.0, &shared.1));
        held.sort_unstable();
        assert_eq!(held, [0, 1]);
    });
}

const BLOCK: Record = Record { block: std::ptr::without_provenance_mut(64), size: 16, align: 8 };

/// Frees `BLOCK` as the pool does, counting.
fn free(switch: &ScopeSwitch<()>, frees: &AtomicUsize) {
    if switch.is_active() {
        switch.forget(BLOCK.block);
    }
    frees.fetch_add(1, Ordering::Relaxed);
}

/// A block allocated in a scope is freed by another thread before the scope ends: the free must
/// see the scope as open and take the block off its list, so that it is freed once.
#[test]
fn scope_does_not_free_again_what_another_thread_freed() {
    loom::model(|| {
        let shared = Arc::new((
            ScopeSwitch::new(()),
            AtomicUsize::new(0),
            AtomicBool::new(false),
            AtomicBool::new(false),
        ));
        let theirs = Arc::clone(&shared);
        let other = thread::spawn(move || {
            let (switch, frees, handed, freed) = &*theirs;
            if handed.load(Ordering::Acquire) {
                free(switch, frees);
                freed.store(true, Ordering::Release);
            }
        });
        let (switch, frees, handed, freed) = &*shared;
        let id = switch.open();
        switch.record(id, BLOCK);
        handed.store(true, Ordering::Release);
        if freed.load(Ordering::Acquire) {
            assert_eq!(switch.close(id), []);
        } else {
            other.join().unwrap();
            let rest = switch.close(id);
            frees.fetch_add(rest.len(), Ordering::Relaxed);
            assert_eq!(frees.load(Ordering::Relaxed), 1);
            return;
        }
        other.join().unwrap();
        assert_eq!(frees.load(Ordering::Relaxed), 1);
    });
}

/// Scopes of two threads open and close at once: each hands out its own block, and the switch is
/// off when both are done.
#[test]
fn scopes_of_two_threads_keep_apart_and_turn_the_switch_off() {
    loom::model(|| {
        let shared = Arc::new(ScopeSwitch::new(()));
        let theirs = Arc::clone(&shared);
        let other_block = Record { block: std::ptr::without_provenance_mut(128), size: 16, align: 8 };
        let other = thread::spawn(move || {
            let id = theirs.open();
            assert!(theirs.is_active());
            theirs.record(id, Record { block: std::ptr::without_provenance_mut(128), size: 16, align: 8 });
            theirs.close(id)
        });
        let id = shared.open();
        shared.record(id, BLOCK);
        assert_eq!(shared.close(id), [BLOCK]);
        assert_eq!(other.join().unwrap(), [other_block]);
        assert!(!shared.is_active());
    });
}
