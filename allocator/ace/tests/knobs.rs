//! Every knob at its ends: the same verified, threaded work under each, and counters that sum afterwards.
//!
//! One process a setting. Small magazines, batches of one, no warm slabs and eager returns make the slow paths the
//! common ones.

use ace_alloc::{free, malloc, realloc, stats, trim};
use std::process::Command;
use std::sync::mpsc;
use std::thread;

struct Block(*mut u8, usize, u8);

// SAFETY: a block is used by whoever has it.
unsafe impl Send for Block {}

fn random(seed: &mut u64) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as usize
}

fn make(seed: &mut u64) -> Block {
    let bytes = match random(seed) % 100 {
        0 => random(seed) % 600_000,
        1..10 => random(seed) % 32_768,
        _ => random(seed) % 400,
    };
    let fill = random(seed) as u8;
    let p = malloc(bytes);
    assert!(!p.is_null());
    // SAFETY: a live block of this size.
    unsafe { p.write_bytes(fill, bytes) };
    Block(p, bytes, fill)
}

fn finish(b: Block) {
    // SAFETY: a live block of this size, freed here.
    unsafe {
        assert!(std::slice::from_raw_parts(b.0, b.1).iter().all(|&x| x == b.2));
        free(b.0);
    }
}

fn grow(b: &mut Block) {
    // SAFETY: a live block; its first bytes are kept.
    unsafe {
        b.0 = realloc(b.0, b.1 * 2 + 1);
        assert!(std::slice::from_raw_parts(b.0, b.1).iter().all(|&x| x == b.2));
    }
}

/// Three threads hand blocks to a fourth; live sets swell and shrink.
fn work() {
    let (send, receive) = mpsc::sync_channel::<Block>(512);
    let producers: Vec<_> = (0..3)
        .map(|i| {
            let send = send.clone();
            thread::spawn(move || {
                let (mut seed, mut live) = (42 + i, Vec::new());
                for phase in 0..6 {
                    for _ in 0..3000 {
                        live.push(make(&mut seed));
                        let at = random(&mut seed) % live.len();
                        match random(&mut seed) % 4 {
                            0 => send.send(live.swap_remove(at)).unwrap(),
                            1 => grow(&mut live[at]),
                            _ => {}
                        }
                    }
                    let keep = if phase % 2 == 0 { 100 } else { live.len() / 2 };
                    live.drain(keep.min(live.len())..).for_each(finish);
                }
                live.into_iter().for_each(finish);
            })
        })
        .collect();
    drop(send);
    let consumer = thread::spawn(move || receive.into_iter().for_each(finish));
    producers.into_iter().for_each(|p| p.join().unwrap());
    consumer.join().unwrap();
}

#[test]
fn child() {
    if std::env::var("ACE_TEST_KNOBS").is_err() {
        return;
    }
    work();
    trim();
    let s = stats();
    assert_eq!(s.out_bytes, 0, "every block came home: {s:?}");
    assert_eq!(s.orphans, 0, "{s:?}");
    assert_eq!(s.refilled_blocks, s.flushed_local_blocks + s.drained_blocks, "{s:?}");
    assert_eq!(s.flushed_remote_blocks, s.drained_blocks, "{s:?}");
    assert_eq!(s.slabs_acquired, s.slabs_released, "{s:?}");
    assert_eq!(s.slabs_adopted, s.slabs_orphaned, "{s:?}");
    let now: u64 = s.superslabs.iter().sum();
    assert_eq!(now, s.superslabs_mapped - s.superslabs_released, "{s:?}");
    assert_eq!((now, s.committed_bytes), (0, 0), "all is returned: {s:?}");
}

fn run(settings: &[(&str, &str)]) {
    let out = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env("ACE_TEST_KNOBS", "1")
        .envs(settings.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{settings:?}: {} {text}", String::from_utf8_lossy(&out.stdout));
}

#[test]
fn every_knob_at_its_ends() {
    run(&[]);
    for route in ["1", "2", "3", "4", "5"] {
        run(&[("ACE_ROUTE", route)]);
    }
    for knob in ["ACE_TIERING", "ACE_EAGER_FREE", "ACE_CACHE_SHRINK", "ACE_PURGE_PERCENT", "ACE_WARM_SLABS"] {
        run(&[(knob, "0")]);
    }
    for (knob, value) in [
        ("ACE_REFILL_ONE", "1"),
        ("ACE_BATCH", "1"),
        ("ACE_BATCH", "65535"),
        ("ACE_CACHE_SLOTS", "2"),
        ("ACE_CACHE_SLOTS", "4000"),
        ("ACE_CACHE_BYTES", "100"),
        ("ACE_CACHE_TOTAL_BYTES", "0"),
        ("ACE_WARM_SLABS", "16"),
        ("ACE_PREFILL", "8"),
        ("ACE_PURGE_PERCENT", "100"),
        ("ACE_PURGE_DELAY_MS", "0"),
        ("ACE_PURGE_DELAY_MS", "1"),
        ("ACE_LIMIT_SOFT", "1M"),
    ] {
        run(&[(knob, value)]);
    }
    run(&[
        ("ACE_CACHE_SLOTS", "2"),
        ("ACE_WARM_SLABS", "0"),
        ("ACE_PURGE_DELAY_MS", "1"),
        ("ACE_PURGE_PERCENT", "100"),
    ]);
}
