//! The three files that people read: `summary.md`, `summary.csv` and `report.html`, each made from rows, provenance
//! and the sidecars alone, so that they can be made again wherever those lie.

pub mod html;
pub mod summary_csv;

use crate::plot::timeline::{self, Timeline};
use crate::store;
use crate::tables::{self, Input, render, skew, status};
use anyhow::{Result, ensure};
use std::path::Path;

/// Reads a result file with all that lies beside it. A reference without rows falls back to the first engine.
pub fn load(path: &Path, reference: &str) -> Result<(Input, Timeline)> {
    let rows = store::read(path)?;
    ensure!(!rows.is_empty(), "{}: holds no row; run `allocbench bench` first", path.display());
    let data = crate::analysis::Dataset::new(rows);
    let known = data.engines().iter().any(|engine| engine == reference);
    let reference = if known {
        reference.to_owned()
    } else {
        data.contenders().first().map_or(reference, |first| first).to_owned()
    };
    let skew =
        store::read_text_beside(path, "histograms.jsonl")?.map(|text| skew::parse(&text)).unwrap_or_default();
    let timeline_path = store::beside(path, "timeline.csv");
    let timeline = match store::read_text_beside(path, "timeline.csv")? {
        Some(text) => timeline::parse(&text, &timeline_path.display().to_string())?,
        None => Timeline::new(),
    };
    let input = Input { data, provenance: store::read_provenance(path)?, skew, reference };
    Ok((input, timeline))
}

/// The Markdown summary.
pub fn summary_md(input: &Input) -> String {
    let mut out = format!(
        "# Allocator benchmark\n\n{}\n\n",
        render::escape_markdown(&status::caption(&input.provenance))
    );
    for section in tables::sections(input) {
        out.push_str(&render::section_markdown(&section));
    }
    out
}
