//! Resident memory by kind of mapping, from `/proc/PID/smaps`.
//!
//! Kinds are told from names, permissions and neighbours: a thread's stack lies directly above a small mapping without
//! permissions; an arena of glibc begins at a multiple of 64 MiB and is followed by the reserved rest of it.

use serde::{Deserialize, Serialize};

/// Size and alignment of an arena's heap in glibc on 64-bit machines (`HEAP_MAX_SIZE`).
const ARENA_BYTES: u64 = 64 << 20;
/// Guards of thread stacks are at most this large.
const GUARD_BYTES_MAX: u64 = 64 << 10;
/// Stacks beyond this size are taken for something else.
const STACK_BYTES_MAX: u64 = 64 << 20;

/// Resident bytes by kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Kinds {
    /// Everything.
    pub resident_bytes: u64,
    /// The break heap: glibc's main arena.
    pub break_bytes: u64,
    /// Heaps of glibc's other arenas.
    pub arena_bytes: u64,
    /// Number of those heaps.
    pub arena_heaps: u64,
    /// Stacks of all threads.
    pub stack_bytes: u64,
    /// Number of stacks.
    pub stacks: u64,
    /// Other anonymous memory: heaps of other allocators, large blocks, whatever the program maps.
    pub anonymous_bytes: u64,
    /// Program and libraries.
    pub file_bytes: u64,
    /// Shared memory.
    pub shared_bytes: u64,
    /// Part of all this in transparent huge pages.
    pub huge_page_bytes: u64,
    /// Part of all this that was given back by MADV_FREE and not yet taken.
    pub lazy_bytes: u64,
    /// Swapped out, not in any figure above.
    pub swap_bytes: u64,
}

impl Kinds {
    /// Resident memory that an allocator may hold.
    pub fn heap_bytes(&self) -> u64 {
        self.break_bytes + self.arena_bytes + self.anonymous_bytes
    }
}

#[derive(Default)]
struct Mapping {
    from: u64,
    to: u64,
    permissions: String,
    name: String,
    rss: u64,
    huge: u64,
    lazy: u64,
    swap: u64,
}

/// Reads process `pid`.
pub fn read(pid: u32) -> std::io::Result<Kinds> {
    Ok(sort(&parse(&std::fs::read_to_string(format!("/proc/{pid}/smaps"))?)))
}

fn parse(text: &str) -> Vec<Mapping> {
    let mut mappings: Vec<Mapping> = Vec::new();
    for line in text.lines() {
        if let Some(mapping) = head(line) {
            mappings.push(mapping);
            continue;
        }
        let Some(mapping) = mappings.last_mut() else { continue };
        let Some((field, rest)) = line.split_once(':') else { continue };
        let kib = rest.split_ascii_whitespace().next().and_then(|word| word.parse::<u64>().ok());
        let bytes = kib.unwrap_or(0) * 1024;
        match field {
            "Rss" => mapping.rss = bytes,
            "AnonHugePages" => mapping.huge = bytes,
            "LazyFree" => mapping.lazy = bytes,
            "Swap" => mapping.swap = bytes,
            _ => {}
        }
    }
    mappings
}

/// `7f00-7f10 rw-p 0 00:00 0   name`.
fn head(line: &str) -> Option<Mapping> {
    let mut words = line.split_ascii_whitespace();
    let (from, to) = words.next()?.split_once('-')?;
    let permissions = words.next()?.to_string();
    Some(Mapping {
        from: u64::from_str_radix(from, 16).ok()?,
        to: u64::from_str_radix(to, 16).ok()?,
        permissions,
        name: words.skip(3).collect::<Vec<_>>().join(" "),
        ..Mapping::default()
    })
}

