//! What `allocbench` and a measuring process say to each other: a JSON request on standard input, JSON replies on standard
//! output. Plain data; both sides are built from the same sources (see [`crate::BUILD_ID`]).

use serde::{Deserialize, Serialize};
use workloads::spec::Workload;

/// What is measured in one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pass {
    /// Wall time, no clock per operation.
    Throughput,
    /// Every operation timed.
    Latency,
    /// Usable sizes and the resident set over time.
    Memory,
    /// The resident set after everything is freed.
    Drain,
    /// Instructions, under callgrind.
    Instructions,
}

impl Pass {
    /// Every pass, in the order they are planned.
    pub const ALL: [Pass; 5] =
        [Pass::Throughput, Pass::Latency, Pass::Memory, Pass::Drain, Pass::Instructions];

    /// Name in files and flags.
    pub fn name(self) -> &'static str {
        match self {
            Pass::Throughput => "throughput",
            Pass::Latency => "latency",
            Pass::Memory => "memory",
            Pass::Drain => "drain",
            Pass::Instructions => "instructions",
        }
    }

    /// The pass called `name`.
    pub fn parse(name: &str) -> Option<Pass> {
        Pass::ALL.into_iter().find(|pass| pass.name() == name)
    }
}

/// One cell to measure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Engine name, one of this binary's.
    pub engine: String,
    /// The workload, already scaled.
    pub workload: Workload,
    /// Threads.
    pub threads: usize,
    /// Base seed of the generators.
    pub seed: u64,
    /// What to measure.
    pub pass: Pass,
    /// Write patterns into blocks and check them.
    pub verify: bool,
    /// Keep each worker on one processor.
    pub pin: bool,
}

/// What a cell found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// It was measured.
    Measured(Box<Measurement>),
    /// Memory could not be had.
    OutOfMemory(String),
    /// The run is worthless, and why.
    Failed(String),
    /// The run's process died, and of what (`serve`).
    Died(String),
    /// Everything is drawn; engines may be named (`serve`).
    Ready,
}

/// The figures of one cell. Durations in nanoseconds, sizes in bytes. A field that an older build does not send is empty:
/// the gate reads replies of other revisions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Measurement {
    /// As the engine reported it.
    pub engine_version: String,
    /// From the barrier to the last thread's end.
    pub elapsed_ns: u64,
    /// Timed allocations.
    pub allocs: u64,
    /// Timed frees.
    pub frees: u64,
    /// Timed reallocations.
    pub reallocs: u64,
    /// Timed frees by another thread than the allocating one.
    pub remote_frees: u64,
    /// Σ requested.
    pub requested_bytes_sum: u64,
    /// Σ usable, where counted.
    pub usable_bytes_sum: Option<u64>,
    /// Σ over threads of the peak of live requested bytes.
    pub peak_live_requested_bytes: u64,
    /// The same of usable bytes.
    pub peak_live_usable_bytes: Option<u64>,
    /// Pointers whose engine was asserted.
    pub served_checks: u64,
    /// Blocks whose contents were checked.
    pub verified_blocks: u64,
    /// Resident set and the like.
    pub resources: Resources,
    /// Change of the engine's own counters over the timed part.
    pub counters: Counters,
    /// Latency pass only.
    pub latency: Option<Latency>,
    /// Drain pass only.
    pub drain: Option<Drain>,
    /// Memory and drain passes only.
    pub timeline: Vec<TimelinePoint>,
}

/// What the operating system says of the process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Resources {
    /// Before the first allocation of the workload.
    pub resident_bytes_before: u64,
    /// VmHWM; `None` where it cannot be reset.
    pub resident_bytes_peak: Option<u64>,
    /// At the end of the timed part.
    pub resident_bytes_end: u64,
    /// After the last free.
    pub resident_bytes_drained: u64,
    /// VmPeak.
    pub reserved_bytes_peak: u64,
    /// User CPU time of the timed part.
    pub cpu_user_ns: u64,
    /// System CPU time of the timed part.
    pub cpu_sys_ns: u64,
    /// Minor faults of the timed part.
    pub faults_minor: u64,
    /// Major faults of the timed part.
    pub faults_major: u64,
    /// Context switches of the timed part.
    pub context_switches: u64,
}

/// Differences of [`engines::Stats`] counters over the timed part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counters {
    /// Lock takings.
    pub lock_takings: Option<u64>,
    /// Lock waits.
    pub lock_waits: Option<u64>,
    /// Atomic read-modify-writes.
    pub atomic_rmws: Option<u64>,
    /// HOT operations.
    pub hot_ops: Option<u64>,
    /// WARM operations.
    pub warm_ops: Option<u64>,
    /// COLD operations.
    pub cold_ops: Option<u64>,
}

/// Latency of all timed operations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Nanoseconds of one clock cycle.
    pub ns_per_cycle: f64,
    /// Cycles that an empty measurement reads; subtracted from all quantiles, not from the histograms.
    pub clock_overhead_cycles: u64,
    /// Allocations.
    pub alloc: Quantiles,
    /// Frees.
    pub free: Quantiles,
    /// By size, in powers of two.
    pub by_size: Vec<SizeLatency>,
}

/// Quantiles in nanoseconds, clock overhead subtracted, and the histogram they were read from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// Operations.
    pub count: u64,
    /// Median.
    pub p50: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 99th percentile.
    pub p99: f64,
    /// 99.9th percentile.
    pub p999: f64,
    /// Slowest.
    pub max: f64,
    /// Mean of the slowest 1 %.
    pub tail_mean: f64,
    /// HdrHistogram of raw cycles, V2 + DEFLATE, base64.
    pub histogram: String,
}

/// Latency of the sizes in (`size_max` / 2, `size_max`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SizeLatency {
    /// Upper bound, bytes.
    pub size_max: u64,
    /// Allocations of such sizes.
    pub allocs: u64,
    /// Their median, ns.
    pub alloc_ns_p50: f64,
    /// Their 99th percentile, ns.
    pub alloc_ns_p99: f64,
    /// Frees of such sizes.
    pub frees: u64,
    /// Their median, ns.
    pub free_ns_p50: f64,
    /// Their 99th percentile, ns.
    pub free_ns_p99: f64,
}

/// The resident set after the last free, the worker threads alive and parked, one 64-byte allocation every 10 ms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Drain {
    /// One entry for each of 0, 100, 1000, 2000 and 5000 ms.
    pub points: Vec<DrainPoint>,
    /// Resident set after the engine's `trim`.
    pub resident_bytes_trimmed: u64,
}

/// One reading of [`Drain`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DrainPoint {
    /// Since the last free.
    pub after_ms: u64,
    /// Resident set.
    pub resident_bytes: u64,
    /// Part of it that the kernel may take at will.
    pub lazyfree_bytes: u64,
}

/// One reading of the resident set over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TimelinePoint {
    /// Since the clock started.
    pub t_ns: u64,
    /// Resident set.
    pub resident_bytes: u64,
    /// Phase that was running; empty where the workload has none.
    pub phase: String,
    /// Requested bytes live, where the run can tell.
    #[serde(default)]
    pub live_bytes: Option<u64>,
}

/// What `allocbench-cell engines` prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listing {
    /// [`crate::BUILD_ID`].
    pub build_id: String,
    /// Compiler and profile.
    pub compiler: String,
    /// Engines this binary was built with.
    pub engines: Vec<ListedEngine>,
}

/// One engine of a [`Listing`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListedEngine {
    /// Name.
    pub name: String,
    /// Version as it reports it.
    pub version: String,
}
