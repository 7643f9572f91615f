//! `allocbench-cell`: measures one cell and says what it found.
//!
//! `allocbench-cell engines` lists the engines of this binary; `allocbench-cell run` reads one request from standard
//! input and writes one reply to standard output; `allocbench-cell serve` makes many runs of one workload. Started by `allocbench`; people can start it to debug an engine.

mod latency;
mod measure;
mod raw;
mod resources;
mod serve;
mod timeline;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::ExitCode;

use cell::wire::{ListedEngine, Listing, Request};

/// Longest request read, bytes.
const REQUEST_MAX: u64 = 4 << 20;

fn main() -> ExitCode {
    let verb = std::env::args().nth(1).unwrap_or_default();
    let done = match verb.as_str() {
        "engines" => list(),
        "run" => run(),
        "serve" => serve_runs(),
        _ => Err(
            "usage: allocbench-cell engines | run < request.json | serve < lines (see `allocbench --help`)"
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
    print(&measure::measure(&parse(&text)?))
}

fn serve_runs() -> Result<(), String> {
    let mut input = BufReader::new(std::io::stdin());
    let mut line = String::new();
    let read = input.by_ref().take(REQUEST_MAX).read_line(&mut line);
    read.map_err(|error| format!("standard input: {error}"))?;
    serve::serve(&parse(&line)?, input, std::io::stdout())
}

fn parse(text: &str) -> Result<Request, String> {
    serde_json::from_str(text).map_err(|error| format!("the request is not valid: {error}"))
}

fn print(value: &impl serde::Serialize) -> Result<(), String> {
    let text = serde_json::to_string(value).map_err(|error| error.to_string())?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(|error| format!("standard output: {error}"))
}
