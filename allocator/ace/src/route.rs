//! Entry: the gate that every request and every pointer passes.
//!
//! Turns (size, alignment) into a size class or the path of big blocks, and a pointer into where it belongs: slab,
//! large run, huge mapping, foreign, or invalid. HOT is here and in `front` alone: class, pop or push, nothing else.
//! Any thread, at any time of the process. A block keeps the class of its layout for life, so that a free with a layout
//! needs no look-up: `resize` stays in place only where the class stays the same.

use crate::class_map;
use crate::fail;
use crate::front::lifecycle;
use crate::front::{magazine, thread};
use crate::huge;
use crate::limits;
use crate::pal;
use crate::size_class::{CLASS_COUNT, GRANULE_BYTES, SMALL_BYTES_MAX, class, class_of};
use crate::superslab::large::{self, LARGE_BYTES_MAX};
use crate::superslab::{Kind, SlabRef, pool, registry};
use crate::sync::{AtomicPtr, Ordering};
use crate::trim;
use crate::units::{PAGE_BYTES, SlabId, round_up};
use core::ptr;

/// What a C library does with pointers that are not ours: the next allocator in line.
pub struct Foreign {
    /// Frees the pointer.
    pub free: unsafe extern "C" fn(*mut u8),
    /// Its usable size.
    pub usable_size: unsafe extern "C" fn(*mut u8) -> usize,
}

static FOREIGN: AtomicPtr<Foreign> = AtomicPtr::new(ptr::null_mut());

/// Says where pointers that are not ours go. Without it they are fatal.
pub fn set_foreign(foreign: &'static Foreign) {
    // Release: pairs with the Acquire in `foreign`; the table is initialised.
    FOREIGN.store(ptr::from_ref(foreign).cast_mut(), Ordering::Release);
}

fn foreign() -> Option<&'static Foreign> {
    // SAFETY: null or a 'static reference stored by `set_foreign`.
    unsafe { FOREIGN.load(Ordering::Acquire).as_ref() }
}

/// The class that serves a layout, or 0 for the path of big blocks.
#[inline(always)]
pub fn class_for(bytes: usize, align: usize) -> usize {
    if align <= GRANULE_BYTES {
        if bytes <= SMALL_BYTES_MAX { class_of(bytes) } else { 0 }
    } else if bytes <= SMALL_BYTES_MAX && align <= SMALL_BYTES_MAX {
        // A multiple of the alignment lands on a class that is one too (size_class).
        let bytes = round_up(bytes.max(1), align);
        if bytes <= SMALL_BYTES_MAX { class_of(bytes) } else { 0 }
    } else {
        0
    }
}

fn to_pointer(address: usize) -> *mut u8 {
    ptr::with_exposed_provenance_mut(address)
}

/// `bytes` aligned to 16, or null.
#[inline(always)]
pub fn malloc(bytes: usize) -> *mut u8 {
    if bytes > SMALL_BYTES_MAX {
        return alloc_big(bytes, GRANULE_BYTES, false);
    }
    let class = class_of(bytes);
    let block = thread().pop(class);
    if block != 0 { to_pointer(block) } else { alloc_miss(class) }
}

/// `bytes` at a multiple of the power of two `align`, or null.
#[inline(always)]
pub fn alloc(bytes: usize, align: usize) -> *mut u8 {
    let class = class_for(bytes, align);
    if class == 0 {
        return alloc_big(bytes, align, false);
    }
    let block = thread().pop(class);
    if block != 0 { to_pointer(block) } else { alloc_miss(class) }
}

/// A block of the class from the thread cache, or null; class 0 has none.
#[inline(always)]
pub fn try_cached(class: usize) -> *mut u8 {
    to_pointer(thread().pop(class))
}

/// The rest of an allocation that [`try_cached`] did not serve.
pub fn alloc_slow(bytes: usize, align: usize) -> *mut u8 {
    match class_for(bytes, align) {
        0 => alloc_big(bytes, align, false),
        class => alloc_miss(class),
    }
}

/// As [`alloc`], zeroed.
#[inline]
pub fn alloc_zeroed(bytes: usize, align: usize) -> *mut u8 {
    if class_for(bytes, align) == 0 {
        return alloc_big(bytes, align, true);
    }
    let block = alloc(bytes, align);
    if !block.is_null() {
        // SAFETY: a fresh block of at least `bytes` bytes.
        unsafe { block.write_bytes(0, bytes) };
    }
    block
}