fn sort(mappings: &[Mapping]) -> Kinds {
    let mut kinds = Kinds::default();
    for (at, mapping) in mappings.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| &mappings[at]).filter(|other| other.to == mapping.from);
        let after = mappings.get(at + 1).filter(|other| other.from == mapping.to);
        kinds.resident_bytes += mapping.rss;
        kinds.huge_page_bytes += mapping.huge;
        kinds.lazy_bytes += mapping.lazy;
        kinds.swap_bytes += mapping.swap;
        match mapping.name.as_str() {
            "[heap]" => kinds.break_bytes += mapping.rss,
            "" if is_arena(mapping, after) => {
                kinds.arena_bytes += mapping.rss;
                kinds.arena_heaps += 1;
            }
            name if name.starts_with("[stack") || is_stack(mapping, before) => {
                kinds.stack_bytes += mapping.rss;
                kinds.stacks += 1;
            }
            name if name.starts_with("/dev/shm")
                || name.starts_with("/memfd:")
                || name.starts_with("/SYSV") =>
            {
                kinds.shared_bytes += mapping.rss;
            }
            name if name.starts_with('/') => kinds.file_bytes += mapping.rss,
            _ if mapping.permissions.ends_with('s') => kinds.shared_bytes += mapping.rss,
            _ => kinds.anonymous_bytes += mapping.rss,
        }
    }
    kinds
}

fn is_arena(mapping: &Mapping, after: Option<&Mapping>) -> bool {
    mapping.from.is_multiple_of(ARENA_BYTES)
        && mapping.permissions.starts_with("rw")
        && mapping.to - mapping.from <= ARENA_BYTES
        && (mapping.to - mapping.from == ARENA_BYTES
            || after.is_some_and(|rest| {
                rest.permissions.starts_with("---") && rest.to.is_multiple_of(ARENA_BYTES)
            }))
}

fn is_stack(mapping: &Mapping, before: Option<&Mapping>) -> bool {
    mapping.name.is_empty()
        && mapping.permissions == "rw-p"
        && mapping.to - mapping.from <= STACK_BYTES_MAX
        && before.is_some_and(|guard| {
            guard.permissions.starts_with("---")
                && guard.name.is_empty()
                && guard.to - guard.from <= GUARD_BYTES_MAX
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMAPS: &str = "\
00400000-00500000 r-xp 00000000 08:01 1 /usr/bin/x
Rss: 100 kB
01000000-02000000 rw-p 00000000 00:00 0 [heap]
Rss: 200 kB
7f0000000000-7f0000100000 rw-p 00000000 00:00 0 
Rss: 300 kB
LazyFree: 7 kB
7f0000100000-7f0004000000 ---p 00000000 00:00 0 
Rss: 0 kB
7f1000000000-7f1000001000 ---p 00000000 00:00 0 
Rss: 0 kB
7f1000001000-7f1000201000 rw-p 00000000 00:00 0 
Rss: 40 kB
7f2000000000-7f2000201000 rw-p 00000000 00:00 0 
Rss: 500 kB
AnonHugePages: 64 kB
7f3000000000-7f3000201000 rw-s 00000000 00:00 0 /dev/shm/a b
Rss: 60 kB
7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0 [stack]
Rss: 8 kB
Swap: 4 kB
";

    #[test]
    fn mappings_are_sorted_by_kind_and_sum() {
        let kinds = sort(&parse(SMAPS));
        let kib = |bytes: u64| bytes / 1024;
        assert_eq!(
            [kinds.file_bytes, kinds.break_bytes, kinds.arena_bytes, kinds.stack_bytes].map(kib),
            [100, 200, 300, 48]
        );
        assert_eq!([kinds.anonymous_bytes, kinds.shared_bytes, kinds.lazy_bytes].map(kib), [500, 60, 7]);
        assert_eq!((kinds.stacks, kinds.arena_heaps), (2, 1));
        assert_eq!(
            kinds.resident_bytes,
            kinds.heap_bytes() + kinds.file_bytes + kinds.stack_bytes + kinds.shared_bytes
        );
        assert_eq!([kinds.huge_page_bytes, kinds.swap_bytes].map(kib), [64, 4]);
    }

    #[test]
    fn this_process_can_be_read() {
        let kinds = read(std::process::id()).unwrap();
        assert!(kinds.file_bytes > 0 && kinds.heap_bytes() > 0 && kinds.stacks >= 1, "{kinds:?}");
    }
}
