//! The verbs, one file each.

pub mod bench;
pub mod bisect;
pub mod cmp;
pub mod diagnose;
pub mod exec;
pub mod gate;
pub mod import;
pub mod list;
pub mod merge;
pub mod plot;
pub mod power;
pub mod record;
pub mod replay;
pub mod report;
pub mod scale;
pub mod trace;
