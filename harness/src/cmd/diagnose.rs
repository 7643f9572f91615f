//! `allocbench diagnose`: what holds the memory of a process, in one sentence, and what to do about it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Args as ClapArgs;
use serde_json::json;

use crate::diagnose::mitigation::{self, Mitigation};
use crate::diagnose::snapshot::Snapshot;
use crate::diagnose::target::{self, Watch};
use crate::diagnose::verdict::{self, Verdict, mb};
use crate::engine::own_folder;
use crate::scale::cell::{Bench, Loaded};
use crate::scale::row::Row;
use crate::scale::{record, variant};
use crate::tables::{Cell, Table, format::significant, render};
use crate::{interrupt, terminal};

/// Flags of `diagnose`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// A running process
    #[arg(conflicts_with_all = ["cell", "command"])]
    pid: Option<u32>,
    /// A server of `allocbench scale` under this engine, watched during bursts of load
    #[arg(long, value_name = "ENGINE", conflicts_with = "command")]
    cell: Option<String>,
    /// Bursts that the cell gets
    #[arg(long, default_value_t = 6)]
    bursts: u32,
    /// Requests of a burst
    #[arg(long, default_value_t = 200)]
    requests: u64,
    /// Bytes that each request to the cell leaks: shows what a leak looks like
    #[arg(long, default_value_t = 0)]
    leak: usize,
    /// Seconds to watch; a command is ended after them
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Looks in that time
    #[arg(long, default_value_t = 11)]
    looks: u32,
    /// At the end ask the allocator to return memory, and say what it returned; this changes the process
    #[arg(long)]
    trim: bool,
    /// Rows that the figures of mitigations come from [default: results/scaling.csv, else those of the reference run]
    #[arg(long, value_name = "FILE")]
    figures: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// A command to start and watch, behind `--`
    #[arg(last = true)]
    command: Vec<String>,
}

/// What was found.
struct Finding {
    target: String,
    looks: Vec<Snapshot>,
    trimmed_bytes: Option<u64>,
    verdict: Verdict,
    mitigations: Vec<Mitigation>,
    figures_of: String,
}

/// Runs the verb.
pub fn run(args: &Args) -> Result<u8> {
    ensure!(args.looks >= 1, "--looks: 0 looks see nothing; give 1 or more");
    let time = Duration::try_from_secs_f64(args.seconds).context("--seconds: not a time")?;
    let watch = Watch { time, looks: args.looks };
    let (rows, figures_of) = figures(args)?;
    interrupt::listen();
    let (target, looks, trimmed_bytes) = look(args, watch)?;
    let Some(verdict) = verdict::judge(&looks, trimmed_bytes) else {
        bail!("{target}: it ended before it could be looked at; name one that runs for longer");
    };
    let engine = looks.last().and_then(|look| look.heap.as_ref()).map_or("", |heap| heap.engine.as_str());
    let mitigations = mitigation::fitting(verdict.class, engine, &rows);
    let finding = Finding { target, looks, trimmed_bytes, verdict, mitigations, figures_of };
    terminal::say(if args.json { as_json(&finding)? } else { as_text(&finding) })?;
    Ok(if interrupt::requested() { interrupt::EXIT_CODE } else { 0 })
}

fn look(args: &Args, watch: Watch) -> Result<(String, Vec<Snapshot>, Option<u64>)> {
    if let Some(label) = &args.cell {
        return cell(args, label);
    }
    if let Some(pid) = args.pid {
        let looks = target::process(pid, watch)?;
        return Ok((format!("process {pid}"), looks, trim(args, pid)));
    }
    ensure!(!args.command.is_empty(), "nothing to look at: name a process id, --cell ENGINE, or -- COMMAND");
    let started = target::command(&args.command, &own_folder()?)?;
    // The probe answers when the loader has run it.
    std::thread::sleep(Duration::from_millis(200));
    let looks = target::process(started.pid(), watch).unwrap_or_default();
    let trimmed = trim(args, started.pid());
    Ok((format!("command {}", args.command.join(" ")), looks, trimmed))
}

fn trim(args: &Args, pid: u32) -> Option<u64> {
    if !args.trim {
        return None;
    }
    heap_probe::ask(pid, true).ok()?;
    Some(crate::diagnose::smaps::read(pid).ok()?.resident_bytes)
}

/// A server under bursts; a look after each, when nothing is in flight.
fn cell(args: &Args, label: &str) -> Result<(String, Vec<Snapshot>, Option<u64>)> {
    ensure!(args.bursts > 0 && args.requests > 0, "--bursts, --requests: 0 is no load; give 1 or more");
    let folder = own_folder()?;
    let mut engine = variant::choose(label, &folder)?;
    engine.flags.extend(["--leak".into(), args.leak.to_string()]);
    let bench = Bench { folder: &folder, time_limit: Duration::from_secs(120) };
    let loaded = Loaded::start(&bench, &engine, args.requests)?;
    let start = std::time::Instant::now();
    let mut looks = Vec::new();
    for _ in 0..args.bursts {
        loaded.burst()?;
        std::thread::sleep(Duration::from_millis(200));
        looks.push(crate::diagnose::snapshot::take(loaded.pid(), start.elapsed().as_secs_f64())?);
        if interrupt::requested() {
            break;
        }
    }
    let trimmed = trim(args, loaded.pid());
    Ok((
        format!("a server under {label}, after {} bursts of {} requests", looks.len(), args.requests),
        looks,
        trimmed,
    ))
}

