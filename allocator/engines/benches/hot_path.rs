//! The cost of an engine's shortest paths, through the same `dyn Engine` boundary that workloads use.
//!
//! `cargo bench -p engines [-- <engine>]`. The floor's rows are the boundary and the loop; subtract them. Each engine proves
//! with `served` that it is the one behind the boundary before anything is timed.

use criterion::{Criterion, criterion_group, criterion_main};
use engines::Engine;
use std::hint::black_box;
use std::time::Duration;

const SMALL_BYTES: usize = 64;
const BATCH: usize = 100;

/// One block, asked for and given back.
fn pair(engine: &'static dyn Engine, size: usize, align: usize) {
    // SAFETY: the size is not zero and the alignment a power of two.
    let block = black_box(unsafe { engine.alloc(size, align) });
    // SAFETY: the block made above, freed once.
    unsafe { engine.dealloc(block, size, align) };
}

/// `BATCH` blocks live at once, freed in the order they were made.
fn batch(engine: &'static dyn Engine, blocks: &mut [*mut u8; BATCH]) {
    for slot in blocks.iter_mut() {
        // SAFETY: the size is not zero and the alignment a power of two.
        *slot = unsafe { engine.alloc(SMALL_BYTES, 8) };
    }
    for block in black_box(&*blocks) {
        // SAFETY: made above with this size and alignment, freed once.
        unsafe { engine.dealloc(*block, SMALL_BYTES, 8) };
    }
}

fn assert_served(engine: &'static dyn Engine) {
    for align in [8, 64] {
        // SAFETY: the size is not zero and the alignment a power of two.
        let block = unsafe { engine.alloc(SMALL_BYTES, align) };
        assert!(engine.served(block), "{}: not the engine behind the boundary", engine.name());
        // SAFETY: the block made above, freed once.
        unsafe { engine.dealloc(block, SMALL_BYTES, align) };
    }
}

fn hot_path(criterion: &mut Criterion) {
    for entry in engines::built() {
        let engine = entry.instance.expect("built means there is one")();
        // More than the floor's fresh mode covers: criterion decides how much is allocated.
        engine.expect(usize::MAX, false);
        engine.enter_thread();
        assert_served(engine);
        let mut group = criterion.benchmark_group(entry.name);
        group.bench_function("pair_64", |bencher| bencher.iter(|| pair(engine, black_box(SMALL_BYTES), 8)));
        group.bench_function("pair_64_aligned_64", |bencher| {
            bencher.iter(|| pair(engine, black_box(SMALL_BYTES), black_box(64)));
        });
        let mut blocks = [std::ptr::null_mut(); BATCH];
        group.bench_function("batch_100", |bencher| bencher.iter(|| batch(engine, &mut blocks)));
        group.finish();
        engine.leave_thread();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .without_plots();
    targets = hot_path
}
criterion_main!(benches);
