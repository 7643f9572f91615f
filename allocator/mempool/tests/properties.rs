//! Random programs of allocs, frees, reallocs, scopes and trims against a shadow map.
#![cfg(not(loom))]

mod support;

use mempool::{Pool, Scope};
use proptest::prelude::*;
use std::collections::BTreeMap;
use support::{VARIANTS, assert_sums, check, fill};

#[derive(Clone, Debug)]
enum Step {
    Alloc { size: usize, align: usize, seed: u8 },
    Free(prop::sample::Index),
    Realloc(prop::sample::Index, usize),
    OpenScope,
    EndScope,
    Trim,
}

/// A live block as the program knows it; `scope` is the depth it was allocated at.
#[derive(Clone, Copy)]
struct Shadow {
    size: usize,
    align: usize,
    seed: u8,
    scope: usize,
}

fn size() -> impl Strategy<Value = usize> {
    prop_oneof![6 => 1..300usize, 4 => 1..5000usize, 2 => 4000..200_000usize, 1 => 900_000..3_000_000usize]
}

fn step() -> impl Strategy<Value = Step> {
    let alloc = (size(), 0..14u32, any::<u8>());
    prop_oneof![
        8 => alloc.prop_map(|(size, shift, seed)| Step::Alloc { size, align: 1 << shift, seed }),
        6 => any::<prop::sample::Index>().prop_map(Step::Free),
        3 => (any::<prop::sample::Index>(), size()).prop_map(|(index, size)| Step::Realloc(index, size)),
        1 => Just(Step::OpenScope),
        1 => Just(Step::EndScope),
        1 => Just(Step::Trim),
    ]
}

/// Blocks by address; a new block must overlap none of them.
#[derive(Default)]
struct Shadows(BTreeMap<usize, (*mut u8, Shadow)>);

impl Shadows {
    fn insert(&mut self, pool: &Pool, block: *mut u8, shadow: Shadow) {
        assert!(!block.is_null() && block.addr().is_multiple_of(shadow.align) && pool.owns(block));
        let end = block.addr() + pool.usable_size(shadow.size, shadow.align);
        if let Some((&address, (_, before))) = self.0.range(..end).next_back() {
            assert!(address + pool.usable_size(before.size, before.align) <= block.addr(), "overlap");
        }
        self.0.insert(block.addr(), (block, shadow));
    }

    fn pick(&self, index: prop::sample::Index) -> Option<(*mut u8, Shadow)> {
        let live: Vec<_> = self.0.values().copied().collect();
        (!live.is_empty()).then(|| *index.get(&live))
    }
}

fn apply<'p>(pool: &'p Pool, step: Step, shadows: &mut Shadows, scopes: &mut Vec<Scope<'p>>) {
    match step {
        Step::Alloc { size, align, seed } => {
            let block = pool.alloc(size, align);
            shadows.insert(pool, block, Shadow { size, align, seed, scope: scopes.len() });
            fill(block, size, seed);
        }
        Step::Free(index) => {
            let Some((block, shadow)) = shadows.pick(index) else { return };
            check(block, shadow.size, shadow.seed);
            shadows.0.remove(&block.addr());
            // SAFETY: the block is live and of this request.
            unsafe { pool.dealloc(block, shadow.size, shadow.align) };
        }
        Step::Realloc(index, new_size) => {
            let Some((block, shadow)) = shadows.pick(index) else { return };
            shadows.0.remove(&block.addr());
            // SAFETY: the block is live and of this request.
            let moved = unsafe { pool.realloc(block, shadow.size, shadow.align, new_size) };
            shadows.insert(pool, moved, Shadow { size: new_size, ..shadow });
            check(moved, shadow.size.min(new_size), shadow.seed);
            fill(moved, new_size, shadow.seed);
        }
        Step::OpenScope => scopes.push(pool.scope()),
        Step::EndScope => {
            let depth = scopes.len();
            if scopes.pop().is_some() {
                shadows.0.retain(|_, (_, shadow)| shadow.scope < depth);
            }
        }
        Step::Trim => {
            pool.trim();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn programs_agree_with_their_shadow(steps in prop::collection::vec(step(), 1..250)) {
        for variant in VARIANTS {
            let pool = Pool::new(variant);
            let (mut shadows, mut scopes) = (Shadows::default(), Vec::new());
            for step in steps.clone() {
                apply(&pool, step, &mut shadows, &mut scopes);
            }
            assert_eq!(pool.stats().live_blocks, shadows.0.len() as u64);
            assert_sums(&pool);
            for (block, shadow) in shadows.0.values() {
                check(*block, shadow.size, shadow.seed);
            }
            drop(scopes);
            let outside = shadows.0.values().filter(|(_, shadow)| shadow.scope == 0).count();
            assert_eq!(pool.stats().live_blocks, outside as u64);
        }
    }
}
