//! Workloads: their specifications, the generator models, and the loop that drives an engine.

pub mod spec;
