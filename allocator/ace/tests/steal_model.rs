//! Every interleaving of an owner on HOT with a taker, under x86's store buffering, with the shipped verdict.
//!
//! Loom knows no `membarrier`, so this is a model of its own: one class's magazine of three slots, an owner that pops and
//! pushes instruction by instruction with a store buffer, and a taker that exchanges slots, issues the barrier (which
//! empties the owner's buffer, wherever the owner stands), judges and puts back. States are explored exhaustively and
//! at the end of each path every block has exactly one holder. A planted error in each rule is found, which shows that
//! the model can fail.

use ace_alloc::handshake::is_taken;
use std::collections::HashSet;

const SLOTS: usize = 3;
const BLOCKS: u8 = 3;

/// Memory cells: slots, then `top` (slots in use).
const TOP: usize = SLOTS;

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Owner {
    /// Between operations; operations left.
    Idle,
    /// Pop: has loaded `top`.
    PopTop(u8),
    /// Pop: has loaded the slot below.
    PopSlot(u8, u8),
    /// Push of a block: has loaded `top`.
    PushTop(u8, u8),
    /// Push: has stored the slot.
    PushSlot(u8, u8),
    /// In WARM: waits for the word.
    Warm,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct State {
    memory: [u8; SLOTS + 1],
    buffer: Vec<(usize, u8)>,
    owner: Owner,
    left: u8,
    /// Blocks the owner's program has.
    held: Vec<u8>,
    /// Taker: next step.
    step: usize,
    found: [u8; SLOTS],
    now: u8,
    given: Vec<u8>,
}

/// The rules that can be broken to see whether the model notices.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Broken {
    Nothing,
    NoBarrier,
    TakesDoubtful,
    IgnoresSlot,
    DropsDoubtful,
}

struct Model {
    broken: Broken,
    /// Slots that the taker exchanges.
    take: usize,
    seen: HashSet<State>,
    ends: usize,
    taken_most: usize,
}

impl State {
    fn load(&self, at: usize) -> u8 {
        self.buffer.iter().rev().find(|(a, _)| *a == at).map_or(self.memory[at], |(_, v)| *v)
    }

    fn drain_one(&mut self) {
        let (at, value) = self.buffer.remove(0);
        self.memory[at] = value;
    }

    fn drain(&mut self) {
        while !self.buffer.is_empty() {
            self.drain_one();
        }
    }

    /// The owner's next instruction; two ways where its program may choose.
    fn owner_steps(&self) -> Vec<State> {
        let mut next = self.clone();
        match self.owner {
            Owner::Idle if self.left != 0 => {
                let mut ways = Vec::new();
                next.left -= 1;
                let mut pop = next.clone();
                pop.owner = Owner::PopTop(self.load(TOP));
                ways.push(pop);
                if let Some(block) = next.held.pop() {
                    next.owner = Owner::PushTop(block, self.load(TOP));
                    ways.push(next);
                }
                return ways;
            }
            Owner::Idle | Owner::Warm => return Vec::new(),
            Owner::PopTop(top) => {
                let block = if top == 0 { 0 } else { self.load(usize::from(top) - 1) };
                next.owner = if block == 0 { Owner::Warm } else { Owner::PopSlot(top, block) };
            }
            Owner::PopSlot(top, block) => {
                next.buffer.push((TOP, top - 1));
                next.held.push(block);
                next.owner = Owner::Idle;
            }
            Owner::PushTop(block, top) => {
                if usize::from(top) == SLOTS {
                    next.held.push(block);
                    next.owner = Owner::Warm;
                } else {
                    next.buffer.push((usize::from(top), block));
                    next.owner = Owner::PushSlot(block, top);
                }
            }
            Owner::PushSlot(_, top) => {
                next.buffer.push((TOP, top + 1));
                next.owner = Owner::Idle;
            }
        }
        vec![next]
    }
}

