//! What memory remains when threads rest: burst → idle with 64 sleeping threads that hold caches and into whose heaps
//! others have freed. One process a case; resident memory is the kernel's (`smaps_rollup`), less that before the
//! workload.

use ace_alloc::config::{Config, Learn};
use ace_alloc::{free, malloc, stats};
use std::process::Command;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

const THREADS: usize = 64;
/// Bytes that each thread allocates in the burst.
const BURST_BYTES: usize = 2 << 20;
/// Sizes in bytes.
const SIZES: (usize, usize) = (16, 1024);

/// Blocks linked through their first word, sizes in the second: the test itself needs no memory for them.
struct Blocks {
    first: *mut usize,
    count: usize,
}

// SAFETY: blocks are used by whoever has them.
unsafe impl Send for Blocks {}

fn resident_bytes() -> usize {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let line = text.lines().find(|l| l.starts_with("Rss:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() << 10
}

fn make(seed: &mut u64, bytes: usize) -> Blocks {
    let (mut blocks, mut total) = (Blocks { first: std::ptr::null_mut(), count: 0 }, 0);
    while total < bytes {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let size = SIZES.0 + (*seed >> 33) as usize % (SIZES.1 - SIZES.0 + 1);
        let p = malloc(size);
        // SAFETY: a fresh block of this size, which is two words at least.
        unsafe {
            p.write_bytes(size as u8, size);
            p.cast::<usize>().write(blocks.first.expose_provenance());
            p.cast::<usize>().add(1).write(size);
        }
        (blocks.first, blocks.count) = (p.cast(), blocks.count + 1);
        total += size;
    }
    blocks
}

/// Takes the first `n` off.
fn split(blocks: &mut Blocks, n: usize) -> Blocks {
    let part = Blocks { first: blocks.first, count: n };
    let mut last = blocks.first;
    for _ in 1..n {
        // SAFETY: linked by `make`.
        last = std::ptr::with_exposed_provenance_mut(unsafe { last.read() });
    }
    // SAFETY: the part's last block.
    unsafe { blocks.first = std::ptr::with_exposed_provenance_mut(last.read()) };
    blocks.count -= n;
    part
}

fn finish(blocks: Blocks) {
    let mut p = blocks.first;
    for _ in 0..blocks.count {
        // SAFETY: a live block, linked by `make`, freed once.
        unsafe {
            let (next, size) = (p.read(), p.add(1).read());
            let rest = std::slice::from_raw_parts(p.cast::<u8>().add(16), size - 16);
            assert!(rest.iter().all(|&b| b == size as u8));
            free(p.cast());
            p = std::ptr::with_exposed_provenance_mut(next);
        }
    }
}

/// The burst; the threads then sleep until the barrier's second turn.
fn burst(gate: &Arc<Barrier>, kept_bytes: usize) -> Vec<thread::JoinHandle<()>> {
    let given: Arc<Vec<Mutex<Option<Blocks>>>> = Arc::new((0..THREADS).map(|_| Mutex::new(None)).collect());
    let middle = Arc::new(Barrier::new(THREADS));
    (0..THREADS)
        .map(|i| {
            let (gate, middle, given) = (gate.clone(), middle.clone(), given.clone());
            thread::Builder::new()
                .stack_size(256 << 10)
                .spawn(move || {
                    let mut seed = i as u64;
                    let kept = make(&mut seed, kept_bytes);
                    let mut rest = make(&mut seed, BURST_BYTES - kept_bytes);
                    let n = rest.count / 2;
                    *given[(i + 1) % THREADS].lock().unwrap() = Some(split(&mut rest, n));
                    middle.wait();
                    finish(rest);
                    let foreign = given[i].lock().unwrap().take();
                    finish(foreign.unwrap());
                    gate.wait();
                    // Asleep here, with whatever the cache holds, until the measurement is over.
                    gate.wait();
                    finish(kept);
                })
                .unwrap()
        })
        .collect()
}

/// Rust's own allocations and the threads' stacks are the system's, but count as resident.
fn scenario(learn: Learn, kept_bytes: usize) {
    ace_alloc::start(&Config { learn, ..Config::DEFAULT });
    finish(make(&mut 1, 1 << 20));
    let before = resident_bytes();
    let gate = Arc::new(Barrier::new(THREADS + 1));
    let threads = burst(&gate, kept_bytes);
    gate.wait();
    let peak = resident_bytes();
    thread::sleep(Duration::from_secs(2));
    let (after, s) = (resident_bytes(), stats());
    let live = THREADS * kept_bytes;
    println!(
        "idle {learn:?} before {before} peak {peak} after {after} live {live} granted {} taken {} committed {} meta {} superslabs {:?}",
        s.cache_granted_bytes, s.taken_blocks, s.committed_bytes, s.meta_bytes, s.superslabs
    );
    if learn == Learn::On {
        let over = after.saturating_sub(before);
        assert!(over <= live / 4 * 5 + (4 << 20), "{over} bytes over those before, {live} live: {s:?}");
        assert!(s.taken_blocks > 0, "{s:?}");
    }
    gate.wait();
    threads.into_iter().for_each(|t| t.join().unwrap());
}

#[test]
fn child() {
    let Ok(text) = std::env::var("ACE_TEST_IDLE") else { return };
    let (mode, kept) = text.split_once(' ').unwrap();
    scenario(if mode == "on" { Learn::On } else { Learn::Off }, kept.parse().unwrap());
}

fn run(learn: &str, kept_bytes: usize) -> String {
    let out = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env("ACE_TEST_IDLE", format!("{learn} {kept_bytes}"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.status.success(), "{learn}: {text} {}", String::from_utf8_lossy(&out.stderr));
    text.lines().filter(|l| l.contains("idle ")).collect()
}

#[test]
fn caches_of_sleeping_threads_are_returned() {
    for kept_bytes in [0, 512 << 10] {
        println!("{}", run("on", kept_bytes));
        println!("{}", run("off", kept_bytes));
    }
}
