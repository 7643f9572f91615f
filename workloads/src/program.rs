//! Programs: what each thread of a run does, step by step, with its streams drawn.
//!
//! Every model but trees in work-stealing tasks becomes a program; one executing loop plays them all. Counting
//! happens here as well: what a program will do is known before it runs, so the measured loop counts nothing.

use std::time::Duration;

use crate::draw::{Draw, Sampler};
use crate::spec::{Action, Batch, Larson, Model, Order, Phases, Relay, Roles, ThreadChurn, Workload};
use crate::stream::{ALLOC, FREE, HAND_OFF, Loop, OPERAND_BITS, OPERAND_MASK, WORDS_MAX, Writer};

/// Rounding of a block's size in the estimate of all bytes, the alignment that `malloc` gives.
const ESTIMATE_ALIGN_BYTES: usize = 16;

/// One step of a thread.
pub enum Act {
    /// Plays words.
    Play(Loop),
    /// Plays words, every `words_each` of them on a fresh thread.
    Spawn {
        /// The words.
        part: Loop,
        /// Words of one thread.
        words_each: usize,
    },
    /// Sleeps.
    Sleep(Duration),
    /// Waits for all threads; the next phase begins.
    Phase,
    /// Closes the thread's outbox.
    Close,
    /// Frees what comes until the neighbour has closed.
    Collect,
}

/// What one thread does.
#[derive(Default)]
pub struct Program {
    /// Words played before the clock starts.
    pub warm: Vec<u32>,
    /// Steps under the clock.
    pub acts: Vec<Act>,
    /// The thread that hand-offs go to.
    pub sends_to: Option<usize>,
    /// Blocks the ring to that thread holds; `None`: room for every hand-off.
    pub ring: Option<usize>,
}

/// Of one program: what it does before the clock, and under it.
pub type Tallies = (Tally, Tally);

/// What a program does, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Allocations.
    pub allocs: u64,
    /// Frees by the thread itself.
    pub frees: u64,
    /// Of these, frees of blocks that another thread made (which ended before).
    pub frees_of_others: u64,
    /// Blocks given to the next thread.
    pub hand_offs: u64,
    /// Resizes.
    pub reallocs: u64,
    /// Bytes asked for by allocations and resizes.
    pub requested_bytes_sum: u64,
    /// The same, each rounded up as an allocator that wastes least would.
    pub rounded_bytes_sum: u64,
    /// Highest sum of the live array's sizes.
    pub peak_live_bytes: u64,
    /// Highest length of the live array.
    pub peak_live: usize,
}

/// Draws the programs of all threads; phase names beside them.
pub fn draw(spec: &Workload, threads: usize, seed: u64) -> Result<(Vec<Program>, Vec<String>), String> {
    let mut programs = Vec::with_capacity(threads);
    for lane in 0..threads {
        let mut draw = Draw::new(seed, lane);
        programs.push(draw_lane(spec, &mut draw, lane, threads)?);
    }
    let names = match &spec.model {
        Model::Phases(phases) => phases.steps.iter().map(|step| step.name.clone()).collect(),
        _ => Vec::new(),
    };
    Ok((programs, names))
}

fn draw_lane(spec: &Workload, draw: &mut Draw, lane: usize, threads: usize) -> Result<Program, String> {
    let mut writer = Writer::new(draw, WORDS_MAX / threads);
    let next = (lane + 1) % threads;
    let mut program = Program::default();
    match &spec.model {
        Model::Churn(churn) => {
            if churn.warm_up {
                writer.churn_warm_up(churn)?;
                program.warm = writer.take();
            }
            writer.churn(churn)?;
            program.acts.push(Act::Play(Loop::once(writer.take())));
            program.sends_to = (churn.handoff > 0.0).then_some(next);
        }
        Model::Batch(batch) => program.acts.push(Act::Play(writer.batch(batch)?)),
        Model::Slots(slots) => {
            let (warm, words) = writer.slots(slots)?;
            program.warm = warm;
            program.acts.push(Act::Play(Loop::once(words)));
            program.sends_to = (slots.handoff > 0.0).then_some(next);
        }
        Model::Relay(relay) => relay_program(&mut program, relay, &mut writer, lane, threads)?,
        Model::Larson(larson) => larson_program(&mut program, larson, &mut writer)?,
        Model::Phases(phases) => {
            phases_program(&mut program, phases, &mut writer)?;
            program.sends_to = phases.steps.iter().any(|step| hands_off(&step.action)).then_some(next);
        }
        Model::ThreadChurn(churn) => program.acts.push(threads_act(churn, &mut writer)?),
        Model::Steal(_) | Model::Replay(_) => return Err("trees and traces have no stream".into()),
    }
    Ok(program)
}

