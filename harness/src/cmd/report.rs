//! `allocbench report`: summary.md, summary.csv, report.html and the plots, from a result file.

use crate::plot::figures;
use crate::report::{self, html, summary_csv};
use crate::{store, terminal};
use anyhow::Result;
use std::path::PathBuf;

/// Arguments of `report`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Result file; provenance, timeline and histograms are read from beside it
    #[arg(default_value = "results/bench.csv")]
    pub file: PathBuf,
    /// Folder to write into [default: the folder of FILE]
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Folder for SVG and PNG figures
    #[arg(long, default_value = "plots")]
    pub plots: PathBuf,
    /// Write no figures but those inside report.html
    #[arg(long)]
    pub no_plots: bool,
    /// Engine that ratios are formed to
    #[arg(long, default_value = "system")]
    pub reference: String,
}

/// Writes the files and says where they are.
pub fn run(args: &Args) -> Result<()> {
    write(args)?.iter().try_for_each(terminal::say)
}

/// Writes the files; a line each says where it is.
pub fn write(args: &Args) -> Result<Vec<String>> {
    let (input, timeline) = report::load(&args.file, &args.reference)?;
    if input.reference != args.reference {
        eprintln!("allocbench: {} has no rows; ratios are to {}", args.reference, input.reference);
    }
    let folder =
        args.out.clone().unwrap_or_else(|| args.file.parent().map(PathBuf::from).unwrap_or_default());
    let drawn = figures::all(&input, &timeline);
    let files = [
        ("summary.md", report::summary_md(&input)),
        ("summary.csv", summary_csv::write(&input.data)?),
        ("report.html", html::page(&input, &drawn)?),
    ];
    let mut said = Vec::new();
    for (name, text) in files {
        let path = folder.join(name);
        store::write_bytes_atomic(&path, text.as_bytes())?;
        said.push(path.display().to_string());
    }
    if !args.no_plots {
        said.push(super::plot::write(&drawn, &args.plots)?);
    }
    Ok(said)
}
