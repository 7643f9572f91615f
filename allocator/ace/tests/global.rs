//! A program that runs on the allocator, test harness included: collections, threads, files, a configuration of its own.

use ace_alloc::config::{Config, Knob, get};
use ace_alloc::{AceAlloc, owns, stats};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::Write;

#[global_allocator]
static A: AceAlloc = AceAlloc::with_config(Config { warm_slabs: 2, ..Config::DEFAULT });

#[test]
fn collections_live_here() {
    let mut words = HashMap::new();
    for i in 0..100_000u32 {
        words.entry(format!("word {}", i % 5000)).or_insert_with(Vec::new).push(i);
    }
    assert_eq!(words["word 17"].len(), 20);
    let sorted: BTreeMap<_, _> = words.iter().map(|(k, v)| (k.clone(), v.len())).collect();
    assert_eq!(sorted.values().sum::<usize>(), 100_000);
    let mut queue: VecDeque<Box<[u8]>> = VecDeque::new();
    for n in 0..2000usize {
        queue.push_back(vec![n as u8; n * 13 % 70_000].into_boxed_slice());
        if n > 100 {
            let front = queue.pop_front().unwrap();
            assert!(front.iter().all(|&b| b == front[0]));
        }
    }
    let first = queue.front().unwrap();
    assert!(first.is_empty() || owns(first.as_ptr()));
    let mut text = String::new();
    (0..20_000).for_each(|i| write!(text, "{i},").unwrap());
    assert_eq!(text.split(',').count(), 20_001);
}

#[test]
fn threads_hand_over() {
    let built: Vec<Vec<String>> = std::thread::scope(|s| {
        let threads: Vec<_> = (0..8)
            .map(|t| s.spawn(move || (0..5000).map(|i| format!("{t}-{i}")).collect::<Vec<_>>()))
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(built[7][4999], "7-4999");
}

#[test]
fn thread_locals_with_destructors() {
    struct Last(Vec<u8>);
    impl Drop for Last {
        fn drop(&mut self) {
            // Allocates while the thread's other destructors run.
            assert_eq!(self.0.iter().map(|&b| usize::from(b)).sum::<usize>(), 3000);
            let text = format!("{:?}", self.0);
            assert_eq!(text.len(), 3000);
        }
    }
    thread_local!(static LAST: Last = Last(vec![3; 1000]));
    for _ in 0..50 {
        std::thread::spawn(|| LAST.with(|l| assert_eq!(l.0.len(), 1000))).join().unwrap();
    }
}

#[test]
fn the_stated_configuration_applies() {
    let before = stats();
    let _kept = std::hint::black_box(Box::new([0u8; 100]));
    assert_eq!(get(Knob::WarmSlabs), 2);
    assert!(stats().refills >= before.refills && before.refills > 0, "this program runs on the allocator");
}
