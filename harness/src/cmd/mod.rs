//! The verbs, one file each.

pub mod bench;
pub mod bisect;
pub mod cmp;
pub mod gate;
pub mod list;
pub mod merge;
pub mod plot;
pub mod power;
pub mod report;
