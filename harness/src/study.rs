//! One measured comparison with a folder of its own: what `ablate`, `sweep` and `learn` have in common with `bench`.
//!
//! A study is a selection of engines and workloads that its verb has made; rows, provenance, plan, resumption and
//! interleaving are those of [`crate::campaign`]. Whatever a verb writes beside them is made from the rows on disk, so that a
//! run that was cut and resumed ends with the same files.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use serde_json::{Map, Value};

use crate::analysis::Dataset;
use crate::args::{Profile, RunArgs};
use crate::campaign::Campaign;
use crate::interrupt;
use crate::record::Record;
use crate::row::Row;
use crate::selection::Selection;
use crate::store;

/// Flags that every study has.
#[derive(clap::Args, Clone, Debug)]
pub struct StudyArgs {
    /// Operations a thread for the note's workloads; every other workload is scaled by the same factor (OPS / 200000)
    #[arg(long, default_value = "50000")]
    pub ops: String,
    /// Seconds that measuring may take; repetitions are planned from it, and what does not fit is left out, and said
    #[arg(long, value_name = "SECONDS")]
    pub budget: Option<u64>,
    /// Exact number of blocks, instead of planning them from the budget
    #[arg(long)]
    pub reps: Option<u32>,
    /// Base seed of workloads and of the order of cells
    #[arg(long, default_value_t = 42)]
    pub seed: u64,
    /// Go on with the run whose results are in the output folder
    #[arg(long)]
    pub resume: bool,
}

impl StudyArgs {
    /// As flags of a run into `out`; `budget` where none is given.
    pub fn run_args(&self, out: PathBuf, budget: u64) -> RunArgs {
        RunArgs {
            ops: self.ops.clone(),
            reps: self.reps,
            budget: Some(self.budget.unwrap_or(budget)),
            seed: self.seed,
            resume: self.resume,
            profile: Profile::Default,
            out,
            ..RunArgs::default()
        }
    }
}

/// What was measured.
pub struct Measured {
    /// Rows.
    pub data: Dataset,
    /// What is known of them.
    pub provenance: Map<String, Value>,
    /// What was planned and not measured: one line each.
    pub left_out: Vec<String>,
}

/// Runs a selection; an interrupted run gives what it has.
pub fn measure(selection: &Selection, args: &RunArgs) -> Result<Measured> {
    let record = Record::open(&args.out, selection.settings(args, (0, 1)), &selection.choices, args.resume)?;
    interrupt::listen();
    let record = Campaign::new(selection, args, (0, 1), record)?.run()?;
    let rows = store::read(&record.csv())?;
    let failure = rows.iter().find(|row| !row.is_ok());
    ensure!(
        interrupt::requested() || rows.iter().any(Row::is_ok),
        "no cell could be measured: {}",
        failure.map_or("the budget holds none; give a larger --budget".into(), |row| format!(
            "{} on {} {}: {}",
            row.engine, row.workload, row.status, row.detail
        ))
    );
    Ok(Measured {
        data: Dataset::new(rows),
        provenance: store::read_provenance(&record.csv())?,
        left_out: record.provenance.left_out.clone(),
    })
}

/// Refuses allocator settings in the environment: they would override the settings that are compared.
pub fn refuse_settings(verb: &str) -> Result<()> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    if let Some(name) = names.into_iter().find(|name| name.starts_with("ACE_")) {
        bail!(
            "{verb}: {name} is set in the environment and would override the settings that are compared; unset it"
        );
    }
    Ok(())
}

/// Writes files that belong together: all are formatted before the first is written.
pub fn write_all(files: &[(PathBuf, Vec<u8>)]) -> Result<()> {
    files.iter().try_for_each(|(path, bytes)| store::write_bytes_atomic(path, bytes))
}

/// The folder for plots beside a folder of results.
pub fn plots_beside(out: &Path) -> PathBuf {
    out.parent().unwrap_or(Path::new("")).join("plots")
}
