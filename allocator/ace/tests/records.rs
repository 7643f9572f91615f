//! Records of free slabs go with their pages: superslabs of which one slab is left hold few pages of metadata, and what
//! comes back afterwards is whole.

use ace_alloc::{free, malloc, stats, trim};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

const SUPERSLAB_BYTES: usize = 2 << 20;
const PAGE_BYTES: usize = 4096;
/// Pages of slab 0 that are looked at: header and records are 9, and a slab has 16.
const PAGES: usize = 16;

fn base_of(block: *mut u8) -> usize {
    block.addr() & !(SUPERSLAB_BYTES - 1)
}

/// Resident pages at the start of a superslab.
fn resident_pages(base: usize) -> usize {
    let mut found = [0u8; PAGES];
    let address = std::ptr::with_exposed_provenance_mut(base);
    // SAFETY: the range is mapped, since a block of the superslab is live; `found` has a byte a page.
    assert_eq!(unsafe { libc::mincore(address, PAGES * PAGE_BYTES, found.as_mut_ptr()) }, 0);
    found.iter().filter(|&&page| page & 1 != 0).count()
}

/// Blocks of `sizes` in turn, `bytes` in all, each filled with its number.
fn fill(sizes: &[usize], bytes: usize) -> Vec<(*mut u8, usize, u8)> {
    let mut blocks = Vec::new();
    let mut total = 0;
    while total < bytes {
        let (size, byte) = (sizes[blocks.len() % sizes.len()], blocks.len() as u8);
        let block = malloc(size);
        assert!(!block.is_null());
        // SAFETY: a fresh block of `size` bytes.
        unsafe { block.write_bytes(byte, size) };
        blocks.push((block, size, byte));
        total += size;
    }
    blocks
}

fn check_and_free(blocks: Vec<(*mut u8, usize, u8)>) {
    for (block, size, byte) in blocks {
        // SAFETY: a live block of `size` bytes, freed once.
        unsafe {
            assert!(std::slice::from_raw_parts(block, size).iter().all(|&found| found == byte));
            free(block);
        }
    }
}

#[test]
fn superslabs_with_one_slab_left_hold_few_pages_and_serve_again() {
    for round in 0..3 {
        // Small blocks use the whole of their bitmaps.
        let mut kept = BTreeMap::new();
        let mut rest = Vec::new();
        for block in fill(&[16, 32, 64], 48 << 20) {
            match kept.entry(base_of(block.0)) {
                Entry::Vacant(first) => drop(first.insert(block)),
                Entry::Occupied(_) => rest.push(block),
            }
        }
        assert!(kept.len() >= 20, "{} superslabs", kept.len());
        let before: usize = kept.keys().map(|&base| resident_pages(base)).sum();
        assert!(before > 8 * kept.len(), "{before} pages of {} superslabs", kept.len());
        check_and_free(rest);
        trim();
        // The header's page and, of one record or two, one page or three.
        let after: usize = kept.keys().map(|&base| resident_pages(base)).sum();
        assert!(after <= 4 * kept.len(), "round {round}: {after} pages of {} superslabs", kept.len());

        // Other classes, runs and zeroed blocks on top, through records that were purged.
        let mixed = fill(&[48, 200, 1000, 5000, 20_000, 40_000, 200_000], 40 << 20);
        let zeroed = ace_alloc::calloc(1, 300_000);
        // SAFETY: a fresh block of 300,000 bytes.
        assert!(unsafe { std::slice::from_raw_parts(zeroed, 300_000) }.iter().all(|&byte| byte == 0));
        // SAFETY: live, freed once.
        unsafe { free(zeroed) };
        check_and_free(mixed);
        check_and_free(kept.into_values().collect());
        trim();
        let now = stats();
        assert!(now.committed_bytes < 2 << 20, "round {round}: {} bytes", now.committed_bytes);
    }
}
