//! An engine as it serves a program that was not built for it: a library to preload, and variables.
//!
//! A name is an engine's, or `NAME=PATH` for any library, and may carry variants behind `+`: `system+MALLOC_ARENA_MAX=2`
//! sets a variable, `jemalloc+background_thread` switches one of the engine's own options on.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

/// Bytes of a program's head that are looked at.
const HEAD_BYTES: u64 = 64 << 10;
/// Interpreters that may follow one another.
const INTERPRETERS_MAX: u32 = 4;

/// An engine for a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// As the user named it.
    pub label: String,
    /// What to preload; `None` for the C library itself.
    pub library: Option<PathBuf>,
    /// Variables to set.
    pub env: Vec<(String, String)>,
}

/// Names, libraries beside this executable, and how to build them.
const LIBRARIES: [(&str, &str, &str); 4] = [
    ("ace", "libace_alloc.so", "make build"),
    ("jemalloc", "liballocbench_jemalloc.so", "make build"),
    ("mimalloc", "liballocbench_mimalloc.so", "make build"),
    ("mimalloc2", "liballocbench_mimalloc2.so", "make build"),
];

/// Engines that `exec` takes where none is named.
pub const DEFAULT: [&str; 5] = ["system", "ace", "jemalloc", "mimalloc", "mimalloc2"];

/// A library that is built with this executable.
pub fn library_beside(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe().context("the path of this executable cannot be read")?;
    let path = own.parent().unwrap_or(Path::new(".")).join(name);
    ensure!(path.is_file(), "{} is not built; build it: make build", path.display());
    Ok(path)
}

/// The value of LD_PRELOAD for these libraries.
pub fn preload_list(libraries: &[PathBuf]) -> String {
    libraries.iter().map(|path| path.to_string_lossy().into_owned()).collect::<Vec<_>>().join(":")
}

impl Target {
    /// The engine that `word` names.
    pub fn choose(word: &str) -> Result<Target> {
        let (base, variants) = word.split_once('+').map_or((word, ""), |(base, rest)| (base, rest));
        let (name, library) = match base.split_once('=') {
            Some((name, path)) => (name, Some(given(name, path)?)),
            None => (base, built(base)?),
        };
        let mut env = Vec::new();
        for variant in variants.split('+').filter(|variant| !variant.is_empty()) {
            env.push(variable(name, variant)?);
        }
        let label = if base.contains('=') { word.replacen(base, name, 1) } else { word.to_owned() };
        Ok(Target { label, library, env })
    }

    /// The line for a shell, a unit file or a Dockerfile: variables with their values.
    pub fn settings(&self) -> Vec<(String, String)> {
        let library = self.library.iter().map(|path| ("LD_PRELOAD".to_owned(), path.display().to_string()));
        library.chain(self.env.iter().cloned()).collect()
    }
}

/// The library at `path`, which the user calls `name`.
pub fn given(name: &str, path: &str) -> Result<PathBuf> {
    ensure!(!name.is_empty() && !path.is_empty(), "'{name}={path}' is not of the form NAME=PATH");
    let path = std::fs::canonicalize(path).with_context(|| format!("{name}: {path} cannot be found"))?;
    let text = path.to_string_lossy();
    ensure!(!text.contains([':', ' ']), "{text}: a path with a colon or a space cannot be preloaded");
    Ok(path)
}

fn built(name: &str) -> Result<Option<PathBuf>> {
    if ["system", "glibc", "system#aa"].contains(&name) {
        return Ok(None);
    }
    let Some((_, file, how)) = LIBRARIES.iter().find(|(known, _, _)| *known == name) else {
        let known: Vec<&str> = LIBRARIES.iter().map(|(name, _, _)| *name).collect();
        bail!(
            "no engine called '{name}' can be preloaded; known are system, {}, or NAME=PATH",
            known.join(", ")
        )
    };
    let path = library_beside(file);
    path.map(Some).with_context(|| format!("engine '{name}' needs {file}; build it: {how}"))
}

/// A variant's variable.
fn variable(engine: &str, variant: &str) -> Result<(String, String)> {
    if let Some((name, value)) = variant.split_once('=')
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    {
        return Ok((name.into(), value.into()));
    }
    let (option, value) = variant.split_once('=').unwrap_or((variant, ""));
    match engine {
        "jemalloc" => {
            let value = if value.is_empty() { "true" } else { value };
            Ok(("_RJEM_MALLOC_CONF".into(), format!("{option}:{value}")))
        }
        "mimalloc" | "mimalloc2" | "ace" => {
            let prefix = if engine == "ace" { "ACE" } else { "MIMALLOC" };
            let value = if value.is_empty() { "1" } else { value };
            Ok((format!("{prefix}_{}", option.to_ascii_uppercase()), value.into()))
        }
        _ => bail!("'{engine}+{variant}': name a variable, as in {engine}+MALLOC_ARENA_MAX=2"),
    }
}

