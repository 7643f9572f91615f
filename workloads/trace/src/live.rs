//! Which blocks of a stream are live, and what is known of them.
//!
//! The one place that knows what a second free, a free out of order or an id that was never made mean: such an event
//! is refused, and whoever reads on may count it. Memory follows the live set, up to a limit.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Blocks that may be live at once: 4 GiB of entries would be more than a description is worth.
pub const LIVE_MAX: usize = 50_000_000;

/// A hasher for ids: numbers that count up, whose low bits already differ.
#[derive(Default)]
pub struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(byte.into()));
    }
    fn write_u64(&mut self, value: u64) {
        let mixed = (self.0 ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

/// A map from ids or addresses.
pub type IdMap<V> = HashMap<u64, V, BuildHasherDefault<IdHasher>>;

/// Live blocks with a value each.
pub struct Live<V> {
    blocks: IdMap<V>,
    /// Events about blocks that were not live.
    pub conflicts: u64,
}

impl<V> Default for Live<V> {
    fn default() -> Live<V> {
        Live { blocks: IdMap::default(), conflicts: 0 }
    }
}

impl<V> Live<V> {
    /// Makes room for so many blocks beforehand.
    pub fn reserve(&mut self, blocks: usize) {
        self.blocks.reserve(blocks.min(LIVE_MAX));
    }

    /// A block was made; an error where there are too many.
    pub fn add(&mut self, id: u64, value: V) -> Result<(), String> {
        if self.blocks.len() >= LIVE_MAX {
            return Err(format!("more than {LIVE_MAX} blocks are live at once; cut the trace"));
        }
        self.blocks.insert(id, value);
        Ok(())
    }

    /// A block was freed; `None` (and a conflict) where it is not live.
    pub fn remove(&mut self, id: u64) -> Option<V> {
        let found = self.blocks.remove(&id);
        self.conflicts += u64::from(found.is_none());
        found
    }

    /// A live block's value; `None` (and a conflict) where it is not live.
    pub fn get_mut(&mut self, id: u64) -> Option<&mut V> {
        let found = self.blocks.get_mut(&id);
        self.conflicts += u64::from(found.is_none());
        found
    }

    /// How many are live.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Whether none is live.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The live ones.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.blocks.values()
    }
}
