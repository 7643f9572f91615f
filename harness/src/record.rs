//! The files of one run: rows, histograms, timelines, and the provenance that says how they came about.
//!
//! The provenance file is also what `--resume` reads: it holds the settings (which must be the same) and, once the
//! pilot is done, the repetitions that were allotted (which are then kept, so that a resumed run writes the same set
//! of rows). An older run in the same folder is moved to `archive/`, never overwritten.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use cell::wire::Measurement;
use serde::{Deserialize, Serialize};

use crate::engine::Choice;
use crate::machine::{self, Facts};
use crate::plan::{Blocks, Group};
use crate::row::Row;
use crate::store::{self, Appender};

/// The name all files of a run begin with.
const STEM: &str = "bench";

/// What decides the set of rows of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Engine labels.
    pub engines: Vec<String>,
    /// Workload names, in order of importance.
    pub workloads: Vec<String>,
    /// Thread counts.
    pub threads: Vec<usize>,
    /// Pass names.
    pub passes: Vec<String>,
    /// Operations a thread.
    pub ops: u64,
    /// Base seed.
    pub seed: u64,
    /// Contents checked.
    pub verify: bool,
    /// Workers kept each on one processor.
    pub pinned: bool,
    /// Fixed number of blocks.
    pub reps: Option<u32>,
    /// Time budget.
    pub budget_seconds: Option<u64>,
    /// Part and parts, counted from 0.
    pub shard: (usize, usize),
}

/// `bench.provenance.json`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Provenance {
    /// UTC.
    pub started: String,
    /// UTC; empty while running.
    pub finished: String,
    /// The command line.
    pub command: String,
    /// Git revision of the sources.
    pub revision: String,
    /// Measured as planned, or what was cut.
    pub state: String,
    /// See [`Settings`].
    pub settings: Settings,
    /// Version that each engine reports, by label.
    pub engines: BTreeMap<String, String>,
    /// CPU, kernel, limits.
    pub machine: Facts,
    /// Compiler, build id.
    pub build: Facts,
    /// Allocator settings of the environment.
    pub environment: Facts,
    /// What the budget, or a missing tool, left out: one line each.
    pub left_out: Vec<String>,
    /// Repetitions, once they are allotted.
    pub plan: Vec<Planned>,
}

/// One group of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// Workload and threads.
    pub group: Group,
    /// Blocks; `None` is left out.
    pub blocks: Option<Blocks>,
}

/// The open files of a run.
pub struct Record {
    folder: PathBuf,
    rows: Appender,
    done: HashSet<(String, String, u32, String, u32)>,
    cell_ns: BTreeMap<(String, String, u32, String, u32), u64>,
    failed: usize,
    measured: usize,
    /// Written by [`Record::save`].
    pub provenance: Provenance,
}

impl Record {
    /// Opens the folder for a new run, or for going on with the one in it.
    pub fn open(folder: &Path, settings: Settings, choices: &[Choice], resume: bool) -> Result<Record> {
        fs::create_dir_all(folder).with_context(|| {
            format!("--out: {} cannot be created; name a folder that can be written", folder.display())
        })?;
        let csv = path(folder, "csv");
        if resume && csv.exists() {
            return Record::resume(folder, &settings);
        }
        if resume {
            eprintln!(
                "allocbench: {} does not exist, so there is nothing to resume; starting a new run",
                csv.display()
            );
        }
        archive(folder)?;
        let rows = Appender::create(&csv)?;
        let provenance = Provenance {
            started: machine::utc_now(),
            command: std::env::args().collect::<Vec<_>>().join(" "),
            revision: machine::revision().unwrap_or_else(|| "unknown".into()),
            state: "running".into(),
            settings,
            engines: choices.iter().map(|choice| (choice.label.clone(), choice.version.clone())).collect(),
            machine: machine::machine(),
            build: machine::build(),
            environment: machine::allocator_environment(),
            ..Provenance::default()
        };
        let record = Record {
            folder: folder.into(),
            rows,
            done: HashSet::new(),
            cell_ns: BTreeMap::new(),
            failed: 0,
            measured: 0,
            provenance,
        };
        record.save()?;
        Ok(record)
    }

