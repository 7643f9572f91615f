//! What glibc's reporting and tuning functions say and do here: all of this heap, none of glibc's idle one.
//!
//! `mallinfo`, `mallinfo2`, `malloc_info`, `malloc_stats`, `malloc_trim`, `mallopt`. A snapshot is taken first and
//! written afterwards, so no word of the allocator is held while a stream's lock is waited for, and nothing here
//! allocates (a stream may, for a buffer of its own). Any thread. What each field means here:
//!
//! | glibc's field | here |
//! |---|---|
//! | `arena` | bytes of pages of slabs and runs that may be resident |
//! | `uordblks` | bytes of blocks and runs that the program has out, thread caches included |
//! | `fordblks` | `arena` less `uordblks` |
//! | `hblks`, `hblkhd` | huge blocks, their bytes |
//! | `ordblks`, `keepcost` | superslabs without a slab out; bytes of those and of cached mappings |
//! | `smblks`, `fsmblks`, `usmblks` | 0: nothing corresponds |

use ace::config::{self, Knob};
use ace::stats::{Stats, stats};
use ace::text::Line;
use core::ffi::{c_int, c_void};

const SUPERSLAB_BYTES: u64 = ace::units::SUPERSLAB_BYTES as u64;

/// glibc's fields, from one snapshot.
fn info(s: &Stats) -> libc::mallinfo2 {
    let out = s.out_bytes + s.orphan_out_bytes + s.large_bytes;
    let free_superslabs = s.superslabs[2];
    libc::mallinfo2 {
        arena: s.slab_committed_bytes as usize,
        ordblks: free_superslabs as usize,
        smblks: 0,
        hblks: s.huge_blocks as usize,
        hblkhd: s.huge_bytes as usize,
        usmblks: 0,
        fsmblks: 0,
        uordblks: out as usize,
        fordblks: s.slab_committed_bytes.saturating_sub(out) as usize,
        keepcost: (free_superslabs * SUPERSLAB_BYTES + s.huge_cached_bytes) as usize,
    }
}

/// glibc: totals of this heap; the module says what each field means.
#[unsafe(no_mangle)]
pub extern "C" fn mallinfo2() -> libc::mallinfo2 {
    info(&stats())
}

/// glibc: as `mallinfo2` in `int`; what does not fit is `INT_MAX`, where glibc wraps around.
#[unsafe(no_mangle)]
pub extern "C" fn mallinfo() -> libc::mallinfo {
    let i = info(&stats());
    let int = |n: usize| c_int::try_from(n).unwrap_or(c_int::MAX);
    libc::mallinfo {
        arena: int(i.arena),
        ordblks: int(i.ordblks),
        smblks: int(i.smblks),
        hblks: int(i.hblks),
        hblkhd: int(i.hblkhd),
        usmblks: int(i.usmblks),
        fsmblks: int(i.fsmblks),
        uordblks: int(i.uordblks),
        fordblks: int(i.fordblks),
        keepcost: int(i.keepcost),
    }
}

/// glibc: writes every counter to standard error, one a line.
#[unsafe(no_mangle)]
pub extern "C" fn malloc_stats() {
    let s = stats();
    ace::pal::message(Line::new().text(ace::version()).text("\n").bytes());
    s.write_text(ace::pal::message);
}

