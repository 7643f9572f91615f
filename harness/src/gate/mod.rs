//! The gate: is a candidate worse than a reference, and how sure is that?
//!
//! The arrows point one way: `cmd` → [`session`] → [`course`] → [`measure`], [`sequence`], [`verdict`] → [`figures`],
//! [`signed_rank`]; [`side`] and [`checkout`] turn words into two measuring processes, [`config`] reads `gate.toml`, [`lineup`] makes of it what is run, [`callgrind`] compares instruction
//! counts, [`report`] and its renderers write what was found, [`power`] studies the gate itself. Only [`measure`] and
//! [`callgrind`] start measuring processes, only [`checkout`] starts builds. `docs/GATE.md` explains the method.

pub mod baseline;
pub mod callgrind;
pub mod checkout;
pub mod config;
pub mod counts;
pub mod course;
pub mod figures;
pub mod junit;
pub mod lineup;
pub mod measure;
pub mod plant;
pub mod power;
pub mod proportion;
pub mod report;
pub mod sequence;
pub mod session;
pub mod side;
pub mod signed_rank;
pub mod study;
pub mod verdict;
