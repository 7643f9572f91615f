//! `allocbench learn`: whether adapting is worth it. On, observe, off and the best fixed setting, on workloads named beforehand.
//!
//! [`rows`] reads which workloads and which claims, from a file that is fixed before any run. For each row two studies
//! run: one finds the best of a grid of fixed settings, the other measures that one afresh, interleaved with the three modes, so
//! that the luck of having been picked does not count. [`judge`] states what holds, corrected for the number of comparisons;
//! [`report`] writes it. Each study has a folder of its own and resumes as `bench` does.

pub mod judge;
pub mod report;
pub mod rows;

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::analysis::{metric, robust};
use crate::args::{Profile, RunArgs};
use crate::engine::{Choice, Shelf};
use crate::interrupt;
use crate::selection::Selection;
use crate::study::{self, Measured, StudyArgs};
use crate::sweep::{self, space, space::Point};
use rows::Row;

/// The modes, by engine.
pub const ON: &str = "ace_on";
/// See [`ON`].
pub const OFF: &str = "ace_off";
/// See [`ON`].
pub const OBSERVE: &str = "ace_observe";
/// Blocks of the table where none are given: with fewer no claim survives the correction.
pub const BLOCKS: u32 = 10;
/// Fixed settings among which the best is looked for: what a thread may cache, the lever with no right fixed value.
pub const FIXED: [&str; 2] = ["ACE_CACHE_SLOTS=128,510,2040", "ACE_CACHE_BYTES=64K,256K,1M"];

/// What one row came to.
pub struct Outcome {
    /// The row.
    pub row: Row,
    /// The best fixed setting.
    pub best: Point,
    /// Modes and best setting, interleaved.
    pub measured: Measured,
}

/// Flags of the studies of one row.
fn run_args(study: &StudyArgs, row: &Row, out: PathBuf, blocks: u32, passes: &[&str]) -> RunArgs {
    RunArgs {
        workloads: vec![row.workload.clone()],
        threads: vec![row.threads.to_string()],
        ops: row.ops.to_string(),
        reps: Some(blocks),
        budget: None,
        passes: passes.iter().map(|pass| (*pass).to_owned()).collect(),
        profile: Profile::Full,
        ..study.run_args(out, 1)
    }
}

/// Both studies of one row; none where the user interrupted them.
pub fn measure(study: &StudyArgs, row: &Row, out: &std::path::Path) -> Result<Option<Outcome>> {
    let blocks = study.reps.unwrap_or(BLOCKS);
    let points = space::points(&space::axes(&FIXED.map(String::from))?, None, study.seed)?;
    let ace = Shelf::open()?.choose(sweep::REFERENCE)?;
    let folder =
        |what: &str| out.join(format!("{}-{}-{what}", row.workload.replace('+', "-plus"), row.threads));

    let run = run_args(study, row, folder("fixed"), blocks.div_ceil(2), &["throughput"]);
    let fixed =
        study::measure(&selection(&run, &[], points.iter().map(|point| sweep::choice(&ace, point)))?, &run)?;
    if interrupt::requested() {
        return Ok(None);
    }
    let best = best(&fixed, &points, row)
        .with_context(|| format!("{}: no fixed setting could be measured", row.workload))?
        .clone();

    let run = run_args(study, row, folder("table"), blocks, &["throughput", "latency"]);
    let modes = [ON, OFF, OBSERVE];
    let measured = study::measure(&selection(&run, &modes, [sweep::choice(&ace, &best)])?, &run)?;
    let outcome = Outcome { row: row.clone(), best, measured };
    Ok((!interrupt::requested()).then_some(outcome))
}

/// Engines by name, and choices that have none.
fn selection(run: &RunArgs, names: &[&str], more: impl IntoIterator<Item = Choice>) -> Result<Selection> {
    let engines = if names.is_empty() {
        vec![sweep::REFERENCE.to_owned()]
    } else {
        names.iter().map(|n| (*n).to_owned()).collect()
    };
    let mut selection = Selection::new(&RunArgs { engines, ..run.clone() })?;
    if names.is_empty() {
        selection.choices.clear();
    }
    selection.choices.extend(more);
    selection.even = true;
    Ok(selection)
}

/// The point of least CPU time, by the median of ratios within blocks.
fn best<'a>(fixed: &Measured, points: &'a [Point], row: &Row) -> Option<&'a Point> {
    let cost = |point: &Point| {
        let of = metric("cpu_ns_per_op");
        robust::median(&fixed.data.log_ratios(of, &point.label, &points[0].label, &row.place()))
    };
    let costs = points.iter().filter_map(|point| Some((cost(point)?, point)));
    costs.min_by(|a, b| a.0.total_cmp(&b.0)).map(|found| found.1)
}
