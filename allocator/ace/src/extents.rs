//! Freed address ranges kept for reuse: a small set that splits and merges.
//!
//! Best fit; what is left of a range that was cut stays, and ranges that touch become one, so blocks of changing sizes
//! go on using the same pages. Knows numbers only: who owns a set maps and unmaps. Fixed in size, no allocation;
//! looking and merging walk all entries. Guarded by its owner's lock.

/// Ranges kept at most.
pub const ENTRIES: usize = 64;

/// A range of addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extent {
    /// First byte; 0 in [`NONE`] alone.
    pub address: usize,
    /// Length in bytes.
    pub bytes: usize,
}

/// No range.
pub const NONE: Extent = Extent { address: 0, bytes: 0 };

impl Extent {
    fn end(self) -> usize {
        self.address + self.bytes
    }

    /// The first `bytes` bytes and the rest, [`NONE`] if there is none.
    pub fn split(self, bytes: usize) -> (Extent, Extent) {
        if bytes >= self.bytes {
            return (self, NONE);
        }
        let rest = Extent { address: self.address + bytes, bytes: self.bytes - bytes };
        (Extent { address: self.address, bytes }, rest)
    }
}

#[derive(Clone, Copy)]
struct Entry {
    extent: Extent,
    freed_ms: u64,
}

/// The set.
pub struct Extents {
    entries: [Entry; ENTRIES],
    bytes: usize,
}

impl Extents {
    /// An empty set.
    pub const fn new() -> Extents {
        Extents { entries: [Entry { extent: NONE, freed_ms: 0 }; ENTRIES], bytes: 0 }
    }

    /// Bytes of all ranges.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn kept(&self) -> impl Iterator<Item = (usize, Extent)> + '_ {
        let all = self.entries.iter().enumerate().map(|(i, entry)| (i, entry.extent));
        all.filter(|(_, extent)| extent.bytes != 0)
    }

    fn remove(&mut self, i: usize) -> Extent {
        let extent = self.entries[i].extent;
        self.entries[i].extent = NONE;
        self.bytes -= extent.bytes;
        extent
    }

    /// Takes the smallest range of at least `bytes` that starts at a multiple of `align`, whole.
    pub fn take_fit(&mut self, bytes: usize, align: usize) -> Option<Extent> {
        let fits = self.kept().filter(|(_, e)| e.bytes >= bytes && e.address.is_multiple_of(align));
        let (i, _) = fits.min_by_key(|(_, e)| e.bytes)?;
        Some(self.remove(i))
    }

    /// Takes the largest range, whatever its length.
    pub fn take_largest(&mut self) -> Option<Extent> {
        let (i, _) = self.kept().max_by_key(|(_, e)| e.bytes)?;
        Some(self.remove(i))
    }

    /// Takes the range that starts at `address`, if it has at least `bytes`.
    pub fn take_at(&mut self, address: usize, bytes: usize) -> Option<Extent> {
        let (i, _) = self.kept().find(|(_, e)| e.address == address && e.bytes >= bytes)?;
        Some(self.remove(i))
    }

    /// Takes a range freed no later than `idle_since_ms`.
    pub fn take_idle(&mut self, idle_since_ms: u64) -> Option<Extent> {
        let (i, _) = self.kept().find(|&(i, _)| self.entries[i].freed_ms <= idle_since_ms)?;
        Some(self.remove(i))
    }

    /// Takes the range freed first.
    pub fn take_oldest(&mut self) -> Option<Extent> {
        let (i, _) = self.kept().min_by_key(|&(i, _)| self.entries[i].freed_ms)?;
        Some(self.remove(i))
    }

    /// Adds a range, merged with those that it touches; [`NONE`], or the range that finds no place: the smallest of all.
    pub fn put(&mut self, extent: Extent, freed_ms: u64) -> Extent {
        let mut whole = extent;
        loop {
            let touching = |e: Extent| e.end() == whole.address || whole.end() == e.address;
            let Some((i, _)) = self.kept().find(|&(_, e)| touching(e)) else { break };
            let other = self.remove(i);
            whole = Extent { address: whole.address.min(other.address), bytes: whole.bytes + other.bytes };
        }
        let free = self.entries.iter().position(|entry| entry.extent.bytes == 0);
        let smallest = self.kept().min_by_key(|(_, e)| e.bytes);
        let (i, displaced) = match (free, smallest) {
            (Some(i), _) => (i, NONE),
            (None, Some((i, e))) if e.bytes < whole.bytes => (i, self.remove(i)),
            _ => return whole,
        };
        self.entries[i] = Entry { extent: whole, freed_ms };
        self.bytes += whole.bytes;
        displaced
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::vec::Vec;

    /// Pages of all ranges.
    fn pages(set: &Extents) -> BTreeSet<usize> {
        set.kept().flat_map(|(_, e)| e.address..e.end()).collect()
    }

    #[test]
    fn what_goes_in_comes_out_and_neighbours_merge() {
        let mut set = Extents::new();
        let mut model = BTreeSet::new();
        let mut state = 7_u64;
        let mut draw = |n: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % n
        };
        for step in 0..20_000 {
            let (address, bytes) = (1 + draw(400), 1 + draw(9));
            let range = address..address + bytes;
            if draw(2) == 0 && range.clone().all(|page| !model.contains(&page)) {
                let displaced = set.put(Extent { address, bytes }, step);
                model.extend(range);
                model.retain(|page| !(displaced.address..displaced.end()).contains(page));
            } else {
                let found = match draw(5) {
                    0 => set.take_fit(bytes, 1 + draw(2)),
                    1 => set.take_largest(),
                    2 => set.take_at(address, bytes),
                    3 => set.take_oldest(),
                    _ => set.take_idle(step.saturating_sub(50)),
                };
                for page in found.map_or(0..0, |e| e.address..e.end()) {
                    assert!(model.remove(&page), "{page} was not there");
                }
            }
            assert_eq!(pages(&set), model);
            assert_eq!(set.bytes(), model.len());
            let mut all: Vec<Extent> = set.kept().map(|(_, e)| e).collect();
            all.sort_by_key(|e| e.address);
            assert!(all.windows(2).all(|pair| pair[0].end() < pair[1].address), "neighbours are merged");
        }
    }

    #[test]
    fn the_best_fit_is_taken_and_a_full_set_gives_up_the_smallest() {
        let mut set = Extents::new();
        for i in 0..ENTRIES {
            assert_eq!(set.put(Extent { address: (i + 1) * 1000, bytes: 100 + i }, i as u64), NONE);
        }
        assert_eq!(set.take_fit(110, 1).map(|e| e.bytes), Some(110));
        assert_eq!(set.put(Extent { address: 1, bytes: 500 }, 0), NONE);
        assert_eq!(set.put(Extent { address: 900_000, bytes: 300 }, 0).bytes, 100);
        assert_eq!(set.put(Extent { address: 950_000, bytes: 50 }, 0).bytes, 50);
        assert_eq!(set.take_largest().map(|e| e.bytes), Some(500));
        assert_eq!(set.take_at(900_000, 301), None);
        assert!(set.take_at(900_000, 300).is_some());
        assert_eq!(Extent { address: 10, bytes: 5 }.split(5).1, NONE);
    }
}
