//! `allocbench` as a library: what a run writes, and everything that is made of it afterwards.
//!
//! The arrows point one way: [`cmd`] → [`report`], [`plot`] → [`tables`] → [`analysis`] → [`store`] → [`row`].
//! Nothing below `cmd` prints or exits; nothing below `store` reads a file.

#![forbid(unsafe_code)]

pub mod analysis;
pub mod cmd;
pub mod plot;
pub mod report;
pub mod row;
pub mod store;
pub mod tables;
