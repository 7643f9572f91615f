//! The learning layer at work: taking under load, proofs, the worker's life. One process a case, because configuration,
//! budget and worker are the process's.

use ace_alloc::config::{Config, Learn, Log};
use ace_alloc::controller::is_running;
use ace_alloc::learned;
use ace_alloc::pal::{self, Rest, Standing};
use ace_alloc::{free, malloc, stats, stop_learning, trim, trim_threads};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

fn random(seed: &mut u64) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as usize
}

/// Allocates, fills, checks and frees, so that a block in two hands is seen.
fn churn(seed: &mut u64, live: &mut Vec<(*mut u8, usize)>, most: usize) {
    let size = 16 + random(seed) % 500;
    let p = malloc(size);
    // SAFETY: a fresh block of this size.
    unsafe { p.write_bytes(p.addr() as u8 ^ size as u8, size) };
    live.push((p, size));
    while live.len() > most {
        let (p, size) = live.swap_remove(random(seed) % live.len());
        // SAFETY: a live block of this size, freed here.
        unsafe {
            let filled =
                std::slice::from_raw_parts(p, size).iter().all(|&b| b == p.addr() as u8 ^ size as u8);
            assert!(filled, "{p:?} of {size} bytes was somebody else's too");
            free(p);
        }
    }
}

fn wait_until(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}: {:?}", stats());
        thread::sleep(Duration::from_millis(10));
    }
}

/// Threads on HOT, some of which nap, while others take from them without pause.
fn storm() {
    static STOP: AtomicBool = AtomicBool::new(false);
    let churners: Vec<_> = (0..4u64)
        .map(|i| {
            thread::spawn(move || {
                let (mut seed, mut live) = (i, Vec::new());
                while !STOP.load(Ordering::Relaxed) {
                    let most = random(&mut seed) % 200;
                    (0..100).for_each(|_| churn(&mut seed, &mut live, most));
                    if i % 2 == 0 {
                        thread::sleep(Duration::from_micros(random(&mut seed) as u64 % 300));
                    }
                }
                churn(&mut seed, &mut live, 0);
            })
        })
        .collect();
    let start = Instant::now();
    let mut rounds = 0;
    while start.elapsed() < Duration::from_secs(5) {
        if rounds % 2 == 0 {
            trim_threads()
        } else {
            trim()
        };
        rounds += 1;
    }
    let taken = stats().taken_blocks;
    STOP.store(true, Ordering::Relaxed);
    churners.into_iter().for_each(|c| c.join().unwrap());
    trim();
    let s = stats();
    println!("storm: {rounds} rounds, {taken} blocks taken");
    assert!(taken > 1000 && rounds > 20, "{rounds} {s:?}");
    assert_eq!((s.out_bytes, s.orphans, s.cache_granted_bytes), (0, 0, 0), "{s:?}");
    assert_eq!(s.refilled_blocks, s.flushed_local_blocks + s.drained_blocks, "{s:?}");
}

static TID: AtomicU32 = AtomicU32::new(0);
static IN_HANDLER: AtomicBool = AtomicBool::new(false);
static LEAVE: AtomicBool = AtomicBool::new(false);

extern "C" fn handler(_: i32) {
    IN_HANDLER.store(true, Ordering::Relaxed);
    while !LEAVE.load(Ordering::Relaxed) {
        pal::nap();
    }
}

fn handle(flags: i32) {
    // SAFETY: an action of zeros is a valid start; the handler only sleeps.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as *const () as usize;
        action.sa_flags = flags;
        libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut());
    }
}

/// Where the thread was seen to stand, over many looks: (running, unknown, outside).
fn looks(tid: u32, stack_end: usize) -> (usize, usize, usize) {
    let mut seen = (0, 0, 0);
    for _ in 0..200 {
        match Rest::look(tid, stack_end) {
            Standing::Running => seen.0 += 1,
            Standing::Unknown => seen.1 += 1,
            Standing::Outside(rest) => {
                seen.2 += 1;
                assert!(rest.still_holds() || seen.2 > 1);
            }
        }
        thread::sleep(Duration::from_micros(100));
    }
    seen
}

