//! `allocbench explain`: what ACE-Alloc's learning layer saw and did, from its decision log, as tables and a plot.

use std::path::PathBuf;

use anyhow::Result;

use crate::explain::{account, figure, log};
use crate::plot::backend;
use crate::tables::render;
use crate::{study, terminal};

/// Flags of `explain`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Log of a program run with ACE_LEARN=on (or observe) and ACE_LOG=decisions: its standard error
    pub file: PathBuf,
    /// Folder for the plot
    #[arg(long, default_value = "plots", value_name = "FOLDER")]
    pub plots: PathBuf,
    /// Only the tables
    #[arg(long)]
    pub no_plot: bool,
}

/// Runs the verb.
pub fn run(args: &Args) -> Result<()> {
    let found = log::read(&args.file)?;
    if let Some(warning) = &found.warning {
        eprintln!("allocbench: {warning}");
    }
    if !args.no_plot {
        let name = args.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let scene = figure::scene(&found, &format!("log: {}", args.file.display()));
        let svg = args.plots.join(format!("explain-{name}.svg"));
        study::write_all(&[(svg.clone(), backend::svg(&scene)?.into_bytes())])?;
        backend::png(&scene, &svg.with_extension("png"))?;
        eprintln!("{}, and as PNG", svg.display());
    }
    account::tables(&found).iter().try_for_each(|table| terminal::say(render::terminal(table)))
}
