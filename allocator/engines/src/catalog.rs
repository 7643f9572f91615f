//! The list of engines: which exist, which cargo feature builds each, which this binary holds.

use crate::engine::Engine;

/// One engine the workspace knows.
pub struct Entry {
    /// Name as users type it.
    pub name: &'static str,
    /// Cargo feature of the `cell` package that builds it; empty for those that are always built.
    pub feature: &'static str,
    /// One line for `allocbench list`.
    pub about: &'static str,
    /// The instance, where this binary was built with the feature.
    pub instance: Option<fn() -> &'static dyn Engine>,
}

/// Every engine, in the order tables show them.
pub static CATALOG: &[Entry] = &[];

/// The engines this binary was built with.
pub fn built() -> impl Iterator<Item = &'static Entry> {
    CATALOG.iter().filter(|entry| entry.instance.is_some())
}

/// The entry called `name`, built or not.
pub fn find(name: &str) -> Option<&'static Entry> {
    CATALOG.iter().find(|entry| entry.name == name)
}
