//! Preparing and running a workload: the public face of this crate.
//!
//! [`prepare`] draws everything; [`Prepared::run`] proves that the engine serves, starts the threads, brings them to
//! one start, measures, holds still for the hooks, and frees all that is left. The order of a run:
//! 1. Threads start and make their own memory resident. [`Hooks::before_engine`]: nothing of the engine has been called.
//! 2. `engine.expect`, then a block of every size class that was drawn: made, asked about (`served`), freed.
//! 3. `enter_thread` on each, warm-up; what is in flight is freed.
//! 4. [`Hooks::before_clock`], all threads asleep; they wake, and start together when the last is awake.
//! 5. The clock: from the first thread's start to the last thread's end. Phases call [`Hooks::phase`] inside it.
//! 6. [`Hooks::after_clock`], live blocks held, threads asleep. Then live blocks are asked about, then all is freed.
//! 7. [`Hooks::drained`], threads asleep and alive. Then `leave_thread` on each.

use std::fmt;

use engines::Engine;

use crate::content::{Content, Touched, Untouched, Verified};
use crate::direct;
use crate::exec::check_served;
use crate::probe::{Accounting, LiveGauge, Plain, Probe, Sample, Timed};
use crate::program::{self, Program, Tallies};
use crate::raw::Heap;
use crate::replay;
use crate::spec::{Model, Workload};
use crate::steal::{self, Forest};

/// Threads that a run may have.
pub const THREADS_MAX: usize = 1024;
/// Size classes a doubling for the check that the engine serves.
const CHECKED_CLASSES_PER_DOUBLING: u32 = 8;

/// What is taken beside the wall time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing.
    Plain,
    /// The cycles of every operation.
    Timed {
        /// Operations a thread does at most: a longer run is cut short, never sampled.
        max_samples_per_thread: usize,
    },
    /// Usable sizes and peaks.
    Accounting,
}

/// How to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunOptions {
    /// What is taken beside the wall time.
    pub mode: Mode,
    /// Whether to write contents that tell blocks apart, and to check them.
    pub verify: bool,
    /// Whether each worker stays on one processor, workers spread over those the process may use.
    pub pin: bool,
}

/// Called on the thread that called [`Prepared::run`].
pub trait Hooks: Sync {
    /// The engine has not been called yet; whatever the benchmark needs for itself is resident.
    fn before_engine(&self) {}
    /// All threads are ready and asleep, warm-up is done.
    fn before_clock(&self);
    /// The last thread is done; live blocks are still held.
    fn after_clock(&self);
    /// Everything is freed; the threads are alive and asleep.
    fn drained(&self);
    /// A phase begins.
    fn phase(&self, name: &str);
    /// On a worker, which starts out working: from here on it waits for the others.
    fn waits(&self) {}
    /// On a worker that waited: from here on it works.
    fn works(&self) {}
    /// Before the clock, from runs that can tell at any time what is live ([`Mode::Accounting`]).
    fn live(&self, _gauge: LiveGauge) {}
}

/// Hooks that do nothing.
pub struct NoHooks;

impl Hooks for NoHooks {
    fn before_clock(&self) {}
    fn after_clock(&self) {}
    fn drained(&self) {}
    fn phase(&self, _name: &str) {}
}

/// Why a run has no outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunError {
    /// The engine returned NULL, or the system had no room for a thread.
    OutOfMemory(String),
    /// The engine says that it did not serve a block.
    NotServed(String),
    /// A block was misaligned, too small, or lost its contents.
    Corrupt(String),
    /// This cannot be run with this engine.
    Unsupported(String),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::OutOfMemory(what) => write!(f, "out of memory: {what}"),
            RunError::NotServed(what) => write!(f, "not served: {what}"),
            RunError::Corrupt(what) => write!(f, "corrupt: {what}"),
            RunError::Unsupported(what) => write!(f, "unsupported: {what}"),
        }
    }
}

impl std::error::Error for RunError {}

