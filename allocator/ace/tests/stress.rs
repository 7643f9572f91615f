//! Threads that hand blocks over, verified byte by byte, and threads that come and go.

use ace_alloc::{free, malloc, stats, usable_size};
use std::sync::mpsc;
use std::thread;

fn next(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

struct Block {
    p: *mut u8,
    bytes: usize,
    fill: u8,
}

// SAFETY: a block is used by whoever has it.
unsafe impl Send for Block {}

fn make(seed: &mut u64) -> Block {
    let r = next(seed);
    let bytes = match r % 64 {
        0 => 1 + (r >> 8) as usize % 200_000,
        1..8 => 1 + (r >> 8) as usize % 16_000,
        _ => 1 + (r >> 8) as usize % 512,
    };
    let p = malloc(bytes);
    assert!(!p.is_null());
    let fill = (r >> 40) as u8;
    // SAFETY: a live block of this size.
    unsafe { p.write_bytes(fill, bytes) };
    Block { p, bytes, fill }
}

fn check_and_free(b: Block) {
    // SAFETY: a live block of at least this size, freed here and not used afterwards.
    unsafe {
        assert!(usable_size(b.p) >= b.bytes);
        let contents = std::slice::from_raw_parts(b.p, b.bytes);
        assert!(contents.iter().all(|&x| x == b.fill), "block {:?} of {} was overwritten", b.p, b.bytes);
        free(b.p);
    }
}

/// 8 threads, 125,000 allocations each, a third of the blocks freed by the neighbour.
#[test]
fn hand_off_between_eight_threads() {
    const THREADS: usize = 8;
    const OPS: usize = 125_000;
    let (mut senders, mut receivers) = (Vec::new(), Vec::new());
    for _ in 0..THREADS {
        let (s, r) = mpsc::sync_channel::<Block>(1024);
        senders.push(s);
        receivers.push(Some(r));
    }
    let workers: Vec<_> = (0..THREADS)
        .map(|i| {
            let send = senders[(i + 1) % THREADS].clone();
            let receive = receivers[i].take().unwrap();
            thread::spawn(move || {
                let mut seed = 42 + i as u64 * 1_315_423_911;
                println!("thread {i} seed {seed}");
                let mut live = Vec::new();
                for _ in 0..OPS {
                    let b = make(&mut seed);
                    if next(&mut seed).is_multiple_of(3) {
                        if let Err(mpsc::TrySendError::Full(b) | mpsc::TrySendError::Disconnected(b)) =
                            send.try_send(b)
                        {
                            check_and_free(b);
                        }
                    } else {
                        live.push(b);
                    }
                    if live.len() > 500 {
                        let at = next(&mut seed) as usize % live.len();
                        check_and_free(live.swap_remove(at));
                    }
                    while let Ok(b) = receive.try_recv() {
                        check_and_free(b);
                    }
                }
                live.into_iter().for_each(check_and_free);
                drop(send);
                receive
            })
        })
        .collect();
    drop(senders);
    let leftovers: Vec<_> = workers.into_iter().map(|w| w.join().unwrap()).collect();
    for receive in leftovers {
        receive.into_iter().for_each(check_and_free);
    }
}

fn resident_bytes() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// 100,000 short threads, some of which leave a block to the next: heaps are reused, memory does not grow.
#[test]
fn short_threads_leave_nothing() {
    let run = |n: usize, mut left: Vec<Block>| {
        for i in 0..n {
            left = thread::spawn(move || {
                left.into_iter().for_each(check_and_free);
                let mut seed = 1 + i as u64;
                let mut blocks: Vec<_> = (0..10).map(|_| make(&mut seed)).collect();
                let kept = blocks.pop().into_iter().collect();
                blocks.into_iter().for_each(check_and_free);
                kept
            })
            .join()
            .unwrap();
        }
        left
    };
    let left = run(2_000, Vec::new());
    let (before, heaps) = (resident_bytes(), stats().heaps);
    let left = run(98_000, left);
    left.into_iter().for_each(check_and_free);
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < 24 << 20, "resident grew by {grown}");
    assert!(stats().heaps <= heaps + 8, "heaps are reused");
}
