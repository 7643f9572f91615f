//! Replay of a recorded trace: every thread's calls in their order, and a free after its allocation.
//!
//! **Decoded ahead.** The trace is cut into segments of a quarter of a million operations. While a segment plays, nothing is
//! decoded; between segments all threads rest and the clock stands. A first pass over the whole trace counts, so that
//! every buffer has its full size before the clock starts.
//!
//! **Order.** An operation on a block that another thread touched last waits for that one's turn (`table`). The
//! recorded order satisfies all such waits, so there is no deadlock; what threads do between them is free.
//!
//! **Map.** `feed` (events → operations of a segment) → `stage` (threads, segments, the clock) → `play` (the
//! loop that is measured) over `table` (blocks by slot; unsafe code is there and in its callers).

pub(crate) mod feed;
mod play;
mod stage;
#[expect(unsafe_code, reason = "the shared table of blocks: access is ordered by turns, not by borrows")]
mod table;

pub use feed::THREADS_MAX;
pub use feed::longest_stream;
pub(crate) use feed::{Plan, plan};
pub(crate) use stage::run;

use std::path::Path;

use crate::spec::{Pace, Replay, Workload};

/// A workload that replays the trace at `path`, named after the file; reads the whole of it once. The notice says
/// where the trace is cut or damaged.
pub fn workload(
    path: &Path,
    stream: Option<u16>,
    pace: Pace,
    touch: bool,
) -> Result<(Workload, Option<String>), String> {
    let path = std::fs::canonicalize(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    let plain =
        |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() || "_+.-".contains(c) { c } else { '_' };
    let mut name: String = format!("trace.{stem}").chars().map(plain).take(40).collect();
    if pace == Pace::Recorded {
        name = format!("{}.paced", name.chars().take(34).collect::<String>());
    }
    let stream = match stream {
        Some(stream) => stream,
        None => feed::longest_stream(&path)?,
    };
    let mut spec =
        Replay { path: path.to_string_lossy().into_owned(), stream, pace, events_max: None, threads: 1 };
    let found = plan(&spec, u64::MAX)?;
    spec.threads = found.threads();
    let about = format!(
        "Replay of {} recorded calls on {} threads, {} KiB live at most",
        found.tally.calls(),
        found.threads(),
        found.tally.peak_live_bytes >> 10
    );
    let model = crate::spec::Model::Replay(spec);
    Ok((Workload { name, about, group: "trace".into(), align: 8, touch, model }, found.notice))
}
