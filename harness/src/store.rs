//! Reading, appending, rewriting and merging result files (`bench.csv`) and reading what lies beside them.
//!
//! Owns the promise that a file is either understood in full or refused with one line that names file, line,
//! column and remedy. A kill during a run loses at most the row being written: rows are flushed one by one, and
//! [`read_for_resume`] drops a last line that has no end, saying so. Rewrites go through a temporary file and a
//! rename, so that no reader ever sees half a file. Nothing here judges figures; that is [`crate::analysis`].

use crate::row::{Row, SCHEMA};
use anyhow::{Context, Result, bail, ensure};
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Largest file that is read, bytes: a plan of a million cells stays below it.
pub const FILE_BYTES_MAX: u64 = 1 << 30;
/// Most rows in one file.
pub const ROWS_MAX: usize = 2_000_000;
/// Longest text field, bytes.
pub const FIELD_BYTES_MAX: usize = 4096;
/// More threads than any machine this runs on.
const THREADS_MAX: u32 = 65_536;

/// Rows of a file, and what was dropped of it.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Complete rows in file order.
    pub rows: Vec<Row>,
    /// One line that says what was dropped, if anything was.
    pub warning: Option<String>,
    /// Length of the part of the file that holds complete lines, bytes.
    pub complete_bytes: u64,
}

/// Column names, in order.
pub fn columns() -> Vec<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.serialize(Row::default()).expect("a row is flat, so it serialises");
    let bytes = writer.into_inner().expect("writing to memory does not fail");
    let text = String::from_utf8(bytes).expect("column names are ASCII");
    text.lines().next().unwrap_or_default().split(',').map(str::to_owned).collect()
}

/// Reads a finished file. An incomplete last line is an error.
pub fn read(path: &Path) -> Result<Vec<Row>> {
    let loaded = load(path)?;
    if let Some(warning) = loaded.warning {
        bail!("{warning}; continue the run with --resume, or delete that line");
    }
    Ok(loaded.rows)
}

/// Reads a file that a kill may have cut short; an incomplete last line is dropped and reported in `warning`.
pub fn read_for_resume(path: &Path) -> Result<Loaded> {
    load(path)
}

fn load(path: &Path) -> Result<Loaded> {
    let mut bytes = read_bounded(path)?;
    let complete = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let mut loaded = Loaded { complete_bytes: complete as u64, ..Loaded::default() };
    if complete < bytes.len() {
        let line = bytes[..complete].iter().filter(|&&byte| byte == b'\n').count() + 1;
        loaded.warning = Some(format!("{}: line {line} is cut short and is not used", path.display()));
        bytes.truncate(complete);
    }
    if !bytes.is_empty() {
        loaded.rows = parse(&bytes, path)?;
    }
    Ok(loaded)
}

fn read_bounded(path: &Path) -> Result<Vec<u8>> {
    let shown = path.display();
    let file = File::open(path).with_context(|| {
        format!("{shown}: cannot be opened; run `allocbench bench` first or name another file")
    })?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("{shown}: cannot be read"))?;
    ensure!(
        bytes.len() as u64 <= FILE_BYTES_MAX,
        "{shown}: larger than {FILE_BYTES_MAX} bytes; this is no result file, or split it"
    );
    Ok(bytes)
}

fn parse(bytes: &[u8], path: &Path) -> Result<Vec<Row>> {
    let shown = path.display().to_string();
    let mut reader = csv::ReaderBuilder::new().from_reader(bytes);
    let headers = reader.headers().map_err(|error| explain(&shown, None, error))?.clone();
    let mut rows: Vec<Row> = Vec::new();
    let mut seen = HashMap::new();
    let mut headers_checked = false;
    for record in reader.records() {
        let record = record.map_err(|error| explain(&shown, Some(&headers), error))?;
        let line = record.position().map_or(0, csv::Position::line);
        check_schema(&shown, line, &headers, &record)?;
        if !headers_checked {
            check_headers(&shown, &headers)?;
            headers_checked = true;
        }
        let row: Row =
            record.deserialize(Some(&headers)).map_err(|error| explain(&shown, Some(&headers), error))?;
        check_row(&shown, line, &headers, &record, &row)?;
        if let Some(first) = seen.insert(row.key(), line) {
            bail!(
                "{shown}: line {line} repeats the cell of line {first} ({}); delete one of them",
                cell_name(&row)
            );
        }
        ensure!(rows.len() < ROWS_MAX, "{shown}: more than {ROWS_MAX} rows; split the file");
        rows.push(row);
    }
    if !headers_checked {
        check_headers(&shown, &headers)?;
    }
    Ok(rows)
}