    fn resume(folder: &Path, settings: &Settings) -> Result<Record> {
        let csv = path(folder, "csv");
        let file = path(folder, "provenance.json");
        let text = fs::read(&file).with_context(|| {
            format!(
                "{}: cannot be read, so the run cannot be resumed; start it anew without --resume",
                file.display()
            )
        })?;
        let provenance: Provenance = serde_json::from_slice(&text).with_context(|| {
            format!("{}: not the provenance of a run; start it anew without --resume", file.display())
        })?;
        same_settings(&provenance.settings, settings)?;
        let build = machine::build();
        ensure!(
            provenance.build.get("build_id") == build.get("build_id"),
            "the sources have changed since the run in {} began; start it anew without --resume",
            folder.display()
        );
        let loaded = store::read_for_resume(&csv)?;
        if let Some(warning) = &loaded.warning {
            eprintln!("allocbench: {warning}; it is measured again");
        }
        let rows = Appender::resume(&csv, &loaded)?;
        Ok(Record {
            folder: folder.into(),
            rows,
            done: loaded.rows.iter().map(Row::key).collect(),
            cell_ns: loaded.rows.iter().filter_map(|row| Some((row.key(), row.cell_ns?))).collect(),
            failed: loaded.rows.iter().filter(|row| !row.is_ok()).count(),
            measured: loaded.rows.len(),
            provenance,
        })
    }

    /// Whether a cell is measured already, and what it cost.
    pub fn cost_of(&self, key: &(String, String, u32, String, u32)) -> Option<u64> {
        self.done.contains(key).then(|| self.cell_ns.get(key).copied().unwrap_or(0))
    }

    /// Cells recorded, and how many of them failed.
    pub fn counts(&self) -> (usize, usize) {
        (self.measured, self.failed)
    }

    /// Writes a row and what belongs to it; the row last, since it is what marks the cell as done.
    pub fn append(&mut self, row: &Row, measurement: Option<&Measurement>) -> Result<()> {
        if let Some(measurement) = measurement {
            self.append_histograms(row, measurement)?;
            self.append_timeline(row, measurement)?;
        }
        self.rows.append(row)?;
        self.done.insert(row.key());
        self.cell_ns.insert(row.key(), row.cell_ns.unwrap_or(0));
        self.measured += 1;
        self.failed += usize::from(!row.is_ok());
        Ok(())
    }

    fn append_histograms(&self, row: &Row, measurement: &Measurement) -> Result<()> {
        let Some(latency) = &measurement.latency else { return Ok(()) };
        let cell = serde_json::json!({
            "engine": row.engine, "workload": row.workload, "threads": row.threads, "block": row.block,
        });
        let mut text = String::new();
        let mut line = |more: serde_json::Value| {
            let fields = cell.as_object().into_iter().chain(more.as_object()).flatten();
            let line: serde_json::Map<_, _> =
                fields.map(|(name, value)| (name.clone(), value.clone())).collect();
            text.push_str(&format!("{}\n", serde_json::Value::Object(line)));
        };
        line(serde_json::json!({
            "clock_overhead_cycles": latency.clock_overhead_cycles, "ns_per_cycle": latency.ns_per_cycle,
            "alloc_cycles_hdr": latency.alloc.histogram, "free_cycles_hdr": latency.free.histogram,
        }));
        for class in &latency.by_size {
            for (op, count, ns_p50, ns_p99) in [
                ("alloc", class.allocs, class.alloc_ns_p50, class.alloc_ns_p99),
                ("free", class.frees, class.free_ns_p50, class.free_ns_p99),
            ] {
                line(serde_json::json!({
                    "op": op, "class_bytes_max": class.size_max, "count": count, "ns_p50": ns_p50, "ns_p99": ns_p99,
                }));
            }
        }
        self.append_text("histograms.jsonl", "", &text)
    }

    fn append_timeline(&self, row: &Row, measurement: &Measurement) -> Result<()> {
        let mut text = String::new();
        for point in &measurement.timeline {
            let (engine, workload, threads, block) = (&row.engine, &row.workload, row.threads, row.block);
            let phase = point.phase.replace([',', '"', '\n'], " ");
            text.push_str(&format!(
                "{engine},{workload},{threads},{},{block},{},{},{phase},{}\n",
                row.pass,
                point.t_ns,
                point.resident_bytes,
                point.live_bytes.map_or_else(String::new, |bytes| bytes.to_string())
            ));
        }
        self.append_text(
            "timeline.csv",
            "engine,workload,threads,pass,block,t_ns,resident_bytes,phase,live_bytes\n",
            &text,
        )
    }

