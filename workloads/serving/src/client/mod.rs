//! The client process: one connection a request in flight, on one thread of its own.
//!
//! Bounded in every direction: connections, requests, time. An answer counts only if it is complete and its sums are
//! those of the body that was sent; anything else is an error and is counted.

pub mod closed;
pub mod connection;
pub mod open;

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::wire::Outcome;
use crate::{process, work};

/// Different bodies that are sent in turn.
const BODIES: usize = 8;
/// Longest latency that the histogram holds, ns.
const LATENCY_NS_MAX: u64 = 3_600_000_000_000;

/// A body and what its answer must say.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Sent as it is.
    pub body: bytes::Bytes,
    /// Tokens that the answer must report.
    pub tokens: u64,
}

/// The bodies of a run.
pub fn bodies(payload_bytes: usize, seed: u64) -> Vec<Prepared> {
    let body = |index: usize| work::body(payload_bytes, seed.wrapping_add(index as u64));
    (0..BODIES).map(body).map(|body| Prepared { tokens: work::tokens_of(&body), body: body.into() }).collect()
}

/// What is counted while a run lasts.
#[derive(Debug)]
pub struct Tally {
    started: Instant,
    outcome: Outcome,
    latency_ns: Histogram<u64>,
}

impl Tally {
    /// Starts the clock.
    pub fn new(mode: &str) -> Tally {
        let latency_ns = Histogram::new_with_bounds(1, LATENCY_NS_MAX, 3);
        // Fixed, valid bounds; a histogram that grows by itself stands in for what cannot happen.
        let latency_ns = latency_ns.unwrap_or_else(|_| Histogram::new(3).unwrap_or_else(|_| unreachable!()));
        let outcome = Outcome { mode: mode.into(), ..Outcome::default() };
        Tally { started: Instant::now(), outcome, latency_ns }
    }

    /// Counts one finished request and how long it took.
    pub fn count(&mut self, sent_bytes: usize, took: Duration, result: Result<u64, String>) {
        self.outcome.sent_bytes += sent_bytes as u64;
        self.record(took);
        match result {
            Ok(received_bytes) => {
                self.outcome.answered += 1;
                self.outcome.received_bytes += received_bytes;
            }
            Err(message) => self.error(message),
        }
    }

    /// Counts a request that never came to an end, with the time it has waited so far.
    pub fn cut_off(&mut self, waited: Duration, message: &str) {
        self.record(waited);
        self.error(message.into());
    }

    fn record(&mut self, took: Duration) {
        self.latency_ns.saturating_record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX).max(1));
    }

    fn error(&mut self, message: String) {
        if self.outcome.errors == 0 {
            self.outcome.first_error = message;
        }
        self.outcome.errors += 1;
    }

    /// The result.
    pub fn finish(self) -> Outcome {
        let mut outcome = self.outcome;
        outcome.wall_seconds = self.started.elapsed().as_secs_f64();
        outcome.requests_per_s = outcome.answered as f64 / outcome.wall_seconds.max(1e-9);
        let at = |quantile: f64| self.latency_ns.value_at_quantile(quantile);
        (outcome.latency_ns_p50, outcome.latency_ns_p90) = (at(0.5), at(0.9));
        (outcome.latency_ns_p99, outcome.latency_ns_p999) = (at(0.99), at(0.999));
        outcome.latency_ns_max = self.latency_ns.max();
        outcome.samples = self.latency_ns.len();
        outcome.client_cpu_seconds = process::read(0).map(|reading| reading.cpu_seconds).unwrap_or(0.0);
        outcome
    }
}
