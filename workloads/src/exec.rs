//! The loop that is measured: one thread's live array, its hand-off rings, and the words it plays.
//!
//! A [`Lane`] belongs to one worker thread, which lends it to the fresh threads of programs that have some. While
//! words are played nothing is drawn, counted or allocated by the benchmark itself: an operation costs the read of a
//! word, a branch on its kind and one access to the live array, and then the engine.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::content::Content;
use crate::probe::Probe;
use crate::raw::{Block, Heap, LiveSet, Received, Receiver, Sender};
use crate::run::RunError;
use crate::stream::{ALLOC, FREE, HAND_OFF, Loop, OPERAND_BITS, OPERAND_MASK, RESIZE, word};

/// Words below it allocate.
const FIRST_FREE: u32 = word(FREE, 0);
/// Words from it on hand off or resize; those between free.
const FIRST_RARE: u32 = word(HAND_OFF, 0);
const _: () = assert!(ALLOC < FREE && FREE < HAND_OFF);

/// Looks into a ring before the thread gives way to others.
const SPINS: u32 = 200;
/// Stack of a fresh thread, bytes: room for any engine's slow path, small enough to start fast.
const STACK_BYTES: usize = 512 << 10;
/// Live blocks of a lane that are checked for having been served by the engine.
const SERVED_CHECKS: usize = 64;

/// One thread's part of a run.
pub struct Lane<P, C> {
    /// Where blocks come from.
    pub heap: Heap,
    /// Blocks this thread holds.
    pub live: LiveSet,
    /// Ring to the next thread.
    pub outbox: Option<Sender>,
    /// Ring from the thread before.
    pub inbox: Option<Receiver>,
    /// What is measured.
    pub probe: P,
    /// What is done with contents.
    pub content: C,
    /// Blocks of the neighbour freed so far.
    pub received: u64,
}

/// Spins a while, then gives way.
pub struct Patience(u32);

impl Patience {
    /// As at the begin of a wait.
    pub fn new() -> Patience {
        Patience(0)
    }

    /// Waits a moment.
    pub fn wait(&mut self) {
        self.0 += 1;
        if self.0 < SPINS { std::hint::spin_loop() } else { thread::yield_now() }
    }
}

/// Why the common loop left.
enum Pause {
    /// All words are played.
    End,
    /// The next word is neither an allocation nor a free.
    Rare,
    /// The engine has no memory for the next word.
    NoMemory,
    /// Contents are not as they must be.
    Fault(Box<RunError>),
}

impl Pause {
    #[cold]
    #[inline(never)]
    fn fault(fault: RunError) -> Pause {
        Pause::Fault(Box::new(fault))
    }
}

#[cold]
fn out_of_memory(size: u32) -> RunError {
    RunError::OutOfMemory(format!("the engine returned NULL for {size} bytes"))
}

impl<P: Probe, C: Content> Lane<P, C> {
    /// Plays `part`; `stop` ends it between passes.
    pub fn play_loop(&mut self, part: &Loop, stop: &AtomicBool) -> Result<(), RunError> {
        for _ in 0..part.repeats {
            self.play(&part.body, stop)?;
            // Relaxed: a hint to end early; what the failed thread has to say travels by its join.
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
        }
        self.play(&part.body[..part.tail], stop)
    }

    /// Plays words: the common ones in a loop of their own, which leaves at every other.
    pub fn play(&mut self, words: &[u32], stop: &AtomicBool) -> Result<(), RunError> {
        let mut rest = words;
        loop {
            let live = std::mem::take(&mut self.live);
            let (live, played, pause) = self.play_common(live, rest);
            self.live = live;
            rest = &rest[played..];
            match (pause, rest) {
                (Pause::End, _) | (_, []) => return Ok(()),
                (Pause::NoMemory, [size, ..]) => return Err(out_of_memory(*size)),
                (Pause::Fault(fault), _) => return Err(*fault),
                (Pause::Rare, [word, size, after @ ..]) if word >> OPERAND_BITS == RESIZE => {
                    self.resize((word & OPERAND_MASK) as usize, *size)?;
                    rest = after;
                }
                (Pause::Rare, [word, after @ ..]) => {
                    let block = self.live.take((word & OPERAND_MASK) as usize);
                    self.hand_off(block, stop)?;
                    rest = after;
                }
            }
        }
    }

    /// Plays allocations and frees until a word is neither, or something is wrong. Returns how many it played.
    ///
    /// The live array comes and goes by value, so that its length stays in a register; what is rare stays outside,
    /// so that it takes none.
    #[inline(never)]
    fn play_common(&mut self, mut live: LiveSet, words: &[u32]) -> (LiveSet, usize, Pause) {
        let heap = self.heap;
        let mut left = words.iter();
        let pause = loop {
            let here = left.as_slice().len();
            let Some(&word) = left.next() else { break Pause::End };
            // Words are compared as numbers, frequent kinds first: a match on the kind becomes a jump table, whose
            // indirect jump costs more than two branches.
            if word < FIRST_FREE {
                let mark = self.probe.mark();
                let block = heap.alloc(word);
                self.probe.alloc_done(mark, word);
                let Some(mut block) = block else { return (live, words.len() - here, Pause::NoMemory) };
                if let Err(fault) = self.content.fresh(&heap, &mut block) {
                    return (live, words.len() - here, Pause::fault(fault));
                }
                self.probe.gained(&heap, &block);
                live.push(block);
            } else if word < FIRST_RARE {
                let block = live.take((word & OPERAND_MASK) as usize);
                if let Err(fault) = self.content.last(&heap, &block) {
                    return (live, words.len() - here, Pause::fault(fault));
                }
                self.probe.losing(&heap, &block);
                self.end(&heap, block);
            } else {
                return (live, words.len() - here, Pause::Rare);
            }
        };
        (live, words.len(), pause)
    }