    fn append_text(&self, suffix: &str, header: &str, text: &str) -> Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let path = path(&self.folder, suffix);
        let write = |mut file: File| {
            if file.metadata()?.len() == 0 {
                file.write_all(header.as_bytes())?;
            }
            file.write_all(text.as_bytes())
        };
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(write)
            .with_context(|| format!("{}: cannot be written", path.display()))
    }

    /// Writes the provenance.
    pub fn save(&self) -> Result<()> {
        let text = serde_json::to_vec_pretty(&self.provenance)
            .context("the provenance cannot be written as JSON")?;
        store::write_bytes_atomic(&path(&self.folder, "provenance.json"), &text)
    }

    /// The result file.
    pub fn csv(&self) -> PathBuf {
        path(&self.folder, "csv")
    }
}

fn path(folder: &Path, suffix: &str) -> PathBuf {
    folder.join(format!("{STEM}.{suffix}"))
}

/// Refuses to mix runs, naming the first setting that differs.
fn same_settings(old: &Settings, new: &Settings) -> Result<()> {
    let (old, new) = (serde_json::to_value(old)?, serde_json::to_value(new)?);
    let (Some(old), Some(new)) = (old.as_object(), new.as_object()) else {
        bail!("settings are no JSON object")
    };
    for (name, value) in new {
        ensure!(
            old.get(name) == Some(value),
            "--resume: the run began with {name} = {}, not {value}; give the same settings or start anew without --resume",
            old.get(name).unwrap_or(&serde_json::Value::Null)
        );
    }
    Ok(())
}

/// Moves an older run out of the way.
fn archive(folder: &Path) -> Result<()> {
    if !path(folder, "csv").exists() {
        return Ok(());
    }
    let old: Option<Provenance> =
        fs::read(path(folder, "provenance.json")).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let stamp = old.map_or_else(machine::utc_now, |provenance| provenance.started);
    let summaries = ["summary.md", "summary.csv", "report.html"];
    crate::archive::archive(folder, &stamp, |name| name.starts_with("bench.") || summaries.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(block: u32) -> Row {
        Row {
            schema: crate::row::SCHEMA,
            engine: "system".into(),
            workload: "rl_small".into(),
            threads: 1,
            pass: "throughput".into(),
            block,
            status: "ok".into(),
            cell_ns: Some(7),
            ..Row::default()
        }
    }

    #[test]
    fn a_run_can_be_resumed_and_knows_what_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { ops: 5, ..Settings::default() };
        let mut record = Record::open(folder.path(), settings.clone(), &[], false).unwrap();
        record.append(&row(0), None).unwrap();
        let record = Record::open(folder.path(), settings, &[], true).unwrap();
        assert_eq!(record.cost_of(&row(0).key()), Some(7));
        assert_eq!(record.cost_of(&row(1).key()), None);
        assert_eq!(record.counts(), (1, 0));
    }

    #[test]
    fn other_settings_are_not_mixed_in() {
        let folder = tempfile::tempdir().unwrap();
        Record::open(folder.path(), Settings { ops: 5, ..Settings::default() }, &[], false).unwrap();
        let error =
            Record::open(folder.path(), Settings { ops: 6, ..Settings::default() }, &[], true).err().unwrap();
        assert!(error.to_string().contains("ops = 5, not 6"), "{error}");
    }

    #[test]
    fn an_older_run_is_archived_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..3 {
            let mut record = Record::open(folder.path(), Settings::default(), &[], false).unwrap();
            record.append(&row(0), None).unwrap();
        }
        let archived: Vec<_> = fs::read_dir(folder.path().join("archive")).unwrap().flatten().collect();
        assert_eq!(archived.len(), 2);
        for entry in archived {
            assert_eq!(store::read(&entry.path().join("bench.csv")).unwrap().len(), 1);
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Record::open(&file.path().join("below"), Settings::default(), &[], false).err().unwrap();
        assert!(error.to_string().starts_with("--out:"), "{error}");
    }
}
