//! Rows of one result file, grouped for questions of the form "this metric, this engine, this workload, so many
//! threads".
//!
//! Only rows that are `ok` carry figures; the others are kept in [`Dataset::failures`] and never averaged. Engines
//! and workloads come in a fixed order, so that every table and every figure lists them alike.

use super::metric::{Better, Metric};
use super::ratio::Ratio;
use super::robust;
use crate::row::Row;
use std::collections::{BTreeMap, BTreeSet};

/// Suffix of the label of an A/A control.
pub const CONTROL_SUFFIX: &str = "#aa";
/// The engine that allocates nothing: the cost of the harness's own loop.
pub const FLOOR: &str = "floor";
/// Engines in the order of every list; others follow by name.
const ENGINES: &[&str] = &[
    "floor",
    "system",
    "system#aa",
    "ace",
    "jemalloc",
    "mimalloc",
    "mimalloc2",
    "snmalloc",
    "rpmalloc",
    "tcmalloc",
    "mempool_baseline",
    "mempool_sharded",
    "mempool_lockfree",
    "mempool_numa",
    "c_abi",
];
/// Families of workloads in the order of every list; others follow by name.
const GROUPS: &[&str] = &["note", "note+", "draft", "threads"];
/// The design note's workloads in its order, which their `+` variants follow.
pub const NOTE_WORKLOADS: [&str; 4] = ["rl_small", "rl_medium", "fragmentation_mix", "alignment64"];

/// Median and spread of one metric in one place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Values.
    pub n: usize,
    /// Their median.
    pub median: f64,
    /// Their median absolute deviation.
    pub mad: f64,
}

/// Workload and threads: where engines are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Workload name.
    pub workload: String,
    /// Threads.
    pub threads: u32,
}

/// Rows, grouped.
#[derive(Debug, Default)]
pub struct Dataset {
    rows: Vec<Row>,
    /// (workload, threads, pass) → engine → indices of ok rows in the order of their blocks.
    index: BTreeMap<(String, u32, String), BTreeMap<String, Vec<usize>>>,
    engines: Vec<String>,
    workloads: Vec<(String, String)>,
}

impl Dataset {
    /// Groups rows.
    pub fn new(rows: Vec<Row>) -> Self {
        let mut data = Self { rows, ..Self::default() };
        for (at, row) in data.rows.iter().enumerate().filter(|(_, row)| row.is_ok()) {
            let place = (row.workload.clone(), row.threads, row.pass.clone());
            data.index.entry(place).or_default().entry(row.engine.clone()).or_default().push(at);
        }
        for indices in data.index.values_mut().flat_map(BTreeMap::values_mut) {
            indices.sort_by_key(|&at| data.rows[at].block);
        }
        let engines: BTreeSet<&str> = data.rows.iter().map(|row| row.engine.as_str()).collect();
        data.engines = engines.into_iter().map(str::to_owned).collect();
        data.engines.sort_by_key(|name| engine_rank(name));
        let mut groups = BTreeMap::new();
        for row in &data.rows {
            groups.entry(row.workload.clone()).or_insert_with(|| row.group.clone());
        }
        data.workloads = groups.into_iter().collect();
        data.workloads.sort_by_key(|(name, group)| workload_rank(name, group));
        data
    }

