//! `allocbench gate`: judges a candidate against a reference and says so in every form that CI reads.
//!
//! Exit code 0 pass, 1 fail, 2 undecided, 3 could not run. An error is one line, and leaves no report behind.

mod counted;
mod recorded;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};

use crate::gate::callgrind;
use crate::gate::checkout::Checkout;
use crate::gate::config::Config;
use crate::gate::figures::{self, GateMetric};
use crate::gate::junit;
use crate::gate::lineup::{contests, workload};
use crate::gate::report::{Report, worse};
use crate::gate::session::{self, Limits};
use crate::gate::side::{self, Side, Word};
use crate::gate::verdict::{Finding, Outcome, Verdict};
use crate::terminal::say;
use crate::{args, interrupt, machine};

/// Exit code of a gate that could not run.
pub const COULD_NOT_RUN: u8 = 3;

/// Flags that `gate` and `bisect` share.
#[derive(clap::Args, Clone, Debug)]
pub struct Shared {
    /// Engine to compare, where a side is a tree, a revision or a binary [default: gate.toml's]
    #[arg(long)]
    pub engine: Option<String>,
    /// Metrics, comma-separated, `all`, or instructions_per_op [default: gate.toml's, and instructions where valgrind exists]
    #[arg(long, value_delimiter = ',')]
    pub metrics: Vec<String>,
    /// Seconds of measuring [default: gate.toml's]
    #[arg(long, value_name = "SECONDS")]
    pub budget: Option<f64>,
    /// Bounds and workloads
    #[arg(long, default_value = "gate.toml", value_name = "FILE")]
    pub config: PathBuf,
    /// Seed of coins and workloads
    #[arg(long, default_value_t = 42)]
    pub seed: u64,
    /// Leave processes to the scheduler
    #[arg(long)]
    pub no_pin: bool,
    /// Do not count instructions
    #[arg(long)]
    pub no_instructions: bool,
    /// Say nothing while measuring
    #[arg(long)]
    pub quiet: bool,
}

impl Shared {
    /// Says what is being done, unless nothing is to be said.
    pub fn talk(&self) -> impl FnMut(&str) + use<> {
        let quiet = self.quiet;
        move |line| {
            if !quiet {
                eprintln!("{line}");
            }
        }
    }
}

/// Flags.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// What is judged: tree, a git revision, an allocbench-cell, an engine (tree, rev:X, bin:X, engine:X, or bare)
    #[arg(long, default_value = "tree")]
    pub candidate: String,
    /// Against what: as --candidate, or a recorded CSV (csv:X)
    #[arg(long, default_value = "HEAD~1")]
    pub reference: String,
    /// Flags of every gate
    #[command(flatten)]
    pub shared: Shared,
    /// Engine that a recorded CSV is normalised by
    #[arg(long, default_value = "system")]
    pub control: String,
    /// Take uncommitted changes as they are
    #[arg(long)]
    pub allow_dirty: bool,
    /// Folder for the report
    #[arg(long, default_value = "target/gate/report", value_name = "FOLDER")]
    pub out: PathBuf,
    /// Print annotations of a GitHub workflow (also where GITHUB_ACTIONS is set)
    #[arg(long)]
    pub annotations: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Compare instruction counts of the engines in gate.toml, as built beside this program, with a recorded table; nothing else
    #[arg(long, value_name = "FILE", conflicts_with_all = ["candidate", "reference", "record_baseline"])]
    pub instructions_baseline: Option<PathBuf>,
    /// Where that table was counted with another compiler or C library, say so and end with code 0
    #[arg(long, requires = "instructions_baseline")]
    pub skip_foreign: bool,
    /// Record that table
    #[arg(long, value_name = "FILE")]
    pub record_baseline: Option<PathBuf>,
}

/// Runs the verb and returns its exit code.
pub fn run(args: &Args) -> u8 {
    code(try_run(args))
}

