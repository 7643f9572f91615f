//! Every built-in workload, at one, two and five threads (more than the machine may have), contents verified,
//! against an engine that keeps an account: nothing leaks, counts balance, the same seed does the same.

mod support;

use support::{Flaw, TestEngine};
use workloads::spec::{Action, Model};
use workloads::{Mode, NoHooks, Outcome, RunOptions, Workload, builtin, prepare};

/// Built-in workloads in a form that ends within milliseconds.
fn small() -> Vec<Workload> {
    let mut all = builtin();
    for workload in &mut all {
        *workload = workload.scaled(2_000);
        match &mut workload.model {
            Model::Slots(slots) => {
                slots.slots = slots.slots.min(400);
                slots.cycles = slots.cycles.min(2_000);
            }
            Model::Batch(batch) => {
                batch.batch = batch.batch.min(2_000);
                batch.cycles = batch.cycles.min(10);
            }
            Model::Churn(churn) => churn.live_max = churn.live_max.min(500),
            Model::Replay(_) => {}
            Model::Steal(steal) => steal.depth = steal.depth.min(9),
            Model::Larson(larson) => larson.generations = 4,
            Model::Phases(phases) => {
                for step in &mut phases.steps {
                    match &mut step.action {
                        Action::Idle(ms) => *ms = 1,
                        Action::Burst { blocks, .. } => *blocks = 2_000,
                        Action::Churn(churn) => churn.live_max = 500,
                        Action::Threads(threads) => threads.blocks = 50,
                    }
                }
            }
            Model::Relay(_) | Model::ThreadChurn(_) => {}
        }
    }
    all
}

fn run(workload: &Workload, threads: usize, mode: Mode, verify: bool) -> Outcome {
    let engine = TestEngine::leaked(Flaw::None);
    let prepared = prepare(workload, threads, 42).unwrap();
    let outcome = prepared.run(engine, &RunOptions { mode, verify, pin: true }, &NoHooks);
    let outcome = outcome.unwrap_or_else(|error| panic!("{} × {threads}: {error}", workload.name));
    assert_eq!(engine.live_blocks(), 0, "{} × {threads} leaks", workload.name);
    assert_eq!(engine.threads_inside(), 0, "{} × {threads}: a thread did not leave", workload.name);
    let (expected, requested) = engine.expected_and_requested();
    assert!(expected >= requested, "{} × {threads}: {requested} bytes, {expected} expected", workload.name);
    assert!(outcome.allocs >= outcome.frees.saturating_sub(warm_bound(workload, threads)));
    assert!(outcome.served_checks > 0 && outcome.elapsed_ns > 0);
    assert!(outcome.remote_frees <= outcome.frees);
    assert_eq!(outcome.threads_elapsed_ns.len(), threads);
    assert!(outcome.threads_elapsed_ns.iter().all(|&ns| ns <= outcome.elapsed_ns));
    outcome
}

/// Blocks that may be live when the clock starts.
fn warm_bound(workload: &Workload, threads: usize) -> u64 {
    let live = match &workload.model {
        Model::Churn(churn) => churn.live_max,
        Model::Slots(slots) => slots.slots,
        Model::Larson(larson) => larson.slots,
        _ => 0,
    };
    (live * threads) as u64
}

#[test]
fn every_workload_runs_verified_at_any_number_of_threads() {
    for workload in small() {
        for threads in [1, 2, 5] {
            let outcome = run(&workload, threads, Mode::Plain, true);
            assert!(outcome.verified_blocks >= outcome.frees, "{} × {threads}", workload.name);
            assert!(outcome.samples.is_none() && outcome.usable_bytes_sum.is_none());
            if threads == 1 && !matches!(workload.model, Model::Larson(_)) {
                assert_eq!(outcome.remote_frees, 0, "{}", workload.name);
            }
        }
    }
}

#[test]
fn every_workload_times_every_operation() {
    for workload in small() {
        for threads in [1, 3] {
            let outcome = run(&workload, threads, Mode::Timed { max_samples_per_thread: 1_000_000 }, false);
            let samples = outcome.samples.as_ref().unwrap();
            let taken = (samples.alloc.len(), samples.free.len(), samples.realloc.len());
            let done = (outcome.allocs as usize, outcome.frees as usize, outcome.reallocs as usize);
            if matches!(workload.model, Model::Steal(_)) {
                assert!(taken.0 * 3 == done.0 * 2 && taken.1 <= done.1, "{taken:?} {done:?}");
            } else {
                assert_eq!(taken, done, "{} × {threads}", workload.name);
            }
            assert!(samples.alloc.iter().all(|sample| sample.size() > 0 && sample.cycles() > 0));
            assert!(samples.ns_per_cycle > 0.0 && samples.clock_overhead_cycles > 0);
        }
    }
}

#[test]
fn a_timed_run_is_cut_short_rather_than_sampled() {
    for workload in small() {
        let whole = run(&workload, 2, Mode::Plain, false);
        let outcome = run(&workload, 2, Mode::Timed { max_samples_per_thread: 300 }, true);
        let ops = outcome.allocs + outcome.frees + outcome.reallocs;
        assert!(ops > 0 && ops <= whole.allocs + whole.frees + whole.reallocs, "{}", workload.name);
        if !matches!(workload.model, Model::Steal(_)) {
            // Each thread does 300 operations, a hand-off among them freed by its neighbour.
            assert!(ops <= 2 * 300 + 2 * 300, "{}: {ops}", workload.name);
        }
    }
}

#[test]
fn every_workload_accounts_for_its_bytes() {
    for workload in small() {
        for threads in [1, 3] {
            let plain = run(&workload, threads, Mode::Plain, false);
            let outcome = run(&workload, threads, Mode::Accounting, true);
            let usable = outcome.usable_bytes_sum.unwrap();
            assert_eq!(plain.requested_bytes_sum, outcome.requested_bytes_sum);
            assert_eq!((plain.allocs, plain.reallocs), (outcome.allocs, outcome.reallocs));
            assert!(usable >= outcome.requested_bytes_sum, "{}: {usable}", workload.name);
            assert!(usable <= outcome.requested_bytes_sum + 16 * (outcome.allocs + outcome.reallocs));
            let peaks = (outcome.peak_live_requested_bytes, outcome.peak_live_usable_bytes.unwrap());
            assert!(peaks.0 > 0 && peaks.0 <= peaks.1, "{}: {peaks:?}", workload.name);
            assert!(peaks.0 >= plain.peak_live_requested_bytes, "{}: {peaks:?}", workload.name);
        }
    }
}

#[test]
fn one_thread_does_exactly_what_the_specification_says() {
    let find = |name: &str| workloads::find(name).unwrap();
    let outcome = run(&find("rl_small").scaled(20_000), 2, Mode::Plain, false);
    assert_eq!(outcome.allocs + outcome.frees, 40_000);
    let outcome = run(&find("tiny_hot").scaled(2_000), 1, Mode::Plain, true);
    assert_eq!((outcome.allocs, outcome.frees), (60_000, 60_000));
    assert_eq!(outcome.peak_live_requested_bytes, 6_400);
    assert_eq!(outcome.requested_bytes_sum, 60_000 * 64);
}
