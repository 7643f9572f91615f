//! From the events of a trace to the operations of a segment, thread by thread.
//!
//! A block gets a *slot* when it is made. Freed slots are reused, first by the thread that freed them, so that reuse
//! rarely orders threads that the program did not order; a thread that only frees passes its slots on through a
//! queue. Everything here happens while the clock stands.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use trace::live::Live;
use trace::{Event, Op as Recorded, Reader};

use crate::spec::{Pace, Replay};

/// Operations of a segment.
pub const SEGMENT_OPS: usize = 1 << 18;
/// Threads of a replay.
pub const THREADS_MAX: usize = 1 << 16;
/// Largest block that is replayed, bytes.
const SIZE_MAX: u64 = u32::MAX as u64;
/// Freed slots that a thread keeps for itself.
const OWN_SLOTS: usize = 1024;
/// Slots in the common queue before one is reused: its last free is then long past.
const QUEUE_LAG: usize = 256;
/// A pause is planned where the recorded time is this much later than the last one, ns.
const PACE_STEP_NS: u64 = 20_000;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Makes a block of `size`.
    Alloc,
    /// Frees.
    Free,
    /// Resizes to `size`.
    Resize,
    /// Starts the thread whose number is `slot`.
    Start,
    /// Waits until `turn` × 2³² + `slot` nanoseconds after the start.
    Pause,
}

/// One operation; 16 bytes, read in order.
#[derive(Clone, Copy, Debug)]
pub struct Op {
    /// The block's slot.
    pub slot: u32,
    /// The slot's turn.
    pub turn: u32,
    /// Bytes.
    pub size: u32,
    /// log2 of the alignment.
    pub align_log2: u8,
    /// What.
    pub kind: Kind,
    /// Whether the turn has to be waited for.
    pub waits: bool,
    /// Whether the turn is passed on afterwards.
    pub passes: bool,
}

/// Counts of a replay.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Allocations.
    pub allocs: u64,
    /// Frees.
    pub frees: u64,
    /// Frees by another thread than the maker.
    pub remote_frees: u64,
    /// Resizes.
    pub reallocs: u64,
    /// Bytes asked for.
    pub requested_bytes_sum: u64,
    /// The same, each rounded up to 16 and its alignment.
    pub rounded_bytes_sum: u64,
    /// Highest sum of live bytes.
    pub peak_live_bytes: u64,
}

impl Tally {
    /// Calls of all kinds.
    pub fn calls(&self) -> u64 {
        self.allocs + self.frees + self.reallocs
    }
}

/// What is known of a thread before the replay.
#[derive(Clone, Copy, Debug, Default)]
pub struct ThreadPlan {
    /// Allocations, frees and resizes.
    pub counts: [u64; 3],
    events: u64,
    exits: bool,
}

/// A trace that was read once.
pub struct Plan {
    spec: Replay,
    events_max: u64,
    /// Counts.
    pub tally: Tally,
    /// By thread.
    pub thread_plans: Vec<ThreadPlan>,
    /// Slots that it takes.
    pub slots: usize,
    /// Most blocks live at once.
    live_max: usize,
    /// A size of each class that occurs.
    pub sizes: Vec<u32>,
    /// Where the trace is cut.
    pub notice: Option<String>,
}

impl Plan {
    /// Threads that do something.
    pub fn threads(&self) -> usize {
        self.thread_plans.iter().filter(|plan| plan.counts.iter().sum::<u64>() > 0).count().max(1)
    }

    /// A feed that begins at the first event.
    pub fn feed(&self) -> Result<Feed, String> {
        let mut feed = Feed::open(&self.spec, self.events_max)?;
        feed.counting = false;
        feed.thread_plans.clone_from(&self.thread_plans);
        feed.walkers.resize(self.thread_plans.len(), Walker::default());
        feed.live.reserve(self.live_max);
        feed.slots.reserve(self.slots);
        Ok(feed)
    }

    /// The same, of its first `events_max` events.
    pub fn cut(self, events_max: u64) -> Result<Plan, String> {
        if events_max >= self.events_max { Ok(self) } else { plan(&self.spec, events_max) }
    }
}

