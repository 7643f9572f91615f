//! Which cells there are: for each test its points, for each point its engines, and how often.
//!
//! A *point* is everything but the engine; the engines of a point are compared with each other and run interleaved.
//! Pure: reads nothing, starts nothing.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// Bytes of the two payloads.
pub const PAYLOADS: [u64; 2] = [1024, 200 * 1024];
/// tokio's default.
const KEEP_ALIVE_MS: u64 = 10_000;
/// tokio's default; more than any concurrency here.
const BLOCKING_MAX: u64 = 512;
/// Idle times at which the resident set is read.
const IDLE_MS: [u64; 5] = [0, 100, 1000, 2000, 5000];
/// The same, past tokio's keep-alive.
const IDLE_LONG_MS: [u64; 6] = [0, 100, 1000, 2000, 5000, 12_000];

/// How much is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// A look, about 6 minutes
    Quick,
    /// 16 to 19 minutes on two CPUs
    Default,
    /// The published sizes, hours
    Full,
}

/// What is varied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Test {
    /// Requests in flight, at a fixed number of requests (test 1)
    Concurrency,
    /// Requests, at a fixed concurrency (test 2)
    Requests,
    /// Engines, with an idle tail (test 3)
    Engines,
    /// Latency at a fixed rate (open loop)
    Latency,
    /// Threads of the blocking pool
    Threads,
    /// How long idle threads live
    KeepAlive,
}

impl Test {
    /// In the order in which they run.
    pub const ALL: [Test; 6] =
        [Test::Engines, Test::Concurrency, Test::Requests, Test::Latency, Test::KeepAlive, Test::Threads];

    /// As in files.
    pub fn name(self) -> &'static str {
        match self {
            Test::Concurrency => "concurrency",
            Test::Requests => "requests",
            Test::Engines => "engines",
            Test::Latency => "latency",
            Test::Threads => "threads",
            Test::KeepAlive => "keep_alive",
        }
    }

    /// The engines that a test runs by default; none stands for all.
    fn engines(self) -> &'static [&'static str] {
        match self {
            Test::Engines => &[],
            Test::Concurrency | Test::Latency => &[
                "glibc",
                "glibc_arena2",
                "glibc_arena128",
                "jemalloc",
                "mimalloc",
                "tcmalloc",
                "ace",
                "ace_on",
            ],
            Test::Requests => &["glibc", "jemalloc", "ace"],
            Test::Threads | Test::KeepAlive => &["glibc", "glibc_arena128", "jemalloc", "ace", "ace_on"],
        }
    }
}

/// Everything about a cell but its engine and its block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// What it belongs to.
    pub test: Test,
    /// Bytes of a body.
    pub payload_bytes: u64,
    /// Requests in flight.
    pub concurrency: u64,
    /// Requests in all.
    pub requests: u64,
    /// Most threads of the blocking pool.
    pub blocking_max: u64,
    /// Time after which an idle thread ends.
    pub keep_alive_ms: u64,
    /// Requests a second, where the loop is open.
    pub rate_per_s: Option<f64>,
    /// Idle times after the load.
    pub idle_ms: Vec<u64>,
}

impl Point {
    fn new(test: Test, payload_bytes: u64, concurrency: u64, requests: u64) -> Point {
        Point {
            test,
            payload_bytes,
            concurrency,
            requests,
            blocking_max: BLOCKING_MAX,
            keep_alive_ms: KEEP_ALIVE_MS,
            rate_per_s: None,
            idle_ms: vec![0],
        }
    }

    /// What schedules and messages call it.
    pub fn key(&self) -> String {
        format!(
            "{} {} B × {} in flight × {} requests, pool {}, keep-alive {} ms",
            self.test.name(),
            self.payload_bytes,
            self.concurrency,
            self.requests,
            self.blocking_max,
            self.keep_alive_ms
        )
    }

    /// What it takes, roughly: a guess that only the progress display uses.
    pub fn estimate_ns(&self) -> f64 {
        let per_request_ns = 3e5 + self.payload_bytes as f64 * 28.0;
        let idle_ns = self.idle_ms.last().copied().unwrap_or(0) as f64 * 1e6;
        let rate_ns = self.rate_per_s.map_or(0.0, |rate| self.requests as f64 / rate * 1e9);
        4e8 + idle_ns + rate_ns.max(self.requests as f64 * per_request_ns)
    }
}

/// What a user may narrow a plan by; empty is everything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Wish {
    /// Tests.
    pub tests: Vec<Test>,
    /// Requests in flight of the concurrency test.
    pub concurrency: Vec<u64>,
    /// Payloads, bytes.
    pub payloads: Vec<u64>,
    /// Requests of every test but `requests`.
    pub requests: Option<u64>,
    /// Rate of the latency test.
    pub rate_per_s: Option<f64>,
    /// Blocks of every test.
    pub blocks: Option<u32>,
}

/// Points of a run with the number of blocks of each.
pub fn points(size: Size, wish: &Wish) -> Vec<(Point, u32)> {
    let wanted = |test: &Test| wish.tests.is_empty() || wish.tests.contains(test);
    let mut found = Vec::new();
    for test in Test::ALL.into_iter().filter(|test| wanted(test)) {
        for point in points_of(test, size, wish) {
            if wish.payloads.is_empty() || wish.payloads.contains(&point.payload_bytes) {
                found.push((point, wish.blocks.unwrap_or_else(|| blocks(test, size))));
            }
        }
    }
    found
}

