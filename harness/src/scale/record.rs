//! The files of a run: `scaling.csv`, its timeline and its provenance, written as cells finish.
//!
//! A kill loses at most the cell that runs. `--resume` reads what is there; an older run is moved to `archive/`.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::cell::Sample;
use super::plan::{Size, Wish};
use super::row::{Key, Row, SCHEMA};
use crate::machine::{self, Facts};
use crate::store;

/// What decides the set of rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// How much is sent.
    pub size: Size,
    /// What the user narrowed it by.
    pub wish: Wish,
    /// Engine labels.
    pub engines: Vec<String>,
    /// Seed of the order.
    pub seed: u64,
    /// Part and parts, counted from 0.
    pub shard: (usize, usize),
}

/// `scaling.provenance.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Provenance {
    /// UTC.
    pub started: String,
    /// UTC; empty while running.
    pub finished: String,
    /// Every command line that added rows.
    pub commands: Vec<String>,
    /// Git revision of the sources.
    pub revision: String,
    /// See [`Settings`].
    pub settings: Settings,
    /// CPU, kernel, limits.
    pub machine: Facts,
    /// Compiler, build id.
    pub build: Facts,
    /// What is left out, and why.
    pub left_out: Vec<String>,
    /// Library of each engine.
    pub libraries: BTreeMap<String, String>,
}

/// The open files of a run.
pub struct Record {
    folder: PathBuf,
    done: HashSet<Key>,
    /// Rows on disk.
    pub rows: Vec<Row>,
    /// Written by [`Record::save`].
    pub provenance: Provenance,
}

/// Columns of the timeline.
const TIMELINE_HEADER: &str =
    "test,engine,payload_bytes,concurrency,keep_alive_ms,block,t_ms,resident_bytes,phase\n";

impl Record {
    /// Opens the folder for a new run, or for going on with the one in it.
    pub fn open(
        folder: &Path,
        settings: Settings,
        left_out: Vec<String>,
        libraries: BTreeMap<String, String>,
        resume: bool,
    ) -> Result<Record> {
        fs::create_dir_all(folder).with_context(|| {
            format!("--out: {} cannot be created; name a folder that can be written", folder.display())
        })?;
        let command = std::env::args().collect::<Vec<_>>().join(" ");
        if resume && path(folder, "csv").exists() {
            return Record::go_on(folder, &settings, command);
        }
        archive(folder)?;
        let provenance = Provenance {
            started: machine::utc_now(),
            finished: String::new(),
            commands: vec![command],
            revision: machine::revision().unwrap_or_else(|| "unknown".into()),
            settings,
            machine: machine::machine(),
            build: machine::build(),
            left_out,
            libraries,
        };
        let record = Record { folder: folder.into(), done: HashSet::new(), rows: Vec::new(), provenance };
        let mut header = csv::Writer::from_writer(Vec::new());
        header.serialize(Row::default())?;
        let text = String::from_utf8(header.into_inner()?)?;
        let header = format!("{}\n", text.lines().next().unwrap_or_default());
        store::write_bytes_atomic(&record.csv(), header.as_bytes())?;
        record.save()?;
        Ok(record)
    }

    fn go_on(folder: &Path, settings: &Settings, command: String) -> Result<Record> {
        let mut provenance = read_provenance(&path(folder, "csv"))?;
        ensure!(
            provenance.settings == *settings,
            "--resume: the run in {} began with other settings; give the same flags, or start anew without --resume",
            folder.display()
        );
        let file = path(folder, "csv");
        let bytes = fs::read(&file).with_context(|| format!("{}: cannot be read", file.display()))?;
        let complete = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        if complete < bytes.len() {
            eprintln!("allocbench: {}: the last line is cut short; it is measured again", file.display());
            store::write_bytes_atomic(&file, &bytes[..complete])?;
        }
        let rows = read(&file)?;
        provenance.finished.clear();
        if !provenance.commands.contains(&command) {
            provenance.commands.push(command);
        }
        let done = rows.iter().map(Row::key).collect();
        Ok(Record { folder: folder.into(), done, rows, provenance })
    }

    /// Whether a cell is measured already.
    pub fn has(&self, row: &Row) -> bool {
        self.done.contains(&row.key())
    }

    /// Writes a row and its timeline; the row last, since it marks the cell as done.
    pub fn append(&mut self, row: Row, samples: &[Sample]) -> Result<()> {
        let lines: String = samples
            .iter()
            .map(|sample| {
                format!(
                    "{},{},{},{},{},{},{},{},{}\n",
                    row.test,
                    row.engine,
                    row.payload_bytes,
                    row.concurrency,
                    row.keep_alive_ms,
                    row.block,
                    sample.t_ms,
                    sample.resident_bytes,
                    sample.phase
                )
            })
            .collect();
        append(&path(&self.folder, "timeline.csv"), TIMELINE_HEADER, &lines)?;
        let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
        writer.serialize(&row)?;
        append(&self.csv(), "", &String::from_utf8(writer.into_inner()?)?)?;
        self.done.insert(row.key());
        self.rows.push(row);
        Ok(())
    }

