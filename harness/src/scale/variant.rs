//! The engines of `scale`: a library to preload, an environment, and flags of the server.
//!
//! Libraries are looked for beside this executable first, then where distributions put them. The server proves from
//! inside which file its `malloc` is in; a cell served by another is recorded as failed.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::exec::target;

/// An engine as tables name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Label.
    pub label: String,
    /// Library to preload; none is glibc.
    pub library: Option<PathBuf>,
    /// Variables of the server's process.
    pub env: Vec<(String, String)>,
    /// Further flags of the server.
    pub flags: Vec<String>,
}

/// What a label stands for.
struct Known {
    label: &'static str,
    /// Library file names, the first that is found is taken; empty is glibc.
    files: &'static [&'static str],
    env: &'static [(&'static str, &'static str)],
    flags: &'static [&'static str],
    /// What to install when no file is found.
    remedy: &'static str,
}

const GLIBC: Known = Known { label: "glibc", files: &[], env: &[], flags: &[], remedy: "" };
const JEMALLOC: Known = Known {
    label: "jemalloc",
    files: &["libjemalloc.so.2"],
    remedy: "apt-get install libjemalloc2",
    ..GLIBC
};
const ACE: Known = Known { label: "ace", files: &["libace_alloc.so"], remedy: "make build", ..GLIBC };

/// Every engine. 128 arenas are what glibc takes on a host of 16 CPUs or more; on two CPUs it takes 16.
const KNOWN: [Known; 11] = [
    GLIBC,
    Known { label: "glibc_arena2", env: &[("MALLOC_ARENA_MAX", "2")], ..GLIBC },
    Known { label: "glibc_arena128", env: &[("MALLOC_ARENA_MAX", "128")], ..GLIBC },
    Known { label: "glibc_trim", flags: &["--trim-every", "100"], ..GLIBC },
    JEMALLOC,
    // The published advice to set both; the variable is glibc's own, so it should change nothing.
    Known { label: "jemalloc_arena2", env: &[("MALLOC_ARENA_MAX", "2")], ..JEMALLOC },
    Known { label: "jemalloc_bg", env: &[("MALLOC_CONF", "background_thread:true")], ..JEMALLOC },
    Known {
        label: "mimalloc",
        files: &["libmimalloc.so.2.0", "libmimalloc.so.2", "libmimalloc.so"],
        remedy: "apt-get install libmimalloc2.0",
        ..GLIBC
    },
    Known {
        label: "tcmalloc",
        files: &["libtcmalloc_minimal.so.4"],
        remedy: "apt-get install libtcmalloc-minimal4",
        ..GLIBC
    },
    ACE,
    Known { label: "ace_on", env: &[("ACE_LEARN", "on")], ..ACE },
];

/// Where distributions keep libraries.
const FOLDERS: [&str; 7] = [
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/lib/x86_64-linux-gnu",
    "/usr/local/lib",
    "/usr/lib64",
    "/usr/lib",
    "/opt/homebrew/lib",
];

/// All labels.
pub fn labels() -> Vec<&'static str> {
    KNOWN.iter().map(|known| known.label).collect()
}

/// The engine that `label` names, with its library found in `beside` or the system.
pub fn choose(label: &str, beside: &Path) -> Result<Variant> {
    let Some(known) = KNOWN.iter().find(|known| known.label == label) else {
        bail!("--engines: no engine is called '{label}'; known are {}", labels().join(", "));
    };
    let library = match known.files {
        [] => None,
        files => Some(find(files, beside).with_context(|| {
            format!("engine '{label}': {} is not installed; install it with: {}", files[0], known.remedy)
        })?),
    };
    let env = known.env.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Ok(Variant {
        label: label.into(),
        library,
        env,
        flags: known.flags.iter().map(|&flag| flag.into()).collect(),
    })
}

/// An engine called NAME: the library at PATH.
pub fn preload(word: &str) -> Result<Variant> {
    let Some((name, path)) = word.split_once('=') else {
        bail!("--preload: '{word}' is not of the form NAME=PATH");
    };
    ensure!(
        !labels().contains(&name),
        "--preload: '{name}' is the name of a built-in engine; choose another"
    );
    let path = target::given(name, path).context("--preload")?;
    Ok(Variant { label: name.into(), library: Some(path), env: Vec::new(), flags: Vec::new() })
}

fn find(files: &[&str], beside: &Path) -> Option<PathBuf> {
    let folders: Vec<&Path> = std::iter::once(beside).chain(FOLDERS.iter().map(Path::new)).collect();
    let candidates = folders.iter().flat_map(|folder| files.iter().map(move |file| folder.join(file)));
    candidates.filter(|path| path.is_file()).find_map(|path| std::fs::canonicalize(path).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_unique_and_found_or_explained() {
        let mut labels = labels();
        for label in &labels {
            match choose(label, Path::new("/nowhere")) {
                Ok(variant) => assert_eq!(variant.label, *label),
                Err(error) => assert!(error.to_string().contains("install it with"), "{error}"),
            }
        }
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), KNOWN.len());
    }

    #[test]
    fn unknown_names_are_refused() {
        assert!(choose("nonesuch", Path::new("/")).unwrap_err().to_string().contains("known are glibc"));
        for bad in ["x", "=x", "glibc=/bin/true", "x=/nowhere/at/all"] {
            assert!(preload(bad).is_err(), "{bad}");
        }
    }
}
