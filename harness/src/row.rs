//! One row of `results/bench.csv`: one cell = engine × workload × threads × pass × block, measured in a process of
//! its own. The order of the fields is the order of the columns; `docs/METHODOLOGY.md` explains each.
//!
//! Rows hold raw integers (nanoseconds, bytes, counts) and the few ratios that cannot be formed later. A figure that
//! a pass does not take, or that the engine cannot tell, is an empty field, never a zero.

use serde::{Deserialize, Serialize};

/// Version of the column set; a reader refuses a file of another version.
pub const SCHEMA: u32 = 1;

/// What a cell measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Engine label: an engine's name, or `name#aa` for the A/A control (the same engine once more).
    pub engine: String,
    /// Workload name.
    pub workload: String,
    /// Threads that ran it.
    pub threads: u32,
    /// `throughput`, `latency`, `memory`, `drain` or `instructions`.
    pub pass: String,
    /// Number of the block this cell belongs to; cells of one (workload, threads, pass, block) are paired.
    pub block: u32,
    /// Place within its block, counted from 0.
    pub position: u32,
    /// `ok`, `crashed`, `timeout`, `out_of_memory` or `failed`.
    pub status: String,
    /// One line that says what happened, where status is not `ok`.
    pub detail: String,
    /// Version as the engine reported it from inside the process.
    pub engine_version: String,
    /// Family of the workload.
    pub group: String,
    /// Base seed of the workload's generators.
    pub seed: u64,
    /// Whether block contents were written and checked.
    pub verify: bool,
    /// Alignment asked for, bytes.
    pub align_bytes: u64,
    /// Timed operations a thread (the mean, where threads differ).
    pub ops_per_thread: Option<u64>,
    /// Timed operations of all threads.
    pub ops_total: Option<u64>,
    /// Wall time of the timed part, from the barrier to the last thread's end; of several runs, the median.
    pub elapsed_ns: Option<u64>,
    /// The same of every run of the cell, in their order, separated by blanks (throughput pass).
    pub elapsed_ns_runs: Option<String>,
    /// ops_total / elapsed. In the latency and memory passes this includes their own cost: compare only `throughput` rows.
    pub ops_per_s: Option<f64>,
    /// Requested bytes allocated a second.
    pub bytes_per_s: Option<f64>,
    /// User CPU time of the timed part.
    pub cpu_user_ns: Option<u64>,
    /// System CPU time of the timed part.
    pub cpu_sys_ns: Option<u64>,
    /// Timed allocations.
    pub allocs: Option<u64>,
    /// Timed frees.
    pub frees: Option<u64>,
    /// Timed reallocations.
    pub reallocs: Option<u64>,
    /// Timed frees done by another thread than the allocating one.
    pub remote_frees: Option<u64>,
    /// Latency of allocations, clock overhead subtracted (latency pass).
    pub alloc_ns_p50: Option<f64>,
    /// 90th percentile.
    pub alloc_ns_p90: Option<f64>,
    /// 99th percentile.
    pub alloc_ns_p99: Option<f64>,
    /// 99.9th percentile.
    pub alloc_ns_p999: Option<f64>,
    /// Maximum.
    pub alloc_ns_max: Option<f64>,
    /// Mean of the slowest 1 %.
    pub alloc_ns_tail_mean: Option<f64>,
    /// Latency of frees, as above.
    pub free_ns_p50: Option<f64>,
    /// 90th percentile.
    pub free_ns_p90: Option<f64>,
    /// 99th percentile.
    pub free_ns_p99: Option<f64>,
    /// 99.9th percentile.
    pub free_ns_p999: Option<f64>,
    /// Maximum.
    pub free_ns_max: Option<f64>,
    /// Mean of the slowest 1 %.
    pub free_ns_tail_mean: Option<f64>,
    /// What an empty measurement reads, already subtracted above.
    pub clock_overhead_ns: Option<f64>,
    /// Σ usable / Σ requested over all allocations (memory pass).
    pub usable_per_requested: Option<f64>,
    /// Σ over threads of each thread's peak of live requested bytes.
    pub peak_live_requested_bytes: Option<u64>,
    /// The same of usable bytes (memory pass).
    pub peak_live_usable_bytes: Option<u64>,
    /// Resident set before the workload, everything of the harness touched.
    pub resident_bytes_before: Option<u64>,
    /// Highest resident set during the workload (VmHWM, reset before it).
    pub resident_bytes_peak: Option<u64>,
    /// Resident set when the clock stops, live blocks still held.
    pub resident_bytes_end: Option<u64>,
    /// Resident set right after the last block is freed.
    pub resident_bytes_drained: Option<u64>,
    /// Resident set 100 ms after (drain pass).
    pub resident_bytes_drained_100ms: Option<u64>,
    /// Resident set 1 s after.
    pub resident_bytes_drained_1s: Option<u64>,
    /// Resident set 2 s after.
    pub resident_bytes_drained_2s: Option<u64>,
    /// Resident set 5 s after.
    pub resident_bytes_drained_5s: Option<u64>,
    /// Of the resident set at 5 s, bytes that the kernel may take at will (LazyFree).
    pub lazyfree_bytes_drained_5s: Option<u64>,
    /// Resident set after the engine's `trim`, called once at the end of the drain pass.
    pub resident_bytes_trimmed: Option<u64>,
    /// Highest address space size (VmPeak).
    pub reserved_bytes_peak: Option<u64>,
    /// Page faults without input or output during the timed part.
    pub faults_minor: Option<u64>,
    /// Page faults with.
    pub faults_major: Option<u64>,
    /// Voluntary and involuntary context switches of the timed part.
    pub context_switches: Option<u64>,
    /// Lock takings of the engine during the timed part.
    pub lock_takings: Option<u64>,
    /// Of these, those that had to wait.
    pub lock_waits: Option<u64>,
    /// Atomic read-modify-writes of the engine outside locks.
    pub atomic_rmws: Option<u64>,
    /// Share of operations served by the thread cache alone.
    pub hot_share: Option<f64>,
    /// Share that refilled or flushed it.
    pub warm_share: Option<f64>,
    /// Share that went further.
    pub cold_share: Option<f64>,
    /// Instructions executed in the timed part (instructions pass, callgrind).
    pub instructions: Option<u64>,
    /// The same over ops_total, the harness's loop included.
    pub instructions_per_op: Option<f64>,
    /// Wall time of the whole process, what the planner reckons with.
    pub cell_ns: Option<u64>,
}

impl Row {
    /// Durations of the runs of this cell in the order of the rounds; empty where there is but one, or a word is no number.
    pub fn runs_ns(&self) -> Vec<u64> {
        let words = self.elapsed_ns_runs.as_deref().unwrap_or_default().split_ascii_whitespace();
        words.map(str::parse).collect::<Result<_, _>>().unwrap_or_default()
    }

    /// What makes a row unique in a file.
    pub fn key(&self) -> (String, String, u32, String, u32) {
        (self.engine.clone(), self.workload.clone(), self.threads, self.pass.clone(), self.block)
    }

    /// Whether the cell was measured.
    pub fn is_ok(&self) -> bool {
        self.status == "ok"
    }
}
