//! Counts on record: the instructions of an earlier build, which a later one is held against.
//!
//! The table is bound to the compiler and the C library it was counted with, since both are part of what is counted:
//! where they differ nothing is counted, and [`comparable`] says so. Every engine that `gate.toml` names is counted on
//! every workload it names, as built beside this program; engines that draw random numbers do not belong there.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::callgrind::{self, Count};
use super::config::Config;
use super::lineup::workload;
use super::verdict::Finding;
use crate::engine::Shelf;

/// Counts all that the table of a configuration holds.
pub fn count(config: &Config) -> Result<Vec<Count>> {
    callgrind::available()?;
    let shelf = Shelf::open()?;
    let libc = libc(&shelf)?;
    let mut counts = Vec::new();
    for engine in &config.instructions.baseline_engines {
        let choice = shelf.choose(engine)?;
        for (name, &ops) in &config.instructions.workloads {
            counts.push(callgrind::count(&choice, &workload(name)?, ops, &libc)?);
        }
    }
    ensure!(!counts.is_empty(), "gate.toml names no engine in instructions.baseline_engines; name one");
    Ok(counts)
}

/// Version of the C library, as the engine that is it reports it.
pub fn libc(shelf: &Shelf) -> Result<String> {
    Ok(shelf.choose("system")?.version)
}

/// Whether counts of this compiler and the C library `libc` can be held against the table; what differs if not.
pub fn comparable(table: &[Count], libc: &str, path: &Path) -> Result<()> {
    for old in table {
        let pairs = [("compiler", &*old.compiler, cell::COMPILER), ("C library", &*old.libc, libc)];
        for (what, then, now) in pairs {
            ensure!(
                then == now,
                "{} was counted with the {what} {then}, this is {now}, so counts cannot be compared; record it anew: make gate-baseline",
                path.display()
            );
        }
    }
    Ok(())
}

/// Every count that the configuration asks for against the one on record.
pub fn against(config: &Config, table: &[Count], path: &Path) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for new in count(config)? {
        let old = recorded(table, &new, path)?;
        let mut finding = callgrind::compare(&new, old, config.instructions.baseline_fail_above);
        finding.place = format!("{} on {}", new.engine, new.workload);
        findings.push(finding);
    }
    Ok(findings)
}

/// Reads recorded counts.
pub fn read(path: &Path) -> Result<Vec<Count>> {
    let shown = path.display();
    let mut reader = csv::Reader::from_path(path)
        .with_context(|| format!("{shown} cannot be read; record it: make gate-baseline"))?;
    let counts: Vec<Count> = reader
        .deserialize()
        .collect::<Result<_, _>>()
        .with_context(|| format!("{shown} is no table of counts; record it: make gate-baseline"))?;
    ensure!(!counts.is_empty(), "{shown} holds no row; record it: make gate-baseline");
    Ok(counts)
}

/// Writes counts, whole or not at all.
pub fn write(path: &Path, counts: &[Count]) -> Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for count in counts {
        writer.serialize(count)?;
    }
    let bytes = writer.into_inner().context("the table cannot be written")?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be created", folder.display()))?;
    }
    crate::store::write_bytes_atomic(path, &bytes)
}

/// The recorded count that belongs to a new one.
fn recorded<'a>(table: &'a [Count], new: &Count, path: &Path) -> Result<&'a Count> {
    let own = |old: &&Count| (&old.engine, &old.workload, old.ops) == (&new.engine, &new.workload, new.ops);
    table.iter().find(own).with_context(|| {
        format!(
            "{} has no count of {} on {} at {} operations; record it anew: make gate-baseline",
            path.display(),
            new.engine,
            new.workload,
            new.ops
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::callgrind::tests::sample;

    #[test]
    fn a_table_survives_and_names_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/instructions.csv");
        write(&path, &[sample(5)]).unwrap();
        let counts = read(&path).unwrap();
        assert_eq!(counts, [sample(5)]);
        assert_eq!(recorded(&counts, &sample(9), &path).unwrap().instructions, 5);
        let other = Count { engine: "ace".into(), ..sample(9) };
        assert!(recorded(&counts, &other, &path).unwrap_err().to_string().contains("no count of ace"));
        std::fs::write(&path, "engine,workload\n").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("holds no row"));
        assert!(read(&folder.path().join("none")).unwrap_err().to_string().contains("make gate-baseline"));
    }

    #[test]
    fn counts_of_another_compiler_or_library_are_not_compared() {
        let own = Count { compiler: cell::COMPILER.into(), ..sample(5) };
        let path = Path::new("counts.csv");
        assert!(comparable(std::slice::from_ref(&own), "glibc 2", path).is_ok());
        let message = comparable(std::slice::from_ref(&own), "glibc 3", path).unwrap_err().to_string();
        assert!(message.contains("C library glibc 2, this is glibc 3"), "{message}");
        let message = comparable(&[own, sample(6)], "glibc 2", path).unwrap_err().to_string();
        assert!(message.contains("compiler rustc 1") && message.contains("make gate-baseline"), "{message}");
    }
}
