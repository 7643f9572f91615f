//! The `allocbench` command line: a list of verbs and one match. An error is one line on standard error and exit code 2, or 3 where a verdict has
//! code 2.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use harness::cmd;

#[cfg(feature = "ace-global")]
#[global_allocator]
static ALLOCATOR: ace_alloc::AceAlloc = ace_alloc::AceAlloc::new();

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
    /// Take ACE-Alloc apart: what each part is worth
    Ablate(cmd::ablate::Args),
    /// Try out settings of ACE-Alloc on a workload and recommend one
    Sweep(cmd::sweep::Args),
    /// Judge the learning layer: on, observe, off and the best fixed setting
    Learn(cmd::learn::Args),
    /// Tell from its log what the learning layer saw and did
    Explain(cmd::explain::Args),
    /// Record what a command asks of its allocator
    Record(cmd::record::Args),
    /// Replay traces against engines
    Replay(cmd::replay::Args),
    /// Run a command under every engine and say which fits it
    Exec(cmd::exec::Args),
    /// Read a memory_replay text of AOSP as a trace
    Import(cmd::import::Args),
    /// Describe a trace, or fit a workload to it
    Trace(cmd::trace::Args),
    /// Measure one run of a command (started by `exec`)
    #[command(hide = true)]
    ExecCell,
    /// Measure a serving process: resident memory over concurrency, requests, threads and idle time
    Scale(cmd::scale::Args),
    /// Say what holds the memory of a process: live blocks, or free ones that the allocator keeps
    Diagnose(cmd::diagnose::Args),
    /// Merge the shards of one plan into one file
    Merge(cmd::merge::Args),
    /// Judge a candidate against a reference: exit code 0 pass, 1 fail, 2 undecided, 3 could not run
    Gate(cmd::gate::Args),
    /// Find the first revision that fails a gate
    Bisect(cmd::bisect::Args),
    /// Study how often the gate fails without cause and what it catches
    Power(cmd::power::Args),
}

fn main() -> ExitCode {
    let done = |()| 0;
    let verb = match Cli::try_parse() {
        Ok(cli) => cli.verb,
        Err(error) => return cmd::gate::usage(&error),
    };
    let outcome = match verb {
        Verb::List(args) => cmd::list::run(&args).map(done),
        Verb::Bench(args) => cmd::bench::run(&args),
        Verb::Report(args) => cmd::report::run(&args).map(done),
        Verb::Plot(args) => cmd::plot::run(&args).map(done),
        Verb::Cmp(args) => cmd::cmp::run(&args).map(done),
        Verb::Ablate(args) => cmd::ablate::run(&args),
        Verb::Sweep(args) => cmd::sweep::run(&args),
        Verb::Learn(args) => cmd::learn::run(&args),
        Verb::Explain(args) => cmd::explain::run(&args).map(done),
        Verb::Record(args) => cmd::record::run(&args),
        Verb::Replay(args) => cmd::replay::run(&args),
        Verb::Exec(args) => cmd::exec::run(&args),
        Verb::Import(args) => cmd::import::run(&args).map(done),
        Verb::Trace(args) => cmd::trace::run(&args).map(done),
        Verb::ExecCell => harness::exec::cell::run().map(done),
        Verb::Scale(args) => cmd::scale::run(&args),
        Verb::Diagnose(args) => cmd::diagnose::run(&args),
        Verb::Merge(args) => cmd::merge::run(&args).map(done),
        Verb::Gate(args) => Ok(cmd::gate::run(&args)),
        Verb::Bisect(args) => Ok(cmd::bisect::run(&args)),
        Verb::Power(args) => cmd::power::run(&args).map(done),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("allocbench: {error:#}");
            ExitCode::from(2)
        }
    }
}
