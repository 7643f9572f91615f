//! `allocbench power`: studies the gate itself, a gate a row; goes on where the file ends.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, ensure};

use crate::args;
use crate::gate::config::Config;
use crate::gate::power::{Study, burn};
use crate::gate::study;
use crate::interrupt;
use crate::tables::render;
use crate::terminal::say;

/// Flags.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// File of rows; what it holds is not run again
    #[arg(long, default_value = "results/reference/gate-power.csv", value_name = "FILE")]
    pub out: PathBuf,
    /// Engine that serves under the plants [default: gate.toml's]
    #[arg(long)]
    pub base: Option<String>,
    /// Cells of the study, comma-separated [default: all, the most informative first]
    #[arg(long, value_delimiter = ',')]
    pub cells: Vec<String>,
    /// Seconds after which no further gate is started
    #[arg(long, value_name = "SECONDS")]
    pub limit: Option<f64>,
    /// Gates I of N, e.g. 1/4: parts of different machines, or days, are joined by `cat`
    #[arg(long, value_name = "I/N")]
    pub shard: Option<String>,
    /// Bounds and workloads
    #[arg(long, default_value = "gate.toml", value_name = "FILE")]
    pub config: PathBuf,
    /// Show the table of the file and run nothing
    #[arg(long)]
    pub table: bool,
    /// Load the machine instead (what the study starts beside its loaded gates)
    #[arg(long, hide = true, value_name = "SEED")]
    pub burn: Option<u64>,
}

/// Runs the verb.
pub fn run(args: &Args) -> Result<()> {
    if let Some(seed) = args.burn {
        burn(seed);
        return Ok(());
    }
    let (part, parts) = args::shard(args.shard.as_deref())?;
    let cells = study::cells(&args.cells)?;
    let mut rows = study::read(&args.out)?;
    if args.table {
        ensure!(!rows.is_empty(), "{} holds no row yet; run the study: make gate-power", args.out.display());
        return say(render::markdown(&study::table(&rows)));
    }
    interrupt::listen();
    let config = Config::load(&args.config)?;
    let base = args.base.clone().unwrap_or_else(|| config.engine.clone());
    let mut study = Study::new(&config, &base)?;
    let begin = Instant::now();
    while let Some((cell, gate)) = study::next(&rows, &cells, (part as u64, parts as u64)) {
        let needed = begin.elapsed().as_secs_f64() + study.seconds_at_most(cell, &rows);
        if args.limit.is_some_and(|limit| needed > limit) || interrupt::requested() {
            break;
        }
        let row = match study.gate(cell, gate, &rows) {
            Ok(row) => row,
            Err(_) if interrupt::requested() => break,
            Err(error) => return Err(error),
        };
        eprintln!(
            "{} {}: {} in {:.1} s, {} {:.3}",
            row.cell,
            row.gate,
            row.verdict,
            row.seconds,
            row.metric,
            row.ratio.unwrap_or(f64::NAN)
        );
        study::append(&args.out, &row)?;
        rows.push(row);
    }
    say(render::terminal(&study::table(&rows)))
}
