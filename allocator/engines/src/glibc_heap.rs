//! Whether a block is glibc's, told from glibc's own records, without trusting the address.
//!
//! A live glibc chunk carries a size word before the block whose low bits say where it comes from; each of the three
//! origins leaves a trace that an address of another allocator does not have:
//! - **main arena**: the chunk lies between the program break's start and its end, which only glibc moves here, and the chunk
//!   that follows it says that its predecessor is in use;
//! - **thread arena**: the 64 MiB-aligned heap around the chunk starts with a header that names an arena, the arena stands
//!   behind a header of the same kind that names it too, and it holds bins that point at themselves, as empty ones do;
//! - **mapping of its own**: chunk and padding fill whole pages exactly, and the first and the last of them can be read.
//!
//! Memory is read by system call ([`read_words`]), so that any address may be asked about. Two answers are wrong on the safe
//! side (`false` for a glibc block): a main arena that had to leave the break for mappings, and a heap size changed
//! by `glibc.malloc.hugetlb`. Wrong on the other side can only be memory that was written to look like a glibc heap.

use crate::process::read_words;
use std::sync::OnceLock;

const WORD_BYTES: usize = size_of::<usize>();
/// Bytes from a chunk's start to its block.
const HEADER_BYTES: usize = 2 * WORD_BYTES;
const CHUNK_BYTES_MIN: usize = 4 * WORD_BYTES;
const CHUNK_ALIGN: usize = 2 * WORD_BYTES;
/// Low bits of a chunk's size word.
const PREV_IN_USE: usize = 1;
const IS_MMAPPED: usize = 2;
const NON_MAIN_ARENA: usize = 4;
const FLAGS: usize = 7;
/// Size and alignment of a thread arena's heap.
const HEAP_BYTES: usize = 64 << 20;
/// A heap's header is smaller than this, so its arena, if it holds one, starts before it.
const HEAP_HEADER_BYTES_MAX: usize = 256;
/// No break grows further than this from where it started.
const BREAK_BYTES_MAX: usize = 1 << 40;
/// Words of an arena before the links of its bins, and those links. All are looked at: the last bins, of the largest chunks, are
/// the ones that stay empty when a fragmented heap fills the others.
const ARENA_WORDS: usize = 14 + 254;

/// Whether the live block at `block` was handed out by glibc's malloc.
pub fn owns(block: *const u8) -> bool {
    let Some(chunk) = Chunk::before(block.addr()) else { return false };
    match chunk.flags & (IS_MMAPPED | NON_MAIN_ARENA) {
        0 => chunk.lies_in_break(),
        NON_MAIN_ARENA => chunk.lies_in_thread_arena(),
        IS_MMAPPED => chunk.fills_a_mapping(),
        _ => false,
    }
}

/// What the header before a block says, true or not.
struct Chunk {
    start: usize,
    size_bytes: usize,
    prev_size_bytes: usize,
    flags: usize,
}

impl Chunk {
    fn before(block: usize) -> Option<Self> {
        if !block.is_multiple_of(CHUNK_ALIGN) {
            return None;
        }
        let start = block.checked_sub(HEADER_BYTES)?;
        let [prev_size_bytes, size_word] = read_words(start)?;
        let size_bytes = size_word & !FLAGS;
        let plausible = size_bytes >= CHUNK_BYTES_MIN
            && size_bytes.is_multiple_of(CHUNK_ALIGN)
            && start.checked_add(size_bytes).is_some();
        plausible.then_some(Self { start, size_bytes, prev_size_bytes, flags: size_word & FLAGS })
    }

    fn end(&self) -> usize {
        self.start + self.size_bytes
    }

    /// The chunk after this one says that this one is in use; the top chunk ends every row of chunks, so there is one.
    fn successor_agrees(&self) -> bool {
        read_words(self.end()).is_some_and(|[_, size_word]| size_word & PREV_IN_USE != 0)
    }

    fn lies_in_break(&self) -> bool {
        // SAFETY: sbrk(0) moves nothing; it reads the break.
        let break_end = unsafe { libc::sbrk(0) }.addr();
        let Some(break_start) = break_start(break_end) else { return false };
        break_start <= self.start && self.end() < break_end && self.successor_agrees()
    }

    fn lies_in_thread_arena(&self) -> bool {
        let Some(heap) = HeapHeader::around(self.start) else { return false };
        self.end() < heap.end() && heap.arena_is_genuine() && self.successor_agrees()
    }

    fn fills_a_mapping(&self) -> bool {
        let page_bytes = page_bytes();
        // An aligned block's padding stands before the chunk, and the header says how much it is.
        let Some(start) = self.start.checked_sub(self.prev_size_bytes) else { return false };
        self.flags == IS_MMAPPED
            && start.is_multiple_of(page_bytes)
            && self.end().is_multiple_of(page_bytes)
            && ends_are_mapped(start, self.end() - start)
    }
}

/// The header at the start of a thread arena's heap.
struct HeapHeader {
    start: usize,
    arena: usize,
    size_bytes: usize,
    committed_bytes: usize,
}

impl HeapHeader {
    fn around(address: usize) -> Option<Self> {
        let start = address & !(HEAP_BYTES - 1);
        let [arena, _previous, size_bytes, committed_bytes] = read_words(start)?;
        let header = Self { start, arena, size_bytes, committed_bytes };
        header.is_plausible().then_some(header)
    }

