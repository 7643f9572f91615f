//! Ablation `front=sll`: the thread cache as an intrusive singly linked list through the freed blocks.
//!
//! What the draft's Unified Cache was before magazines: a free writes the list's link into the block, an allocation reads
//! it back, so a cold block costs a cache miss and a stray write after free steers a later allocation. Lists hold as
//! many blocks as the shipped front's largest magazines by default. A thread's lists are flushed when it retires; a
//! forked child loses those of threads that are gone.

use crate::class_map;
use crate::config::Config;
use crate::front::{lifecycle, sll_lists, thread};
use crate::heap::{HeapRef, table};
use crate::route;
use crate::size_class::{CLASS_COUNT, CLASSES};
use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::ptr;

/// Words of the TLS block: a head and a length a class.
pub const LISTS: usize = 80;
/// Blocks a refill takes or an overflow gives back at most.
const BATCH: usize = 128;

const _: () = assert!(LISTS > CLASS_COUNT);

/// Length of every list of a thread that is not attached: full, so that its first free attaches it.
const UNATTACHED: usize = usize::MAX;

/// A thread's lists; heads 0 and lengths all ones by the TLS image.
#[repr(C)]
pub struct Lists {
    head: [Cell<usize>; LISTS],
    len: [Cell<usize>; LISTS],
}

/// Most blocks on a list; 0 for class 0, which is never cached.
static LIMIT: [usize; LISTS] = {
    let mut limit = [0; LISTS];
    let mut class = 1;
    while class <= CLASS_COUNT {
        let by_bytes = Config::DEFAULT.cache_bytes as usize / CLASSES[class].bytes as usize;
        let slots = Config::DEFAULT.cache_slots as usize;
        limit[class] = if by_bytes < slots { by_bytes } else { slots };
        class += 1;
    }
    limit
};

impl Lists {
    #[inline(always)]
    fn pop(&self, class: usize) -> usize {
        let block = self.head[class].get();
        if block != 0 {
            // SAFETY: blocks on the list are free and carry the link in their first word.
            self.head[class].set(unsafe { ptr::with_exposed_provenance::<usize>(block).read() });
            self.len[class].set(self.len[class].get() - 1);
        }
        block
    }

    #[inline(always)]
    fn push(&self, class: usize, block: usize) {
        // SAFETY: the block is free from here on, at least 16 bytes long and aligned.
        unsafe { ptr::with_exposed_provenance_mut::<usize>(block).write(self.head[class].get()) };
        self.head[class].set(block);
        self.len[class].set(self.len[class].get() + 1);
    }

    /// Gives up to `n` blocks of a class back.
    fn flush(&self, heap: HeapRef, class: usize, mut n: usize) {
        while n != 0 {
            let mut blocks = [0usize; BATCH];
            let mut held = 0;
            while held < n.min(BATCH) {
                match self.pop(class) {
                    0 => break,
                    block => blocks[held] = block,
                }
                held += 1;
            }
            if held == 0 {
                return;
            }
            heap.with(|heap| heap.give(class, blocks.as_ptr(), held));
            n -= held;
        }
    }

    /// Gives everything back; for a thread that retires.
    fn flush_all(&self, heap: HeapRef) {
        for class in 1..=CLASS_COUNT {
            self.flush(heap, class, usize::MAX);
        }
        self.len.iter().for_each(|len| len.set(UNATTACHED));
    }

    /// Opens the lists of a thread that has a heap.
    fn open(&self) {
        if self.len[0].get() == UNATTACHED {
            lifecycle::on_retire(|heap| sll_lists().flush_all(heap));
            self.len.iter().for_each(|len| len.set(0));
        }
    }
}

/// `bytes` at a multiple of `align`, or null.
#[inline(always)]
pub fn alloc(bytes: usize, align: usize) -> *mut u8 {
    let class = route::class_for(bytes, align);
    let block = sll_lists().pop(class);
    if block != 0 { ptr::with_exposed_provenance_mut(block) } else { alloc_miss(class, bytes, align) }
}

#[cold]
#[inline(never)]
fn alloc_miss(class: usize, bytes: usize, align: usize) -> *mut u8 {
    if class == 0 {
        return route::alloc(bytes, align);
    }
    let own = lifecycle::heap(thread());
    let Some(heap) = own.or_else(table::shared) else { return ptr::null_mut() };
    let mut blocks = [0usize; BATCH];
    let n = if own.is_some() { (LIMIT[class] / 2).clamp(1, BATCH) } else { 1 };
    if own.is_some() {
        sll_lists().open();
    }
    let got = heap.with(|heap| heap.take(class, blocks.as_mut_ptr(), n, false));
    let Some((&block, rest)) = blocks[..got].split_last() else { return ptr::null_mut() };
    rest.iter().for_each(|&b| sll_lists().push(class, b));
    ptr::with_exposed_provenance_mut(block)
}

/// Frees what [`alloc`] returned.
///
/// # Safety
/// `p` is a live block of this variant, not used afterwards.
#[inline(always)]
pub unsafe fn free(p: *mut u8) {
    let address = p as usize;
    let class = class_map::get(address);
    let lists = sll_lists();
    if lists.len[class].get() < LIMIT[class] {
        lists.push(class, address);
    } else {
        free_slow(address, class);
    }
}

#[cold]
#[inline(never)]
fn free_slow(address: usize, class: usize) {
    if class == 0 {
        return route::free_slow(address, class);
    }
    match lifecycle::heap(thread()) {
        Some(heap) => {
            let lists = sll_lists();
            lists.open();
            if lists.len[class].get() >= LIMIT[class] {
                lists.flush(heap, class, LIMIT[class].div_ceil(2));
            }
            lists.push(class, address);
        }
        None => route::free_slow(address, class),
    }
}

/// The variant as a `#[global_allocator]`.
pub struct SllAlloc;

// SAFETY: as for `AceAlloc`; links are in free blocks alone.
unsafe impl GlobalAlloc for SllAlloc {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        alloc(layout.size(), layout.align())
    }

    #[inline]
    unsafe fn dealloc(&self, p: *mut u8, _: Layout) {
        // SAFETY: GlobalAlloc's contract is `free`'s.
        unsafe { free(p) }
    }
}
