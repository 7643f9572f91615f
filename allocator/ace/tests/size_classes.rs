//! Every class, size and alignment: usable size, waste, alignment, and that layouts and addresses agree.

use ace_alloc::size_class::{CLASS_COUNT, CLASSES, SMALL_BYTES_MAX, class_of};
use ace_alloc::{dealloc, free, malloc, memalign, owns, usable_size};

#[test]
fn class_is_the_smallest_that_fits() {
    for bytes in 0..=SMALL_BYTES_MAX {
        let class = class_of(bytes);
        assert!(CLASSES[class].bytes as usize >= bytes);
        assert!(class == 1 || (CLASSES[class - 1].bytes as usize) < bytes);
        if bytes >= 128 {
            assert!(CLASSES[class].bytes as usize * 1000 <= bytes * 1125, "waste of {bytes}");
        }
    }
}

#[test]
fn reciprocals_find_every_block_and_no_other_offset() {
    for class in &CLASSES[1..=CLASS_COUNT] {
        let bytes = class.bytes as usize;
        for offset in 0..class.span_bytes() {
            let wanted = (offset.is_multiple_of(bytes) && offset / bytes < class.blocks as usize)
                .then_some(offset / bytes);
            assert_eq!(class.block_at(offset), wanted, "class {bytes} offset {offset}");
        }
    }
}

#[test]
fn every_size_to_a_mebibyte() {
    for bytes in (0..40 << 10).chain((40 << 10..=(1 << 20) + 4096).step_by(1021)) {
        let p = malloc(bytes);
        assert!(!p.is_null() && p.addr().is_multiple_of(16) && owns(p));
        // SAFETY: a live block of this size, freed once.
        unsafe {
            let usable = usable_size(p);
            assert!(usable >= bytes);
            assert!(bytes < 128 || usable * 1000 <= bytes * 1125, "{bytes} has {usable}");
            p.write_bytes(0xa5, usable);
            free(p);
        }
    }
}

#[test]
fn every_alignment_to_four_mebibytes() {
    for shift in 0..=22 {
        let align = 1usize << shift;
        let sizes = [
            0,
            1,
            15,
            16,
            17,
            63,
            64,
            65,
            100,
            129,
            1000,
            4095,
            4096,
            4097,
            30_000,
            40_000,
            70_000,
            1 << 20,
            3 << 20,
        ];
        for bytes in sizes {
            let blocks: Vec<_> = (0..3).map(|_| memalign(align, bytes)).collect();
            for &p in &blocks {
                assert!(!p.is_null() && p.addr().is_multiple_of(align), "{bytes} at {align}: {p:?}");
                // SAFETY: a live block of at least `bytes` bytes.
                unsafe { p.write_bytes(0x5a, bytes) };
            }
            for (i, p) in blocks.into_iter().enumerate() {
                // SAFETY: live blocks with this layout; either way of freeing must do.
                unsafe { if i == 1 { free(p) } else { dealloc(p, bytes, align) } }
            }
        }
    }
}

#[test]
fn aligned_requests_waste_no_more_than_their_alignment_asks() {
    for bytes in 64..8192usize {
        let p = memalign(64, bytes);
        // SAFETY: a live block, freed once.
        unsafe {
            assert!(usable_size(p) <= bytes.next_multiple_of(64) * 1125 / 1000);
            dealloc(p, bytes, 64);
        }
    }
}