/// The code of an outcome; an error becomes one line and code 3.
pub fn code(outcome: Result<u8>) -> u8 {
    outcome.unwrap_or_else(|error| {
        eprintln!("allocbench: {error:#}");
        COULD_NOT_RUN
    })
}

/// What wrong flags lead to: the usual message, and code 3 where a verdict has code 2.
pub fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    let gate = std::env::args().nth(1).is_some_and(|verb| ["gate", "bisect"].contains(&verb.as_str()));
    match (error.exit_code(), gate) {
        (0, _) => ExitCode::SUCCESS,
        (_, true) => ExitCode::from(COULD_NOT_RUN),
        (code, false) => ExitCode::from(u8::try_from(code).unwrap_or(2)),
    }
}

fn try_run(args: &Args) -> Result<u8> {
    interrupt::listen();
    let config = Config::load(&args.shared.config)?;
    if let Some(path) = &args.record_baseline {
        return counted::record(&config, path);
    }
    let report = match &args.instructions_baseline {
        Some(path) => match counted::against_counts(args, &config, path)? {
            Some(report) => report,
            None => return Ok(Verdict::Pass.code()),
        },
        None => compare(args, &config)?,
    };
    let paths = report.write(&args.out)?;
    if args.json {
        say(serde_json::to_string_pretty(&report)?)?;
    } else {
        say(report.terminal())?;
        say(format!("report: {}", paths[0].display()))?;
    }
    if annotates(args) {
        say(junit::annotations(&report).trim_end())?;
    }
    Ok(report.outcome.verdict.code())
}

fn annotates(args: &Args) -> bool {
    args.annotations || std::env::var_os("GITHUB_ACTIONS").is_some()
}

/// What the metrics on the command line ask for.
pub struct Wanted {
    /// Metrics of processes that are timed.
    pub metrics: Vec<&'static GateMetric>,
    /// Whether instructions are counted.
    pub instructions: bool,
}

impl Wanted {
    /// From flags and file; instructions are left out silently only where nobody asked for them by name.
    pub fn new(shared: &Shared, config: &Config) -> Result<Wanted> {
        let named = args::given(&shared.metrics);
        let by_name = named.contains(&callgrind::METRIC);
        ensure!(
            !(by_name && shared.no_instructions),
            "--no-instructions contradicts --metrics {}; leave one out",
            callgrind::METRIC
        );
        if by_name {
            callgrind::available()?;
        }
        let timed: Vec<&str> = named.iter().copied().filter(|name| *name != callgrind::METRIC).collect();
        let metrics = match timed.as_slice() {
            [] if by_name => Vec::new(),
            [] => config.metrics.iter().map(|name| figures::find(name)).collect::<Result<_>>()?,
            ["all"] => config
                .workload
                .iter()
                .flat_map(|entry| &entry.metrics)
                .map(|name| figures::find(name))
                .collect::<Result<_>>()?,
            names => names.iter().map(|name| figures::find(name)).collect::<Result<_>>()?,
        };
        let default = (named.is_empty() || named == ["all"]) && !shared.no_instructions;
        let instructions = by_name || (default && callgrind::available().is_ok());
        Ok(Wanted { metrics, instructions })
    }
}

/// Seconds of measuring.
pub fn budget(shared: &Shared, config: &Config) -> Result<std::time::Duration> {
    let seconds = shared.budget.unwrap_or(config.budget_seconds);
    ensure!(
        (0.1..=86_400.0).contains(&seconds),
        "--budget: {seconds} seconds is outside 0.1 to 86400; gate.toml has {}",
        config.budget_seconds
    );
    Ok(std::time::Duration::from_secs_f64(seconds))
}