/// The stream with the most events.
pub fn longest_stream(path: &Path) -> Result<u16, String> {
    let mut reader = trace::reader::open(path)?;
    while reader.next_block().is_some() {}
    let longest = reader
        .streams()
        .map(|(_, events)| events)
        .enumerate()
        .max_by_key(|&(at, events)| (events, usize::MAX - at));
    Ok(longest.map_or(0, |(stream, _)| stream as u16))
}

/// Reads the trace once, to count.
pub fn plan(spec: &Replay, events_max: u64) -> Result<Plan, String> {
    let events_max = events_max.min(spec.events_max.unwrap_or(u64::MAX));
    let mut feed = Feed::open(spec, events_max)?;
    let mut segment = Segment::new(0);
    while feed.fill(&mut segment, SEGMENT_OPS)? {}
    if feed.tally.allocs == 0 {
        return Err(format!("{}: stream {} holds no allocation", spec.path, spec.stream));
    }
    let notice = feed.reader.ending().notice();
    Ok(Plan {
        spec: spec.clone(),
        events_max,
        tally: feed.tally,
        thread_plans: feed.thread_plans,
        slots: feed.slots.len(),
        live_max: feed.live_max,
        sizes: feed.sizes.into_values().collect(),
        notice,
    })
}

/// A segment: operations of all threads in one buffer, each thread's together.
pub struct Segment {
    ops: Vec<Op>,
    /// In recorded order, with their threads.
    ordered: Vec<(u32, Op)>,
    /// Where each thread's begin; one more than threads.
    starts: Vec<usize>,
    /// Threads that end with this segment.
    ends: Vec<bool>,
    /// Threads that nobody in the trace was there to start.
    pub roots: Vec<u32>,
    number: u32,
}

impl Segment {
    /// An empty one for `threads`, its buffers resident.
    pub fn new(threads: usize) -> Segment {
        let room = if threads == 0 { 0 } else { SEGMENT_OPS + SEGMENT_OPS / 4 };
        Segment {
            ops: crate::raw::resident_vec(room),
            ordered: crate::raw::resident_vec(room),
            starts: vec![0; threads + 1],
            ends: vec![false; threads],
            roots: Vec::new(),
            number: 0,
        }
    }

    /// A thread's operations.
    pub fn of(&self, thread: usize) -> &[Op] {
        &self.ops[self.starts[thread]..self.starts[thread + 1]]
    }

    /// Whether the thread ends after them.
    pub fn ends(&self, thread: usize) -> bool {
        self.ends[thread]
    }

    fn begin(&mut self, threads: usize) {
        self.number += 1;
        self.ordered.clear();
        self.roots.clear();
        self.ends.clear();
        self.ends.resize(threads, false);
    }

    /// Puts each thread's operations together.
    fn sort(&mut self, threads: usize) {
        self.starts.clear();
        self.starts.resize(threads + 1, 0);
        for (thread, _) in &self.ordered {
            self.starts[*thread as usize + 1] += 1;
        }
        for at in 1..=threads {
            self.starts[at] += self.starts[at - 1];
        }
        let mut next = self.starts.clone();
        let nothing =
            Op { slot: 0, turn: 0, size: 0, align_log2: 0, kind: Kind::Pause, waits: false, passes: false };
        self.ops.clear();
        self.ops.resize(self.ordered.len(), nothing);
        for (thread, op) in &self.ordered {
            let place = &mut next[*thread as usize];
            self.ops[*place] = *op;
            *place += 1;
        }
    }
}

/// A slot between operations.
#[derive(Clone, Copy)]
struct SlotState {
    thread: u32,
    segment: u32,
    /// Place of its last operation in that segment's order.
    at: u32,
    turn: u32,
}

/// A live block.
struct Known {
    slot: u32,
    size: u64,
    align_log2: u8,
    maker: u32,
}

/// A thread while the trace is read.
#[derive(Clone, Default)]
struct Walker {
    started: bool,
    events: u64,
    own_slots: Vec<u32>,
    paused_until_ns: u64,
}

/// Events that become operations.
pub struct Feed {
    reader: Reader<BufReader<File>>,
    spec: Replay,
    /// The first pass, which makes the plans of threads; the second uses them.
    counting: bool,
    events_left: u64,
    /// Events of the block that is being used up.
    pending: VecDeque<Event>,
    quantum_ns: u64,
    live: Live<Known>,
    live_bytes: u64,
    live_max: usize,
    slots: Vec<SlotState>,
    queue: VecDeque<u32>,
    walkers: Vec<Walker>,
    running: Option<u32>,
    tally: Tally,
    thread_plans: Vec<ThreadPlan>,
    sizes: BTreeMap<u64, u32>,
}