/// What a run found. Counts are of the part under the clock: neither warm-up nor drain.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// From the first thread's start to the last thread's end.
    pub elapsed_ns: u64,
    /// From each thread's own start to its own end; of trees, whose tasks have no thread of their own, the whole.
    pub threads_elapsed_ns: Vec<u64>,
    /// Allocations.
    pub allocs: u64,
    /// Frees, remote ones included.
    pub frees: u64,
    /// Resizes.
    pub reallocs: u64,
    /// Frees by another thread than the one that allocated.
    pub remote_frees: u64,
    /// Bytes asked for by allocations and resizes.
    pub requested_bytes_sum: u64,
    /// Bytes the engine called usable in them ([`Mode::Accounting`]).
    pub usable_bytes_sum: Option<u64>,
    /// Σ over threads of each one's highest sum of live requested bytes. A block in flight between threads counts as
    /// its sender's in [`Mode::Accounting`], and not at all otherwise; of trees it is the whole's highest sum.
    pub peak_live_requested_bytes: u64,
    /// The same of usable bytes ([`Mode::Accounting`]).
    pub peak_live_usable_bytes: Option<u64>,
    /// Every operation's cycles ([`Mode::Timed`]).
    pub samples: Option<Samples>,
    /// Blocks about which the engine was asked whether it served them; it said yes each time.
    pub served_checks: u64,
    /// Blocks whose contents were checked.
    pub verified_blocks: u64,
}

/// Cycles of every operation, raw: the overhead is in them.
#[derive(Clone, Debug)]
pub struct Samples {
    /// Allocations.
    pub alloc: Vec<Sample>,
    /// Frees.
    pub free: Vec<Sample>,
    /// Resizes.
    pub realloc: Vec<Sample>,
    /// What an empty measurement reads, the median.
    pub clock_overhead_cycles: u64,
    /// What a cycle is.
    pub ns_per_cycle: f64,
}

/// A workload with everything drawn, ready for one run.
pub struct Prepared {
    pub(crate) spec: Workload,
    pub(crate) plan: Plan,
    pub(crate) expected_bytes: usize,
    /// Sizes of which a block is made and asked about before the run.
    checked_sizes: Vec<u32>,
}

pub(crate) enum Plan {
    Programs { programs: Vec<Program>, tallies: Vec<Tallies>, phases: Vec<String> },
    Forest(Forest),
    Replay(replay::Plan),
}

/// Draws the streams of all threads from `seed` (thread i: `seed` + i × 1315423911). Fails on a specification that
/// is not valid, and on one whose streams would take more than a gigabyte.
pub fn prepare(spec: &Workload, threads: usize, seed: u64) -> Result<Prepared, String> {
    spec.validate()?;
    if !(1..=THREADS_MAX).contains(&threads) {
        return Err(format!("{threads} threads: give 1 to {THREADS_MAX}"));
    }
    let name = |what: String| format!("workload `{}`: {what}", spec.name);
    let (plan, planned_bytes) = match &spec.model {
        Model::Steal(model) => {
            let forest = Forest::new(model, threads, seed);
            let bytes = forest.rounded_bytes(spec.align);
            (Plan::Forest(forest), bytes)
        }
        Model::Replay(model) => {
            let plan = replay::plan(model, u64::MAX)?;
            let bytes = plan.tally.rounded_bytes_sum;
            (Plan::Replay(plan), bytes)
        }
        _ => {
            let (programs, phases) = program::draw(spec, threads, seed).map_err(name)?;
            let bytes = programs.iter().map(|program| {
                let (warm, timed) = program.tally(spec.align);
                warm.rounded_bytes_sum.saturating_add(timed.rounded_bytes_sum)
            });
            let bytes = bytes.fold(0, u64::saturating_add);
            let tallies = programs.iter().map(|program| program.tally(1)).collect();
            (Plan::Programs { programs, tallies, phases }, bytes)
        }
    };
    let checked_sizes = checked_sizes(&plan);
    let checked_bytes: u64 = checked_sizes.iter().map(|&size| u64::from(size) + 4096).sum();
    let expected_bytes = usize::try_from(planned_bytes.saturating_add(checked_bytes)).unwrap_or(usize::MAX);
    Ok(Prepared { spec: spec.clone(), plan, expected_bytes, checked_sizes })
}

