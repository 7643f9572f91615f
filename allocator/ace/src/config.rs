//! Knobs: the plain configuration that WARM and COLD read.
//!
//! [`Config`] is what a program states, at link time (`AceAlloc::with_config`) or, overriding it, through `ACE_*`
//! variables; [`Knob`] names one value at run time. Knobs are relaxed atomics: any thread may publish one, every
//! reader accepts the old or the new value, and HOT reads none of them. [`SPECS`] gives each its name, unit and bounds;
//! docs/CONFIG.md, which a test compares with it, adds the reasons. A variable that cannot be understood is complained
//! about in one line on standard error and otherwise ignored: a program must not fail for a knob of its allocator.

use crate::pal;
use crate::sync::{AtomicU64, Ordering};
use crate::text::Line;
use core::ffi::CStr;

/// Which way requests take; the draft's route profiles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
pub enum Route {
    /// Thread cache, then the heap's slabs. The default.
    TinyFirst = 0,
    /// Thread cache; a miss takes a fresh slab instead of looking for room in used ones.
    TinyOnly = 1,
    /// No thread cache: every call goes to the heap.
    PoolOnly = 2,
    /// By class: up to 256 B as `TinyOnly`, above 8 KiB as `PoolOnly`, else `TinyFirst`.
    Hot = 3,
    /// By class: every class `TinyFirst`, with magazines at four times their byte cap.
    Full = 4,
    /// By class: up to 1 KiB `TinyFirst`, above `PoolOnly`.
    Conservative = 5,
}

/// Everything a program may configure.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Most blocks of one magazine. `ACE_CACHE_SLOTS`.
    pub cache_slots: u64,
    /// Most bytes of blocks in one magazine. `ACE_CACHE_BYTES`.
    pub cache_bytes: u64,
    /// Most bytes of blocks that one thread's magazines may come to hold together. `ACE_CACHE_TOTAL_BYTES`.
    pub cache_total_bytes: u64,
    /// Blocks a refill takes; 0 means half of the magazine. `ACE_BATCH`.
    pub batch: u64,
    /// A miss takes exactly one block (the draft's Refill-one). `ACE_REFILL_ONE`.
    pub refill_one: bool,
    /// Which way requests take. `ACE_ROUTE` (0…5 in the order of [`Route`]).
    pub route: Route,
    /// Empty slabs a heap keeps for each class. `ACE_WARM_SLABS`.
    pub warm_slabs: u64,
    /// Slabs taken beyond the one needed when the warm pool is empty on a miss. `ACE_PREFILL`.
    pub prefill: u64,
    /// Slabs and superslabs below a quarter full are avoided. `ACE_TIERING`.
    pub tiering: bool,
    /// Superslabs beyond the reserve are unmapped as they become free, not after the purge delay. `ACE_EAGER_FREE`.
    pub eager_free: bool,
    /// Milliseconds a free slab keeps its pages; `u64::MAX` means for ever. `ACE_PURGE_DELAY_MS`.
    pub purge_delay_ms: u64,
    /// Magazines that rested for a period give half of their blocks back. `ACE_CACHE_SHRINK`.
    pub cache_shrink: bool,
    /// `trim` and expiry also purge free pages inside live slabs. `ACE_IDLE_TRIM`.
    pub idle_trim: bool,
    /// Free slabs and pages are purged when committed bytes pass this percentage of live bytes, by much; 0 never.
    /// `ACE_PURGE_PERCENT`.
    pub purge_percent: u64,
    /// Committed bytes above which memory is returned before more is taken; 0 none. `ACE_LIMIT_SOFT`.
    pub limit_soft_bytes: u64,
    /// Committed bytes above which requests fail; 0 none. `ACE_LIMIT_HARD`.
    pub limit_hard_bytes: u64,
}

impl Config {
    /// The shipped configuration.
    pub const DEFAULT: Config = Config {
        cache_slots: 510,
        cache_bytes: 256 << 10,
        cache_total_bytes: 8 << 20,
        batch: 0,
        refill_one: false,
        route: Route::TinyFirst,
        warm_slabs: 1,
        prefill: 0,
        tiering: true,
        eager_free: true,
        purge_delay_ms: 100,
        cache_shrink: true,
        idle_trim: true,
        purge_percent: 200,
        limit_soft_bytes: 0,
        limit_hard_bytes: 0,
    };
}

