//! `allocbench ablate`: what each part of ACE-Alloc is worth, by taking it away.
//!
//! Every ablation of the catalogue runs interleaved with `ace` and with `ace` under a second name (the A/A control, which shows
//! what differs by chance) on all generator workloads and one recorded trace. [`figures`] names what is compared,
//! [`report`] makes table, CSV and plot of it. Planning, rows and resumption are those of a [`crate::study`].
//!
//! A workload in which threads sleep costs its rest once a run and engine. One whose rests would take more than a tenth of the budget is
//! left out, and said: such workloads are judged by `allocbench learn`, on fewer engines.

pub mod figures;
pub mod report;

use anyhow::{Result, bail};
use cell::wire::Pass;
use engines::catalog::CATALOG;

use crate::args::RunArgs;
use crate::campaign::{DRAIN_CELL_NS, DRAIN_WORKERS};
use crate::plan::THROUGHPUT_MIN;
use crate::selection::{DRAIN_WORKLOADS, Selection, TRACE_GROUP, TRACE_PREFIX};

/// What everything is compared with.
pub const REFERENCE: &str = "ace";
/// The same engine once more.
pub const CONTROL: &str = "ace#aa";
/// Seconds of measuring where none are given: under 10 minutes with all that is around it.
pub const BUDGET_SECONDS: u64 = 540;
/// The recorded trace that is replayed where none is named.
pub const TRACE: &str = "traces/sqlite.trace";
/// Threads where none are given: as many as the smallest machine of interest has processors.
pub const THREADS: &str = "2";
/// Share of the budget that the rests of one workload may take.
const REST_SHARE: f64 = 0.1;

/// Share of the budget that the drain pass may take.
const DRAIN_SHARE: f64 = 0.25;

/// Every ablation, in the order of tables.
pub fn ablations() -> Vec<&'static str> {
    CATALOG.iter().filter(|entry| entry.ablation).map(|entry| entry.name).collect()
}

/// The ablations that were asked for; all where none was.
pub fn chosen(words: &[String]) -> Result<Vec<&'static str>> {
    let all = ablations();
    let mut found = Vec::new();
    for word in words.iter().map(|word| word.trim()).filter(|word| !word.is_empty()) {
        match all.iter().find(|name| **name == word) {
            Some(name) if !found.contains(name) => found.push(*name),
            Some(_) => {}
            None => bail!("--ablations: no ablation is called '{word}'; known are {}", all.join(", ")),
        }
    }
    Ok(if found.is_empty() { all } else { found })
}

/// Fills in what an ablation run is made of: engines, workloads (all of the generators, and the trace), passes.
pub fn complete(args: &mut RunArgs, ablations: &[&str], trace: Option<&str>) {
    args.engines = [REFERENCE, CONTROL].iter().chain(ablations).map(|name| (*name).to_owned()).collect();
    if args.workloads.is_empty() {
        args.workloads = workloads::catalog::builtin().into_iter().map(|workload| workload.name).collect();
    }
    args.workloads.extend(trace.map(|path| format!("{TRACE_PREFIX}{path}")));
    if args.threads.is_empty() {
        args.threads = vec![THREADS.into()];
    }
    args.passes = ["throughput", "latency", "drain"].map(String::from).to_vec();
}

/// Takes out the workloads whose rests alone would eat the budget; one line for each, unless it is all there is.
pub fn without_long_rests(selection: &mut Selection) -> Vec<String> {
    let Some(budget) = selection.budget_seconds else { return Vec::new() };
    // As many blocks of either timed pass.
    let runs = 2 * u64::from(THROUGHPUT_MIN) * selection.choices.len() as u64;
    let seconds = |ms: u64| ms as f64 * runs as f64 / 1e3;
    let is_long = |ms: u64| seconds(ms) > REST_SHARE * budget as f64;
    if selection.workloads.iter().all(|workload| is_long(workload.rest_ms())) {
        return Vec::new();
    }
    let mut lines = Vec::new();
    for workload in &selection.workloads {
        if is_long(workload.rest_ms()) {
            let needed = seconds(workload.rest_ms());
            lines.push(format!(
                "{}: its threads sleep, which would take {needed:.0} of the {budget} s; `make learn-table` judges it, or give --budget {:.0}",
                workload.name,
                (needed / REST_SHARE).ceil()
            ));
        }
    }
    selection.workloads.retain(|workload| !is_long(workload.rest_ms()));
    selection.unscaled.retain(|workload| !is_long(workload.rest_ms()));
    lines
}

/// Takes out the drain pass, whose cells sleep five seconds each, where it would take more than its share; a line if so.
pub fn without_dear_drain(selection: &mut Selection) -> Option<String> {
    let budget = selection.budget_seconds?;
    let drained = |name: &str| DRAIN_WORKLOADS.contains(&name) || name.starts_with(TRACE_GROUP);
    let places = selection.workloads.iter().filter(|workload| drained(&workload.name)).count();
    let cells = places * (selection.choices.len() - 1);
    let seconds = cells.div_ceil(DRAIN_WORKERS) as f64 * DRAIN_CELL_NS / 1e9;
    if seconds <= DRAIN_SHARE * budget as f64 {
        return None;
    }
    selection.passes.retain(|pass| *pass != Pass::Drain);
    Some(format!(
        "resident memory 1 s after the drain: its cells sleep, {seconds:.0} of the {budget} s; give --budget {:.0}",
        (seconds / DRAIN_SHARE).ceil()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ablations_are_resolved_and_unknown_ones_refused_with_what_is_known() {
        assert_eq!(chosen(&["refill_one".into(), "refill_one".into()]).unwrap(), ["refill_one"]);
        assert!(chosen(&[]).unwrap().len() >= 19);
        let error = chosen(&["no_such".into()]).unwrap_err().to_string();
        assert!(error.contains("'no_such'") && error.contains("pool_only"), "{error}");
    }

    #[test]
    fn a_plan_holds_every_generator_and_the_trace() {
        let mut args = RunArgs::default();
        complete(&mut args, &["refill_one"], Some("x.trace"));
        assert_eq!(args.engines, ["ace", "ace#aa", "refill_one"]);
        assert_eq!(args.workloads.len(), workloads::catalog::builtin().len() + 1);
        assert_eq!(args.workloads.last().map(String::as_str), Some("trace:x.trace"));
    }
}
