//! `allocbench scale`: serving memory of every engine, with the published tables beside ours.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args as ClapArgs;

use crate::engine::own_folder;
use crate::scale::campaign::Campaign;
use crate::scale::plan::{self, Size, Test, Wish};
use crate::scale::record::{self, Provenance, Record, Settings};
use crate::scale::row::Row;
use crate::scale::variant::{self, Variant};
use crate::scale::{figures, tables};
use crate::tables::render;
use crate::{args, cmd, interrupt, machine, store, terminal};

/// Flags of `scale`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// How much is sent
    #[arg(long, value_enum, default_value_t = Size::Default)]
    size: Size,
    /// Tests, comma-separated [default: all]
    #[arg(long, value_enum, value_delimiter = ',')]
    tests: Vec<Test>,
    /// Engines, comma-separated, for every test [default: those of each test]
    #[arg(long, value_delimiter = ',')]
    engines: Vec<String>,
    /// Add an engine: a library loaded by LD_PRELOAD; may be given several times
    #[arg(long, value_name = "NAME=PATH")]
    preload: Vec<String>,
    /// Requests in flight of the concurrency test, comma-separated
    #[arg(long, value_delimiter = ',')]
    concurrency: Vec<u64>,
    /// Bytes of a body, comma-separated: 1024, 204800
    #[arg(long, value_delimiter = ',')]
    payloads: Vec<u64>,
    /// Requests of a cell, but for the test of requests
    #[arg(long)]
    requests: Option<u64>,
    /// Requests a second of the latency test
    #[arg(long)]
    rate: Option<f64>,
    /// Blocks of every test: each holds every engine once
    #[arg(long)]
    blocks: Option<u32>,
    /// Seed of the order of cells
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Folder for results; plots go to `plots` beside it
    #[arg(long, default_value = "results", value_name = "FOLDER")]
    out: PathBuf,
    /// Measure only part I of N of the plan; join the parts with --report
    #[arg(long, value_name = "I/N")]
    shard: Option<String>,
    /// Go on with the run whose results are in the output folder
    #[arg(long)]
    resume: bool,
    /// Start no cell that would end after this time; go on with --resume
    #[arg(long, value_name = "SECONDS")]
    stop_after: Option<u64>,
    /// Longest load of one cell
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    time_limit: u64,
    /// Measure nothing: write tables and plots of these result files
    #[arg(long, value_name = "FILE", num_args = 1..)]
    report: Vec<PathBuf>,
    /// Print the rows as JSON on standard output
    #[arg(long)]
    json: bool,
}

/// Runs the verb. The exit code is that of an interrupted run where it was.
pub fn run(args: &Args) -> Result<u8> {
    if !args.report.is_empty() {
        return report(args).map(|()| 0);
    }
    let wish = wish(args)?;
    let (variants, left_out) = engines(args)?;
    let points = plan::points(args.size, &wish);
    ensure!(
        !points.is_empty(),
        "--payloads: no test has a payload of {:?} bytes; known are 1024 and 204800",
        args.payloads
    );
    let shard = args::shard(args.shard.as_deref())?;
    let settings = Settings {
        size: args.size,
        wish,
        engines: variants.iter().map(|variant| variant.label.clone()).collect(),
        seed: args.seed,
        shard,
    };
    let libraries: BTreeMap<String, String> = variants
        .iter()
        .map(|variant| {
            let library = variant.library.as_ref().map_or("glibc".into(), |path| path.display().to_string());
            (variant.label.clone(), library)
        })
        .collect();
    let mut record = Record::open(&args.out, settings, left_out, libraries, args.resume)?;
    interrupt::listen();
    let folder = programs()?;
    let campaign = Campaign {
        points: &points,
        variants: &variants,
        named: !args.engines.is_empty(),
        seed: args.seed,
        shard,
        folder: &folder,
        time_limit: Duration::from_secs(args.time_limit),
        stop_after: args.stop_after.map(Duration::from_secs),
    };
    let left = campaign.run(&mut record)?;
    if left == 0 {
        record.provenance.finished = machine::utc_now();
    }
    record.save()?;
    finish(args, &record, left)
}

fn finish(args: &Args, record: &Record, left: usize) -> Result<u8> {
    if left > 0 {
        eprintln!("allocbench: {left} cells are left; go on with the same flags and --resume");
    }
    if record.rows.iter().any(Row::is_ok) {
        let timeline = record::read_timeline(&record.csv());
        write(args, &record.rows, &timeline, &record.provenance)?;
    }
    let first = record.rows.first();
    ensure!(
        record.rows.is_empty() || record.rows.iter().any(Row::is_ok),
        "no cell could be measured: {}",
        first.map_or("", |row| row.detail.as_str())
    );
    Ok(if interrupt::requested() { interrupt::EXIT_CODE } else { 0 })
}

