//! The system refuses: every system call of a scenario fails once, and everything from it on fails.
//!
//! One process a case, because the first calls are made once a process. In each, requests may fail with null; what
//! succeeded keeps its contents, everything can be freed, and the allocator works again when the system does.

use ace_alloc::pal::fake;
use ace_alloc::{calloc, free, malloc, memalign, realloc, set_memory_limit, stats, trim};
use std::process::Command;

const SIZES: [usize; 10] = [16, 64, 500, 3000, 9000, 30_000, 50_000, 400_000, 1 << 20, 5 << 20];

struct Block(*mut u8, usize, u8);

fn keep(blocks: &mut Vec<Block>, p: *mut u8, bytes: usize) {
    if !p.is_null() {
        let fill = blocks.len() as u8;
        // SAFETY: a live block of this size.
        unsafe { p.write_bytes(fill, bytes) };
        blocks.push(Block(p, bytes, fill));
    }
}

/// As `keep`, for a block of `calloc`.
fn keep_zeroed(blocks: &mut Vec<Block>, p: *mut u8, bytes: usize) {
    if !p.is_null() {
        // SAFETY: a live block of this size.
        let contents = unsafe { std::slice::from_raw_parts(p, bytes) };
        assert!(contents.iter().all(|&x| x == 0), "calloc of {bytes} is not zero");
    }
    keep(blocks, p, bytes);
}

fn check(b: &Block) {
    // SAFETY: a live block of this size.
    let contents = unsafe { std::slice::from_raw_parts(b.0, b.1) };
    assert!(contents.iter().all(|&x| x == b.2), "contents of {:?} changed", b.0);
}

/// Enough of everything that each kind of system call is made several times.
fn scenario() {
    let mut blocks = Vec::with_capacity(4096);
    for bytes in SIZES {
        for _ in 0..(6 << 20) / (bytes + (2 << 20)) + 2 {
            keep(&mut blocks, malloc(bytes), bytes);
        }
        keep_zeroed(&mut blocks, calloc(1, bytes), bytes);
        keep(&mut blocks, memalign(1 << 21, bytes), bytes);
    }
    for i in (0..blocks.len()).step_by(2) {
        let b = &mut blocks[i];
        let bytes = b.1 * 2 + 100_000;
        // SAFETY: a live block; on null it stays as it was.
        let p = unsafe { realloc(b.0, bytes) };
        if !p.is_null() {
            b.0 = p;
        }
    }
    blocks.iter().for_each(check);
    for b in blocks.drain(..) {
        // SAFETY: live until now.
        unsafe { free(b.0) };
    }
    trim();
    let thread = std::thread::spawn(|| {
        let p = malloc(100);
        // SAFETY: null or a live block.
        unsafe { free(p) };
    });
    thread.join().unwrap();
}

/// The child's half: runs only when a parent test asks for it.
#[test]
fn child() {
    let Ok(case) = std::env::var("ACE_TEST_FAIL") else { return };
    let (from, until) = case.split_once(' ').unwrap();
    fake::arm(from.parse().unwrap(), until.parse().unwrap());
    scenario();
    let calls = fake::disarm();
    // With the system back, everything works.
    let mut blocks = Vec::new();
    for bytes in SIZES {
        // Memory that could be neither unmapped nor purged still holds what was written to it.
        for p in [calloc(1, bytes), calloc(1, bytes)] {
            assert!(!p.is_null(), "no recovery for {bytes}");
            keep_zeroed(&mut blocks, p, bytes);
        }
    }
    blocks.iter().for_each(check);
    for b in blocks {
        // SAFETY: live until now.
        unsafe { free(b.0) };
    }
    println!("calls={calls};");
}

fn run(from: u64, until: u64) -> u64 {
    let out = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env("ACE_TEST_FAIL", format!("{from} {until}"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&out.stdout);
    assert!(
        out.status.success(),
        "from {from} until {until}: {text}{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let calls = text.split("calls=").nth(1).and_then(|t| t.split(';').next()).expect("the child reports");
    calls.parse().unwrap()
}

#[test]
fn the_nth_call_fails_for_every_n() {
    let calls = run(u64::MAX, u64::MAX);
    assert!(calls > 20, "the scenario enters the kernel: {calls}");
    for n in 0..calls {
        run(n, n + 1);
    }
}

#[test]
fn every_call_from_the_nth_fails() {
    let calls = run(u64::MAX, u64::MAX);
    for n in 0..calls {
        run(n, u64::MAX);
    }
}

#[test]
fn hard_limit_refuses_and_lifts() {
    if std::env::var("ACE_TEST_LIMIT").is_err() {
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "hard_limit_refuses_and_lifts"])
            .env("ACE_TEST_LIMIT", "1")
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    set_memory_limit(0, 64 << 20);
    let mut blocks = Vec::new();
    let refused = (0..1000).any(|_| {
        let p = malloc(1 << 20);
        keep(&mut blocks, p, 1 << 20);
        p.is_null()
    });
    assert!(refused && blocks.len() >= 48, "{} blocks", blocks.len());
    assert!(stats().committed_bytes <= 64 << 20);
    blocks.iter().for_each(check);
    set_memory_limit(0, 0);
    keep(&mut blocks, malloc(8 << 20), 8 << 20);
    assert_eq!(blocks.last().unwrap().1, 8 << 20);
    for b in blocks {
        // SAFETY: live until now.
        unsafe { free(b.0) };
    }
}

#[test]
fn absurd_sizes_are_refused() {
    for bytes in [usize::MAX, usize::MAX - 15, usize::MAX / 2, isize::MAX as usize, 1 << 62] {
        assert!(malloc(bytes).is_null());
        assert!(memalign(64, bytes).is_null());
        assert!(memalign(1 << 22, bytes).is_null());
        assert!(calloc(bytes, 2).is_null());
        let p = malloc(100);
        // SAFETY: a live block; a refused realloc leaves it.
        unsafe {
            assert!(realloc(p, bytes).is_null());
            free(p);
        }
    }
}