/// A thread that sleeps is proved outside HOT; one that sleeps in a signal handler, on either stack, never is.
fn proofs() {
    for alternative in [false, true] {
        TID.store(0, Ordering::Relaxed);
        IN_HANDLER.store(false, Ordering::Relaxed);
        LEAVE.store(false, Ordering::Relaxed);
        handle(if alternative { libc::SA_ONSTACK } else { 0 });
        let gate = Arc::new(Barrier::new(2));
        let (theirs, end) = (gate.clone(), Arc::new(AtomicBool::new(false)));
        let (done, anchor) = (end.clone(), Arc::new(std::sync::atomic::AtomicUsize::new(0)));
        let above = anchor.clone();
        let sleeper = thread::spawn(move || {
            let stack = vec![0u8; 64 << 10].leak();
            let alt = libc::stack_t { ss_sp: stack.as_mut_ptr().cast(), ss_flags: 0, ss_size: stack.len() };
            // SAFETY: the stack is leaked.
            unsafe { libc::sigaltstack(&alt, std::ptr::null_mut()) };
            // SAFETY: the thread's control block, which stands above its stack.
            above.store(unsafe { libc::pthread_self() } as usize, Ordering::Relaxed);
            TID.store(pal::thread_number(), Ordering::Relaxed);
            theirs.wait();
            while !done.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_secs(3));
            }
        });
        gate.wait();
        thread::sleep(Duration::from_millis(100));
        let (tid, top) = (TID.load(Ordering::Relaxed), anchor.load(Ordering::Relaxed));
        let asleep = looks(tid, top);
        assert_eq!(asleep.2, 200, "{asleep:?}");
        end.store(true, Ordering::Relaxed);
        // SAFETY: a thread of this process.
        unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), tid, libc::SIGUSR1) };
        while !IN_HANDLER.load(Ordering::Relaxed) {
            thread::yield_now();
        }
        let handling = looks(tid, top);
        assert_eq!(handling.2, 0, "alternative stack: {alternative}: {handling:?}");
        LEAVE.store(true, Ordering::Relaxed);
        sleeper.join().unwrap();
    }
}

fn start(learn: Learn) {
    ace_alloc::start(&Config { learn, ..Config::DEFAULT });
}

/// Work enough that a worker starts; some of it stays in the cache.
fn work() {
    let (mut seed, mut live) = (9, Vec::new());
    (0..200_000).for_each(|i| churn(&mut seed, &mut live, i % 3000));
    churn(&mut seed, &mut live, 0);
}

/// More blocks than any cache holds, so that a thread passes in WARM again and again.
fn burst() {
    let (mut seed, mut live) = (5, Vec::new());
    (0..100_000).for_each(|_| churn(&mut seed, &mut live, usize::MAX));
    churn(&mut seed, &mut live, 0);
}

fn lifecycle() {
    start(Learn::On);
    let files = std::fs::read_dir("/proc/self/fd").unwrap().count();
    work();
    wait_until("the worker runs", is_running);
    let worker = std::fs::read_dir("/proc/self/task")
        .unwrap()
        .map(|t| t.unwrap().path())
        .find(|path| std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() == "ace-learn"));
    let status = std::fs::read_to_string(worker.unwrap().join("status")).unwrap();
    let blocked = status.lines().find(|l| l.starts_with("SigBlk:")).unwrap();
    // All but what nobody can block (KILL, STOP) and what the C library keeps for itself (32, 33).
    assert!(blocked.trim_end().ends_with("fffffffe7ffbfeff"), "{blocked}");
    assert_eq!(
        std::fs::read_dir("/proc/self/fd").unwrap().count(),
        files,
        "no file of the process is open for it"
    );
    wait_until("an idle cache is emptied", || stats().taken_blocks != 0);
    stop_learning();
    assert!(!is_running());
    assert_eq!((learned::budget_shift(), learned::purge_shift(), learned::slots_shift(5)), (0, 0, 0));
    work();
    assert!(!is_running(), "off is off");
}

fn observe() {
    start(Learn::Observe);
    work();
    wait_until("the worker runs", is_running);
    thread::sleep(Duration::from_millis(1500));
    assert_eq!(stats().taken_blocks, 0, "nothing is applied");
    assert_eq!((learned::budget_shift(), learned::purge_shift()), (0, 0));
}

fn cpu() -> Duration {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: written whole.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    let of = |t: libc::timeval| Duration::new(t.tv_sec as u64, t.tv_usec as u32 * 1000);
    of(usage.ru_utime) + of(usage.ru_stime)
}

fn idle_cost() {
    start(Learn::On);
    work();
    wait_until("the cache is emptied", || stats().taken_blocks != 0);
    thread::sleep(Duration::from_millis(1500));
    let before = cpu();
    thread::sleep(Duration::from_secs(4));
    let used = cpu() - before;
    println!("idle for 4 s: {used:?}");
    assert!(used < Duration::from_millis(20), "0.5 % of 4 s: {used:?}");
}

