//! Directing a replay: its threads, its segments, and the clock that stands between them.
//!
//! Threads come and go as they did in the recording: one is started by the thread that ran when it appeared, and
//! ends after its last event where the recording saw it end. The others rest at the end of each segment.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::{self, Builder, Scope};
use std::time::Instant;

use super::feed::{Plan, Segment, Tally};
use super::play::{Ground, Lane};
use super::table::Table;
use crate::clock;
use crate::content::Content;
use crate::direct;
use crate::exec::check_served;
use crate::pin::bind_worker;
use crate::probe::{Live, LiveGauge, Probe, Room};
use crate::raw::{Block, Heap};
use crate::run::{Hooks, Mode, Opening, Outcome, RunError, RunOptions};

/// Stack of a replaying thread, bytes.
const STACK_BYTES: usize = 512 << 10;
/// Blocks left at the end that are asked about.
const SERVED_CHECKS: usize = 256;
/// Operations of a latency pass: every one leaves a sample of 8 bytes.
const TIMED_EVENTS_MAX: u64 = 8_000_000;
/// Alignments that a trace may ask for, by log2.
const HEAPS: usize = trace::format::ALIGN_LOG2_MAX as usize + 1;

/// What directs the threads. All under one lock; threads meet it twice a segment.
#[derive(Default)]
struct State {
    /// Threads that play.
    running: usize,
    /// Threads that wait for the next segment.
    resting: usize,
    /// The segment that plays.
    segment: u64,
    /// Nothing more comes.
    over: bool,
    fault: Option<RunError>,
}

struct Stage<'a, P, C> {
    segment: RwLock<Segment>,
    lanes: Vec<Mutex<Option<Lane<P, C>>>>,
    heaps: Vec<Heap>,
    table: &'a Table,
    state: Mutex<State>,
    changed: Condvar,
    stop: AtomicBool,
    begin: Mutex<Instant>,
    pin: bool,
}

impl<P, C> Stage<'_, P, C> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, fault: RunError) {
        self.state().fault.get_or_insert(fault);
        // Relaxed: it only shortens waits; the fault itself is under the lock.
        self.stop.store(true, Ordering::Relaxed);
    }

    /// The calling thread has played its part.
    fn rest(&self) {
        let mut state = self.state();
        state.running -= 1;
        if state.running == 0 {
            self.changed.notify_all();
        }
    }

    /// The calling thread has played its part of a segment: waits for one after `played`; false when there is none.
    fn next_segment(&self, played: u64) -> bool {
        let mut state = self.state();
        state.running -= 1;
        state.resting += 1;
        if state.running == 0 {
            self.changed.notify_all();
        }
        while state.segment == played && !state.over {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        !state.over
    }
}

/// Gives the run up when a thread panics.
struct Watchman<'a, 'b, P, C>(&'a Stage<'b, P, C>);

impl<P, C> Drop for Watchman<'_, '_, P, C> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.fail(RunError::Corrupt("a replaying thread panicked".into()));
            self.0.rest();
        }
    }
}

