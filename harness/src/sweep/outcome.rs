//! What a sweep found: each engine against `ace` as shipped, the Pareto front, and the recommendation.
//!
//! A setting is recommended for being fastest among those whose resident peak stays within a limit. The fastest of many is partly
//! the luckiest, so it is called *shown* only where the sign test, corrected by Holm for the number of settings, says so;
//! otherwise the advice is to keep what is shipped. Pure: dataset in, outcome out.

use crate::analysis::dataset::Place;
use crate::analysis::multiple::{LEVEL, holm, sign_p};
use crate::analysis::{Better, Dataset, Metric, Ratio, metric};

use super::REFERENCE;
use super::space::Point;

/// One engine or setting.
#[derive(Clone, Debug)]
pub struct Found {
    /// Label of its rows.
    pub label: String,
    /// Its settings; empty for an engine that is no point.
    pub env: String,
    /// Speed over that of the reference: more is better.
    pub speed: Ratio,
    /// Resident peak over the reference's.
    pub peak: Option<Ratio>,
    /// Resident after the drain over the reference's.
    pub drained: Option<Ratio>,
    /// Alloc p99 over the reference's.
    pub p99: Option<Ratio>,
    /// p of "as fast as the reference", corrected for the number of settings; of points alone.
    pub p: Option<f64>,
    /// No setting is faster with a smaller peak.
    pub on_front: bool,
}

/// Everything found.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Points, then engines.
    pub found: Vec<Found>,
    /// The point that is recommended, by index, and whether it is shown to be faster than what is shipped.
    pub best: Option<(usize, bool)>,
    /// The figure of speed.
    pub metric: &'static Metric,
}

/// The figure of speed of a workload: where threads sleep, time passes without saying anything, and CPU time is compared.
pub fn speed_metric(rest_ms: u64) -> &'static Metric {
    metric(if rest_ms > 0 { "cpu_ns_per_op" } else { "ops_per_s" })
}

/// Compares.
pub fn outcome(
    data: &Dataset,
    place: &Place,
    points: &[Point],
    engines: &[String],
    speed: &'static Metric,
    peak_limit: f64,
) -> Outcome {
    let ratio = |label: &str, of: &Metric| data.ratio(of, label, REFERENCE, &place.workload, place.threads);
    let ps: Vec<f64> = points
        .iter()
        .map(|point| sign_p(&data.log_ratios(speed, &point.label, REFERENCE, place), 0.0))
        .collect();
    let corrected = holm(&ps);
    let labels = points
        .iter()
        .zip(&corrected)
        .map(|(point, &p)| (point.label.clone(), point.env_line(), Some(p)))
        .chain(engines.iter().map(|label| (label.clone(), String::new(), None)));
    let mut found: Vec<Found> = labels
        .filter_map(|(label, env, p)| {
            Some(Found {
                speed: faster(speed, ratio(&label, speed)?),
                peak: ratio(&label, metric("net_peak_bytes")),
                drained: ratio(&label, metric("net_drained_bytes")),
                p99: ratio(&label, metric("alloc_ns_p99")),
                label,
                env,
                p,
                on_front: false,
            })
        })
        .collect();
    let at = |found: &Found| Some((found.peak?.median, found.speed.median));
    let settings: Vec<(f64, f64)> = found.iter().filter(|found| is_setting(found)).filter_map(at).collect();
    for each in &mut found {
        each.on_front = is_setting(each)
            && at(each).is_some_and(|(peak, speed)| {
                !settings.iter().any(|&(p, s)| p <= peak && s >= speed && (p < peak || s > speed))
            });
    }
    let fits = |found: &Found| found.p.is_some() && found.peak.is_some_and(|peak| peak.median <= peak_limit);
    let best = (0..found.len())
        .filter(|&at| fits(&found[at]))
        .max_by(|&a, &b| found[a].speed.median.total_cmp(&found[b].speed.median))
        .map(|at| (at, found[at].speed.median > 1.0 && found[at].p.is_some_and(|p| p < LEVEL)));
    Outcome { found, best, metric: speed }
}

/// Points and what is shipped: what a user of ACE-Alloc can have by setting variables.
fn is_setting(found: &Found) -> bool {
    found.p.is_some() || found.label == REFERENCE
}

/// As a speed: more is better.
fn faster(metric: &Metric, ratio: Ratio) -> Ratio {
    match metric.better {
        Better::Higher => ratio,
        Better::Lower => Ratio {
            median: 1.0 / ratio.median,
            interval: ratio.interval.map(|interval| crate::analysis::interval::Interval {
                low: 1.0 / interval.high,
                high: 1.0 / interval.low,
                ..interval
            }),
            ..ratio
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::space;
    use super::*;
    use crate::row::Row;

    fn rows(engine: &str, speed: f64, peak_mib: f64, blocks: u32) -> Vec<Row> {
        (0..blocks)
            .map(|block| {
                let drift = 1.0 + 0.1 * f64::from(block);
                Row {
                    engine: engine.into(),
                    workload: "w".into(),
                    threads: 1,
                    pass: "throughput".into(),
                    block,
                    status: "ok".into(),
                    ops_per_s: Some(1e6 * speed * drift),
                    resident_bytes_before: Some(0),
                    resident_bytes_peak: Some((peak_mib * f64::from(1 << 20)) as u64),
                    ..Row::default()
                }
            })
            .collect()
    }

    /// Speeds and peaks of points; the reference has speed 1 and 9 MiB.
    fn found(points: &[(f64, f64)], blocks: u32) -> (Outcome, Vec<Point>) {
        let values: Vec<String> = (0..points.len()).map(|at| at.to_string()).collect();
        let axes = space::axes(&[format!("ACE_BATCH={}", values.join(","))]).unwrap();
        let names = space::points(&axes, None, 1).unwrap();
        let mut all = rows(REFERENCE, 1.0, 9.0, blocks);
        for (point, (speed, peak)) in names.iter().zip(points) {
            all.extend(rows(&point.label, *speed, *peak, blocks));
        }
        let place = Place { workload: "w".into(), threads: 1 };
        let data = Dataset::new(all);
        (outcome(&data, &place, &names, &[REFERENCE.into()], speed_metric(0), 1.05), names)
    }

    #[test]
    fn the_fastest_within_the_limit_is_recommended_and_the_front_is_what_nothing_beats() {
        let (outcome, _) = found(&[(1.2, 9.0), (1.5, 30.0), (0.9, 12.0), (0.8, 4.0)], 10);
        assert_eq!(outcome.best, Some((0, true)));
        let front: Vec<bool> = outcome.found.iter().map(|found| found.on_front).collect();
        // The shipped setting (last) is beaten by the first: faster, no larger.
        assert_eq!(front, [true, true, false, true, false]);
    }

    #[test]
    fn few_blocks_show_nothing_among_many_settings() {
        let (outcome, _) = found(&[(1.2, 9.0); 8], 5);
        assert_eq!(outcome.best.map(|best| best.1), Some(false));
        let (outcome, _) = found(&[(0.9, 9.0)], 12);
        assert_eq!(outcome.best, Some((0, false)), "surely slower is no recommendation");
    }

    #[test]
    fn cpu_time_counts_as_speed_turned_round() {
        let slower = Ratio::paired(&[(2.0, 1.0), (4.0, 1.0)]).unwrap();
        let found = faster(metric("cpu_ns_per_op"), slower);
        assert!((found.median - 1.0 / 8f64.sqrt()).abs() < 1e-9);
        assert_eq!(found.interval.map(|i| (i.low, i.high)), Some((0.25, 0.5)));
    }
}
