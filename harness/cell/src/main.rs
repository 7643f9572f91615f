//! `allocbench-cell`: measures one cell and says what it found.
//!
//! `allocbench-cell engines` lists the engines of this binary; `allocbench-cell run` reads one request from standard
//! input and writes one reply to standard output. Started by `allocbench`; people can start it to debug an engine.

mod latency;
mod measure;
mod raw;
mod repeat;
mod resources;
mod timeline;

use std::io::{Read, Write};
use std::process::ExitCode;

use cell::wire::{ListedEngine, Listing, Request};

/// Longest request read, bytes.
const REQUEST_MAX: u64 = 4 << 20;

fn main() -> ExitCode {
    let verb = std::env::args().nth(1).unwrap_or_default();
    let done = match verb.as_str() {
        "engines" => list(),
        "run" => run(),
        _ => Err(
            "usage: allocbench-cell engines | allocbench-cell run < request.json (see `allocbench --help`)"
                .into(),
        ),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("allocbench-cell: {message}");
            ExitCode::from(2)
        }
    }
}

fn list() -> Result<(), String> {
    let engines = engines::built()
        .filter_map(|entry| {
            let engine = entry.instance?();
            Some(ListedEngine { name: entry.name.into(), version: engine.version() })
        })
        .collect();
    print(&Listing { build_id: cell::BUILD_ID.into(), compiler: cell::COMPILER.into(), engines })
}

fn run() -> Result<(), String> {
    let mut text = String::new();
    std::io::stdin()
        .take(REQUEST_MAX)
        .read_to_string(&mut text)
        .map_err(|error| format!("standard input: {error}"))?;
    let request: Request =
        serde_json::from_str(&text).map_err(|error| format!("the request is not valid: {error}"))?;
    print(&measure::measure(&request))
}

fn print(value: &impl serde::Serialize) -> Result<(), String> {
    let text = serde_json::to_string(value).map_err(|error| error.to_string())?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(|error| format!("standard output: {error}"))
}
