//! A gate whose reference is a result file of another day.

use std::path::Path;

use anyhow::{Result, ensure};

use super::{Args, Wanted, budget, report};
use crate::engine::{Choice, Shelf};
use crate::gate::baseline::{self, Baseline};
use crate::gate::config::Config;
use crate::gate::lineup::{contests, workload};
use crate::gate::report::Report;
use crate::gate::session::{self, Limits};
use crate::gate::side::{self, Side, Word};

/// A recorded result file as reference: the candidate beside a control engine, against the same ratio on record.
pub fn against_record(
    args: &Args,
    config: &Config,
    candidate: &Word,
    path: &Path,
    engine: &str,
) -> Result<Report> {
    let record = Baseline::open(path)?;
    let ops = baseline::ops(path)?;
    let mut talk = args.shared.talk();
    let wanted = Wanted::new(&args.shared, config)?;
    let metrics: Vec<_> = wanted.metrics.into_iter().filter(|metric| Baseline::holds(metric)).collect();
    ensure!(
        !metrics.is_empty(),
        "{} can hold none of these metrics; name others with --metrics",
        path.display()
    );
    let mut contests = contests(config, &metrics)?;
    let side = side::resolve(candidate, engine, args.allow_dirty, &mut talk)?;
    ensure!(
        side.choice.engine != args.control,
        "--control: '{}' is judged itself; name another",
        args.control
    );
    let control = control(&side, &args.control)?;
    for contest in &mut contests {
        let bench = &mut contest.bench;
        bench.plain = true;
        bench.workload = workload(&bench.workload.name)?.scaled(ops);
        contest.recorded = bench
            .metrics
            .iter()
            .map(|metric| {
                record.ratio(metric, &side.choice.engine, &args.control, &bench.workload.name, bench.threads)
            })
            .collect::<Result<_>>()?;
    }
    let limits = Limits {
        budget: budget(&args.shared, config)?,
        false_alarm: config.false_alarm,
        missed: config.missed,
    };
    let mut outcome = session::run(
        [&side.choice, &control],
        contests,
        limits,
        args.shared.seed,
        !args.shared.no_pin,
        &mut talk,
    )?;
    outcome.notes.push(format!(
        "weaker than a reference measured beside: ratios to {} are compared with those on record, and a machine that slows the two engines differently is not told from a regression; columns candidate and reference show the candidate and {}",
        args.control, args.control
    ));
    let engine = side.choice.engine.clone();
    Ok(report(config, &args.shared, [side.label, path.display().to_string()], engine, outcome))
}

/// The control engine: of the candidate's own binary where it has it, else of the one beside this program.
fn control(side: &Side, name: &str) -> Result<Choice> {
    side::ask(&side.choice.binary, name).or_else(|_| Shelf::open()?.choose(name))
}