/// glibc: writes XML about this heap to a stream; 0, or EINVAL for options other than 0, or EIO.
///
/// # Safety
/// `stream` is an open stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn malloc_info(options: c_int, stream: *mut libc::FILE) -> c_int {
    if options != 0 {
        return libc::EINVAL;
    }
    let s = stats();
    let i = info(&s);
    let mut whole = true;
    let mut put = |line: Line| {
        let bytes = line.bytes();
        // SAFETY: the caller's stream, and as many bytes as the slice has.
        let written = unsafe { libc::fwrite(bytes.as_ptr().cast::<c_void>(), 1, bytes.len(), stream) };
        whole &= written == bytes.len();
    };
    put(Line::new().text("<malloc version=\"1\">\n<heap nr=\"0\">\n<sizes>\n</sizes>\n"));
    put(total("rest", i.ordblks, i.fordblks));
    put(Line::new().text("<system type=\"current\" size=\"").decimal(i.arena as u64).text("\"/>\n"));
    put(Line::new().text("</heap>\n"));
    put(total("rest", i.ordblks, i.fordblks));
    put(total("mmap", i.hblks, i.hblkhd));
    put(Line::new().text("<system type=\"current\" size=\"").decimal(s.committed_bytes).text("\"/>\n"));
    put(Line::new().text("<aspace type=\"total\" size=\"").decimal(address_space_bytes(&s)).text("\"/>\n"));
    put(Line::new().text("<allocator name=\"").text(ace::version()).text("\">\n"));
    for (name, value) in s.fields() {
        put(Line::new()
            .text("<counter name=\"")
            .text(name)
            .text("\" value=\"")
            .decimal(value)
            .text("\"/>\n"));
    }
    put(Line::new().text("</allocator>\n</malloc>\n"));
    if whole { 0 } else { libc::EIO }
}

fn total(kind: &str, count: usize, bytes: usize) -> Line {
    let line = Line::new().text("<total type=\"").text(kind).text("\" count=\"").decimal(count as u64);
    line.text("\" size=\"").decimal(bytes as u64).text("\"/>\n")
}

/// Address space in use for blocks and metadata; the class map's reserve is not memory and stands in its counter.
fn address_space_bytes(s: &Stats) -> u64 {
    s.superslab_bytes + s.huge_bytes + s.huge_cached_bytes + s.meta_bytes
}

/// glibc: returns free memory of this heap to the system, but for `pad` bytes, rounded up to whole superslabs, as far as
/// superslabs are free; 1 if some was returned.
#[unsafe(no_mangle)]
pub extern "C" fn malloc_trim(pad: usize) -> c_int {
    c_int::from(ace::trim_keeping(pad) != 0)
}

/// Bionic's additions, which have a meaning here.
const M_DECAY_TIME: c_int = -100;
const M_PURGE: c_int = -101;
const M_PURGE_ALL: c_int = -104;

/// glibc: tuning. 1 if the parameter is known and was obeyed or needs no obedience, 0 if not.
///
/// | parameter | here |
/// |---|---|
/// | `M_TRIM_THRESHOLD` | negative: free memory is never returned unasked; else no effect |
/// | `M_DECAY_TIME` (bionic) | negative: as above; 0: returned at once; else the shipped delay |
/// | `M_PURGE`, `M_PURGE_ALL` (bionic) | trims now |
/// | `M_ARENA_MAX`, `M_ARENA_TEST` | no effect: there are no arenas to count |
/// | `M_MMAP_THRESHOLD`, `M_MMAP_MAX`, `M_TOP_PAD`, `M_MXFAST`, `M_CHECK_ACTION` | no effect |
/// | `M_PERTURB` | 0 for any value but 0: blocks are not filled, and a program that asks for it should know |
#[unsafe(no_mangle)]
pub extern "C" fn mallopt(parameter: c_int, value: c_int) -> c_int {
    match parameter {
        libc::M_TRIM_THRESHOLD if value < 0 => keep_for_ever(),
        M_DECAY_TIME if value < 0 => keep_for_ever(),
        M_DECAY_TIME => {
            let shipped = config::DEFAULTS[Knob::PurgeDelayMs as usize];
            config::set(Knob::PurgeDelayMs, if value == 0 { 0 } else { shipped });
        }
        M_PURGE | M_PURGE_ALL => {
            ace::trim();
        }
        libc::M_PERTURB => return c_int::from(value == 0),
        libc::M_TRIM_THRESHOLD
        | libc::M_ARENA_MAX
        | libc::M_ARENA_TEST
        | libc::M_MMAP_THRESHOLD
        | libc::M_MMAP_MAX
        | libc::M_TOP_PAD
        | libc::M_MXFAST
        | libc::M_CHECK_ACTION => {}
        _ => return 0,
    }
    1
}

/// Free memory stays, by time, by amount and by superslab.
fn keep_for_ever() {
    config::set(Knob::PurgeDelayMs, u64::MAX);
    config::set(Knob::PurgePercent, 0);
    config::set(Knob::EagerFree, 0);
}
