//! Which allocator is best here, how sure that is, and where it loses.
//!
//! Engines are ranked by the geometric mean of their throughput ratio to the reference over the places that every
//! ranked engine was measured in; an engine that misses more than half of the places is not ranked, and a place that
//! was measured once or twice where others were measured more often (a pilot that was left out) is not counted. The
//! interval of that mean takes one mean a block: places are fixed, blocks are what repeats. A win or a loss in one
//! place counts as sure only when the paired interval against the other engine excludes 1.

use super::dataset::{Dataset, Place, ratio_of};
use super::metric::{Better, Metric};
use super::ratio::Ratio;
use super::robust;
use std::collections::{BTreeMap, BTreeSet};

/// Fewest blocks of a place that enters a ranking, where there are places with so many.
const BLOCKS_MIN: usize = 3;

/// One engine over all shared places.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Engine.
    pub engine: String,
    /// Geometric mean of the ratio to the reference, with the interval over blocks.
    pub mean: Ratio,
    /// Places in which its median is the best.
    pub best: usize,
    /// Of these, those in which it is surely better than the second.
    pub surely_best: usize,
    /// Places in which it is surely worse than the reference.
    pub surely_worse: usize,
    /// Its worst place, and the ratio to the reference there.
    pub worst: Option<(Place, f64)>,
}

/// The ranking by one metric.
#[derive(Clone, Debug)]
pub struct Ranking {
    /// Best first.
    pub standings: Vec<Standing>,
    /// Places that all ranked engines share.
    pub places: Vec<Place>,
    /// Places with this metric in all.
    pub places_all: usize,
    /// Contenders that miss more than half of the places.
    pub unranked: Vec<String>,
}

/// A place in which an engine is behind.
#[derive(Clone, Debug)]
pub struct Loss {
    /// Where.
    pub place: Place,
    /// Who is ahead.
    pub winner: String,
    /// engine / winner.
    pub ratio: Ratio,
}

/// Ranks the contenders.
pub fn rank(data: &Dataset, metric: &Metric, reference: &str) -> Ranking {
    let has = |engine: &str, place: &Place| ratio(data, metric, engine, reference, place).is_some();
    let mut measured = repeated_places(data, metric, reference);
    measured.retain(|place| has(reference, place));
    let count = |engine: &str| measured.iter().filter(|place| has(engine, place)).count();
    let (ranked, unranked): (Vec<&str>, Vec<&str>) = data.contenders().into_iter().partition(|engine| {
        let found = count(engine);
        found > 0 && 2 * found >= measured.len()
    });
    let places: Vec<Place> =
        measured.iter().filter(|place| ranked.iter().all(|engine| has(engine, place))).cloned().collect();
    let mut standings: Vec<Standing> = ranked
        .iter()
        .filter_map(|engine| standing(data, metric, engine, reference, &places, &ranked))
        .collect();
    standings.sort_by(|a, b| match metric.better {
        Better::Higher => b.mean.median.total_cmp(&a.mean.median),
        Better::Lower => a.mean.median.total_cmp(&b.mean.median),
    });
    Ranking {
        standings,
        places,
        places_all: measured.len(),
        unranked: unranked.into_iter().map(str::to_owned).collect(),
    }
}

/// Places whose reference has at least [`BLOCKS_MIN`] blocks; all, where none has so many.
fn repeated_places(data: &Dataset, metric: &Metric, reference: &str) -> Vec<Place> {
    let blocks = |place: &Place| data.samples(metric, reference, &place.workload, place.threads).len();
    let places = data.places();
    let least = places.iter().map(blocks).max().unwrap_or(0).min(BLOCKS_MIN);
    places.into_iter().filter(|place| blocks(place) >= least).collect()
}

fn ratio(data: &Dataset, metric: &Metric, engine: &str, reference: &str, place: &Place) -> Option<Ratio> {
    data.ratio(metric, engine, reference, &place.workload, place.threads)
}

fn standing(
    data: &Dataset,
    metric: &Metric,
    engine: &str,
    reference: &str,
    places: &[Place],
    rivals: &[&str],
) -> Option<Standing> {
    let mean = mean_over_places(data, metric, engine, reference, places)?;
    let mut standing =
        Standing { engine: engine.to_owned(), mean, best: 0, surely_best: 0, surely_worse: 0, worst: None };
    for place in places {
        let Some(to_reference) = ratio(data, metric, engine, reference, place) else { continue };
        standing.surely_worse += usize::from(surely_worse(metric, &to_reference));
        if standing
            .worst
            .as_ref()
            .is_none_or(|(_, worst)| goodness(metric, to_reference.median) < goodness(metric, *worst))
        {
            standing.worst = Some((place.clone(), to_reference.median));
        }
        let (best, sure) = is_best(data, metric, engine, place, rivals);
        standing.best += usize::from(best);
        standing.surely_best += usize::from(sure);
    }
    Some(standing)
}

/// More is better, whatever the metric.
fn goodness(metric: &Metric, value: f64) -> f64 {
    match metric.better {
        Better::Higher => value,
        Better::Lower => -value,
    }
}

/// Whether the ratio to a rival says: surely worse.
pub fn surely_worse(metric: &Metric, ratio: &Ratio) -> bool {
    match metric.better {
        Better::Higher => surely_below(metric, ratio),
        Better::Lower => surely_above(metric, ratio),
    }
}

/// Less than the rival: by the interval, or by the value itself where that does not vary.
fn surely_below(metric: &Metric, ratio: &Ratio) -> bool {
    if metric.exact() { ratio.median < 1.0 } else { ratio.surely_below(1.0) }
}

