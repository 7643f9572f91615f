//! `LD_PRELOAD=libheap_probe_preload.so program`: the program answers `allocbench diagnose`.
//!
//! Starts one thread before `main`, which waits on an abstract socket and does nothing until asked. Put it behind an
//! allocator's own library in LD_PRELOAD: it allocates through whatever serves the program.

/// Runs when the library is loaded.
#[used]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = start;

extern "C" fn start() {
    heap_probe::answer(|| None);
}
