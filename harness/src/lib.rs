//! `allocbench` as a library: planning and running cells, what a run writes, and everything made of it afterwards.
//!
//! The arrows point one way. Running: [`cmd`] → [`campaign`] → [`plan`], [`schedule`], [`runner`], [`record`] →
//! [`job`], [`store`] → [`row`]. Reading: [`cmd`] → [`report`], [`plot`] → [`tables`] → [`analysis`] → [`store`] → [`row`].
//! Studies: [`cmd`] → [`learn`] → [`sweep`], [`ablate`] → [`study`] → both of these. [`explain`] reads logs and draws.
//! Nothing below `cmd` exits; engines are measured in processes of the package `cell`, never in this one.

#![forbid(unsafe_code)]

pub mod ablate;
pub mod analysis;
pub mod archive;
pub mod args;
pub mod block;
pub mod campaign;
pub mod cmd;
pub mod diagnose;
pub mod engine;
pub mod exec;
pub mod explain;
pub mod gate;
pub mod interrupt;
pub mod job;
pub mod learn;
pub mod machine;
pub mod output;
pub mod plan;
pub mod plot;
pub mod progress;
pub mod record;
pub mod report;
pub mod row;
pub mod runner;
pub mod scale;
pub mod schedule;
pub mod selection;
pub mod server;
pub mod store;
pub mod study;
pub mod sweep;
pub mod tables;
pub mod terminal;
pub mod trace_view;
