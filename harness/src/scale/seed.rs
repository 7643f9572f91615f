//! The published figures that ours are set beside: a Python frontend over a tokio runtime with 148 threads, on another
//! machine and of another size. Ratios can be compared, absolute figures cannot.

/// Concurrency, resident MB at 1 K and at 200 K; 10,000 requests.
pub const CONCURRENCY: [(u64, f64, f64); 7] = [
    (2, 66.0, 338.0),
    (4, 67.0, 382.0),
    (8, 70.0, 420.0),
    (16, 76.0, 477.0),
    (32, 87.0, 501.0),
    (64, 108.0, 1085.0),
    (96, 125.0, 1165.0),
];

/// Requests, resident MB at 1 K and at 200 K; concurrency 48.
pub const REQUESTS: [(u64, f64, f64); 7] = [
    (1000, 86.0, 659.0),
    (2000, 92.0, 728.0),
    (4000, 98.0, 840.0),
    (8000, 104.0, 813.0),
    (16_000, 109.0, 907.0),
    (32_000, 113.0, 967.0),
    (64_000, 118.0, 992.0),
];

/// Engine, resident MB, peak of the address space in MB, requests a second; 200 K, concurrency 96.
pub const ENGINES: [(&str, f64, f64, f64); 2] =
    [("glibc", 1608.0, 13_754.0, 169.0), ("jemalloc", 1121.0, 7180.0, 149.0)];

/// What the published arena report shows after 5,000 requests: engine, arena MB, allocated MB, releasable MB.
pub const ARENAS: [(&str, f64, f64, f64); 2] =
    [("glibc", 1368.9, 10.6, 11.6), ("glibc_arena2", 842.4, 10.0, 3.9)];
