//! The draft's warm-pool experiment: random mixed at one size, with and without secondary prefill.
//!
//! `cargo run --release -p ace-alloc --example warm_pool [REPETITIONS]`
//!
//! Each cycle picks a slot at random; a full one is freed, an empty one filled with 256 bytes, until so many allocations were made.
//! Every figure is the median over processes of their own, the settings interleaved and their order reversed each time. Hit rate:
//! of the misses of the HOT shelf those that found an empty slab kept warm. Prints a Markdown table.

use ace_alloc::{free, malloc, stats};
use std::process::Command;
use std::time::Instant;

const BLOCK_BYTES: usize = 256;
/// The draft's working set, and one of many slabs that the experiment needs in order to show anything.
const SLOTS: [usize; 2] = [400, 40_000];
const ALLOCATIONS: [u64; 3] = [1_000_000, 5_000_000, 10_000_000];
const CHILD: &str = "ACE_WARM_POOL_RUN";

/// Name and variables.
const SETTINGS: [(&str, &[(&str, &str)]); 6] = [
    ("no warm pool", &[("ACE_WARM_SLABS", "0")]),
    ("as shipped: no prefill", &[]),
    ("prefill 1", &[("ACE_PREFILL", "1")]),
    ("prefill 3", &[("ACE_PREFILL", "3")]),
    ("prefill 8", &[("ACE_PREFILL", "8")]),
    ("prefill adaptive", &[("ACE_PREFILL_ADAPTIVE", "1")]),
];

/// What one process found.
#[derive(Clone, Copy)]
struct Found {
    per_second: f64,
    hits: u64,
    misses: u64,
    committed_bytes: u64,
}

fn random(seed: &mut u64) -> usize {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    (*seed >> 20) as usize
}

/// The experiment, in the process that was started for it.
fn run(allocations: u64, slots: usize) -> Found {
    let mut held = vec![std::ptr::null_mut::<u8>(); slots];
    let (mut seed, mut done, mut operations) = (42u64, 0, 0u64);
    let start = Instant::now();
    while done < allocations {
        let slot = random(&mut seed) % slots;
        operations += 1;
        if held[slot].is_null() {
            held[slot] = malloc(BLOCK_BYTES);
            assert!(!held[slot].is_null(), "out of memory");
            // SAFETY: a fresh block of this size.
            unsafe { held[slot].write(1) };
            done += 1;
        } else {
            // SAFETY: a live block, freed here.
            unsafe { free(std::mem::replace(&mut held[slot], std::ptr::null_mut())) };
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let stats = stats();
    Found {
        per_second: operations as f64 / seconds,
        hits: stats.warm_hits,
        misses: stats.warm_misses,
        committed_bytes: stats.committed_bytes,
    }
}

fn child(words: &str) {
    let mut numbers = words.split(' ').map(|word| word.parse::<u64>().expect("two numbers"));
    let (allocations, slots) = (numbers.next().expect("allocations"), numbers.next().expect("slots"));
    let found = run(allocations, slots as usize);
    println!("{} {} {} {}", found.per_second, found.hits, found.misses, found.committed_bytes);
}

fn measure(env: &[(&str, &str)], allocations: u64, slots: usize) -> Found {
    let own = std::env::current_exe().expect("own path");
    let mut command = Command::new(own);
    command.env(CHILD, format!("{allocations} {slots}")).envs(env.iter().copied());
    let output = command.output().expect("a process");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut words = text.split_whitespace();
    let mut next = || words.next().expect("four numbers");
    Found {
        per_second: next().parse().expect("a number"),
        hits: next().parse().expect("a number"),
        misses: next().parse().expect("a number"),
        committed_bytes: next().parse().expect("a number"),
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    if let Ok(words) = std::env::var(CHILD) {
        return child(&words);
    }
    let repetitions: usize = match std::env::args().nth(1).map(|word| word.parse()) {
        None => 5,
        Some(Ok(n @ 1..=1000)) => n,
        Some(_) => {
            eprintln!("warm_pool: give the number of repetitions, 1 to 1000");
            std::process::exit(2);
        }
    };
    println!("| slots | allocations | setting | M ops/s | hit rate | hits | misses | committed MiB |");
    println!("| ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |");
    for slots in SLOTS {
        for allocations in ALLOCATIONS {
            let mut found = vec![Vec::new(); SETTINGS.len()];
            for repetition in 0..repetitions {
                let mut order: Vec<usize> = (0..SETTINGS.len()).collect();
                if repetition % 2 == 1 {
                    order.reverse();
                }
                for at in order {
                    found[at].push(measure(SETTINGS[at].1, allocations, slots));
                }
            }
            for ((name, _), runs) in SETTINGS.iter().zip(&found) {
                let middle = |read: fn(&Found) -> f64| median(runs.iter().map(read).collect());
                let (hits, misses) = (middle(|f| f.hits as f64), middle(|f| f.misses as f64));
                println!(
                    "| {slots} | {allocations} | {name} | {:.1} | {} | {hits} | {misses} | {:.1} |",
                    middle(|f| f.per_second) / 1e6,
                    if hits + misses > 0.0 {
                        format!("{:.1} %", 100.0 * hits / (hits + misses))
                    } else {
                        "–".into()
                    },
                    middle(|f| f.committed_bytes as f64) / f64::from(1 << 20),
                );
            }
        }
    }
}
