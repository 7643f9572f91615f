//! The verbs, one file each. A verb parses its arguments, calls what does the work and prints what it did.

pub mod cmp;
pub mod merge;
pub mod plot;
pub mod report;