impl Feed {
    fn open(spec: &Replay, events_max: u64) -> Result<Feed, String> {
        let reader = trace::reader::open(Path::new(&spec.path))?;
        let quantum_ns = reader.meta.quantum_ns;
        if spec.pace == Pace::Recorded && quantum_ns == 0 {
            return Err(format!("{}: the trace has no times; replay it with --pace max", spec.path));
        }
        Ok(Feed {
            reader,
            spec: spec.clone(),
            counting: true,
            events_left: events_max,
            pending: VecDeque::new(),
            quantum_ns,
            live: Live::default(),
            live_bytes: 0,
            live_max: 0,
            slots: Vec::new(),
            queue: VecDeque::new(),
            walkers: Vec::new(),
            running: None,
            tally: Tally::default(),
            thread_plans: Vec::new(),
            sizes: BTreeMap::new(),
        })
    }

    /// Fills the segment with the next operations; false where there are none.
    pub fn fill(&mut self, segment: &mut Segment, ops_max: usize) -> Result<bool, String> {
        segment.begin(self.walkers.len());
        while segment.ordered.len() < ops_max {
            let Some(event) = self.next_event() else { break };
            self.event(&event, segment)?;
        }
        let threads = self.walkers.len().max(self.thread_plans.len());
        segment.ends.resize(threads, false);
        segment.sort(threads);
        Ok(!segment.ordered.is_empty() || !self.pending.is_empty())
    }

    fn next_event(&mut self) -> Option<Event> {
        if self.events_left == 0 {
            self.pending.clear();
            return None;
        }
        while self.pending.is_empty() {
            let block = self.reader.next_block()?;
            if block.stream == self.spec.stream {
                self.pending.extend(block.events);
            }
        }
        self.events_left -= 1;
        self.pending.pop_front()
    }

    fn event(&mut self, event: &Event, segment: &mut Segment) -> Result<(), String> {
        let thread = event.thread as usize;
        if thread >= THREADS_MAX {
            return Err(format!("{}: more than {THREADS_MAX} threads cannot be replayed", self.spec.path));
        }
        if thread >= self.walkers.len() {
            self.walkers.resize(thread + 1, Walker::default());
            self.thread_plans.resize(self.thread_plans.len().max(thread + 1), ThreadPlan::default());
            segment.ends.resize(thread + 1, false);
        }
        if !self.walkers[thread].started {
            self.start(event.thread, segment);
        }
        self.pause(event, segment);
        self.walkers[thread].events += 1;
        let events = self.walkers[thread].events;
        let plan = &mut self.thread_plans[thread];
        if self.counting {
            plan.events += 1;
            plan.exits |= event.op == Recorded::ThreadExit;
        } else if plan.exits && plan.events == events {
            segment.ends[thread] = true;
            self.running = self.running.filter(|&running| running != event.thread);
        }
        self.operation(event, segment)?;
        if !segment.ends[thread] {
            self.running = Some(event.thread);
        }
        Ok(())
    }

    /// The thread that ran last starts the new one.
    fn start(&mut self, thread: u32, segment: &mut Segment) {
        self.walkers[thread as usize].started = true;
        match self.running {
            Some(starter) => {
                let kind = Kind::Start;
                let op =
                    Op { slot: thread, turn: 0, size: 0, align_log2: 0, kind, waits: false, passes: false };
                segment.ordered.push((starter, op));
            }
            None => segment.roots.push(thread),
        }
    }

    fn pause(&mut self, event: &Event, segment: &mut Segment) {
        if self.spec.pace == Pace::Max {
            return;
        }
        let ns = event.time.saturating_mul(self.quantum_ns);
        let walker = &mut self.walkers[event.thread as usize];
        if ns >= walker.paused_until_ns + PACE_STEP_NS {
            walker.paused_until_ns = ns;
            let (slot, turn) = (ns as u32, (ns >> 32) as u32);
            let op =
                Op { slot, turn, size: 0, align_log2: 0, kind: Kind::Pause, waits: false, passes: false };
            segment.ordered.push((event.thread, op));
        }
    }

