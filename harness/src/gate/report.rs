//! What a gate writes: Markdown for people, JUnit for CI, JSON for programs, a figure of every ratio with its bounds.
//!
//! All files of a gate are made first and put in place at the end, so that a folder never holds half of one.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::gate::junit;
use crate::gate::sequence::State;
use crate::gate::verdict::{Finding, Outcome, Verdict};
use crate::plot::forest::{self, Line, Panel, Scale};
use crate::plot::scene::{Heading, Scene};
use crate::plot::{backend, palette};
use crate::store;
use crate::tables::format::significant;
use crate::tables::{Cell, Mark, Table, render};

/// A gate with its circumstances.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What was judged.
    pub candidate: String,
    /// Against what.
    pub reference: String,
    /// Engine.
    pub engine: String,
    /// The command line.
    pub command: String,
    /// Seed of coins and workloads.
    pub seed: u64,
    /// Of the whole gate.
    pub false_alarm: f64,
    /// Of each comparison.
    pub missed: f64,
    /// Machine.
    pub machine: crate::machine::Facts,
    /// What was found.
    pub outcome: Outcome,
}

impl Report {
    fn title(&self) -> String {
        format!("Gate: {} – {} against {}", self.outcome.verdict.name(), self.candidate, self.reference)
    }

    /// The table of comparisons.
    pub fn table(&self) -> Table {
        let head = [
            "workload",
            "metric",
            "candidate",
            "reference",
            "ratio",
            "fails above",
            "passes below",
            "A/A",
            "units",
            "state",
        ];
        let note = format!(
            "Ratios are candidate / reference; above 1 is worse. Bounds hold for all looks together; false alarms at most {} % of gates.",
            significant(100.0 * self.false_alarm)
        );
        let mut table = Table::new(self.title(), note, 2, head.map(str::to_owned).into());
        for finding in &self.outcome.findings {
            let mark = if finding.is(State::Failed) { Mark::Worse } else { Mark::Plain };
            let watched = if finding.watch && finding.is(State::Open) { " (watched)" } else { "" };
            table.push(vec![
                Cell::text(&finding.place),
                Cell::text(&finding.label),
                Cell::number(value(finding, finding.candidate), finding.candidate),
                Cell::number(value(finding, finding.reference), finding.reference),
                Cell::number(ratio(finding), finding.ratio).marked(mark),
                Cell::text(format!("{:.3}", finding.fail_above)),
                Cell::text(format!("{:.3}", finding.pass_below)),
                Cell::text(finding.control.map_or("–".into(), |control| {
                    format!("{:.3} [{:.3}, {:.3}]", control.ratio, control.low, control.high)
                })),
                Cell::text(finding.units.to_string()),
                Cell::text(format!("{}{watched}", finding.state)).marked(mark),
            ]);
        }
        table
    }

    /// For a job summary.
    pub fn markdown(&self) -> String {
        let mut text = format!("# {}\n\n{}\n\n", self.title(), self.outcome.reason);
        text += &render::markdown(&self.table());
        for note in &self.outcome.notes {
            text += &format!("\n- {note}");
        }
        text += &format!(
            "\n- engine {}, {:.1} s of measuring, seed {}\n- `{}`\n",
            self.engine, self.outcome.seconds, self.seed, self.command
        );
        text
    }

    /// For a terminal.
    pub fn terminal(&self) -> String {
        let mut text = render::terminal(&self.table());
        for note in &self.outcome.notes {
            text += &format!("{note}\n");
        }
        text + &format!("{}: {}", self.outcome.verdict.name(), self.outcome.reason)
    }

    /// Every ratio with its bounds.
    pub fn figure(&self) -> Scene {
        let heading = Heading {
            title: self.title(),
            subtitle: "Ratio to the reference with the bounds that hold for all looks together; above 1 is worse. Red failed, green passed, grey open.".into(),
            caption: self.command.clone(),
        };
        let scale = Scale { label: "candidate / reference".into(), log: true, mark: Some(1.0) };
        let mut panels: Vec<Panel> = Vec::new();
        for finding in self.outcome.findings.iter().filter(|finding| finding.ratio.is_finite()) {
            let line = Line {
                label: finding.label.clone(),
                ink: palette::ink(ink(finding)),
                value: finding.ratio,
                interval: finding.low.zip(finding.high),
                text: format!("{:.3}", finding.ratio),
            };
            match panels.iter_mut().find(|panel| panel.title == finding.place) {
                Some(panel) => panel.lines.push(line),
                None => panels.push(Panel { title: finding.place.clone(), lines: vec![line] }),
            }
        }
        forest::draw(&heading, &scale, &panels)
    }

