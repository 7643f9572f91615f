//! What a benchmark relies on, checked for every engine that this binary was built with.
//!
//! A case is a function over one engine; the table in each test runs it over [`engines::built`], so an engine is covered by
//! being in the catalogue. Cases run one at a time: they watch process-wide figures.

mod support;

use engines::Engine;
use std::sync::mpsc;
use std::thread;
use support::{Block, disjoint, for_every_engine, is_one_allocator, with_every_engine};

/// Every size to 64 bytes, then the neighbours of powers of two to 1 MiB, where size classes and paths change.
fn sizes() -> Vec<usize> {
    let around_powers = (6..=20).flat_map(|log| [(1 << log) - 1, 1 << log, (1 << log) + 1]);
    (1..64)
        .chain(around_powers)
        .chain([100, 1_000, 10_000, 100_000, 1_000_000])
        .filter(|size| *size <= 1 << 20)
        .collect()
}

fn aligns() -> impl Iterator<Item = usize> {
    (3..=12).map(|log| 1 << log)
}

#[test]
fn blocks_are_aligned_usable_and_disjoint() {
    for_every_engine(|engine| {
        for align in aligns() {
            let blocks: Vec<Block> =
                sizes().into_iter().map(|size| Block::filled(engine, size, align)).collect();
            assert!(disjoint(&blocks), "{}: blocks overlap at alignment {align}", engine.name());
            blocks.iter().for_each(Block::verify);
            blocks.into_iter().for_each(Block::free);
        }
    });
}

#[test]
fn freed_memory_is_given_out_again_without_overlap() {
    for_every_engine(|engine| {
        let mut live: Vec<Block> = Vec::new();
        for round in 0..20_000usize {
            let size = 1 + round.wrapping_mul(7_919) % 3_000;
            live.push(Block::filled(engine, size, 8 << (round % 4)));
            if live.len() > 300 {
                let victim = live.swap_remove(round.wrapping_mul(31) % live.len());
                victim.verify();
                victim.free();
            }
        }
        assert!(disjoint(&live), "{}: blocks overlap", engine.name());
        live.iter().for_each(Block::verify);
        live.into_iter().for_each(Block::free);
    });
}

#[test]
fn realloc_keeps_contents() {
    const STEPS: [usize; 14] = [1, 7, 8, 12, 16, 17, 100, 60, 4_000, 70_000, 300, 1 << 20, (1 << 20) + 5, 9];
    for_every_engine(|engine| {
        for align in aligns() {
            let mut block = Block::filled(engine, 24, align);
            for new_size in STEPS {
                block = block.resized(new_size);
            }
            block.verify();
            block.free();
        }
    });
}

#[test]
fn any_thread_may_free() {
    for_every_engine(|engine| {
        let (to_consumer, from_producer) = mpsc::sync_channel::<Block>(64);
        thread::scope(|scope| {
            scope.spawn(move || {
                engine.enter_thread();
                for round in 0..5_000 {
                    let block = Block::filled(engine, 1 + round % 900, 8 << (round % 5));
                    to_consumer.send(block).expect("the consumer lives");
                }
                engine.leave_thread();
            });
            scope.spawn(move || {
                engine.enter_thread();
                for block in from_producer {
                    block.verify();
                    block.free();
                }
                engine.leave_thread();
            });
        });
        // Blocks outlive the thread that asked for them.
        let orphans = thread::spawn(move || {
            (1..200).map(|size| Block::filled(engine, size, 8)).collect::<Vec<Block>>()
        });
        for block in orphans.join().expect("the thread does not panic") {
            block.verify();
            block.free();
        }
    });
}

/// Blocks of every path: small, odd, aligned, large and huge, from this thread and from two others.
fn assorted_blocks(engine: &'static dyn Engine) -> Vec<Block> {
    const SHAPES: [(usize, usize); 14] = [
        (1, 1),
        (8, 8),
        (16, 16),
        (24, 8),
        (64, 8),
        (64, 64),
        (500, 32),
        (1_000, 4_096),
        (4_096, 4_096),
        (40_000, 8),
        (100_000, 64),
        (1 << 20, 8),
        (5 << 20, 4_096),
        (40 << 20, 8),
    ];
    let make = move || -> Vec<Block> {
        engine.enter_thread();
        SHAPES.into_iter().map(|(size, align)| Block::marked(engine, size, align)).collect()
    };
    let threads = [thread::spawn(make), thread::spawn(make)];
    let mut blocks = make();
    for thread in threads {
        blocks.extend(thread.join().expect("the thread does not panic"));
    }
    blocks
}

#[test]
fn an_engine_knows_its_own_blocks() {
    for_every_engine(|engine| {
        let blocks = assorted_blocks(engine);
        for block in &blocks {
            assert!(engine.served(block.address()), "{} disowns its {block:?}", engine.name());
        }
        blocks.into_iter().for_each(Block::free);
    });
}

#[test]
fn an_engine_disowns_every_other_engines_blocks() {
    with_every_engine(|engines| {
        for owner in engines {
            let blocks = assorted_blocks(*owner);
            for other in engines {
                if owner.name() == other.name() || is_one_allocator(owner.name(), other.name()) {
                    continue;
                }
                for block in &blocks {
                    assert!(
                        !other.served(block.address()),
                        "{} claims {}'s {block:?}",
                        other.name(),
                        owner.name()
                    );
                }
            }
            blocks.into_iter().for_each(Block::free);
        }
    });
}