    /// All rows.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Rows without figures.
    pub fn failures(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.is_ok())
    }

    /// Engine labels, in the order of every list.
    pub fn engines(&self) -> &[String] {
        &self.engines
    }

    /// Engines that are allocators: neither the floor nor a control.
    pub fn contenders(&self) -> Vec<&str> {
        self.engines
            .iter()
            .map(String::as_str)
            .filter(|name| *name != FLOOR && !name.ends_with(CONTROL_SUFFIX))
            .collect()
    }

    /// Workload names with their groups, in the order of every list.
    pub fn workloads(&self) -> &[(String, String)] {
        &self.workloads
    }

    /// Group names, in the order of every list.
    pub fn groups(&self) -> Vec<&str> {
        let mut groups: Vec<&str> = Vec::new();
        for (_, group) in &self.workloads {
            if !groups.contains(&group.as_str()) {
                groups.push(group);
            }
        }
        groups
    }

    /// Thread counts of a workload that hold an ok row.
    pub fn threads(&self, workload: &str) -> Vec<u32> {
        let threads: BTreeSet<u32> =
            self.index.keys().filter(|key| key.0 == workload).map(|key| key.1).collect();
        threads.into_iter().collect()
    }

    /// Thread counts of all workloads.
    pub fn threads_all(&self) -> Vec<u32> {
        let threads: BTreeSet<u32> = self.index.keys().map(|key| key.1).collect();
        threads.into_iter().collect()
    }

    /// Every workload and thread count, in the order of every list.
    pub fn places(&self) -> Vec<Place> {
        self.workloads
            .iter()
            .flat_map(|(workload, _)| {
                self.threads(workload)
                    .into_iter()
                    .map(|threads| Place { workload: workload.clone(), threads })
            })
            .collect()
    }

    /// The pass a metric is read from here: the first of its passes in which any engine has a value.
    fn engines_at(
        &self,
        metric: &Metric,
        workload: &str,
        threads: u32,
    ) -> Option<&BTreeMap<String, Vec<usize>>> {
        metric.passes.iter().find_map(|pass| {
            let engines = self.index.get(&(workload.to_owned(), threads, (*pass).to_owned()))?;
            let any = engines.values().flatten().any(|&at| (metric.get)(&self.rows[at]).is_some());
            any.then_some(engines)
        })
    }

    /// Block numbers and values, in the order of the blocks.
    pub fn samples(&self, metric: &Metric, engine: &str, workload: &str, threads: u32) -> Vec<(u32, f64)> {
        let Some(indices) =
            self.engines_at(metric, workload, threads).and_then(|engines| engines.get(engine))
        else {
            return Vec::new();
        };
        indices.iter().filter_map(|&at| Some((self.rows[at].block, (metric.get)(&self.rows[at])?))).collect()
    }

    /// Median and spread.
    pub fn summary(&self, metric: &Metric, engine: &str, workload: &str, threads: u32) -> Option<Summary> {
        let values: Vec<f64> =
            self.samples(metric, engine, workload, threads).into_iter().map(|(_, value)| value).collect();
        Some(Summary { n: values.len(), median: robust::median(&values)?, mad: robust::mad(&values)? })
    }

    /// engine / reference: within blocks where two blocks are shared, else unpaired.
    pub fn ratio(
        &self,
        metric: &Metric,
        engine: &str,
        reference: &str,
        workload: &str,
        threads: u32,
    ) -> Option<Ratio> {
        if let Some(per_run) = metric.per_run {
            let ratio = self.ratio_by_rounds(per_run, engine, reference, workload, threads);
            if ratio.is_some() {
                return ratio;
            }
        }
        ratio_of(
            &self.samples(metric, engine, workload, threads),
            &self.samples(metric, reference, workload, threads),
        )
    }

    /// engine / reference within the rounds of the blocks that both have with equally many runs; `None` without such.
    fn ratio_by_rounds(
        &self,
        per_run: fn(&Row, u64) -> Option<f64>,
        engine: &str,
        reference: &str,
        workload: &str,
        threads: u32,
    ) -> Option<Ratio> {
        let engines = self.index.get(&(workload.to_owned(), threads, "throughput".to_owned()))?;
        let rows = |name: &str| engines.get(name).map(|rows| rows.iter().map(|&at| &self.rows[at]));
        let references: BTreeMap<u32, &Row> = rows(reference)?.map(|row| (row.block, row)).collect();
        let mut blocks = Vec::new();
        for row in rows(engine)? {
            let Some(other) = references.get(&row.block) else { continue };
            let (runs, others) = (row.runs_ns(), other.runs_ns());
            if runs.is_empty() || runs.len() != others.len() {
                return None;
            }
            let log = |(&run, &other_run): (&u64, &u64)| {
                let (value, reference) = (per_run(row, run)?, per_run(other, other_run)?);
                (value > 0.0 && reference > 0.0).then(|| (value / reference).ln())
            };
            blocks.push(runs.iter().zip(&others).filter_map(log).collect());
        }
        Ratio::by_rounds(&blocks)
    }

    /// The contender with the best median.
    pub fn best(&self, metric: &Metric, workload: &str, threads: u32) -> Option<(&str, f64)> {
        self.contenders()
            .into_iter()
            .filter_map(|engine| Some((engine, self.summary(metric, engine, workload, threads)?.median)))
            .reduce(|best, next| {
                let ahead = match metric.better {
                    Better::Higher => next.1 > best.1,
                    Better::Lower => next.1 < best.1,
                };
                if ahead { next } else { best }
            })
    }
}