fn surely_above(metric: &Metric, ratio: &Ratio) -> bool {
    if metric.exact() { ratio.median > 1.0 } else { ratio.surely_above(1.0) }
}

/// Whether the ratio to a rival says: surely better.
pub fn surely_better(metric: &Metric, ratio: &Ratio) -> bool {
    match metric.better {
        Better::Higher => surely_above(metric, ratio),
        Better::Lower => surely_below(metric, ratio),
    }
}

/// Whether an engine's median is the best of a place, and whether it surely beats every rival there.
fn is_best(data: &Dataset, metric: &Metric, engine: &str, place: &Place, rivals: &[&str]) -> (bool, bool) {
    let median =
        |name: &str| data.summary(metric, name, &place.workload, place.threads).map(|found| found.median);
    let Some(own) = median(engine) else { return (false, false) };
    let others: Vec<&str> = rivals.iter().copied().filter(|rival| *rival != engine).collect();
    let best = others
        .iter()
        .filter_map(|rival| median(rival))
        .all(|other| goodness(metric, own) >= goodness(metric, other));
    let sure = best
        && !others.is_empty()
        && others
            .iter()
            .filter_map(|rival| ratio(data, metric, engine, rival, place))
            .all(|found| surely_better(metric, &found));
    (best, sure)
}

/// Geometric mean over places of the ratio; its interval over the blocks that every place has.
fn mean_over_places(
    data: &Dataset,
    metric: &Metric,
    engine: &str,
    reference: &str,
    places: &[Place],
) -> Option<Ratio> {
    let mut logs_by_block: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    let mut medians = Vec::new();
    for place in places {
        let own = data.samples(metric, engine, &place.workload, place.threads);
        let base: BTreeMap<u32, f64> =
            data.samples(metric, reference, &place.workload, place.threads).into_iter().collect();
        medians.push(
            ratio_of(&own, &base.iter().map(|(block, value)| (*block, *value)).collect::<Vec<_>>())?.median,
        );
        for (block, value) in own {
            if let Some(other) = base.get(&block).filter(|other| **other > 0.0 && value > 0.0) {
                logs_by_block.entry(block).or_default().push((value / other).ln());
            }
        }
    }
    let means: Vec<f64> = logs_by_block
        .values()
        .filter(|logs| logs.len() == places.len())
        .map(|logs| logs.iter().sum::<f64>() / logs.len() as f64)
        .collect();
    let median = robust::geometric_mean(&medians)?;
    let by_block = Ratio::of_logs(&means);
    Some(Ratio { median, interval: by_block.and_then(|found| found.interval), n: means.len(), paired: true })
}

/// Places in which a rival's median is better, the worst first.
pub fn losses(data: &Dataset, metric: &Metric, engine: &str) -> Vec<Loss> {
    let mut losses: Vec<Loss> = repeated_places(data, metric, engine)
        .into_iter()
        .filter_map(|place| {
            let (winner, _) = data.best(metric, &place.workload, place.threads)?;
            let found = ratio(data, metric, engine, winner, &place)?;
            (winner != engine).then(|| Loss { winner: winner.to_owned(), ratio: found, place })
        })
        .collect();
    losses.sort_by(|a, b| goodness(metric, a.ratio.median).total_cmp(&goodness(metric, b.ratio.median)));
    losses
}

/// Blocks of all rows with a value: how often each place was measured, least and most.
pub fn blocks(data: &Dataset, metric: &Metric) -> Option<(usize, usize)> {
    let mut counts = BTreeSet::new();
    for place in
        data.contenders().first().map(|first| repeated_places(data, metric, first)).unwrap_or_default()
    {
        for engine in data.contenders() {
            counts.insert(data.samples(metric, engine, &place.workload, place.threads).len());
        }
    }
    counts.remove(&0);
    Some((*counts.first()?, *counts.last()?))
}

#[cfg(test)]
mod tests {
    use super::super::metric::metric;
    use super::*;
    use crate::row::Row;

    fn rows(engine: &str, workload: &str, value: f64) -> Vec<Row> {
        (0..7)
            .map(|block| Row {
                engine: engine.into(),
                workload: workload.into(),
                threads: 1,
                pass: "throughput".into(),
                block,
                status: "ok".into(),
                ops_per_s: Some(value * (1.0 + 0.01 * f64::from(block))),
                ..Row::default()
            })
            .collect()
    }

    #[test]
    fn ranking_takes_the_geometric_mean_and_tells_wins_from_losses() {
        let all = [
            rows("system", "a", 1.0),
            rows("system", "b", 1.0),
            rows("ace", "a", 4.0),
            rows("ace", "b", 0.5),
            rows("tcmalloc", "a", 1.1),
            rows("tcmalloc", "b", 1.2),
            rows("partial", "c", 1.0),
            rows("floor", "a", 99.0),
        ];
        let data = Dataset::new(all.concat());
        let ranking = rank(&data, metric("ops_per_s"), "system");
        assert_eq!(ranking.unranked, ["partial"]);
        let first = &ranking.standings[0];
        assert_eq!(first.engine, "ace");
        assert!((first.mean.median - 2.0f64.sqrt()).abs() < 1e-9, "{first:?}");
        assert_eq!((first.best, first.surely_best, first.surely_worse), (1, 1, 1));
        assert_eq!(first.worst.as_ref().unwrap().0.workload, "b");
        let lost = losses(&data, metric("ops_per_s"), "ace");
        assert_eq!((lost.len(), lost[0].winner.as_str()), (1, "tcmalloc"));
        assert!(lost[0].ratio.surely_below(1.0));
    }
}
