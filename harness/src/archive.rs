//! Older runs: what stands where a new run begins is moved to `archive/` in the same folder, never overwritten.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Moves the files of `folder` that are `ours` to `archive/NAME`, or to `NAME-2`, … where that is taken. A colon of a time
/// is left out of the name.
pub fn archive(folder: &Path, name: &str, ours: impl Fn(&str) -> bool) -> Result<()> {
    let name = name.replace(':', "");
    let mut target = folder.join("archive").join(&name);
    let mut again = 1;
    while target.exists() {
        again += 1;
        target = folder.join("archive").join(format!("{name}-{again}"));
    }
    fs::create_dir_all(&target).with_context(|| format!("{}: cannot be created", target.display()))?;
    for entry in fs::read_dir(folder)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if ours(&name) && entry.path().is_file() {
            fs::rename(entry.path(), target.join(&name)).with_context(|| {
                format!("{}: cannot be moved to {}", entry.path().display(), target.display())
            })?;
        }
    }
    eprintln!("allocbench: the run that was in {} is now in {}", folder.display(), target.display());
    Ok(())
}