/// Ratio of two series of (block, value), within blocks if they share two blocks or each holds one block only.
pub fn ratio_of(values: &[(u32, f64)], references: &[(u32, f64)]) -> Option<Ratio> {
    let by_block: BTreeMap<u32, f64> = references.iter().copied().collect();
    let pairs: Vec<(f64, f64)> =
        values.iter().filter_map(|(block, value)| Some((*value, *by_block.get(block)?))).collect();
    if pairs.len() >= 2 || (pairs.len() == 1 && values.len() == 1 && references.len() == 1) {
        return Ratio::paired(&pairs);
    }
    let plain = |side: &[(u32, f64)]| -> Vec<f64> { side.iter().map(|(_, value)| *value).collect() };
    Ratio::unpaired(&plain(values), &plain(references))
}

fn engine_rank(name: &str) -> (usize, String) {
    let exact = ENGINES.iter().position(|known| *known == name);
    // A variant such as `ace_off` stands behind what it varies.
    let family = || {
        ENGINES
            .iter()
            .rposition(|known| name.strip_prefix(known).is_some_and(|rest| rest.starts_with(['_', '#', '-'])))
    };
    (exact.or_else(family).unwrap_or(ENGINES.len()), name.to_owned())
}

fn workload_rank(name: &str, group: &str) -> (usize, String, usize, String) {
    let group_rank = GROUPS.iter().position(|known| *known == group).unwrap_or(GROUPS.len());
    let note_rank = NOTE_WORKLOADS
        .iter()
        .position(|known| *known == name.trim_end_matches('+'))
        .unwrap_or(NOTE_WORKLOADS.len());
    (group_rank, group.to_owned(), note_rank, name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::metric::metric;
    use super::*;

    fn row(engine: &str, pass: &str, block: u32, ops_per_s: f64) -> Row {
        Row {
            engine: engine.into(),
            workload: "w".into(),
            threads: 1,
            pass: pass.into(),
            block,
            status: "ok".into(),
            ops_per_s: Some(ops_per_s),
            resident_bytes_peak: Some(ops_per_s as u64),
            ..Row::default()
        }
    }

    #[test]
    fn ratio_pairs_by_block_and_ignores_what_failed() {
        let mut rows = vec![];
        for (block, drift) in [(0, 1.0), (1, 10.0), (2, 100.0)] {
            rows.push(row("system", "throughput", block, drift));
            rows.push(row("ace", "throughput", block, 2.0 * drift));
        }
        rows.push(Row { status: "crashed".into(), ..row("ace", "throughput", 3, 1e9) });
        let data = Dataset::new(rows);
        let ratio = data.ratio(metric("ops_per_s"), "ace", "system", "w", 1).unwrap();
        assert!((ratio.median - 2.0).abs() < 1e-12 && ratio.paired && ratio.n == 3);
        assert_eq!(data.failures().count(), 1);
        assert_eq!(data.summary(metric("ops_per_s"), "ace", "w", 1).unwrap().median, 20.0);
    }

    #[test]
    fn both_sides_of_a_ratio_come_from_one_pass() {
        let data = Dataset::new(vec![
            row("system", "throughput", 0, 8.0),
            row("ace", "memory", 0, 4.0),
            row("system", "memory", 0, 2.0),
        ]);
        let ratio = data.ratio(metric("resident_bytes_peak"), "ace", "system", "w", 1).unwrap();
        assert!((ratio.median - 2.0).abs() < 1e-12);
    }

    #[test]
    fn lists_have_a_fixed_order() {
        let data = Dataset::new(
            ["zeta", "ace_off", "mimalloc", "ace", "system", "floor"]
                .map(|name| row(name, "throughput", 0, 1.0))
                .to_vec(),
        );
        assert_eq!(data.engines(), ["floor", "system", "ace", "ace_off", "mimalloc", "zeta"]);
        assert_eq!(data.contenders().len(), 5);
    }

    #[test]
    fn unshared_blocks_fall_back_to_the_unpaired_ratio() {
        let ratio = ratio_of(&[(0, 2.0), (1, 2.0)], &[(5, 1.0), (6, 1.0)]).unwrap();
        assert!(!ratio.paired && (ratio.median - 2.0).abs() < 1e-12);
    }
}
