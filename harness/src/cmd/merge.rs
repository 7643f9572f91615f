//! `allocbench merge`: the shards of one plan into one result file, with what lies beside them.

use crate::store;
use anyhow::{Result, ensure};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// Arguments of `merge`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Result files of the shards
    #[arg(required = true)]
    pub shards: Vec<PathBuf>,
    /// File to write
    #[arg(short, long)]
    pub out: PathBuf,
}

/// Merges and says the counts.
pub fn run(args: &Args) -> Result<()> {
    let shards: Vec<(PathBuf, Vec<_>)> =
        args.shards.iter().map(|path| Ok((path.clone(), store::read(path)?))).collect::<Result<_>>()?;
    ensure!(
        !args.out.exists() || args.shards.contains(&args.out),
        "{}: exists already; name another file",
        args.out.display()
    );
    let rows = store::merge(&shards)?;
    let provenance = provenance(&args.shards)?;
    let timeline = concatenate(&args.shards, "timeline.csv", true)?;
    let histograms = concatenate(&args.shards, "histograms.jsonl", false)?;
    store::write_atomic(&args.out, &rows)?;
    if let Some(text) = provenance {
        store::write_bytes_atomic(&store::beside(&args.out, "provenance.json"), text.as_bytes())?;
    }
    for (suffix, text) in [("timeline.csv", timeline), ("histograms.jsonl", histograms)] {
        if !text.is_empty() {
            store::write_bytes_atomic(&store::beside(&args.out, suffix), text.as_bytes())?;
        }
    }
    for (path, shard) in &shards {
        println!("{}: {} rows", path.display(), shard.len());
    }
    println!("{}: {} rows of {} shards", args.out.display(), rows.len(), shards.len());
    Ok(())
}

/// What all shards agree on, and under `shards` what each says otherwise.
fn provenance(shards: &[PathBuf]) -> Result<Option<String>> {
    let all: Vec<Map<String, Value>> =
        shards.iter().map(|path| store::read_provenance(path)).collect::<Result<_>>()?;
    let Some(first) = all.first().filter(|_| all.iter().any(|map| !map.is_empty())) else { return Ok(None) };
    let shared = |key: &String, value: &Value| all.iter().all(|map| map.get(key) == Some(value));
    let mut merged: Map<String, Value> =
        first.iter().filter(|(key, value)| shared(key, value)).map(|(k, v)| (k.clone(), v.clone())).collect();
    let mut own = Map::new();
    for (path, map) in shards.iter().zip(&all) {
        let rest: Map<String, Value> = map
            .iter()
            .filter(|(key, value)| !shared(key, value))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        own.insert(path.display().to_string(), Value::Object(rest));
    }
    let left_out: Vec<Value> =
        all.iter().filter_map(|map| map.get("left_out")?.as_array()).flatten().cloned().collect();
    if all.iter().any(|map| map.contains_key("left_out")) {
        merged.insert("left_out".into(), Value::Array(left_out));
    }
    merged.insert("shards".into(), Value::Object(own));
    Ok(Some(serde_json::to_string_pretty(&merged)? + "\n"))
}

fn concatenate(shards: &[PathBuf], suffix: &str, has_head: bool) -> Result<String> {
    let mut merged = String::new();
    for path in shards {
        let text = store::read_text_beside(Path::new(path), suffix)?.unwrap_or_default();
        let complete = &text[..text.rfind('\n').map_or(0, |at| at + 1)];
        let skip_head = has_head && !merged.is_empty();
        let body = if skip_head { complete.split_once('\n').map_or("", |(_, body)| body) } else { complete };
        merged.push_str(body);
    }
    Ok(merged)
}
