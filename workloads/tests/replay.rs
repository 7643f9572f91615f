//! Replay of traces that are made here: order, threads, contents, counts.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use engines::{Engine, catalog};
use trace::{Event, Meta, Op, StreamInfo, Writer};
use workloads::replay;
use workloads::spec::Pace;
use workloads::{Hooks, LiveGauge, Mode, NoHooks, Outcome, RunError, RunOptions, prepare};

fn engine(name: &str) -> &'static dyn Engine {
    catalog::find(name).unwrap().instance.unwrap()()
}

fn write(folder: &Path, events: &[Event], quantum_ns: u64) -> PathBuf {
    let path = folder.join("made here.trace");
    let mut writer = Writer::new(Vec::new(), &Meta { quantum_ns, ..Meta::default() }).unwrap();
    let stream = writer.stream(&StreamInfo::default()).unwrap();
    events.iter().for_each(|event| writer.push(stream, event).unwrap());
    std::fs::write(&path, writer.finish().unwrap()).unwrap();
    path
}

fn run(path: &Path, pace: Pace, engine_name: &str, mode: Mode, verify: bool) -> Result<Outcome, RunError> {
    run_watched(path, pace, engine_name, mode, verify, &NoHooks)
}

fn run_watched(
    path: &Path,
    pace: Pace,
    engine_name: &str,
    mode: Mode,
    verify: bool,
    hooks: &dyn Hooks,
) -> Result<Outcome, RunError> {
    let (workload, _) = replay::workload(path, None, pace, true).unwrap();
    workload.validate().unwrap();
    let prepared = prepare(&workload, 1, 42).unwrap();
    prepared.run(engine(engine_name), &RunOptions { mode, verify, pin: false }, hooks)
}

/// Threads that make blocks for one another, resize, come and go; some blocks are left.
fn busy(events: u64, threads: u32) -> Vec<Event> {
    let mut seed = 7_u64;
    let mut draw = move |bound: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % bound.max(1)
    };
    let (mut live, mut made, mut out) = (Vec::new(), 0, Vec::new());
    for at in 0..events {
        // Each stretch has its own pair of threads, so that threads start, hand over and end.
        let stretch = (at * u64::from(threads) / events) as u32;
        let thread = stretch.saturating_sub(draw(2) as u32);
        let op = match draw(if live.is_empty() { 1 } else { 10 }) {
            0..=4 => {
                live.push(made);
                made += 1;
                let align_log2 = if draw(20) == 0 { 6 } else { 0 };
                Op::Alloc { id: made - 1, size: draw(3000), align_log2, zeroed: false }
            }
            5 => Op::Realloc { id: live[draw(live.len() as u64) as usize], size: draw(5000), moved: true },
            _ => Op::Free { id: live.swap_remove(draw(live.len() as u64) as usize), sized: None },
        };
        out.push(Event { thread, time: at, op });
    }
    // Every thread but the last says that it ends, behind its last event.
    for thread in (0..threads - 1).rev() {
        let last = out.iter().rposition(|event| event.thread == thread).unwrap();
        out.insert(last + 1, Event { thread, time: out[last].time, op: Op::ThreadExit });
    }
    out
}

#[test]
fn every_engine_replays_and_keeps_contents() {
    let folder = tempfile::tempdir().unwrap();
    let events = busy(30_000, 12);
    let path = write(folder.path(), &events, 1);
    let count = |wanted: fn(&Op) -> bool| events.iter().filter(|event| wanted(&event.op)).count() as u64;
    for entry in catalog::built().filter(|entry| entry.name != "floor" && entry.name != "c_abi") {
        let found = run(&path, Pace::Max, entry.name, Mode::Plain, true).unwrap();
        assert_eq!(found.allocs, count(|op| matches!(op, Op::Alloc { .. })), "{}", entry.name);
        assert_eq!(found.frees, count(|op| matches!(op, Op::Free { .. })), "{}", entry.name);
        assert_eq!(found.reallocs, count(|op| matches!(op, Op::Realloc { .. })), "{}", entry.name);
        // Every block is looked at when it is resized, freed, or left at the end.
        assert_eq!(found.verified_blocks, found.allocs + found.reallocs, "{}", entry.name);
        assert!(found.remote_frees > 1000 && found.served_checks > 10, "{}", entry.name);
    }
}

