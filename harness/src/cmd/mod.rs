//! The verbs, one file each.

pub mod ablate;
pub mod bench;
pub mod cmp;
pub mod exec;
pub mod explain;
pub mod import;
pub mod learn;
pub mod list;
pub mod merge;
pub mod plot;
pub mod record;
pub mod replay;
pub mod report;
pub mod sweep;
pub mod trace;
