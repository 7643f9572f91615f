//! Measures one request: runs the workload against the engine and reads the process's state at the moments that the
//! workload announces through its hooks.
//!
//! What is resident before the engine's first call (`resident_bytes_before`) holds everything of the harness: operation
//! streams, live-set arrays, sample buffers, stacks, all touched. So a difference to it belongs to the engine, its warm-up
//! included.

use std::sync::Mutex;
use std::time::Duration;

use cell::wire::{Counters, Drain, DrainPoint, Measurement, Pass, Reply, Request, Resources};
use engines::{Engine, Stats};
use workloads::{Hooks, LiveGauge, Mode, Outcome, Prepared, RunError, RunOptions};

use crate::latency;
use crate::raw::{Callgrind, Usage, call_once, usage};
use crate::resources;
use crate::timeline::Timeline;

/// Samples a thread keeps in the latency pass; longer runs are shortened to it.
const MAX_SAMPLES_PER_THREAD: usize = 1_000_000;

/// When the drain pass reads the resident set, in milliseconds after the last free.
pub const DRAIN_POINTS_MS: [u64; 5] = [0, 100, 1_000, 2_000, 5_000];

/// How often the drain pass calls the allocator meanwhile.
const DRAIN_TICK: Duration = Duration::from_millis(10);

/// Runs the request to its end.
pub fn measure(request: &Request) -> Reply {
    let prepared = match workloads::prepare(&request.workload, request.threads, request.seed) {
        Ok(prepared) => prepared,
        Err(what) => return Reply::Failed(what),
    };
    once(request, prepared)
}

/// Runs what was prepared for the request.
pub fn once(request: &Request, prepared: Prepared) -> Reply {
    match try_measure(request, prepared) {
        Ok(measurement) => Reply::Measured(Box::new(measurement)),
        Err(RunError::OutOfMemory(what)) => Reply::OutOfMemory(what),
        Err(RunError::NotServed(what)) => {
            Reply::Failed(format!("another allocator served the block: {what}"))
        }
        Err(RunError::Corrupt(what)) => Reply::Failed(format!("corrupt memory: {what}")),
        Err(RunError::Unsupported(what)) => Reply::Failed(what),
    }
}

fn try_measure(request: &Request, prepared: Prepared) -> Result<Measurement, RunError> {
    let engine = engine(&request.engine).map_err(RunError::Unsupported)?;
    let mode = match request.pass {
        Pass::Latency => Mode::Timed { max_samples_per_thread: MAX_SAMPLES_PER_THREAD },
        Pass::Memory => Mode::Accounting,
        Pass::Throughput | Pass::Drain | Pass::Instructions => Mode::Plain,
    };
    let watch = Watch::new(engine, request.pass);
    let outcome =
        prepared.run(engine, &RunOptions { mode, verify: request.verify, pin: request.pin }, &watch)?;
    let latency = match &outcome.samples {
        Some(samples) => Some(latency::summarise(samples).map_err(RunError::Corrupt)?),
        None => None,
    };
    Ok(Measurement { latency, ..watch.finish(engine.version(), &outcome) })
}

fn engine(name: &str) -> Result<&'static dyn Engine, String> {
    match engines::find(name) {
        Some(entry) => match entry.instance {
            Some(instance) => Ok(instance()),
            None => Err(format!(
                "engine {name} is not built into this binary: it needs the cargo feature {}",
                entry.feature
            )),
        },
        None => Err(format!("no engine is called {name}")),
    }
}

/// The hooks: one reading of the process at each moment.
struct Watch {
    engine: &'static dyn Engine,
    pass: Pass,
    state: Mutex<Readings>,
    timeline: Option<Timeline>,
}

#[derive(Default)]
struct Readings {
    peak_is_reset: bool,
    start: Usage,
    end: Usage,
    stats_before: Stats,
    stats_after: Stats,
    resources: Resources,
    drain: Option<Drain>,
}

impl Watch {
    fn new(engine: &'static dyn Engine, pass: Pass) -> Watch {
        let timeline = matches!(pass, Pass::Memory | Pass::Drain).then(Timeline::new);
        Watch { engine, pass, state: Mutex::default(), timeline }
    }

