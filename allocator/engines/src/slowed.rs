//! `slowed`: another engine of this binary with a planted regression, so that a gate's power can be measured.
//!
//! Every share-th allocation of a thread is delayed, and once in the process a ballast is made resident. What is planted
//! is read from the environment when the engine is first asked for, and never changes:
//! - `SLOWED_BASE` names the engine that serves (default `system`);
//! - `SLOWED_EVERY` delays each n-th allocation of a thread (default 20), `SLOWED_DELAY_NS` by so many nanoseconds (default 0);
//! - `SLOWED_TURNS` gives the delay in turns of the loop instead, for counting instructions;
//! - `SLOWED_BALLAST_BYTES` are made resident at the [`BALLAST_AT`]-th allocation and stay (default 0).
//!
//! With delay and ballast 0 the code that runs is the same, so that it is the reference for its own planted forms.
//! The delay is a loop of [`delay`]'s, calibrated against the monotonic clock when the engine is made.
//! **Proof.** The base engine's: the wrapper owns no block.

use crate::engine::{Engine, Stats};
use std::cell::Cell;
use std::hint::black_box;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Allocation of the process at which the ballast becomes resident: past the checks before the clock, early in a run.
pub const BALLAST_AT: u64 = 5_000;
/// Rounds of the calibration loop, each some 80 µs; the fastest counts, as interruptions only lengthen.
const CALIBRATIONS: usize = 5;
/// Turns of the delay loop in one calibration.
const CALIBRATION_TURNS: u64 = 50_000;

thread_local! {
    /// Allocations of this thread until the next delayed one.
    static COUNTDOWN: Cell<u64> = const { Cell::new(1) };
}

/// What is planted.
#[derive(Clone, Debug, PartialEq)]
pub struct Plant {
    /// Engine that serves.
    pub base: String,
    /// Each n-th allocation of a thread is delayed.
    pub every: u64,
    /// Length of a delay, ns.
    pub delay_ns: f64,
    /// Length of a delay in turns of the loop; counts instead of `delay_ns` where it is given.
    pub turns: Option<u64>,
    /// Made resident once.
    pub ballast_bytes: usize,
}

impl Plant {
    /// Reads the plant from variables; a wrong value is named.
    pub fn from_variables(read: impl Fn(&str) -> Option<String>) -> Result<Plant, String> {
        fn number<T: std::str::FromStr>(name: &str, text: Option<String>, default: T) -> Result<T, String> {
            match text {
                None => Ok(default),
                Some(text) => text.parse().map_err(|_| format!("{name}: '{text}' is not a number that fits")),
            }
        }
        let plant = Plant {
            base: read("SLOWED_BASE").unwrap_or_else(|| "system".into()),
            every: number("SLOWED_EVERY", read("SLOWED_EVERY"), 20)?,
            delay_ns: number("SLOWED_DELAY_NS", read("SLOWED_DELAY_NS"), 0.0)?,
            turns: match read("SLOWED_TURNS") {
                None => None,
                given => Some(number("SLOWED_TURNS", given, 0)?),
            },
            ballast_bytes: number("SLOWED_BALLAST_BYTES", read("SLOWED_BALLAST_BYTES"), 0)?,
        };
        match plant {
            Plant { every: 0, .. } => Err("SLOWED_EVERY: 0 has no meaning; give 1 or more".into()),
            Plant { delay_ns, .. } if !(0.0..=1e9).contains(&delay_ns) => {
                Err(format!("SLOWED_DELAY_NS: {delay_ns} is outside 0 to 1e9"))
            }
            Plant { ref base, .. } if base == "slowed" => {
                Err("SLOWED_BASE: slowed cannot wrap itself".into())
            }
            plant => Ok(plant),
        }
    }
}

/// Runs `turns` turns of a loop whose turns depend on each other: a turn costs the same in any surroundings.
#[inline(never)]
pub fn delay(turns: u64) {
    let mut state = 1_u64;
    for _ in 0..turns {
        // A multiplication waits for the one before; black_box keeps the loop from being folded.
        state = black_box(state.wrapping_mul(0x5851_F42D_4C95_7F2D));
    }
    black_box(state);
}

