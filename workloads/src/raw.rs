//! The one file with unsafe code: blocks, boxes, hand-off rings and the cycle clock, each with a safe face.
//!
//! A [`Heap`] is an engine and an alignment. It alone makes [`Block`]s, and a block goes back only to a heap of
//! the same engine and alignment: both carry a tag, compared at every free. A block is neither `Copy` nor `Clone`
//! and has no `Drop`: whoever loses one leaks it, which is safe. All calls go through `&'static dyn Engine`.
//!
//! Contents are written and read by raw pointer, never by reference, so that an engine which hands out overlapping
//! blocks is found by [`Heap::check`] rather than miscompiled.
//!
//! [`LiveSet`] holds the blocks of a thread. [`ring`] makes the two ends of a single-producer, single-consumer ring; each end is a value of its own, so the
//! type system keeps it to one thread at a time.

use std::cell::UnsafeCell;
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use engines::Engine;

/// Bits of a tag that hold log2 of the alignment; the others number the engine.
const TAG_ALIGN_BITS: u32 = 5;
/// Engines that one process can register.
const ENGINES_MAX: usize = 1 << (u16::BITS - TAG_ALIGN_BITS);
/// Where a block's shape holds its tag and its stamp.
const TAG_SHIFT: u32 = 32;
const STAMP_SHIFT: u32 = 48;
/// Bytes of a cache line, the stride of [`Heap::read`].
const LINE_BYTES: usize = 64;

/// Engines in the order they were first used; a tag holds the place. An entry is never removed, so a tag means
/// one engine for as long as the process lives.
static REGISTRY: Mutex<Vec<&'static dyn Engine>> = Mutex::new(Vec::new());

/// An engine that serves blocks of one alignment.
#[derive(Clone, Copy)]
pub struct Heap {
    engine: &'static dyn Engine,
    align: usize,
    tag: u16,
}

/// One live block of a [`Heap`]. Two words, so that it travels in registers and is stored as it is loaded: a block
/// freed right after its allocation is still in the store buffer, which forwards only like to like.
#[must_use = "a block that is dropped is leaked"]
pub struct Block {
    ptr: NonNull<u8>,
    /// Size in bits 0..32, the heap's tag in 32..48, the stamp in 48..64.
    shape: u64,
}

// SAFETY: a block is the only handle to its bytes, and engines let any thread use and free any block.
unsafe impl Send for Block {}

impl Block {
    /// Bytes asked for.
    #[inline]
    pub fn size(&self) -> u32 {
        self.shape as u32
    }

    /// log2 of the alignment of the heap that made it.
    pub fn align_log2(&self) -> u8 {
        (self.tag() & ((1 << TAG_ALIGN_BITS) - 1)) as u8
    }

    #[inline(always)]
    fn tag(&self) -> u16 {
        (self.shape >> TAG_SHIFT) as u16
    }

    /// Sets the sequence number that [`Heap::fill`] mixes into the contents.
    pub fn set_stamp(&mut self, stamp: u16) {
        self.shape = (self.shape & ((1 << STAMP_SHIFT) - 1)) | (u64::from(stamp) << STAMP_SHIFT);
    }

    /// First word of the contents that this block must have: neither another address, nor another size, nor an
    /// earlier life of the same block has it.
    fn pattern(&self) -> u64 {
        let key = (self.ptr.as_ptr() as u64) ^ self.shape.rotate_left(20);
        let mixed = (key ^ (key >> 31)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        mixed ^ (mixed >> 29)
    }
}

/// Contents expected at byte `at` (a multiple of 8).
fn pattern_word(first: u64, at: usize) -> u64 {
    first.wrapping_add((at as u64).wrapping_mul(0xD6E8_FEB8_6659_FD93))
}

/// What a block held before it was resized.
pub struct Imprint {
    first: u64,
    size: u32,
}

impl Heap {
    /// The heap of `engine` at `align`, or why there cannot be one.
    pub fn new(engine: &'static dyn Engine, align: usize) -> Result<Heap, String> {
        if !align.is_power_of_two() || align.trailing_zeros() >= 1 << TAG_ALIGN_BITS {
            return Err(format!("alignment {align} is not a power of two below 4 GiB"));
        }
        let mut registry = REGISTRY.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let known = registry.iter().position(|known| std::ptr::eq(*known, engine));
        let place = known.unwrap_or(registry.len());
        if place >= ENGINES_MAX {
            return Err(format!("more than {ENGINES_MAX} engines in one process"));
        }
        if known.is_none() {
            registry.push(engine);
        }
        let tag = ((place as u16) << TAG_ALIGN_BITS) | align.trailing_zeros() as u16;
        Ok(Heap { engine, align, tag })
    }

