//! Prints operations per second, lock takings and lock waits per operation of the pool variants,
//! at 1, 2, 4 and 8 threads, on two churns with the size distributions of `rl_medium` and
//! `fragmentation_mix`. Usage: `contention [OPS_PER_THREAD] [REPETITIONS]`; variants are
//! interleaved, the median repetition is printed. Memory is not touched: locks are the subject.
//! The column `CPUs` is processor time over wall time: figures for two and more threads say
//! something about contention only if it is near the number of processors.

use mempool::{Pool, Stats, Variant};
use std::sync::Barrier;
use std::time::Instant;

struct Churn {
    name: &'static str,
    sizes: &'static [usize],
    /// Weights in per cent, as `sizes`.
    weights: &'static [u64],
    alloc_percent: u64,
    live_max: usize,
}

const CHURNS: [Churn; 2] = [
    Churn {
        name: "rl_medium",
        sizes: &[128, 256, 512, 1024, 2048, 4096],
        weights: &[20, 25, 25, 15, 10, 5],
        alloc_percent: 60,
        live_max: 2048,
    },
    Churn {
        name: "fragmentation_mix",
        sizes: &[16, 32, 64, 128, 256, 512, 1024, 2048, 4096],
        weights: &[10, 10, 10, 12, 12, 12, 12, 12, 10],
        alloc_percent: 55,
        live_max: 8192,
    },
];
const VARIANTS: [Variant; 4] = [Variant::Baseline, Variant::Sharded, Variant::LockFree, Variant::Numa];

/// A small generator (splitmix64), one per thread.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }
}

/// Ties the calling thread to a processor, in turn: the scheduler may else keep the threads of a
/// short run on one. Where that is refused, the `CPUs` column tells.
fn pin_thread(thread: u64) {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    // SAFETY: a processor set is plain bits, for which zero is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the index is below the number of processors, far below the set's size.
    unsafe { libc::CPU_SET(thread as usize % processors, &mut set) };
    // SAFETY: the call reads the set, whose size is given; 0 names the calling thread.
    unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) };
}

/// Runs one thread's operations, then frees what is left; when the operations began and ended.
fn churn_thread(pool: &Pool, churn: &Churn, thread: u64, ops: usize, start: &Barrier) -> (Instant, Instant) {
    pin_thread(thread);
    let mut random = Random(42 + thread * 1_315_423_911);
    let size_of_percent: Vec<usize> = churn
        .sizes
        .iter()
        .zip(churn.weights)
        .flat_map(|(&size, &weight)| vec![size; weight as usize])
        .collect();
    let mut live: Vec<(*mut u8, usize)> = Vec::with_capacity(churn.live_max);
    start.wait();
    let began = Instant::now();
    for _ in 0..ops {
        let wants_alloc = random.below(100) < churn.alloc_percent;
        if live.is_empty() || (wants_alloc && live.len() < churn.live_max) {
            let size = size_of_percent[random.below(100) as usize];
            let block = pool.alloc(size, 8);
            assert!(!block.is_null());
            live.push((block, size));
        } else {
            let (block, size) = live.swap_remove(random.below(live.len() as u64) as usize);
            // SAFETY: the block is live and was allocated with this size and alignment.
            unsafe { pool.dealloc(block, size, 8) };
        }
    }
    let ended = Instant::now();
    for (block, size) in live {
        // SAFETY: as above.
        unsafe { pool.dealloc(block, size, 8) };
    }
    (began, ended)
}

/// Processor time of the process so far, in seconds.
fn processor_seconds() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes one timespec, which `time` is.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    assert_eq!(result, 0, "the process clock exists");
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// One repetition.
#[derive(Clone)]
struct Run {
    ops_per_second: f64,
    /// Processors the run had on average, setting up and draining included.
    processors: f64,
    stats: Stats,
}

/// Operations per second from the first thread's start to the last one's end, and the pool's
/// counters afterwards. Threads read the clock themselves: a coordinator may be scheduled late.
fn run(variant: Variant, churn: &Churn, threads: usize, ops: usize) -> Run {
    let pool = Pool::new(variant);
    let (spent_before, wall) = (processor_seconds(), Instant::now());
    let start = Barrier::new(threads);
    let times: Vec<(Instant, Instant)> = std::thread::scope(|scope| {
        let spawn = |thread| {
            let (pool, start) = (&pool, &start);
            scope.spawn(move || churn_thread(pool, churn, thread as u64, ops, start))
        };
        let handles: Vec<_> = (0..threads).map(spawn).collect();
        handles.into_iter().map(|handle| handle.join().expect("no thread panics")).collect()
    });
    let began = times.iter().map(|&(began, _)| began).min().expect("at least one thread");
    let ended = times.iter().map(|&(_, ended)| ended).max().expect("at least one thread");
    let processors = (processor_seconds() - spent_before) / wall.elapsed().as_secs_f64();
    let ops_per_second = (threads * ops) as f64 / (ended - began).as_secs_f64();
    Run { ops_per_second, processors, stats: pool.stats() }
}

fn argument(index: usize, default: usize) -> usize {
    std::env::args().nth(index).map_or(default, |text| text.parse().expect("a number"))
}

fn main() {
    let (ops, repetitions) = (argument(1, 200_000), argument(2, 5));
    println!("workload            threads  variant     M ops/s  CPUs  takings/op  waits/op  RMWs/op");
    for churn in &CHURNS {
        for threads in [1, 2, 4, 8] {
            let mut results: Vec<Vec<Run>> = vec![Vec::new(); VARIANTS.len()];
            for _ in 0..repetitions {
                for (variant, result) in VARIANTS.iter().zip(&mut results) {
                    result.push(run(*variant, churn, threads, ops));
                }
            }
            for (variant, mut result) in VARIANTS.iter().zip(results) {
                result.sort_by(|a, b| a.ops_per_second.total_cmp(&b.ops_per_second));
                let Run { ops_per_second, processors, stats } = &result[repetitions / 2];
                let per_op = |count: u64| count as f64 / (stats.allocs + stats.frees) as f64;
                println!(
                    "{:<18}  {threads:>7}  {:<10}  {:>7.2}  {:>4.2}  {:>10.3}  {:>8.4}  {:>7.4}",
                    churn.name,
                    format!("{variant:?}"),
                    ops_per_second / 1e6,
                    processors,
                    per_op(stats.locks.takings),
                    per_op(stats.locks.waits),
                    per_op(stats.atomic_rmws),
                );
            }
        }
    }
}
