//! Geometry of the address space and the types that keep its units apart.
//!
//! Owns the constants every layer agrees on: page ⊂ slab ⊂ superslab. A slab is named by [`SlabId`], its
//! address divided by [`SLAB_BYTES`]; a number of this kind fits 32 bits because user addresses have
//! [`ADDRESS_BITS`]. Everything here is `const` or pure; no state, callable from any thread.

/// Bits of a user-space address; the class map and the registry cover exactly this much.
pub const ADDRESS_BITS: u32 = 47;
/// Bytes of an operating-system page on x86-64.
pub const PAGE_BYTES: usize = 4096;
/// Bytes of a slab, the unit in which a superslab is divided and in which the class map speaks.
pub const SLAB_BYTES: usize = 64 << 10;
/// Bytes and alignment of a superslab: one mapping, found from a block by masking.
pub const SUPERSLAB_BYTES: usize = 2 << 20;
/// Slabs of a superslab; slab 0 holds the metadata of the others.
pub const SLABS: usize = SUPERSLAB_BYTES / SLAB_BYTES;
/// Pages of a slab; one bit each in a slab's dirty mask.
pub const PAGES_PER_SLAB: usize = SLAB_BYTES / PAGE_BYTES;

const _: () = assert!(SLABS == 32, "a superslab's slabs are the bits of a u32");
const _: () = assert!(PAGES_PER_SLAB == 16, "a slab's pages are the bits of a u16");
const _: () =
    assert!(ADDRESS_BITS - SLAB_BYTES.trailing_zeros() <= 31, "slab numbers stay clear of the CLOSED tag");

/// A slab's address divided by [`SLAB_BYTES`]. 0 names no slab: the first 64 KiB are never mapped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SlabId(pub u32);

impl SlabId {
    /// "No slab": ends lists.
    pub const NONE: SlabId = SlabId(0);

    /// The slab that contains `address`.
    #[inline]
    pub const fn containing(address: usize) -> SlabId {
        SlabId((address / SLAB_BYTES) as u32)
    }

    /// The first byte of the slab.
    #[inline]
    pub const fn address(self) -> usize {
        self.0 as usize * SLAB_BYTES
    }
}

/// Rounds `n` up to a multiple of the power of two `to`; the caller knows that it does not overflow.
#[inline]
pub const fn round_up(n: usize, to: usize) -> usize {
    (n + to - 1) & !(to - 1)
}

/// `n` bytes in whole pages.
#[inline]
pub const fn pages_for(n: usize) -> usize {
    n.div_ceil(PAGE_BYTES)
}
