//! A mutex that counts how often it was taken and how often the taker had to wait.
//!
//! Both counts lie beside the value and are written only by the thread that holds the lock, so
//! counting costs two plain increments and no atomic. The lock is padded to two cache lines:
//! neighbours in an array of locks never share a line, nor the pair that the adjacent-line
//! prefetcher fetches together. A contended taker spins briefly, then parks (std's mutex does
//! both). A poisoned lock is taken all the same: no code of this crate that can panic leaves a
//! guarded value half-written.

use crate::sync::{Mutex, MutexGuard};
use std::ops::{Deref, DerefMut};
use std::sync::{PoisonError, TryLockError};

/// How often a lock was taken, and how many of those takings found it held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LockCounts {
    /// Takings, contended or not.
    pub takings: u64,
    /// Takings that found the lock held by another thread and had to wait.
    pub waits: u64,
}

impl std::ops::AddAssign for LockCounts {
    fn add_assign(&mut self, other: LockCounts) {
        self.takings += other.takings;
        self.waits += other.waits;
    }
}

/// The value and its counts; both belong to whoever holds the lock.
struct Counted<T> {
    counts: LockCounts,
    value: T,
}

/// A counted, padded mutex.
#[repr(align(128))]
pub(crate) struct CountedLock<T> {
    inner: Mutex<Counted<T>>,
}

impl<T> CountedLock<T> {
    pub(crate) fn new(value: T) -> CountedLock<T> {
        CountedLock { inner: Mutex::new(Counted { counts: LockCounts::default(), value }) }
    }

    /// Takes the lock and counts the taking.
    #[inline]
    pub(crate) fn lock(&self) -> CountedGuard<'_, T> {
        let mut guard = match self.inner.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => self.lock_contended(),
        };
        guard.counts.takings += 1;
        CountedGuard { guard }
    }

    /// Reads value and counts without counting the reading itself.
    pub(crate) fn inspect<R>(&self, read: impl FnOnce(&T, LockCounts) -> R) -> R {
        let guard = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        read(&guard.value, guard.counts)
    }

    #[cold]
    #[inline(never)]
    fn lock_contended(&self) -> MutexGuard<'_, Counted<T>> {
        let mut guard = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        guard.counts.waits += 1;
        guard
    }
}

/// Access to the value of a [`CountedLock`] while it is held.
pub(crate) struct CountedGuard<'a, T> {
    guard: MutexGuard<'a, Counted<T>>,
}

impl<T> Deref for CountedGuard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        &self.guard.value
    }
}

impl<T> DerefMut for CountedGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard.value
    }
}
