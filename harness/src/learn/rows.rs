//! The rows of the learn table and the claims made beforehand, from a TOML file (`harness/learn-table.toml`).
//!
//! A file comes from anywhere: its size and its number of rows are bounded, unknown keys are refused, and an error is one
//! line that names file and row. At least [`ROWS_MIN`] rows are needed, of which exactly [`FAVOURED`] say where `on` should win.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::analysis::dataset::Place;
use crate::args::{OPS_MAX, THREADS_MAX};

/// Largest file that is read, bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Most rows.
const ROWS_MAX: usize = 100;
/// Fewest rows of a table.
pub const ROWS_MIN: usize = 8;
/// Rows that name where `on` should win.
pub const FAVOURED: usize = 3;

/// In what `on` should better `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Favoured {
    /// CPU time an operation.
    Time,
    /// Resident memory when the workload ends.
    Memory,
}

/// One workload of the table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// A workload by name.
    pub workload: String,
    /// Threads.
    pub threads: usize,
    /// Length of a run, as `--ops`.
    pub ops: u64,
    /// Where `on` should win, if it is named.
    pub favoured: Option<Favoured>,
    /// Why it is in the table.
    pub why: String,
}

impl Row {
    /// Where its figures stand.
    pub fn place(&self) -> Place {
        Place { workload: self.workload.clone(), threads: self.threads as u32 }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    row: Vec<Row>,
}

/// Reads a file.
pub fn load(path: &Path) -> Result<Vec<Row>> {
    let shown = path.display();
    let bytes = std::fs::metadata(path)
        .with_context(|| {
            format!("{shown}: cannot be read; name a file like harness/learn-table.toml with --rows")
        })?
        .len();
    ensure!(bytes <= FILE_BYTES_MAX, "{shown}: larger than {FILE_BYTES_MAX} bytes; this is no table of rows");
    let text = std::fs::read_to_string(path).with_context(|| format!("{shown}: cannot be read as UTF-8"))?;
    parse(&text, &shown.to_string())
}

/// Reads text; `shown` stands in errors.
pub fn parse(text: &str, shown: &str) -> Result<Vec<Row>> {
    let file: File = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start.min(text.len()));
        let line = text.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
        let said = error.message().replace(|c: char| c.is_control(), " ");
        anyhow::anyhow!("{shown}: line {line}: {said}; docs/LEARNING.md describes a row")
    })?;
    ensure!(
        (ROWS_MIN..=ROWS_MAX).contains(&file.row.len()),
        "{shown}: {} rows; a table has {ROWS_MIN} to {ROWS_MAX}",
        file.row.len()
    );
    let known = workloads::catalog::builtin();
    for (at, row) in file.row.iter().enumerate() {
        let number = at + 1;
        ensure!(
            known.iter().any(|workload| workload.name == row.workload),
            "{shown}: row {number}: no workload is called '{}' (see: allocbench list)",
            row.workload.escape_default()
        );
        ensure!(
            (1..=THREADS_MAX).contains(&row.threads) && (1..=OPS_MAX).contains(&row.ops),
            "{shown}: row {number}: threads must be 1 to {THREADS_MAX}, ops 1 to {OPS_MAX}"
        );
        ensure!(
            file.row[..at].iter().all(|other| other.place() != row.place()),
            "{shown}: row {number}: {} × {} is there twice; change one",
            row.workload,
            row.threads
        );
    }
    let favoured = file.row.iter().filter(|row| row.favoured.is_some()).count();
    ensure!(
        favoured == FAVOURED,
        "{shown}: {favoured} rows say where `on` should win; name exactly {FAVOURED}, before the run"
    );
    Ok(file.row)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../../learn-table.toml");

    #[test]
    fn the_shipped_table_is_valid() {
        assert_eq!(parse(SHIPPED, "f").unwrap().len(), 10);
    }

    #[test]
    fn wrong_tables_are_refused_with_line_or_row() {
        for (from, to, said) in [
            ("workload = \"burst_idle\"", "workload = \"nosuch\"", "row 1: no workload is called 'nosuch'"),
            ("threads = 64", "threads = 0", "row 1: threads must be"),
            ("favoured = \"memory\"", "favoured = \"speed\"", "f: line 10: "),
            ("favoured = \"memory\"\n", "", "2 rows say"),
            ("ops = 200000", "op = 1", "line"),
            (
                "workload = \"phases\"\nthreads = 4",
                "workload = \"mid_batches\"\nthreads = 2",
                "row 4: mid_batches × 2 is there twice",
            ),
        ] {
            let text = SHIPPED.replacen(from, to, 1);
            assert_ne!(text, SHIPPED, "{from}");
            let error = parse(&text, "f").unwrap_err().to_string();
            assert!(error.contains(said) && error.lines().count() == 1, "{to}: {error}");
        }
        assert!(
            parse("", "f").is_err() && parse("row = []", "f").unwrap_err().to_string().contains("0 rows")
        );
    }
}