/// Why a preloaded library would not serve this program; `None` where it would.
pub fn obstacle(program: &Path) -> Result<Option<String>> {
    let mut path = resolve(program)?;
    for _ in 0..INTERPRETERS_MAX {
        let mut head = Vec::new();
        let file = File::open(&path).with_context(|| format!("{}: cannot be read", path.display()))?;
        let mode = file.metadata()?.permissions().mode();
        file.take(HEAD_BYTES).read_to_end(&mut head)?;
        if let Some(line) = head.strip_prefix(b"#!") {
            let line = line.split(|&byte| byte == b'\n').next().unwrap_or_default();
            let word = String::from_utf8_lossy(line);
            let mut words = word.split_ascii_whitespace();
            let mut next = PathBuf::from(words.next().unwrap_or_default());
            if next.ends_with("env") {
                next = words.find(|word| !word.starts_with('-')).unwrap_or_default().into();
            }
            path = resolve(&next)?;
            continue;
        }
        if mode & 0o6000 != 0 {
            return Ok(Some(format!(
                "{} runs set-uid or set-gid, where LD_PRELOAD is ignored",
                path.display()
            )));
        }
        return Ok(match has_interpreter(&head) {
            Some(true) => None,
            Some(false) => {
                Some(format!("{} is statically linked: nothing can be preloaded into it", path.display()))
            }
            None => Some(format!("{} is neither a script nor a 64-bit ELF program", path.display())),
        });
    }
    Ok(Some("its interpreters follow one another without end".into()))
}

/// The file behind a program's name.
pub fn resolve(program: &Path) -> Result<PathBuf> {
    if program.components().count() > 1 {
        ensure!(program.is_file(), "{}: there is no such program", program.display());
        return Ok(program.into());
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file());
    found.with_context(|| format!("{}: there is no such program in PATH", program.display()))
}

/// Whether an ELF file asks for a dynamic linker; `None` where it is none.
fn has_interpreter(head: &[u8]) -> Option<bool> {
    const PT_INTERP: u32 = 3;
    let at = |from: usize, count: usize| head.get(from..from + count);
    let number = |from: usize, count: usize| {
        at(from, count)
            .map(|bytes| bytes.iter().rev().fold(0_usize, |value, &byte| (value << 8) | usize::from(byte)))
    };
    if at(0, 6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let (table, entry_bytes, entries) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    let kinds = (0..entries).map_while(|entry| number(table.checked_add(entry * entry_bytes)?, 4));
    Some(kinds.into_iter().any(|kind| kind == PT_INTERP as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_become_variables() {
        let target = Target::choose("glibc+MALLOC_ARENA_MAX=2").unwrap();
        assert_eq!(target.library, None);
        assert_eq!(target.env, [("MALLOC_ARENA_MAX".to_owned(), "2".to_owned())]);
        assert_eq!(
            variable("jemalloc", "background_thread").unwrap(),
            ("_RJEM_MALLOC_CONF".to_owned(), "background_thread:true".to_owned())
        );
        assert_eq!(variable("mimalloc", "purge_delay=0").unwrap().0, "MIMALLOC_PURGE_DELAY");
        assert!(Target::choose("glibc+fast").is_err());
        assert!(Target::choose("nosuch").unwrap_err().to_string().contains("nosuch"));
    }

    #[test]
    fn programs_that_cannot_be_served_are_known() {
        let own = std::env::current_exe().unwrap();
        assert_eq!(obstacle(&own).unwrap(), None);
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("script");
        std::fs::write(&script, format!("#!{}\n", own.display())).unwrap();
        assert_eq!(obstacle(&script).unwrap(), None);
        std::fs::write(&script, "#!/usr/bin/env -S sh -e\n").unwrap();
        assert_eq!(obstacle(&script).unwrap(), None);
        std::fs::write(&script, "rubbish").unwrap();
        assert!(obstacle(&script).unwrap().unwrap().contains("neither"));
        let mut elf = std::fs::read(&own).unwrap();
        // Without program headers there is no interpreter.
        elf[56..58].copy_from_slice(&[0, 0]);
        std::fs::write(&script, &elf).unwrap();
        assert!(obstacle(&script).unwrap().unwrap().contains("statically linked"));
        std::fs::copy(&own, &script).unwrap();
        std::fs::set_permissions(&script, PermissionsExt::from_mode(0o4755)).unwrap();
        assert!(obstacle(&script).unwrap().unwrap().contains("set-uid"));
        assert!(obstacle(Path::new("no-such-program")).is_err());
    }
}
