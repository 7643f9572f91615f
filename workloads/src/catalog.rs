//! Where workloads come from: the built-in list, and users' files of the same form.
//!
//! A file is an array of `[[workload]]` tables; `builtin.toml` is an example of every model. Files come from anywhere:
//! their size is bounded before they are read, every value is validated, and an error is one line that names the
//! file, the workload, the field and the remedy.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use toml::{Table, Value};

use crate::spec::Workload;

/// Largest file that is read, bytes.
pub const FILE_MAX_BYTES: u64 = 1 << 20;
/// Workloads in a file.
const WORKLOADS_MAX: usize = 1000;

/// The built-in workloads, in the order tables show them.
#[expect(clippy::expect_used, reason = "the text is part of the crate, and a test reads it")]
pub fn builtin() -> Vec<Workload> {
    parse(include_str!("builtin.toml")).expect("the built-in list is valid")
}

/// The built-in workload of this name.
pub fn find(name: &str) -> Option<Workload> {
    builtin().into_iter().find(|workload| workload.name == name)
}

/// The workloads of a user's file. A name that is built in, or there twice, is an error.
pub fn load(path: &Path) -> Result<Vec<Workload>, String> {
    let file = path.display();
    let workloads = read(path).and_then(|text| parse(&text)).map_err(|what| format!("{file}: {what}"))?;
    let taken: BTreeSet<String> = builtin().into_iter().map(|workload| workload.name).collect();
    match workloads.iter().find(|workload| taken.contains(&workload.name)) {
        Some(workload) => {
            Err(format!("{file}: workload `{}`: `name` is built in: choose another", workload.name))
        }
        None => Ok(workloads),
    }
}

fn read(path: &Path) -> Result<String, String> {
    let file = File::open(path).map_err(|error| format!("cannot be opened: {error}"))?;
    let mut text = Vec::new();
    file.take(FILE_MAX_BYTES + 1)
        .read_to_end(&mut text)
        .map_err(|error| format!("cannot be read: {error}"))?;
    if text.len() as u64 > FILE_MAX_BYTES {
        return Err(format!("is larger than {FILE_MAX_BYTES} bytes: split it"));
    }
    String::from_utf8(text)
        .map_err(|error| format!("is not UTF-8 at byte {}", error.utf8_error().valid_up_to()))
}

fn parse(text: &str) -> Result<Vec<Workload>, String> {
    let mut table: Table = toml::from_str(text).map_err(|error| at_line(text, &error))?;
    let entries = match table.remove("workload") {
        Some(Value::Array(entries)) => entries,
        _ => return Err("holds no workload: begin each with `[[workload]]`".into()),
    };
    if let Some(key) = table.keys().next() {
        return Err(format!("`{}` is not known: only `[[workload]]` is", key.escape_default()));
    }
    if entries.len() > WORKLOADS_MAX {
        return Err(format!("holds {} workloads: split it, {WORKLOADS_MAX} at most", entries.len()));
    }
    let workloads: Vec<Workload> = entries
        .into_iter()
        .enumerate()
        .map(|(number, entry)| one(number, entry))
        .collect::<Result<_, _>>()?;
    let mut names = BTreeSet::new();
    match workloads.iter().find(|workload| !names.insert(workload.name.as_str())) {
        Some(twice) => Err(format!("workload `{}`: `name` is there twice: change one", twice.name)),
        None => Ok(workloads),
    }
}

fn one(number: usize, entry: Value) -> Result<Workload, String> {
    let name = match entry.get("name").and_then(Value::as_str) {
        Some(name) => {
            format!("`{}`", name.chars().take(40).flat_map(char::escape_default).collect::<String>())
        }
        None => format!("number {}", number + 1),
    };
    let workload = Workload::deserialize(entry)
        .map_err(|error| format!("workload {name}: {}", one_line(&error.to_string())))?;
    workload.validate()?;
    Ok(workload)
}

/// What a parser said, with the line it stopped at.
fn at_line(text: &str, error: &toml::de::Error) -> String {
    let at = error.span().map_or(0, |span| span.start.min(text.len()));
    let line = text.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
    format!("line {line}: {}", one_line(error.message()))
}

fn one_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join("; ").chars().map(|c| if c.is_control() { ' ' } else { c }).take(400).collect()
}
