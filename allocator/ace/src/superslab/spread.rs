//! How descriptors spread over cache sets: the property as a test, its worth as a measurement.
//!
//! A flush touches the descriptors of slabs all over the heap. Were each at the start of its slab, all would share the
//! few sets that addresses 64 KiB apart map to. Here the layout in use is compared with those that were not taken:
//! `cargo test --release -p ace-alloc --lib what_the_layouts_cost -- --ignored --nocapture`.

use super::{COLOURS, HEADER_BYTES, LINE_BYTES, Slab, records_offset};
use crate::units::{SLAB_BYTES, SLABS, SUPERSLAB_BYTES};
use core::mem::size_of;
use std::time::Instant;
use std::vec::Vec;

/// Sets of a first-level cache of 32 KiB in 8 ways, and of a second-level one of 512 KiB in 8 ways.
const SETS: [usize; 2] = [64, 1024];
const WAYS: usize = 8;

/// Where the descriptor of slab `index` of the superslab at `base` would be.
type Layout = fn(base: usize, index: usize) -> usize;

const LAYOUTS: [(&str, Layout); 4] = [
    ("in use: records of 17 lines, coloured", |base, index| {
        base + records_offset(base) + index * size_of::<Slab>()
    }),
    ("records of 17 lines, no colour", |base, index| base + HEADER_BYTES + index * size_of::<Slab>()),
    ("records of 16 lines, no colour", |base, index| base + HEADER_BYTES + index * 16 * LINE_BYTES),
    ("at the start of each slab", |base, index| base + index * SLAB_BYTES),
];

/// Addresses of `slabs` descriptors in neighbouring superslabs from `base`.
fn addresses(layout: Layout, base: usize, slabs: usize) -> Vec<usize> {
    (0..slabs).map(|i| layout(base + i / (SLABS - 1) * SUPERSLAB_BYTES, 1 + i % (SLABS - 1))).collect()
}

/// The most lines that fall into one of `sets` sets.
fn crowd(addresses: &[usize], sets: usize) -> usize {
    let mut counts = std::vec![0; sets];
    for address in addresses {
        counts[address / LINE_BYTES % sets] += 1;
    }
    counts.into_iter().max().unwrap_or(0)
}

#[test]
fn descriptors_in_use_spread_over_the_sets() {
    let base = 32 * SUPERSLAB_BYTES;
    for slabs in [100, 400, 2000] {
        let all = addresses(LAYOUTS[0].1, base, slabs);
        // No set of the first level holds more than twice its share; at the second level nothing is displaced.
        assert!(crowd(&all, SETS[0]) <= 2 * slabs.div_ceil(SETS[0]), "{slabs}");
        assert!(crowd(&all, SETS[1]) <= WAYS, "{slabs}: {}", crowd(&all, SETS[1]));
    }
    // The test can fail: descriptors in their slabs share one set in 1,024.
    assert!(crowd(&addresses(LAYOUTS[3].1, base, 100), SETS[1]) > WAYS);
    const { assert!(COLOURS > 1) }
}

#[test]
#[ignore = "a measurement, for a quiet machine: prints nanoseconds a visit"]
fn what_the_layouts_cost() {
    const VISITS: usize = 4_000_000;
    let span = 66 * SUPERSLAB_BYTES;
    let base = crate::pal::map_aligned(span, SUPERSLAB_BYTES).expect("memory is there");
    std::println!(
        "| layout | slabs | most lines in an L1 set, L2 set | ns a visit: median of 9 [least, most] |"
    );
    std::println!("|---|---:|---:|---:|");
    for slabs in [100, 400, 2000] {
        let mut times: [Vec<f64>; LAYOUTS.len()] = Default::default();
        let places: Vec<Vec<usize>> =
            LAYOUTS.iter().map(|(_, layout)| addresses(*layout, base, slabs)).collect();
        for _ in 0..9 {
            for (places, times) in places.iter().zip(&mut times) {
                times.push(visit(places, VISITS));
            }
        }
        for (((name, _), places), times) in LAYOUTS.iter().zip(&places).zip(&mut times) {
            times.sort_by(f64::total_cmp);
            let crowds = SETS.map(|sets| crowd(places, sets));
            std::println!(
                "| {name} | {slabs} | {}, {} | {:.2} [{:.2}, {:.2}] |",
                crowds[0],
                crowds[1],
                times[4],
                times[0],
                times[8]
            );
        }
    }
    crate::pal::unmap(base, span);
}

/// Nanoseconds a visit: a read and a write of a descriptor, each chosen by what the last one held.
fn visit(places: &[usize], visits: usize) -> f64 {
    let (mut at, mut held) = (0x9e37_79b9_usize, 0_usize);
    let mut begin = Instant::now();
    for pass in 0..2 {
        // The first pass brings pages and lines in.
        begin = Instant::now();
        for _ in 0..if pass == 0 { visits / 8 } else { visits } {
            at = at.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1).wrapping_add(held);
            let word = core::ptr::with_exposed_provenance_mut::<usize>(places[(at >> 33) % places.len()]);
            // SAFETY: the places lie in a mapping of this test, aligned to lines; nobody else has it.
            held = unsafe { word.read_volatile() };
            // SAFETY: as above.
            unsafe { word.write_volatile(held) };
        }
    }
    begin.elapsed().as_secs_f64() * 1e9 / visits as f64
}