#[test]
fn accounting_finds_the_peak_that_the_trace_has() {
    let folder = tempfile::tempdir().unwrap();
    // One thread: nothing happens in another order than it was recorded in.
    let path = write(folder.path(), &busy(20_000, 1), 1);
    let plain = run(&path, Pace::Max, "system", Mode::Plain, false).unwrap();
    let accounted = run(&path, Pace::Max, "system", Mode::Accounting, false).unwrap();
    assert_eq!(accounted.peak_live_requested_bytes, plain.peak_live_requested_bytes);
    assert!(accounted.peak_live_usable_bytes.unwrap() >= accounted.peak_live_requested_bytes);
    assert!(accounted.usable_bytes_sum.unwrap() >= accounted.requested_bytes_sum);
}

#[test]
fn each_operation_leaves_a_sample() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), &busy(10_000, 3), 1);
    let mode = Mode::Timed { max_samples_per_thread: 1 << 20 };
    let found = run(&path, Pace::Max, "system", mode, false).unwrap();
    let samples = found.samples.unwrap();
    assert_eq!(samples.alloc.len() as u64, found.allocs);
    assert_eq!(samples.free.len() as u64, found.frees);
    assert_eq!(samples.realloc.len() as u64, found.reallocs);
}

#[test]
fn the_recorded_pace_takes_the_recorded_time() {
    let folder = tempfile::tempdir().unwrap();
    let events: Vec<Event> = (0..40_u64)
        .map(|at| Event {
            thread: (at % 2) as u32,
            time: at * 10,
            op: Op::Alloc { id: at, size: 100, align_log2: 0, zeroed: false },
        })
        .collect();
    // 40 events at 10 units of 0.5 ms.
    let path = write(folder.path(), &events, 500_000);
    let paced = run(&path, Pace::Recorded, "system", Mode::Plain, false).unwrap();
    assert!((195_000_000..400_000_000).contains(&paced.elapsed_ns), "{} ns", paced.elapsed_ns);
    assert!(run(&path, Pace::Max, "system", Mode::Plain, false).unwrap().elapsed_ns < 100_000_000);
    let untimed = write(folder.path(), &events, 0);
    let refused = replay::workload(&untimed, None, Pace::Recorded, true).err().unwrap();
    assert!(refused.contains("no times"), "{refused}");
}

/// More than a segment: decoding between segments is not on the clock and loses nothing.
#[test]
fn a_long_trace_is_many_segments() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), &busy(1_200_000, 5), 1);
    let found = run(&path, Pace::Max, "floor", Mode::Plain, false).unwrap();
    assert_eq!(found.allocs + found.frees + found.reallocs, 1_200_000);
    let found = run(&path, Pace::Max, "system", Mode::Plain, true).unwrap();
    assert_eq!(found.verified_blocks, found.allocs + found.reallocs);
}

/// Moments of a run, and whether the gauge falls to nothing when all is freed.
#[derive(Default)]
struct Moments(Mutex<(Vec<&'static str>, Option<LiveGauge>)>);

impl Hooks for Moments {
    fn before_clock(&self) {
        self.0.lock().unwrap().0.push("before");
    }
    fn after_clock(&self) {
        let mut inner = self.0.lock().unwrap();
        assert!(inner.1.as_ref().unwrap().requested_bytes() > 0, "blocks are held");
        inner.0.push("after");
    }
    fn drained(&self) {
        self.0.lock().unwrap().0.push("drained");
    }
    fn phase(&self, _name: &str) {}
    fn live(&self, gauge: LiveGauge) {
        self.0.lock().unwrap().1 = Some(gauge);
    }
}

#[test]
fn hooks_come_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), &busy(5_000, 4), 1);
    let moments = Moments::default();
    run_watched(&path, Pace::Max, "system", Mode::Accounting, false, &moments).unwrap();
    assert_eq!(moments.0.lock().unwrap().0, ["before", "after", "drained"]);
}

#[test]
fn a_trace_that_frees_twice_or_is_empty_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    let event = |op| Event { thread: 0, time: 0, op };
    let twice = [
        event(Op::Alloc { id: 0, size: 0, align_log2: 0, zeroed: false }),
        event(Op::Free { id: 0, sized: None }),
        event(Op::Free { id: 0, sized: None }),
        event(Op::Realloc { id: 0, size: 5, moved: false }),
    ];
    let path = write(folder.path(), &twice, 1);
    let found = run(&path, Pace::Max, "system", Mode::Plain, true).unwrap();
    assert_eq!((found.allocs, found.frees, found.reallocs), (1, 1, 0));
    let path = write(folder.path(), &[event(Op::Stray)], 1);
    assert!(replay::workload(&path, None, Pace::Max, true).err().unwrap().contains("holds no allocation"));
}
