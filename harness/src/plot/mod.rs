//! Figures, made from rows and the memory timeline alone.
//!
//! A [`figures::Figure`] is a [`scene::Scene`]: shapes and text with named inks. [`backend`] draws a scene as SVG or
//! PNG through plotters with a font of its own, so that no system font is needed; [`palette`] fixes one colour and
//! one marker an engine. [`forest`], [`heat`], [`lines`] and [`scatter`] lay out the kinds of figure there are, always as
//! small multiples, one panel a workload. [`timeline`] reads the resident-set samples.

pub mod axis;
pub mod backend;
pub mod figures;
pub mod forest;
pub mod heat;
pub mod lines;
pub mod palette;
pub mod scatter;
pub mod scene;
pub mod timeline;
