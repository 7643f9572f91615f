//! A recorded result file as the reference: weaker than a reference that runs beside, and said to be.
//!
//! The file's machine is gone, so its times cannot be compared. What is compared is the candidate's ratio to a control
//! engine, in this run, with the same ratio on record: that the control is the same program and that the two machines
//! slow both engines alike must be taken on trust. The interval of the recorded ratio is added to the bounds.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::analysis::{Dataset, metric};
use crate::gate::course::Recorded;
use crate::gate::figures::GateMetric;
use crate::store;

/// Metrics of the gate that are columns of a result file too.
const ON_RECORD: [&str; 9] = [
    "alloc_ns_p50",
    "alloc_ns_p99",
    "alloc_ns_p999",
    "alloc_ns_tail_mean",
    "free_ns_p50",
    "free_ns_p99",
    "free_ns_p999",
    "free_ns_tail_mean",
    "ns_per_op",
];

/// A result file.
pub struct Baseline {
    data: Dataset,
    shown: String,
}

impl Baseline {
    /// Reads the file; one without rows is an error.
    pub fn open(path: &Path) -> Result<Baseline> {
        let shown = path.display().to_string();
        let rows = store::read(path)?;
        ensure!(
            !rows.is_empty(),
            "{shown} holds no row; record a baseline: make bench BENCH_FLAGS='--out FOLDER'"
        );
        Ok(Baseline { data: Dataset::new(rows), shown })
    }

    /// Whether a result file can hold the metric.
    pub fn holds(metric: &GateMetric) -> bool {
        ON_RECORD.contains(&metric.name)
    }

    /// The recorded ratio of `engine` to `control`.
    pub fn ratio(
        &self,
        wanted: &GateMetric,
        engine: &str,
        control: &str,
        workload: &str,
        threads: usize,
    ) -> Result<Recorded> {
        let Some(column) = metric::find(wanted.name).filter(|_| Baseline::holds(wanted)) else {
            bail!("{}: a result file does not hold {}; leave it out with --metrics", self.shown, wanted.name)
        };
        let found = self.data.ratio(column, engine, control, workload, threads as u32);
        let Some((ratio, interval)) = found.and_then(|ratio| Some((ratio, ratio.interval?))) else {
            bail!(
                "{} has no two blocks of {engine} and of {control} on {workload} × {threads} with {}; record them: allocbench bench --engines {engine},{control} --workloads {workload} --threads {threads}",
                self.shown,
                wanted.name
            )
        };
        Ok(Recorded { centre: ratio.median.ln(), low: interval.low.ln(), high: interval.high.ln() })
    }
}

/// Operations a thread that the file's run was scaled to, from the provenance beside it.
pub fn ops(path: &Path) -> Result<u64> {
    let provenance = store::read_provenance(path)?;
    let ops = provenance
        .get("settings")
        .and_then(|settings| settings.get("ops"))
        .and_then(serde_json::Value::as_u64);
    ops.with_context(|| {
        format!("{}: the provenance beside it does not say how many operations its cells did; keep bench.provenance.json beside bench.csv", path.display())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::figures;
    use crate::row::{Row, SCHEMA};

    fn rows() -> Vec<Row> {
        let row = |engine: &str, block, value| Row {
            schema: SCHEMA,
            engine: engine.into(),
            workload: "rl_small".into(),
            threads: 1,
            pass: "latency".into(),
            block,
            status: "ok".into(),
            alloc_ns_p99: Some(value),
            ops_per_thread: Some(20_000),
            ..Row::default()
        };
        (0..6).flat_map(|block| [row("a", block, 120.0 + f64::from(block)), row("b", block, 100.0)]).collect()
    }

    #[test]
    fn the_recorded_ratio_comes_with_its_interval() {
        let baseline = Baseline { data: Dataset::new(rows()), shown: "file".into() };
        let metric = figures::find("alloc_ns_p99").unwrap();
        let found = baseline.ratio(metric, "a", "b", "rl_small", 1).unwrap();
        assert!((found.centre.exp() - 1.225).abs() < 1e-3);
        assert!((found.low.exp() - 1.20).abs() < 1e-9 && (found.high.exp() - 1.25).abs() < 1e-9);
        for (engine, workload, threads) in [("c", "rl_small", 1), ("a", "other", 1), ("a", "rl_small", 2)] {
            let message = baseline.ratio(metric, engine, "b", workload, threads).unwrap_err().to_string();
            assert!(message.contains("record them") && message.lines().count() == 1, "{message}");
        }
        let trimmed = figures::find("alloc_ns_tail_trimmed").unwrap();
        assert!(
            baseline.ratio(trimmed, "a", "b", "rl_small", 1).unwrap_err().to_string().contains("--metrics")
        );
    }

    #[test]
    fn an_empty_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("empty.csv");
        crate::store::write_atomic(&path, &[]).unwrap();
        assert!(Baseline::open(&path).err().unwrap().to_string().contains("empty.csv"));
    }
}
