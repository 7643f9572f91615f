//! The worker: one thread a process, started by a thread that passes in WARM, never needed for progress.
//!
//! It looks every [`TICK_MS`], decides, and in mode `on` applies. When no heap is in use it sleeps until a thread in WARM
//! rings, or for [`DOZE_MS`]. All signals are blocked in it, it allocates nothing, and its table of open files is its own
//! where the kernel can do that; where it cannot, the worker does not look at `/proc` and leaves each class its topmost
//! block. Life: OFF → STARTING → RUNNING → STOPPING → OFF; a forked child is at OFF.

use super::log::{self, Stamp};
use super::look::Eyes;
use super::observation::Scarcity;
use super::policy::Policy;
use super::ring::Ring;
use super::{EVENTS, Event, scarcity};
use crate::config::{self, Knob, Learn, Log};
use crate::learned::{self, Knobs};
use crate::pal;
use crate::sync::{AtomicU32, Ordering};
use core::ffi::c_void;
use core::ptr;

/// Time between two looks.
const TICK_MS: u32 = 100;
/// Looks without a heap in use before the worker dozes.
const QUIET_TICKS: u32 = 5;
/// Longest doze; a ring that was missed is made good then.
const DOZE_MS: u32 = 30_000;
/// Time between two looks at the files that say how scarce memory is.
const SCARCITY_MS: u64 = 1000;
/// Memory pressure at which everything free is returned at once, every [`SCARCITY_MS`].
const TRIM_LEVEL: u8 = 2;
/// Standard error.
const LOG_FILE: i32 = 2;
/// Start of the order in which strategies challenge; any odd number will do.
const SEED: u32 = 0x9e37_79b9;

const OFF: u32 = 0;
const STARTING: u32 = 1;
const RUNNING: u32 = 2;
const STOPPING: u32 = 3;
/// No thread could be had; not tried again in this process.
const FAILED: u32 = 4;
static STATE: AtomicU32 = AtomicU32::new(OFF);

const AWAKE: u32 = 0;
const DOZING: u32 = 1;
/// What the worker sleeps on.
static BELL: AtomicU32 = AtomicU32::new(AWAKE);

static RING: Ring = Ring::new();

/// What a thread does that passes in WARM, after its heap's clock moved: wakes a dozing worker.
#[inline]
pub fn pass() {
    // Relaxed: the worker looks once more after it has hung the bell out, with a barrier between.
    if BELL.load(Ordering::Relaxed) == DOZING {
        ring();
    }
}

#[cold]
fn ring() {
    if BELL.swap(AWAKE, Ordering::Relaxed) == DOZING {
        pal::futex_wake(&BELL);
    }
}

/// Starts the worker if the configuration wants one and there is none. Holds no lock: may allocate.
#[inline]
pub fn ensure() {
    if config::get(Knob::Learn) != Learn::Off as u64 && STATE.load(Ordering::Relaxed) == OFF {
        start();
    }
}

#[cold]
fn start() {
    // Acquire: pairs with the Release of the worker that ended.
    if STATE.compare_exchange(OFF, STARTING, Ordering::Acquire, Ordering::Relaxed).is_ok()
        && !pal::start_thread(run)
    {
        STATE.store(FAILED, Ordering::Relaxed);
    }
}

/// Tells the worker of an event, if there is one to listen.
#[inline]
pub fn tell(event: Event) {
    if STATE.load(Ordering::Relaxed) == RUNNING {
        RING.push(event as u64);
    }
}

/// Events that found no room in the ring.
pub fn lost_events() -> u64 {
    RING.lost()
}

/// Whether the worker runs.
pub fn is_running() -> bool {
    STATE.load(Ordering::Relaxed) == RUNNING
}

/// Ends the worker and waits until it is gone; learned knobs are neutral then. A thread that passes in WARM starts
/// another unless `ACE_LEARN` is `off` by now.
pub fn stop() {
    loop {
        match STATE.load(Ordering::Acquire) {
            OFF | FAILED => return,
            RUNNING => {
                let _ = STATE.compare_exchange(RUNNING, STOPPING, Ordering::Relaxed, Ordering::Relaxed);
                BELL.store(AWAKE, Ordering::Relaxed);
                pal::futex_wake(&BELL);
            }
            seen => pal::futex_wait_for(&STATE, seen, TICK_MS),
        }
    }
}

/// In a forked child: there is no worker, and nothing is learned.
pub fn after_fork() {
    STATE.store(OFF, Ordering::Relaxed);
    BELL.store(AWAKE, Ordering::Relaxed);
    RING.reset();
    learned::publish(&Knobs::NEUTRAL);
}

