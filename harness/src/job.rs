//! From a planned cell to a request, and from what came back to a row.

use cell::wire::{Counters, Latency, Measurement, Pass, Quantiles, Request};
use workloads::spec::Workload;

use crate::args::RunArgs;
use crate::engine::Choice;
use crate::row::{Row, SCHEMA};
use crate::runner::{Ending, Finished};

/// Place of a cell in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Pass.
    pub pass: Pass,
    /// Block within its comparison.
    pub block: u32,
    /// Place within the block.
    pub position: u32,
}

/// Operations a thread in the instructions pass, where each costs some fifty times as much.
pub const INSTRUCTION_PASS_OPS: u64 = 20_000;

/// The request for a cell.
pub fn request(choice: &Choice, workload: &Workload, threads: usize, args: &RunArgs, pass: Pass) -> Request {
    let (seed, verify, pin) = (args.seed, args.verify, !args.no_pin);
    Request { engine: choice.engine.clone(), workload: workload.clone(), threads, seed, pass, verify, pin }
}

/// The row of a finished cell; `None` where the user interrupted it.
pub fn row(choice: &Choice, request: &Request, place: Place, finished: &Finished) -> Option<Row> {
    let (status, detail) = match &finished.ending {
        Ending::Measured(_) => ("ok", String::new()),
        Ending::Crashed(what) => ("crashed", what.clone()),
        Ending::Timeout(what) => ("timeout", what.clone()),
        Ending::OutOfMemory(what) => ("out_of_memory", what.clone()),
        Ending::Failed(what) => ("failed", what.clone()),
        Ending::Interrupted => return None,
    };
    let mut row = Row {
        schema: SCHEMA,
        engine: choice.label.clone(),
        workload: request.workload.name.clone(),
        threads: request.threads as u32,
        pass: place.pass.name().into(),
        block: place.block,
        position: place.position,
        status: status.into(),
        detail,
        engine_version: choice.version.clone(),
        group: request.workload.group.clone(),
        seed: request.seed,
        verify: request.verify,
        align_bytes: request.workload.align as u64,
        cell_ns: Some(finished.wall.as_nanos() as u64),
        ..Row::default()
    };
    if let Ending::Measured(measurement) = &finished.ending {
        fill(&mut row, measurement, place.pass, finished.instructions);
        if !finished.runs_ns.is_empty() {
            let runs: Vec<String> = finished.runs_ns.iter().map(u64::to_string).collect();
            row.elapsed_ns_runs = Some(runs.join(" "));
        }
    }
    Some(row)
}

fn fill(row: &mut Row, found: &Measurement, pass: Pass, instructions: Option<u64>) {
    let ops = found.allocs + found.frees + found.reallocs;
    row.engine_version.clone_from(&found.engine_version);
    row.ops_per_thread = Some(ops / u64::from(row.threads.max(1)));
    row.ops_total = Some(ops);
    row.allocs = Some(found.allocs);
    row.frees = Some(found.frees);
    row.reallocs = Some(found.reallocs);
    row.remote_frees = Some(found.remote_frees);
    row.peak_live_requested_bytes = Some(found.peak_live_requested_bytes);
    row.peak_live_usable_bytes = found.peak_live_usable_bytes;
    row.usable_per_requested = found
        .usable_bytes_sum
        .filter(|_| found.requested_bytes_sum > 0)
        .map(|usable| usable as f64 / found.requested_bytes_sum as f64);
    if pass == Pass::Instructions {
        row.instructions = instructions;
        row.instructions_per_op = instructions.filter(|_| ops > 0).map(|count| count as f64 / ops as f64);
        return; // Times and memory under callgrind are callgrind's.
    }
    fill_times(row, found, ops);
    fill_memory(row, found);
    fill_counters(row, &found.counters, ops);
    if let Some(latency) = &found.latency {
        fill_latency(row, latency);
    }
}

fn fill_times(row: &mut Row, found: &Measurement, ops: u64) {
    row.elapsed_ns = Some(found.elapsed_ns);
    let seconds = found.elapsed_ns as f64 / 1e9;
    if seconds > 0.0 {
        row.ops_per_s = Some(ops as f64 / seconds);
        row.bytes_per_s = Some(found.requested_bytes_sum as f64 / seconds);
    }
    row.cpu_user_ns = Some(found.resources.cpu_user_ns);
    row.cpu_sys_ns = Some(found.resources.cpu_sys_ns);
    row.context_switches = Some(found.resources.context_switches);
}

