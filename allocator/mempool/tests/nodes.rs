//! Node placement under faked topologies of 2 to 4 nodes, and the reading of sysfs.
#![cfg(not(loom))]

mod support;

use mempool::{Pool, Topology, Variant};
use std::collections::BTreeSet;
use support::{Random, assert_sums};

const SIZES: [usize; 4] = [24, 100, 900, 20_000];
/// Blocks of each size that a node allocates: several chunks' worth of the largest.
const BLOCKS: usize = 300;

/// Blocks of one size from the thread's present node.
fn allocate(pool: &Pool, size: usize) -> Vec<*mut u8> {
    (0..BLOCKS).map(|_| pool.alloc(size, 8)).collect()
}

/// Blocks of one size from a new thread on a node.
fn on_node(pool: &Pool, node: usize, size: usize) -> Vec<*mut u8> {
    let body = || {
        Topology::enter_node(node);
        allocate(pool, size).into_iter().map(<*mut u8>::expose_provenance).collect::<Vec<_>>()
    };
    let blocks = std::thread::scope(|threads| threads.spawn(body).join().unwrap());
    blocks.into_iter().map(std::ptr::with_exposed_provenance_mut).collect()
}

fn free(pool: &Pool, blocks: &[*mut u8], size: usize) {
    for &block in blocks {
        // SAFETY: the block is live and of this size.
        unsafe { pool.dealloc(block, size, 8) };
    }
}

/// Frees everything from a new thread on a node.
fn free_on_node(pool: &Pool, node: usize, homes: &[Vec<*mut u8>], size: usize) {
    let blocks: Vec<usize> = homes.iter().flatten().map(|block| block.expose_provenance()).collect();
    let body = || {
        Topology::enter_node(node);
        let blocks: Vec<*mut u8> = blocks.into_iter().map(std::ptr::with_exposed_provenance_mut).collect();
        free(pool, &blocks, size);
    };
    std::thread::scope(|threads| threads.spawn(body).join().unwrap());
}

/// Chunks that blocks lie in: of 64 KiB, or of 1 MiB where best fit serves the size.
fn chunks(blocks: &[*mut u8], size: usize) -> BTreeSet<usize> {
    let shift = if size > 4096 { 20 } else { 16 };
    blocks.iter().map(|block| block.addr() >> shift).collect()
}

#[test]
fn blocks_come_from_their_node_and_return_to_it() {
    for nodes in 2..=4 {
        for size in SIZES {
            let pool = Pool::with_topology(Variant::Numa, Topology::faked(nodes));
            let mut homes = Vec::new();
            for node in 0..nodes {
                homes.push(on_node(&pool, node, size));
            }
            for pair in homes.windows(2) {
                assert!(
                    chunks(&pair[0], size).is_disjoint(&chunks(&pair[1], size)),
                    "{nodes} nodes, {size} B"
                );
            }
            let chunk_bytes = pool.stats().chunk_bytes;
            // All is freed on the last node; each node must get its own back. The
            // thread's end empties its cache.
            free_on_node(&pool, nodes - 1, &homes, size);
            for (node, home) in homes.iter().enumerate() {
                let again = on_node(&pool, node, size);
                assert!(
                    chunks(&again, size).is_subset(&chunks(home, size)),
                    "node {node} of {nodes}, {size} B"
                );
                free_on_node(&pool, node, &[again], size);
            }
            assert_eq!(
                pool.stats().chunk_bytes,
                chunk_bytes,
                "{nodes} nodes, {size} B: nothing new was mapped"
            );
            assert_sums(&pool);
        }
    }
}

#[test]
fn a_thread_that_moves_between_nodes_mixes_nothing() {
    let pool = Pool::with_topology(Variant::Numa, Topology::faked(3));
    let mut random = Random(7);
    let mut live: Vec<(*mut u8, usize)> = Vec::new();
    for _ in 0..50_000 {
        if random.below(20) == 0 {
            Topology::enter_node(random.below(3));
        }
        if live.len() < 500 && random.below(2) == 0 {
            let size = 1 + random.below(1500);
            live.push((pool.alloc(size, 8), size));
        } else if !live.is_empty() {
            let (block, size) = live.swap_remove(random.below(live.len()));
            free(&pool, &[block], size);
        }
    }
    live.into_iter().for_each(|(block, size)| free(&pool, &[block], size));
    assert_sums(&pool);
    assert_eq!(pool.stats().live_blocks, 0);
}

#[test]
fn a_sysfs_folder_is_read_and_a_missing_one_is_one_node() {
    let folder = std::env::temp_dir().join(format!("mempool-nodes-{}", std::process::id()));
    for (node, list) in [(0, "0-3,8-11\n"), (1, "4-7\n")] {
        let node_folder = folder.join(format!("node{node}"));
        std::fs::create_dir_all(&node_folder).unwrap();
        std::fs::write(node_folder.join("cpulist"), list).unwrap();
    }
    let read = Topology::from_sysfs(&folder);
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(read.nodes(), 2);
    let nodes: Vec<_> = [0, 3, 4, 7, 8, 11, 99].map(|cpu| read.node_of_cpu(cpu)).into();
    assert_eq!(nodes, [0, 0, 1, 1, 0, 0, 0]);
    assert_eq!(Topology::from_sysfs(&folder).nodes(), 1);
    assert!(Topology::machine().nodes() >= 1);
}