extern "C" fn run(_: *mut c_void) -> *mut c_void {
    pal::name_thread(c"ace-learn");
    let keep = if config::get(Knob::Log) == Log::Decisions as u64 { LOG_FILE } else { -1 };
    let mut worker = Worker::new(pal::own_files(keep));
    STATE.store(RUNNING, Ordering::Relaxed);
    worker.live();
    learned::publish(&Knobs::NEUTRAL);
    // Release: pairs with the Acquire in `start` and `stop`; the knobs are neutral.
    STATE.store(OFF, Ordering::Release);
    pal::futex_wake(&STATE);
    ptr::null_mut()
}

fn mode() -> u64 {
    config::get(Knob::Learn)
}

struct Worker {
    policy: Policy,
    eyes: Eyes,
    scarcity: Scarcity,
    scarcity_ms: u64,
    started_ms: u64,
    last_ms: u64,
    tick: u64,
    quiet: u32,
    own_files: bool,
    is_logging: bool,
}

impl Worker {
    fn new(own_files: bool) -> Worker {
        let now = pal::now_ms();
        Worker {
            policy: Policy::new(SEED),
            eyes: Eyes::open(own_files),
            scarcity: Scarcity::default(),
            scarcity_ms: 0,
            started_ms: now,
            last_ms: now,
            tick: 0,
            quiet: 0,
            own_files,
            is_logging: config::get(Knob::Log) == Log::Decisions as u64,
        }
    }

    fn stamp(&self) -> Stamp {
        Stamp { t_ms: self.last_ms - self.started_ms, tick: self.tick }
    }

    fn live(&mut self) {
        if self.is_logging {
            log::started(self.stamp(), if mode() == Learn::On as u64 { "on" } else { "observe" });
        }
        while self.is_wanted() {
            pal::futex_wait_for(&BELL, AWAKE, TICK_MS);
            if !self.is_wanted() {
                break;
            }
            self.step();
            if self.quiet >= QUIET_TICKS {
                self.doze();
            }
        }
        if self.is_logging {
            log::rests(self.stamp(), "stopped");
        }
    }

    fn is_wanted(&self) -> bool {
        STATE.load(Ordering::Relaxed) == RUNNING && mode() != Learn::Off as u64
    }

    /// Hangs the bell out, looks once more, and sleeps if still nobody is there.
    fn doze(&mut self) {
        BELL.store(DOZING, Ordering::Relaxed);
        // The partner of `pass`: a thread that did not see the bell has moved its clock before this barrier ends.
        pal::barrier();
        self.step();
        if self.quiet != 0 && self.is_wanted() {
            if self.is_logging {
                log::rests(self.stamp(), "dozing");
            }
            pal::futex_wait_for(&BELL, DOZING, DOZE_MS);
        }
        BELL.store(AWAKE, Ordering::Relaxed);
        self.quiet = 0;
        // Time asleep is no time in which nothing was needed.
        self.last_ms = pal::now_ms();
    }

    fn step(&mut self) {
        let now = pal::now_ms();
        let elapsed = now.saturating_sub(self.last_ms).clamp(1, u64::from(u32::MAX)) as u32;
        (self.last_ms, self.tick) = (now, self.tick + 1);
        let on = mode() == Learn::On as u64;
        let counts = listen();
        let fresh = self.read_scarcity(now);
        let (seen, effect) = self.eyes.look(now, elapsed, self.scarcity, on);
        let (knobs, journal) = self.policy.step(&seen);
        if on {
            learned::publish(&knobs);
            if fresh && self.policy.pressure_level() >= TRIM_LEVEL {
                crate::trim::trim();
            }
        }
        if self.is_logging {
            let (level, strategy) = (self.policy.pressure_level(), self.policy.strategy().word());
            log::observation(self.stamp(), &seen, level, strategy);
            if counts.iter().any(|&n| n != 0) {
                log::events(self.stamp(), &counts, RING.lost());
            }
            log::decisions(self.stamp(), &journal, on);
            log::effect(self.stamp(), &effect);
        }
        self.quiet = if self.eyes.is_busy { 0 } else { self.quiet + 1 };
    }

    /// True if it was read anew.
    fn read_scarcity(&mut self, now: u64) -> bool {
        if now.saturating_sub(self.scarcity_ms) < SCARCITY_MS {
            return false;
        }
        self.scarcity_ms = now;
        self.scarcity = scarcity::read(self.own_files);
        true
    }
}

/// Takes what threads have told, by kind.
fn listen() -> [u64; EVENTS] {
    let mut counts = [0; EVENTS];
    while let Some(event) = RING.pop() {
        if let Some(count) = counts.get_mut(event as usize) {
            *count += 1;
        }
    }
    counts
}