fn check_schema(
    shown: &str,
    line: u64,
    headers: &csv::StringRecord,
    record: &csv::StringRecord,
) -> Result<()> {
    let Some(at) = headers.iter().position(|name| name == "schema") else {
        bail!("{shown}: line 1: column `schema` is missing; this is no result file of allocbench");
    };
    let found = record.get(at).unwrap_or_default();
    ensure!(
        found == SCHEMA.to_string(),
        "{shown}: line {line}, column `schema`: version `{found}`, this program reads {SCHEMA}; measure again or use the program that wrote it"
    );
    Ok(())
}

fn check_headers(shown: &str, headers: &csv::StringRecord) -> Result<()> {
    for name in columns() {
        let count = headers.iter().filter(|header| *header == name).count();
        ensure!(
            count > 0,
            "{shown}: line 1: column `{name}` is missing; measure again or use the program that wrote it"
        );
        ensure!(count == 1, "{shown}: line 1: column `{name}` stands {count} times; delete the others");
    }
    Ok(())
}

fn check_row(
    shown: &str,
    line: u64,
    headers: &csv::StringRecord,
    record: &csv::StringRecord,
    row: &Row,
) -> Result<()> {
    for (name, text) in headers.iter().zip(record) {
        let lower = text.trim_start_matches(['-', '+']).to_ascii_lowercase();
        ensure!(
            is_text(name) || !matches!(lower.as_str(), "nan" | "inf" | "infinity"),
            "{shown}: line {line}, column `{name}`: `{text}` is not a finite number; leave the field empty"
        );
        ensure!(
            text.len() <= FIELD_BYTES_MAX,
            "{shown}: line {line}, column `{name}`: longer than {FIELD_BYTES_MAX} bytes; shorten it"
        );
    }
    for (name, text) in
        [("engine", &row.engine), ("workload", &row.workload), ("pass", &row.pass), ("status", &row.status)]
    {
        let plain = !text.is_empty() && text.len() <= 80 && !text.chars().any(char::is_control);
        ensure!(
            plain,
            "{shown}: line {line}, column `{name}`: a name of 1 to 80 printable characters is expected"
        );
    }
    ensure!(
        (1..=THREADS_MAX).contains(&row.threads),
        "{shown}: line {line}, column `threads`: {} is not within 1 to {THREADS_MAX}; correct it",
        row.threads
    );
    Ok(())
}

fn is_text(column: &str) -> bool {
    matches!(column, "engine" | "workload" | "pass" | "status" | "detail" | "engine_version" | "group")
}

/// One line for an error of the CSV reader; `shown` is the file.
pub fn explain(shown: &str, headers: Option<&csv::StringRecord>, error: csv::Error) -> anyhow::Error {
    let line = error.position().map_or(1, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => {
            let column = err.field().and_then(|at| headers?.get(at as usize)).unwrap_or("?");
            anyhow::anyhow!(
                "{shown}: line {line}, column `{column}`: {}; correct the field or delete the line",
                err.kind()
            )
        }
        csv::ErrorKind::Utf8 { err, .. } => {
            let column = headers.and_then(|names| names.get(err.field())).unwrap_or("?");
            anyhow::anyhow!(
                "{shown}: line {line}, column `{column}`: not UTF-8; correct the field or delete the line"
            )
        }
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            anyhow::anyhow!(
                "{shown}: line {line}: {len} columns where {expected_len} are expected; delete the line"
            )
        }
        _ => anyhow::anyhow!("{shown}: line {line}: {error}"),
    }
}

fn cell_name(row: &Row) -> String {
    format!("{} {} threads {} {} block {}", row.engine, row.workload, row.threads, row.pass, row.block)
}

/// Appends rows as cells finish.
#[derive(Debug)]
pub struct Appender {
    writer: csv::Writer<File>,
    path: PathBuf,
}

impl Appender {
    /// Starts a new file with the header alone, and refuses to overwrite one.
    pub fn create(path: &Path) -> Result<Self> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("{}: cannot be created", parent.display()))?;
        }
        let file = OpenOptions::new().write(true).create_new(true).open(path).with_context(|| {
            format!("{}: cannot be created; --resume goes on with a file that exists", path.display())
        })?;
        let mut appender = Self::over(file, path);
        appender.header()?;
        Ok(appender)
    }

    /// Goes on with a file: what [`read_for_resume`] calls complete stays, the rest is cut off.
    pub fn resume(path: &Path, loaded: &Loaded) -> Result<Self> {
        let context = || format!("{}: cannot be continued", path.display());
        let mut file = OpenOptions::new().write(true).open(path).with_context(context)?;
        file.set_len(loaded.complete_bytes).with_context(context)?;
        file.seek(std::io::SeekFrom::End(0)).with_context(context)?;
        let mut appender = Self::over(file, path);
        if loaded.complete_bytes == 0 {
            appender.header()?;
        }
        Ok(appender)
    }

    fn over(file: File, path: &Path) -> Self {
        let writer = csv::WriterBuilder::new().has_headers(false).from_writer(file);
        Self { writer, path: path.to_owned() }
    }

    fn header(&mut self) -> Result<()> {
        self.writer
            .write_record(columns())
            .and_then(|()| Ok(self.writer.flush()?))
            .with_context(|| format!("{}: cannot be written", self.path.display()))
    }

    /// Writes one row and flushes it.
    pub fn append(&mut self, row: &Row) -> Result<()> {
        let row = one_line(row);
        self.writer
            .serialize(&row)
            .and_then(|()| Ok(self.writer.flush()?))
            .with_context(|| format!("{}: cannot be written", self.path.display()))
    }
}