impl Default for Config {
    fn default() -> Self {
        Config::DEFAULT
    }
}

/// A value that can be read and published at run time; the fields of [`Config`] in their order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each variant is the field of Config with the same name")]
pub enum Knob {
    CacheSlots,
    CacheBytes,
    CacheTotalBytes,
    Batch,
    RefillOne,
    Route,
    WarmSlabs,
    Prefill,
    Tiering,
    EagerFree,
    PurgeDelayMs,
    CacheShrink,
    IdleTrim,
    PurgePercent,
    LimitSoftBytes,
    LimitHardBytes,
}

/// How many knobs there are.
pub const KNOBS: usize = 16;

/// What may be said about a knob from outside.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// The environment variable.
    pub name: &'static CStr,
    /// What the number counts.
    pub unit: Unit,
    /// Smallest value.
    pub min: u64,
    /// Largest value; what is published beyond either is brought to the nearer one.
    pub max: u64,
}

/// What a knob's number counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each variant says its own name")]
pub enum Unit {
    Bytes,
    Blocks,
    Slabs,
    Milliseconds,
    Percent,
    /// 0 or 1.
    Flag,
    /// One of a list.
    Choice,
}

const fn spec(name: &'static CStr, unit: Unit, min: u64, max: u64) -> Spec {
    Spec { name, unit, min, max }
}

/// More than any process can have.
const BYTES_MAX: u64 = 1 << 47;

/// All knobs, in the order of [`Knob`].
pub const SPECS: [Spec; KNOBS] = [
    spec(c"ACE_CACHE_SLOTS", Unit::Blocks, 2, u16::MAX as u64),
    spec(c"ACE_CACHE_BYTES", Unit::Bytes, 0, 1 << 30),
    spec(c"ACE_CACHE_TOTAL_BYTES", Unit::Bytes, 0, BYTES_MAX),
    spec(c"ACE_BATCH", Unit::Blocks, 0, u16::MAX as u64),
    spec(c"ACE_REFILL_ONE", Unit::Flag, 0, 1),
    spec(c"ACE_ROUTE", Unit::Choice, 0, Route::Conservative as u64),
    spec(c"ACE_WARM_SLABS", Unit::Slabs, 0, 1024),
    spec(c"ACE_PREFILL", Unit::Slabs, 0, 1024),
    spec(c"ACE_TIERING", Unit::Flag, 0, 1),
    spec(c"ACE_EAGER_FREE", Unit::Flag, 0, 1),
    spec(c"ACE_PURGE_DELAY_MS", Unit::Milliseconds, 0, u64::MAX),
    spec(c"ACE_CACHE_SHRINK", Unit::Flag, 0, 1),
    spec(c"ACE_IDLE_TRIM", Unit::Flag, 0, 1),
    spec(c"ACE_PURGE_PERCENT", Unit::Percent, 0, 10_000),
    spec(c"ACE_LIMIT_SOFT", Unit::Bytes, 0, BYTES_MAX),
    spec(c"ACE_LIMIT_HARD", Unit::Bytes, 0, BYTES_MAX),
];

/// The shipped values, in the order of [`SPECS`].
pub const DEFAULTS: [u64; KNOBS] = values(&Config::DEFAULT);

const fn values(c: &Config) -> [u64; KNOBS] {
    [
        c.cache_slots,
        c.cache_bytes,
        c.cache_total_bytes,
        c.batch,
        c.refill_one as u64,
        c.route as u64,
        c.warm_slabs,
        c.prefill,
        c.tiering as u64,
        c.eager_free as u64,
        c.purge_delay_ms,
        c.cache_shrink as u64,
        c.idle_trim as u64,
        c.purge_percent,
        c.limit_soft_bytes,
        c.limit_hard_bytes,
    ]
}

const _: () = assert!(Knob::LimitHardBytes as usize + 1 == KNOBS);

static TABLE: [AtomicU64; KNOBS] = {
    let mut table = [const { AtomicU64::new(0) }; KNOBS];
    let mut i = 0;
    while i < KNOBS {
        table[i] = AtomicU64::new(DEFAULTS[i]);
        i += 1;
    }
    table
};

