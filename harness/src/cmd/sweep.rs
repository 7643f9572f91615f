//! `allocbench sweep`: settings of ACE-Alloc on one workload or trace; the one to take, and the line that sets it.

use std::path::PathBuf;

use anyhow::{Result, bail, ensure};

use crate::analysis::dataset::Place;
use crate::args::{Profile, RunArgs};
use crate::engine::Shelf;
use crate::plot::backend;
use crate::selection::Selection;
use crate::study::{self, StudyArgs};
use crate::sweep::{self, outcome, report, space};
use crate::tables::render;
use crate::{interrupt, terminal};

/// Flags of `sweep`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Workload, or `trace:FILE`
    #[arg(default_value = "fragmentation_mix+")]
    pub workload: String,
    /// Threads
    #[arg(long, default_value = "2")]
    pub threads: String,
    /// A knob and the values to try, e.g. ACE_CACHE_BYTES=64K,256K,1M; several make a grid [default: slots, bytes and purge delay]
    #[arg(long, value_name = "NAME=VALUES")]
    pub knob: Vec<String>,
    /// Try only so many points of the grid, drawn at random under --seed
    #[arg(long, value_name = "POINTS")]
    pub random: Option<usize>,
    /// Resident peak that a recommended setting may have, as multiple of that of `ace` as shipped
    #[arg(long, default_value_t = 1.05, value_name = "RATIO")]
    pub peak_limit: f64,
    /// Folder for results; plots go to `plots` beside it, rows to `sweep` in it
    #[arg(long, default_value = "results", value_name = "FOLDER")]
    pub out: PathBuf,
    /// Length, budget, repetitions, resumption
    #[command(flatten)]
    pub study: StudyArgs,
}

/// Runs the verb.
pub fn run(args: &Args) -> Result<u8> {
    study::refuse_settings("sweep")?;
    ensure!(
        args.peak_limit.is_finite() && args.peak_limit > 0.0,
        "--peak-limit: {} is no ratio; give a number above 0, e.g. 1.05",
        args.peak_limit
    );
    let words =
        if args.knob.is_empty() { sweep::KNOBS.map(String::from).to_vec() } else { args.knob.clone() };
    let axes = space::axes(&words)?;
    let points = space::points(&axes, args.random, args.study.seed)?;
    let mut run = args.study.run_args(args.out.join("sweep"), sweep::BUDGET_SECONDS);
    run.profile = Profile::Full;
    run.passes = ["throughput", "latency"].map(String::from).to_vec();
    (run.workloads, run.threads) =
        (vec![args.workload.clone()], args.threads.split(',').map(String::from).collect());
    let selection = selection(&mut run, &points)?;
    let [workload] = selection.workloads.as_slice() else {
        bail!("'{}' names several workloads; a sweep is of one", args.workload)
    };
    let [threads] = selection.threads.as_slice() else {
        bail!("--threads: '{}' names several counts; a sweep is of one", args.threads)
    };
    let threads = workload.own_threads().unwrap_or(*threads) as u32;
    let place = Place { workload: workload.name.clone(), threads };
    let measured = study::measure(&selection, &run)?;

    let engines: Vec<String> = run.engines.clone();
    let speed = outcome::speed_metric(workload.rest_ms());
    let found = outcome::outcome(&measured.data, &place, &points, &engines, speed, args.peak_limit);
    let scene = report::scene(&measured, &found, &place);
    let plots = study::plots_beside(&args.out);
    study::write_all(&[
        (args.out.join("sweep.csv"), report::csv(&found, &axes, &points)?),
        (
            args.out.join("sweep.md"),
            report::markdown(&measured, &found, &place, args.peak_limit).into_bytes(),
        ),
        (plots.join("sweep.svg"), backend::svg(&scene)?.into_bytes()),
    ])?;
    backend::png(&scene, &plots.join("sweep.png"))?;
    terminal::say(render::terminal(&report::table(&found, &place)))?;
    report::advice(&found, args.peak_limit).iter().try_for_each(terminal::say)?;
    measured.left_out.iter().for_each(|line| eprintln!("allocbench: left out: {line}"));
    eprintln!("{}, sweep.csv beside it, plots/sweep.png", args.out.join("sweep.md").display());
    Ok(if interrupt::requested() { interrupt::EXIT_CODE } else { 0 })
}

/// The engines that are built, and the points behind them.
fn selection(run: &mut RunArgs, points: &[space::Point]) -> Result<Selection> {
    let shelf = Shelf::open()?;
    let (mut built, mut missing) = (Vec::new(), Vec::new());
    for name in sweep::BESIDE {
        match shelf.choose(name) {
            Ok(_) => built.push(name.to_owned()),
            Err(error) => missing.push(format!("{error:#}")),
        }
    }
    built.extend(
        sweep::WHERE_BUILT.iter().filter(|name| shelf.choose(name).is_ok()).map(|name| (*name).to_owned()),
    );
    run.engines = built;
    let mut selection = Selection::new(run)?;
    let ace = shelf.choose(sweep::REFERENCE)?;
    selection.choices.extend(points.iter().map(|point| sweep::choice(&ace, point)));
    selection.even = true;
    for line in &missing {
        eprintln!("allocbench: left out: {line}");
    }
    selection.missing.extend(missing);
    Ok(selection)
}
