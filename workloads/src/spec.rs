//! What a workload is: plain data, read from TOML, shown by `allocbench list`, carried to the measuring process
//! as JSON. Sizes are in bytes, counts are per thread unless the name says otherwise.
//!
//! A specification says nothing of engines, threads, seeds or clocks: those belong to the run. Values are checked
//! once, by [`Workload::validate`]; everything behind it may rely on them.

use serde::{Deserialize, Serialize};

/// One workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// Unique name, `[a-z0-9_+.-]`, at most 40 characters.
    pub name: String,
    /// One line for people.
    pub about: String,
    /// The family that tables show it in: `note`, `note+`, `draft`, `threads`, `memory`, or a user's own word.
    #[serde(default = "user_group")]
    pub group: String,
    /// Alignment of every block in bytes, a power of two.
    #[serde(default = "word_align")]
    pub align: usize,
    /// Write every block in full after its allocation and read a byte of each of its cache lines before its free.
    #[serde(default)]
    pub touch: bool,
    /// The generator and its figures.
    pub model: Model,
}

fn user_group() -> String {
    "user".into()
}

const fn word_align() -> usize {
    8
}

/// The generator models.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Model {
    /// Random allocs and frees over a bounded live set.
    Churn(Churn),
    /// A batch of allocations, then the same batch freed, many times.
    Batch(Batch),
    /// Slots that are filled when empty and emptied when full.
    Slots(Slots),
    /// Blocks made by one thread and freed by another at full speed.
    Relay(Relay),
    /// Blocks that outlive the thread which made them.
    Larson(Larson),
    /// Trees built, transformed and dropped in work-stealing tasks.
    Steal(Steal),
    /// A program whose demand changes over time.
    Phases(Phases),
    /// Many short threads.
    ThreadChurn(ThreadChurn),
    /// A recorded trace.
    Replay(Replay),
}

/// How block sizes are drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Sizes {
    /// `values[i]` with probability `weights[i]` / Σ weights.
    Weighted {
        /// Sizes in bytes.
        values: Vec<usize>,
        /// Weights, as many as values, all ≥ 0, their sum > 0.
        weights: Vec<f64>,
    },
    /// Every size of `[low, high]` alike.
    Uniform(usize, usize),
    /// The logarithm uniform over `[low, high]`.
    LogUniform(usize, usize),
}

/// Alloc if live < `live_max` and (U < `p_alloc` or nothing is live); else free one uniformly random live block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Churn {
    /// Size distribution.
    pub sizes: Sizes,
    /// Probability of an allocation while the live set has room.
    pub p_alloc: f64,
    /// Live blocks a thread holds at most.
    pub live_max: usize,
    /// Operations a thread, allocs and frees both counted.
    pub ops: u64,
    /// Share of frees that are done by the next thread instead.
    #[serde(default)]
    pub handoff: f64,
    /// Bring the live set to its steady state before the clock starts.
    #[serde(default)]
    pub warm_up: bool,
}

/// `cycles` times: allocate `batch` blocks, free them in `order`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// Size distribution.
    pub sizes: Sizes,
    /// Blocks a batch.
    pub batch: usize,
    /// Batches a thread.
    pub cycles: u64,
    /// Order of the frees within a batch.
    pub order: Order,
}

/// Order in which a batch is freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Last allocated, first freed.
    Lifo,
    /// First allocated, first freed.
    Fifo,
    /// A random permutation.
    Random,
}

/// Each cycle draws a slot: full → free it, empty → allocate into it. Slot and size are drawn independently.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slots {
    /// Size distribution.
    pub sizes: Sizes,
    /// Slots a thread (the draft's WS).
    pub slots: usize,
    /// Cycles a thread; each is one operation.
    pub cycles: u64,
    /// Share of frees that are done by the next thread instead (the draft's R).
    #[serde(default)]
    pub handoff: f64,
    /// Share of hits on a full slot that resize the block to a newly drawn size instead of freeing it.
    #[serde(default)]
    pub resize: f64,
    /// Fill half of the slots before the clock starts.
    #[serde(default)]
    pub warm_up: bool,
}

/// Blocks pass through bounded rings and are freed by their receiver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relay {
    /// Size distribution.
    pub sizes: Sizes,
    /// Blocks in flight at most between two threads.
    pub ring: usize,
    /// Blocks a producing thread makes.
    pub blocks: u64,
    /// Who makes and who frees.
    pub roles: Roles,
}

/// Roles of the threads of a [`Relay`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Roles {
    /// Even threads produce for the odd thread after them (one thread is both).
    Pairs,
    /// Every thread produces for the next one and frees what it receives.
    Circle,
}

/// Random replacement over slots that are inherited by a new thread `generations` − 1 times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Larson {
    /// Size distribution.
    pub sizes: Sizes,
    /// Live blocks a thread.
    pub slots: usize,
    /// Replacements (one free and one alloc) a generation.
    pub cycles: u64,
    /// Threads that run after one another over the same slots.
    pub generations: u32,
}

/// Binary trees in rayon tasks: build in parallel, map every payload to a new block, drop in parallel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steal {
    /// Size distribution of a node's payload block.
    pub sizes: Sizes,
    /// Depth of each tree; it has 2^depth − 1 nodes.
    pub depth: u32,
    /// Trees in all (not per thread).
    pub trees: u32,
}

/// Steps that run one after another on all threads, a barrier between each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phases {
    /// The steps.
    pub steps: Vec<Step>,
}

/// One step of [`Phases`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Name on the timeline.
    pub name: String,
    /// What runs.
    pub action: Action,
    /// Share of the live set still held when the step ends, 0 to 1; what is kept is freed by a later step or at the end.
    #[serde(default)]
    pub keep: f64,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Sleeps, milliseconds.
    Idle(u64),
    /// Runs churn.
    Churn(Churn),
    /// Allocates this many blocks a thread.
    Burst {
        /// Size distribution.
        sizes: Sizes,
        /// Blocks a thread.
        blocks: usize,
    },
    /// Short threads, started by each thread one after another.
    Threads(ThreadChurn),
}

/// Short threads, each of which allocates and frees a few blocks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThreadChurn {
    /// Size distribution.
    pub sizes: Sizes,
    /// Threads started one after another by each running thread.
    pub starts: u64,
    /// Blocks each allocates and frees.
    pub blocks: usize,
}

/// A recorded trace, played again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// The file.
    pub path: String,
    /// The process in it.
    #[serde(default)]
    pub stream: u16,
    /// When operations happen.
    #[serde(default)]
    pub pace: Pace,
    /// Events that are replayed at most.
    #[serde(default)]
    pub events_max: Option<u64>,
    /// Threads of the trace that call the allocator; it brings its own, whatever a run asks for.
    #[serde(default = "one_thread")]
    pub threads: usize,
}

const fn one_thread() -> usize {
    1
}

/// When the operations of a [`Replay`] happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// As soon as their order allows.
    #[default]
    Max,
    /// Not before the time at which they were recorded.
    Recorded,
}

impl Workload {
    /// The number of threads that the workload brings itself, if it does.
    pub fn own_threads(&self) -> Option<usize> {
        match &self.model {
            Model::Replay(replay) => Some(replay.threads),
            _ => None,
        }
    }
}
