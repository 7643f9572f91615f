//! Learned knobs: what the policy may change, each a shift of a knob that program or environment stated.
//!
//! [`Knobs`] is the plain snapshot that the policy returns; `publish` makes it known, one relaxed store a value, and
//! WARM reads the values one by one: each is within its bounds by itself, and any mix of old and new ones is a valid
//! setting. Neutral (all 0) until a worker in mode `on` publishes, and again after it has stopped. HOT reads none.

use crate::size_class::CLASS_COUNT;
use crate::sync::{AtomicI8, AtomicI32, AtomicU8, AtomicU32, Ordering};

/// Size classes and class 0, which is none.
pub const CLASSES: usize = CLASS_COUNT + 1;
/// Most and least doublings of a magazine's capacity.
pub const SLOTS_SHIFT_MAX: i8 = 2;
/// See [`SLOTS_SHIFT_MAX`].
pub const SLOTS_SHIFT_MIN: i8 = -3;
/// Most halvings of the budget of all caches.
pub const BUDGET_SHIFT_MAX: u32 = 4;
/// Most doublings or halvings of the purge delay.
pub const PURGE_SHIFT_MAX: i32 = 10;

/// A snapshot of all learned knobs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Knobs {
    /// Doublings of each class's capacity.
    pub slots_shift: [i8; CLASSES],
    /// Whether a refill of the class fills the whole magazine instead of half.
    pub whole_batch: [bool; CLASSES],
    /// Halvings of the budget of all caches.
    pub budget_shift: u32,
    /// Doublings of the purge delay.
    pub purge_shift: i32,
}

impl Knobs {
    /// Everything as stated.
    pub const NEUTRAL: Knobs =
        Knobs { slots_shift: [0; CLASSES], whole_batch: [false; CLASSES], budget_shift: 0, purge_shift: 0 };
}

// Relaxed throughout: see the module comment.
static SLOTS_SHIFT: [AtomicI8; CLASSES] = [const { AtomicI8::new(0) }; CLASSES];
static WHOLE_BATCH: [AtomicU8; CLASSES] = [const { AtomicU8::new(0) }; CLASSES];
static BUDGET_SHIFT: AtomicU32 = AtomicU32::new(0);
static PURGE_SHIFT: AtomicI32 = AtomicI32::new(0);

/// Makes a snapshot known, each value brought within its bounds.
pub fn publish(knobs: &Knobs) {
    for (i, (&shift, &whole)) in knobs.slots_shift.iter().zip(&knobs.whole_batch).enumerate() {
        SLOTS_SHIFT[i].store(shift.clamp(SLOTS_SHIFT_MIN, SLOTS_SHIFT_MAX), Ordering::Relaxed);
        WHOLE_BATCH[i].store(u8::from(whole), Ordering::Relaxed);
    }
    BUDGET_SHIFT.store(knobs.budget_shift.min(BUDGET_SHIFT_MAX), Ordering::Relaxed);
    PURGE_SHIFT.store(knobs.purge_shift.clamp(-PURGE_SHIFT_MAX, PURGE_SHIFT_MAX), Ordering::Relaxed);
}

/// Doublings of the class's capacity.
pub fn slots_shift(class_index: usize) -> i32 {
    SLOTS_SHIFT.get(class_index).map_or(0, |shift| i32::from(shift.load(Ordering::Relaxed)))
}

/// Whether a refill of the class fills the whole magazine.
pub fn whole_batch(class_index: usize) -> bool {
    WHOLE_BATCH.get(class_index).is_some_and(|whole| whole.load(Ordering::Relaxed) != 0)
}

/// Halvings of the budget.
pub fn budget_shift() -> u32 {
    BUDGET_SHIFT.load(Ordering::Relaxed)
}

/// Doublings of the purge delay.
pub fn purge_shift() -> i32 {
    PURGE_SHIFT.load(Ordering::Relaxed)
}

/// `value` doubled `shift` times, or halved.
pub fn shifted(value: u64, shift: i32) -> u64 {
    let by = shift.unsigned_abs().min(63);
    if shift < 0 { value >> by } else { value.saturating_mul(1 << by) }
}