/// The slow end of an allocation from slabs: refill, or give everything free back and try once more.
#[cold]
#[inline(never)]
fn alloc_miss(class: usize) -> *mut u8 {
    let block = magazine::miss(class);
    if block != 0 {
        return to_pointer(block);
    }
    trim::trim();
    let block = magazine::miss(class);
    if block == 0 {
        pal::out_of_memory();
    }
    to_pointer(block)
}

#[cold]
#[inline(never)]
fn alloc_big(bytes: usize, align: usize, zero: bool) -> *mut u8 {
    // Attaches the thread: its big blocks are not cached, but start-up and periodic work must happen.
    if let Some(heap) = lifecycle::heap(thread()) {
        magazine::tick_big(heap);
    }
    if bytes > isize::MAX as usize - PAGE_BYTES {
        pal::out_of_memory();
        return ptr::null_mut();
    }
    let mut block = try_big(bytes, align, zero);
    if block == 0 {
        trim::trim();
        block = try_big(bytes, align, zero);
    }
    if block == 0 {
        pal::out_of_memory();
    }
    to_pointer(block)
}

fn try_big(bytes: usize, align: usize, zero: bool) -> usize {
    if !limits::admit(bytes) {
        return 0;
    }
    if bytes <= LARGE_BYTES_MAX && align <= LARGE_BYTES_MAX {
        let block = large::alloc(bytes.max(1), align, zero);
        if block != 0 {
            return block;
        }
    }
    huge::alloc(bytes.max(1), align, zero)
}

/// Frees what any function of this crate returned; null is nothing.
///
/// # Safety
/// `p` is null or a live block, not used afterwards.
#[inline(always)]
pub unsafe fn free(p: *mut u8) {
    let address = p as usize;
    let class = class_map::get(address);
    if !thread().push(class, address) {
        free_slow(address, class);
    }
}

/// Frees a block whose layout is known; loads no metadata.
///
/// # Safety
/// `p` is a live block allocated with exactly this layout, not used afterwards.
#[inline(always)]
pub unsafe fn dealloc(p: *mut u8, bytes: usize, align: usize) {
    let address = p as usize;
    let class = class_for(bytes, align);
    if !thread().push(class, address) {
        free_slow(address, class);
    }
}

/// The slow end of a free. Keeps errno, as POSIX asks of `free`: advice and unmapping may fail on the way.
#[cold]
#[inline(never)]
pub(crate) fn free_slow(address: usize, class: usize) {
    if address == 0 {
        return;
    }
    let errno = pal::errno();
    if class != 0 {
        magazine::overflow(class, address);
    } else {
        free_unclassed(address);
    }
    pal::set_errno(errno);
}

/// What the class map does not know: large, huge, foreign, or slabs where there is no map.
fn free_unclassed(address: usize) {
    match find(address) {
        Place::Block(class) => magazine::overflow(class, address),
        Place::Large(head) => {
            if head.base() != address || !pool::release_run(head) {
                fail::die("pointer into the middle of a block freed", address);
            }
        }
        Place::FreeSlab => fail::die("double free or invalid pointer freed", address),
        Place::Outside => {
            if huge::free(address) {
                return;
            }
            match foreign() {
                // SAFETY: not ours, so it is for the next allocator to judge; the caller vouches for it.
                Some(next) => unsafe { (next.free)(to_pointer(address)) },
                None => fail::die("invalid pointer freed", address),
            }
        }
    }
}

enum Place {
    /// In a slab of this class.
    Block(usize),
    /// In a large run with this first slab.
    Large(SlabRef),
    /// In a slab that serves nothing, or in a superslab's metadata.
    FreeSlab,
    /// In no superslab.
    Outside,
}

fn find(address: usize) -> Place {
    if !registry::contains(address) {
        return Place::Outside;
    }
    let mut id = SlabId::containing(address);
    loop {
        // SAFETY: in a superslab that the registry knows; the walk ends at a span's first slab or at slab 0.
        let slab = unsafe { SlabRef::from_id(id) };
        match slab.kind.get() {
            Kind::Blocks => return Place::Block(usize::from(slab.class.get())),
            Kind::Large => return Place::Large(slab),
            Kind::Tail if slab.index() != 0 => id = SlabId(id.0 - 1),
            _ => return Place::FreeSlab,
        }
    }
}

