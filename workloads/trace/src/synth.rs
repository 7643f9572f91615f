//! A workload fitted to a trace: what can be shared where the trace cannot.
//!
//! The fit keeps the distribution of sizes, the mean live set, the balance of allocations and frees, and the share
//! of blocks that another thread frees. It forgets order, phases and which size lives how long, so it is a stand-in
//! for the load and not for its fragmentation; the file says so.

use std::fmt::Write;

use crate::info::{Info, quarter};

/// Sizes that the workload names at most.
const VALUES_MAX: usize = 64;
/// What the workload format allows a thread to hold, were all blocks of the largest size.
const HELD_BYTES_MAX: u64 = 16 << 30;
/// Largest block of the workload format.
const SIZE_MAX_BYTES: u64 = 256 << 20;
/// Operations a thread of the fitted workload: enough for any quantile, short enough to repeat.
const OPS_MAX: u64 = 2_000_000;

/// What was fitted.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// The workload file.
    pub toml: String,
    /// Threads it should run with to resemble the trace.
    pub threads: u64,
    /// Mean size of its blocks.
    pub mean_size_bytes: f64,
    /// Mean size of the trace's.
    pub trace_mean_size_bytes: f64,
}

/// Fits a workload called `name`; an error where the trace holds too little.
pub fn fit(info: &Info, name: &str) -> Result<Fitted, String> {
    if info.allocs < 100 {
        return Err(format!("{} allocations are too few to fit a workload to", info.allocs));
    }
    let threads =
        info.calls_by_thread.values().filter(|&&calls| calls * 100 >= info.calls()).count().max(1) as u64;
    let live_max = ((info.mean_live_blocks() / threads as f64).round() as u64).clamp(1, 1 << 26);
    let cap = (HELD_BYTES_MAX / live_max).min(SIZE_MAX_BYTES);
    let sizes = sizes(info, cap);
    let count: u64 = sizes.iter().map(|(_, count)| count).sum();
    let p_alloc = (info.allocs as f64 / (info.allocs + info.frees).max(1) as f64).clamp(0.51, 0.99);
    let handoff = if threads > 1 { info.cross_thread_frees as f64 / info.frees.max(1) as f64 } else { 0.0 };
    let ops = (info.calls() / threads).clamp(1, OPS_MAX);
    let values: Vec<String> = sizes.iter().map(|(size, _)| size.to_string()).collect();
    let weights: Vec<String> =
        sizes.iter().map(|(_, part)| format!("{:.6}", *part as f64 / count as f64)).collect();
    let mean = sizes.iter().map(|(size, part)| *size as f64 * *part as f64).sum::<f64>() / count as f64;
    let trace_mean = info.requested_bytes_sum as f64 / (info.allocs + info.reallocs).max(1) as f64;
    let mut toml = String::new();
    let _ = write!(
        toml,
        "# Fitted to a recorded trace by `allocbench trace synth`: sizes, mean live set, share freed by other threads.\n\
         # Not kept: order, phases, which size lives how long. Run it with --threads {threads}.\n\
         # Mean size {mean:.1} bytes; the trace's is {trace_mean:.1}.\n\
         [[workload]]\nname = \"{name}\"\nabout = \"Fitted to a recorded trace of {} calls on {} threads\"\n\
         touch = true\n[workload.model.churn]\n\
         sizes = {{ weighted = {{ values = [{}], weights = [{}] }} }}\n\
         p_alloc = {p_alloc:.4}\nlive_max = {live_max}\nops = {ops}\nhandoff = {handoff:.4}\nwarm_up = true\n",
        info.calls(),
        info.threads,
        values.join(", "),
        weights.join(", "),
    );
    Ok(Fitted { toml, threads, mean_size_bytes: mean, trace_mean_size_bytes: trace_mean })
}

/// Sizes and their counts: the most frequent as they are, the others gathered by quarter of a doubling, then by
/// halving until they are few enough.
fn sizes(info: &Info, cap: u64) -> Vec<(u64, u64)> {
    let mut exact: Vec<(u64, u64)> =
        info.sizes.iter().map(|(&size, &count)| (size.clamp(1, cap), count)).collect();
    exact.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let rest = exact.split_off(exact.len().min(VALUES_MAX / 2));
    let mut gathered = gather(rest, quarter);
    if gathered.len() > VALUES_MAX / 2 {
        gathered = gather(gathered, |size| size.next_power_of_two());
    }
    let mut all = gather(exact.into_iter().chain(gathered).collect(), |size| size);
    all.retain(|(_, count)| *count > 0);
    all
}

/// Sizes of one key become their mean.
fn gather(sizes: Vec<(u64, u64)>, key: impl Fn(u64) -> u64) -> Vec<(u64, u64)> {
    let mut groups = std::collections::BTreeMap::<u64, (u128, u64)>::new();
    for (size, count) in sizes {
        let group = groups.entry(key(size)).or_default();
        group.0 += u128::from(size) * u128::from(count);
        group.1 += count;
    }
    groups
        .into_values()
        .map(|(bytes, count)| ((bytes / u128::from(count.max(1))).max(1) as u64, count))
        .collect()
}
