//! Figures out of rows: which rows belong to a point, the median over its blocks, the paired ratio of two engines.
//!
//! Tables and plots of `scale` read rows through this module alone, so that both leave the same rows out: those of
//! cells that have no figures.

use super::row::Row;
use crate::analysis::{Ratio, robust};

/// What a figure is taken from.
pub type Pick = fn(&Row) -> Option<f64>;

/// Engine that ratios are formed to.
pub const REFERENCE: &str = "glibc";

/// Bytes as MB, as published.
pub fn mb(bytes: Option<u64>) -> Option<f64> {
    bytes.map(|bytes| bytes as f64 / 1e6)
}

/// The resident set when the load has ended.
pub fn resident(row: &Row) -> Option<f64> {
    mb(row.resident_bytes_idle_0ms)
}

/// The last reading before the trim.
pub fn last_idle(row: &Row) -> Option<f64> {
    mb(row.resident_bytes_idle_12s.or(row.resident_bytes_idle_5s).or(row.resident_bytes_idle_0ms))
}

/// Rows that have figures, by what makes a point.
pub struct Rows<'a>(pub &'a [Row]);

impl<'a> Rows<'a> {
    /// Rows of a test.
    pub fn of(&self, test: &'a str) -> impl Iterator<Item = &'a Row> {
        self.0.iter().filter(move |row| row.is_ok() && row.test == test)
    }

    /// Engines of a test in the order of the list of engines, then others.
    pub fn engines(&self, test: &'a str) -> Vec<&'a str> {
        let order = super::variant::labels();
        let mut engines: Vec<&str> = self.of(test).map(|row| row.engine.as_str()).collect();
        engines.sort_by_key(|engine| {
            (order.iter().position(|known| known == engine).unwrap_or(usize::MAX), *engine)
        });
        engines.dedup();
        engines
    }

    /// Sorted values of a column of a test.
    pub fn values(&self, test: &'a str, of: fn(&Row) -> u64) -> Vec<u64> {
        let mut values: Vec<u64> = self.of(test).map(of).collect();
        values.sort_unstable();
        values.dedup();
        values
    }
}

/// Median over rows.
pub fn median<'a>(rows: impl Iterator<Item = &'a Row>, pick: Pick) -> Option<f64> {
    robust::median(&rows.filter_map(pick).collect::<Vec<f64>>())
}

/// Ratio to glibc over the blocks of one test.
pub fn paired(rows: &Rows, test: &str, engine: &str, pick: Pick) -> Option<Ratio> {
    against(rows, test, engine, REFERENCE, pick)
}

/// Ratio of an engine to another over the blocks of one test, which has one point.
pub fn against(rows: &Rows, test: &str, engine: &str, other: &str, pick: Pick) -> Option<Ratio> {
    let of = |name: &str, block: u32| {
        let mut own = rows.0.iter().filter(|row| row.is_ok() && row.test == test && row.engine == name);
        own.find(|row| row.block == block).and_then(pick)
    };
    let blocks = rows.0.iter().map(|row| row.block).max().unwrap_or(0);
    let pairs: Vec<(f64, f64)> =
        (0..=blocks).filter_map(|block| of(engine, block).zip(of(other, block))).collect();
    Ratio::paired(&pairs)
}
