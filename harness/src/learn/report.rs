//! `learn.csv` and `learn.md`: every ratio of every row, and what the claims came to.

use anyhow::Result;

use super::judge::{self, Claim, Side, Verdict};
use super::{OBSERVE, OFF, ON, Outcome};
use crate::analysis::multiple::LEVEL;
use crate::analysis::{Ratio, metric};
use crate::tables::format::ratio_interval;
use crate::tables::{Cell, Mark, Table, render, status};

/// What is shown of every row: metric, heading.
const SHOWN: [(&str, &str); 5] = [
    ("cpu_ns_per_op", "CPU time"),
    ("alloc_ns_p99", "alloc p99"),
    ("free_ns_p99", "free p99"),
    ("net_peak_bytes", "RSS peak"),
    ("net_end_bytes", "RSS at the end"),
];

/// Rows as the judge takes them.
pub fn sides(outcomes: &[Outcome]) -> Vec<Side<'_>> {
    outcomes
        .iter()
        .map(|outcome| (&outcome.row, &outcome.measured.data, outcome.best.label.as_str()))
        .collect()
}

fn comparisons(outcome: &Outcome) -> [(&'static str, &str, &str); 3] {
    [("on / off", ON, OFF), ("on / best fixed", ON, &outcome.best.label), ("observe / off", OBSERVE, OFF)]
}

fn ratio(outcome: &Outcome, name: &str, engine: &str, rival: &str) -> Option<Ratio> {
    let row = &outcome.row;
    outcome.measured.data.ratio(metric(name), engine, rival, &row.workload, row.threads as u32)
}

/// One line a ratio.
pub fn csv(outcomes: &[Outcome]) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "workload",
        "threads",
        "best_fixed",
        "comparison",
        "figure",
        "blocks",
        "ratio",
        "low",
        "high",
    ])?;
    for outcome in outcomes {
        for (what, engine, rival) in comparisons(outcome) {
            for (name, _) in SHOWN {
                let Some(found) = ratio(outcome, name, engine, rival) else { continue };
                let side = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.6}"));
                writer.write_record([
                    outcome.row.workload.clone(),
                    outcome.row.threads.to_string(),
                    outcome.best.env_line(),
                    what.into(),
                    name.into(),
                    found.n.to_string(),
                    side(Some(found.median)),
                    side(found.interval.map(|interval| interval.low)),
                    side(found.interval.map(|interval| interval.high)),
                ])?;
            }
        }
    }
    Ok(writer.into_inner()?)
}

/// Every ratio.
pub fn table(outcomes: &[Outcome]) -> Table {
    let head = ["workload", "threads", "comparison"].into_iter().chain(SHOWN.map(|(_, name)| name));
    let note = "Median of the paired ratio within blocks, with its interval; less is better everywhere.";
    let mut table =
        Table::new("Modes and the best fixed setting", note, 3, head.map(str::to_owned).collect());
    for outcome in outcomes {
        for (what, engine, rival) in comparisons(outcome) {
            let row = &outcome.row;
            let mut line =
                vec![Cell::text(&row.workload), Cell::text(row.threads.to_string()), Cell::text(what)];
            line.extend(SHOWN.map(|(name, _)| match ratio(outcome, name, engine, rival) {
                Some(found) => Cell::number(ratio_interval(&found), found.median),
                None => Cell::text("–"),
            }));
            table.push(line);
        }
    }
    table
}

/// What became of each claim.
pub fn claims(title: &str, note: &str, sides: &[Side], claims: &[Claim]) -> Table {
    let head = ["workload", "threads", "figure", "on / rival", "must stay below", "p", "verdict"];
    let mut table = Table::new(title, note, 3, head.map(str::to_owned).into());
    for claim in claims {
        let row = sides[claim.row].0;
        let mark = match claim.verdict {
            Verdict::Holds => Mark::Best,
            Verdict::Fails => Mark::Worse,
            Verdict::Undecided => Mark::Plain,
        };
        table.push(vec![
            Cell::text(&row.workload),
            Cell::text(row.threads.to_string()),
            Cell::text(claim.metric.label),
            Cell::text(ratio_interval(&claim.ratio)),
            Cell::text(format!("{:.2}", claim.bound)),
            Cell::text(format!("{:.3}", claim.p)),
            Cell::text(claim.verdict.word()).marked(mark),
        ]);
    }
    table
}

/// The two tables of claims, and the sentence at the top.
pub fn verdict(outcomes: &[Outcome]) -> (String, [Table; 2]) {
    let sides = sides(outcomes);
    let (gains, harms) = (judge::gains(&sides), judge::harms(&sides));
    let count = |wanted: Verdict| harms.iter().filter(|claim| claim.verdict == wanted).count();
    let named = sides.iter().filter(|side| side.0.favoured.is_some()).count();
    let sentence = format!(
        "`on` is shown to be better than `off` on {} of the {named} workloads named beforehand. Of {} statements that it does no harm against the \
         best fixed setting {} hold, {} fail and {} are undecided.",
        judge::rows_won(&gains),
        harms.len(),
        count(Verdict::Holds),
        count(Verdict::Fails),
        count(Verdict::Undecided)
    );
    let gain_note = format!(
        "On the workloads named before the run, against `off`: {} comparisons, p by the sign test over blocks, corrected by Holm; shown below {LEVEL}.",
        gains.len()
    );
    let harm_note = format!(
        "On every workload, against the best fixed setting: {} comparisons, one-sided, corrected by Holm in the same way. “Fails”: the interval lies above the bound.",
        harms.len()
    );
    let tables = [
        claims("Does adapting gain?", &gain_note, &sides, &gains),
        claims("Does adapting harm?", &harm_note, &sides, &harms),
    ];
    (sentence, tables)
}

/// The Markdown report.
pub fn markdown(outcomes: &[Outcome], missing: &[String]) -> String {
    let caption =
        outcomes.last().map_or(String::new(), |outcome| status::caption(&outcome.measured.provenance));
    let (sentence, tables) = verdict(outcomes);
    let mut out =
        format!("# What adapting is worth\n\n{}\n\n{sentence}\n\n", render::escape_markdown(&caption));
    for line in missing {
        out.push_str(&format!("* not measured: {}\n", render::escape_markdown(line)));
    }
    for table in tables.iter().chain([&table(outcomes), &settings(outcomes)]) {
        out.push_str(&render::markdown(table));
        out.push('\n');
    }
    out
}

/// Which fixed setting was the best of each row.
fn settings(outcomes: &[Outcome]) -> Table {
    let head = ["workload", "threads", "best fixed setting", "named beforehand", "why it is in the table"];
    let note = "The setting of least CPU time of a grid, found in a run of its own; the ratios above are from a second one.";
    let mut table = Table::new("Rows", note, 5, head.map(str::to_owned).into());
    for outcome in outcomes {
        let row = &outcome.row;
        table.push(vec![
            Cell::text(&row.workload),
            Cell::text(row.threads.to_string()),
            Cell::text(outcome.best.env_line()),
            Cell::text(row.favoured.map_or(String::new(), |favoured| format!("{favoured:?}").to_lowercase())),
            Cell::text(&row.why),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::judge::{GAINS, HARMS};
    use super::*;

    #[test]
    fn every_figure_judged_is_a_metric() {
        for name in SHOWN.iter().map(|shown| shown.0).chain(GAINS).chain(HARMS.map(|harm| harm.0)) {
            assert_eq!(metric(name).name, name);
        }
    }
}
