//! The resident set over time, read by a thread of its own.
//!
//! Bounded: when the buffer is full, every other point is dropped and the interval doubles, so a run of any length
//! keeps between half and all of [`CAPACITY`] points. Reads `statm` (cheap, approximate; see `resources`).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cell::wire::TimelinePoint;
use workloads::LiveGauge;

use crate::resources;

/// Points kept at most.
const CAPACITY: usize = 512;

/// First interval between two points.
const INTERVAL: Duration = Duration::from_millis(1);

/// A recording. Created before the clock, so that its thread and buffer are no part of what is measured.
pub struct Timeline {
    shared: Arc<Shared>,
    sampler: JoinHandle<Vec<(u64, u64, Option<u64>)>>,
}

#[derive(Default)]
struct Shared {
    /// Set once the clock starts; the sampler waits for it.
    started: Mutex<Option<Instant>>,
    /// Asks the sampler to end. Relaxed suffices: nothing is published by it, the join orders the rest.
    stop: AtomicBool,
    phases: Mutex<Vec<(u64, String)>>,
    /// Set before the clock where the run can tell what is live.
    live: Mutex<Option<LiveGauge>>,
}

impl Timeline {
    /// Starts the sampler's thread; it records nothing before [`Timeline::start`].
    pub fn new() -> Timeline {
        let shared = Arc::<Shared>::default();
        let of_sampler = Arc::clone(&shared);
        Timeline { shared, sampler: std::thread::spawn(move || sample(&of_sampler)) }
    }

    /// Time zero.
    pub fn start(&self) {
        *self.shared.started.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.sampler.thread().unpark();
    }

    /// Takes what is live into every later point.
    pub fn watch(&self, gauge: LiveGauge) {
        *self.shared.live.lock().unwrap_or_else(PoisonError::into_inner) = Some(gauge);
    }

    /// Takes no more points: what comes now is the benchmark's own clearing up.
    pub fn stop(&self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.sampler.thread().unpark();
    }

    /// Names what runs from now on.
    pub fn phase(&self, name: &str) {
        let started = *self.shared.started.lock().unwrap_or_else(PoisonError::into_inner);
        let now = started.map_or(0, |started| started.elapsed().as_nanos() as u64);
        self.shared.phases.lock().unwrap_or_else(PoisonError::into_inner).push((now, name.to_string()));
    }

    /// Ends the recording.
    pub fn finish(self) -> Vec<TimelinePoint> {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.sampler.thread().unpark();
        let points = self.sampler.join().unwrap_or_default();
        let phases = self.shared.phases.lock().unwrap_or_else(PoisonError::into_inner);
        let phase_at = |t: u64| phases.iter().rev().find(|(from, _)| *from <= t).map_or("", |(_, name)| name);
        points
            .into_iter()
            .map(|(t_ns, resident_bytes, live_bytes)| TimelinePoint {
                t_ns,
                resident_bytes,
                live_bytes,
                phase: phase_at(t_ns).to_string(),
            })
            .collect()
    }
}

fn sample(shared: &Shared) -> Vec<(u64, u64, Option<u64>)> {
    let mut points = Vec::with_capacity(CAPACITY);
    let live = || {
        shared.live.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(LiveGauge::requested_bytes)
    };
    let mut interval = INTERVAL;
    while !shared.stop.load(Ordering::Relaxed) {
        let started = *shared.started.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(started) = started else {
            std::thread::park_timeout(Duration::from_millis(100));
            continue;
        };
        if points.len() == CAPACITY {
            thin(&mut points);
            interval *= 2;
        }
        points.push((started.elapsed().as_nanos() as u64, resources::resident_fast(), live()));
        std::thread::park_timeout(interval);
    }
    points
}

/// Drops every second point, in place.
fn thin<T>(points: &mut Vec<T>) {
    let mut index = 0;
    points.retain(|_| {
        index += 1;
        index % 2 == 1
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_every_other_point_and_the_buffer() {
        let mut points: Vec<u32> = (0..10).collect();
        thin(&mut points);
        assert_eq!(points, [0, 2, 4, 6, 8]);
        assert!(points.capacity() >= 10);
    }

    #[test]
    fn points_carry_the_phase_that_was_running() {
        let timeline = Timeline::new();
        timeline.start();
        timeline.phase("one");
        std::thread::sleep(Duration::from_millis(20));
        timeline.phase("two");
        std::thread::sleep(Duration::from_millis(20));
        let points = timeline.finish();
        assert!(points.len() >= 4, "{points:?}");
        assert!(points.iter().any(|point| point.phase == "one"));
        assert_eq!(points.last().unwrap().phase, "two");
        assert!(points.windows(2).all(|pair| pair[0].t_ns <= pair[1].t_ns));
        assert!(points.iter().all(|point| point.resident_bytes > 0));
    }
}
