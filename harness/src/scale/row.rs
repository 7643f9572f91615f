//! One line of `scaling.csv`: a cell. docs/SERVING.md explains each column.

use serde::{Deserialize, Serialize};

use super::plan::Point;

/// Version of the columns.
pub const SCHEMA: u32 = 1;

/// A cell. What was not measured is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "docs/SERVING.md documents each column, and a test checks that it does")]
pub struct Row {
    pub schema: u32,
    pub test: String,
    pub engine: String,
    pub version: String,
    pub library: String,
    pub payload_bytes: u64,
    pub concurrency: u64,
    pub requests: u64,
    pub blocking_max: u64,
    pub keep_alive_ms: u64,
    pub rate_per_s: Option<f64>,
    pub block: u32,
    pub position: u32,
    pub status: String,
    pub detail: String,
    pub cell_ns: u64,
    pub answered: Option<u64>,
    pub errors: Option<u64>,
    pub requests_per_s: Option<f64>,
    pub latency_ns_p50: Option<u64>,
    pub latency_ns_p90: Option<u64>,
    pub latency_ns_p99: Option<u64>,
    pub latency_ns_p999: Option<u64>,
    pub latency_ns_max: Option<u64>,
    pub server_cpu_seconds: Option<f64>,
    pub client_cpu_seconds: Option<f64>,
    pub threads_peak: Option<u64>,
    pub resident_bytes_before: Option<u64>,
    pub resident_bytes_peak: Option<u64>,
    pub virtual_bytes_peak: Option<u64>,
    pub resident_bytes_idle_0ms: Option<u64>,
    pub resident_bytes_idle_100ms: Option<u64>,
    pub resident_bytes_idle_1s: Option<u64>,
    pub resident_bytes_idle_2s: Option<u64>,
    pub resident_bytes_idle_5s: Option<u64>,
    pub resident_bytes_idle_12s: Option<u64>,
    pub lazy_bytes_idle: Option<u64>,
    pub resident_bytes_trimmed: Option<u64>,
    pub live_bytes: Option<u64>,
    pub allocated_bytes: Option<u64>,
    pub thread_cache_bytes: Option<u64>,
    pub arena_bytes: Option<u64>,
    pub free_bytes: Option<u64>,
    pub releasable_bytes: Option<u64>,
    pub dirty_bytes: Option<u64>,
    pub arenas: Option<u64>,
    pub free_chunks: Option<u64>,
    pub mapped_large_bytes: Option<u64>,
    pub mapped_large_count: Option<u64>,
    pub utilisation: Option<f64>,
}

/// What makes a cell that cell.
pub type Key = (String, String, u64, u64, u64, u64, u64, u32);

impl Row {
    /// A row of a cell that has not run yet.
    pub fn new(point: &Point, engine: &str, block: u32, position: u32) -> Row {
        Row {
            schema: SCHEMA,
            test: point.test.name().into(),
            engine: engine.into(),
            payload_bytes: point.payload_bytes,
            concurrency: point.concurrency,
            requests: point.requests,
            blocking_max: point.blocking_max,
            keep_alive_ms: point.keep_alive_ms,
            rate_per_s: point.rate_per_s,
            block,
            position,
            ..Row::default()
        }
    }

    /// The cell.
    pub fn key(&self) -> Key {
        (
            self.test.clone(),
            self.engine.clone(),
            self.payload_bytes,
            self.concurrency,
            self.requests,
            self.blocking_max,
            self.keep_alive_ms,
            self.block,
        )
    }

    /// Whether it has figures.
    pub fn is_ok(&self) -> bool {
        self.status == "ok"
    }

    /// Sets the resident set after an idle time.
    pub fn set_idle(&mut self, idle_ms: u64, bytes: u64) {
        let place = match idle_ms {
            0 => &mut self.resident_bytes_idle_0ms,
            100 => &mut self.resident_bytes_idle_100ms,
            1000 => &mut self.resident_bytes_idle_1s,
            2000 => &mut self.resident_bytes_idle_2s,
            5000 => &mut self.resident_bytes_idle_5s,
            12_000 => &mut self.resident_bytes_idle_12s,
            _ => return,
        };
        *place = Some(bytes);
    }
}