impl Model {
    /// The taker's next step: exchanges, barrier, read of `top`, verdicts; None when it is done. Exchanges and
    /// put-backs are single steps on memory.
    fn taker_step(&self, state: &State) -> Option<State> {
        let mut next = state.clone();
        next.step += 1;
        let take = self.take;
        match state.step {
            i if i < take => next.found[i] = std::mem::take(&mut next.memory[i]),
            i if i == take => {
                if self.broken != Broken::NoBarrier {
                    next.drain();
                }
            }
            i if i == take + 1 => next.now = state.memory[TOP],
            i if i < 2 * take + 2 => self.judge(&mut next, i - take - 2),
            _ => return None,
        }
        Some(next)
    }

    fn judge(&self, next: &mut State, i: usize) {
        let block = next.found[i];
        if block == 0 {
            return;
        }
        let word = if self.broken == Broken::IgnoresSlot { 0 } else { usize::from(next.memory[i]) };
        let in_use = usize::from(next.now);
        let in_use = if self.broken == Broken::TakesDoubtful { in_use + 1 } else { in_use };
        if is_taken(i, in_use, word) {
            next.given.push(block);
        } else if next.memory[i] == 0 && (self.broken != Broken::DropsDoubtful || in_use > i + 1) {
            next.memory[i] = block;
        }
    }

    /// At rest every block is the program's, in the magazine below `top`, or given back: once.
    fn check(&mut self, state: &State) -> Result<(), String> {
        let mut end = state.clone();
        end.drain();
        let in_use = usize::from(end.memory[TOP]);
        let mut all: Vec<u8> = end.held.iter().chain(&end.given).copied().collect();
        all.extend(end.memory[..in_use].iter().filter(|&&b| b != 0));
        all.sort_unstable();
        self.ends += 1;
        self.taken_most = self.taken_most.max(end.given.len());
        let wanted: Vec<u8> = (1..=BLOCKS).collect();
        if all == wanted { Ok(()) } else { Err(format!("{all:?} in {state:?}")) }
    }

    fn explore(&mut self, state: State) -> Result<(), String> {
        let mut open = vec![state];
        while let Some(state) = open.pop() {
            if !self.seen.insert(state.clone()) {
                continue;
            }
            let taker = self.taker_step(&state);
            let owner = state.owner_steps();
            // The owner may stop for ever anywhere, but only between operations is there nothing under way.
            if taker.is_none() && matches!(state.owner, Owner::Idle | Owner::Warm) {
                self.check(&state)?;
            }
            if !state.buffer.is_empty() {
                let mut drained = state.clone();
                drained.drain_one();
                open.push(drained);
            }
            open.extend(taker);
            open.extend(owner);
        }
        Ok(())
    }
}

/// Explores every start: full or partly full magazine, the rest in the program's hands, stale words above `top`.
fn run(broken: Broken, operations: u8) -> Result<(usize, usize), String> {
    let (mut ends, mut taken) = (0, 0);
    for in_use in 0..=BLOCKS {
        for take in 0..=usize::from(in_use) {
            let mut memory = [1, 2, 3, in_use];
            memory[TOP] = in_use;
            let start = State {
                memory,
                buffer: Vec::new(),
                owner: Owner::Idle,
                left: operations,
                held: (in_use + 1..=BLOCKS).collect(),
                step: 0,
                found: [0; SLOTS],
                now: 0,
                given: Vec::new(),
            };
            let mut model = Model { broken, take, seen: HashSet::new(), ends: 0, taken_most: 0 };
            model.explore(start)?;
            ends += model.ends;
            taken = taken.max(model.taken_most);
        }
    }
    Ok((ends, taken))
}

#[test]
fn every_block_has_one_holder() {
    let (ends, taken) = run(Broken::Nothing, 6).unwrap();
    assert!(ends > 1000, "{ends} ends explored");
    assert_eq!(taken, usize::from(BLOCKS) - 1, "all but the topmost can be taken");
}

#[test]
fn each_rule_is_needed() {
    for broken in [Broken::NoBarrier, Broken::TakesDoubtful, Broken::IgnoresSlot, Broken::DropsDoubtful] {
        assert!(run(broken, 6).is_err());
    }
}
