//! Instruction counts of this build: recorded as a table, or held against one.

use std::path::Path;

use anyhow::Result;

use super::{Args, annotates, report};
use crate::engine::Shelf;
use crate::gate::config::Config;
use crate::gate::report::Report;
use crate::gate::verdict::Outcome;
use crate::gate::{callgrind, counts, junit};
use crate::terminal::say;

/// Counts the instructions of this build and writes the table.
pub fn record(config: &Config, path: &Path) -> Result<u8> {
    let found = counts::count(config)?;
    counts::write(path, &found)?;
    say(format!("{} counts recorded in {}", found.len(), path.display()))?;
    Ok(0)
}

/// Instruction counts of this build against those on record; `None` where they cannot be compared and need not be.
pub fn against_counts(args: &Args, config: &Config, path: &Path) -> Result<Option<Report>> {
    let table = counts::read(path)?;
    let libc = counts::libc(&Shelf::open()?)?;
    match counts::comparable(&table, &libc, path) {
        Err(foreign) if args.skip_foreign => {
            let line = format!("nothing compared: {foreign}");
            say(&line)?;
            if annotates(args) {
                say(junit::annotation("warning", "Gate: nothing compared", &line))?;
            }
            return Ok(None);
        }
        outcome => outcome?,
    }
    let begin = std::time::Instant::now();
    let findings = counts::against(config, &table, path)?;
    let (verdict, reason) = callgrind::judge(&findings);
    let notes = vec![format!(
        "margin {:.1} %: counts repeat to the digit, the margin is what a change may cost without being looked at",
        100.0 * (config.instructions.baseline_fail_above - 1.0)
    )];
    let seconds = begin.elapsed().as_secs_f64();
    let outcome = Outcome { verdict, reason, crashed: false, findings, notes, seconds };
    let engines = config.instructions.baseline_engines.join(", ");
    let labels = ["this build".into(), path.display().to_string()];
    Ok(Some(report(config, &args.shared, labels, engines, outcome)))
}