impl Prepared {
    /// Bytes that the run allocates in all, each block rounded up to its alignment; at least 16.
    pub fn expected_bytes(&self) -> usize {
        self.expected_bytes
    }

    /// Runs it against `engine`.
    pub fn run(
        self,
        engine: &'static dyn Engine,
        options: &RunOptions,
        hooks: &dyn Hooks,
    ) -> Result<Outcome, RunError> {
        match options.mode {
            Mode::Plain => self.run_probed::<Plain>(engine, options, hooks),
            Mode::Timed { .. } => self.run_probed::<Timed>(engine, options, hooks),
            Mode::Accounting => self.run_probed::<Accounting>(engine, options, hooks),
        }
    }

    fn run_probed<P: Probe>(
        self,
        engine: &'static dyn Engine,
        options: &RunOptions,
        hooks: &dyn Hooks,
    ) -> Result<Outcome, RunError> {
        match (options.verify, self.spec.touch) {
            (true, _) if !engine.keeps_contents() => {
                let name = engine.name();
                Err(RunError::Unsupported(format!(
                    "`{name}` recycles live memory: contents cannot be verified"
                )))
            }
            (true, _) => self.run_as::<P, Verified>(engine, options, hooks),
            (false, true) => self.run_as::<P, Touched>(engine, options, hooks),
            (false, false) => self.run_as::<P, Untouched>(engine, options, hooks),
        }
    }

    fn run_as<P: Probe, C: Content>(
        self,
        engine: &'static dyn Engine,
        options: &RunOptions,
        hooks: &dyn Hooks,
    ) -> Result<Outcome, RunError> {
        let heap = Heap::new(engine, self.spec.align).map_err(RunError::Unsupported)?;
        let contents = options.verify || matches!(self.plan, Plan::Forest(_));
        let opening =
            Opening { heap, expected_bytes: self.expected_bytes, contents, sizes: self.checked_sizes };
        match self.plan {
            Plan::Programs { programs, tallies, phases } => {
                direct::run::<P, C>((programs, tallies), &phases, &opening, options, hooks)
            }
            Plan::Forest(forest) => steal::run::<P, C>(forest, &opening, options, hooks),
            Plan::Replay(plan) => replay::run::<P, C>(plan, &opening, options, hooks),
        }
    }
}

/// The first calls to the engine, on the thread that directs the run.
pub(crate) struct Opening {
    pub(crate) heap: Heap,
    expected_bytes: usize,
    contents: bool,
    sizes: Vec<u32>,
}

impl Opening {
    /// Announces the run, makes a block of every size class that was drawn and asks the engine whether it served it.
    /// Returns how many it was asked about. Balanced by [`Opening::close`].
    pub(crate) fn open(&self) -> Result<u64, RunError> {
        let engine = self.heap.engine();
        engine.expect(self.expected_bytes, self.contents);
        engine.enter_thread();
        for &size in &self.sizes {
            let no_memory = || RunError::OutOfMemory(format!("the engine returned NULL for {size} bytes"));
            let block = self.heap.alloc(size).ok_or_else(no_memory)?;
            let served = check_served(&self.heap, &block);
            if served.is_ok() {
                self.heap.free(block);
            }
            served?;
        }
        Ok(self.sizes.len() as u64)
    }

    /// The directing thread's last call to the engine.
    pub(crate) fn close(&self) {
        self.heap.engine().leave_thread();
    }
}

/// The smallest size drawn of each eighth of a doubling.
fn checked_sizes(plan: &Plan) -> Vec<u32> {
    let mut sizes = match plan {
        Plan::Programs { programs, .. } => programs.iter().flat_map(Program::sizes).collect(),
        Plan::Forest(forest) => forest.sizes(),
        Plan::Replay(plan) => plan.sizes.clone(),
    };
    sizes.sort_unstable();
    sizes.dedup_by_key(|size| {
        let doubling = size.ilog2();
        (doubling, (u64::from(*size) * u64::from(CHECKED_CLASSES_PER_DOUBLING)) >> doubling)
    });
    sizes
}
