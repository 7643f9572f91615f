//! The two sides of a gate: from a word on the command line to a measuring process.
//!
//! `tree`, `rev:REVISION`, `bin:PATH`, `engine:NAME` and `csv:FILE` say what they are. A bare word is taken for the first
//! of these that it can be, in the order: tree, a file called *.csv, a file, an engine, a revision.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use cell::wire::Listing;

use crate::engine::{Choice, Shelf, entry};
use crate::gate::checkout::{Checkout, short};

/// What a side is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// The working tree.
    Tree,
    /// A git revision.
    Revision(String),
    /// An `allocbench-cell`.
    Binary(PathBuf),
    /// An engine of the cell beside this executable.
    Engine(String),
    /// A recorded result file.
    Baseline(PathBuf),
}

impl Word {
    /// Reads a word.
    pub fn parse(word: &str) -> Result<Word> {
        let word = word.trim();
        ensure!(
            !word.is_empty(),
            "a side is empty; give tree, a revision, a binary, an engine or a CSV file"
        );
        let found = match word.split_once(':') {
            Some(("rev", rest)) => Word::Revision(rest.into()),
            Some(("bin", rest)) => Word::Binary(rest.into()),
            Some(("engine", rest)) => Word::Engine(rest.into()),
            Some(("csv", rest)) => Word::Baseline(rest.into()),
            _ if word == "tree" || word == "." => Word::Tree,
            _ if word.ends_with(".csv") => Word::Baseline(word.into()),
            _ if Path::new(word).is_file() => Word::Binary(word.into()),
            _ if engines::find(word).is_some() => Word::Engine(word.into()),
            _ => Word::Revision(word.into()),
        };
        Ok(found)
    }
}

/// A side that can be measured.
#[derive(Clone, Debug)]
pub struct Side {
    /// For people: `tree 1a2b3c4d5e6f`, `mimalloc`, …
    pub label: String,
    /// How it is started.
    pub choice: Choice,
    /// Commit, where it is one.
    pub commit: Option<String>,
}

/// Turns a word into a side; `engine` is measured where the word does not name one. Builds what must be built.
pub fn resolve(word: &Word, engine: &str, allow_dirty: bool, say: &mut dyn FnMut(&str)) -> Result<Side> {
    match word {
        Word::Tree => {
            let checkout = Checkout::open()?;
            let commit = checkout.tree(allow_dirty)?;
            built(&checkout, "tree", &commit, engine, say)
        }
        Word::Revision(name) => {
            let checkout = Checkout::open()?;
            let commit = checkout.commit(name)?;
            built(&checkout, name, &commit, engine, say)
        }
        Word::Binary(path) => {
            let choice = ask(path, engine)?;
            Ok(Side { label: format!("{} ({engine})", path.display()), choice, commit: None })
        }
        Word::Engine(name) => {
            let choice = Shelf::open()?.choose(name)?;
            Ok(Side { label: name.clone(), choice, commit: None })
        }
        Word::Baseline(path) => bail!(
            "{}: a recorded baseline can be the reference only; name what is to be judged as --candidate",
            path.display()
        ),
    }
}

fn built(
    checkout: &Checkout,
    name: &str,
    commit: &str,
    engine: &str,
    say: &mut dyn FnMut(&str),
) -> Result<Side> {
    // A name that nobody knows is refused before a build of minutes.
    let binary = checkout.cell(commit, entry(engine)?.feature, say)?;
    let short = short(commit);
    let label = if commit.starts_with(name) { short.to_string() } else { format!("{name} {short}") };
    let choice = ask(&binary, engine).with_context(|| format!("revision {label}"))?;
    Ok(Side { label, choice, commit: Some(commit.into()) })
}

/// The engine called `engine` of the binary at `path`. Binaries of other sources are welcome here: that is the point.
pub fn ask(path: &Path, engine: &str) -> Result<Choice> {
    let shown = path.display();
    ensure!(path.is_file(), "{shown} is not a file; name an allocbench-cell, or build it: make build");
    let output = Command::new(path)
        .arg("engines")
        .env_remove("LD_PRELOAD")
        .output()
        .with_context(|| format!("{shown} cannot be started; name an allocbench-cell"))?;
    let listing: Listing = match serde_json::from_slice(&output.stdout) {
        Ok(listing) if output.status.success() => listing,
        _ => bail!("{shown} does not answer as an allocbench-cell does; name one, or build it: make build"),
    };
    let names: Vec<&str> = listing.engines.iter().map(|listed| listed.name.as_str()).collect();
    match listing.engines.iter().find(|listed| listed.name == engine) {
        Some(listed) => Ok(Choice {
            label: engine.into(),
            engine: engine.into(),
            version: listed.version.clone(),
            binary: std::fs::canonicalize(path).unwrap_or_else(|_| path.into()),
            env: Vec::new(),
        }),
        None => bail!("{shown} has no engine '{engine}'; it has {}; choose with --engine", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_taken_for_the_first_thing_they_can_be() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap().to_string();
        for (word, expected) in [
            ("tree", Word::Tree),
            ("old.csv", Word::Baseline("old.csv".into())),
            (path.as_str(), Word::Binary(path.clone().into())),
            ("system", Word::Engine("system".into())),
            ("HEAD~3", Word::Revision("HEAD~3".into())),
            ("rev:system", Word::Revision("system".into())),
            ("engine:nosuch", Word::Engine("nosuch".into())),
            ("csv:x", Word::Baseline("x".into())),
            ("bin:/x", Word::Binary("/x".into())),
        ] {
            assert_eq!(Word::parse(word).unwrap(), expected, "{word}");
        }
        assert!(Word::parse(" ").is_err());
    }

    #[test]
    fn a_file_that_is_no_cell_is_refused() {
        assert!(ask(Path::new("/bin/true"), "system").unwrap_err().to_string().contains("allocbench-cell"));
        assert!(ask(Path::new("/no/such"), "system").unwrap_err().to_string().contains("/no/such"));
    }
}
