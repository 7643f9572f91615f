//! The verbs, one file each.

pub mod ablate;
pub mod bench;
pub mod bisect;
pub mod cmp;
pub mod diagnose;
pub mod exec;
pub mod explain;
pub mod gate;
pub mod import;
pub mod learn;
pub mod list;
pub mod merge;
pub mod plot;
pub mod power;
pub mod record;
pub mod replay;
pub mod report;
pub mod scale;
pub mod sweep;
pub mod trace;
