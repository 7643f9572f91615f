//! `allocbench plot`: every figure as SVG and PNG.

use crate::plot::backend;
use crate::plot::figures::{self, Figure};
use crate::{report, store, terminal};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// Arguments of `plot`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Result file
    #[arg(default_value = "results/bench.csv")]
    pub file: PathBuf,
    /// Folder to write into
    #[arg(long, default_value = "plots")]
    pub out: PathBuf,
    /// Engine that ratios are formed to
    #[arg(long, default_value = "system")]
    pub reference: String,
}

/// Draws and writes.
pub fn run(args: &Args) -> Result<()> {
    let (input, timeline) = report::load(&args.file, &args.reference)?;
    terminal::say(write(&figures::all(&input, &timeline), &args.out)?)
}

/// Writes figures; the line says how many.
pub fn write(drawn: &[Figure], folder: &Path) -> Result<String> {
    std::fs::create_dir_all(folder).with_context(|| format!("{}: cannot be created", folder.display()))?;
    for figure in drawn {
        store::write_bytes_atomic(
            &folder.join(format!("{}.svg", figure.name)),
            backend::svg(&figure.scene)?.as_bytes(),
        )?;
        backend::png(&figure.scene, &folder.join(format!("{}.png", figure.name)))?;
    }
    Ok(format!("{}: {} figures as SVG and PNG", folder.display(), drawn.len()))
}
