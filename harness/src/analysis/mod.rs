//! Statistics over result rows: pure functions, no files, no clocks, no global state.
//!
//! [`robust`] has median and MAD, [`interval`] the interval of a median of paired differences, [`shift`] the same
//! for two unpaired samples; [`mod@metric`] names what can be read off a row; [`dataset`] groups rows and forms
//! ratios; [`aa`] judges the control and [`verdict`] the whole. `docs/METHODOLOGY.md` gives reasons and the
//! measured coverage of each interval.

pub mod aa;
pub mod dataset;
pub mod interval;
pub mod metric;
#[cfg(test)]
pub(crate) mod random;
pub mod ratio;
pub mod robust;
pub mod shift;
pub mod verdict;

pub use dataset::{Dataset, Summary};
pub use metric::{Better, Metric, metric};
pub use ratio::Ratio;
