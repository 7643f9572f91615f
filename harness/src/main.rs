//! The `allocbench` command line: a list of verbs and one match. An error is one line on stderr and exit code 2.

use clap::{Parser, Subcommand};
use harness::cmd;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "allocbench", version, about = "Measures memory allocators and says how sure it is")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Compare two result files, or two engines of one file
    Cmp(cmd::cmp::Args),
    /// Merge the shards of one plan into one file
    Merge(cmd::merge::Args),
    /// Draw the figures of a result file as SVG and PNG
    Plot(cmd::plot::Args),
    /// Write summary.md, summary.csv and report.html from a result file
    Report(cmd::report::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().verb {
        Verb::Cmp(args) => cmd::cmp::run(&args),
        Verb::Merge(args) => cmd::merge::run(&args),
        Verb::Plot(args) => cmd::plot::run(&args),
        Verb::Report(args) => cmd::report::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("allocbench: {error:#}");
            ExitCode::from(2)
        }
    }
}