fn fill_memory(row: &mut Row, found: &Measurement) {
    let resources = &found.resources;
    row.resident_bytes_before = Some(resources.resident_bytes_before);
    row.resident_bytes_peak = resources.resident_bytes_peak;
    row.resident_bytes_end = Some(resources.resident_bytes_end);
    row.resident_bytes_drained = Some(resources.resident_bytes_drained);
    row.reserved_bytes_peak = Some(resources.reserved_bytes_peak);
    row.faults_minor = Some(resources.faults_minor);
    row.faults_major = Some(resources.faults_major);
    let Some(drain) = &found.drain else { return };
    let at = |ms: u64| drain.points.iter().find(|point| point.after_ms == ms);
    row.resident_bytes_drained = at(0).map(|point| point.resident_bytes);
    row.resident_bytes_drained_100ms = at(100).map(|point| point.resident_bytes);
    row.resident_bytes_drained_1s = at(1_000).map(|point| point.resident_bytes);
    row.resident_bytes_drained_2s = at(2_000).map(|point| point.resident_bytes);
    row.resident_bytes_drained_5s = at(5_000).map(|point| point.resident_bytes);
    row.lazyfree_bytes_drained_5s = at(5_000).map(|point| point.lazyfree_bytes);
    row.resident_bytes_trimmed = Some(drain.resident_bytes_trimmed);
}

fn fill_counters(row: &mut Row, counters: &Counters, ops: u64) {
    row.lock_takings = counters.lock_takings;
    row.lock_waits = counters.lock_waits;
    row.atomic_rmws = counters.atomic_rmws;
    let (Some(warm), Some(cold)) = (counters.warm_ops, counters.cold_ops) else { return };
    // What took slabs from the pool, or gave them back, was on its way through a refill or a flush.
    let warm = warm.saturating_sub(cold);
    // An engine that counts nothing on HOT serves there whatever did not go further.
    let hot = counters.hot_ops.unwrap_or_else(|| ops.saturating_sub(warm + cold));
    let all = (hot + warm + cold).max(1) as f64;
    row.hot_share = Some(hot as f64 / all);
    row.warm_share = Some(warm as f64 / all);
    row.cold_share = Some(cold as f64 / all);
}

fn fill_latency(row: &mut Row, latency: &Latency) {
    row.clock_overhead_ns = Some(latency.clock_overhead_cycles as f64 * latency.ns_per_cycle);
    let some = |quantiles: &Quantiles, value: f64| (quantiles.count > 0).then_some(value);
    let (alloc, free) = (&latency.alloc, &latency.free);
    row.alloc_ns_p50 = some(alloc, alloc.p50);
    row.alloc_ns_p90 = some(alloc, alloc.p90);
    row.alloc_ns_p99 = some(alloc, alloc.p99);
    row.alloc_ns_p999 = some(alloc, alloc.p999);
    row.alloc_ns_max = some(alloc, alloc.max);
    row.alloc_ns_tail_mean = some(alloc, alloc.tail_mean);
    row.free_ns_p50 = some(free, free.p50);
    row.free_ns_p90 = some(free, free.p90);
    row.free_ns_p99 = some(free, free.p99);
    row.free_ns_p999 = some(free, free.p999);
    row.free_ns_max = some(free, free.max);
    row.free_ns_tail_mean = some(free, free.tail_mean);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_neither_refilled_nor_flushed_was_hot() {
        let counted = Counters { warm_ops: Some(30), cold_ops: Some(10), ..Counters::default() };
        let mut row = Row::default();
        fill_counters(&mut row, &counted, 1000);
        assert_eq!((row.hot_share, row.warm_share, row.cold_share), (Some(0.97), Some(0.02), Some(0.01)));
        let mut row = Row::default();
        fill_counters(&mut row, &Counters { cold_ops: Some(1), ..Counters::default() }, 1000);
        assert_eq!(row.hot_share, None, "an engine that says nothing of refills");
    }
}
