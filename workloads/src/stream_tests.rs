//! Tests of the streams: pinned for ever, within their bounds, true to their distributions.

use crate::catalog::{self, builtin};
use crate::draw::Draw;
use crate::program::{self, Act, Program};
use crate::spec::{Churn, Model, Sizes, Workload};
use crate::stream::{ALLOC, FREE, HAND_OFF, OPERAND_BITS, OPERAND_MASK, RESIZE, Writer};

fn find(name: &str) -> Workload {
    catalog::find(name).unwrap()
}

fn programs(workload: &Workload, threads: usize) -> Vec<Program> {
    program::draw(workload, threads, 42).unwrap().0
}

fn words(program: &Program) -> Vec<u32> {
    let parts = program.acts.iter().flat_map(|act| match act {
        Act::Play(part) | Act::Spawn { part, .. } => {
            let mut words = part.body.repeat(part.repeats as usize);
            words.extend_from_slice(&part.body[..part.tail]);
            words
        }
        _ => Vec::new(),
    });
    parts.collect()
}

/// FNV-1a over the words of warm-up and run of all threads.
fn hash(programs: &[Program]) -> u64 {
    let words = programs.iter().flat_map(|program| program.warm.iter().copied().chain(words(program)));
    words
        .flat_map(u32::to_le_bytes)
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

#[test]
fn every_stream_is_what_it_always_was() {
    let pinned: Vec<(String, String)> = include_str!("golden.txt")
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, hash)| (name.to_string(), hash.to_string()))
        .collect();
    let drawn: Vec<(String, String)> = builtin()
        .iter()
        .filter(|workload| !matches!(workload.model, Model::Steal(_)))
        .map(|workload| {
            let programs = programs(&workload.scaled(10_000), 2);
            (workload.name.clone(), format!("{:016x}", hash(&programs)))
        })
        .collect();
    let text: String = drawn.iter().map(|(name, hash)| format!("{name} {hash}\n")).collect();
    assert!(pinned == drawn, "streams differ from golden.txt; they are now:\n{text}");
}

/// Plays words over a count alone: every place is taken, the count never passes `live_max`.
fn simulate(words: &[u32], mut live: usize, live_max: usize) -> usize {
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        let operand = (word & OPERAND_MASK) as usize;
        match word >> OPERAND_BITS {
            ALLOC => {
                assert!(operand > 0);
                live += 1;
                assert!(live <= live_max, "{live} live");
            }
            FREE | HAND_OFF => {
                assert!(operand < live, "place {operand} of {live}");
                live -= 1;
            }
            _ => {
                assert!(operand < live, "place {operand} of {live}");
                assert!(words.next().is_some_and(|size| *size > 0 && size >> OPERAND_BITS == ALLOC));
            }
        }
    }
    live
}

#[test]
fn places_are_taken_and_live_sets_bounded() {
    for workload in builtin() {
        let live_max = match &workload.model {
            Model::Churn(churn) => churn.live_max,
            Model::Batch(batch) => batch.batch,
            Model::Slots(slots) => slots.slots,
            Model::Relay(_) => 1,
            Model::Larson(larson) => larson.slots,
            Model::ThreadChurn(churn) => churn.blocks,
            Model::Phases(_) => 1_000_000,
            Model::Steal(_) | Model::Replay(_) => continue,
        };
        for program in programs(&workload.scaled(20_000), 2) {
            let live = simulate(&program.warm, 0, live_max);
            simulate(&words(&program), live, live_max);
        }
    }
}

#[test]
fn repeated_bodies_leave_the_live_array_as_it_was() {
    for workload in builtin().iter().filter(|workload| !matches!(workload.model, Model::Steal(_))) {
        for program in programs(&workload.scaled(200_000), 1) {
            for act in &program.acts {
                if let Act::Play(part) | Act::Spawn { part, .. } = act
                    && (part.repeats > 1 || part.tail > 0)
                {
                    // Above what the live array may hold already: short threads start there.
                    for words in [&part.body[..], &part.body[..part.tail]] {
                        assert_eq!(simulate(words, 1 << 30, usize::MAX), 1 << 30, "{}", workload.name);
                    }
                }
            }
        }
    }
}

#[test]
fn operations_are_as_many_as_asked_for() {
    let count = |name: &str, ops: u64| {
        let (_, timed) = programs(&find(name).scaled(ops), 1)[0].tally(1);
        timed.allocs + timed.frees + timed.hand_offs + timed.reallocs
    };
    assert_eq!(count("rl_small", 20_000), 20_000);
    assert_eq!(count("rl_small+", 20_000), 20_000);
    assert_eq!(count("tiny_hot", 200_000), 12_000_000);
    assert_eq!(count("tiny_hot_random", 200_000), 12_000_000);
    assert_eq!(count("random_mixed", 200_000), 2_000_000);
    assert_eq!(count("large", 200_000), 4_000);
    assert_eq!(count("relay", 200_000), 1_000_000);
    assert_eq!(count("thread_churn", 200_000), 200_000);
}