fn compare(args: &Args, config: &Config) -> Result<Report> {
    let (candidate_word, reference_word) = (Word::parse(&args.candidate)?, Word::parse(&args.reference)?);
    let engine = args.shared.engine.clone().unwrap_or_else(|| config.engine.clone());
    let wanted = Wanted::new(&args.shared, config)?;
    budget(&args.shared, config)?;
    if let Word::Baseline(path) = &reference_word {
        return recorded::against_record(args, config, &candidate_word, path, &engine);
    }
    let mut talk = args.shared.talk();
    let candidate = side::resolve(&candidate_word, &engine, args.allow_dirty, &mut talk)?;
    let reference = side::resolve(&reference_word, &engine, args.allow_dirty, &mut talk)?;
    judge(&args.shared, config, &wanted, [&candidate, &reference], &mut talk)
}

/// Measures two sides and judges.
pub fn judge(
    shared: &Shared,
    config: &Config,
    wanted: &Wanted,
    sides: [&Side; 2],
    talk: &mut dyn FnMut(&str),
) -> Result<Report> {
    let mut outcome = Outcome {
        verdict: Verdict::Pass,
        reason: "no regression of the size that must be caught".into(),
        crashed: false,
        findings: Vec::new(),
        notes: Vec::new(),
        seconds: 0.0,
    };
    if !wanted.metrics.is_empty() {
        let limits = Limits {
            budget: budget(shared, config)?,
            false_alarm: config.false_alarm,
            missed: config.missed,
        };
        let choices = [&sides[0].choice, &sides[1].choice];
        let contests = contests(config, &wanted.metrics)?;
        outcome = session::run(choices, contests, limits, shared.seed, !shared.no_pin, talk)?;
    }
    if wanted.instructions && !outcome.crashed {
        talk("counting instructions");
        let findings = count_both(config, sides)?;
        let both = worse((outcome.verdict, outcome.reason), callgrind::judge(&findings));
        (outcome.verdict, outcome.reason) = both;
        outcome.findings.extend(findings);
    }
    outcome.notes.extend(remarks(sides));
    Ok(report(config, shared, sides.map(|side| side.label.clone()), sides[0].choice.engine.clone(), outcome))
}

fn report(config: &Config, shared: &Shared, labels: [String; 2], engine: String, outcome: Outcome) -> Report {
    let [candidate, reference] = labels;
    Report {
        candidate,
        reference,
        engine,
        command: std::env::args().collect::<Vec<_>>().join(" "),
        seed: shared.seed,
        false_alarm: config.false_alarm,
        missed: config.missed,
        machine: machine::machine(),
        outcome,
    }
}

fn count_both(config: &Config, sides: [&Side; 2]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (name, &ops) in &config.instructions.workloads {
        let workload = workload(name)?;
        let of = |side: &Side| callgrind::count(&side.choice, &workload, ops, "");
        let (candidate, reference) = (of(sides[0])?, of(sides[1])?);
        findings.push(callgrind::compare(&candidate, &reference, config.instructions.fail_above));
    }
    Ok(findings)
}

/// What makes a comparison less, or more, than it looks.
fn remarks(sides: [&Side; 2]) -> Vec<String> {
    let mut remarks = Vec::new();
    let bytes = |side: &Side| std::fs::read(&side.choice.binary).ok();
    let same_engine = sides[0].choice.engine == sides[1].choice.engine;
    let same_program = || bytes(sides[0]).is_some_and(|own| Some(own) == bytes(sides[1]));
    if sides[0].choice == sides[1].choice || (same_engine && same_program()) {
        remarks.push("both sides are the same program: this gate is an A/A control".into());
    }
    if let (Some(a), Some(b)) = (&sides[0].commit, &sides[1].commit) {
        let differing =
            Checkout::open().map(|checkout| checkout.measuring_code_differs(a, b)).unwrap_or_default();
        let measuring: Vec<&str> =
            differing.into_iter().filter(|folder| *folder != "allocator/engines").collect();
        if !measuring.is_empty() {
            remarks.push(format!(
                "{} differ between the revisions: a difference may be one of the measurement",
                measuring.join(" and ")
            ));
        }
    }
    remarks
}
