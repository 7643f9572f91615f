//! The verbs, one file each.

pub mod bench;
pub mod cmp;
pub mod exec;
pub mod import;
pub mod list;
pub mod merge;
pub mod plot;
pub mod record;
pub mod replay;
pub mod report;
pub mod trace;