    /// Writes all files to `folder` and returns their paths.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        std::fs::create_dir_all(folder).with_context(|| {
            format!("--out: {} cannot be created; name a folder that can be written", folder.display())
        })?;
        let scene = self.figure();
        let png = folder.join("gate.png");
        let part = folder.join("gate.part.png");
        backend::png(&scene, &part)?;
        let texts = [
            ("gate.md", self.markdown()),
            ("gate.xml", junit::junit(self)),
            ("gate.json", serde_json::to_string_pretty(self)? + "\n"),
            ("gate.svg", backend::svg(&scene)?),
        ];
        let mut paths = Vec::new();
        for (name, text) in texts {
            let path = folder.join(name);
            store::write_bytes_atomic(&path, text.as_bytes())?;
            paths.push(path);
        }
        std::fs::rename(&part, &png).with_context(|| format!("{} cannot be written", png.display()))?;
        paths.push(png);
        Ok(paths)
    }
}

/// The inks of two engines that are red and green, and of one that is grey.
fn ink(finding: &Finding) -> &'static str {
    match () {
        () if finding.is(State::Failed) => "ace",
        () if finding.is(State::Passed) => "snmalloc",
        () => "system",
    }
}

fn value(finding: &Finding, value: f64) -> String {
    match finding.unit.as_str() {
        "bytes" => format!("{} MiB", significant(value / f64::from(1 << 20))),
        "ns" => format!("{} ns", significant(value)),
        _ => significant(value),
    }
}

fn ratio(finding: &Finding) -> String {
    let end = |end: Option<f64>| end.map_or("–".into(), |end| format!("{end:.3}"));
    if finding.spread == 0.0 && finding.units == 1 {
        return format!("{:.4}", finding.ratio);
    }
    format!("{:.3} [{}, {}]", finding.ratio, end(finding.low), end(finding.high))
}

/// The worse of two verdicts: a failure outranks, then what is undecided.
pub fn worse(a: (Verdict, String), b: (Verdict, String)) -> (Verdict, String) {
    let rank = |verdict: Verdict| match verdict {
        Verdict::Fail => 2,
        Verdict::Undecided => 1,
        Verdict::Pass => 0,
    };
    if rank(b.0) > rank(a.0) { b } else { a }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::gate::verdict::{Control, state_name};

    /// An invented gate with a comparison in every state.
    pub fn invented(verdict: Verdict) -> Report {
        let finding = |label: &str, state, ratio: f64, watch: bool| Finding {
            place: "rl_small+ × 1".into(),
            metric: label.replace(' ', "_"),
            label: label.into(),
            unit: "ns".into(),
            candidate: 60.0 * ratio,
            reference: 60.0,
            ratio,
            low: (!watch).then_some(ratio / 1.03),
            high: (!watch).then_some(ratio * 1.03),
            fail_above: 1.02,
            pass_below: 1.1,
            state: state_name(state).into(),
            watch,
            units: 120,
            spread: 0.2,
            control: Some(Control { ratio: 1.001, low: 0.97, high: 1.02 }),
        };
        Report {
            candidate: "a <&\"> b".into(),
            reference: "HEAD~1 0123456789ab".into(),
            engine: "system".into(),
            command: "allocbench gate".into(),
            seed: 42,
            false_alarm: 0.005,
            missed: 0.01,
            machine: crate::machine::Facts::new(),
            outcome: Outcome {
                verdict,
                reason: "100 % invented,\nfor a test".into(),
                findings: vec![
                    finding("alloc p99", State::Failed, 1.12, false),
                    finding("free p99", State::Passed, 0.99, false),
                    finding("alloc p50", State::Open, 1.05, false),
                    finding("free slowest 1 %", State::Open, 1.2, true),
                ],
                crashed: false,
                notes: vec!["a note".into()],
                seconds: 12.5,
            },
        }
    }

    #[test]
    fn all_files_are_written_and_hold_the_verdict() {
        let folder = tempfile::tempdir().unwrap();
        let paths = invented(Verdict::Fail).write(&folder.path().join("deep/er")).unwrap();
        assert_eq!(paths.len(), 5);
        let read = |name: &str| {
            let path = paths.iter().find(|path| path.ends_with(name)).unwrap();
            std::fs::read(path).unwrap()
        };
        let text = |name: &str| String::from_utf8(read(name)).unwrap();
        assert!(
            text("gate.md").starts_with("# Gate: fail") && text("gate.md").contains("1.120 [1.087, 1.154]")
        );
        let json: serde_json::Value = serde_json::from_str(&text("gate.json")).unwrap();
        assert_eq!(json["outcome"]["verdict"], "fail");
        assert_eq!(json["outcome"]["findings"][0]["state"], "failed");
        assert!(text("gate.svg").contains("<svg") && text("gate.svg").contains("alloc p99"));
        assert_eq!(&read("gate.png")[1..4], b"PNG");
        let names: Vec<_> = std::fs::read_dir(folder.path().join("deep/er")).unwrap().collect();
        assert_eq!(names.len(), 5, "nothing half-written is left");
    }

    #[test]
    fn failure_outranks_undecided_outranks_pass() {
        let of = |verdict| (verdict, String::new());
        assert_eq!(worse(of(Verdict::Pass), of(Verdict::Undecided)).0, Verdict::Undecided);
        assert_eq!(worse(of(Verdict::Fail), of(Verdict::Undecided)).0, Verdict::Fail);
    }
}
