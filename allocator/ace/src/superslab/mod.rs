//! Superslabs: 2 MiB mappings, divided into slabs, with the slabs' metadata gathered in slab 0.
//!
//! Each slab has a 32-byte descriptor followed by its free bitmap and its remote bitmap, out of line, so that a slab's
//! 64 KiB are blocks alone. Records are 17 cache lines long and superslabs are shifted by a colour: neighbouring
//! descriptors never share a cache set, and those of many superslabs spread too. The record of a free slab without
//! resident pages says nothing that zeros would not say, so that the pages of such records can be purged too.
//!
//! Who may change what: descriptor and free bits belong to the holder of the owning heap's word; state word, pending
//! link and remote bits are the remote protocol's (`heap::remote`); the fields of [`Superslab`] and the page masks of
//! free slabs belong to the holder of the pool's lock.

pub mod large;
pub mod pages;
pub mod pool;
pub mod registry;
#[cfg(test)]
mod spread;

use crate::size_class::{BLOCKS_MAX, Class};
use crate::sync::{AtomicU32, AtomicU64};
use crate::units::{PAGE_BYTES, PAGES_PER_SLAB, SLAB_BYTES, SLABS, SUPERSLAB_BYTES, SlabId};
use core::cell::Cell;
use core::mem::{offset_of, size_of};
use core::ops::Deref;
use core::ptr::{self, NonNull};

/// Words of a bitmap that holds the most blocks a slab can have.
pub const BITMAP_WORDS: usize = BLOCKS_MAX / 64;
/// Bytes of a superslab's own header, before the slabs' records.
const HEADER_BYTES: usize = 256;
/// Pages of slab 0 that hold the header and the records.
const RECORD_PAGES: usize =
    (HEADER_BYTES + (COLOURS - 1) * LINE_BYTES + SLABS * size_of::<Slab>()).div_ceil(PAGE_BYTES);
/// Superslabs differ in the position of their records by up to this many cache lines.
const COLOURS: usize = 16;
const LINE_BYTES: usize = 64;

/// What a slab serves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// Nothing; the pool may hand it out.
    Free = 0,
    /// Blocks of one class; first slab of its span.
    Blocks = 1,
    /// A large run; first slab of it.
    Large = 2,
    /// A further slab of a span or run.
    Tail = 3,
}

/// The list of its heap's bin on which a slab stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Shelf {
    /// Has room and is at least a quarter out: refills take from it first.
    Hot = 0,
    /// Has room but is nearly empty: left alone, so that it may empty.
    Draining = 1,
    /// All blocks free; the warm pool.
    Warm = 2,
    /// No free block.
    Full = 3,
}

/// A slab's record: descriptor, bitmaps, page masks.
#[repr(C, align(64))]
pub struct Slab {
    /// Remote protocol: {owner, PENDING, returned count}.
    pub state: AtomicU64,
    /// Remote protocol: next slab of a pending list.
    pub pending_next: AtomicU32,
    /// Neighbours on the shelf or orphan list; slab numbers, 0 at the ends.
    pub prev: Cell<u32>,
    /// See `prev`.
    pub next: Cell<u32>,
    /// Blocks handed out and not yet accounted as returned (magazines count as out).
    pub out: Cell<u16>,
    /// Bits set in `free`.
    pub room: Cell<u16>,
    /// Size class; 0 unless the kind is Blocks.
    pub class: Cell<u8>,
    /// What the slab serves.
    pub kind: Cell<Kind>,
    /// No word of `free` below this one has a bit.
    pub hint: Cell<u8>,
    /// Where the slab stands.
    pub shelf: Cell<Shelf>,
    /// A set bit is a block that can be handed out. Follows the descriptor, so that four words share its line.
    pub free: [Cell<u64>; BITMAP_WORDS],
    /// Pages that may be resident.
    pub dirty: Cell<u16>,
    /// Pages purged since they were last dirty; counted when they come back.
    pub purged: Cell<u16>,
    /// Whole pages of a large run, in its first slab.
    pub run_pages: Cell<u16>,
    pad: [u16; 13],
    /// Remote protocol: a set bit is a block returned by another thread.
    pub remote: [AtomicU64; BITMAP_WORDS],
}