    /// The engine behind it.
    pub fn engine(&self) -> &'static dyn Engine {
        self.engine
    }

    /// A block of `size` ≥ 1 bytes, `None` when the engine has no memory.
    #[inline(always)]
    pub fn alloc(&self, size: u32) -> Option<Block> {
        assert!(size != 0, "a block has at least one byte");
        // SAFETY: size is not zero, align is a power of two below 4 GiB, so their rounded sum fits an isize.
        let ptr = unsafe { self.engine.alloc(size as usize, self.align) };
        NonNull::new(ptr).map(|ptr| self.block(ptr, size))
    }

    #[inline(always)]
    fn block(&self, ptr: NonNull<u8>, size: u32) -> Block {
        Block { ptr, shape: u64::from(size) | (u64::from(self.tag) << TAG_SHIFT) }
    }

    /// Gives a block back.
    #[inline(always)]
    pub fn free(&self, block: Block) {
        assert!(block.tag() == self.tag, "a block returns to the heap that made it");
        // SAFETY: equal tags mean this engine and alignment made the block; by value, so it is live and freed once.
        unsafe { self.engine.dealloc(block.ptr.as_ptr(), block.size() as usize, self.align) }
    }

    /// Resizes a block; gives the old one back when the engine has no memory.
    #[inline(always)]
    pub fn resize(&self, block: Block, size: u32) -> Result<Block, Block> {
        assert!(size != 0, "a block has at least one byte");
        assert!(block.tag() == self.tag, "a block returns to the heap that made it");
        // SAFETY: as in `free` for the old block and as in `alloc` for the new size.
        let ptr = unsafe {
            self.engine.realloc(block.ptr.as_ptr(), block.size() as usize, self.align, size as usize)
        };
        match NonNull::new(ptr) {
            Some(ptr) => Ok(self.block(ptr, size)),
            None => Err(block),
        }
    }

    /// Bytes the engine lets the owner of `block` use.
    pub fn usable(&self, block: &Block) -> usize {
        assert!(block.tag() == self.tag, "a block is asked about at the heap that made it");
        // SAFETY: equal tags mean this engine and alignment made the block, and the reference keeps it live.
        unsafe { self.engine.usable_size(block.ptr.as_ptr(), block.size() as usize, self.align) }
    }

    /// Whether the engine says that it served `block`.
    pub fn served(&self, block: &Block) -> bool {
        self.engine.served(block.ptr.as_ptr())
    }

    /// Whether `block` is aligned as asked; else its address.
    pub fn aligned(&self, block: &Block) -> Result<(), usize> {
        let address = block.ptr.as_ptr() as usize;
        if address.is_multiple_of(self.align) { Ok(()) } else { Err(address) }
    }

    /// Writes every byte.
    #[inline(always)]
    pub fn write(&self, block: &Block) {
        // SAFETY: the engine gave the block's owner `size` bytes at `ptr`.
        unsafe { block.ptr.as_ptr().write_bytes(0xA5, block.size() as usize) }
    }

    /// Reads a byte of every cache line, the last byte among them.
    #[inline(always)]
    pub fn read(&self, block: &Block) {
        let size = block.size() as usize;
        let mut at = size - 1;
        loop {
            // SAFETY: at < size, and the block's owner may use `size` bytes at `ptr`.
            let place = unsafe { block.ptr.as_ptr().add(at) };
            // SAFETY: the byte is inside the block, as above; volatile, so the read is not left out.
            unsafe { place.read_volatile() };
            if at < LINE_BYTES {
                break;
            }
            at -= LINE_BYTES;
        }
    }

    /// Fills `block` with contents that tell its address, size and stamp.
    pub fn fill(&self, block: &Block) {
        let first = block.pattern();
        for at in (0..block.size() as usize).step_by(8) {
            let bytes = pattern_word(first, at).to_ne_bytes();
            let count = (block.size() as usize - at).min(8);
            // SAFETY: at < size, and the block's owner may use `size` bytes at `ptr`.
            let place = unsafe { block.ptr.as_ptr().add(at) };
            // SAFETY: at + count ≤ size; the source is an array on the stack.
            unsafe { place.copy_from_nonoverlapping(bytes.as_ptr(), count) }
        }
    }