/// Replays `plan` on the engine that `opening` opens.
pub fn run<P: Probe, C: Content>(
    plan: Plan,
    opening: &Opening,
    options: &RunOptions,
    hooks: &dyn Hooks,
) -> Result<Outcome, RunError> {
    let mut calibration = None;
    let mut plan = plan;
    if let Mode::Timed { .. } = options.mode {
        plan = plan.cut(TIMED_EVENTS_MAX).map_err(RunError::Unsupported)?;
        calibration = Some(clock::calibration());
    }
    let engine = opening.heap.engine();
    let heaps = (0..HEAPS).map(|log2| Heap::new(engine, 1 << log2)).collect::<Result<_, _>>();
    let live = Arc::<Live>::default();
    let mut feed = plan.feed().map_err(RunError::Unsupported)?;
    let threads = plan.thread_plans.len();
    let cpus = thread::available_parallelism().map_or(1, usize::from);
    let table = Table::new(plan.slots);
    let lane = |counts: [u64; 3]| {
        let [allocs, frees, reallocs] = counts.map(|count| count as usize);
        let room = Room { allocs, frees, reallocs, own: live.clone(), received: live.clone() };
        Mutex::new(Some(Lane { probe: P::new(&room), content: C::default() }))
    };
    let stage = Stage {
        segment: RwLock::new(Segment::new(threads)),
        lanes: plan.thread_plans.iter().map(|plan| lane(plan.counts)).collect(),
        heaps: heaps.map_err(RunError::Unsupported)?,
        table: &table,
        state: Mutex::default(),
        changed: Condvar::new(),
        stop: AtomicBool::new(false),
        begin: Mutex::new(Instant::now()),
        pin: options.pin && plan.threads() <= cpus,
    };
    hooks.live(LiveGauge::new(&live));
    let (elapsed_ns, left) =
        thread::scope(|scope| direct_threads(scope, &stage, &mut feed, (opening, hooks)))?;
    let Stage { lanes, state, .. } = stage;
    if let Some(fault) = state.into_inner().unwrap_or_else(PoisonError::into_inner).fault {
        return Err(fault);
    }
    let lanes: Vec<Lane<P, C>> = lanes
        .into_iter()
        .filter_map(|lane| lane.into_inner().unwrap_or_else(PoisonError::into_inner))
        .collect();
    let mut outcome = outcome(&plan.tally, elapsed_ns);
    outcome.served_checks = left.served_checks;
    outcome.verified_blocks = left.verified + lanes.iter().map(|lane| lane.content.verified()).sum::<u64>();
    direct::merge(&mut outcome, lanes.into_iter().map(|lane| lane.probe.finish()), calibration);
    if options.mode == Mode::Accounting {
        // One account for all threads: its peak is the trace's, not a sum.
        let [requested, usable] = live.peaks();
        outcome.peak_live_requested_bytes = requested;
        outcome.peak_live_usable_bytes = Some(usable);
    }
    Ok(outcome)
}

fn outcome(tally: &Tally, elapsed_ns: u64) -> Outcome {
    Outcome {
        elapsed_ns,
        threads_elapsed_ns: vec![elapsed_ns],
        allocs: tally.allocs,
        frees: tally.frees,
        reallocs: tally.reallocs,
        remote_frees: tally.remote_frees,
        requested_bytes_sum: tally.requested_bytes_sum,
        usable_bytes_sum: None,
        peak_live_requested_bytes: tally.peak_live_bytes,
        peak_live_usable_bytes: None,
        samples: None,
        served_checks: 0,
        verified_blocks: 0,
    }
}

/// What was found when the blocks left at the end were given back.
#[derive(Default)]
struct Left {
    served_checks: u64,
    verified: u64,
}

/// Asks the engine about some of the blocks that are left, then frees all, while every thread rests.
fn drain<P, C: Content>(stage: &Stage<'_, P, C>) -> Result<Left, RunError> {
    // No thread plays while this is held: each plays under a read guard.
    let mut resting = stage.segment.write().unwrap_or_else(PoisonError::into_inner);
    let blocks = stage.table.take_all(&mut resting);
    drop(resting);
    let step = blocks.len().div_ceil(SERVED_CHECKS).max(1);
    let heap_of = |block: &Block| &stage.heaps[usize::from(block.align_log2())];
    let mut left = Left::default();
    for block in blocks.iter().step_by(step) {
        check_served(heap_of(block), block)?;
        left.served_checks += 1;
    }
    let mut content = C::default();
    for block in blocks {
        let heap = heap_of(&block);
        content.last(heap, &block)?;
        heap.free(block);
    }
    left.verified = content.verified();
    Ok(left)
}

