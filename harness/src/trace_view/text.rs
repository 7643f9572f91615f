//! The description of a trace as text.

use std::fmt::Write;
use std::path::Path;

use crate::cmd::trace::Described;
use crate::tables::format::{percent, significant};

/// Streams that are listed.
const STREAMS_MAX: usize = 12;

fn share(part: u64, whole: u64) -> String {
    if whole == 0 { "–".into() } else { percent(part as f64 / whole as f64) }
}

fn bytes(count: u64) -> String {
    match count {
        0..1024 => format!("{count} B"),
        1024..1_048_576 => format!("{} KiB", significant(count as f64 / 1024.0)),
        _ => format!("{} MiB", significant(count as f64 / 1_048_576.0)),
    }
}

/// All lines.
pub fn info(path: &Path, found: &Described) -> String {
    let info = &found.info;
    let mut out = format!("{}\n", path.display());
    let mut line = |name: &str, text: String| {
        let _ = writeln!(out, "  {name:<16}{text}");
    };
    line("from", format!("{}, {}", found.meta.source, found.meta.tool));
    if !found.meta.command.is_empty() {
        let command: String =
            found.meta.command.join(" ").chars().filter(|c| !c.is_control()).take(100).collect();
        line("command", command);
    }
    for (number, stream, events) in found.streams.iter().take(STREAMS_MAX) {
        let chosen = if *number == found.stream { " ← described below" } else { "" };
        let program: String = stream.program.chars().filter(|c| !c.is_control()).take(60).collect();
        line(&format!("stream {number}"), format!("{events} events, {program}{chosen}"));
    }
    if found.streams.len() > STREAMS_MAX {
        line("", format!("and {} more streams", found.streams.len() - STREAMS_MAX));
    }
    line(
        "calls",
        format!(
            "{} ({} allocations, {} frees, {} resizes, {} without effect)",
            info.calls(),
            info.allocs,
            info.frees,
            info.reallocs,
            info.strays
        ),
    );
    if found.meta.quantum_ns > 0 {
        let seconds = (info.end_time * found.meta.quantum_ns) as f64 / 1e9;
        line(
            "time",
            format!(
                "{} s, {} calls/s",
                significant(seconds),
                significant(info.calls() as f64 / seconds.max(1e-9))
            ),
        );
    }
    line(
        "live at most",
        format!(
            "{} ({} bytes) in {} blocks",
            bytes(info.peak_live_bytes),
            info.peak_live_bytes,
            info.peak_live_blocks
        ),
    );
    line("live at the end", format!("{} in {} blocks", bytes(info.end_live_bytes), info.end_live_blocks));
    line("requested", format!("{} in all", bytes(info.requested_bytes_sum)));
    let size = |q| bytes(info.size_quantile(q));
    line(
        "sizes",
        format!(
            "p10 {}, p50 {}, p90 {}, p99 {}, largest {}",
            size(0.1),
            size(0.5),
            size(0.9),
            size(0.99),
            size(1.0)
        ),
    );
    let life = |q| info.lifetime_quantile(q);
    line(
        "lifetimes",
        format!(
            "half of the freed blocks saw fewer than {} further allocations, nine tenths fewer than {}",
            life(0.5),
            life(0.9)
        ),
    );
    line(
        "zeroed, aligned",
        format!("{}, {} of allocations", share(info.zeroed, info.allocs), share(info.aligned, info.allocs)),
    );
    line("resizes moved", share(info.moved, info.reallocs));
    line(
        "threads",
        format!(
            "{}, at most {} at once; {} of frees by another thread than the maker",
            info.threads,
            info.peak_threads,
            share(info.cross_thread_frees, info.frees)
        ),
    );
    if found.lost + info.conflicts > 0 {
        line(
            "not in order",
            format!(
                "{} events lost while recording, {} about blocks that were not live",
                found.lost, info.conflicts
            ),
        );
    }
    if let Some(notice) = &found.notice {
        line("notice", notice.clone());
    }
    out.trim_end().to_owned()
}