/// Rows for the figures, and where they are from.
fn figures(args: &Args) -> Result<(Vec<Row>, String)> {
    let own = PathBuf::from("results/scaling.csv");
    match &args.figures {
        Some(file) => Ok((record::read(file)?, file.display().to_string())),
        None if own.is_file() => Ok((record::read(&own)?, own.display().to_string())),
        None => Ok((
            mitigation::reference_rows(),
            "the reference run (another machine; `make scale` measures yours)".into(),
        )),
    }
}

fn as_json(finding: &Finding) -> Result<String> {
    Ok(serde_json::to_string_pretty(&json!({
        "schema": 1,
        "target": finding.target,
        "verdict": finding.verdict,
        "snapshots": finding.looks,
        "resident_bytes_trimmed": finding.trimmed_bytes,
        "mitigations": finding.mitigations,
        "figures_of": finding.figures_of,
    }))?)
}

fn as_text(finding: &Finding) -> String {
    let mut text = format!("{}\n\n", finding.target);
    if let Some(look) = finding.looks.last() {
        text.push_str(&render::terminal(&resident(look, finding.trimmed_bytes)));
        if let Some(table) = allocator(look) {
            text.push_str(&render::terminal(&table));
        }
    }
    text.push_str(&format!("\n{}\n", finding.verdict.sentence));
    if !finding.mitigations.is_empty() {
        text.push('\n');
        text.push_str(&render::terminal(&todo(finding)));
    }
    text.trim_end().into()
}

/// The kernel's view.
fn resident(look: &Snapshot, trimmed: Option<u64>) -> Table {
    let kinds = &look.kinds;
    let note = format!("{} threads, {:.1} s after the first look", look.threads, look.t_s);
    let mut table = Table::new("Resident memory by kind", note, 1, vec!["kind".into(), "size".into()]);
    for (name, bytes) in [
        ("break heap (glibc's main arena)".to_string(), kinds.break_bytes),
        (format!("{} heaps of glibc's other arenas", kinds.arena_heaps), kinds.arena_bytes),
        ("other anonymous memory".into(), kinds.anonymous_bytes),
        (format!("{} stacks, signal stacks included", kinds.stacks), kinds.stack_bytes),
        ("program and libraries".into(), kinds.file_bytes),
        ("shared memory".into(), kinds.shared_bytes),
        ("all".into(), kinds.resident_bytes),
        ("  of it in huge pages".into(), kinds.huge_page_bytes),
        ("  of it LazyFree".into(), kinds.lazy_bytes),
        ("swapped out".into(), kinds.swap_bytes),
    ] {
        if bytes > 0 {
            table.push(vec![Cell::text(name), Cell::text(mb(bytes as f64))]);
        }
    }
    if let Some(bytes) = trimmed {
        table.push(vec![Cell::text("all, after the trim"), Cell::text(mb(bytes as f64))]);
    }
    table
}

/// The allocator's view.
fn allocator(look: &Snapshot) -> Option<Table> {
    let heap = look.heap.as_ref()?;
    let note = heap.library.clone();
    let title = format!("What {} {} says", heap.engine, heap.version.split('-').next().unwrap_or(""));
    let mut table = Table::new(title.trim_end(), note, 1, vec!["figure".into(), "value".into()]);
    let bytes = [
        ("live, as the program counts", heap.counted_live_bytes),
        ("allocated", heap.allocated_bytes),
        ("in thread caches", heap.thread_cache_bytes),
        ("in arenas, slabs or spans", heap.arena_bytes),
        ("free in them", heap.free_bytes),
        ("at the top, returned by itself", heap.releasable_bytes),
        ("free pages not returned", heap.dirty_bytes),
        ("free pages under MADV_FREE", heap.lazy_bytes),
        ("large blocks with mappings of their own", heap.mapped_large_bytes),
        ("tables of the allocator", heap.metadata_bytes),
    ];
    for (name, value) in bytes {
        if let Some(value) = value {
            table.push(vec![Cell::text(name), Cell::text(mb(value as f64))]);
        }
    }
    if let Some(share) = heap.utilisation() {
        let warning = if share < 0.1 { "  (low)" } else { "" };
        table.push(vec![Cell::text("utilisation"), Cell::text(format!("{:.1} %{warning}", share * 100.0))]);
    }
    for (name, value) in [("arenas", heap.arenas), ("free chunks", heap.free_chunks)] {
        if let Some(value) = value {
            table.push(vec![Cell::text(name), Cell::text(value.to_string())]);
        }
    }
    for (name, value) in &heap.extra {
        table.push(vec![Cell::text(name.as_str()), Cell::text(value.to_string())]);
    }
    Some(table)
}

/// What fits.
fn todo(finding: &Finding) -> Table {
    let head = ["what", "set", "RSS", "RSS, 2 s idle", "throughput", "note"];
    let note = format!("Ratios to glibc under `allocbench scale`; from {}", finding.figures_of);
    let mut table = Table::new("What fits", note, 2, head.map(String::from).to_vec());
    let ratio = |value: Option<f64>| Cell::figure(value, |value| format!("× {}", significant(value)));
    for found in &finding.mitigations {
        table.push(vec![
            Cell::text(found.what.as_str()),
            Cell::text(found.set.as_str()),
            ratio(found.resident_ratio),
            ratio(found.idle_ratio),
            ratio(found.throughput_ratio),
            Cell::text(found.note.as_str()),
        ]);
    }
    table
}
