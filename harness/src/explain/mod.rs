//! `allocbench explain`: what ACE-Alloc's learning layer saw, decided and brought about, from its log (`ACE_LOG=decisions`).
//!
//! [`log`] reads the lines under bounds, [`account`] turns them into tables, [`figure`] draws knobs and resident memory on one
//! time axis. docs/LEARNING.md documents the lines; whatever else a program printed beside them is passed over.

pub mod account;
pub mod figure;
pub mod log;
