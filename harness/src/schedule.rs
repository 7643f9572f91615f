//! In which order cells run: blocks that hold every engine once, in balanced (ABBA) pairs, in random order.
//!
//! A block is one cell of each engine for one workload, thread count and pass, one after another or, in the throughput pass,
//! in rounds of one run each (see [`crate::block`]); its cells are
//! compared with each other and with nothing else, so that slow changes of the machine cancel. Blocks 2k and 2k + 1
//! run in opposite orders, so that drift within a block and the effect of a neighbour cancel too.

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// The order of `engines` indices in block number `block` of the comparison that `key` names.
pub fn block_order(engines: usize, seed: u64, key: &str, block: u32) -> Vec<usize> {
    let mut order = permutation(engines, &mut generator(seed, key, block / 2));
    if block % 2 == 1 {
        order.reverse();
    }
    order
}

/// `items` indices in random order: the order of comparisons within a round.
pub fn round_order(items: usize, seed: u64, round: u32) -> Vec<usize> {
    permutation(items, &mut generator(seed, "round", round))
}

/// A generator of its own for each (seed, key, number), so that an order does not depend on what else is planned.
fn generator(seed: u64, key: &str, number: u32) -> Xoshiro256PlusPlus {
    // FNV-1a: a fixed, documented hash, because orders must be the same in every build.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in key.bytes().chain(number.to_le_bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    Xoshiro256PlusPlus::seed_from_u64(seed ^ hash)
}

/// Fisher–Yates.
fn permutation(items: usize, rng: &mut Xoshiro256PlusPlus) -> Vec<usize> {
    let mut order: Vec<usize> = (0..items).collect();
    for last in (1..items).rev() {
        // The bias of the multiplication is below 2^-50 for any list here.
        let pick = ((u128::from(rng.next_u64()) * (last as u128 + 1)) >> 64) as usize;
        order.swap(last, pick);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_of_blocks_is_balanced() {
        for key in ["rl_small/1", "mid_mt/8"] {
            for pair in 0..10 {
                let forth = block_order(7, 42, key, 2 * pair);
                let mut back = block_order(7, 42, key, 2 * pair + 1);
                back.reverse();
                assert_eq!(forth, back);
                let mut sorted = forth.clone();
                sorted.sort_unstable();
                assert_eq!(sorted, (0..7).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn orders_depend_on_seed_key_and_pair() {
        let reference = block_order(9, 42, "a", 0);
        assert_eq!(reference, block_order(9, 42, "a", 0));
        assert_ne!(reference, block_order(9, 43, "a", 0));
        assert_ne!(reference, block_order(9, 42, "b", 0));
        assert_ne!(reference, block_order(9, 42, "a", 2));
    }

    #[test]
    fn every_place_is_taken_by_every_engine_about_equally() {
        let mut seen = [[0_u32; 4]; 4];
        for block in 0..800 {
            for (place, engine) in block_order(4, 1, "k", block).into_iter().enumerate() {
                seen[engine][place] += 1;
            }
        }
        for row in seen {
            for count in row {
                assert!((140..=260).contains(&count), "{seen:?}");
            }
        }
    }
}
