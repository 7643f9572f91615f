//! Runs the cells of a plan: block by block, the engines of a point one after another in balanced random order.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::cell::{self, Bench};
use super::plan::{self, Point};
use super::record::Record;
use super::row::Row;
use super::variant::Variant;
use crate::progress::Progress;
use crate::{interrupt, schedule};

/// What to run.
pub struct Campaign<'a> {
    /// Points and their blocks.
    pub points: &'a [(Point, u32)],
    /// Engines.
    pub variants: &'a [Variant],
    /// Whether the user named the engines.
    pub named: bool,
    /// Seed of the order.
    pub seed: u64,
    /// Part and parts, counted from 0.
    pub shard: (usize, usize),
    /// Folder of the binaries.
    pub folder: &'a Path,
    /// Longest load of a cell.
    pub time_limit: Duration,
    /// No further cell is started after this time.
    pub stop_after: Option<Duration>,
}

impl Campaign<'_> {
    /// Runs what is not on record; cells left over because time ran out or the user stopped.
    pub fn run(&self, record: &mut Record) -> Result<usize> {
        let cells: Vec<(&Point, usize, Row)> =
            self.cells().into_iter().filter(|(_, _, row)| !record.has(row)).collect();
        let mut progress = Progress::new(cells.iter().map(|(point, _, _)| point.estimate_ns()).sum());
        let start = Instant::now();
        let bench = Bench { folder: self.folder, time_limit: self.time_limit };
        let mut left = cells.len();
        for (point, variant, row) in cells {
            let late = self.stop_after.is_some_and(|limit| {
                start.elapsed() + Duration::from_nanos(point.estimate_ns() as u64) > limit
            });
            if late || interrupt::requested() {
                break;
            }
            let variant = &self.variants[variant];
            progress.show(&format!("{}  {}", point.key(), variant.label));
            let Some((row, samples)) = cell::run(&bench, point, variant, row) else { break };
            if !row.is_ok() {
                eprintln!("allocbench: {} on {}: {}", row.engine, point.key(), row.detail);
            }
            // The shape over time is kept where idle time is part of the question.
            let samples = if point.idle_ms.len() > 1 { samples } else { Vec::new() };
            record.append(row, &samples)?;
            progress.advance(point.estimate_ns());
            left -= 1;
        }
        progress.finish();
        Ok(left)
    }

    /// Every cell of this shard in the order in which it runs.
    fn cells(&self) -> Vec<(&Point, usize, Row)> {
        let labels: Vec<String> = self.variants.iter().map(|variant| variant.label.clone()).collect();
        let most = self.points.iter().map(|(_, blocks)| *blocks).max().unwrap_or(0);
        let mut cells = Vec::new();
        let mut group = 0;
        for block in 0..most {
            for (point, _) in self.points.iter().filter(|(_, blocks)| block < *blocks) {
                let mine = group % self.shard.1 == self.shard.0;
                group += 1;
                if !mine {
                    continue;
                }
                let engines = plan::engines_of(point, &labels, self.named);
                let order = schedule::block_order(engines.len(), self.seed, &point.key(), block);
                for (position, index) in order.into_iter().enumerate() {
                    let row = Row::new(point, &labels[engines[index]], block, position as u32);
                    cells.push((point, engines[index], row));
                }
            }
        }
        cells
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::{Size, Wish};
    use super::*;

    #[test]
    fn shards_part_the_cells_without_overlap() {
        let points = plan::points(Size::Quick, &Wish { blocks: Some(2), ..Wish::default() });
        let variants: Vec<Variant> = ["glibc", "ace"]
            .map(|label| Variant { label: label.into(), library: None, env: Vec::new(), flags: Vec::new() })
            .to_vec();
        let keys = |shard: (usize, usize)| {
            let campaign = Campaign {
                points: &points,
                variants: &variants,
                named: true,
                seed: 1,
                shard,
                folder: Path::new(""),
                time_limit: Duration::ZERO,
                stop_after: None,
            };
            campaign.cells().into_iter().map(|(_, _, row)| row.key()).collect::<Vec<_>>()
        };
        let mut parts: Vec<_> = (0..3).flat_map(|part| keys((part, 3))).collect();
        let mut whole = keys((0, 1));
        assert_eq!(whole.len(), points.len() * 4);
        parts.sort_unstable();
        whole.sort_unstable();
        assert_eq!(parts, whole);
    }
}
