//! What a log says, in tables: a summary, every decision (or the first and last of many), and the course of memory.
//!
//! The course is cut into at most a dozen stretches of equal time, so that a log of a day reads as quickly as one of a
//! minute. What followed a decision is given as the change of miss rate and of resident memory until the next one of the same knob.

use std::collections::BTreeMap;

use super::log::{Entry, Log};
use crate::tables::format::{mebibytes, significant};
use crate::tables::{Cell, Table};

/// Stretches of the course.
const STRETCHES: u64 = 12;
/// Decisions listed: so many of the first and of the last.
const LISTED: usize = 20;

/// Seconds with one digit behind the point.
pub fn seconds(ms: u64) -> String {
    format!("{:.1}", ms as f64 / 1e3)
}

/// Lines of one kind.
fn of<'a>(log: &'a Log, kind: &'a str) -> impl Iterator<Item = &'a Entry> {
    log.entries.iter().filter(move |entry| entry.kind == kind)
}

/// All tables, those without rows left out.
pub fn tables(log: &Log) -> Vec<Table> {
    let mut tables = vec![summary(log), course(log), decisions(log)];
    tables.retain(|table| !table.rows.is_empty());
    tables
}

fn summary(log: &Log) -> Table {
    let mut table = Table::new("Summary", "", 2, vec!["what".into(), "value".into()]);
    let mut say = |what: &str, value: String| table.push(vec![Cell::text(what), Cell::text(value)]);
    let modes: Vec<&str> = of(log, "worker").filter_map(|entry| entry.word("mode")).collect();
    say("mode", if modes.is_empty() { "unknown".into() } else { modes.join(", then ") });
    let (first, last) = (log.entries.first().map_or(0, |e| e.t_ms), log.entries.last().map_or(0, |e| e.t_ms));
    say("time", format!("{} s, {} looks", seconds(last - first), of(log, "observation").count()));
    let dozes = of(log, "worker").filter(|entry| entry.word("state") == Some("dozing")).count();
    if dozes > 0 {
        say("the worker slept for want of events", format!("{dozes} times"));
    }
    let mut kinds: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
    for entry in of(log, "decision") {
        let key = (entry.word("knob").unwrap_or("?"), entry.word("because").unwrap_or("?"));
        let count = kinds.entry(key).or_default();
        count.0 += 1;
        count.1 += usize::from(entry.number("applied") == Some(0));
    }
    for ((knob, because), (all, unapplied)) in kinds {
        let observed =
            if unapplied > 0 { format!(", {unapplied} of them not applied") } else { String::new() };
        say(&format!("decisions: {knob} because {because}"), format!("{all}{observed}"));
    }
    let omitted: i64 = of(log, "omitted").map(|entry| entry.count("decisions")).sum();
    if omitted > 0 {
        say("decisions without a line of their own", omitted.to_string());
    }
    let sum = |name: &str| of(log, "effect").map(|entry| entry.count(name)).sum::<i64>();
    say(
        "resting heaps emptied",
        format!(
            "{} ({} blocks taken, {} arrays given back)",
            sum("heaps"),
            sum("taken_blocks"),
            sum("arrays")
        ),
    );
    let back: i64 = of(log, "observation").map(|entry| entry.count("refaulted_bytes")).sum();
    let purged = sum("purged_bytes");
    say(
        "purged, by the worker or others",
        format!("{} MiB; {} MiB came back", mebibytes(purged as f64), mebibytes(back as f64)),
    );
    let peak = of(log, "memory").map(|entry| entry.count("resident_bytes")).max().unwrap_or(0);
    let end = of(log, "memory").last().map_or(0, |entry| entry.count("resident_bytes"));
    say(
        "resident",
        format!("{} MiB at most, {} MiB at the end", mebibytes(peak as f64), mebibytes(end as f64)),
    );
    let lost = of(log, "events").map(|entry| entry.count("lost")).max().unwrap_or(0);
    if lost > 0 {
        say("events lost", lost.to_string());
    }
    table
}

/// WARM events a thousand blocks, of some looks.
fn rate(looks: &[&Entry]) -> Option<f64> {
    let sum = |name: &str| looks.iter().map(|entry| entry.count(name)).sum::<i64>() as f64;
    let moved = sum("moved");
    (moved > 0.0).then(|| 1e3 * (sum("refills") + sum("flushes")) / moved)
}

fn course(log: &Log) -> Table {
    let head = [
        "from s",
        "WARM events",
        "a 1000 blocks",
        "live MiB",
        "resident MiB",
        "caches MiB",
        "purged MiB",
        "decisions",
        "strategy",
        "pressure",
    ];
    let mut table =
        Table::new("Course", "Memory at the end of each stretch.", 0, head.map(str::to_owned).into());
    let (first, last) = (log.entries.first().map_or(0, |e| e.t_ms), log.entries.last().map_or(0, |e| e.t_ms));
    let width = (last - first).div_ceil(STRETCHES).max(1);
    for stretch in 0..=STRETCHES {
        let from = first + stretch * width;
        let within: Vec<&Entry> =
            log.entries.iter().filter(|entry| (from..from + width).contains(&entry.t_ms)).collect();
        let kind = |name: &str| within.iter().copied().filter(|entry| entry.kind == name).collect::<Vec<_>>();
        let (looks, memory) = (kind("observation"), kind("memory"));
        let (Some(look), Some(state)) = (looks.last(), memory.last()) else { continue };
        let events: i64 = looks.iter().map(|entry| entry.count("refills") + entry.count("flushes")).sum();
        let purged: i64 = kind("effect").iter().map(|entry| entry.count("purged_bytes")).sum();
        let mib = |name: &str| Cell::text(mebibytes(state.count(name) as f64));
        table.push(vec![
            Cell::text(seconds(from)),
            Cell::text(events.to_string()),
            Cell::figure(rate(&looks), significant),
            mib("live_bytes"),
            mib("resident_bytes"),
            mib("granted_bytes"),
            Cell::text(mebibytes(purged as f64)),
            Cell::text(kind("decision").len().to_string()),
            Cell::text(look.word("strategy").unwrap_or("–")),
            Cell::text(look.word("pressure").unwrap_or("–")),
        ]);
    }
    table
}

