//! The verbs, one file each.

pub mod bench;
pub mod list;