    fn is_plausible(&self) -> bool {
        let page_bytes = page_bytes();
        self.size_bytes.is_multiple_of(page_bytes)
            && self.committed_bytes.is_multiple_of(page_bytes)
            && self.size_bytes <= self.committed_bytes
            && self.committed_bytes <= HEAP_BYTES
    }

    fn end(&self) -> usize {
        self.start + self.size_bytes
    }

    fn arena_is_genuine(&self) -> bool {
        let Some(first) = Self::around(self.arena) else { return false };
        let offset = self.arena - first.start;
        let stands_behind_header = (4 * WORD_BYTES..HEAP_HEADER_BYTES_MAX).contains(&offset);
        stands_behind_header && first.arena == self.arena && has_empty_bins(self.arena)
    }
}

/// An arena's empty bin is a list head linked to itself: two neighbouring words that hold the address two words before
/// the first of them.
fn has_empty_bins(arena: usize) -> bool {
    let Some(words) = read_words::<ARENA_WORDS>(arena) else { return false };
    let links_to_itself = |(index, pair): (usize, &[usize])| {
        let head = arena.wrapping_add(index * WORD_BYTES).wrapping_sub(HEADER_BYTES);
        pair[0] == head && pair[1] == head
    };
    words.windows(2).enumerate().any(links_to_itself)
}

/// Whether the range's first and last page are there to be read.
fn ends_are_mapped(start: usize, len_bytes: usize) -> bool {
    let ends = [start, start + len_bytes - page_bytes()];
    ends.into_iter().all(|page| read_words::<1>(page).is_some())
}

fn page_bytes() -> usize {
    // SAFETY: sysconf has no preconditions.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(bytes).expect("the page size is known")
}

/// Where the program break started, from the kernel's record of this process.
///
/// Valgrind emulates the break at an address of its own choice, which the kernel's record is not about. Then the
/// start can lie no lower than all that glibc's arenas hold together below the end.
fn break_start(break_end: usize) -> Option<usize> {
    static START: OnceLock<Option<usize>> = OnceLock::new();
    let recorded =
        (*START.get_or_init(|| parse_break_start(&std::fs::read_to_string("/proc/self/stat").ok()?)))?;
    let emulated = !(recorded..recorded.saturating_add(BREAK_BYTES_MAX)).contains(&break_end);
    if !emulated {
        return Some(recorded);
    }
    // SAFETY: no preconditions.
    let arenas_bytes = unsafe { libc::mallinfo2() }.arena;
    break_end.checked_sub(arenas_bytes)
}

/// `start_brk`, field 47 of `/proc/<pid>/stat`. The name in field 2 may hold blanks; its closing bracket ends it.
fn parse_break_start(stat: &str) -> Option<usize> {
    const FIELD: usize = 47;
    const FIRST_AFTER_NAME: usize = 3;
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_ascii_whitespace().nth(FIELD - FIRST_AFTER_NAME)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn break_start_is_the_heap_line_of_maps() {
        let maps = std::fs::read_to_string("/proc/self/maps").expect("maps are readable");
        let line = maps.lines().find(|line| line.ends_with("[heap]")).expect("glibc has moved the break");
        let start = usize::from_str_radix(line.split('-').next().expect("a range"), 16).expect("hex");
        // SAFETY: sbrk(0) moves nothing; it reads the break.
        let end = unsafe { libc::sbrk(0) }.addr();
        assert_eq!(break_start(end), Some(start));
    }

    #[test]
    fn a_name_with_brackets_does_not_shift_the_fields() {
        let numbers: Vec<String> = (4..=52).map(|field| field.to_string()).collect();
        let stat = format!("1 (a ) b) S {}", numbers.join(" "));
        assert_eq!(parse_break_start(&stat), Some(47));
    }

    #[test]
    fn blocks_of_a_thread_arena_are_recognised() {
        let thread = std::thread::spawn(|| {
            // SAFETY: any size may be asked for.
            let block = unsafe { libc::malloc(500) };
            let owned = owns(block.cast());
            // SAFETY: `block` came from malloc and is freed once.
            unsafe { libc::free(block) };
            (block.addr(), owned)
        });
        let (address, owned) = thread.join().expect("the thread does not panic");
        assert!(owned, "{address:#x}");
        // SAFETY: sbrk(0) moves nothing; it reads the break.
        let end = unsafe { libc::sbrk(0) }.addr();
        assert!(
            break_start(end).is_some_and(|start| address < start || address > start + HEAP_BYTES),
            "not a thread arena"
        );
    }

    #[test]
    fn a_forged_header_does_not_pass() {
        static MEMORY: Mutex<[usize; 4096]> = Mutex::new([0; 4096]);
        let mut memory = MEMORY.lock().expect("no other test takes it");
        let block = 102 + usize::from(!memory.as_ptr().addr().is_multiple_of(CHUNK_ALIGN));
        for flags in 0..=FLAGS {
            memory[block - 1] = 64 | flags;
            memory[block - 1 + 8] = 64 | PREV_IN_USE;
            assert!(!owns((&raw const memory[block]).cast()), "flags {flags}");
        }
    }
}