    fn readings(&self) -> std::sync::MutexGuard<'_, Readings> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn finish(self, engine_version: String, outcome: &Outcome) -> Measurement {
        let timeline = self.timeline.map(Timeline::finish).unwrap_or_default();
        let mut readings = self.state.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (peak, reserved) = resources::peaks();
        let spent = |read: fn(&Usage) -> u64| read(&readings.end).saturating_sub(read(&readings.start));
        let resources = Resources {
            resident_bytes_peak: readings.peak_is_reset.then_some(peak),
            reserved_bytes_peak: reserved,
            cpu_user_ns: spent(|usage| usage.user_ns),
            cpu_sys_ns: spent(|usage| usage.sys_ns),
            faults_minor: spent(|usage| usage.faults_minor),
            faults_major: spent(|usage| usage.faults_major),
            context_switches: spent(|usage| usage.context_switches),
            ..readings.resources
        };
        Measurement {
            engine_version,
            elapsed_ns: outcome.elapsed_ns,
            allocs: outcome.allocs,
            frees: outcome.frees,
            reallocs: outcome.reallocs,
            remote_frees: outcome.remote_frees,
            requested_bytes_sum: outcome.requested_bytes_sum,
            usable_bytes_sum: outcome.usable_bytes_sum,
            peak_live_requested_bytes: outcome.peak_live_requested_bytes,
            peak_live_usable_bytes: outcome.peak_live_usable_bytes,
            served_checks: outcome.served_checks,
            verified_blocks: outcome.verified_blocks,
            resources,
            counters: change(&readings.stats_before, &readings.stats_after),
            latency: None,
            drain: readings.drain.take(),
            timeline,
        }
    }

    /// Asks callgrind, in the pass that it counts. It counts no thread while that waits: how long they spin is chance.
    fn callgrind(&self, request: Callgrind) {
        if self.pass == Pass::Instructions {
            request.send();
        }
    }

    /// Reads the resident set at the points, calling the allocator now and then, then trims.
    fn watch_drain(&self) -> Drain {
        let start = std::time::Instant::now();
        let mut points = Vec::with_capacity(DRAIN_POINTS_MS.len());
        for after_ms in DRAIN_POINTS_MS {
            let point = Duration::from_millis(after_ms);
            while start.elapsed() < point {
                std::thread::sleep(DRAIN_TICK.min(point.saturating_sub(start.elapsed())));
                call_once(self.engine);
            }
            let (resident_bytes, lazyfree_bytes) = resources::resident_and_lazyfree();
            points.push(DrainPoint { after_ms, resident_bytes, lazyfree_bytes });
        }
        self.engine.trim();
        Drain { points, resident_bytes_trimmed: resources::resident_and_lazyfree().0 }
    }
}

impl Hooks for Watch {
    fn before_engine(&self) {
        let mut readings = self.readings();
        readings.resources.resident_bytes_before = resources::resident_and_lazyfree().0;
        readings.peak_is_reset = resources::reset_resident_peak();
    }

    fn before_clock(&self) {
        let mut readings = self.readings();
        readings.stats_before = self.engine.stats();
        if let Some(timeline) = &self.timeline {
            timeline.start();
        }
        readings.start = usage();
        self.callgrind(Callgrind::ToggleCollect);
        self.callgrind(Callgrind::ZeroStats);
    }

    fn after_clock(&self) {
        self.callgrind(Callgrind::DumpStats);
        self.callgrind(Callgrind::ToggleCollect);
        let mut readings = self.readings();
        readings.end = usage();
        readings.stats_after = self.engine.stats();
        readings.resources.resident_bytes_end = resources::resident_and_lazyfree().0;
    }

    fn drained(&self) {
        if let Some(timeline) = &self.timeline {
            timeline.phase("drained");
        }
        let drained = resources::resident_and_lazyfree().0;
        let drain = (self.pass == Pass::Drain).then(|| self.watch_drain());
        if let Some(timeline) = &self.timeline {
            timeline.stop();
        }
        let mut readings = self.readings();
        readings.resources.resident_bytes_drained = drained;
        readings.drain = drain;
    }

    fn live(&self, gauge: LiveGauge) {
        // Only the memory pass accounts; a drain pass would show zeroes.
        if let (Some(timeline), Pass::Memory) = (&self.timeline, self.pass) {
            timeline.watch(gauge);
        }
    }

    fn phase(&self, name: &str) {
        if let Some(timeline) = &self.timeline {
            timeline.phase(name);
        }
    }

    fn waits(&self) {
        self.callgrind(Callgrind::ToggleCollect);
    }

    fn works(&self) {
        self.callgrind(Callgrind::ToggleCollect);
    }
}

/// What the engine's counters gained.
fn change(before: &Stats, after: &Stats) -> Counters {
    let gain = |read: fn(&Stats) -> Option<u64>| Some(read(after)?.saturating_sub(read(before)?));
    Counters {
        lock_takings: gain(|stats| stats.lock_takings),
        lock_waits: gain(|stats| stats.lock_waits),
        atomic_rmws: gain(|stats| stats.atomic_rmws),
        hot_ops: gain(|stats| stats.hot_ops),
        warm_ops: gain(|stats| stats.warm_ops),
        cold_ops: gain(|stats| stats.cold_ops),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_differences_and_unknown_stays_unknown() {
        let before = Stats { lock_takings: Some(5), ..Stats::default() };
        let after = Stats { lock_takings: Some(12), lock_waits: Some(3), ..Stats::default() };
        let gained = change(&before, &after);
        assert_eq!(gained.lock_takings, Some(7));
        assert_eq!(gained.lock_waits, None);
    }

    #[test]
    fn an_unknown_engine_is_named() {
        assert!(engine("no-such-engine").err().unwrap().contains("no-such-engine"));
    }
}
