//! Engines that break their contract, each in one way: a run must say so, with the right error, and must end.

mod support;

use support::{Flaw, TestEngine};
use workloads::{Mode, NoHooks, Outcome, RunError, RunOptions, find, prepare};

fn run(
    name: &str,
    ops: u64,
    threads: usize,
    flaw: Flaw,
    verify: bool,
) -> (Result<Outcome, RunError>, &'static TestEngine) {
    let workload = find(name).unwrap().scaled(ops);
    let engine = TestEngine::leaked(flaw);
    let prepared = prepare(&workload, threads, 42).unwrap();
    (prepared.run(engine, &RunOptions { mode: Mode::Plain, verify, pin: false }, &NoHooks), engine)
}

/// One workload of every kind of loop: streams, hand-off, bounded rings, fresh threads, trees, phases.
const KINDS: [&str; 7] =
    ["rl_small", "rl_small+", "relay", "producer_consumer", "larson", "steal", "thread_churn"];

fn assert_corrupt(name: &str, flaw: Flaw) {
    for threads in [1, 3] {
        let (result, engine) = run(name, 4_000, threads, flaw, true);
        assert!(matches!(result, Err(RunError::Corrupt(_))), "{name} × {threads}, {flaw:?}: {result:?}");
        assert_eq!(engine.threads_inside(), 0, "{name} × {threads}");
    }
}

#[test]
fn a_block_handed_out_twice_is_found() {
    for name in ["rl_small", "rl_small+", "random_mixed", "larson", "steal"] {
        assert_corrupt(name, Flaw::SameBlockTwice(61));
    }
}

#[test]
fn overlapping_blocks_are_found() {
    for name in ["rl_small", "rl_small+", "larson", "steal"] {
        assert_corrupt(name, Flaw::Overlaps(61));
    }
}

#[test]
fn misaligned_blocks_are_found() {
    assert_corrupt("alignment64", Flaw::Misaligned);
    assert_corrupt("alignment64+", Flaw::Misaligned);
}

#[test]
fn forgotten_contents_are_found() {
    assert_corrupt("large", Flaw::ForgetsOnResize);
    for name in ["rl_small", "rl_small+", "larson"] {
        assert_corrupt(name, Flaw::ScribblesOnFree);
    }
}

#[test]
fn too_few_usable_bytes_are_found() {
    for name in KINDS {
        assert_corrupt(name, Flaw::TooSmall);
    }
}

#[test]
fn an_engine_that_did_not_serve_is_found_with_and_without_verification() {
    for name in KINDS {
        for verify in [false, true] {
            let (result, engine) = run(name, 1_000, 2, Flaw::NotServed, verify);
            assert!(matches!(result, Err(RunError::NotServed(_))), "{name}: {result:?}");
            assert_eq!(engine.allocs(), 1, "the run begins in spite of it");
        }
    }
}

#[test]
fn an_engine_that_served_at_first_only_is_found_after_the_clock() {
    for name in ["rl_small", "random_mixed", "larson", "steal"] {
        let (result, _) = run(name, 4_000, 2, Flaw::NotServedLater(50), false);
        assert!(matches!(result, Err(RunError::NotServed(_))), "{name}: {result:?}");
    }
}

#[test]
fn out_of_memory_ends_every_kind_of_run_without_a_leak() {
    for name in KINDS.into_iter().chain(["phases", "large", "remote_90", "tiny_hot"]) {
        for threads in [1, 2, 5] {
            for count in [0, 1, 150, 700] {
                let (result, engine) = run(name, 4_000, threads, Flaw::NullAfter(count), count > 1);
                // A short run may need no more than `count`; 0 and 1 are too few for any.
                let refused = engine.allocs() > count;
                assert!(refused || count > 1);
                assert_eq!(
                    matches!(result, Err(RunError::OutOfMemory(_))),
                    refused,
                    "{name} × {threads}, NULL after {count}: {result:?}"
                );
                assert!(refused || result.is_ok(), "{name} × {threads}: {result:?}");
                assert_eq!(engine.live_blocks(), 0, "{name} × {threads}, NULL after {count}: leaks");
                assert_eq!(engine.threads_inside(), 0, "{name} × {threads}");
            }
        }
    }
}

#[test]
fn contents_of_an_engine_that_keeps_none_are_not_verified() {
    let (result, engine) = run("rl_small", 1_000, 1, Flaw::KeepsNothing, true);
    assert!(matches!(result, Err(RunError::Unsupported(_))), "{result:?}");
    assert_eq!(engine.allocs(), 0);
    assert!(run("rl_small", 1_000, 1, Flaw::KeepsNothing, false).0.is_ok());
}