fn hands_off(action: &Action) -> bool {
    matches!(action, Action::Churn(churn) if churn.handoff > 0.0)
}

fn relay_program(
    program: &mut Program,
    relay: &Relay,
    writer: &mut Writer,
    lane: usize,
    threads: usize,
) -> Result<(), String> {
    let (sends_to, receives) = match relay.roles {
        Roles::Circle => (Some((lane + 1) % threads), true),
        Roles::Pairs if lane % 2 == 1 => (None, true),
        Roles::Pairs if lane + 1 < threads => (Some(lane + 1), false),
        Roles::Pairs => (Some(lane), true),
    };
    program.sends_to = sends_to;
    program.ring = Some(relay.ring);
    if sends_to.is_some() {
        let part = writer.relay(&Sampler::new(&relay.sizes), relay.blocks)?;
        program.acts.extend([Act::Play(part), Act::Close]);
    }
    if receives {
        program.acts.push(Act::Collect);
    }
    Ok(())
}

fn larson_program(program: &mut Program, larson: &Larson, writer: &mut Writer) -> Result<(), String> {
    let sizes = Sampler::new(&larson.sizes);
    writer.burst(&sizes, larson.slots)?;
    program.warm = writer.take();
    for _ in 0..larson.generations {
        writer.replace(&sizes, larson.cycles)?;
        let part = Loop::once(writer.take());
        let words_each = part.body.len();
        program.acts.push(Act::Spawn { part, words_each });
    }
    Ok(())
}

fn threads_act(churn: &ThreadChurn, writer: &mut Writer) -> Result<Act, String> {
    // The short threads use the live array of the thread that starts them, above what it holds already.
    let held = std::mem::take(&mut writer.live);
    let batch =
        Batch { sizes: churn.sizes.clone(), batch: churn.blocks, cycles: churn.starts, order: Order::Lifo };
    let mut part = writer.batch(&batch)?;
    writer.live = held;
    for word in &mut part.body {
        if *word >> OPERAND_BITS == FREE {
            *word += held as u32;
        }
    }
    Ok(Act::Spawn { part, words_each: 2 * churn.blocks })
}

fn phases_program(program: &mut Program, phases: &Phases, writer: &mut Writer) -> Result<(), String> {
    for step in &phases.steps {
        program.acts.push(Act::Phase);
        match &step.action {
            Action::Idle(ms) => program.acts.push(Act::Sleep(Duration::from_millis(*ms))),
            Action::Churn(churn) => writer.churn(churn)?,
            Action::Burst { sizes, blocks } => writer.burst(&Sampler::new(sizes), *blocks)?,
            Action::Threads(churn) => program.acts.push(threads_act(churn, writer)?),
        }
        let keep = (writer.live as f64 * step.keep).round() as usize;
        writer.shrink(keep)?;
        program.acts.push(Act::Play(Loop::once(writer.take())));
    }
    Ok(())
}

impl Program {
    /// Cuts the streams so that at most `ops_max` operations are left; phases and sleeps stay.
    pub fn truncate(&mut self, ops_max: u64) {
        let mut left = ops_max;
        for act in &mut self.acts {
            match act {
                Act::Play(part) => left -= part.truncate(left),
                Act::Spawn { part, words_each } => {
                    left -= part.truncate(left);
                    // A thread's words stay whole where there are several threads, so that each frees what it made.
                    if part.repeats > 1 || *words_each < part.body.len() {
                        part.tail -= part.tail % *words_each;
                    }
                }
                _ => {}
            }
        }
    }

