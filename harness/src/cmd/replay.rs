//! `allocbench replay`: a trace against engines, with everything that `bench` measures.

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use super::bench;
use crate::args::RunArgs;
use crate::selection::TRACE_PREFIX;

/// Flags of `replay`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Traces, of `allocbench record` or `import`
    #[arg(required = true, value_name = "TRACE")]
    pub traces: Vec<PathBuf>,
    /// When operations happen
    #[arg(long, value_enum, default_value_t = Pace::Max)]
    pub pace: Pace,
    /// The process of a trace that has several, counted from 0 [default: the one with the most events]
    #[arg(long)]
    pub stream: Option<u16>,
    /// Neither write nor read the blocks
    #[arg(long)]
    pub no_touch: bool,
    #[command(flatten)]
    run: RunArgs,
}

/// See [`workloads::spec::Pace`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pace {
    /// As soon as the order allows
    Max,
    /// Not before the recorded time
    Recorded,
}

/// Runs the verb.
pub fn run(args: &Args) -> Result<u8> {
    let mut run = args.run.clone();
    let pace = if args.pace == Pace::Recorded { "recorded" } else { "max" };
    let touch = if args.no_touch { "no" } else { "yes" };
    let stream = args.stream.map(|stream| format!("&stream={stream}")).unwrap_or_default();
    run.workloads = args
        .traces
        .iter()
        .map(|path| format!("{TRACE_PREFIX}{}?pace={pace}&touch={touch}{stream}", path.display()))
        .collect();
    bench::run(&bench::Args::of(run))
}
