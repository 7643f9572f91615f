//! Which engines can be measured, and how each is started: a cell binary, the engine's name in it, and an environment.
//!
//! The cell binaries are looked for beside this executable. Each says which engines it holds and which sources it
//! was built from; one built from other sources is not used, since its figures could not be compared. The main binary is
//! required; a flavour that cannot be used is left out with a warning, and its engines count as not built.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

use anyhow::{Context, Result, bail, ensure};
use cell::wire::{ListedEngine, Listing};
use engines::catalog::{CATALOG, Entry, flavour};
use serde::Serialize;

use crate::analysis::dataset::CONTROL_SUFFIX;
use crate::terminal::say_aside;

/// File name of the cell binary that holds most engines; flavours are called `allocbench-cell-…`.
const CELL: &str = "allocbench-cell";

/// An engine as a run names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// Label in tables and files.
    pub label: String,
    /// Name inside the cell binary.
    pub engine: String,
    /// Version it reported when the run was planned.
    pub version: String,
    /// The binary.
    pub binary: PathBuf,
    /// Variables set for its process.
    pub env: Vec<(String, String)>,
}

/// This program.
pub fn own_program() -> Result<PathBuf> {
    std::env::current_exe().context("the path of this executable cannot be read")
}

/// The folder of this program, where a build leaves all that it starts.
pub fn own_folder() -> Result<PathBuf> {
    Ok(own_program()?.parent().unwrap_or(Path::new(".")).to_path_buf())
}

/// The engine of the catalogue that is called so, built or not.
pub fn entry(name: &str) -> Result<&'static Entry> {
    engines::find(name).with_context(|| {
        let known: Vec<&str> = CATALOG.iter().map(|entry| entry.name).collect();
        format!("no engine is called '{name}'; known are {} (see: allocbench list)", known.join(", "))
    })
}

/// The engines of all cell binaries found.
pub struct Shelf {
    folder: PathBuf,
    binaries: Vec<(PathBuf, Vec<ListedEngine>)>,
}

impl Shelf {
    /// Asks every cell binary beside this executable.
    pub fn open() -> Result<Shelf> {
        let folder = own_folder()?;
        let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
            .with_context(|| format!("{} cannot be read", folder.display()))?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| is_cell(path))
            .collect();
        paths.sort();
        ensure!(
            paths.iter().any(|path| path.ends_with(CELL)),
            "{CELL} is missing in {}, beside this program; build the workspace first: make build",
            folder.display()
        );
        let (mut binaries, mut left_out) = (Vec::new(), Vec::new());
        for path in paths {
            match ask(&path) {
                Ok(engines) => binaries.push((path, engines)),
                Err(unusable) if path.ends_with(CELL) => return Err(unusable),
                Err(unusable) => left_out.push(unusable),
            }
        }
        // Several parts of one command may look for engines; the user is told once.
        static TOLD: Once = Once::new();
        TOLD.call_once(|| {
            left_out.iter().for_each(|why| say_aside(format!("{why:#}; its engines are left out")))
        });
        Ok(Shelf { folder, binaries })
    }

    /// Every engine built, with its version and binary.
    pub fn all(&self) -> impl Iterator<Item = (&ListedEngine, &Path)> {
        self.binaries
            .iter()
            .flat_map(|(path, engines)| engines.iter().map(move |engine| (engine, path.as_path())))
    }

    /// The engine that `label` names: a built engine, or `name#aa`.
    pub fn choose(&self, label: &str) -> Result<Choice> {
        let name = label.strip_suffix(CONTROL_SUFFIX).unwrap_or(label);
        // An engine that several flavours hold is taken from the first, the main binary.
        if let Some((engine, path)) = self.all().find(|(engine, _)| engine.name == name) {
            return Ok(Choice {
                label: label.into(),
                engine: name.into(),
                version: engine.version.clone(),
                binary: path.into(),
                env: Vec::new(),
            });
        }
        let entry = entry(name)?;
        let binary = self.folder.join(entry.flavour);
        bail!(
            "engine '{name}' is not built: it needs the cargo feature '{}' in the binary {}; build it with: make {}",
            entry.feature,
            binary.display(),
            target(&binary)
        );
    }

    /// An engine called `name`: the C ABI of the library at `path`.
    pub fn preload(&self, word: &str) -> Result<Choice> {
        let Some((name, path)) =
            word.split_once('=').filter(|(name, path)| !name.is_empty() && !path.is_empty())
        else {
            bail!("--preload: '{word}' is not of the form NAME=PATH");
        };
        ensure!(
            engines::find(name).is_none(),
            "--preload: '{name}' is the name of a built-in engine; choose another"
        );
        let path =
            std::fs::canonicalize(path).with_context(|| format!("--preload: {path} cannot be found"))?;
        let path_text = path.to_string_lossy().into_owned();
        let mut choice = self.choose("c_abi")?;
        choice.label = name.into();
        choice.env =
            vec![("LD_PRELOAD".into(), path_text.clone()), ("CELL_EXPECT_LIBRARY".into(), path_text)];
        choice.version = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(choice)
    }
}

fn is_cell(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    (name == CELL || (name.starts_with("allocbench-cell-") && !name.contains('.'))) && path.is_file()
}

/// The target of the Makefile that builds the cell binary of this name.
fn target(path: &Path) -> &'static str {
    if path.ends_with(CELL) || path.ends_with(flavour::MIMALLOC2) { "build" } else { "build-all" }
}

/// The engines of one binary.
fn ask(path: &Path) -> Result<Vec<ListedEngine>> {
    let output = Command::new(path)
        .arg("engines")
        .env_remove("LD_PRELOAD")
        .output()
        .with_context(|| format!("{} cannot be started", path.display()))?;
    let listing: Listing = match serde_json::from_slice(&output.stdout) {
        Ok(listing) if output.status.success() => listing,
        _ => bail!(
            "{} does not answer ({}): {}; build it again: make {}",
            path.display(),
            output.status,
            String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or("no message"),
            target(path)
        ),
    };
    ensure!(
        listing.build_id == cell::BUILD_ID,
        "{} was built from other sources than this allocbench; build both again: make {}",
        path.display(),
        target(path)
    );
    Ok(listing.engines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_known_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for (name, expected) in [
            ("allocbench-cell", true),
            ("allocbench-cell-mimalloc2", true),
            ("allocbench-cell.d", false),
            ("allocbench", false),
            ("allocbench-cell-cxx.d", false),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, "").unwrap();
            assert_eq!(is_cell(&path), expected, "{name}");
        }
    }

    #[test]
    fn every_flavour_names_the_target_that_builds_it() {
        for (name, expected) in [
            (flavour::STANDARD, "build"),
            (flavour::MIMALLOC2, "build"),
            (flavour::CXX, "build-all"),
            (flavour::RPMALLOC, "build-all"),
        ] {
            assert_eq!(target(&Path::new("/folder").join(name)), expected, "{name}");
        }
    }

    #[test]
    fn a_binary_that_does_not_answer_is_named_with_the_target_that_builds_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(flavour::CXX);
        std::fs::write(&path, "#!/bin/sh\necho worn out >&2\nexit 7\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let what = format!("{:#}", ask(&path).unwrap_err());
        assert!(what.contains("allocbench-cell-cxx") && what.contains("worn out"), "{what}");
        assert!(what.ends_with("make build-all"), "{what}");
    }
}
