//! `allocbench bench`: measures engines on workloads and writes rows, summary, plots and report.

use std::path::Path;

use anyhow::{Result, ensure};
use clap::Args as ClapArgs;

use super::report;
use crate::args::{self, RunArgs};
use crate::campaign::Campaign;
use crate::interrupt;
use crate::record::Record;
use crate::selection::{REFERENCE, Selection};
use crate::{store, terminal};

/// Flags of `bench`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    #[command(flatten)]
    run: RunArgs,
    /// Only measure: no summary, plots or report
    #[arg(long)]
    rows_only: bool,
}

impl Args {
    /// These flags, with summary, plots and report.
    pub fn of(run: RunArgs) -> Args {
        Args { run, rows_only: false }
    }
}

/// Runs the verb. The exit code is that of an interrupted run where it was.
pub fn run(args: &Args) -> Result<u8> {
    let shard = args::shard(args.run.shard.as_deref())?;
    let selection = Selection::new(&args.run)?;
    for line in &selection.missing {
        eprintln!("allocbench: left out: {line}");
    }
    let record = Record::open(
        &args.run.out,
        selection.settings(&args.run, shard),
        &selection.choices,
        args.run.resume,
    )?;
    interrupt::listen();
    let record = Campaign::new(&selection, &args.run, shard, record)?.run()?;
    finish(args, &record)
}

fn finish(args: &Args, record: &Record) -> Result<u8> {
    let (measured, failed) = record.counts();
    let rows = store::read(&record.csv())?;
    if !args.rows_only && rows.iter().any(crate::row::Row::is_ok) {
        let plots = args.run.out.parent().unwrap_or(Path::new("")).join("plots");
        let written = report::write(&report::Args {
            file: record.csv(),
            out: None,
            plots,
            no_plots: false,
            reference: REFERENCE.into(),
        })?;
        written.iter().for_each(|line| eprintln!("{line}"));
    }
    if args.run.json {
        terminal::say(serde_json::to_string(&rows)?)?;
    } else {
        eprintln!(
            "{measured} cells measured, {failed} of them without figures; rows are in {}",
            record.csv().display()
        );
    }
    ensure!(
        interrupt::requested() || measured == 0 || failed < measured,
        "no cell could be measured: {}",
        first_reason(&rows)
    );
    Ok(if interrupt::requested() { interrupt::EXIT_CODE } else { 0 })
}

fn first_reason(rows: &[crate::row::Row]) -> String {
    rows.iter().find(|row| !row.is_ok()).map_or_else(String::new, |row| {
        format!("{} on {} {}: {}", row.engine, row.workload, row.status, row.detail)
    })
}