/// The knob a decision is about: of capacities and batches, those of one class.
fn subject(entry: &Entry) -> String {
    let knob = entry.word("knob").unwrap_or("?");
    match entry.word("block_bytes") {
        Some(bytes) => format!("{knob}, {bytes} B"),
        None => knob.to_owned(),
    }
}

fn decisions(log: &Log) -> Table {
    let all: Vec<(usize, &Entry)> =
        log.entries.iter().enumerate().filter(|(_, entry)| entry.kind == "decision").collect();
    let note = if all.len() > 2 * LISTED {
        format!(
            "The first and last {LISTED} of {}. Effect: until the next decision on the same knob.",
            all.len()
        )
    } else {
        "Effect: from the look before to the last before the next decision on the same knob.".into()
    };
    let head = ["at s", "knob", "from", "to", "because", "applied", "events a 1000 blocks", "resident MiB"];
    let mut table = Table::new("Decisions", note, 2, head.map(str::to_owned).into());
    for (rank, &(at, entry)) in all.iter().enumerate() {
        if rank >= LISTED && rank + LISTED < all.len() {
            continue;
        }
        let word = |name: &str| Cell::text(entry.word(name).unwrap_or("–"));
        let next = all[rank + 1..].iter().find(|(_, other)| subject(other) == subject(entry));
        let until = next.map_or(log.entries.len(), |next| next.0);
        let (rates, resident) = effect(log, at, until);
        table.push(vec![
            Cell::text(seconds(entry.t_ms)),
            Cell::text(subject(entry)),
            word("from"),
            word("to"),
            word("because"),
            Cell::text(if entry.number("applied") == Some(0) { "no" } else { "yes" }),
            change(rates.0, rates.1, significant),
            change(resident.0, resident.1, mebibytes),
        ]);
    }
    table
}

type Change = (Option<f64>, Option<f64>);

/// Miss rate and resident memory: at the look that led to line `at`, and at the last before line `until`.
fn effect(log: &Log, at: usize, until: usize) -> (Change, Change) {
    let last = |range: &[Entry], kind: &str, read: &dyn Fn(&Entry) -> Option<f64>| {
        range.iter().rev().filter(|entry| entry.kind == kind).find_map(read)
    };
    let rate = |entry: &Entry| rate(&[entry]);
    let resident = |entry: &Entry| Some(entry.number("resident_bytes")? as f64);
    let (before, after) = (&log.entries[..at], &log.entries[at..until]);
    (
        (last(before, "observation", &rate), last(after, "observation", &rate)),
        (last(before, "memory", &resident), last(after, "memory", &resident)),
    )
}

fn change(before: Option<f64>, after: Option<f64>, write: impl Fn(f64) -> String) -> Cell {
    let side = |value: Option<f64>| value.map_or("–".into(), &write);
    Cell::text(format!("{} → {}", side(before), side(after)))
}

#[cfg(test)]
mod tests {
    use super::super::log;
    use super::*;

    const LOG: &str = "\
ace-worker t_ms=0 tick=0 state=started mode=on
ace-observation t_ms=100 tick=1 elapsed_ms=100 refills=50 flushes=50 moved=1000 refaulted_bytes=0 pressure=0 strategy=balanced
ace-memory t_ms=100 tick=1 resident_bytes=4194304 live_bytes=1048576 committed_bytes=1 granted_bytes=1 budget_bytes=1 refusals=0 limit_bytes=0 current_bytes=0
ace-decision t_ms=100 tick=1 applied=1 knob=slots_shift class=9 block_bytes=160 from=0 to=1 because=miss_rate
ace-observation t_ms=200 tick=2 elapsed_ms=100 refills=20 flushes=20 moved=1000 refaulted_bytes=0 pressure=0 strategy=balanced
ace-memory t_ms=200 tick=2 resident_bytes=8388608 live_bytes=1048576 committed_bytes=1 granted_bytes=1 budget_bytes=1 refusals=0 limit_bytes=0 current_bytes=0
ace-effect t_ms=200 tick=2 heaps=1 taken_blocks=7 arrays=2 drained_heaps=0 purged_bytes=1048576
";

    fn text() -> String {
        let log = log::parse(LOG.as_bytes(), "f").unwrap();
        tables(&log).iter().map(crate::tables::render::markdown).collect()
    }

    #[test]
    fn a_decision_is_told_with_what_followed() {
        let text = text();
        assert!(
            text.contains(
                "| 0.1 | slots_shift, 160 B | 0 | 1 | miss_rate | yes | 100 → 40.0 | 4.00 → 8.00 |"
            ),
            "{text}"
        );
    }

    #[test]
    fn the_summary_adds_up() {
        let text = text();
        for expected in [
            "| mode | on |",
            "| 0.2 s, 2 looks |",
            "1 (7 blocks taken, 2 arrays given back)",
            "1.00 MiB; 0 MiB came back",
            "8.00 MiB at most",
        ] {
            assert!(text.contains(expected), "`{expected}`: {text}");
        }
    }
}
