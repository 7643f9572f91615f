//! A trace for people: [`text`] for the terminal, [`figures`] as plots.

pub mod figures;
pub mod text;
