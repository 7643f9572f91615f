//! Every class, size and alignment: usable size, waste, alignment, and that layouts and addresses agree.

use ace_alloc::route::class_for;
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
    for bytes in 0..=(1 << 20) + 4096 {
        let p = malloc(bytes);
        assert!(!p.is_null() && p.addr().is_multiple_of(16) && owns(p));
        // SAFETY: a live block of this size, freed once.
        unsafe {
            let usable = usable_size(p);
            assert!(usable >= bytes);
            assert!(bytes < 128 || usable * 1000 <= bytes * 1125, "{bytes} has {usable}");
            // All of it for small ones; both ends where the pages between are many.
            let ends = if usable <= 4096 { usable } else { 64 };
            p.write_bytes(0xa5, ends);
            p.add(usable - ends).write_bytes(0xa5, ends);
            if bytes % 2 == 0 { free(p) } else { dealloc(p, bytes, 16) }
        }
    }
}

/// What routes every layout: the class is large enough, and each of its blocks lies on the alignment.
#[test]
fn every_size_and_alignment_finds_a_class_that_suits() {
    for shift in 0..=21 {
        let align = 1usize << shift;
        for bytes in 0..=1usize << 20 {
            let class = class_for(bytes, align);
            let fits = bytes.max(1).next_multiple_of(align) <= SMALL_BYTES_MAX;
            assert_eq!(class != 0, fits, "{bytes} at {align}");
            let row = &CLASSES[class];
            assert!(
                class == 0 || row.bytes as usize >= bytes && (row.bytes as usize).is_multiple_of(align),
                "{bytes} at {align}"
            );
        }
    }
}

/// More than two spans of every class at once: whole spans are used, no block overlaps another, all keep their contents.
#[test]
fn every_block_of_every_class() {
    for (class, row) in CLASSES.iter().enumerate().skip(1) {
        let bytes = row.bytes as usize;
        let mut blocks: Vec<_> = (0..usize::from(row.blocks) * 2 + 3).map(|_| malloc(bytes)).collect();
        for (i, &p) in blocks.iter().enumerate() {
            // SAFETY: a live block of this size.
            unsafe { p.write_bytes(i as u8, bytes) };
        }
        for (i, &p) in blocks.iter().enumerate() {
            // SAFETY: a live block of this size.
            let contents = unsafe { std::slice::from_raw_parts(p, bytes) };
            assert!(contents.iter().all(|&x| x == i as u8), "block {i} of class {class}");
        }
        blocks.sort();
        assert!(blocks.windows(2).all(|w| w[1].addr() - w[0].addr() >= bytes), "class {class}");
        for p in blocks {
            // SAFETY: live until now.
            unsafe { free(p) };
        }
    }
}

/// Real blocks: every size that slabs serve at every alignment that they give, and a stride through the rest.
#[test]
fn sizes_and_alignments_together() {
    for shift in 0..=21 {
        let align = 1usize << shift;
        let small = if align <= SMALL_BYTES_MAX { SMALL_BYTES_MAX } else { 0 };
        for bytes in (0..small).chain((small + shift..=1 << 20).step_by(4093)) {
            let p = memalign(align, bytes);
            assert!(!p.is_null() && p.addr().is_multiple_of(align), "{bytes} at {align}: {p:?}");
            // SAFETY: a live block with this layout; either way of freeing must do.
            unsafe {
                assert!(usable_size(p) >= bytes);
                if bytes % 2 == 0 { free(p) } else { dealloc(p, bytes, align) }
            }
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
