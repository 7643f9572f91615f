//! `allocbench cmp`: the ratios between two result files, or between two engines of one file.
//!
//! Two engines of one run are paired within blocks. Two files were measured at different times, so nothing pairs
//! them and the unpaired interval is used, which is wider and knows nothing of drift between the runs.

use crate::analysis::dataset::Place;
use crate::analysis::metric::{self, METRICS};
use crate::analysis::{Dataset, Metric, Ratio, verdict};
use crate::store;
use crate::tables::format::{ratio_interval, with_unit};
use crate::tables::{Cell, Mark, Table, render};
use anyhow::{Context, Result, bail, ensure};
use std::path::PathBuf;

/// Metrics that are compared when none is asked for.
const DEFAULT: [&str; 6] = [
    "ops_per_s",
    "alloc_ns_p99",
    "free_ns_p99",
    "resident_bytes_peak",
    "usable_per_requested",
    "instructions_per_op",
];

/// Arguments of `cmp`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Two result files; with --engines one [default: results/bench.csv]
    #[arg(num_args = 0..=2)]
    pub files: Vec<PathBuf>,
    /// Two engines of one file, CANDIDATE,REFERENCE
    #[arg(long, value_delimiter = ',', value_name = "CANDIDATE,REFERENCE")]
    pub engines: Vec<String>,
    /// Metrics to compare, or `all`
    #[arg(long, value_delimiter = ',')]
    pub metrics: Vec<String>,
    /// Write JSON
    #[arg(long, conflicts_with = "markdown")]
    pub json: bool,
    /// Write Markdown
    #[arg(long)]
    pub markdown: bool,
}

/// One ratio.
struct Line {
    engine: String,
    place: Place,
    metric: &'static Metric,
    medians: (f64, f64),
    ratio: Ratio,
}

/// Compares and prints.
pub fn run(args: &Args) -> Result<()> {
    print!("{}", compare(args)?);
    Ok(())
}

/// The comparison as text in the form that was asked for.
pub fn compare(args: &Args) -> Result<String> {
    let metrics = metrics(&args.metrics)?;
    let (lines, title) =
        if args.engines.is_empty() { two_files(args, &metrics)? } else { two_engines(args, &metrics)? };
    let said = pairing(&lines);
    if args.json {
        return json(&lines, &title, &said);
    }
    let table = table(&lines, title, said);
    Ok(if args.markdown { render::markdown(&table) } else { render::terminal(&table) })
}

fn metrics(names: &[String]) -> Result<Vec<&'static Metric>> {
    match names {
        [] => Ok(DEFAULT.iter().map(|name| metric::metric(name)).collect()),
        [all] if all == "all" => Ok(METRICS.iter().collect()),
        names => names
            .iter()
            .map(|name| {
                let known = || METRICS.iter().map(|metric| metric.name).collect::<Vec<_>>().join(", ");
                metric::find(name)
                    .with_context(|| format!("no metric is called `{name}`; there are {}", known()))
            })
            .collect(),
    }
}