    /// Checks that `block` still holds what [`Heap::fill`] wrote; else says what it holds.
    pub fn check(&self, block: &Block) -> Result<(), String> {
        self.compare(block, block.pattern(), block.size())
    }

    /// What a resize of `block` must keep.
    pub fn imprint(&self, block: &Block) -> Imprint {
        Imprint { first: block.pattern(), size: block.size() }
    }

    /// Checks that a resized block begins with what the old one held.
    pub fn check_kept(&self, block: &Block, old: &Imprint) -> Result<(), String> {
        self.compare(block, old.first, old.size.min(block.size()))
    }

    fn compare(&self, block: &Block, first: u64, size: u32) -> Result<(), String> {
        for at in (0..size as usize).step_by(8) {
            let count = (size as usize - at).min(8);
            let mut found = [0_u8; 8];
            // SAFETY: at < size ≤ the block's size, and the block's owner may use that many bytes at `ptr`.
            let place = unsafe { block.ptr.as_ptr().add(at) };
            // SAFETY: at + count ≤ size; the destination is an array on the stack.
            unsafe { place.copy_to_nonoverlapping(found.as_mut_ptr(), count) }
            let expected = pattern_word(first, at).to_ne_bytes();
            if found[..count] != expected[..count] {
                let address = block.ptr.as_ptr() as usize;
                return Err(format!(
                    "block of {} bytes at {address:#x}: bytes {at}..{} changed while it was live",
                    block.size(),
                    at + count
                ));
            }
        }
        Ok(())
    }

    /// Moves `value` into memory of the engine; gives it back when there is none. The heap's alignment must
    /// suffice for `T`.
    pub fn boxed<T>(&self, value: T) -> Result<EngineBox<T>, T> {
        assert!(align_of::<T>() <= self.align && size_of::<T>() <= u32::MAX as usize);
        let Some(block) = self.alloc(size_of::<T>() as u32) else { return Err(value) };
        let ptr = block.ptr.cast::<T>();
        // SAFETY: the block has size_of::<T>() bytes at an alignment of at least T's, and nothing else uses it.
        unsafe { ptr.write(value) };
        Ok(EngineBox { ptr, block })
    }

    /// Takes the value out and gives its memory back.
    pub fn unboxed<T>(&self, boxed: EngineBox<T>) -> T {
        // SAFETY: the box holds a value since `boxed`, and is consumed here, so the value is read once.
        let value = unsafe { boxed.ptr.read() };
        self.free(boxed.block);
        value
    }
}

/// A value in memory of an engine. Without `Drop`: [`Heap::unboxed`] ends it, else it leaks.
#[must_use = "a box that is dropped is leaked"]
pub struct EngineBox<T> {
    ptr: NonNull<T>,
    block: Block,
}

// SAFETY: the box owns its value and its block alone, and a block may move between threads.
unsafe impl<T: Send> Send for EngineBox<T> {}
// SAFETY: a shared box gives out shared references to its value only.
unsafe impl<T: Sync> Sync for EngineBox<T> {}

impl<T> EngineBox<T> {
    /// The block that holds the value.
    pub fn block(&self) -> &Block {
        &self.block
    }

    /// The value.
    pub fn get(&self) -> &T {
        // SAFETY: the box holds a value from `boxed` to `unboxed`; the borrow of the box covers the reference.
        unsafe { self.ptr.as_ref() }
    }

    /// The value, to change.
    pub fn get_mut(&mut self) -> &mut T {
        // SAFETY: as in `get`; the box is borrowed mutably, so no other reference exists.
        unsafe { self.ptr.as_mut() }
    }
}

/// A vector with room for `capacity` values whose pages are all resident. Zeroes would let the compiler ask for
/// pages that are zero already and never touch them.
pub fn resident_vec<T>(capacity: usize) -> Vec<T> {
    let mut vec = black_box(Vec::with_capacity(capacity));
    for slot in vec.spare_capacity_mut() {
        // SAFETY: the slot is spare capacity of the vector: writable and without a value; any byte may go there.
        unsafe { std::ptr::from_mut::<MaybeUninit<T>>(slot).write_bytes(0x5A, 1) };
    }
    black_box(vec)
}

/// The live array: the blocks a thread holds, dense, in memory that is resident before the clock starts.
///
/// Never grows, since what a stream needs is counted before it runs; so its length stays in a register while words
/// are played. The first `count` slots hold a block each, the others nothing.
#[derive(Default)]
pub struct LiveSet {
    slots: Box<[MaybeUninit<Block>]>,
    count: usize,
}

