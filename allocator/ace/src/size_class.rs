//! The one table of size classes.
//!
//! Classes 1..=72 serve 16 B to 32 KiB: every 16 bytes up to 128, then eight classes a doubling, so that
//! `usable / requested ≤ 1.125` from 128 B up. Class 0 is "not a slab" everywhere. Every class is a multiple of the
//! step of its doubling, which gives alignment for free: rounding a request up to a multiple of its alignment always
//! lands on a class whose natural alignment suffices, because blocks are laid out from a slab's own aligned base.
//!
//! Small classes live in one 64 KiB slab; larger ones in spans of 2 or 4 slabs, so that a span holds at least eight
//! blocks. Pure data; read from any thread, written by none.

use crate::units::SLAB_BYTES;

/// Largest request served from slabs, in bytes.
pub const SMALL_BYTES_MAX: usize = 32 << 10;
/// Number of classes; valid classes are `1..=CLASS_COUNT`.
pub const CLASS_COUNT: usize = 72;
/// Smallest block and the granule of [`CLASS_OF`], in bytes: what C's `malloc` must align to.
pub const GRANULE_BYTES: usize = 16;
/// Blocks of the smallest class in a slab, the most any slab has.
pub const BLOCKS_MAX: usize = SLAB_BYTES / GRANULE_BYTES;

/// What WARM needs to know of a class.
#[derive(Clone, Copy)]
pub struct Class {
    /// Block size in bytes.
    pub bytes: u32,
    /// ⌈2³² / bytes⌉: multiplication by it finds a block's index.
    pub reciprocal: u32,
    /// Blocks of a span.
    pub blocks: u16,
    /// Below this many blocks out, a slab is DRAINING.
    pub drain_below: u16,
    /// From this many blocks out, a DRAINING slab is HOT again.
    pub reactivate_at: u16,
    /// Bitmap words in use.
    pub words: u8,
    /// Slabs of a span: 1, 2 or 4; spans are aligned to their size.
    pub span_slabs: u8,
}

impl Class {
    /// Bytes of a span.
    #[inline]
    pub const fn span_bytes(&self) -> usize {
        self.span_slabs as usize * SLAB_BYTES
    }

    /// The block that starts `offset` bytes into a span, or None if none starts there.
    #[inline]
    pub const fn block_at(&self, offset: usize) -> Option<usize> {
        let index = (offset as u64 * self.reciprocal as u64) >> 32;
        if index < self.blocks as u64 && index as usize * self.bytes as usize == offset {
            Some(index as usize)
        } else {
            None
        }
    }
}

const fn class_bytes(class: usize) -> usize {
    if class <= 8 {
        return class * GRANULE_BYTES;
    }
    let doubling = 128 << ((class - 9) / 8);
    doubling + ((class - 9) % 8 + 1) * (doubling / 8)
}

const fn build(class: usize) -> Class {
    let bytes = class_bytes(class);
    // At least 32, 16 or 8 blocks: mid sizes amortise a span's set-up without tying up a whole superslab.
    let span_slabs = if bytes <= 2 << 10 {
        1
    } else if bytes <= 8 << 10 {
        2
    } else {
        4
    };
    let blocks = span_slabs * SLAB_BYTES / bytes;
    Class {
        bytes: bytes as u32,
        reciprocal: (1u64 << 32).div_ceil(bytes as u64) as u32,
        blocks: blocks as u16,
        drain_below: blocks.div_ceil(4) as u16,
        reactivate_at: blocks.div_ceil(2) as u16,
        words: blocks.div_ceil(64) as u8,
        span_slabs: span_slabs as u8,
    }
}

/// The table, by class; row 0 is a placeholder that no path reads.
pub static CLASSES: [Class; CLASS_COUNT + 1] = {
    let mut table = [build(1); CLASS_COUNT + 1];
    let mut class = 1;
    while class <= CLASS_COUNT {
        table[class] = build(class);
        class += 1;
    }
    table
};

/// Class by request in granules, rounded up: `CLASS_OF[(bytes + 15) / 16]`.
pub static CLASS_OF: [u8; SMALL_BYTES_MAX / GRANULE_BYTES + 1] = {
    let mut table = [1u8; SMALL_BYTES_MAX / GRANULE_BYTES + 1];
    let mut class = 1;
    let mut granules = 1;
    while granules < table.len() {
        while class_bytes(class) < granules * GRANULE_BYTES {
            class += 1;
        }
        table[granules] = class as u8;
        granules += 1;
    }
    table
};

const _: () = assert!(class_bytes(CLASS_COUNT) == SMALL_BYTES_MAX);
const _: () = {
    let mut class = 1;
    while class <= CLASS_COUNT {
        let c = build(class);
        let bytes = c.bytes as usize;
        assert!(bytes.is_multiple_of(GRANULE_BYTES) && bytes > class_bytes(class - 1));
        // Waste: the smallest request of a class is one byte above the class below.
        assert!(bytes <= 128 || bytes * 1000 <= (class_bytes(class - 1) + 1) * 1125);
        assert!(
            c.blocks >= 8 && c.words as usize * 64 >= c.blocks as usize && c.blocks as usize <= BLOCKS_MAX
        );
        // A reciprocal is exact on block starts while offset · error < 2³².
        assert!(
            (c.span_bytes() as u64) * ((c.reciprocal as u64 * bytes as u64) - (1 << 32))
                < (1 << 32) * bytes as u64
        );
        class += 1;
    }
};

/// The class of a request of `bytes`, which is at most [`SMALL_BYTES_MAX`].
#[inline(always)]
pub fn class_of(bytes: usize) -> usize {
    debug_assert!(bytes <= SMALL_BYTES_MAX);
    let granules = bytes.div_ceil(GRANULE_BYTES);
    // SAFETY: bytes ≤ SMALL_BYTES_MAX, so granules ≤ SMALL_BYTES_MAX / GRANULE_BYTES, the table's last index.
    usize::from(unsafe { *CLASS_OF.get_unchecked(granules) })
}

/// The row of `class`, which is a valid class.
#[inline(always)]
pub fn class(class: usize) -> &'static Class {
    debug_assert!((1..=CLASS_COUNT).contains(&class));
    // SAFETY: classes come from CLASS_OF or the class map, whose entries are ≤ CLASS_COUNT by construction.
    unsafe { CLASSES.get_unchecked(class) }
}
