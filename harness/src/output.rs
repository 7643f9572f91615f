//! Traces that are written: to a file beside the wanted one first, so that an error leaves nothing half-written.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context, Result};
use trace::{Meta, Writer};

/// Name and version of this program.
pub fn tool() -> String {
    format!("allocbench {}", env!("CARGO_PKG_VERSION"))
}

/// The folder of a file, `.` where the path names none.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What fills a trace.
pub type TraceWriter = Writer<BufWriter<File>>;

/// Writes a trace and puts it in its place; returns what `fill` did, and the bytes of the file.
pub fn write_trace<T>(
    path: &Path,
    meta: &Meta,
    fill: impl FnOnce(&mut TraceWriter) -> Result<T>,
) -> Result<(T, u64)> {
    let unwritten = || format!("{}: cannot be written; name a file in a folder that can", path.display());
    let part =
        tempfile::Builder::new().prefix(".trace-").tempfile_in(folder_of(path)).with_context(unwritten)?;
    let file = part.reopen().with_context(unwritten)?;
    let mut writer = Writer::new(BufWriter::new(file), meta).with_context(unwritten)?;
    let done = fill(&mut writer)?;
    let file = writer.finish().with_context(unwritten)?.into_inner().with_context(unwritten)?;
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644)).with_context(unwritten)?;
    let bytes = file.metadata().with_context(unwritten)?.len();
    part.persist(path).with_context(unwritten)?;
    Ok((done, bytes))
}