/// Usable bytes of a live block; 0 for null.
///
/// # Safety
/// `p` is null or a live block.
pub unsafe fn usable_size(p: *mut u8) -> usize {
    let address = p as usize;
    if address == 0 {
        return 0;
    }
    let known = class_map::get(address);
    if known != 0 {
        return class(known).bytes as usize;
    }
    match find(address) {
        Place::Block(known) => class(known).bytes as usize,
        Place::Large(head) => large::usable_bytes(head),
        Place::FreeSlab => 0,
        Place::Outside => match (huge::usable_bytes(address), foreign()) {
            // SAFETY: not ours; the caller vouches that it is a live block of somebody.
            (0, Some(next)) => unsafe { (next.usable_size)(p) },
            (bytes, _) => bytes,
        },
    }
}

/// Whether `p` points into memory that this allocator serves.
pub fn owns(p: *const u8) -> bool {
    registry::contains(p as usize) || huge::usable_bytes(p as usize) != 0
}

/// Whether a mapping of its own, of a huge block, begins at `p`.
pub fn owns_mapping(p: *const u8) -> bool {
    huge::usable_bytes(p as usize) != 0
}

/// Resizes a block of the path of big blocks without copying; the block's address, or null if it cannot be done.
fn resize_big(p: *mut u8, bytes: usize, align: usize) -> *mut u8 {
    let address = p as usize;
    if registry::contains(address) {
        let resized = large::find(address).is_some_and(|head| {
            let more = bytes.saturating_sub(large::usable_bytes(head));
            limits::admit(more) && large::resize(head, bytes)
        });
        return if resized { p } else { ptr::null_mut() };
    }
    let old = huge::usable_bytes(address);
    if old == 0 || !limits::admit(bytes.saturating_sub(old)) {
        return ptr::null_mut();
    }
    to_pointer(huge::resize(address, bytes, align <= PAGE_BYTES))
}

fn copy_to_new(p: *mut u8, old_bytes: usize, bytes: usize, align: usize) -> *mut u8 {
    let new = alloc(bytes, align);
    if !new.is_null() {
        // SAFETY: both blocks have at least the smaller size, and a new block overlaps no live one.
        unsafe { ptr::copy_nonoverlapping(p, new, old_bytes.min(bytes)) };
    }
    new
}

/// Resizes a block whose layout is known; null leaves it as it was.
///
/// # Safety
/// `p` is a live block allocated with (`old_bytes`, `align`); if the result is not null, `p` is not used afterwards.
pub unsafe fn resize(p: *mut u8, old_bytes: usize, align: usize, bytes: usize) -> *mut u8 {
    let (old, new) = (class_for(old_bytes, align), class_for(bytes, align));
    if old == new {
        if old != 0 {
            return p;
        }
        let same = resize_big(p, bytes, align);
        if !same.is_null() {
            return same;
        }
    }
    let moved = copy_to_new(p, old_bytes, bytes, align);
    if !moved.is_null() {
        // SAFETY: the caller gives the block up.
        unsafe { dealloc(p, old_bytes, align) };
    }
    moved
}

/// C's `realloc` for a block that is not null and a size that is not 0; null leaves the block as it was.
///
/// # Safety
/// `p` is a live block; if the result is not null, `p` is not used afterwards.
pub unsafe fn realloc(p: *mut u8, bytes: usize) -> *mut u8 {
    // SAFETY: the caller's block.
    let usable = unsafe { usable_size(p) };
    let small = usable <= SMALL_BYTES_MAX;
    // C frees by address, so a block may stay although a smaller class would fit, down to half of it.
    if bytes <= usable && bytes >= usable / 2 && small {
        return p;
    }
    if !small && bytes > SMALL_BYTES_MAX {
        let same = resize_big(p, bytes, GRANULE_BYTES);
        if !same.is_null() {
            return same;
        }
    }
    let moved = copy_to_new(p, usable, bytes, GRANULE_BYTES);
    if !moved.is_null() {
        // SAFETY: the caller gives the block up.
        unsafe { free(p) };
    }
    moved
}

const _: () = assert!(CLASS_COUNT <= u8::MAX as usize);
