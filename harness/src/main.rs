//! The `allocbench` command line: a list of verbs and one match. An error is one line on standard error and exit code 2.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use harness::cmd;

#[derive(Parser)]
#[command(
    name = "allocbench",
    version,
    about = "Measures memory allocators on real workloads and says how sure it is"
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List engines and workloads
    List(cmd::list::Args),
    /// Measure engines on workloads, each cell in a process of its own
    Bench(cmd::bench::Args),
    /// Write summary.md, summary.csv and report.html from a result file
    Report(cmd::report::Args),
    /// Draw the figures of a result file as SVG and PNG
    Plot(cmd::plot::Args),
    /// Compare two result files, or two engines of one file
    Cmp(cmd::cmp::Args),
    /// Measure a serving process: resident memory over concurrency, requests, threads and idle time
    Scale(cmd::scale::Args),
    /// Say what holds the memory of a process: live blocks, or free ones that the allocator keeps
    Diagnose(cmd::diagnose::Args),
    /// Merge the shards of one plan into one file
    Merge(cmd::merge::Args),
}

fn main() -> ExitCode {
    let done = |()| 0;
    let outcome = match Cli::parse().verb {
        Verb::List(args) => cmd::list::run(&args).map(done),
        Verb::Bench(args) => cmd::bench::run(&args),
        Verb::Report(args) => cmd::report::run(&args).map(done),
        Verb::Plot(args) => cmd::plot::run(&args).map(done),
        Verb::Cmp(args) => cmd::cmp::run(&args).map(done),
        Verb::Scale(args) => cmd::scale::run(&args),
        Verb::Diagnose(args) => cmd::diagnose::run(&args),
        Verb::Merge(args) => cmd::merge::run(&args).map(done),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("allocbench: {error:#}");
            ExitCode::from(2)
        }
    }
}