    /// Every size the words ask for, smallest first, each once.
    pub fn sizes(&self) -> Vec<u32> {
        let parts = self.acts.iter().filter_map(|act| match act {
            Act::Play(part) | Act::Spawn { part, .. } => Some(&part.body),
            _ => None,
        });
        // A size after RESIZE is written as an ALLOC word, so kind alone tells sizes from places.
        let words = std::iter::once(&self.warm).chain(parts).flatten();
        let mut sizes: Vec<u32> = words.filter(|&&word| word >> OPERAND_BITS == ALLOC).copied().collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    /// Counts the warm-up, and what the clock sees.
    pub fn tally(&self, align: usize) -> Tallies {
        let mut counter = Counter { align: align.max(ESTIMATE_ALIGN_BYTES), ..Counter::default() };
        counter.words(&self.warm);
        let warm = std::mem::take(&mut counter.tally);
        counter.tally.peak_live_bytes = counter.live_bytes;
        counter.tally.peak_live = counter.live.len();
        for act in &self.acts {
            match act {
                Act::Play(part) => counter.part(part, usize::MAX),
                Act::Spawn { part, words_each } => {
                    counter.part(part, *words_each);
                    counter.maker = 0;
                }
                _ => {}
            }
        }
        (warm, counter.tally)
    }
}

/// Replays words over sizes alone.
#[derive(Default)]
struct Counter {
    align: usize,
    live: Vec<(u32, u32)>,
    live_bytes: u64,
    tally: Tally,
    /// The thread at work: 0 for the one that owns the live array, a number of its own for each fresh one.
    maker: u32,
    makers: u32,
}

impl Counter {
    fn part(&mut self, part: &Loop, words_each: usize) {
        if part.repeats > 0 {
            let before = self.tally;
            self.pass(&part.body, words_each);
            let others = part.repeats - 1;
            let after = self.tally;
            self.tally.allocs += (after.allocs - before.allocs) * others;
            self.tally.frees += (after.frees - before.frees) * others;
            self.tally.frees_of_others += (after.frees_of_others - before.frees_of_others) * others;
            self.tally.hand_offs += (after.hand_offs - before.hand_offs) * others;
            self.tally.reallocs += (after.reallocs - before.reallocs) * others;
            self.tally.requested_bytes_sum +=
                (after.requested_bytes_sum - before.requested_bytes_sum) * others;
            self.tally.rounded_bytes_sum += (after.rounded_bytes_sum - before.rounded_bytes_sum) * others;
        }
        self.pass(&part.body[..part.tail], words_each);
    }

    fn pass(&mut self, words: &[u32], words_each: usize) {
        for piece in words.chunks(words_each.max(1)) {
            if words_each < usize::MAX {
                self.makers += 1;
                self.maker = self.makers;
            }
            self.words(piece);
        }
    }

    fn words(&mut self, words: &[u32]) {
        let mut words = words.iter();
        while let Some(&word) = words.next() {
            let operand = word & OPERAND_MASK;
            match word >> OPERAND_BITS {
                ALLOC => {
                    self.live.push((0, self.maker));
                    self.tally.allocs += 1;
                    self.resize(self.live.len() - 1, operand);
                }
                FREE => {
                    self.tally.frees += 1;
                    let maker = self.remove(operand);
                    self.tally.frees_of_others += u64::from(maker != self.maker);
                }
                HAND_OFF => {
                    self.tally.hand_offs += 1;
                    self.remove(operand);
                }
                _ => {
                    self.tally.reallocs += 1;
                    let size = words.next().map_or(1, |size| size & OPERAND_MASK);
                    self.resize(operand as usize, size);
                }
            }
        }
    }

    fn resize(&mut self, place: usize, size: u32) {
        let old = std::mem::replace(&mut self.live[place].0, size);
        self.live_bytes = self.live_bytes + u64::from(size) - u64::from(old);
        self.tally.requested_bytes_sum += u64::from(size);
        self.tally.rounded_bytes_sum += (size as usize).next_multiple_of(self.align) as u64;
        self.tally.peak_live_bytes = self.tally.peak_live_bytes.max(self.live_bytes);
        self.tally.peak_live = self.tally.peak_live.max(self.live.len());
    }

    fn remove(&mut self, place: u32) -> u32 {
        let (size, maker) = self.live.swap_remove(place as usize);
        self.live_bytes -= u64::from(size);
        maker
    }
}