#[cold]
#[inline(never)]
fn miscounted() -> ! {
    unreachable!("streams were counted: none takes from an empty place or passes the array's end")
}

impl LiveSet {
    /// Room for `capacity` blocks.
    pub fn new(capacity: usize) -> LiveSet {
        let mut slots = resident_vec(capacity);
        slots.resize_with(capacity, MaybeUninit::uninit);
        LiveSet { slots: slots.into_boxed_slice(), count: 0 }
    }

    /// Puts a block on the end.
    #[inline(always)]
    pub fn push(&mut self, block: Block) {
        let Some(slot) = self.slots.get_mut(self.count) else { miscounted() };
        slot.write(block);
        self.count += 1;
    }

    /// Takes the block at `place` out; the last one moves there.
    #[inline(always)]
    pub fn take(&mut self, place: usize) -> Block {
        if place >= self.count {
            miscounted()
        }
        self.count -= 1;
        let slots = self.slots.as_mut_ptr().cast::<Block>();
        // SAFETY: place ≤ count < slots.len(), so the slot is inside the array.
        let slot = unsafe { slots.add(place) };
        // SAFETY: count < slots.len(), as above.
        let last = unsafe { slots.add(self.count) };
        // SAFETY: both slots held a block before count went down; from here on the taken one and `last` hold none.
        let block = unsafe { load(slot) };
        // SAFETY: as above; where both are one slot, it is past the end now and never read.
        let moved = unsafe { load(last) };
        // SAFETY: the slot is inside the array, and what it held has been taken out.
        unsafe { slot.write(moved) };
        block
    }

    /// Puts a block where one was taken from.
    pub fn restore(&mut self, place: usize, block: Block) {
        self.push(block);
        self.slots.swap(place, self.count - 1);
    }