    #[inline(always)]
    fn free(&mut self, heap: &Heap, block: Block) -> Result<(), RunError> {
        self.content.last(heap, &block)?;
        self.probe.losing(heap, &block);
        self.end(heap, block);
        Ok(())
    }

    fn free_own(&mut self, block: Block) -> Result<(), RunError> {
        let heap = self.heap;
        self.free(&heap, block)
    }

    #[inline(always)]
    fn end(&mut self, heap: &Heap, block: Block) {
        let size = block.size();
        let mark = self.probe.mark();
        heap.free(block);
        self.probe.free_done(mark, size);
    }

    fn resize(&mut self, place: usize, size: u32) -> Result<(), RunError> {
        let old = self.live.take(place);
        let kept = self.content.before_resize(&self.heap, &old)?;
        self.probe.losing(&self.heap, &old);
        let mark = self.probe.mark();
        let resized = self.heap.resize(old, size);
        self.probe.realloc_done(mark, size);
        match resized {
            Ok(mut block) => {
                self.content.after_resize(&self.heap, &mut block, kept)?;
                self.probe.gained(&self.heap, &block);
                self.live.restore(place, block);
                Ok(())
            }
            Err(old) => {
                self.live.restore(place, old);
                Err(out_of_memory(size))
            }
        }
    }

    /// Sends a block on, freeing what came in meanwhile; so no circle of full rings can stand still.
    fn hand_off(&mut self, block: Block, stop: &AtomicBool) -> Result<(), RunError> {
        let Some(outbox) = &mut self.outbox else { return self.free_own(block) };
        let mut unsent = outbox.send(block).err();
        self.receive_all()?;
        let mut patience = Patience::new();
        while let (Some(block), Some(outbox)) = (unsent.take(), &mut self.outbox) {
            // Relaxed: see `play_loop`.
            if stop.load(Ordering::Relaxed) {
                return self.free_own(block);
            }
            patience.wait();
            unsent = outbox.send(block).err();
            self.receive_all()?;
        }
        Ok(())
    }

    /// Frees what is in the inbox; true when the neighbour has closed it.
    pub fn receive_all(&mut self) -> Result<bool, RunError> {
        while let Some(inbox) = &mut self.inbox {
            match inbox.receive() {
                Received::Block(block) => {
                    self.received += 1;
                    self.content.last(&self.heap, &block)?;
                    self.probe.losing_received(&self.heap, &block);
                    let heap = self.heap;
                    self.end(&heap, block);
                }
                Received::Empty => return Ok(false),
                Received::Closed => return Ok(true),
            }
        }
        Ok(true)
    }

    /// Frees what comes until the neighbour closes.
    pub fn collect(&mut self, stop: &AtomicBool) -> Result<(), RunError> {
        let mut patience = Patience::new();
        let mut received = self.received;
        // Relaxed: see `play_loop`.
        while !self.receive_all()? && !stop.load(Ordering::Relaxed) {
            if received != self.received {
                patience = Patience::new();
                received = self.received;
            }
            patience.wait();
        }
        Ok(())
    }

    /// Plays `part`, every `words_each` words of it on a fresh thread, one after another.
    pub fn play_spawned(
        &mut self,
        part: &Loop,
        words_each: usize,
        stop: &AtomicBool,
    ) -> Result<(), RunError> {
        let tail = (part.tail > 0).then_some(&part.body[..part.tail]);
        let passes = (0..part.repeats).map(|_| &part.body[..]).chain(tail);
        for words in passes.flat_map(|pass| pass.chunks(words_each.max(1))) {
            // Relaxed: see `play_loop`.
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            self.play_on_fresh_thread(words, stop)?;
        }
        Ok(())
    }

    fn play_on_fresh_thread(&mut self, words: &[u32], stop: &AtomicBool) -> Result<(), RunError> {
        let engine = self.heap.engine();
        thread::scope(|scope| {
            let work = || {
                engine.enter_thread();
                let played = self.play(words, stop);
                engine.leave_thread();
                played
            };
            let started = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
            match started.map(|thread| thread.join()) {
                Ok(Ok(played)) => played,
                Ok(Err(panic)) => std::panic::resume_unwind(panic),
                Err(error) => Err(RunError::OutOfMemory(format!("a thread could not be started: {error}"))),
            }
        })
    }

    /// Asks the engine whether it served the live blocks, some of them; returns how many were asked about.
    pub fn check_served(&self) -> Result<u64, RunError> {
        let step = self.live.len().div_ceil(SERVED_CHECKS).max(1);
        let mut checks = 0;
        for block in self.live.iter().step_by(step) {
            check_served(&self.heap, block)?;
            checks += 1;
        }
        Ok(checks)
    }

    /// Frees everything this thread holds and has been sent, beside any measurement.
    pub fn drain(&mut self) -> Result<(), RunError> {
        while let Some(Received::Block(block)) = self.inbox.as_mut().map(Receiver::receive) {
            self.content.last(&self.heap, &block)?;
            self.heap.free(block);
        }
        while let Some(block) = self.live.pop() {
            self.content.last(&self.heap, &block)?;
            self.heap.free(block);
        }
        Ok(())
    }
}

/// An error unless the engine says that it served `block`.
pub fn check_served(heap: &Heap, block: &Block) -> Result<(), RunError> {
    if heap.served(block) {
        return Ok(());
    }
    let name = heap.engine().name();
    let size = block.size();
    Err(RunError::NotServed(format!("`{name}` says that it did not serve a block of {size} bytes")))
}
