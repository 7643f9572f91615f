//! `allocbench exec`: a command under every engine, interleaved, and which engine fits it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::exec::target::{self, Target};
use crate::exec::verdict::{self, Figure, Runs};
use crate::exec::{Found, Request, cell, figures, table};
use crate::tables::{format::mebibytes, render};
use crate::{interrupt, machine, schedule, store, terminal};

/// Flags of `exec`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Engines, comma-separated; the first is what the others are compared with. Variants: system+MALLOC_ARENA_MAX=2,
    /// jemalloc+background_thread [default: system and every library that is built]
    #[arg(long, value_delimiter = ',')]
    pub engines: Vec<String>,
    /// Add an engine: any library that can be preloaded; may be given several times
    #[arg(long, value_name = "NAME=PATH")]
    pub preload: Vec<String>,
    /// Runs of each engine
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub reps: u32,
    /// MiB that the command may have resident; each engine's survival is reported
    #[arg(long, value_name = "MIB")]
    pub memory_limit: Option<u64>,
    /// Seconds that one run may take
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    pub time_limit: u64,
    /// Do not compare standard output: the command prints times or addresses
    #[arg(long)]
    pub any_output: bool,
    /// Base seed of the order of runs
    #[arg(long, default_value_t = 42)]
    pub seed: u64,
    /// Folder for runs.csv, summary.md and plots
    #[arg(long, default_value = "results/exec", value_name = "FOLDER")]
    pub out: PathBuf,
    /// The command and its arguments
    #[arg(last = true, required = true)]
    pub command: Vec<String>,
}

/// Runs the verb.
pub fn run(args: &Args) -> Result<u8> {
    let program = Path::new(&args.command[0]);
    if let Some(obstacle) = target::obstacle(program)? {
        bail!("{}: {obstacle}; only the C library could be measured", program.display());
    }
    let targets = targets(args)?;
    std::fs::create_dir_all(&args.out).with_context(|| {
        format!("--out: {} cannot be created; name a folder that can be written", args.out.display())
    })?;
    interrupt::listen();
    let found = measure(args, &targets)?;
    let rows: Vec<Runs> = targets
        .iter()
        .zip(found)
        .map(|(target, found)| Runs {
            label: target.label.clone(),
            library: target.library.as_ref().map(|path| path.display().to_string()),
            found,
        })
        .collect();
    ensure!(rows.iter().all(|runs| !runs.found.is_empty()), "interrupted before every engine had run once");
    write(args, &targets, &rows)?;
    Ok(if interrupt::requested() { interrupt::EXIT_CODE } else { 0 })
}

fn targets(args: &Args) -> Result<Vec<Target>> {
    let mut targets = Vec::new();
    if args.engines.is_empty() {
        for name in target::DEFAULT {
            match Target::choose(name) {
                Ok(target) => targets.push(target),
                Err(error) => eprintln!("allocbench: left out: {error:#}"),
            }
        }
    }
    for word in args.engines.iter().chain(&args.preload).filter(|word| !word.trim().is_empty()) {
        targets.push(Target::choose(word.trim())?);
    }
    for (index, target) in targets.iter().enumerate() {
        ensure!(
            targets[..index].iter().all(|other| other.label != target.label),
            "engine '{}' is named twice; name it once",
            target.label
        );
    }
    Ok(targets)
}

/// Blocks of one run an engine, in balanced random order; by engine, in blocks.
fn measure(args: &Args, targets: &[Target]) -> Result<Vec<Vec<Found>>> {
    let mut found: Vec<Vec<Found>> = vec![Vec::new(); targets.len()];
    let progress = indicatif::ProgressBar::new(u64::from(args.reps) * targets.len() as u64);
    'blocks: for block in 0..args.reps {
        let mut of_block = vec![None; targets.len()];
        for index in schedule::block_order(targets.len(), args.seed, "exec", block) {
            let target = &targets[index];
            progress.set_message(target.label.clone());
            let request = Request {
                command: args.command.clone(),
                libraries: target.library.iter().cloned().collect(),
                env: target.env.clone(),
                memory_limit_bytes: args.memory_limit.map(|mib| mib << 20),
                time_limit_s: args.time_limit,
            };
            of_block[index] = Some(cell::measure_apart(&request)?);
            progress.inc(1);
            if interrupt::requested() {
                break 'blocks;
            }
        }
        // Whole blocks alone: runs of one block are paired.
        for (all, one) in found.iter_mut().zip(of_block) {
            all.extend(one);
        }
    }
    progress.finish_and_clear();
    Ok(found)
}

fn write(args: &Args, targets: &[Target], rows: &[Runs]) -> Result<()> {
    let compare = !args.any_output;
    let table = table::table(rows, compare);
    let command = args.command.join(" ");
    let revision = machine::revision().unwrap_or_else(|| "unknown".into());
    let caption = format!("{}   revision {revision}", std::env::args().collect::<Vec<_>>().join(" "));
    let advice = advice(args, targets, rows);
    let limit =
        rows.iter().find_map(|runs| runs.found.first()).map(|found| found.limit.clone()).unwrap_or_default();
    let limit = args.memory_limit.map(|mib| format!("Limit: {mib} MiB by {limit}.\n\n")).unwrap_or_default();
    let summary = format!(
        "# {}\n\n{} runs of each engine, interleaved; × are paired ratios to {} with intervals.\n\n{limit}{}\n{advice}\n\n{}\n",
        render::escape_markdown(&command.chars().take(200).collect::<String>()),
        rows.first().map_or(0, |runs| runs.found.len()),
        rows.first().map_or("", |runs| &runs.label),
        render::markdown(&table),
        render::escape_markdown(&caption)
    );
    store::write_bytes_atomic(&args.out.join("runs.csv"), table::csv(rows).as_bytes())?;
    store::write_bytes_atomic(&args.out.join("timeline.csv"), table::timeline_csv(rows).as_bytes())?;
    store::write_bytes_atomic(&args.out.join("summary.md"), summary.as_bytes())?;
    terminal::say(render::terminal(&table))?;
    terminal::say(format!("{limit}{advice}"))?;
    let drawn = figures::all(rows, &command, &caption);
    terminal::say(super::plot::write(&drawn, &args.out.join("plots"))?)
}

/// The choice, and the lines that make it.
fn advice(args: &Args, targets: &[Target], rows: &[Runs]) -> String {
    let Some(verdict) = verdict::choose(rows, !args.any_output) else { return String::new() };
    let mut text = format!("Choice: {}: {}.", verdict.choice, verdict.because);
    let least = |figure: Figure| {
        let of = |runs: &&Runs| runs.median(figure).unwrap_or(f64::MAX);
        rows.iter().min_by(|a, b| of(a).total_cmp(&of(b)))
    };
    if let (Some(fast), Some(lean)) = (least(Figure::Wall), least(Figure::Resident)) {
        text += &format!(
            "\nFastest by median: {}. Leanest: {} with {} MiB.",
            fast.label,
            lean.label,
            mebibytes(lean.median(Figure::Resident).unwrap_or(0.0))
        );
    }
    let settings = targets
        .iter()
        .find(|target| target.label == verdict.choice)
        .map(Target::settings)
        .unwrap_or_default();
    if !settings.is_empty() {
        let unit: Vec<String> = settings.iter().map(|(name, value)| format!("\"{name}={value}\"")).collect();
        let image: Vec<String> = settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        text +=
            &format!("\nUnit file:   Environment={}\nDockerfile:  ENV {}", unit.join(" "), image.join(" "));
        text += "\n(install the library where the service can read it, and name that path)";
    }
    text
}
