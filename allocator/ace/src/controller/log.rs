//! What the worker tells people: one line an observation, a decision, an effect. docs/LEARNING.md explains each field.
//!
//! Written to standard error, one system call a line, formatted on the stack. Fields are `name=value`, separated by
//! one blank; values are whole numbers or words.

use super::EVENTS;
use super::look::Effect;
use super::observation::Observation;
use super::policy::{Decision, Journal};
use crate::pal;
use crate::size_class::class;
use crate::text::Line;

/// When a line was written.
#[derive(Clone, Copy)]
pub struct Stamp {
    /// Milliseconds since the worker started.
    pub t_ms: u64,
    /// Ticks since then.
    pub tick: u64,
}

fn start(kind: &str, at: Stamp) -> Line {
    Line::new().text("ace-").text(kind).text(" t_ms=").decimal(at.t_ms).text(" tick=").decimal(at.tick)
}

fn field(line: Line, name: &str, value: u64) -> Line {
    line.text(" ").text(name).text("=").decimal(value)
}

fn signed(line: Line, name: &str, value: i64) -> Line {
    let line = line.text(" ").text(name).text(if value < 0 { "=-" } else { "=" });
    line.decimal(value.unsigned_abs())
}

fn word(line: Line, name: &str, value: &str) -> Line {
    line.text(" ").text(name).text("=").text(value)
}

fn end(line: Line) {
    pal::message(line.text("\n").bytes());
}

/// The worker has started, in this mode.
pub fn started(at: Stamp, mode: &str) {
    end(word(start("worker", at), "state", "started").text(" mode=").text(mode));
}

/// The worker is about to rest until a thread passes in WARM, or to end.
pub fn rests(at: Stamp, state: &str) {
    end(word(start("worker", at), "state", state));
}

/// What was seen.
pub fn observation(at: Stamp, seen: &Observation, level: u8, strategy: &str) {
    let sum =
        |f: fn(&super::observation::ClassSeen) -> u32| seen.classes.iter().map(|c| u64::from(f(c))).sum();
    let line = field(start("observation", at), "elapsed_ms", u64::from(seen.elapsed_ms));
    let line = field(line, "refills", sum(|c| c.refills));
    let line = field(line, "flushes", sum(|c| c.flushes));
    let line = field(line, "moved", sum(|c| c.moved));
    let line = field(line, "refaulted_bytes", seen.refaulted_bytes);
    end(word(field(line, "pressure", u64::from(level)), "strategy", strategy));
    let line = field(start("memory", at), "resident_bytes", resident_bytes());
    let line = field(line, "live_bytes", seen.live_bytes);
    let line = field(line, "committed_bytes", seen.committed_bytes);
    let line = field(line, "granted_bytes", seen.granted_bytes);
    let line = field(line, "budget_bytes", seen.budget_bytes);
    let line = field(line, "refusals", u64::from(seen.refusals));
    let line = field(line, "limit_bytes", seen.scarcity.limit_bytes);
    end(field(line, "current_bytes", seen.scarcity.current_bytes));
}

/// What threads told, and how many events found no room.
pub fn events(at: Stamp, counts: &[u64; EVENTS], lost: u64) {
    let line = start("events", at);
    let names = ["", "attached", "retired", "limited"];
    let line = names.iter().zip(counts).skip(1).fold(line, |line, (name, &n)| field(line, name, n));
    end(field(line, "lost", lost));
}

/// What was decided; `applied` is 0 in mode `observe`.
pub fn decisions(at: Stamp, journal: &Journal, applied: bool) {
    for decision in journal.decisions() {
        let line = field(start("decision", at), "applied", u64::from(applied));
        end(described(line, decision));
    }
    if journal.omitted != 0 {
        end(field(start("omitted", at), "decisions", u64::from(journal.omitted)));
    }
}

fn described(line: Line, decision: &Decision) -> Line {
    let sized = |line: Line, index: u8| {
        let line = field(line, "class", u64::from(index));
        field(line, "block_bytes", u64::from(class(usize::from(index)).bytes))
    };
    match *decision {
        Decision::Slots { class, from, to, why } => {
            let line = sized(word(line, "knob", "slots_shift"), class);
            let line = signed(signed(line, "from", i64::from(from)), "to", i64::from(to));
            word(line, "because", why.word())
        }
        Decision::Batch { class, whole } => {
            let line = sized(word(line, "knob", "whole_batch"), class);
            word(field(line, "to", u64::from(whole)), "because", "sides")
        }
        Decision::Strategy { event, runs, champion, ratings } => {
            let line = word(word(line, "knob", "strategy"), "to", runs.word());
            let line = word(word(line, "because", event.word()), "champion", champion.word());
            let names = ["rating_throughput", "rating_balanced", "rating_footprint"];
            names.iter().zip(ratings).fold(line, |line, (name, rating)| signed(line, name, i64::from(rating)))
        }
        Decision::Pressure { from, to } => {
            let line = field(word(line, "knob", "pressure"), "from", u64::from(from));
            word(field(line, "to", u64::from(to)), "because", "scarcity")
        }
    }
}

/// What emptying brought.
pub fn effect(at: Stamp, effect: &Effect) {
    if *effect == Effect::default() {
        return;
    }
    let line = field(start("effect", at), "heaps", effect.heaps as u64);
    let line = field(line, "taken_blocks", effect.taken_blocks as u64);
    let line = field(line, "arrays", effect.arrays as u64);
    let line = field(line, "drained_heaps", effect.drained_heaps as u64);
    end(field(line, "purged_bytes", effect.purged_bytes as u64));
}

/// Resident bytes of the process; 0 where the kernel does not say.
fn resident_bytes() -> u64 {
    let mut text = [0; 128];
    let len = pal::read_file(b"/proc/self/statm\0", &mut text);
    let pages = text.get(..len).and_then(|t| pal::number(t.split(|&b| b == b' ').nth(1)?, 10));
    pages.unwrap_or(0) * crate::units::PAGE_BYTES as u64
}
