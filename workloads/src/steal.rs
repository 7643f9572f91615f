//! Trees in work-stealing tasks: blocks are freed wherever a task was stolen to.
//!
//! Each tree is built in parallel, every payload is then replaced by a new block, and the tree is dropped in
//! parallel; the last tree is kept until the drain. Nodes live in the engine's memory as well ([`EngineBox`]), one
//! payload block each. Sizes are drawn before the clock into a table that all tasks read, indexed by the node's
//! number, so what is asked for does not depend on who steals what. The tasks run on a rayon pool of the run's
//! threads. Samples are taken of payload operations alone.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use rayon::ThreadPool;

use crate::clock;
use crate::content::Content;
use crate::direct::merge;
use crate::draw::{Draw, Sampler};
use crate::exec::check_served;
use crate::pin::bind_worker;
use crate::probe::{Findings, Probe, Room};
use crate::raw::{Block, EngineBox, Heap};
use crate::run::{Hooks, Mode, Opening, Outcome, RunError, RunOptions};
use crate::spec::Steal;

/// Sizes drawn; a power of two, and at most the table's share of a second-level cache.
const TABLE_SIZES: usize = 1 << 14;
/// Places in the table between a node's first payload and its second.
const SECOND_PAYLOAD: u64 = 7919;
/// Trees of fewer levels are handled by one task: the cost of a task is many times that of a block.
const TASK_LEVELS: u32 = 5;
/// Payload operations of one node: two allocations, two frees.
const PAYLOAD_OPS: u64 = 4;
/// Live payloads that are checked for having been served.
const SERVED_CHECKS: u64 = 64;

/// A node; its block is aligned for it because every node block is at least [`NODE_ALIGN_BYTES`] aligned.
#[repr(C)]
pub struct Node {
    /// The node's seal, at both ends: what an engine that hands memory out twice most likely destroys.
    seal_first: u64,
    payload: Option<Block>,
    left: Option<EngineBox<Node>>,
    right: Option<EngineBox<Node>>,
    /// The pool's thread that made this node, and the one that made the payload.
    node_maker: u32,
    payload_maker: u32,
    seal_last: u64,
}

