//! What the two programs print: JSON, one object a line.

use serde::{Deserialize, Serialize};

use crate::process::Reading;

/// First line of the server, when it listens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listening {
    /// Port on the loopback interface.
    pub port: u16,
    /// Process id.
    pub pid: u32,
    /// File that `malloc` is in, as proven inside the process.
    pub library: String,
    /// What its allocator calls itself.
    pub engine: String,
    /// Version, as the allocator reports it.
    pub version: String,
}

/// Reply of `/stats`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// The kernel's figures.
    pub process: Reading,
    /// The allocator's figures, and the bytes that the server counts as live.
    pub heap: heap_probe::Report,
    /// Requests answered in full.
    pub answered: u64,
    /// Session records held.
    pub sessions: u64,
}

/// What a client found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// `closed` or `open`.
    pub mode: String,
    /// Requests answered in full and as expected.
    pub answered: u64,
    /// Requests that failed, were answered wrongly, or were never sent because time ran out.
    pub errors: u64,
    /// The first error.
    pub first_error: String,
    /// From the first intended send to the last answer, or the end of patience.
    pub wall_seconds: f64,
    /// Answered a second.
    pub requests_per_s: f64,
    /// Bytes of bodies sent.
    pub sent_bytes: u64,
    /// Bytes of answers received.
    pub received_bytes: u64,
    /// Requests a second that were intended (open loop).
    pub rate_per_s: Option<f64>,
    /// Latency: from the send (closed), from the intended time of sending (open).
    pub latency_ns_p50: u64,
    /// 90th percentile.
    pub latency_ns_p90: u64,
    /// 99th percentile.
    pub latency_ns_p99: u64,
    /// 99.9th percentile.
    pub latency_ns_p999: u64,
    /// Greatest.
    pub latency_ns_max: u64,
    /// Latencies that the percentiles are of: answers, and waits cut short by the end.
    pub samples: u64,
    /// CPU time of the client.
    pub client_cpu_seconds: f64,
}
