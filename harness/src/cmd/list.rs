//! `allocbench list`: engines (built or not) and workloads, as tables or JSON.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args as ClapArgs;
use comfy_table::{ContentArrangement, Table, presets};
use engines::catalog::CATALOG;
use workloads::catalog;

use crate::engine::Shelf;
use crate::terminal;

/// Flags of `list`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// TOML file with workloads of your own, listed too; may be given several times
    #[arg(long, value_name = "FILE")]
    workload_file: Vec<PathBuf>,
    /// Print JSON: engines with versions, workloads with every parameter
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub fn run(args: &Args) -> Result<()> {
    let shelf = Shelf::open()?;
    let mut workloads = catalog::builtin();
    for file in &args.workload_file {
        workloads.extend(catalog::load(file).map_err(anyhow::Error::msg)?);
    }
    if args.json {
        let engines: Vec<_> = CATALOG.iter().map(|entry| describe(entry, &shelf)).collect();
        return terminal::say(serde_json::json!({ "engines": engines, "workloads": workloads }));
    }
    let mut table = table(&["engine", "version", "what it is"]);
    for entry in CATALOG {
        let built = shelf.all().find(|(engine, _)| engine.name == entry.name);
        let version = built.map_or_else(
            || format!("not built (feature {})", entry.feature),
            |(engine, _)| engine.version.clone(),
        );
        table.add_row([entry.name, &version, entry.about]);
    }
    terminal::say(format_args!("{table}\n"))?;
    let mut table = self::table(&["workload", "group", "what it does"]);
    for workload in &workloads {
        table.add_row([&workload.name, &workload.group, &workload.about]);
    }
    terminal::say(format_args!(
        "{table}\n\nEvery parameter of a workload: allocbench list --json. Workloads of your own: --workload-file FILE.toml (see docs/METHODOLOGY.md)."
    ))
}

fn describe(entry: &engines::Entry, shelf: &Shelf) -> serde_json::Value {
    let built = shelf.all().find(|(engine, _)| engine.name == entry.name);
    serde_json::json!({
        "name": entry.name,
        "about": entry.about,
        "feature": entry.feature,
        "built": built.is_some(),
        "version": built.map(|(engine, _)| &engine.version),
        "binary": built.map(|(_, path)| path),
    })
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    table
}