fn blocks(test: Test, size: Size) -> u32 {
    match (test, size) {
        (_, Size::Quick) => 1,
        (Test::Engines, _) => 3,
        // The tail of some hundred requests differs twofold from cell to cell.
        (Test::Latency, _) => 7,
        _ => 1,
    }
}

fn points_of(test: Test, size: Size, wish: &Wish) -> Vec<Point> {
    let [small, large] = PAYLOADS;
    let many = |quick: u64, default: u64, full: u64| {
        wish.requests.unwrap_or(match size {
            Size::Quick => quick,
            Size::Default => default,
            Size::Full => full,
        })
    };
    match test {
        Test::Concurrency => {
            let counts = match (wish.concurrency.as_slice(), size) {
                ([], Size::Quick) => vec![2, 96],
                ([], Size::Default) => vec![2, 8, 32, 96],
                ([], Size::Full) => vec![2, 4, 8, 16, 32, 64, 96],
                (given, _) => given.to_vec(),
            };
            let payloads = [(small, many(2000, 4000, 10_000)), (large, many(200, 400, 10_000))];
            let of =
                |&count: &u64| payloads.map(|(payload, requests)| Point::new(test, payload, count, requests));
            counts.iter().flat_map(of).collect()
        }
        Test::Requests => {
            let (small_from, large_from, doublings) = match size {
                Size::Quick => (500, 100, 2),
                Size::Default => (500, 125, 4),
                Size::Full => (1000, 1000, 6),
            };
            let of = |step: u32| {
                [(small, small_from << step), (large, large_from << step)]
                    .map(|(payload, requests)| Point::new(test, payload, 48, requests))
            };
            (0..=doublings).flat_map(of).collect()
        }
        Test::Engines => {
            vec![Point { idle_ms: IDLE_MS.to_vec(), ..Point::new(test, large, 96, many(200, 600, 10_000)) }]
        }
        Test::Latency => {
            let rate = wish.rate_per_s.unwrap_or(60.0);
            let requests = many((rate * 3.0) as u64, (rate * 6.0) as u64, (rate * 60.0) as u64);
            vec![Point { rate_per_s: Some(rate), ..Point::new(test, large, 256, requests) }]
        }
        Test::KeepAlive => [10_000, 1000]
            .map(|keep_alive_ms| Point {
                keep_alive_ms,
                idle_ms: IDLE_LONG_MS.to_vec(),
                ..Point::new(test, large, 96, many(200, 400, 10_000))
            })
            .to_vec(),
        Test::Threads => [4, 16, 48, 96, 144]
            .map(|threads| Point {
                blocking_max: threads,
                ..Point::new(test, large, 144, many(200, 400, 10_000))
            })
            .to_vec(),
    }
}

/// Indices of the engines among `labels` that run at a point; engines that a user named run everywhere.
pub fn engines_of(point: &Point, labels: &[String], named: bool) -> Vec<usize> {
    let list = point.test.engines();
    let own = |label: &str| !variant_is_known(label) || list.is_empty() || list.contains(&label);
    (0..labels.len()).filter(|&index| named || own(&labels[index])).collect()
}

fn variant_is_known(label: &str) -> bool {
    super::variant::labels().contains(&label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_size_is_that_of_the_publication() {
        let plan =
            points(Size::Full, &Wish { tests: vec![Test::Concurrency, Test::Requests], ..Wish::default() });
        let of =
            |test: Test| plan.iter().filter(move |(point, _)| point.test == test).map(|(point, _)| point);
        let counts: Vec<u64> = of(Test::Concurrency).map(|point| point.concurrency).step_by(2).collect();
        assert_eq!(counts, [2, 4, 8, 16, 32, 64, 96]);
        assert!(of(Test::Concurrency).all(|point| point.requests == 10_000));
        let requests: Vec<u64> = of(Test::Requests).map(|point| point.requests).step_by(2).collect();
        assert_eq!(requests, [1000, 2000, 4000, 8000, 16_000, 32_000, 64_000]);
        assert!(of(Test::Requests).all(|point| point.concurrency == 48));
    }

    #[test]
    fn the_default_fits_its_stated_time() {
        let labels: Vec<String> = super::super::variant::labels().into_iter().map(String::from).collect();
        for (size, minutes) in [(Size::Quick, 6.0), (Size::Default, 19.0)] {
            let ns: f64 = points(size, &Wish::default())
                .iter()
                .map(|(point, blocks)| {
                    point.estimate_ns() * f64::from(*blocks) * engines_of(point, &labels, false).len() as f64
                })
                .sum();
            assert!(ns / 60e9 < minutes, "{size:?}: {} min", ns / 60e9);
        }
    }

    #[test]
    fn engines_that_were_named_run_everywhere() {
        let labels: Vec<String> = ["glibc", "glibc_trim", "mine"].map(String::from).to_vec();
        let point = Point::new(Test::Requests, 1024, 1, 1);
        assert_eq!(engines_of(&point, &labels, false), [0, 2]);
        assert_eq!(engines_of(&point, &labels, true), [0, 1, 2]);
    }

    #[test]
    fn a_wish_narrows() {
        let wish = Wish { payloads: vec![1024], concurrency: vec![7], blocks: Some(9), ..Wish::default() };
        let plan = points(Size::Default, &wish);
        assert!(plan.iter().all(|(point, blocks)| point.payload_bytes == 1024 && *blocks == 9));
        assert!(plan.iter().any(|(point, _)| point.concurrency == 7));
    }
}
