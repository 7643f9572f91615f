//! What is not in the figures: cells that failed, cells that the budget left out; and where the figures are from.
//!
//! Provenance is any JSON object. Two of its keys have a meaning here: `left_out`, an array of what was planned and
//! not measured, and through [`caption`] `command` and `revision`.

use super::{Cell, Input, Section, Table};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Longest text of one provenance entry, characters.
const VALUE_CHARS_MAX: usize = 400;

/// Cells that failed, with the reason that each gave.
pub fn failures(input: &Input) -> Section {
    let mut counts: BTreeMap<(&str, &str, u32, &str, &str, &str), usize> = BTreeMap::new();
    for row in input.data.failures() {
        *counts
            .entry((&row.engine, &row.workload, row.threads, &row.pass, &row.status, &row.detail))
            .or_default() += 1;
    }
    if counts.is_empty() {
        return Section::default();
    }
    let head = ["engine", "workload", "threads", "pass", "status", "reason", "cells"];
    let mut table = Table::new("", "", 6, head.map(str::to_owned).into());
    for ((engine, workload, threads, pass, status, detail), count) in counts {
        let reason = if detail.is_empty() { "none given" } else { detail };
        let mut row: Vec<Cell> = vec![
            Cell::text(engine),
            Cell::text(workload),
            Cell::number(threads.to_string(), f64::from(threads)),
        ];
        row.extend([pass, status, reason].map(Cell::text));
        row.push(Cell::number(count.to_string(), count as f64));
        table.push(row);
    }
    let text = format!(
        "{} of {} cells; none of them enters any figure.",
        input.data.failures().count(),
        input.data.rows().len()
    );
    Section { id: "failures", title: "What failed", text: vec![text], tables: vec![table] }
}

/// What was planned and not measured.
pub fn left_out(input: &Input) -> Section {
    let Some(entries) = find(&input.provenance, "left_out") else { return Section::default() };
    let lines: Vec<String> = match entries {
        Value::Array(values) => values.iter().map(plain).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| format!("{key}: {}", plain(value))).collect(),
        Value::Null => Vec::new(),
        other => vec![plain(other)],
    };
    let mut table = Table::new("", "", 1, vec!["left out".into()]);
    for line in &lines {
        table.push(vec![Cell::text(line)]);
    }
    let text =
        if lines.is_empty() { "Nothing: the whole plan was measured." } else { "Planned, and not measured." };
    Section {
        id: "left-out",
        title: "What the budget left out",
        text: vec![text.into()],
        tables: vec![table],
    }
}

/// Where the figures are from.
pub fn provenance(input: &Input) -> Section {
    let mut table = Table::new("", "", 2, vec!["what".into(), "value".into()]);
    flatten("", &Value::Object(input.provenance.clone()), &mut |key, value| {
        if !key.starts_with("left_out") {
            table.push(vec![Cell::text(key), Cell::text(value)]);
        }
    });
    let versions: BTreeMap<&str, &str> = input
        .data
        .rows()
        .iter()
        .filter(|row| !row.engine_version.is_empty())
        .map(|row| (row.engine.as_str(), row.engine_version.as_str()))
        .collect();
    for (engine, version) in versions {
        table.push(vec![
            Cell::text(format!("version of {engine}, from inside its process")),
            Cell::text(version),
        ]);
    }
    let text = if input.provenance.is_empty() {
        vec!["No provenance file lies beside the rows: machine, revision and command are unknown.".to_owned()]
    } else {
        Vec::new()
    };
    Section { id: "provenance", title: "Where these figures are from", text, tables: vec![table] }
}

/// `command · revision`, for captions.
pub fn caption(provenance: &Map<String, Value>) -> String {
    let entry = |names: &[&str]| {
        names.iter().find_map(|name| find(provenance, name)).map_or_else(|| "unknown".to_owned(), plain)
    };
    let mut revision = entry(&["revision", "git_revision"]);
    if revision.len() >= 40 && revision.chars().take(40).all(|c| c.is_ascii_hexdigit()) {
        revision = format!("{}{}", &revision[..12], &revision[40..]);
    }
    format!("command: {} · revision: {revision}", entry(&["command", "command_line"]))
}

/// A key at the top, or in an object one level below.
fn find<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    map.get(name).or_else(|| map.values().filter_map(Value::as_object).find_map(|inner| inner.get(name)))
}

/// A value in one line.
fn plain(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(values) if values.iter().all(Value::is_string) => {
            values.iter().map(plain).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    };
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((at, _)) => format!("{} …", &text[..at]),
        None => text,
    }
}

fn flatten(prefix: &str, value: &Value, visit: &mut impl FnMut(&str, String)) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flatten(&name, inner, visit);
            }
        }
        other => visit(prefix, plain(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Map<String, Value> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn caption_shortens_the_revision_and_says_what_is_unknown() {
        let provenance = object(
            r#"{"command": ["allocbench", "bench"], "git": {"revision": "0123456789abcdef0123456789abcdef01234567-dirty"}}"#,
        );
        assert_eq!(caption(&provenance), "command: allocbench bench · revision: 0123456789ab-dirty");
        assert_eq!(caption(&Map::new()), "command: unknown · revision: unknown");
    }

    #[test]
    fn nested_provenance_becomes_dotted_lines() {
        let mut lines = Vec::new();
        flatten("", &Value::Object(object(r#"{"cpu": {"model": "x", "cores": 2}}"#)), &mut |key, value| {
            lines.push(format!("{key}={value}"))
        });
        lines.sort();
        assert_eq!(lines, ["cpu.cores=2", "cpu.model=x"]);
    }
}