fn fork() {
    start(Learn::On);
    work();
    wait_until("the worker runs", is_running);
    for _ in 0..20 {
        // SAFETY: the child calls the allocator, reads an atomic, and `_exit`s.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            let alone = !is_running();
            let p = malloc(100);
            let still = !is_running();
            // SAFETY: a live block.
            unsafe { free(p) };
            burst();
            let mut turns = 0;
            while !is_running() && turns < 2000 {
                thread::sleep(Duration::from_millis(5));
                turns += 1;
            }
            let code = i32::from(!alone) + 2 * i32::from(!still) + 4 * i32::from(!is_running());
            // SAFETY: ends the child at once.
            unsafe { libc::_exit(code) };
        }
        let mut status = 0;
        // SAFETY: `status` outlives the call.
        unsafe { libc::waitpid(pid, &mut status, 0) };
        assert_eq!(status, 0, "1: worker came along, 2: started unasked, 4: never started");
    }
    assert!(is_running());
}

/// 128 threads that rest: bounded without a worker, nothing with one.
fn budget(learn: Learn) {
    const THREADS: usize = 128;
    // So short a wait finds threads that only seem to rest: what stays because they ran meanwhile must be tried again.
    ace_alloc::start(&Config { learn, idle_ms: 100, ..Config::DEFAULT });
    let gate = Arc::new(Barrier::new(THREADS + 1));
    let threads: Vec<_> = (0..THREADS)
        .map(|i| {
            let gate = gate.clone();
            let builder = thread::Builder::new().stack_size(128 << 10);
            let run = move || {
                let (mut seed, mut live) = (i as u64, Vec::new());
                (0..20_000).for_each(|i| churn(&mut seed, &mut live, i % 2000));
                churn(&mut seed, &mut live, 0);
                gate.wait();
                gate.wait();
            };
            builder.spawn(run).unwrap()
        })
        .collect();
    gate.wait();
    let granted = stats().cache_granted_bytes;
    let most = 2 * Config::DEFAULT.cache_budget_bytes + THREADS as u64 * (64 << 10);
    println!("{THREADS} threads: {granted} of {most} bytes");
    assert!(granted <= most, "{granted}");
    if learn == Learn::On {
        wait_until("all caches of sleeping threads are returned", || stats().cache_granted_bytes == 0);
    }
    gate.wait();
    threads.into_iter().for_each(|t| t.join().unwrap());
    assert_eq!(stats().cache_granted_bytes, 0);
}

/// Every line of the log has the documented form.
fn log() {
    ace_alloc::start(&Config { learn: Learn::On, log: Log::Decisions, ..Config::DEFAULT });
    work();
    wait_until("the cache is emptied", || stats().taken_blocks != 0);
    stop_learning();
}

#[test]
fn child() {
    match std::env::var("ACE_TEST_LEARNING").as_deref() {
        Ok("storm") => storm(),
        Ok("proofs") => proofs(),
        Ok("lifecycle") => lifecycle(),
        Ok("observe") => observe(),
        Ok("idle cost") => idle_cost(),
        Ok("fork") => fork(),
        Ok("budget off") => budget(Learn::Off),
        Ok("budget on") => budget(Learn::On),
        Ok("log") => log(),
        Ok(case) => panic!("no such case: {case}"),
        Err(_) => {}
    }
}

fn run(case: &str) -> String {
    let out = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env("ACE_TEST_LEARNING", case)
        .output()
        .unwrap();
    let (text, errors) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{case}: {:?} {text} {errors}", out.status);
    println!("{text}");
    errors.into_owned()
}

#[test]
fn takers_and_owners_never_share_a_block() {
    run("storm");
}

#[test]
fn only_threads_outside_hot_are_proved() {
    run("proofs");
}

#[test]
fn the_worker_starts_works_and_stops() {
    run("lifecycle");
    run("fork");
}

#[test]
fn observing_applies_nothing_and_idling_costs_nothing() {
    run("observe");
    run("idle cost");
}

#[test]
fn the_budget_holds_for_any_number_of_threads() {
    run("budget off");
    run("budget on");
}

#[test]
fn the_log_is_lines_of_fields() {
    let text = run("log");
    let lines: Vec<_> = text.lines().filter(|l| l.starts_with("ace-")).collect();
    for kind in ["worker", "observation", "memory", "effect"] {
        assert!(lines.iter().any(|l| l.starts_with(&format!("ace-{kind} t_ms="))), "{kind}: {text}");
    }
    for line in lines {
        let mut fields = line.split(' ').skip(1).map(|f| f.split_once('=').expect(line));
        assert_eq!(fields.next().map(|f| f.0), Some("t_ms"), "{line}");
        assert!(fields.all(|(name, value)| !name.is_empty() && !value.is_empty()), "{line}");
        assert!(line.len() < 256, "{line}");
    }
}