/// What both seals of node `number` hold.
fn seal(number: u64) -> u64 {
    (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Alignment that a workload of trees must ask for.
pub const NODE_ALIGN_BYTES: usize = align_of::<Node>();

/// All trees of a run, drawn.
pub struct Forest {
    table: Vec<u32>,
    depth: u32,
    trees: u64,
    threads: usize,
}

/// What the counts of a forest are.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    first_bytes: u64,
    second_bytes: u64,
    peak_live_bytes: u64,
    rounded_bytes: u64,
}

impl Forest {
    /// Draws the sizes.
    pub fn new(model: &Steal, threads: usize, seed: u64) -> Forest {
        let sampler = Sampler::new(&model.sizes);
        let mut draw = Draw::new(seed, 0);
        let table = (0..TABLE_SIZES).map(|_| sampler.draw(&mut draw)).collect();
        Forest { table, depth: model.depth, trees: u64::from(model.trees), threads }
    }

    /// Every size the table holds, smallest first, and a node's.
    pub fn sizes(&self) -> Vec<u32> {
        let mut sizes = self.table.clone();
        sizes.push(size_of::<Node>() as u32);
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    /// Bytes all blocks take, each rounded up to `align`, at least 16.
    pub fn rounded_bytes(&self, align: usize) -> u64 {
        self.sums(align.max(16)).rounded_bytes
    }

    fn nodes(&self) -> u64 {
        (1 << self.depth) - 1
    }

    fn first_size(&self, node: u64) -> u32 {
        self.table[node as usize % TABLE_SIZES]
    }

    fn second_size(&self, node: u64) -> u32 {
        self.first_size(node + SECOND_PAYLOAD)
    }

    fn sums(&self, align: usize) -> Sums {
        let mut sums = Sums::default();
        let node_bytes = size_of::<Node>() as u64;
        let rounded = |size: u32| (size as usize).next_multiple_of(align) as u64;
        for tree in 0..self.trees {
            let nodes = tree * self.nodes()..(tree + 1) * self.nodes();
            let (mut first, mut second) = (0, 0);
            for node in nodes {
                first += u64::from(self.first_size(node));
                second += u64::from(self.second_size(node));
                sums.rounded_bytes += rounded(self.first_size(node)) + rounded(self.second_size(node));
            }
            sums.rounded_bytes += self.nodes() * rounded(node_bytes as u32);
            sums.first_bytes += first;
            sums.second_bytes += second;
            let live = self.nodes() * node_bytes + first.max(second);
            sums.peak_live_bytes = sums.peak_live_bytes.max(live);
        }
        sums
    }

    /// Leaves out trees until the payload operations are at most `ops_max`; one tree stays.
    fn truncate(&mut self, ops_max: u64) {
        self.trees = self.trees.min((ops_max / (PAYLOAD_OPS * self.nodes())).max(1));
    }
}

/// One pool thread's probe and contents; the lock is never waited for, since each thread takes its own.
struct Desk<P, C> {
    probe: P,
    content: C,
}

struct Grove<'a, P, C> {
    forest: &'a Forest,
    heap: Heap,
    desks: Vec<Mutex<Desk<P, C>>>,
    stop: AtomicBool,
    /// The first fault, whoever met it.
    fault: Mutex<Option<RunError>>,
    /// Frees on another pool thread than the maker's. Relaxed: a count, read after the last task has ended.
    remote_frees: AtomicU64,
}

type Tree = Option<EngineBox<Node>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn thread_number() -> usize {
    rayon::current_thread_index().unwrap_or(0)
}

impl<P: Probe, C: Content> Grove<'_, P, C> {
    fn fail(&self, fault: RunError) {
        self.stop.store(true, Ordering::Relaxed);
        lock(&self.fault).get_or_insert(fault);
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Whether blocks may still be given back after a fault.
    fn trustworthy(&self) -> bool {
        matches!(&*lock(&self.fault), None | Some(RunError::OutOfMemory(_)))
    }

    fn alloc(&self, size: u32) -> Option<Block> {
        let mut desk = lock(&self.desks[thread_number()]);
        let Desk { probe, content } = &mut *desk;
        let mark = probe.mark();
        let block = self.heap.alloc(size);
        probe.alloc_done(mark, size);
        let Some(mut block) = block else {
            self.fail(RunError::OutOfMemory(format!("the engine returned NULL for {size} bytes")));
            return None;
        };
        probe.gained(&self.heap, &block);
        match content.fresh(&self.heap, &mut block) {
            Ok(()) => Some(block),
            Err(fault) => {
                self.fail(fault);
                None
            }
        }
    }

    fn free(&self, block: Block, maker: u32) {
        let own = thread_number();
        let mut desk = lock(&self.desks[own]);
        let Desk { probe, content } = &mut *desk;
        if let Err(fault) = content.last(&self.heap, &block) {
            return self.fail(fault);
        }
        probe.losing(&self.heap, &block);
        let size = block.size();
        let mark = probe.mark();
        self.heap.free(block);
        probe.free_done(mark, size);
        drop(desk);
        self.count_free(maker, own);
    }

    fn count_free(&self, maker: u32, own: usize) {
        if maker as usize != own {
            self.remote_frees.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A subtree of `levels` levels whose root has number `first`; smaller than asked for after a fault.
    fn build(&self, levels: u32, first: u64) -> Tree {
        if levels == 0 || self.stopped() {
            return None;
        }
        let below = (1 << (levels - 1)) - 1;
        let (left, right) = self.both(
            levels,
            || self.build(levels - 1, first + 1),
            || self.build(levels - 1, first + 1 + below),
        );
        let maker = thread_number() as u32;
        let payload = self.alloc(self.forest.first_size(first));
        let (node_maker, payload_maker, seal) = (maker, maker, seal(first));
        let node =
            Node { seal_first: seal, payload, left, right, node_maker, payload_maker, seal_last: seal };
        match self.heap.boxed(node) {
            Ok(boxed) => {
                lock(&self.desks[maker as usize]).probe.gained(&self.heap, boxed.block());
                Some(boxed)
            }
            Err(node) => {
                self.fail(RunError::OutOfMemory("the engine returned NULL for a node".into()));
                self.drop_parts(node, levels, first);
                None
            }
        }
    }

    /// Replaces every payload by a new block.
    fn map(&self, levels: u32, first: u64, tree: &mut Tree) {
        let Some(boxed) = tree else { return };
        if self.stopped() {
            return;
        }
        let node = boxed.get_mut();
        if !self.sealed(node, first) {
            return;
        }
        let below = (1 << (levels - 1)) - 1;
        let (left, right) = (&mut node.left, &mut node.right);
        self.both(
            levels,
            || self.map(levels - 1, first + 1, left),
            || self.map(levels - 1, first + 1 + below, right),
        );
        let Some(fresh) = self.alloc(self.forest.second_size(first)) else { return };
        if let Some(old) = node.payload.replace(fresh) {
            self.free(old, node.payload_maker);
        }
        node.payload_maker = thread_number() as u32;
    }

    fn drop_tree(&self, levels: u32, first: u64, tree: Tree) {
        let Some(boxed) = tree else { return };
        if !self.trustworthy_or_running() || !self.sealed(boxed.get(), first) {
            return;
        }
        lock(&self.desks[thread_number()]).probe.losing(&self.heap, boxed.block());
        let node = self.heap.unboxed(boxed);
        self.count_free(node.node_maker, thread_number());
        self.drop_parts(node, levels, first);
    }

    /// Whether a node is still what it was built as; its pointers are followed only then.
    fn sealed(&self, node: &Node, number: u64) -> bool {
        let whole = node.seal_first == seal(number) && node.seal_last == seal(number);
        if !whole {
            self.fail(RunError::Corrupt(format!("node {number} changed while it was live")));
        }
        whole
    }

    fn trustworthy_or_running(&self) -> bool {
        !self.stopped() || self.trustworthy()
    }

    fn drop_parts(&self, node: Node, levels: u32, first: u64) {
        let below = (1 << (levels - 1)) - 1;
        let Node { payload, left, right, payload_maker, .. } = node;
        self.both(
            levels,
            || self.drop_tree(levels - 1, first + 1, left),
            || self.drop_tree(levels - 1, first + 1 + below, right),
        );
        if let Some(block) = payload.filter(|_| self.trustworthy_or_running()) {
            self.free(block, payload_maker);
        }
    }

    /// Both, as two tasks where the work is worth one.
    fn both<A: Send, B: Send>(
        &self,
        levels: u32,
        a: impl FnOnce() -> A + Send,
        b: impl FnOnce() -> B + Send,
    ) -> (A, B) {
        if levels > TASK_LEVELS { rayon::join(a, b) } else { (a(), b()) }
    }

    /// Everything under the clock; the last tree, still alive.
    fn grow(&self) -> Tree {
        let (depth, nodes) = (self.forest.depth, self.forest.nodes());
        let mut last = None;
        for number in 0..self.forest.trees {
            self.drop_tree(depth, number.saturating_sub(1) * nodes, last.take());
            let mut tree = self.build(depth, number * nodes);
            self.map(depth, number * nodes, &mut tree);
            last = tree;
        }
        last
    }

    /// Takes what the probes found; what follows is not measured.
    fn close(&self) -> Vec<Findings> {
        let fresh = || P::new(&Room::default());
        let probes = self.desks.iter().map(|desk| std::mem::replace(&mut lock(desk).probe, fresh()));
        probes.map(Probe::finish).collect()
    }

    fn check_served(&self, tree: &Tree, left_over: &mut u64) -> Result<u64, RunError> {
        let Some(boxed) = tree.as_ref().filter(|_| *left_over > 0) else { return Ok(0) };
        *left_over -= 1;
        check_served(&self.heap, boxed.block())?;
        let node = boxed.get();
        let mut checks = 1;
        if let Some(payload) = &node.payload {
            check_served(&self.heap, payload)?;
            checks += 1;
        }
        Ok(checks + self.check_served(&node.left, left_over)? + self.check_served(&node.right, left_over)?)
    }
}

/// A desk for each thread, with room for all samples: nobody knows who will do the work.
fn desks<P: Probe, C: Content>(forest: &Forest) -> Vec<Mutex<Desk<P, C>>> {
    let payloads = (2 * forest.nodes() * forest.trees) as usize;
    let room = Room { allocs: payloads, frees: payloads, ..Room::default() };
    let desk = || Mutex::new(Desk { probe: P::new(&room), content: C::default() });
    (0..forest.threads).map(|_| desk()).collect()
}

/// Runs the trees.
pub fn run<P: Probe, C: Content>(
    mut forest: Forest,
    opening: &Opening,
    options: &RunOptions,
    hooks: &dyn Hooks,
) -> Result<Outcome, RunError> {
    let mut calibration = None;
    if let Mode::Timed { max_samples_per_thread } = options.mode {
        forest.truncate(max_samples_per_thread as u64);
        calibration = Some(clock::calibration());
    }
    let engine = opening.heap.engine();
    let thread = |thread: rayon::ThreadBuilder| {
        if options.pin {
            bind_worker(thread.index());
        }
        thread.run();
    };
    let desks = desks(&forest);
    let grow = |pool: &ThreadPool| {
        pool.broadcast(|_| ());
        hooks.before_engine();
        let checks = opening.open();
        let outcome = checks.and_then(|checks| {
            pool.broadcast(|_| engine.enter_thread());
            let outcome = tend::<P, C>(&forest, desks, opening.heap, pool, calibration, hooks);
            pool.broadcast(|_| engine.leave_thread());
            outcome.map(|outcome| Outcome { served_checks: outcome.served_checks + checks, ..outcome })
        });
        opening.close();
        outcome
    };
    rayon::ThreadPoolBuilder::new()
        .num_threads(forest.threads)
        .build_scoped(thread, grow)
        .unwrap_or_else(|error| Err(RunError::OutOfMemory(format!("the pool could not be started: {error}"))))
}

/// What happens on a running pool.
fn tend<P: Probe, C: Content>(
    forest: &Forest,
    desks: Vec<Mutex<Desk<P, C>>>,
    heap: Heap,
    pool: &ThreadPool,
    calibration: Option<clock::Calibration>,
    hooks: &dyn Hooks,
) -> Result<Outcome, RunError> {
    let grove = Grove::<P, C> {
        desks,
        forest,
        heap,
        stop: AtomicBool::new(false),
        fault: Mutex::new(None),
        remote_frees: AtomicU64::new(0),
    };
    let sums = forest.sums(1);
    hooks.before_clock();
    let (elapsed, last) = pool.install(|| {
        let begin = Instant::now();
        let last = grove.grow();
        (begin.elapsed(), last)
    });
    hooks.after_clock();
    let remote_frees = grove.remote_frees.load(Ordering::Relaxed);
    let mut findings: Vec<Findings> = grove.close();
    // All desks write to one account, so one of them speaks for its peaks.
    for account in findings.iter_mut().skip(1).filter_map(|found| found.account.as_mut()) {
        account.peak_live_requested_bytes = 0;
        account.peak_live_usable_bytes = 0;
    }
    let mut allowance = SERVED_CHECKS * forest.threads as u64;
    let checked = grove.check_served(&last, &mut allowance);
    let served_checks = checked.unwrap_or_else(|fault| {
        grove.fail(fault);
        0
    });
    let (nodes, last_number) = (forest.nodes(), forest.trees - 1);
    pool.install(|| grove.drop_tree(forest.depth, last_number * nodes, last));
    hooks.drained();
    if let Some(fault) = lock(&grove.fault).take() {
        return Err(fault);
    }
    let all = nodes * forest.trees;
    let mut outcome = Outcome {
        elapsed_ns: elapsed.as_nanos() as u64,
        threads_elapsed_ns: vec![elapsed.as_nanos() as u64; forest.threads],
        allocs: 3 * all,
        frees: 3 * all - 2 * nodes,
        reallocs: 0,
        remote_frees,
        requested_bytes_sum: sums.first_bytes + sums.second_bytes + all * size_of::<Node>() as u64,
        usable_bytes_sum: None,
        peak_live_requested_bytes: sums.peak_live_bytes,
        peak_live_usable_bytes: None,
        samples: None,
        served_checks,
        verified_blocks: grove.desks.iter().map(|desk| lock(desk).content.verified()).sum(),
    };
    merge(&mut outcome, findings.into_iter(), calibration);
    Ok(outcome)
}
