//! `allocbench learn`: on, observe, off and the best fixed setting of the learning layer, with a verdict.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::learn::{self, Outcome, report, rows};
use crate::study::{self, StudyArgs};
use crate::tables::render;
use crate::{interrupt, terminal};

/// Flags of `learn`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Workloads, and where `on` should win: fixed before the run
    #[arg(long, default_value = "harness/learn-table.toml", value_name = "FILE")]
    pub rows: PathBuf,
    /// Measure only the rows of these workloads, comma-separated
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<String>,
    /// Blocks of every row [default: 10; the best fixed setting is looked for in half as many]
    #[arg(long)]
    pub reps: Option<u32>,
    /// Operations of every row, instead of those of the file
    #[arg(long)]
    pub ops: Option<u64>,
    /// Base seed of workloads and of the order of cells
    #[arg(long, default_value_t = 42)]
    pub seed: u64,
    /// Go on with the run whose results are in the output folder
    #[arg(long)]
    pub resume: bool,
    /// Folder for results; rows go to `learn` in it
    #[arg(long, default_value = "results", value_name = "FOLDER")]
    pub out: PathBuf,
}

/// Runs the verb.
pub fn run(args: &Args) -> Result<u8> {
    study::refuse_settings("learn")?;
    let rows = chosen(args)?;
    let study =
        StudyArgs { ops: String::new(), budget: None, reps: args.reps, seed: args.seed, resume: args.resume };
    let mut outcomes: Vec<Outcome> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        eprintln!("[{} of {}] {} × {}: {}", at + 1, rows.len(), row.workload, row.threads, row.why);
        let Some(outcome) = learn::measure(&study, row, &args.out.join("learn"))? else { break };
        outcomes.push(outcome);
    }
    if outcomes.is_empty() {
        return Ok(interrupt::EXIT_CODE);
    }
    let missing: Vec<String> = rows[outcomes.len()..]
        .iter()
        .map(|row| format!("{} × {}: interrupted", row.workload, row.threads))
        .collect();
    study::write_all(&[
        (args.out.join("learn.csv"), report::csv(&outcomes)?),
        (args.out.join("learn.md"), report::markdown(&outcomes, &missing).into_bytes()),
    ])?;
    let (sentence, tables) = report::verdict(&outcomes);
    tables.iter().try_for_each(|table| terminal::say(render::terminal(table)))?;
    terminal::say(sentence)?;
    eprintln!("{}, learn.csv beside it", args.out.join("learn.md").display());
    Ok(if interrupt::requested() { interrupt::EXIT_CODE } else { 0 })
}

fn chosen(args: &Args) -> Result<Vec<rows::Row>> {
    if args.reps == Some(0) {
        bail!("--reps: 0 blocks measure nothing; give 1 or more");
    }
    let mut all = rows::load(&args.rows)?;
    for word in &args.only {
        if all.iter().all(|row| row.workload != *word) {
            let known: Vec<&str> = all.iter().map(|row| row.workload.as_str()).collect();
            bail!("--only: no row is of '{word}'; {} has {}", args.rows.display(), known.join(", "));
        }
    }
    all.retain(|row| args.only.is_empty() || args.only.contains(&row.workload));
    if let Some(ops) = args.ops {
        crate::args::operations(&ops.to_string())?;
        all.iter_mut().for_each(|row| row.ops = ops);
    }
    Ok(all)
}
