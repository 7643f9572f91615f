//! Tables as data, and what a report consists of: sections of text and tables, from rows and provenance alone.
//!
//! A [`Table`] knows nothing of its medium; [`render`] writes it as Markdown, HTML or terminal text. Each other
//! module makes the tables of one question. A table without rows is left out by whoever asked for it.

pub mod control;
pub mod format;
pub mod locks;
pub mod matrix;
pub mod memory;
pub mod note;
pub mod render;
pub mod skew;
pub mod standing;
pub mod status;

use crate::analysis::Dataset;
use serde_json::{Map, Value};

/// What a cell wants to say beside its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mark {
    /// Nothing.
    #[default]
    Plain,
    /// The best of its row or column.
    Best,
    /// Surely worse than what it is compared with.
    Worse,
}

/// One cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// What is shown.
    pub text: String,
    /// What it is sorted by, where that is a number.
    pub key: Option<f64>,
    /// Emphasis.
    pub mark: Mark,
}

impl Cell {
    /// A cell of words.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// A cell that sorts by a number.
    pub fn number(text: String, key: f64) -> Self {
        Self { text, key: Some(key), mark: Mark::Plain }
    }

    /// A figure, or a dash where there is none.
    pub fn figure(value: Option<f64>, write: impl Fn(f64) -> String) -> Self {
        value.map_or_else(|| Self::text("–"), |value| Self::number(write(value), value))
    }

    /// The same with emphasis.
    pub fn marked(self, mark: Mark) -> Self {
        Self { mark, ..self }
    }
}

/// A table.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// What it shows.
    pub title: String,
    /// How to read it.
    pub note: String,
    /// Column heads; the first column is words, the others are figures.
    pub head: Vec<String>,
    /// Leading columns that are words.
    pub words: usize,
    /// Rows, each as long as the head.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty table whose first `words` columns hold words.
    pub fn new(title: impl Into<String>, note: impl Into<String>, words: usize, head: Vec<String>) -> Self {
        Self { title: title.into(), note: note.into(), head, words, rows: Vec::new() }
    }

    /// Adds a row.
    pub fn push(&mut self, row: Vec<Cell>) {
        debug_assert_eq!(row.len(), self.head.len(), "{}", self.title);
        self.rows.push(row);
    }
}

/// Text and tables under one heading.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// Anchor.
    pub id: &'static str,
    /// Heading.
    pub title: &'static str,
    /// Paragraphs before the tables.
    pub text: Vec<String>,
    /// Tables.
    pub tables: Vec<Table>,
}

/// What reports are made of.
#[derive(Debug)]
pub struct Input {
    /// Rows.
    pub data: Dataset,
    /// Any JSON object.
    pub provenance: Map<String, Value>,
    /// Latency by size class, if it was recorded.
    pub skew: Vec<skew::ClassLatency>,
    /// Engine that ratios are formed to.
    pub reference: String,
}

/// All sections, those with nothing to show left out; the verdict comes first.
pub fn sections(input: &Input) -> Vec<Section> {
    let sections = [
        standing::section(input),
        note::section(input),
        matrix::section(input),
        memory::section(input),
        control::floor_section(input),
        control::aa_section(input),
        locks::section(input),
        skew::section(input),
        status::failures(input),
        status::left_out(input),
        status::provenance(input),
    ];
    sections
        .into_iter()
        .map(|mut section| {
            section.tables.retain(|table| !table.rows.is_empty());
            section
        })
        .filter(|section| !section.tables.is_empty() || !section.text.is_empty())
        .collect()
}