const _: () = assert!(offset_of!(Slab, free) == 32, "the descriptor is 32 bytes");
const _: () =
    assert!(size_of::<Slab>() == 17 * LINE_BYTES, "an odd number of lines spreads records over the sets");
const _: () = assert!(
    offset_of!(Slab, remote).is_multiple_of(LINE_BYTES),
    "owners and producers write different lines"
);
const _: () = assert!(HEADER_BYTES + COLOURS * LINE_BYTES + SLABS * size_of::<Slab>() <= SLAB_BYTES);

/// A superslab's header, at its first byte. Fields belong to the holder of the pool's lock.
#[repr(C)]
pub struct Superslab {
    /// Neighbours on the tier's list.
    pub prev: Cell<usize>,
    /// See `prev`.
    pub next: Cell<usize>,
    /// A set bit is a slab that can be handed out; bit 0 never is.
    pub free_slabs: Cell<u32>,
    /// Free slabs that may have resident pages.
    pub dirty_slabs: Cell<u32>,
    /// The tier whose list holds it.
    pub tier: Cell<u8>,
    /// When a slab was last freed here, in milliseconds.
    pub freed_ms: Cell<u64>,
    /// Pages of the records that were never written, or purged since.
    pub blank_record_pages: Cell<u16>,
}

const _: () = assert!(size_of::<Superslab>() <= HEADER_BYTES);

/// A superslab by its header.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SuperslabRef(NonNull<Superslab>);

impl SuperslabRef {
    /// The superslab at `base`.
    ///
    /// # Safety
    /// `base` is the start of a mapped superslab.
    #[inline]
    pub unsafe fn at(base: usize) -> SuperslabRef {
        // SAFETY: a mapping's start is not null.
        SuperslabRef(unsafe { NonNull::new_unchecked(ptr::with_exposed_provenance_mut(base)) })
    }

    /// First byte.
    #[inline]
    pub fn base(self) -> usize {
        self.0.as_ptr() as usize
    }

    /// The slab with this index.
    #[inline]
    pub fn slab(self, index: usize) -> SlabRef {
        debug_assert!(index < SLABS);
        let address = self.base() + records_offset(self.base()) + index * size_of::<Slab>();
        // SAFETY: records lie inside slab 0 (asserted above), which is mapped, so the address is not null.
        SlabRef(unsafe { NonNull::new_unchecked(ptr::with_exposed_provenance_mut(address)) })
    }
}

impl Deref for SuperslabRef {
    type Target = Superslab;
    #[inline]
    fn deref(&self) -> &Superslab {
        // SAFETY: `at` was given a mapped superslab; headers are shared through Cells under the pool's lock.
        unsafe { self.0.as_ref() }
    }
}

#[inline]
fn records_offset(base: usize) -> usize {
    HEADER_BYTES + (base / SUPERSLAB_BYTES % COLOURS) * LINE_BYTES
}

/// Pages of slab 0 on which the records of slabs `index..index + slabs` lie, a bit each.
fn record_pages(base: usize, index: usize, slabs: usize) -> u16 {
    let from = records_offset(base) + index * size_of::<Slab>();
    let last = from + slabs * size_of::<Slab>() - 1;
    let (first, last) = (from / PAGE_BYTES, last / PAGE_BYTES);
    ((1u32 << (last + 1)) - (1u32 << first)) as u16
}

/// Slabs whose records lie, wholly or in part, on `page` of slab 0, a bit each. The inverse of [`record_pages`].
fn slabs_recorded_on(base: usize, page: usize) -> u32 {
    let first = (page * PAGE_BYTES).saturating_sub(records_offset(base)) / size_of::<Slab>();
    let end = ((page + 1) * PAGE_BYTES - records_offset(base)).div_ceil(size_of::<Slab>()).min(SLABS);
    if first >= end { 0 } else { ((1u64 << end) - (1u64 << first)) as u32 }
}

/// A slab by its record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SlabRef(NonNull<Slab>);

