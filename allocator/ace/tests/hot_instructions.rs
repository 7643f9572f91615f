//! What the learning layer costs on HOT: nothing. Instructions of a loop of allocations and frees that all hit the thread
//! cache, counted by callgrind inside that loop alone, with the learning layer off, observing and on, are equal to the digit.
//!
//! callgrind keeps its "collect" state for each thread, so what the worker executes meanwhile does not count.

use ace_alloc::controller::is_running;
use ace_alloc::{free, malloc};
use std::process::Command;
use std::time::{Duration, Instant};

const PAIRS: u64 = 20_000;
const CASE: &str = "ACE_TEST_HOT_PAIRS";

#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn ace_test_hot_loop(pairs: u64) {
    for _ in 0..pairs {
        let p = malloc(64);
        // SAFETY: a live block, freed once.
        unsafe { free(std::hint::black_box(p)) };
    }
}

/// Warms the cache up, waits for the worker where one is wanted, runs the loop.
#[test]
fn child() {
    let Ok(pairs) = std::env::var(CASE) else { return };
    let wanted = std::env::var("ACE_LEARN").is_ok_and(|mode| mode != "off");
    let start = Instant::now();
    // Enough passes in WARM that the worker is started, whatever the mode, so that all modes warm up alike.
    let mut blocks: Vec<_> = (0..50_000).map(|_| malloc(64)).collect();
    while let Some(p) = blocks.pop() {
        // SAFETY: a live block, freed once.
        unsafe { free(p) };
    }
    while wanted && !is_running() {
        assert!(start.elapsed() < Duration::from_secs(60), "no worker");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(is_running(), wanted);
    // Leaves the magazine neither empty nor full.
    let held = malloc(64);
    ace_test_hot_loop(pairs.parse().unwrap());
    // SAFETY: a live block, freed once.
    unsafe { free(held) };
}

/// Instructions inside the loop.
fn instructions(mode: &str, pairs: u64) -> u64 {
    let name = format!("ace-hot-{}-{mode}-{pairs}.out", std::process::id());
    let out = std::env::temp_dir().join(name);
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", "--toggle-collect=ace_test_hot_loop"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--test-threads=1"])
        .env(CASE, pairs.to_string())
        .env("ACE_LEARN", mode)
        .output()
        .unwrap();
    assert!(run.status.success(), "{mode}: {}", String::from_utf8_lossy(&run.stdout));
    let text = std::fs::read_to_string(&out).unwrap();
    let _ = std::fs::remove_file(&out);
    let totals = text.lines().find_map(|line| line.strip_prefix("totals:").or(line.strip_prefix("summary:")));
    totals.and_then(|count| count.split_whitespace().next()).unwrap().parse().unwrap()
}

#[test]
fn observing_and_learning_cost_no_instruction_on_hot() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!("skipped: valgrind is not installed");
        return;
    }
    let [off, observe, on] = ["off", "observe", "on"].map(|mode| instructions(mode, PAIRS));
    println!("{off} instructions in {PAIRS} pairs: {:.2} each", off as f64 / PAIRS as f64);
    assert_eq!((off, off), (observe, on), "off, observe, on");
    // That the loop is what is counted, and every instruction of it.
    let one_more = instructions("off", PAIRS + 1) - off;
    assert!((10..200).contains(&one_more) && off / PAIRS <= one_more + 1, "{one_more} a pair, {off} in all");
}