    /// Writes the provenance.
    pub fn save(&self) -> Result<()> {
        store::write_bytes_atomic(
            &path(&self.folder, "provenance.json"),
            &serde_json::to_vec_pretty(&self.provenance)?,
        )
    }

    /// The result file.
    pub fn csv(&self) -> PathBuf {
        path(&self.folder, "csv")
    }
}

fn path(folder: &Path, suffix: &str) -> PathBuf {
    folder.join(format!("scaling.{suffix}"))
}

fn append(path: &Path, header: &str, text: &str) -> Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let write = |mut file: File| {
        if file.metadata()?.len() == 0 {
            file.write_all(header.as_bytes())?;
        }
        file.write_all(text.as_bytes())
    };
    let opened = OpenOptions::new().create(true).append(true).open(path);
    opened.and_then(write).with_context(|| format!("{}: cannot be written", path.display()))
}

/// Reads a result file; every row must be of this schema and there once.
pub fn read(file: &Path) -> Result<Vec<Row>> {
    let shown = file.display();
    let mut reader = csv::Reader::from_path(file).with_context(|| {
        format!("{shown}: cannot be opened; run `allocbench scale` first or name another file")
    })?;
    let mut rows: Vec<Row> = Vec::new();
    let mut seen = HashSet::new();
    for row in reader.deserialize() {
        let row: Row = row.with_context(|| format!("{shown}: not a result file of `allocbench scale`"))?;
        ensure!(
            row.schema == SCHEMA,
            "{shown}: columns of version {}, this program reads {SCHEMA}; measure again",
            row.schema
        );
        ensure!(
            seen.insert(row.key()),
            "{shown}: the cell {} {} block {} is there twice; delete one",
            row.test,
            row.engine,
            row.block
        );
        rows.push(row);
    }
    Ok(rows)
}

/// The provenance beside a result file.
pub fn read_provenance(file: &Path) -> Result<Provenance> {
    let file = file.with_extension("provenance.json");
    let text = fs::read(&file).with_context(|| format!("{}: cannot be read", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{}: not the provenance of a run", file.display()))
}

/// One line of the timeline: test, engine, keep-alive, block, time and resident set.
pub type Reading = (String, String, u64, u32, f64, f64);

/// Readings of the timeline beside a result file; none if there is no such file.
pub fn read_timeline(file: &Path) -> Vec<Reading> {
    let text = fs::read_to_string(file.with_extension("timeline.csv")).unwrap_or_default();
    let line = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let [test, engine, _, _, keep_alive, block, t_ms, bytes, _] = fields.as_slice() else { return None };
        Some((
            (*test).to_string(),
            (*engine).to_string(),
            keep_alive.parse().ok()?,
            block.parse().ok()?,
            t_ms.parse().ok()?,
            bytes.parse().ok()?,
        ))
    };
    text.lines().skip(1).filter_map(line).collect()
}

/// Moves an older run out of the way.
fn archive(folder: &Path) -> Result<()> {
    if !path(folder, "csv").exists() {
        return Ok(());
    }
    let stamp = read_provenance(&path(folder, "csv"))
        .map_or_else(|_| machine::utc_now(), |provenance| provenance.started);
    crate::archive::archive(folder, &format!("scaling-{stamp}"), |name| name.starts_with("scaling."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(seed: u64) -> Settings {
        Settings { size: Size::Quick, wish: Wish::default(), engines: Vec::new(), seed, shard: (0, 1) }
    }

    fn open(folder: &Path, seed: u64, resume: bool) -> Result<Record> {
        Record::open(folder, settings(seed), Vec::new(), BTreeMap::new(), resume)
    }

    fn row(block: u32) -> Row {
        Row {
            schema: SCHEMA,
            test: "engines".into(),
            engine: "glibc".into(),
            block,
            detail: "a, b".into(),
            ..Row::default()
        }
    }

    #[test]
    fn a_run_goes_on_where_it_was_cut() {
        let folder = tempfile::tempdir().unwrap();
        let mut record = open(folder.path(), 1, false).unwrap();
        record.append(row(0), &[Sample { t_ms: 5, resident_bytes: 6, phase: "load" }]).unwrap();
        append(&record.csv(), "", "1,engines,gli").unwrap();
        let record = open(folder.path(), 1, true).unwrap();
        assert!(record.has(&row(0)) && !record.has(&row(1)));
        assert_eq!(read(&record.csv()).unwrap(), [row(0)]);
        assert_eq!(read_timeline(&record.csv()), [("engines".into(), "glibc".into(), 0, 0, 5.0, 6.0)]);
        assert!(open(folder.path(), 2, true).err().unwrap().to_string().contains("other settings"));
    }

    #[test]
    fn an_older_run_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..3 {
            open(folder.path(), 1, false).unwrap().append(row(0), &[]).unwrap();
        }
        assert_eq!(fs::read_dir(folder.path().join("archive")).unwrap().count(), 2);
        assert_eq!(read(&folder.path().join("scaling.csv")).unwrap().len(), 1);
    }
}
