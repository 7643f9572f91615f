//! The only door to atomics and locks; a thin façade that swaps `core` for `loom` under `--cfg loom`.
//!
//! Two locks. [`Word`] is an ownership word: taken with one exchange, given back with a plain release store, waited
//! for by yielding; it guards a heap, which its own thread holds almost always. [`Lock`] is a futex mutex for state
//! that threads really share (pool, orphans, huge mappings, metadata). Both protect data kept in `Cell`s beside them.
//!
//! Lock order, outermost first: heap table → heap word → orphans → pool → huge → metadata. No path takes two heap
//! words, except the fork handler, which takes all of them.

#[cfg(not(loom))]
pub use core::sync::atomic::{
    AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, compiler_fence,
};
#[cfg(loom)]
pub use loom::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// One turn of a wait that another thread ends.
#[inline]
pub fn relax(turn: u32) {
    #[cfg(loom)]
    {
        let _ = turn;
        loom::thread::yield_now();
    }
    #[cfg(not(loom))]
    match turn {
        0..64 => core::hint::spin_loop(),
        // The holder may be descheduled on a machine with fewer cores than threads.
        64..1024 => crate::pal::yield_now(),
        // A yield never reaches a holder of lower real-time priority.
        _ => crate::pal::nap(),
    }
}

/// An ownership word: who holds it may change what it guards.
pub struct Word(AtomicU32);

impl Word {
    /// A word nobody holds.
    #[cfg(not(loom))]
    pub const fn new() -> Word {
        Word(AtomicU32::new(0))
    }

    /// A word nobody holds.
    #[cfg(loom)]
    pub fn new() -> Word {
        Word(AtomicU32::new(0))
    }

    /// Takes the word if it is free.
    #[inline]
    pub fn try_take(&self) -> bool {
        // Acquire: pairs with the Release in `give`; everything the last holder wrote is visible.
        self.0.swap(1, Ordering::Acquire) == 0
    }

    /// Takes the word, waiting for its holder.
    #[inline]
    pub fn take(&self) {
        let mut turn = 0;
        while !self.try_take() {
            // Relaxed: only decides when to try again; `try_take` synchronises.
            while self.0.load(Ordering::Relaxed) != 0 {
                relax(turn);
                turn += 1;
            }
        }
    }

    /// Gives the word back.
    #[inline]
    pub fn give(&self) {
        // Release: pairs with the Acquire in `try_take`.
        self.0.store(0, Ordering::Release);
    }
}

impl Default for Word {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(not(loom))]
pub use futex::{Guard, Lock};

#[cfg(not(loom))]
mod futex {
    use super::{AtomicU32, Ordering, relax};
    use crate::pal;
    use core::cell::UnsafeCell;
    use core::ops::{Deref, DerefMut};

    const FREE: u32 = 0;
    const HELD: u32 = 1;
    const CONTENDED: u32 = 2;
    /// Turns of spinning before sleeping; the sections guarded are a few hundred instructions.
    const SPIN_TURNS: u32 = 48;

    /// A futex mutex around `T`.
    pub struct Lock<T> {
        word: AtomicU32,
        value: UnsafeCell<T>,
    }

    // SAFETY: `value` is reached only through a Guard, and the word admits one Guard at a time.
    unsafe impl<T> Sync for Lock<T> {}

    impl<T> Lock<T> {
        /// An unheld lock.
        pub const fn new(value: T) -> Self {
            Lock { word: AtomicU32::new(FREE), value: UnsafeCell::new(value) }
        }

        /// Waits for the lock and takes it.
        #[inline]
        pub fn lock(&self) -> Guard<'_, T> {
            self.acquire();
            Guard { lock: self }
        }

        #[inline]
        fn acquire(&self) {
            // Acquire on success: pairs with the Release in `release_raw`.
            if self.word.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_err() {
                self.wait();
            }
        }

        #[cold]
        fn wait(&self) {
            for turn in 0..SPIN_TURNS {
                if self.word.load(Ordering::Relaxed) == FREE
                    && self.word.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok()
                {
                    return;
                }
                relax(turn);
            }
            // Acquire: as above. CONTENDED stays until release, which then wakes one sleeper.
            while self.word.swap(CONTENDED, Ordering::Acquire) != FREE {
                pal::futex_wait(&self.word, CONTENDED);
            }
        }

        /// Takes the lock and leaves it taken; for the fork handlers, which end in another call.
        pub fn acquire_raw(&self) {
            self.acquire();
        }

        /// Ends what `acquire_raw` or a guard began.
        ///
        /// # Safety
        /// The caller holds the lock and no guard of it will be dropped later.
        pub unsafe fn release_raw(&self) {
            // Release: publishes the section to the next Acquire in `acquire`.
            if self.word.swap(FREE, Ordering::Release) == CONTENDED {
                pal::futex_wake(&self.word);
            }
        }
    }

    /// Access to a held [`Lock`]; gives it back when dropped.
    pub struct Guard<'a, T> {
        lock: &'a Lock<T>,
    }

    impl<T> Deref for Guard<'_, T> {
        type Target = T;
        #[inline]
        fn deref(&self) -> &T {
            // SAFETY: this guard holds the lock, so no other reference to the value exists.
            unsafe { &*self.lock.value.get() }
        }
    }

    impl<T> DerefMut for Guard<'_, T> {
        #[inline]
        fn deref_mut(&mut self) -> &mut T {
            // SAFETY: this guard holds the lock, so no other reference to the value exists.
            unsafe { &mut *self.lock.value.get() }
        }
    }

    impl<T> Drop for Guard<'_, T> {
        #[inline]
        fn drop(&mut self) {
            // SAFETY: this guard holds the lock and is going away.
            unsafe { self.lock.release_raw() }
        }
    }
}
