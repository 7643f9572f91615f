//! Serving memory at scale: a real server and a real client, for each engine, over concurrency, requests, threads and
//! idle time.
//!
//! [`variant`] lists the engines, all brought by LD_PRELOAD or the environment; [`plan`] says which cells there are;
//! [`cell`] runs one in a fresh server; [`campaign`] runs them interleaved and resumes; [`row`] is a line of
//! `scaling.csv` and [`record`] the files of a run. [`tables`], with those over an axis in [`growth`], and [`figures`] are
//! made from rows alone, which they read through [`rows`]; [`seed`] holds the published figures that ours are set beside.

pub mod campaign;
pub mod cell;
pub mod figures;
pub mod growth;
pub mod plan;
pub mod record;
pub mod row;
pub mod rows;
pub mod seed;
pub mod tables;
pub mod variant;