#[test]
fn an_engine_disowns_memory_of_no_allocator() {
    static READ_ONLY: [u64; 64] = [0x21; 64];
    static WRITABLE: std::sync::Mutex<[u64; 4096]> = std::sync::Mutex::new([0; 4096]);
    let on_stack = [0x31u64; 64];
    let writable = WRITABLE.lock().expect("no test panics while holding it");
    let mapping = support::Mapping::new(4 << 20);
    let addresses: [*const u8; 10] = [
        std::ptr::null(),
        std::ptr::without_provenance(16),
        std::ptr::without_provenance(0x7000_0000_0000),
        std::ptr::without_provenance(usize::MAX - 15),
        on_stack[2..].as_ptr().cast(),
        READ_ONLY[2..].as_ptr().cast(),
        writable[512..].as_ptr().cast(),
        (realloc_keeps_contents as fn() as *const u8),
        mapping.start(),
        mapping.start().wrapping_add(16),
    ];
    for_every_engine(|engine| {
        // An engine that has served nothing yet might say no to anything.
        let own = Block::filled(engine, 64, 8);
        for address in addresses {
            assert!(!engine.served(address), "{} claims {address:p}", engine.name());
        }
        own.free();
    });
}

#[test]
fn versions_name_the_engine_that_runs() {
    for_every_engine(|engine| {
        let version = engine.version();
        let expected = support::version_prefix(engine.name());
        assert!(version.starts_with(expected), "{} says {version:?}, not {expected:?}", engine.name());
        assert!(version.len() > expected.len(), "{} says only {version:?}", engine.name());
    });
}

#[test]
fn crate_numbers_in_versions_are_those_of_the_lock_file() {
    const LOCK: &str = include_str!("../../../Cargo.lock");
    for (engine, package) in support::CRATE_NUMBERED {
        let locked = support::locked_version(LOCK, package).expect("the lock file has every peer");
        let Some(instance) = engines::find(engine).and_then(|entry| entry.instance) else { continue };
        let version = instance().version();
        assert!(version.contains(locked), "{engine} says {version:?}; {package} {locked} is locked");
    }
}

#[test]
fn figures_move_with_what_is_allocated() {
    const BLOCKS: usize = 64;
    const BLOCK_BYTES: usize = 1 << 20;
    for_every_engine(|engine| {
        let before = engine.stats();
        let blocks: Vec<Block> = (0..BLOCKS).map(|_| Block::filled(engine, BLOCK_BYTES, 8)).collect();
        let after = engine.stats();
        let grown = |before: Option<u64>, after: Option<u64>| {
            after
                .zip(before)
                .is_some_and(|(after, before)| after >= before + (BLOCKS * BLOCK_BYTES / 2) as u64)
        };
        let held = after.committed_bytes.or(after.allocated_bytes);
        if support::keeps_figures(engine.name()) {
            assert!(
                held.is_some_and(|bytes| bytes >= (BLOCKS * BLOCK_BYTES) as u64),
                "{}: {after:?} with {BLOCKS} MiB live",
                engine.name()
            );
        }
        if after.allocated_bytes.is_some() {
            let (before, after) = (before.allocated_bytes, after.allocated_bytes);
            assert!(grown(before, after), "{}: allocated {before:?}, then {after:?}", engine.name());
        }
        blocks.into_iter().for_each(Block::free);
    });
}

#[test]
fn absurd_requests_give_null_and_break_nothing() {
    let absurd = [1usize << 47, 1 << 55, (isize::MAX as usize) & !0xffff];
    for_every_engine(|engine| {
        let kept = Block::filled(engine, 100, 8);
        for (size, align) in absurd.into_iter().flat_map(|size| [(size, 8), (size, 64), (size, 4096)]) {
            // SAFETY: the size is within `isize` after rounding up to the alignment.
            let block = unsafe { engine.alloc(size, align) };
            assert!(block.is_null(), "{} gives {size:#x} bytes at {block:p}", engine.name());
        }
        for size in absurd {
            assert!(kept.cannot_become(size), "{} resizes to {size:#x} bytes", engine.name());
        }
        kept.verify();
        kept.free();
        Block::filled(engine, 5_000, 8).free();
    });
}

#[test]
fn trim_leaves_live_blocks_alone() {
    for_every_engine(|engine| {
        let blocks: Vec<Block> =
            (0..4_000).map(|round| Block::filled(engine, 1 + round * 13 % 5_000, 8 << (round % 4))).collect();
        let mut kept = Vec::new();
        for (index, block) in blocks.into_iter().enumerate() {
            if index % 7 == 0 { kept.push(block) } else { block.free() }
        }
        engine.trim();
        thread::spawn(|| engine.trim()).join().expect("trim does not panic");
        kept.iter().for_each(Block::verify);
        let fresh: Vec<Block> = (1..2_000).map(|size| Block::filled(engine, size, 8)).collect();
        kept.iter().for_each(Block::verify);
        kept.into_iter().chain(fresh).for_each(Block::free);
    });
}

#[test]
fn the_catalogue_is_consistent() {
    for entry in engines::catalog::CATALOG {
        assert!(!entry.about.is_empty() && entry.flavour.starts_with("allocbench-cell"), "{}", entry.name);
        assert!(
            engines::find(entry.name).is_some_and(|found| std::ptr::eq(found, entry)),
            "{} is there twice",
            entry.name
        );
        if let Some(instance) = entry.instance {
            assert_eq!(instance().name(), entry.name);
        } else {
            assert!(!entry.feature.is_empty(), "{} needs no feature and is missing", entry.name);
        }
    }
    assert!(engines::built().count() >= 2);
}
