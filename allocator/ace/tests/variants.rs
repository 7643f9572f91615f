//! The ablations with code of their own: contents, alignment, threads, and that every block comes home.

use ace_alloc::variants::{header, sll};
use ace_alloc::{stats, trim};
use std::thread;

type Alloc = fn(usize, usize) -> *mut u8;
type Free = unsafe fn(*mut u8);

fn random(seed: &mut u64) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as usize
}

struct Block(*mut u8, usize, u8);

// SAFETY: a block is used by whoever has it.
unsafe impl Send for Block {}

fn churn(alloc: Alloc, free: Free, mut seed: u64, mut live: Vec<Block>) -> Vec<Block> {
    let finish = |b: Block| {
        // SAFETY: a live block of this size and variant, freed here.
        unsafe {
            assert!(std::slice::from_raw_parts(b.0, b.1).iter().all(|&x| x == b.2));
            free(b.0);
        }
    };
    for _ in 0..60_000 {
        let bytes = if random(&mut seed).is_multiple_of(50) {
            random(&mut seed) % 100_000
        } else {
            random(&mut seed) % 700
        };
        let align = 1 << (random(&mut seed) % 9);
        let p = alloc(bytes, align);
        assert!(!p.is_null() && p.addr().is_multiple_of(align));
        let fill = random(&mut seed) as u8;
        // SAFETY: a live block of this size.
        unsafe { p.write_bytes(fill, bytes) };
        live.push(Block(p, bytes, fill));
        if live.len() > 2000 {
            let at = random(&mut seed) % live.len();
            finish(live.swap_remove(at));
        }
    }
    let kept = live.split_off(live.len() / 2);
    live.into_iter().for_each(finish);
    kept
}

fn exercise(alloc: Alloc, free: Free) {
    let mut kept = Vec::new();
    for round in 0..3 {
        let handed = std::mem::take(&mut kept);
        let other = thread::spawn(move || churn(alloc, free, round + 100, Vec::new()));
        kept = thread::spawn(move || churn(alloc, free, round, handed)).join().unwrap();
        kept.extend(other.join().unwrap());
    }
    let last = move || {
        for b in kept {
            // SAFETY: a live block of this variant.
            unsafe { free(b.0) };
        }
    };
    thread::spawn(last).join().unwrap();
}

#[test]
fn blocks_keep_their_contents_and_come_home() {
    exercise(sll::alloc, sll::free);
    exercise(header::alloc, header::free);
    let p = header::alloc(100, 64);
    // SAFETY: a live block of the variant.
    unsafe {
        assert!(header::usable_size(p) >= 100);
        header::free(p);
    }
    trim();
    let s = stats();
    assert_eq!((s.out_bytes, s.orphans, s.committed_bytes), (0, 0, 0), "{s:?}");
}