/// Turns of [`delay`] in a nanosecond.
pub fn turns_per_ns() -> f64 {
    let shortest = (0..CALIBRATIONS)
        .map(|_| {
            let begin = Instant::now();
            delay(CALIBRATION_TURNS);
            begin.elapsed()
        })
        .min()
        .unwrap_or(Duration::from_nanos(1));
    CALIBRATION_TURNS as f64 / shortest.as_nanos().max(1) as f64
}

/// The wrapper.
pub struct Slowed {
    base: &'static dyn Engine,
    plant: Plant,
    turns: u64,
    /// Counted by every thread, read by none but the counter itself; Relaxed, because it publishes nothing.
    allocations: AtomicU64,
    ballast: OnceLock<Vec<u8>>,
}

impl Slowed {
    /// Wraps `base`.
    pub fn new(base: &'static dyn Engine, plant: Plant) -> Slowed {
        let turns = match (plant.turns, plant.delay_ns) {
            (Some(turns), _) => turns,
            // Also for no delay: a reference has the history of its planted forms.
            (None, delay_ns) => (delay_ns * turns_per_ns()).round() as u64,
        };
        Slowed { base, plant, turns, allocations: AtomicU64::new(0), ballast: OnceLock::new() }
    }

    #[inline(always)]
    fn before_alloc(&self) {
        let left = COUNTDOWN.get();
        if left > 1 {
            COUNTDOWN.set(left - 1);
        } else {
            COUNTDOWN.set(self.plant.every);
            delay(self.turns);
        }
        if self.plant.ballast_bytes > 0 && self.allocations.fetch_add(1, Ordering::Relaxed) + 1 == BALLAST_AT
        {
            self.load_ballast();
        }
    }

    #[cold]
    fn load_ballast(&self) {
        self.ballast.get_or_init(|| vec![1; self.plant.ballast_bytes]);
    }
}

/// The instance of this process.
///
/// # Panics
/// If the environment asks for a plant that cannot be: the process that measures ends with the reason, before any allocation.
pub fn slowed() -> &'static dyn Engine {
    static INSTANCE: OnceLock<Slowed> = OnceLock::new();
    INSTANCE.get_or_init(|| {
        let plant = Plant::from_variables(|name| std::env::var(name).ok());
        let plant = plant.unwrap_or_else(|what| panic!("{what}"));
        let base = crate::find(&plant.base).and_then(|entry| entry.instance);
        let Some(base) = base else { panic!("SLOWED_BASE: '{}' is not built into this binary", plant.base) };
        Slowed::new(base(), plant)
    })
}

