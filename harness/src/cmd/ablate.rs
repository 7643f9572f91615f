//! `allocbench ablate`: every ablation of ACE-Alloc against `ace`, interleaved, as CSV, table and plot.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::ablate::{self, BUDGET_SECONDS, CONTROL, TRACE, figures, report};
use crate::plot::backend;
use crate::selection::Selection;
use crate::study::{self, StudyArgs};
use crate::tables::render;
use crate::{interrupt, terminal};

/// Flags of `ablate`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Ablations, comma-separated [default: all; see `allocbench list`]
    #[arg(long, value_delimiter = ',')]
    pub ablations: Vec<String>,
    /// Workloads or groups, comma-separated [default: every generator]
    #[arg(long, value_delimiter = ',')]
    pub workloads: Vec<String>,
    /// Trace that is replayed too, or `none`
    #[arg(long, default_value = TRACE, value_name = "FILE")]
    pub trace: String,
    /// Thread counts, comma-separated [default: 2]
    #[arg(long, value_delimiter = ',')]
    pub threads: Vec<String>,
    /// Folder for results; plots go to `plots` beside it, rows to `ablation` in it
    #[arg(long, default_value = "results", value_name = "FOLDER")]
    pub out: PathBuf,
    /// Length, budget, repetitions, resumption
    #[command(flatten)]
    pub study: StudyArgs,
}

/// Runs the verb.
pub fn run(args: &Args) -> Result<u8> {
    study::refuse_settings("ablate")?;
    let ablations = ablate::chosen(&args.ablations)?;
    let mut run = args.study.run_args(args.out.join("ablation"), BUDGET_SECONDS);
    (run.workloads, run.threads) = (args.workloads.clone(), args.threads.clone());
    let (trace, mut left_out) = trace(&args.trace);
    ablate::complete(&mut run, &ablations, trace);
    let mut selection = Selection::new(&run)?;
    selection.even = true;
    left_out.extend(ablate::without_long_rests(&mut selection));
    left_out.extend(ablate::without_dear_drain(&mut selection));
    left_out.iter().for_each(|line| eprintln!("allocbench: left out: {line}"));
    selection.missing.extend(left_out);
    let measured = study::measure(&selection, &run)?;

    let engines: Vec<&str> = std::iter::once(CONTROL).chain(ablations.iter().copied()).collect();
    let effects = figures::effects(&measured.data, &engines);
    let scene = report::scene(&measured, &ablations, &effects);
    let plots = study::plots_beside(&args.out);
    study::write_all(&[
        (args.out.join("ablation.csv"), report::csv(&measured.data, &effects)?),
        (args.out.join("ablation.md"), report::markdown(&measured, &ablations, &effects).into_bytes()),
        (plots.join("ablation.svg"), backend::svg(&scene)?.into_bytes()),
    ])?;
    backend::png(&scene, &plots.join("ablation.png"))?;
    terminal::say(render::terminal(&report::overview(&measured.data, &ablations, &effects)))?;
    measured.left_out.iter().for_each(|line| eprintln!("allocbench: left out: {line}"));
    eprintln!("{}, ablation.csv beside it, plots/ablation.png", args.out.join("ablation.md").display());
    Ok(if interrupt::requested() { interrupt::EXIT_CODE } else { 0 })
}

/// The trace, unless there is to be none; one that is not there by default is left out and said.
fn trace(word: &str) -> (Option<&str>, Vec<String>) {
    match word {
        "none" => (None, Vec::new()),
        TRACE if !Path::new(TRACE).exists() => {
            (None, vec![format!("{TRACE}: is not in this folder; name another with --trace")])
        }
        path => (Some(path), Vec::new()),
    }
}
