//! From runs to a choice that a person can act on.
//!
//! An engine counts only where every run of it did what the reference's did: same end, same output, served by the
//! right library in every process that could be asked. Among those, one is recommended in place of the reference only
//! if it is surely better in time or in memory and not surely worse in the other. Pure: reads no clock and no file.

use super::{Ending, Found};
use crate::analysis::ratio::Ratio;
use crate::analysis::robust;

/// All runs of one engine; one a block.
#[derive(Clone, Debug)]
pub struct Runs {
    /// Label.
    pub label: String,
    /// File name of the library that must serve; `None` for the C library.
    pub library: Option<String>,
    /// By block.
    pub found: Vec<Found>,
}

/// Which figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Wall time.
    Wall,
    /// User and system time.
    Cpu,
    /// Highest resident bytes.
    Resident,
    /// Highest address space.
    Reserved,
    /// Faults without input or output.
    Faults,
}

impl Figure {
    /// Of one run.
    pub fn of(self, found: &Found) -> f64 {
        let value = match self {
            Figure::Wall => found.wall_ns,
            Figure::Cpu => found.user_ns + found.sys_ns,
            Figure::Resident => found.resident_bytes_peak,
            Figure::Reserved => found.reserved_bytes_peak,
            Figure::Faults => found.faults_minor,
        };
        value as f64
    }
}

impl Runs {
    /// Median over runs.
    pub fn median(&self, figure: Figure) -> Option<f64> {
        let values: Vec<f64> = self.found.iter().map(|found| figure.of(found)).collect();
        robust::median(&values)
    }

    /// Paired ratio to the reference.
    pub fn ratio(&self, figure: Figure, reference: &Runs) -> Option<Ratio> {
        let pairs = self.found.iter().zip(&reference.found);
        Ratio::paired(&pairs.map(|(own, other)| (figure.of(own), figure.of(other))).collect::<Vec<_>>())
    }

    /// What is wrong with these runs beside the reference's; empty where nothing is.
    pub fn faults(&self, reference: &Runs, compare_output: bool) -> Vec<String> {
        let mut faults = Vec::new();
        if self.found.iter().any(|found| found.ending == Ending::OverLimit) {
            let over = self.found.iter().filter(|found| found.ending == Ending::OverLimit).count();
            faults.push(format!("{over} of {} runs passed the memory limit", self.found.len()));
        }
        let usual = reference.found.first().map(|found| &found.ending);
        if let Some(other) =
            self.found.iter().map(|found| &found.ending).find(|&ending| Some(ending) != usual)
            && *other != Ending::OverLimit
        {
            faults.push(format!("ended with {}", words(other)));
        }
        let output = reference.found.first().map(|found| (found.output_hash, found.output_bytes));
        if compare_output
            && self.found.iter().any(|found| Some((found.output_hash, found.output_bytes)) != output)
        {
            faults.push("its output differs".into());
        }
        faults.extend(self.service());
        faults
    }

    /// Whether the right library served, by the witnesses' word.
    fn service(&self) -> Option<String> {
        let is_right = |path: &str| {
            let file = path.rsplit('/').next().unwrap_or(path);
            match &self.library {
                Some(library) => path == library,
                None => file.starts_with("libc.so") || file.starts_with("libc-"),
            }
        };
        let all = self.found.iter().flat_map(|found| &found.served);
        if let Some((path, _)) = all.clone().find(|(path, _)| !is_right(path)) {
            return Some(format!("malloc was served by {path}"));
        }
        if all.count() == 0 {
            return Some("no process could be asked who serves it".into());
        }
        let unserved = self.found.iter().map(|found| found.unserved).max().unwrap_or(0);
        (unserved > 0 && self.library.is_some()).then(|| {
            format!("{unserved} processes have no witness (static, set-uid, or a clean environment)")
        })
    }
}