impl SlabRef {
    /// The slab with this number.
    ///
    /// # Safety
    /// The slab is part of a mapped superslab.
    #[inline]
    pub unsafe fn from_id(id: SlabId) -> SlabRef {
        let address = id.address();
        // SAFETY: the caller knows the superslab to be mapped.
        let superslab = unsafe { SuperslabRef::at(address & !(SUPERSLAB_BYTES - 1)) };
        superslab.slab(id.0 as usize % SLABS)
    }

    /// The slab's number.
    #[inline]
    pub fn id(self) -> SlabId {
        SlabId((self.superslab().base() / SLAB_BYTES + self.index()) as u32)
    }

    /// First byte of the slab.
    #[inline]
    pub fn base(self) -> usize {
        self.superslab().base() + self.index() * SLAB_BYTES
    }

    /// The slab's place in its superslab.
    #[inline]
    pub fn index(self) -> usize {
        let record = self.0.as_ptr() as usize;
        let base = record & !(SUPERSLAB_BYTES - 1);
        (record - base - records_offset(base)) / size_of::<Slab>()
    }

    /// The superslab it is part of.
    #[inline]
    pub fn superslab(self) -> SuperslabRef {
        // SAFETY: a record lies in its own, mapped superslab.
        unsafe { SuperslabRef::at(self.0.as_ptr() as usize & !(SUPERSLAB_BYTES - 1)) }
    }

    /// The slab `n` places on, inside the same superslab.
    #[inline]
    pub fn plus(self, n: usize) -> SlabRef {
        // SAFETY: records are an array; spans and runs do not leave their superslab.
        SlabRef(unsafe { self.0.add(n) })
    }

    /// Makes a free span ready to serve `class`: every block free, nothing returned.
    pub fn carve(self, class_index: usize, class: &Class, owner_state: u64) {
        let blocks = class.blocks as usize;
        for word in 0..class.words as usize {
            let left = blocks - word * 64;
            self.free[word].set(if left >= 64 { u64::MAX } else { (1 << left) - 1 });
        }
        self.out.set(0);
        self.room.set(class.blocks);
        self.class.set(class_index as u8);
        self.kind.set(Kind::Blocks);
        self.hint.set(0);
        self.prev.set(0);
        self.next.set(0);
        // Relaxed: the slab becomes known to other threads only by blocks handed out later.
        self.state.store(owner_state, crate::sync::Ordering::Relaxed);
        for i in 1..class.span_slabs as usize {
            self.plus(i).kind.set(Kind::Tail);
        }
    }
}

impl Deref for SlabRef {
    type Target = Slab;
    #[inline]
    fn deref(&self) -> &Slab {
        // SAFETY: records live as long as their superslab, which the release guard keeps while anything refers to it;
        // shared fields are atomics, the others Cells of one owner (module comment).
        unsafe { self.0.as_ref() }
    }
}

const _: () = assert!(PAGES_PER_SLAB <= u16::BITS as usize);

#[cfg(test)]
mod tests {
    use super::{COLOURS, RECORD_PAGES, record_pages, slabs_recorded_on};
    use crate::units::{SLABS, SUPERSLAB_BYTES};

    #[test]
    fn slabs_are_recorded_on_the_pages_on_which_their_records_lie() {
        for base in (0..COLOURS).map(|colour| colour * SUPERSLAB_BYTES) {
            let mut union = 0;
            for slab in 0..SLABS {
                let pages = record_pages(base, slab, 1);
                assert_ne!(pages, 0);
                for page in 0..16 {
                    let (there, back) = (pages >> page & 1, slabs_recorded_on(base, page) >> slab & 1);
                    assert_eq!(u32::from(there), back, "colour {base:#x}, slab {slab}, page {page}");
                }
                union |= pages;
            }
            assert_eq!(record_pages(base, 0, SLABS), union);
            assert_eq!(usize::from(union) >> RECORD_PAGES, 0);
            // The header's page has the record of slab 0, which nobody is given.
            assert_eq!(record_pages(base, 0, 1), 1);
        }
    }
}