fn two_engines(args: &Args, metrics: &[&'static Metric]) -> Result<(Vec<Line>, String)> {
    let [candidate, reference] = args.engines.as_slice() else {
        bail!("--engines takes two names, CANDIDATE,REFERENCE")
    };
    ensure!(args.files.len() <= 1, "--engines compares within one file; name one file alone");
    let path = args.files.first().cloned().unwrap_or_else(|| "results/bench.csv".into());
    let data = Dataset::new(store::read(&path)?);
    for engine in [candidate, reference] {
        ensure!(
            data.engines().contains(engine),
            "{}: has no engine `{engine}`; there are {}",
            path.display(),
            data.engines().join(", ")
        );
    }
    let mut lines = Vec::new();
    for place in data.places() {
        for &metric in metrics {
            let side = |engine: &str| data.summary(metric, engine, &place.workload, place.threads);
            let found = data.ratio(metric, candidate, reference, &place.workload, place.threads);
            let (Some(a), Some(b), Some(ratio)) = (side(candidate), side(reference), found) else { continue };
            lines.push(Line {
                engine: candidate.clone(),
                place: place.clone(),
                metric,
                medians: (a.median, b.median),
                ratio,
            });
        }
    }
    Ok((lines, format!("{candidate} / {reference}, {}", path.display())))
}

fn two_files(args: &Args, metrics: &[&'static Metric]) -> Result<(Vec<Line>, String)> {
    let [old, new] = args.files.as_slice() else {
        bail!("name two result files, or one with --engines CANDIDATE,REFERENCE")
    };
    let (a, b) = (Dataset::new(store::read(old)?), Dataset::new(store::read(new)?));
    let mut lines = Vec::new();
    for place in b.places() {
        for engine in b.engines() {
            for &metric in metrics {
                let values = |data: &Dataset| -> Vec<f64> {
                    data.samples(metric, engine, &place.workload, place.threads)
                        .into_iter()
                        .map(|(_, value)| value)
                        .collect()
                };
                let side = |data: &Dataset| data.summary(metric, engine, &place.workload, place.threads);
                let (Some(from), Some(to), Some(ratio)) =
                    (side(&a), side(&b), Ratio::unpaired(&values(&b), &values(&a)))
                else {
                    continue;
                };
                lines.push(Line {
                    engine: engine.clone(),
                    place: place.clone(),
                    metric,
                    medians: (to.median, from.median),
                    ratio,
                });
            }
        }
    }
    Ok((lines, format!("{} / {}", new.display(), old.display())))
}

fn pairing(lines: &[Line]) -> String {
    let paired = lines.iter().filter(|line| line.ratio.paired).count();
    match (lines.len(), paired) {
        (0, _) => "Nothing is measured on both sides.".into(),
        (all, paired) if all == paired => "Paired within blocks.".into(),
        (_, 0) => "Not paired: the sides share no blocks, so drift between them is not cancelled.".into(),
        (all, paired) => format!("{paired} of {all} ratios are paired within blocks; the others are not."),
    }
}

fn judgement(line: &Line) -> &'static str {
    match (verdict::surely_better(line.metric, &line.ratio), verdict::surely_worse(line.metric, &line.ratio))
    {
        (true, _) => "better",
        (_, true) => "worse",
        _ => "undecided",
    }
}

fn table(lines: &[Line], title: String, note: String) -> Table {
    let head =
        ["engine", "workload", "threads", "metric", "first", "second", "first / second", "n", "judgement"];
    let mut table = Table::new(title, note, 4, head.map(str::to_owned).into());
    for line in lines {
        let judged = judgement(line);
        table.push(vec![
            Cell::text(&line.engine),
            Cell::text(&line.place.workload),
            Cell::text(line.place.threads.to_string()),
            Cell::text(line.metric.label),
            Cell::number(with_unit(line.metric, line.medians.0), line.medians.0),
            Cell::number(with_unit(line.metric, line.medians.1), line.medians.1),
            Cell::number(ratio_interval(&line.ratio), line.ratio.median),
            Cell::text(line.ratio.n.to_string()),
            Cell::text(judged).marked(if judged == "worse" { Mark::Worse } else { Mark::Plain }),
        ]);
    }
    table
}

fn json(lines: &[Line], title: &str, said: &str) -> Result<String> {
    let entries: Vec<serde_json::Value> = lines
        .iter()
        .map(|line| {
            let interval = line.ratio.interval;
            serde_json::json!({
                "engine": line.engine,
                "workload": line.place.workload,
                "threads": line.place.threads,
                "metric": line.metric.name,
                "first_median": line.medians.0,
                "second_median": line.medians.1,
                "ratio": line.ratio.median,
                "ratio_low": interval.map(|found| found.low),
                "ratio_high": interval.map(|found| found.high),
                "confidence": interval.map(|found| found.confidence),
                "n": line.ratio.n,
                "paired": line.ratio.paired,
                "judgement": judgement(line),
            })
        })
        .collect();
    let all = serde_json::json!({ "comparison": title, "pairing": said, "ratios": entries });
    Ok(serde_json::to_string_pretty(&all)? + "\n")
}