/// Segment after segment; the sum of the times that they took.
fn direct_threads<'scope, 'env, P: Probe, C: Content>(
    scope: &'scope Scope<'scope, 'env>,
    stage: &'scope Stage<'env, P, C>,
    feed: &mut super::feed::Feed,
    (opening, hooks): (&Opening, &dyn Hooks),
) -> Result<(u64, Left), RunError> {
    let mut elapsed_ns = 0;
    let mut checks = None;
    let ended = loop {
        let roots = {
            let mut segment = stage.segment.write().unwrap_or_else(PoisonError::into_inner);
            match feed.fill(&mut segment, super::feed::SEGMENT_OPS) {
                Ok(true) => segment.roots.clone(),
                Ok(false) => break Ok(elapsed_ns),
                Err(what) => break Err(RunError::Unsupported(what)),
            }
        };
        if checks.is_none() {
            hooks.before_engine();
            match opening.open() {
                Ok(count) => checks = Some(count),
                Err(fault) => {
                    opening.close();
                    return Err(fault);
                }
            }
            hooks.before_clock();
            *stage.begin.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
        let begin = Instant::now();
        {
            let mut state = stage.state();
            state.segment += 1;
            // Every thread that rests plays on; each counts itself out again.
            state.running += std::mem::take(&mut state.resting);
        }
        stage.changed.notify_all();
        roots.into_iter().for_each(|thread| start(scope, stage, thread));
        let mut state = stage.state();
        while state.running > 0 {
            state = stage.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        elapsed_ns += begin.elapsed().as_nanos() as u64;
        if state.fault.is_some() {
            break Ok(elapsed_ns);
        }
    };
    hooks.after_clock();
    let left = if stage.state().fault.is_none() { drain(stage) } else { Ok(Left::default()) };
    if left.is_ok() {
        hooks.drained();
    }
    stage.state().over = true;
    stage.changed.notify_all();
    if checks.is_some() {
        opening.close();
    }
    let mut left = left?;
    left.served_checks += checks.unwrap_or(0);
    Ok((ended?, left))
}

/// Starts a thread of the trace.
fn start<'scope, 'env, P: Probe, C: Content>(
    scope: &'scope Scope<'scope, 'env>,
    stage: &'scope Stage<'env, P, C>,
    thread: u32,
) {
    stage.state().running += 1;
    let builder = Builder::new().name(format!("replay-{thread}")).stack_size(STACK_BYTES);
    if let Err(error) = builder.spawn_scoped(scope, move || work(scope, stage, thread)) {
        stage.fail(RunError::OutOfMemory(format!("a thread could not be started: {error}")));
        stage.rest();
    }
}

/// A thread from its start to its end.
fn work<'scope, 'env, P: Probe, C: Content>(
    scope: &'scope Scope<'scope, 'env>,
    stage: &'scope Stage<'env, P, C>,
    thread: u32,
) {
    let _watchman = Watchman(stage);
    let number = thread as usize;
    if stage.pin {
        bind_worker(number);
    }
    let Some(engine) = stage.heaps.first().map(Heap::engine) else { return stage.rest() };
    let slot = &stage.lanes[number];
    let Some(mut lane) = slot.lock().unwrap_or_else(PoisonError::into_inner).take() else {
        return stage.rest();
    };
    engine.enter_thread();
    loop {
        let (played, ends) = {
            let segment = stage.segment.read().unwrap_or_else(PoisonError::into_inner);
            let begin = *stage.begin.lock().unwrap_or_else(PoisonError::into_inner);
            let ground = Ground { heaps: &stage.heaps, table: stage.table, stop: &stage.stop, begin };
            let start = |thread| start(scope, stage, thread);
            if let Err(fault) = lane.play(segment.of(number), &ground, &start) {
                stage.fail(fault);
            }
            let played = stage.state().segment;
            (played, segment.ends(number))
        };
        if ends {
            break;
        }
        if !stage.next_segment(played) {
            engine.leave_thread();
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(lane);
            return;
        }
    }
    engine.leave_thread();
    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(lane);
    stage.rest();
}