#[test]
fn tiny_hot_needs_few_words() {
    let Act::Play(part) = &programs(&find("tiny_hot"), 1)[0].acts[0] else { panic!("not a stream") };
    assert_eq!((part.body.len(), part.repeats, part.tail), (200, 60_000, 0));
}

/// The share of `kind` among the words of one of `kinds`, sizes of resizes left out.
fn share(words: &[u32], kind: u32, kinds: &[u32]) -> f64 {
    let of = |kinds: &[u32]| words.iter().filter(|word| kinds.contains(&(**word >> OPERAND_BITS))).count();
    of(&[kind]) as f64 / of(kinds) as f64
}

#[test]
fn hand_offs_and_resizes_have_their_share() {
    for (name, expected) in [("rl_small+", 0.1), ("remote_0", 0.0), ("remote_50", 0.5), ("remote_90", 0.9)] {
        let words = words(&programs(&find(name).scaled(100_000), 2)[1]);
        let found = share(&words, HAND_OFF, &[FREE, HAND_OFF]);
        assert!((found - expected).abs() < 0.01, "{name}: {found}");
    }
    let words = words(&programs(&find("large").scaled(2_000_000), 1)[0]);
    let found = share(&words, RESIZE, &[FREE, RESIZE]);
    assert!((found - 0.3).abs() < 0.015, "{found}");
}

#[test]
fn weights_and_p_alloc_are_those_of_the_note() {
    let words = words(&programs(&find("rl_small").scaled(1_000_000), 1)[0]);
    let sizes: Vec<u32> = words.iter().copied().filter(|word| word >> OPERAND_BITS == ALLOC).collect();
    for (size, weight) in [(16, 0.25), (32, 0.25), (64, 0.20), (128, 0.15), (256, 0.10), (512, 0.05)] {
        let found = sizes.iter().filter(|&&drawn| drawn == size).count() as f64 / sizes.len() as f64;
        assert!((found - weight).abs() < 0.005, "{size}: {found}");
    }
    // Before the live set is full, an allocation has p = .65; 10,000 operations reach about 3,000 blocks.
    let p_alloc = share(&words[..10_000], ALLOC, &[ALLOC, FREE]);
    assert!((p_alloc - 0.65).abs() < 0.02, "{p_alloc}");
}

#[test]
fn warm_up_fills_the_live_set_and_then_goes_on_as_long_again() {
    let churn = Churn {
        sizes: Sizes::Uniform(16, 64),
        p_alloc: 0.65,
        live_max: 1000,
        ops: 10,
        handoff: 0.1,
        warm_up: true,
    };
    let mut draw = Draw::new(42, 0);
    let mut writer = Writer::new(&mut draw, 1 << 20);
    writer.churn_warm_up(&churn).unwrap();
    let words = writer.take();
    assert_eq!(words.len() % 2, 0);
    assert_eq!(simulate(&words[..words.len() / 2], 0, 1000), 1000);
    assert_eq!(simulate(&words[..words.len() / 2 - 1], 0, 999), 999);
    assert_eq!(simulate(&words, 0, 1000), writer.live);
}

#[test]
fn a_batch_is_freed_in_its_order() {
    for (name, expected) in [("tiny_hot", [99, 98, 97]), ("tiny_hot_fifo", [0, 1, 2])] {
        let words = words(&programs(&find(name).scaled(3), 1)[0]);
        let mut live: Vec<usize> = (0..100).collect();
        let freed: Vec<usize> =
            words[100..200].iter().map(|word| live.swap_remove((word & OPERAND_MASK) as usize)).collect();
        assert_eq!(freed[..3], expected, "{name}");
        assert!(freed.is_sorted() || freed.is_sorted_by(|a, b| a > b), "{name}");
    }
}

#[test]
fn truncation_counts_operations() {
    for name in ["rl_small", "tiny_hot", "large", "relay", "phases", "larson", "remote_50"] {
        for ops_max in [0, 1, 199, 200, 201, 1_500] {
            let mut program = programs(&find(name).scaled(2_000), 1).remove(0);
            let (_, whole) = program.tally(1);
            program.truncate(ops_max);
            let (_, cut) = program.tally(1);
            let ops = |tally: &program::Tally| tally.allocs + tally.frees + tally.hand_offs + tally.reallocs;
            assert_eq!(ops(&cut), ops_max.min(ops(&whole)), "{name} to {ops_max}");
        }
    }
}
