//! `allocbench sweep`: settings of ACE-Alloc tried out on one workload, and the one to take.
//!
//! [`space`] turns `--knob NAME=a,b,c` into points, a grid or a random sample of it, each value checked against the allocator's own
//! table. Every point is the engine `ace` under an environment, interleaved with `ace` as shipped, the learning layer on and
//! off, and the peers. [`outcome`] compares them and recommends, [`report`] writes.

pub mod outcome;
pub mod report;
pub mod space;

use crate::engine::Choice;

/// What points are compared with.
pub const REFERENCE: &str = "ace";
/// Engines measured beside the points; those that are not built are said and left out.
pub const BESIDE: [&str; 6] = ["ace", "ace_off", "ace_on", "system", "jemalloc", "mimalloc"];
/// Further peers, taken where they are built.
pub const WHERE_BUILT: [&str; 4] = ["mimalloc2", "snmalloc", "rpmalloc", "tcmalloc"];
/// Seconds of measuring where none are given.
pub const BUDGET_SECONDS: u64 = 240;
/// What is tried where no knob is named: how much a thread may cache, in blocks and bytes, and how long free memory stays.
pub const KNOBS: [&str; 3] =
    ["ACE_CACHE_SLOTS=128,510,2040", "ACE_CACHE_BYTES=64K,256K,1M", "ACE_PURGE_DELAY_MS=0,100,1000"];

/// A point as an engine of a run: `ace` under the point's environment.
pub fn choice(ace: &Choice, point: &space::Point) -> Choice {
    let mut env = ace.env.clone();
    env.extend(point.env.iter().cloned());
    Choice { label: point.label.clone(), env, ..ace.clone() }
}