    fn operation(&mut self, event: &Event, segment: &mut Segment) -> Result<(), String> {
        match event.op {
            Recorded::Alloc { id, size, align_log2, .. } => {
                let size = self.replayable(size)?;
                let slot = self.take_slot(event.thread, segment);
                // Below a word's alignment there is nothing to ask for.
                let align_log2 = align_log2.max(3);
                let known = Known { slot, size: size.into(), align_log2, maker: event.thread };
                self.live.add(id, known).map_err(|what| format!("{}: {what}", self.spec.path))?;
                self.live_max = self.live_max.max(self.live.len());
                self.tally.allocs += 1;
                self.gain(size, align_log2);
                self.push(event.thread, slot, size, align_log2, Kind::Alloc, segment);
            }
            Recorded::Free { id, .. } => {
                let Some(known) = self.live.remove(id) else { return Ok(()) };
                self.tally.frees += 1;
                self.tally.remote_frees += u64::from(known.maker != event.thread);
                self.live_bytes -= known.size;
                self.push(event.thread, known.slot, known.size as u32, known.align_log2, Kind::Free, segment);
                self.leave_slot(event.thread, known.slot);
            }
            Recorded::Realloc { id, size, .. } => {
                let size = self.replayable(size)?;
                let Some(known) = self.live.get_mut(id) else { return Ok(()) };
                let (slot, align_log2) = (known.slot, known.align_log2);
                self.live_bytes -= std::mem::replace(&mut known.size, size.into());
                self.tally.reallocs += 1;
                self.gain(size, align_log2);
                self.push(event.thread, slot, size, align_log2, Kind::Resize, segment);
            }
            Recorded::Stray | Recorded::ThreadStart | Recorded::ThreadExit => {}
        }
        Ok(())
    }

    fn replayable(&mut self, size: u64) -> Result<u32, String> {
        if size > SIZE_MAX {
            return Err(format!("{}: a block of {size} bytes is too large to be replayed", self.spec.path));
        }
        // Engines are asked for at least a byte.
        let size = size.max(1) as u32;
        let class = trace::info::quarter(size.into());
        self.sizes.entry(class).or_insert(size);
        Ok(size)
    }

    fn gain(&mut self, size: u32, align_log2: u8) {
        let tally = &mut self.tally;
        tally.requested_bytes_sum += u64::from(size);
        tally.rounded_bytes_sum += u64::from(size).next_multiple_of(16) + ((1 << align_log2) & !15);
        self.live_bytes += u64::from(size);
        tally.peak_live_bytes = tally.peak_live_bytes.max(self.live_bytes);
    }

    fn take_slot(&mut self, thread: u32, segment: &Segment) -> u32 {
        if let Some(slot) = self.walkers[thread as usize].own_slots.pop() {
            return slot;
        }
        if self.queue.len() > QUEUE_LAG
            && let Some(slot) = self.queue.pop_front()
        {
            return slot;
        }
        self.slots.push(SlotState { thread, segment: segment.number, at: u32::MAX, turn: 0 });
        self.slots.len() as u32 - 1
    }

    fn leave_slot(&mut self, thread: u32, slot: u32) {
        let own = &mut self.walkers[thread as usize].own_slots;
        own.push(slot);
        if own.len() >= OWN_SLOTS {
            self.queue.extend(own.drain(..OWN_SLOTS / 2));
        }
    }

    /// Adds an operation, in its turn.
    fn push(&mut self, thread: u32, slot: u32, size: u32, align_log2: u8, kind: Kind, segment: &mut Segment) {
        if self.counting {
            let place = match kind {
                Kind::Alloc => 0,
                Kind::Free => 1,
                _ => 2,
            };
            self.thread_plans[thread as usize].counts[place] += 1;
        }
        let state = &mut self.slots[slot as usize];
        let waits = state.thread != thread && state.segment == segment.number && state.at != u32::MAX;
        if waits {
            segment.ordered[state.at as usize].1.passes = true;
            state.turn = state.turn.wrapping_add(1);
        }
        let op = Op { slot, turn: state.turn, size, align_log2, kind, waits, passes: false };
        (state.thread, state.segment, state.at) = (thread, segment.number, segment.ordered.len() as u32);
        segment.ordered.push((thread, op));
    }
}
