//! From a configuration and the wanted metrics to what is run: one contest a workload and pass.

use anyhow::{Context, Result, ensure};
use cell::wire::Pass;
use workloads::catalog;
use workloads::spec::Workload;

use crate::gate::config::{Config, Entry};
use crate::gate::course::{Contest, Recorded};
use crate::gate::figures::{self, GateMetric};
use crate::gate::measure::Bench;

/// The comparisons of a configuration: each workload with those of the wanted metrics that it takes.
pub fn contests(config: &Config, wanted: &[&'static GateMetric]) -> Result<Vec<Contest>> {
    let mut contests = Vec::new();
    for entry in &config.workload {
        let metrics: Vec<&'static GateMetric> = entry
            .metrics
            .iter()
            .map(|name| figures::find(name))
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .filter(|metric| wanted.contains(metric))
            .collect();
        for pass in Pass::ALL {
            let metrics: Vec<_> = metrics.iter().copied().filter(|metric| metric.pass == pass).collect();
            if !metrics.is_empty() {
                contests.push(contest(config, entry, pass, metrics)?);
            }
        }
    }
    for metric in wanted {
        ensure!(
            contests.iter().any(|contest| contest.bench.metrics.contains(metric)),
            "no [[workload]] of the configuration takes {}; add it to one",
            metric.name
        );
    }
    Ok(contests)
}

fn contest(config: &Config, entry: &Entry, pass: Pass, metrics: Vec<&'static GateMetric>) -> Result<Contest> {
    let workload = workload(&entry.name)?.scaled(entry.ops);
    let thresholds = metrics.iter().map(|metric| config.threshold(entry, metric)).collect();
    let recorded = vec![Recorded::default(); metrics.len()];
    let bench = Bench { workload, threads: entry.threads, pass, metrics, plain: false };
    Ok(Contest { bench, thresholds, recorded })
}

/// The built-in workload of this name.
pub fn workload(name: &str) -> Result<Workload> {
    catalog::find(name).with_context(|| format!("no workload is called '{name}' (see: allocbench list)"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn passes_run_apart_and_what_no_workload_takes_is_refused() {
        let mut config =
            Config::load(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../gate.toml"))).unwrap();
        let wanted =
            ["alloc_ns_p99", "ns_per_op", "resident_bytes_peak"].map(|name| figures::find(name).unwrap());
        let found = contests(&config, &wanted).unwrap();
        let places: Vec<(String, Pass)> =
            found.iter().map(|contest| (contest.bench.place(), contest.bench.pass)).collect();
        assert!(places.contains(&("rl_small+ × 1".into(), Pass::Latency)));
        assert!(places.contains(&("burst × 1".into(), Pass::Throughput)));
        assert!(found.iter().all(|contest| contest.bench.metrics.len() == contest.thresholds.len()));
        config.workload.retain(|entry| entry.name != "burst");
        let message = contests(&config, &wanted).err().unwrap().to_string();
        assert!(message.contains("resident_bytes_peak"), "{message}");
        config.workload[0].name = "nosuch".into();
        assert!(contests(&config, &wanted[..1]).err().unwrap().to_string().contains("'nosuch'"));
    }
}
