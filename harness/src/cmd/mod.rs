//! The verbs, one file each.

pub mod bench;
pub mod cmp;
pub mod diagnose;
pub mod list;
pub mod merge;
pub mod plot;
pub mod report;
pub mod scale;