/// The present value of a knob; flags are 0 or 1.
#[inline]
pub fn get(knob: Knob) -> u64 {
    TABLE[knob as usize].load(Ordering::Relaxed)
}

/// True if a flag is set.
#[inline]
pub fn on(knob: Knob) -> bool {
    get(knob) != 0
}

/// Publishes one value, brought within the knob's bounds; WARM reads it from its next event on.
pub fn set(knob: Knob, value: u64) {
    publish(knob as usize, value);
}

fn publish(i: usize, value: u64) {
    TABLE[i].store(value.clamp(SPECS[i].min, SPECS[i].max), Ordering::Relaxed);
}

/// Applies what the program states and then what the environment overrides. Runs once, before the first slab.
pub(crate) fn start(stated: &Config) {
    for (i, value) in values(stated).into_iter().enumerate() {
        let text = pal::environment(SPECS[i].name);
        let overridden = text.and_then(|text| match read(&SPECS[i], text) {
            Some(value) => Some(value),
            None => {
                complain(&SPECS[i], text, value);
                None
            }
        });
        publish(i, overridden.unwrap_or(value));
    }
}

/// The value that a variable's text gives a knob; None if it is no number or out of bounds.
fn read(spec: &Spec, text: &[u8]) -> Option<u64> {
    let value = if text == b"never" && spec.max == u64::MAX { u64::MAX } else { parse(text)? };
    (spec.min..=spec.max).contains(&value).then_some(value)
}

/// Bytes of a variable's text that a complaint repeats.
const TEXT_SHOWN_BYTES: usize = 40;

/// One line that names the variable, what was wrong, and what would be right.
#[cold]
fn complain(spec: &Spec, text: &[u8], kept: u64) {
    let line = Line::new().text("ace-alloc: ").put(spec.name.to_bytes()).text("=");
    let line = line.foreign(text, TEXT_SHOWN_BYTES).text(" is not understood: give a whole number");
    let line = match spec.max {
        u64::MAX => line.text(" (K, M, G allowed) or never"),
        max => line.text(" from ").decimal(spec.min).text(" to ").decimal(max).text(" (K, M, G allowed)"),
    };
    pal::message(line.text(" or unset it; ").decimal(kept).text(" is used\n").bytes());
}

/// A decimal number with an optional K, M or G (powers of 1024); None for anything else.
fn parse(text: &[u8]) -> Option<u64> {
    let (digits, shift) = match text.last()? {
        b'k' | b'K' => (&text[..text.len() - 1], 10),
        b'm' | b'M' => (&text[..text.len() - 1], 20),
        b'g' | b'G' => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    if digits.is_empty() {
        return None;
    }
    let mut n = 0u64;
    for &d in digits {
        if !d.is_ascii_digit() {
            return None;
        }
        n = n.checked_mul(10)?.checked_add(u64::from(d - b'0'))?;
    }
    n.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::{DEFAULTS, Knob, SPECS, get, parse, read, set};

    #[test]
    fn defaults_are_within_bounds_and_bounds_hold() {
        for (spec, value) in SPECS.iter().zip(DEFAULTS) {
            assert!((spec.min..=spec.max).contains(&value), "{spec:?}");
        }
        let slots = &SPECS[Knob::CacheSlots as usize];
        assert_eq!((read(slots, b"1"), read(slots, b"2"), read(slots, b"64K")), (None, Some(2), None));
        let delay = &SPECS[Knob::PurgeDelayMs as usize];
        assert_eq!((read(delay, b"never"), read(slots, b"never")), (Some(u64::MAX), None));
        set(Knob::Route, 77);
        assert_eq!(get(Knob::Route), 5);
        set(Knob::Route, DEFAULTS[Knob::Route as usize]);
    }

    #[test]
    fn numbers_with_units() {
        for (text, value) in [
            (&b"0"[..], Some(0)),
            (b"510", Some(510)),
            (b"64K", Some(64 << 10)),
            (b"2m", Some(2 << 20)),
            (b"3G", Some(3 << 30)),
            (b"", None),
            (b"K", None),
            (b"1x", None),
            (b"-1", None),
            (b"99999999999999999999", None),
            (b"99999999999G", None),
        ] {
            assert_eq!(parse(text), value, "{text:?}");
        }
    }
}