// SAFETY: blocks are the base engine's, passed through unchanged, and it vouches for them.
unsafe impl Engine for Slowed {
    fn name(&self) -> &'static str {
        "slowed"
    }

    fn version(&self) -> String {
        let Plant { every, ballast_bytes, .. } = &self.plant;
        format!("{} + {} turns every {every} + {ballast_bytes} B", self.base.version(), self.turns)
    }

    unsafe fn alloc(&self, size: usize, align: usize) -> *mut u8 {
        self.before_alloc();
        // SAFETY: the caller's own contract, passed on.
        unsafe { self.base.alloc(size, align) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, size: usize, align: usize) {
        // SAFETY: the caller's own contract, passed on.
        unsafe { self.base.dealloc(ptr, size, align) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, old_size: usize, align: usize, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's own contract, passed on.
        unsafe { self.base.realloc(ptr, old_size, align, new_size) }
    }

    unsafe fn usable_size(&self, ptr: *mut u8, size: usize, align: usize) -> usize {
        // SAFETY: the caller's own contract, passed on.
        unsafe { self.base.usable_size(ptr, size, align) }
    }

    fn served(&self, ptr: *const u8) -> bool {
        self.base.served(ptr)
    }

    fn trim(&self) {
        self.base.trim();
    }

    fn stats(&self) -> Stats {
        self.base.stats()
    }

    fn enter_thread(&self) {
        self.base.enter_thread();
    }

    fn leave_thread(&self) {
        self.base.leave_thread();
    }

    fn expect(&self, total_bytes: usize, contents: bool) {
        self.base.expect(total_bytes, contents);
    }

    fn keeps_contents(&self) -> bool {
        self.base.keeps_contents()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plant(delay_ns: f64, every: u64, ballast_bytes: usize) -> Slowed {
        let plant = Plant { base: "system".into(), every, delay_ns, turns: None, ballast_bytes };
        Slowed::new(&crate::system::SYSTEM, plant)
    }

    /// Shortest times of a pair of calls on both engines, over many rounds of `calls` in turns: both meet the machine's fast
    /// moments.
    fn ns_per_pair(engines: [&dyn Engine; 2], calls: u32) -> [f64; 2] {
        let round = |engine: &dyn Engine| {
            let begin = Instant::now();
            for _ in 0..calls {
                // SAFETY: 64 bytes at 16 is a valid request.
                let block = unsafe { engine.alloc(64, 16) };
                // SAFETY: the block of just now, given back once.
                unsafe { engine.dealloc(block, 64, 16) };
            }
            begin.elapsed().as_nanos() as f64 / f64::from(calls)
        };
        (0..40).fold([f64::INFINITY; 2], |shortest, _| {
            [0, 1].map(|which| shortest[which].min(round(engines[which])))
        })
    }

    #[test]
    fn adds_what_it_says() {
        for (delay_ns, every) in [(100.0, 1), (1_000.0, 1), (2_000.0, 20)] {
            let said = delay_ns / every as f64;
            // A loop whose end is mispredicted costs some ten nanoseconds more; a faster clock than at calibration less.
            let expected = 0.8 * said..1.25 * said + 12.0;
            // Whoever else uses the processor between calibration and measurement spoils an attempt; a wrong loop spoils all.
            let mut attempts: Vec<f64> = Vec::new();
            while attempts.len() < 8 && !attempts.last().is_some_and(|added| expected.contains(added)) {
                let [plain, delayed] = ns_per_pair([&plant(0.0, 1, 0), &plant(delay_ns, every, 0)], 5_000);
                attempts.push(delayed - plain);
            }
            let met = attempts.last().is_some_and(|added| expected.contains(added));
            assert!(met, "{delay_ns} ns every {every}: added {attempts:?}");
        }
    }

    #[test]
    fn every_nth_allocation_of_a_thread_is_delayed() {
        let engine = plant(200_000.0, 4, 0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let slow: Vec<bool> = (0..12)
                    .map(|_| {
                        let begin = Instant::now();
                        // SAFETY: 64 bytes at 16 is a valid request.
                        let block = unsafe { engine.alloc(64, 16) };
                        let slow = begin.elapsed() > Duration::from_micros(120);
                        // SAFETY: the block of just now, given back once.
                        unsafe { engine.dealloc(block, 64, 16) };
                        slow
                    })
                    .collect();
                for (at, &slow) in slow.iter().enumerate().filter(|(at, _)| at % 4 == 0) {
                    assert!(slow, "allocation {at} was not delayed");
                }
            });
        });
    }

    #[test]
    fn the_ballast_comes_once() {
        let engine = plant(0.0, 1, 1 << 20);
        for _ in 0..2 * BALLAST_AT {
            engine.before_alloc();
        }
        assert_eq!(engine.ballast.get().map(Vec::len), Some(1 << 20));
    }

    #[test]
    fn wrong_variables_are_named() {
        for (name, value) in [
            ("SLOWED_EVERY", "0"),
            ("SLOWED_EVERY", "x"),
            ("SLOWED_DELAY_NS", "-1"),
            ("SLOWED_DELAY_NS", "NaN"),
            ("SLOWED_TURNS", "1.5"),
            ("SLOWED_BALLAST_BYTES", "-1"),
            ("SLOWED_BASE", "slowed"),
        ] {
            let found = Plant::from_variables(|asked| (asked == name).then(|| value.into()));
            assert!(found.unwrap_err().contains(name), "{name}={value}");
        }
        let default = Plant::from_variables(|_| None).unwrap();
        assert_eq!((default.every, default.delay_ns, default.ballast_bytes), (20, 0.0, 0));
    }
}
