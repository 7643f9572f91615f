//! What the learn table may say: claims, their p-values, and the verdict of each.
//!
//! Two families, each corrected by Holm on its own. *Gain*: on the rows named beforehand, `on` needs less CPU time or less memory than `off`
//! (two figures a row, so six comparisons). *No harm*: on every row, `on` takes at most 3 % more CPU time than the best fixed
//! setting and has at most 10 % more p99 (of allocations and of frees). A claim holds where the corrected sign test supports it, fails where
//! the interval lies beyond the bound, and is undecided otherwise: absence of proof is not said to be either.

use super::rows::Row;
use super::{OFF, ON};
use crate::analysis::multiple::{LEVEL, holm, sign_p, sign_p_below};
use crate::analysis::{Dataset, Metric, Ratio, metric};

/// Most CPU time over the best fixed setting.
pub const CPU_BOUND: f64 = 1.03;
/// Most p99 over the best fixed setting.
pub const P99_BOUND: f64 = 1.10;
/// What `on` may better: time, then memory.
pub const GAINS: [&str; 2] = ["cpu_ns_per_op", "net_end_bytes"];
/// What `on` must not worsen.
pub const HARMS: [(&str, f64); 3] =
    [("cpu_ns_per_op", CPU_BOUND), ("alloc_ns_p99", P99_BOUND), ("free_ns_p99", P99_BOUND)];

/// What a claim came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Shown.
    Holds,
    /// The contrary is shown.
    Fails,
    /// Neither.
    Undecided,
}

impl Verdict {
    /// The table's word.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Holds => "holds",
            Verdict::Fails => "fails",
            Verdict::Undecided => "undecided",
        }
    }
}

/// One comparison of one row.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Row, from 0.
    pub row: usize,
    /// What is compared.
    pub metric: &'static Metric,
    /// `on` over its rival.
    pub ratio: Ratio,
    /// The ratio that must not be passed.
    pub bound: f64,
    /// Corrected for the family.
    pub p: f64,
    /// The verdict.
    pub verdict: Verdict,
}

/// A row's data and the label of its best fixed setting.
pub type Side<'a> = (&'a Row, &'a Dataset, &'a str);

/// The gains claimed.
pub fn gains(sides: &[Side]) -> Vec<Claim> {
    let mut claims = Vec::new();
    for (at, (row, data, _)) in sides.iter().enumerate().filter(|(_, side)| side.0.favoured.is_some()) {
        for name in GAINS {
            let logs = data.log_ratios(metric(name), ON, OFF, &row.place());
            claims.extend(claim(at, data, row, OFF, name, 1.0, sign_p(&logs, 0.0)));
        }
    }
    corrected(claims)
}

/// The harm denied.
pub fn harms(sides: &[Side]) -> Vec<Claim> {
    let mut claims = Vec::new();
    for (at, (row, data, best)) in sides.iter().enumerate() {
        for (name, bound) in HARMS {
            let logs = data.log_ratios(metric(name), ON, best, &row.place());
            claims.extend(claim(at, data, row, best, name, bound, sign_p_below(&logs, bound.ln())));
        }
    }
    corrected(claims)
}

fn claim(row: usize, data: &Dataset, of: &Row, rival: &str, name: &str, bound: f64, p: f64) -> Option<Claim> {
    let ratio = data.ratio(metric(name), ON, rival, &of.workload, of.threads as u32)?;
    Some(Claim { row, metric: metric(name), ratio, bound, p, verdict: Verdict::Undecided })
}

fn corrected(mut claims: Vec<Claim>) -> Vec<Claim> {
    let ps = holm(&claims.iter().map(|claim| claim.p).collect::<Vec<_>>());
    for (claim, p) in claims.iter_mut().zip(ps) {
        claim.p = p;
        claim.verdict = if p < LEVEL && claim.ratio.median < claim.bound {
            Verdict::Holds
        } else if claim.ratio.surely_above(claim.bound) {
            Verdict::Fails
        } else {
            Verdict::Undecided
        };
    }
    claims
}

