//! From a request (size, alignment) to the tier and class that serve it.
//!
//! A pure function, used on both sides: `alloc` and `dealloc` are given the same size and
//! alignment, so they reach the same list and a block needs no header. Every block of a class
//! lies at a multiple of its own (power of two) size, so a class serves every alignment up to its
//! size: the class follows from the larger of size and alignment.
//!
//! The design note asks the fixed-size lists first. They cover everything up to 256 B, so the
//! segregated classes below 512 B could never be reached and have no list: the note's range
//! 32…4096 B is served in full, from 32 to 256 B by the fixed-size lists.

use crate::os::GRANULE_BYTES;

/// Block sizes of the fixed-size lists, in bytes; each has a cache per thread.
pub(crate) const FIXED_BYTES: [usize; 3] = [32, 128, 256];
/// Entries of a thread's cache, per fixed-size list (the note's 64, 32, 32).
pub(crate) const CACHE_ENTRIES: [usize; 3] = [64, 32, 32];
/// Block sizes of the segregated lists, in bytes; no thread caches.
pub(crate) const SEGREGATED_BYTES: [usize; 4] = [512, 1024, 2048, 4096];
/// Number of fixed-size lists.
pub(crate) const FIXED_COUNT: usize = FIXED_BYTES.len();
/// Number of segregated lists.
pub(crate) const SEGREGATED_COUNT: usize = SEGREGATED_BYTES.len();

/// A chunk of the best-fit tier, in bytes.
pub(crate) const LARGE_CHUNK_BYTES: usize = 1 << 20;
/// Best-fit blocks are multiples of this, in bytes, and lie at multiples of it: one cache line.
pub(crate) const LARGE_UNIT_BYTES: usize = 64;
/// A block with a mapping of its own is reported in pages of this size, in bytes.
pub(crate) const PAGE_BYTES: usize = 4096;

const _: () = assert!(SEGREGATED_BYTES[0] == 2 * FIXED_BYTES[FIXED_COUNT - 1]);
const _: () = assert!(LARGE_CHUNK_BYTES.is_multiple_of(GRANULE_BYTES));
const _: () = assert!(GRANULE_BYTES.is_multiple_of(SEGREGATED_BYTES[SEGREGATED_COUNT - 1]));

/// Which tier serves a request, and what the tier needs to know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// Fixed-size list with this index into [`FIXED_BYTES`].
    Fixed(usize),
    /// Segregated list with this index into [`SEGREGATED_BYTES`].
    Segregated(usize),
    /// Best fit: usable bytes of the block.
    BestFit(usize),
    /// A mapping of its own: usable bytes of the block.
    Mapping(usize),
    /// Larger than the address space can hold.
    Impossible,
}

/// The route of a request; `align` is a power of two.
#[inline]
pub(crate) fn route(size: usize, align: usize) -> Route {
    let reach = size.max(align);
    if reach <= FIXED_BYTES[1] {
        Route::Fixed(usize::from(reach > FIXED_BYTES[0]))
    } else if reach <= FIXED_BYTES[2] {
        Route::Fixed(2)
    } else if reach <= SEGREGATED_BYTES[SEGREGATED_COUNT - 1] {
        let above_first = (reach - 1).ilog2() - (SEGREGATED_BYTES[0] - 1).ilog2();
        Route::Segregated(above_first as usize)
    } else {
        route_large(size, align)
    }
}

#[cold]
fn route_large(size: usize, align: usize) -> Route {
    if size > isize::MAX as usize - GRANULE_BYTES || align > isize::MAX as usize / 2 {
        return Route::Impossible;
    }
    let block_bytes = size.max(1).next_multiple_of(LARGE_UNIT_BYTES);
    if block_bytes <= LARGE_CHUNK_BYTES && align <= LARGE_CHUNK_BYTES {
        Route::BestFit(block_bytes)
    } else {
        Route::Mapping(size.max(1).next_multiple_of(PAGE_BYTES))
    }
}

impl Route {
    /// Bytes of a block of this route that its owner may use; 0 if there can be no block.
    pub(crate) fn usable_bytes(self) -> usize {
        match self {
            Route::Fixed(class) => FIXED_BYTES[class],
            Route::Segregated(class) => SEGREGATED_BYTES[class],
            Route::BestFit(bytes) | Route::Mapping(bytes) => bytes,
            Route::Impossible => 0,
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn boundaries_fall_where_the_note_puts_them() {
        let usable = |size, align| route(size, align).usable_bytes();
        for (size, expected) in [(1, 32), (32, 32), (33, 128), (128, 128), (129, 256), (256, 256), (257, 512)]
        {
            assert_eq!(usable(size, 1), expected, "size {size}");
        }
        assert_eq!((usable(4096, 16), usable(4097, 16)), (4096, 4160));
        assert_eq!(route(1, 512), Route::Segregated(0));
        assert_eq!(route(513, 8), Route::Segregated(1));
        assert_eq!(route(1 << 20, 1 << 20), Route::BestFit(1 << 20));
        assert_eq!(route((1 << 20) + 1, 1), Route::Mapping((1 << 20) + 4096));
        assert_eq!(route(usize::MAX, 1), Route::Impossible);
    }

    #[test]
    fn every_class_holds_its_requests_with_less_than_half_to_spare() {
        for size in 257..=4096 {
            let usable = route(size, 1).usable_bytes();
            assert!(usable >= size && usable < 2 * size, "size {size} usable {usable}");
        }
    }
}
