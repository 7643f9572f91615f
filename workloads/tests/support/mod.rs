//! An engine over the C library that keeps an account of every block, and ways to break it.
#![expect(dead_code, reason = "each test program uses a part")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use engines::Engine;

/// What the engine does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing.
    None,
    /// Every so many allocations it hands out a block that is live already, of the same size.
    SameBlockTwice(u64),
    /// Every so many allocations a block begins inside the one before.
    Overlaps(u64),
    /// Addresses are off by eight bytes.
    Misaligned,
    /// A resize that moves leaves the contents behind.
    ForgetsOnResize,
    /// It denies having served anything.
    NotServed,
    /// It denies having served blocks once so many are live.
    NotServedLater(usize),
    /// NULL after so many allocations.
    NullAfter(u64),
    /// Fewer bytes usable than asked for.
    TooSmall,
    /// A free writes into a neighbour that is live.
    ScribblesOnFree,
    /// It says that it recycles live memory.
    KeepsNothing,
}

/// The engine.
pub struct TestEngine {
    flaw: Flaw,
    allocs: AtomicU64,
    threads: AtomicI64,
    thread_entries: AtomicU64,
    expected: AtomicU64,
    requested: AtomicU64,
    live: Mutex<BTreeMap<usize, (usize, usize)>>,
}

impl TestEngine {
    /// An engine that lives for ever.
    pub fn leaked(flaw: Flaw) -> &'static TestEngine {
        Box::leak(Box::new(TestEngine {
            flaw,
            allocs: AtomicU64::new(0),
            threads: AtomicI64::new(0),
            thread_entries: AtomicU64::new(0),
            expected: AtomicU64::new(0),
            requested: AtomicU64::new(0),
            live: Mutex::default(),
        }))
    }

    fn live(&self) -> MutexGuard<'_, BTreeMap<usize, (usize, usize)>> {
        self.live.lock().unwrap()
    }

    pub fn live_blocks(&self) -> usize {
        self.live().len()
    }

    pub fn live_bytes(&self) -> usize {
        self.live().values().map(|(size, _)| size).sum()
    }

    pub fn allocs(&self) -> u64 {
        self.allocs.load(Ordering::SeqCst)
    }

    pub fn threads_inside(&self) -> i64 {
        self.threads.load(Ordering::SeqCst)
    }

    pub fn thread_entries(&self) -> u64 {
        self.thread_entries.load(Ordering::SeqCst)
    }

    pub fn expected_and_requested(&self) -> (u64, u64) {
        (self.expected.load(Ordering::SeqCst), self.requested.load(Ordering::SeqCst))
    }

    fn fresh(&self, size: usize, align: usize) -> usize {
        let mut block = std::ptr::null_mut();
        // SAFETY: the alignment is a power of two and a multiple of a pointer's size.
        let status = unsafe { libc::posix_memalign(&mut block, align.max(16), size + 64) };
        assert_eq!(status, 0);
        block as usize
    }
}

// SAFETY: without a flaw it passes on the C library's blocks; with one it breaks the contract, which is what the
// tests want to see found. Blocks stay inside memory that the C library gave.
unsafe impl Engine for TestEngine {
    fn name(&self) -> &'static str {
        "test"
    }

    fn version(&self) -> String {
        format!("{:?}", self.flaw)
    }

    unsafe fn alloc(&self, size: usize, align: usize) -> *mut u8 {
        assert!(size > 0 && align.is_power_of_two());
        let number = self.allocs.fetch_add(1, Ordering::SeqCst) + 1;
        self.requested.fetch_add(size as u64, Ordering::SeqCst);
        match self.flaw {
            Flaw::NullAfter(count) if number > count => return std::ptr::null_mut(),
            Flaw::SameBlockTwice(every) if number.is_multiple_of(every) => {
                let twin = self.live().iter().find(|(_, shape)| **shape == (size, align)).map(|(at, _)| *at);
                if let Some(twin) = twin {
                    return twin as *mut u8;
                }
            }
            Flaw::Overlaps(every) if number.is_multiple_of(every) => {
                let host = self.live().iter().find(|(_, shape)| shape.0 >= align + 8).map(|(at, _)| *at);
                if let Some(host) = host {
                    // The pages behind the host may end: keep the host's block big enough by making it so.
                    return (host + align.max(8)) as *mut u8;
                }
            }
            _ => {}
        }
        let room = if matches!(self.flaw, Flaw::Overlaps(_)) { size.max(4096) + 4096 } else { size };
        let at = self.fresh(room, align) + if self.flaw == Flaw::Misaligned { 8 } else { 0 };
        self.live().insert(at, (size, align));
        at as *mut u8
    }

    unsafe fn dealloc(&self, ptr: *mut u8, size: usize, align: usize) {
        let at = ptr as usize;
        let mut live = self.live();
        if let Some(shape) = live.remove(&at) {
            if !matches!(self.flaw, Flaw::SameBlockTwice(_) | Flaw::Overlaps(_)) {
                assert_eq!(shape, (size, align), "freed with another shape");
            }
            if self.flaw == Flaw::ScribblesOnFree
                && let Some((&other, &(other_size, _))) = live.iter().next()
            {
                // SAFETY: the byte is the last of a live block.
                unsafe { ((other + other_size - 1) as *mut u8).write(0) };
            }
            if self.flaw == Flaw::None {
                // SAFETY: `at` came from posix_memalign in `fresh` and has just left the account.
                unsafe { libc::free(ptr.cast()) };
            }
        } else {
            assert_ne!(self.flaw, Flaw::None, "freed a block that is not live");
        }
    }

    unsafe fn realloc(&self, ptr: *mut u8, old_size: usize, align: usize, new_size: usize) -> *mut u8 {
        // SAFETY: as the caller promises.
        let fresh = unsafe { self.alloc(new_size, align) };
        if fresh.is_null() {
            return fresh;
        }
        if self.flaw != Flaw::ForgetsOnResize {
            // SAFETY: both blocks are live and have that many bytes.
            unsafe { std::ptr::copy(ptr, fresh, old_size.min(new_size)) };
        }
        // SAFETY: as the caller promises.
        unsafe { self.dealloc(ptr, old_size, align) };
        fresh
    }

    unsafe fn usable_size(&self, _ptr: *mut u8, size: usize, _align: usize) -> usize {
        if self.flaw == Flaw::TooSmall { size - 1 } else { size.next_multiple_of(16) }
    }

    fn served(&self, ptr: *const u8) -> bool {
        let live = self.live();
        match self.flaw {
            Flaw::NotServed => false,
            Flaw::NotServedLater(count) => live.len() < count,
            _ => live.contains_key(&(ptr as usize)),
        }
    }

    fn enter_thread(&self) {
        self.threads.fetch_add(1, Ordering::SeqCst);
        self.thread_entries.fetch_add(1, Ordering::SeqCst);
    }

    fn leave_thread(&self) {
        self.threads.fetch_sub(1, Ordering::SeqCst);
    }

    fn expect(&self, total_bytes: usize, _contents: bool) {
        self.expected.store(total_bytes as u64, Ordering::SeqCst);
    }

    fn keeps_contents(&self) -> bool {
        self.flaw != Flaw::KeepsNothing
    }
}
