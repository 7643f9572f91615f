//! The resident set over time, from `bench.timeline.csv`.
//!
//! Columns: engine, workload, threads, block, t_ns, resident_bytes, phase. One block is drawn, the lowest that an
//! engine has: a median of curves whose phases end at different times would show a program that never ran.

use anyhow::{Result, ensure};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Points of one line in a figure; more cannot be told apart.
const POINTS_MAX: usize = 240;
/// Samples that are read.
const SAMPLES_MAX: usize = 5_000_000;

/// Block and samples of each engine, by workload and threads.
type Runs = BTreeMap<(String, u32), BTreeMap<String, (u32, Vec<Sample>)>>;

#[derive(Debug, Deserialize)]
struct Sample {
    engine: String,
    workload: String,
    threads: u32,
    pass: String,
    block: u32,
    t_ns: u64,
    resident_bytes: u64,
    #[serde(default)]
    phase: String,
    #[serde(default)]
    live_bytes: Option<u64>,
}

/// One engine's run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// Block it is from.
    pub block: u32,
    /// Seconds and MiB.
    pub points: Vec<(f64, f64)>,
    /// Seconds and MiB of live bytes, where the run could tell.
    pub live: Vec<(f64, f64)>,
    /// Where a phase begins, seconds, and its name.
    pub phases: Vec<(f64, String)>,
}

/// Curves by workload, threads and engine.
pub type Timeline = BTreeMap<(String, u32), BTreeMap<String, Curve>>;

/// Reads the samples; `name` stands in errors. An incomplete last line is passed over.
pub fn parse(text: &str, name: &str) -> Result<Timeline> {
    let complete = &text[..text.rfind('\n').map_or(0, |at| at + 1)];
    let mut runs = Runs::new();
    let mut reader = csv::Reader::from_reader(complete.as_bytes());
    let headers = reader.headers().cloned().unwrap_or_default();
    for (at, sample) in reader.deserialize::<Sample>().enumerate() {
        ensure!(
            at < SAMPLES_MAX,
            "{name}: more than {SAMPLES_MAX} samples; delete the file or sample less often"
        );
        let sample = sample.map_err(|error| crate::store::explain(name, Some(&headers), error))?;
        // The drain pass samples too, over other seconds; its figures are in the table.
        if sample.pass != "memory" {
            continue;
        }
        let place = (sample.workload.clone(), sample.threads);
        let run = runs
            .entry(place)
            .or_default()
            .entry(sample.engine.clone())
            .or_insert_with(|| (sample.block, Vec::new()));
        if sample.block < run.0 {
            *run = (sample.block, Vec::new());
        }
        if sample.block == run.0 {
            run.1.push(sample);
        }
    }
    let curves = |engines: BTreeMap<String, (u32, Vec<Sample>)>| {
        engines.into_iter().map(|(engine, (block, samples))| (engine, curve(block, samples))).collect()
    };
    Ok(runs.into_iter().map(|(place, engines)| (place, curves(engines))).collect())
}

fn curve(block: u32, mut samples: Vec<Sample>) -> Curve {
    samples.sort_by_key(|sample| sample.t_ns);
    let mut found = Curve { block, ..Curve::default() };
    let mut phase = None;
    // Of each stretch the highest sample is kept, so that no peak is lost.
    for stretch in samples.chunks(samples.len().div_ceil(POINTS_MAX).max(1)) {
        for sample in stretch {
            if !sample.phase.is_empty() && phase != Some(&sample.phase) {
                found.phases.push((sample.t_ns as f64 / 1e9, sample.phase.clone()));
                phase = Some(&sample.phase);
            }
        }
        if let Some(top) = stretch.iter().max_by_key(|sample| sample.resident_bytes) {
            found.points.push((top.t_ns as f64 / 1e9, top.resident_bytes as f64 / f64::from(1 << 20)));
            if let Some(live_bytes) = top.live_bytes {
                found.live.push((top.t_ns as f64 / 1e9, live_bytes as f64 / f64::from(1 << 20)));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lowest_block_is_kept_with_its_phases_and_peaks() {
        let mut text = String::from("engine,workload,threads,pass,block,t_ns,resident_bytes,phase\n");
        for block in [1, 0] {
            for t in 0..1000 {
                let bytes = if t == 777 { 64 << 20 } else { 1 << 20 };
                text += &format!(
                    "ace,phases,1,memory,{block},{},{bytes},{}\n",
                    t * 1_000_000,
                    if t < 500 { "burst" } else { "idle" }
                );
            }
        }
        text += "ace,phases,1,drain,0,5000000000,7,\n";
        text += "ace,phases,1,memory,0,99";
        let timeline = parse(&text, "t").unwrap();
        let curve = &timeline[&("phases".to_owned(), 1)]["ace"];
        assert_eq!((curve.block, curve.phases.len()), (0, 2));
        assert_eq!(curve.phases[1], (0.5, "idle".to_owned()));
        assert!(curve.points.len() <= POINTS_MAX && curve.points.iter().any(|point| point.1 == 64.0));
    }

    #[test]
    fn a_broken_sample_names_the_file() {
        let error = parse(
            "engine,workload,threads,pass,block,t_ns,resident_bytes,phase\na,w,x,memory,0,1,2,\n",
            "t.csv",
        )
        .unwrap_err();
        assert!(error.to_string().starts_with("t.csv: ") && error.to_string().contains("threads"), "{error}");
    }
}