/// Rows named beforehand on which a gain is shown.
pub fn rows_won(gains: &[Claim]) -> usize {
    let mut rows: Vec<usize> =
        gains.iter().filter(|claim| claim.verdict == Verdict::Holds).map(|claim| claim.row).collect();
    rows.dedup();
    rows.len()
}

#[cfg(test)]
mod tests {
    use super::super::rows::{self, Favoured};
    use super::*;
    use crate::row;

    fn row(favoured: Option<Favoured>) -> rows::Row {
        rows::Row { workload: "w".into(), threads: 1, ops: 1, favoured, why: String::new() }
    }

    /// Twelve blocks: `on` takes `cpu` and `p99` times what `off` and `best` take, and holds `memory` times as much.
    fn data(cpu: f64, p99: f64, memory: f64, blocks: u32) -> Dataset {
        let mut rows = Vec::new();
        for block in 0..blocks {
            let drift = 1.0 + 0.05 * f64::from(block % 5);
            for (engine, cpu, p99, memory) in
                [(ON, cpu, p99, memory), (OFF, 1.0, 1.0, 1.0), ("best", 1.0, 1.0, 1.0)]
            {
                let base = row::Row {
                    engine: engine.into(),
                    workload: "w".into(),
                    threads: 1,
                    block,
                    status: "ok".into(),
                    ops_total: Some(1000),
                    cpu_user_ns: Some((1e6 * cpu * drift) as u64),
                    cpu_sys_ns: Some(0),
                    resident_bytes_before: Some(0),
                    resident_bytes_end: Some((memory * 1e8) as u64),
                    ..row::Row::default()
                };
                let latency = |value: f64| row::Row {
                    pass: "latency".into(),
                    alloc_ns_p99: Some(value),
                    free_ns_p99: Some(value),
                    ..base.clone()
                };
                rows.push(latency(100.0 * p99 * drift));
                rows.push(row::Row { pass: "throughput".into(), ..base });
            }
        }
        Dataset::new(rows)
    }

    fn verdicts(claims: &[Claim]) -> Vec<Verdict> {
        claims.iter().map(|claim| claim.verdict).collect()
    }

    #[test]
    fn a_gain_is_shown_in_what_is_better_and_denied_in_what_is_worse() {
        use Verdict::{Fails, Holds, Undecided};
        let (named, found) = (row(Some(Favoured::Memory)), data(1.02, 1.0, 0.5, 12));
        let gains = gains(&[(&named, &found, "best")]);
        assert_eq!(verdicts(&gains), [Fails, Holds]);
        assert_eq!(rows_won(&gains), 1);
        let same = data(1.0, 1.0, 1.0, 12);
        assert_eq!(verdicts(&super::gains(&[(&named, &same, "best")])), [Undecided; 2]);
        assert!(super::gains(&[(&row(None), &found, "best")]).is_empty(), "only rows named beforehand count");
    }

    #[test]
    fn harm_is_denied_within_the_bound_and_shown_beyond_it() {
        use Verdict::{Fails, Holds};
        let plain = row(None);
        let harms = |cpu, p99| verdicts(&super::harms(&[(&plain, &data(cpu, p99, 1.0, 12), "best")]));
        assert_eq!(harms(1.02, 1.08), [Holds; 3]);
        assert_eq!(harms(1.05, 1.08), [Fails, Holds, Holds]);
        assert_eq!(harms(1.0, 1.2), [Holds, Fails, Fails]);
    }

    #[test]
    fn few_blocks_decide_nothing() {
        let plain = row(None);
        let found = data(0.9, 0.9, 0.9, 4);
        assert_eq!(verdicts(&harms(&[(&plain, &found, "best")])), [Verdict::Undecided; 3]);
    }
}