/// The row with line ends in its detail made spaces, and the detail cut to what a reader accepts.
fn one_line(row: &Row) -> Row {
    let mut row = row.clone();
    row.detail =
        row.detail.chars().map(|c| if c.is_control() { ' ' } else { c }).take(FIELD_BYTES_MAX / 4).collect();
    row
}

/// Writes a whole file through a temporary one and a rename.
pub fn write_atomic(path: &Path, rows: &[Row]) -> Result<()> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.write_record(columns())?;
    for row in rows {
        writer.serialize(one_line(row))?;
    }
    write_bytes_atomic(path, &writer.into_inner().context("rows cannot be formatted")?)
}

/// Replaces a file's content in one step.
pub fn write_bytes_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    let shown = path.display();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().with_context(|| format!("{shown}: is not a file name"))?;
    fs::create_dir_all(folder).with_context(|| format!("{}: cannot be created", folder.display()))?;
    let temporary = folder.join(format!(".{}.{}.part", name.to_string_lossy(), std::process::id()));
    let written = File::create(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written.with_context(|| format!("{shown}: cannot be written"))
}

/// `bench.csv` → `bench.<suffix>` in the same folder.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    path.with_extension(suffix)
}

/// The provenance beside a result file: empty when there is none, an error when it is no JSON object.
pub fn read_provenance(path: &Path) -> Result<serde_json::Map<String, serde_json::Value>> {
    let path = beside(path, "provenance.json");
    if !path.exists() {
        return Ok(serde_json::Map::new());
    }
    let bytes = read_bounded(&path)?;
    serde_json::from_slice(&bytes).map_err(|error| {
        anyhow::anyhow!(
            "{}: line {}, column {}: not a JSON object; correct or delete the file",
            path.display(),
            error.line(),
            error.column()
        )
    })
}

/// A text file beside a result file, `None` when there is none.
pub fn read_text_beside(path: &Path, suffix: &str) -> Result<Option<String>> {
    let path = beside(path, suffix);
    if !path.exists() {
        return Ok(None);
    }
    let text = String::from_utf8(read_bounded(&path)?);
    text.map(Some).map_err(|_| anyhow::anyhow!("{}: not UTF-8; correct or delete the file", path.display()))
}

/// Puts the shards of one plan together. Refuses a cell that occurs twice, and one workload or engine that
/// differs between shards (seed, alignment, version): those are not shards of one plan.
pub fn merge(shards: &[(PathBuf, Vec<Row>)]) -> Result<Vec<Row>> {
    let mut cells = HashMap::new();
    let mut versions: BTreeMap<String, (&str, &Path)> = BTreeMap::new();
    let mut inputs = BTreeMap::new();
    let mut rows: Vec<Row> = Vec::new();
    for (path, shard) in shards {
        for row in shard {
            if let Some(first) = cells.insert(row.key(), path) {
                bail!(
                    "{}: {} is in {} too; name each shard once",
                    path.display(),
                    cell_name(row),
                    first.display()
                );
            }
            let identity = (row.seed, row.verify, row.align_bytes);
            let (other, first) =
                *inputs.entry((&row.workload, row.threads, &row.pass, row.block)).or_insert((identity, path));
            ensure!(
                other == identity,
                "{}: seed, verification or alignment of {} ({}) differs from {}; these are not shards of one plan",
                path.display(),
                row.workload,
                row.pass,
                first.display()
            );
            if row.is_ok() && !row.engine_version.is_empty() {
                let (other, first) =
                    *versions.entry(row.engine.clone()).or_insert((&row.engine_version, path));
                ensure!(
                    other == row.engine_version,
                    "{}: {} is version {} here and {other} in {}; these are not shards of one plan",
                    path.display(),
                    row.engine,
                    row.engine_version,
                    first.display()
                );
            }
            rows.push(row.clone());
        }
    }
    rows.sort_by(|a, b| {
        (&a.pass, &a.workload, a.threads, a.block, a.position, &a.engine).cmp(&(
            &b.pass,
            &b.workload,
            b.threads,
            b.block,
            b.position,
            &b.engine,
        ))
    });
    Ok(rows)
}