fn wish(args: &Args) -> Result<Wish> {
    ensure!(args.blocks != Some(0), "--blocks: 0 blocks measure nothing; give 1 or more");
    ensure!(args.requests != Some(0), "--requests: 0 is nothing to send; give 1 or more");
    for &count in &args.concurrency {
        ensure!((1..=900).contains(&count), "--concurrency: {count} is outside 1 to 900");
    }
    if let Some(rate) = args.rate {
        ensure!(rate > 0.0 && rate <= 1e5, "--rate: {rate} is outside 0 to 100000 requests a second");
    }
    Ok(Wish {
        tests: args.tests.clone(),
        concurrency: args.concurrency.clone(),
        payloads: args.payloads.clone(),
        requests: args.requests,
        rate_per_s: args.rate,
        blocks: args.blocks,
    })
}

/// The engines asked for; of the default ones those that are installed, and what is missing.
fn engines(args: &Args) -> Result<(Vec<Variant>, Vec<String>)> {
    let folder = programs()?;
    let (mut variants, mut left_out) = (Vec::new(), Vec::new());
    if args.engines.is_empty() {
        for label in variant::labels() {
            match variant::choose(label, &folder) {
                Ok(found) => variants.push(found),
                Err(error) => left_out.push(format!("{error:#}")),
            }
        }
        left_out.iter().for_each(|line| eprintln!("allocbench: left out: {line}"));
    }
    for label in &args.engines {
        variants.push(variant::choose(label.trim(), &folder)?);
    }
    for word in &args.preload {
        variants.push(variant::preload(word)?);
    }
    for (at, found) in variants.iter().enumerate() {
        let twice = variants[..at].iter().any(|earlier| earlier.label == found.label);
        ensure!(!twice, "--engines: '{}' is named twice", found.label);
    }
    Ok((variants, left_out))
}

/// The folder of this program, where server and client must lie.
fn programs() -> Result<PathBuf> {
    let folder = own_folder()?;
    for name in ["allocbench-serve", "allocbench-load"] {
        ensure!(
            folder.join(name).is_file(),
            "{name} is missing in {}, beside this program; build the workspace first: make build",
            folder.display()
        );
    }
    Ok(folder)
}

/// Tables and plots of files that were measured before.
fn report(args: &Args) -> Result<()> {
    let (mut rows, mut timeline) = (Vec::new(), Vec::new());
    for file in &args.report {
        let more = record::read(file)?;
        for row in &more {
            let twice = rows.iter().any(|known: &Row| known.key() == row.key());
            ensure!(!twice, "--report: {} has a cell that another file has too", file.display());
        }
        rows.extend(more);
        timeline.extend(record::read_timeline(file));
    }
    ensure!(rows.iter().any(Row::is_ok), "--report: the files hold no cell with figures");
    let provenance = record::read_provenance(&args.report[0])?;
    write(args, &rows, &timeline, &provenance)
}

fn write(args: &Args, rows: &[Row], timeline: &[record::Reading], provenance: &Provenance) -> Result<()> {
    let cpus = provenance.machine.get("cpus").map_or("?", String::as_str);
    let model = provenance.machine.get("cpu_model").map_or("unknown CPU", String::as_str);
    let caption = format!(
        "revision {} · {cpus} × {model} · {} · {}",
        provenance.revision,
        provenance.started,
        provenance.commands.join("; ")
    );
    let found = tables::all(rows);
    let mut page = format!("# Serving memory\n\n{}\n\n", render::escape_markdown(&caption));
    for line in &provenance.left_out {
        page.push_str(&format!("Left out: {line}\n\n"));
    }
    for table in &found {
        page.push_str(&render::markdown(table));
        page.push('\n');
    }
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("--out: {} cannot be created", args.out.display()))?;
    let file = args.out.join("scaling.md");
    store::write_bytes_atomic(&file, page.as_bytes())?;
    let plots = args.out.parent().unwrap_or(Path::new("")).join("plots");
    let drawn = cmd::plot::write(&figures::all(rows, timeline, &caption), &plots)?;
    if args.json {
        return terminal::say(serde_json::to_string(rows)?);
    }
    for table in &found {
        terminal::say(render::terminal(table))?;
    }
    terminal::say(format!("{} and {drawn}", file.display()))
}