    /// Takes the last block out.
    pub fn pop(&mut self) -> Option<Block> {
        if self.count == 0 { None } else { Some(self.take(self.count - 1)) }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// The blocks.
    pub fn iter(&self) -> impl Iterator<Item = &Block> {
        // SAFETY: the first `count` slots hold a block each.
        self.slots[..self.count].iter().map(|slot| unsafe { slot.assume_init_ref() })
    }
}

/// Reads a block word by word, as it was written: a processor forwards a store that is still under way only to a load
/// of the same width, and a block freed right after its allocation is just that.
///
/// # Safety
/// `slot` holds a block, which the caller takes out of it.
#[inline(always)]
unsafe fn load(slot: *const Block) -> Block {
    // SAFETY: the caller's promise; volatile only so that the two loads are not made one.
    let ptr = unsafe { (&raw const (*slot).ptr).read_volatile() };
    // SAFETY: as above.
    let shape = unsafe { (&raw const (*slot).shape).read_volatile() };
    Block { ptr, shape }
}

/// A field that shares its cache line with no other, nor with the neighbour that the prefetcher fetches with it.
#[repr(align(128))]
struct Alone<T>(T);

/// What the two ends of a ring share. Positions count up for ever; a slot's index is its position & mask.
struct Ring {
    slots: Box<[UnsafeCell<MaybeUninit<Block>>]>,
    /// Blocks sent. Written by the sender (Release: publishes the slot before it), read by the receiver (Acquire).
    tail: Alone<AtomicUsize>,
    /// Blocks received. Written by the receiver (Release: the slot was read), read by the sender (Acquire).
    head: Alone<AtomicUsize>,
    /// Set when the sender ends (Release, after its last tail), read by the receiver (Acquire, before tail).
    closed: AtomicBool,
}

// SAFETY: a slot is written by the one sender while tail − head < slots, and read by the one receiver while
// head < tail; the Release and Acquire of tail and head order the two.
unsafe impl Sync for Ring {}
// SAFETY: it holds blocks, which may move between threads.
unsafe impl Send for Ring {}

/// The end of a ring that blocks go into.
pub struct Sender {
    ring: Arc<Ring>,
    tail: usize,
    head_seen: usize,
}

/// The end of a ring that blocks come out of.
pub struct Receiver {
    ring: Arc<Ring>,
    head: usize,
    tail_seen: usize,
}

/// What a look into a ring found.
pub enum Received {
    /// A block.
    Block(Block),
    /// Nothing now.
    Empty,
    /// Nothing, and nothing will come.
    Closed,
}

/// A ring with room for at least `capacity` blocks, its memory resident.
pub fn ring(capacity: usize) -> (Sender, Receiver) {
    let room = capacity.max(1).next_power_of_two();
    let mut slots = resident_vec(room);
    slots.resize_with(room, || UnsafeCell::new(MaybeUninit::uninit()));
    let ring = Arc::new(Ring {
        slots: slots.into_boxed_slice(),
        tail: Alone(AtomicUsize::new(0)),
        head: Alone(AtomicUsize::new(0)),
        closed: AtomicBool::new(false),
    });
    (Sender { ring: ring.clone(), tail: 0, head_seen: 0 }, Receiver { ring, head: 0, tail_seen: 0 })
}

impl Sender {
    /// Puts a block in; gives it back when the ring is full.
    #[inline]
    pub fn send(&mut self, block: Block) -> Result<(), Block> {
        let ring = &*self.ring;
        if self.tail - self.head_seen == ring.slots.len() {
            // Acquire: pairs with the receiver's Release of head; the slot about to be written has been read.
            self.head_seen = ring.head.0.load(Ordering::Acquire);
            if self.tail - self.head_seen == ring.slots.len() {
                return Err(block);
            }
        }
        let slot = ring.slots[self.tail & (ring.slots.len() - 1)].get();
        // SAFETY: tail − head < slots, so the receiver is done with this slot, and the sender is the only writer.
        unsafe { slot.write(MaybeUninit::new(block)) };
        self.tail += 1;
        // Release: pairs with the receiver's Acquire of tail; publishes the slot and the block's contents.
        ring.tail.0.store(self.tail, Ordering::Release);
        Ok(())
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        // Release: pairs with the receiver's Acquire; whoever sees it sees the last tail too.
        self.ring.closed.store(true, Ordering::Release);
    }
}

impl Receiver {
    /// Takes the oldest block out.
    #[inline]
    pub fn receive(&mut self) -> Received {
        if self.head == self.tail_seen && !self.look() {
            // Acquire: pairs with the sender's Release at its end; then tail is final, so one more look decides.
            let closed = self.ring.closed.load(Ordering::Acquire);
            if !self.look() {
                return if closed { Received::Closed } else { Received::Empty };
            }
        }
        let ring = &*self.ring;
        let slot = ring.slots[self.head & (ring.slots.len() - 1)].get();
        // SAFETY: head < tail as seen by Acquire, so the sender wrote this slot and will not before head passes it.
        let block = unsafe { slot.read() };
        // SAFETY: the sender wrote a whole block into the slot, and each position is read once.
        let block = unsafe { block.assume_init() };
        self.head += 1;
        // Release: pairs with the sender's Acquire of head; the slot has been read.
        ring.head.0.store(self.head, Ordering::Release);
        Received::Block(block)
    }

    fn look(&mut self) -> bool {
        // Acquire: pairs with the sender's Release of tail; the slots before it are written.
        self.tail_seen = self.ring.tail.0.load(Ordering::Acquire);
        self.head != self.tail_seen
    }
}

/// The cycle counter before a measured call: nothing earlier is still running, nothing later has begun.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub fn cycles_before() -> u64 {
    use std::arch::x86_64::{_mm_lfence, _rdtsc};
    // SAFETY: SSE2, which every x86-64 has.
    unsafe { _mm_lfence() };
    // SAFETY: user code may read the counter on every system that runs this benchmark; it touches no memory.
    let cycles = unsafe { _rdtsc() };
    // SAFETY: SSE2, as above.
    unsafe { _mm_lfence() };
    cycles
}

/// The cycle counter after a measured call: the call has completed.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub fn cycles_after() -> u64 {
    use std::arch::x86_64::{_mm_lfence, _rdtsc};
    // SAFETY: SSE2, which every x86-64 has.
    unsafe { _mm_lfence() };
    // SAFETY: as in `cycles_before`.
    unsafe { _rdtsc() }
}

/// Without a cycle counter a cycle is a nanosecond of the monotonic clock.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub fn cycles_before() -> u64 {
    use std::sync::OnceLock;
    use std::time::Instant;
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    ORIGIN.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

/// See [`cycles_before`].
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub fn cycles_after() -> u64 {
    cycles_before()
}

const _: () = assert!(size_of::<Block>() == 16, "a live entry is two words");

#[cfg(test)]
#[path = "raw_tests.rs"]
mod tests;