/// An ending in words.
pub fn words(ending: &Ending) -> String {
    match ending {
        Ending::Exit(code) => format!("exit code {code}"),
        Ending::Signal(signal) => format!("signal {signal}"),
        Ending::Timeout => "the time limit".into(),
        Ending::OverLimit => "the memory limit".into(),
    }
}

/// What is recommended.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Label of the engine.
    pub choice: String,
    /// Why, one sentence.
    pub because: String,
}

/// Chooses among engines without faults; the first of all is the reference.
pub fn choose(all: &[Runs], compare_output: bool) -> Option<Verdict> {
    let reference = all.first()?;
    let gains =
        all[1..].iter().filter(|runs| runs.faults(reference, compare_output).is_empty()).filter_map(|runs| {
            let (wall, resident) =
                (runs.ratio(Figure::Wall, reference)?, runs.ratio(Figure::Resident, reference)?);
            let better = wall.surely_below(1.0) || resident.surely_below(1.0);
            let worse = wall.surely_above(1.0) || resident.surely_above(1.0);
            (better && !worse).then_some((runs, wall, resident))
        });
    let best = gains.min_by(|a, b| (a.1.median * a.2.median).total_cmp(&(b.1.median * b.2.median)));
    Some(match best {
        Some((runs, wall, resident)) => Verdict {
            choice: runs.label.clone(),
            because: format!(
                "{:.2} × the time and {:.2} × the resident peak of {}, surely better in one and not surely worse in the other",
                wall.median, resident.median, reference.label
            ),
        },
        None => Verdict {
            choice: reference.label.clone(),
            because:
                "no other engine is surely better in time or memory without being surely worse in the other"
                    .into(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(wall_ns: u64, resident: u64, served: &str) -> Found {
        Found {
            ending: Ending::Exit(0),
            wall_ns,
            user_ns: 1,
            sys_ns: 1,
            faults_minor: 1,
            faults_major: 0,
            resident_bytes_peak: resident,
            reserved_bytes_peak: resident,
            timeline: Vec::new(),
            output_hash: 1,
            output_bytes: 1,
            served: vec![(served.into(), 1)],
            unserved: 0,
            mapped: None,
            limit: String::new(),
        }
    }

    fn runs(label: &str, library: Option<&str>, wall_ns: u64, resident: u64) -> Runs {
        let served = library.unwrap_or("/lib/libc.so.6");
        let found = (0..7).map(|block| found(wall_ns + block, resident + block, served)).collect();
        Runs { label: label.into(), library: library.map(String::from), found }
    }

    #[test]
    fn a_sure_gain_without_a_sure_loss_is_chosen() {
        let system = runs("system", None, 1000, 1000);
        let fast = runs("fast", Some("/f.so"), 800, 1000);
        let fat = runs("fat", Some("/g.so"), 500, 2000);
        let verdict = choose(&[system.clone(), fast.clone(), fat], true).unwrap();
        assert_eq!(verdict.choice, "fast");
        assert_eq!(choose(std::slice::from_ref(&system), true).unwrap().choice, "system");
        let mut wrong = fast;
        wrong.found[3].output_hash = 2;
        assert_eq!(wrong.faults(&system, true), ["its output differs"]);
        assert!(wrong.faults(&system, false).is_empty());
        assert_eq!(choose(&[system, wrong], true).unwrap().choice, "system");
    }

    #[test]
    fn an_engine_that_did_not_serve_is_not_chosen() {
        let system = runs("system", None, 1000, 1000);
        let mut other = runs("other", Some("/f.so"), 500, 500);
        other.found[0].served = vec![("/lib/libc.so.6".into(), 1)];
        assert!(other.faults(&system, true)[0].contains("served by /lib/libc.so.6"));
        other.found[0].served = vec![("/f.so".into(), 1)];
        other.found[1].unserved = 2;
        assert!(other.faults(&system, true)[0].contains("2 processes have no witness"));
        other.found[1].unserved = 0;
        other.found[2].ending = Ending::Signal(9);
        assert_eq!(other.faults(&system, true), ["ended with signal 9"]);
    }
}
