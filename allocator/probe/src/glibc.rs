//! glibc: `malloc_info` for each arena, `mallinfo2` for what it sums. Libraries that answer in its place (ACE-Alloc) add
//! counters of their own.
//!
//! In both, a block that lies in a thread cache (tcache) counts as allocated: glibc has no figure for these caches. The
//! top of an arena counts as free. `keepcost` is the top of the main arena alone, while `malloc_trim` also returns whole
//! free pages inside every arena: what is "releasable" here is what glibc returns unasked.

use std::collections::BTreeMap;
use std::ffi::{c_int, c_void};

use crate::report::Report;
use crate::symbol;

/// Most arenas that a report lists one by one.
const LISTED_MAX: usize = 16;

/// As `struct mallinfo2` in `malloc.h`.
#[repr(C)]
#[derive(Default)]
struct MallInfo2 {
    arena: usize,
    ordblks: usize,
    smblks: usize,
    hblks: usize,
    hblkhd: usize,
    usmblks: usize,
    fsmblks: usize,
    uordblks: usize,
    fordblks: usize,
    keepcost: usize,
}

/// Fills in what `mallinfo2` and `malloc_info` of the library that `malloc` is in say.
pub fn fill(report: &mut Report) {
    if let Some(address) = symbol::beside_malloc(c"mallinfo2") {
        // SAFETY: the symbol of this name has this type in every library that has it.
        let mallinfo2 = unsafe { std::mem::transmute::<*mut c_void, extern "C" fn() -> MallInfo2>(address) };
        let info = mallinfo2();
        report.arena_bytes = Some(info.arena as u64);
        report.free_bytes = Some(info.fordblks as u64);
        report.allocated_bytes = Some((info.uordblks + info.hblkhd) as u64);
        report.releasable_bytes = Some(info.keepcost as u64);
        report.mapped_large_bytes = Some(info.hblkhd as u64);
        report.mapped_large_count = Some(info.hblks as u64);
        report.free_chunks = Some((info.ordblks + info.smblks) as u64);
    }
    if let Some(text) = malloc_info() {
        let arenas = parse(&text);
        (report.extra, report.version) = counters(&text, std::mem::take(&mut report.version));
        report.arenas = Some(arenas.len() as u64);
        report.largest_arenas = arenas;
        report.largest_arenas.sort_unstable_by(|a, b| b.cmp(a));
        report.largest_arenas.truncate(LISTED_MAX);
    }
}

/// The XML that `malloc_info` writes.
fn malloc_info() -> Option<String> {
    let address = symbol::beside_malloc(c"malloc_info")?;
    type Fn = unsafe extern "C" fn(c_int, *mut libc::FILE) -> c_int;
    // SAFETY: the symbol of this name has this type.
    let malloc_info = unsafe { std::mem::transmute::<*mut c_void, Fn>(address) };
    let (mut text, mut length) = (std::ptr::null_mut::<libc::c_char>(), 0_usize);
    // SAFETY: both can be written to and outlive the stream.
    let stream = unsafe { libc::open_memstream(&raw mut text, &raw mut length) };
    if stream.is_null() {
        return None;
    }
    // SAFETY: an open stream; option 0 is the only one there is.
    let outcome = unsafe { malloc_info(0, stream) };
    // SAFETY: the stream is open and not used again.
    unsafe { libc::fclose(stream) };
    if text.is_null() {
        return None;
    }
    // SAFETY: closing has set `text` to `length` bytes that are ours.
    let bytes = unsafe { std::slice::from_raw_parts(text.cast::<u8>(), length) }.to_vec();
    // SAFETY: open_memstream's buffer is freed by its user; it is copied.
    unsafe { libc::free(text.cast()) };
    (outcome == 0).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// Size and free bytes of each arena.
fn parse(text: &str) -> Vec<(u64, u64)> {
    let mut arenas = Vec::new();
    for heap in text.split("<heap ").skip(1) {
        let heap = heap.split("</heap>").next().unwrap_or_default();
        let mut size = 0;
        let mut free = 0;
        for line in heap.lines() {
            if line.starts_with("<system type=\"current\"") {
                size = attribute(line, "size");
            }
            if line.starts_with("<total type=\"fast\"") || line.starts_with("<total type=\"rest\"") {
                free += attribute(line, "size");
            }
        }
        arenas.push((size, free));
    }
    arenas
}

/// Counters and name that a library other than glibc adds to the XML (`<allocator name>`, `<counter name value>`).
fn counters(text: &str, version: String) -> (BTreeMap<String, u64>, String) {
    let mut found = BTreeMap::new();
    let mut own = None;
    for line in text.lines() {
        if line.starts_with("<allocator ") {
            own = word(line, "name").map(String::from);
        }
        if line.starts_with("<counter ")
            && let Some(name) = word(line, "name")
        {
            found.insert(name.into(), attribute(line, "value"));
        }
    }
    (found, own.unwrap_or(version))
}

fn attribute(line: &str, name: &str) -> u64 {
    word(line, name).and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// The value of an attribute.
fn word<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.split(&format!("{name}=\"")).nth(1)?.split('"').next()
}

/// `malloc_trim(0)`; false if the allocator has none of its own.
pub fn trim() -> bool {
    let Some(address) = symbol::beside_malloc(c"malloc_trim") else { return false };
    // SAFETY: the symbol of this name has this type.
    let trim = unsafe { std::mem::transmute::<*mut c_void, extern "C" fn(usize) -> c_int>(address) };
    trim(0);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arenas_are_read_from_the_xml() {
        let text = "<malloc version=\"1\">\n<heap nr=\"0\">\n<sizes>\n  <size from=\"17\" to=\"32\" total=\"64\" count=\"2\"/>\n</sizes>\n\
            <total type=\"fast\" count=\"1\" size=\"16\"/>\n<total type=\"rest\" count=\"2\" size=\"100\"/>\n\
            <system type=\"current\" size=\"1000\"/>\n<system type=\"max\" size=\"2000\"/>\n</heap>\n<heap nr=\"1\">\n\
            <total type=\"rest\" count=\"2\" size=\"7\"/>\n<system type=\"current\" size=\"70\"/>\n</heap>\n\
            <total type=\"rest\" count=\"4\" size=\"9999\"/>\n<system type=\"current\" size=\"1070\"/>\n</malloc>";
        assert_eq!(parse(text), [(1000, 116), (70, 7)]);
    }

    #[test]
    fn counters_of_another_library_are_kept_under_its_names() {
        let text = "<malloc version=\"1\">\n<allocator name=\"ace-alloc 0.1.0\">\n\
            <counter name=\"meta_bytes\" value=\"77\"/>\n</allocator>\n</malloc>";
        let (found, version) = counters(text, String::new());
        assert_eq!((found["meta_bytes"], version.as_str()), (77, "ace-alloc 0.1.0"));
        assert_eq!(counters("<malloc/>", "2.36".into()), (BTreeMap::new(), "2.36".into()));
    }

    #[test]
    fn this_process_has_an_arena_with_allocated_bytes() {
        let mut report = Report::default();
        let block = vec![1_u8; 50_000];
        fill(&mut report);
        assert!(report.allocated_bytes.unwrap() >= block.len() as u64, "{report:?}");
        assert!(report.arenas.unwrap() >= 1 && report.arena_bytes.unwrap() > 0, "{report:?}");
        let (size, free) = report.largest_arenas[0];
        assert!(size > 0 && free <= size, "{report:?}");
    }
}
