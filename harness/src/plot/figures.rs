//! Which figures there are, and what stands in each.
//!
//! A figure holds one question for one family of workloads, and for one thread count where the question depends on
//! it; families with many workloads are split. Nothing is drawn for what was not measured.

use super::forest::{self, Line};
use super::lines::{self, Series};
use super::palette;
use super::scatter::{self, Dot};
use super::scene::{Heading, Point, Scene};
use super::timeline::Timeline;
use crate::analysis::interval::CONFIDENCE_MIN;
use crate::analysis::{Dataset, Metric, metric};
use crate::tables::format::{ratio, significant, threads as count_threads};
use crate::tables::{Input, status};

/// A figure.
#[derive(Clone, Debug)]
pub struct Figure {
    /// File name without extension.
    pub name: String,
    /// Which question it answers; figures of one topic stand together.
    pub topic: &'static str,
    /// Title.
    pub title: String,
    /// The drawing.
    pub scene: Scene,
}

/// Panels of a figure with one line an engine.
const FOREST_PANELS_MAX: usize = 9;
/// Panels of a figure with curves.
const LINE_PANELS_MAX: usize = 6;
/// Percentiles of the latency figures: place, name, column suffix.
const PERCENTILES: [(&str, &str); 4] = [("p50", "p50"), ("p90", "p90"), ("p99", "p99"), ("p99.9", "p999")];

/// All figures.
pub fn all(input: &Input, timeline: &Timeline) -> Vec<Figure> {
    let mut figures = Vec::new();
    for group in input.data.groups() {
        let family = Family { input, group };
        let counts = family.threads();
        for &count in &counts {
            figures.extend(family.ratios("ops_per_s", "throughput", "Throughput", count));
        }
        figures.extend(family.scaling());
        for &count in &counts {
            figures.extend(family.latency(count));
        }
        figures.extend(family.overhead());
        for &count in &counts {
            figures.extend(family.time_against_memory(count));
        }
        for &count in &counts {
            figures.extend(family.instructions(count));
        }
        figures.extend(family.timeline(timeline));
    }
    figures
}

/// What a figure says of itself.
struct Words<'a> {
    topic: &'static str,
    title: &'a str,
    /// Thread count, where the figure is of one.
    qualifier: &'a str,
    subtitle: &'a str,
}

/// One family of workloads.
struct Family<'a> {
    input: &'a Input,
    group: &'a str,
}

impl Family<'_> {
    fn data(&self) -> &Dataset {
        &self.input.data
    }

    fn workloads(&self) -> Vec<&str> {
        self.data()
            .workloads()
            .iter()
            .filter(|(_, group)| group == self.group)
            .map(|(name, _)| name.as_str())
            .collect()
    }

    fn threads(&self) -> Vec<u32> {
        let mut counts: Vec<u32> =
            self.workloads().into_iter().flat_map(|name| self.data().threads(name)).collect();
        counts.sort_unstable();
        counts.dedup();
        counts
    }

    /// Splits panels over figures and names them.
    fn figures<P>(
        &self,
        words: Words,
        most: usize,
        panels: &[P],
        draw: impl Fn(&Heading, &[P]) -> Scene,
    ) -> Vec<Figure> {
        let Words { topic, title, qualifier, subtitle } = words;
        let parts = panels.len().div_ceil(most.max(1));
        // Parts of equal size, so that no figure has a single panel left over.
        let each = panels.len().div_ceil(parts.max(1)).max(1);
        let family = if self.group.is_empty() { String::new() } else { format!(" · {}", self.group) };
        let qualified = if qualifier.is_empty() { String::new() } else { format!(" · {qualifier}") };
        panels
            .chunks(each)
            .enumerate()
            .map(|(at, chunk)| {
                let part = if parts > 1 { format!(" ({} of {parts})", at + 1) } else { String::new() };
                let title = format!("{title}{family}{qualified}{part}");
                let heading = Heading {
                    title: title.clone(),
                    subtitle: subtitle.to_owned(),
                    caption: status::caption(&self.input.provenance),
                };
                let mut name = slug(&[topic, self.group, qualifier]);
                if parts > 1 {
                    name += &format!("-{}", at + 1);
                }
                Figure { name, topic, title, scene: draw(&heading, chunk) }
            })
            .collect()
    }

    /// Ratios to the reference with intervals.
    fn ratios(&self, name: &str, topic: &'static str, title: &str, count: u32) -> Vec<Figure> {
        let (data, of, reference) = (self.data(), metric(name), self.input.reference.as_str());
        let panels: Vec<forest::Panel> = self
            .workloads()
            .into_iter()
            .filter_map(|workload| {
                let line = |engine: &&str| {
                    let found = data.ratio(of, engine, reference, workload, count)?;
                    let interval = found.interval.filter(|_| *engine != reference);
                    Some(Line {
                        label: (*engine).to_owned(),
                        ink: palette::ink(engine),
                        value: found.median,
                        interval: interval.map(|i| (i.low, i.high)),
                        text: ratio(found.median),
                    })
                };
                let lines: Vec<Line> = data.contenders().iter().filter_map(line).collect();
                (lines.len() > 1).then(|| forest::Panel { title: workload.to_owned(), lines })
            })
            .collect();
        let scale = forest::Scale {
            label: format!("{} as ratio to {reference}", of.label),
            log: true,
            mark: Some(1.0),
        };
        let subtitle = format!(
            "{title} as ratio to {reference}, log axis; right is faster. Points: median of paired ratios over blocks. {}",
            self.confidence(of, count)
        );
        self.figures(
            Words { topic, title, qualifier: &count_threads(count), subtitle: &subtitle },
            FOREST_PANELS_MAX,
            &panels,
            |heading, chunk| forest::draw(heading, &scale, chunk),
        )
    }

    /// What the drawn intervals are worth.
    fn confidence(&self, of: &Metric, count: u32) -> String {
        let data = self.data();
        let confidences = self.workloads().into_iter().flat_map(|workload| {
            data.contenders().into_iter().filter_map(move |engine| {
                data.ratio(of, engine, &self.input.reference, workload, count)?.interval
            })
        });
        let least = confidences.map(|interval| interval.confidence).reduce(f64::min);
        match least {
            None => "No intervals: one block.".into(),
            Some(least) if least < CONFIDENCE_MIN => {
                format!("Lines: intervals of only {:.0} % confidence.", 100.0 * least)
            }
            Some(least) => format!("Lines: intervals of at least {:.1} %.", 100.0 * least),
        }
    }

    /// A curve an engine.
    fn series(&self, label: &str, points: impl Iterator<Item = Option<Point>>) -> Option<Series> {
        let points: Vec<Point> = points.flatten().filter(|point| point.1 > 0.0).collect();
        (!points.is_empty()).then(|| Series { label: label.to_owned(), ink: palette::ink(label), points })
    }

    fn scaling(&self) -> Vec<Figure> {
        let (data, of, counts) = (self.data(), metric("ops_per_s"), self.threads());
        if counts.len() < 2 {
            return Vec::new();
        }
        let place = |count: u32| f64::from(count).log2();
        let panels: Vec<lines::Panel> = self
            .workloads()
            .into_iter()
            .filter_map(|workload| {
                let point = |engine: &str, count: u32| {
                    Some((place(count), data.summary(of, engine, workload, count)?.median / 1e6))
                };
                let series: Vec<Series> = data
                    .contenders()
                    .iter()
                    .filter_map(|engine| {
                        self.series(engine, counts.iter().map(|&count| point(engine, count)))
                    })
                    .collect();
                series.iter().any(|line| line.points.len() > 1).then(|| lines::Panel {
                    title: workload.to_owned(),
                    series,
                    marks: Vec::new(),
                })
            })
            .collect();
        let scale = lines::Scale {
            categories: counts.iter().map(|&count| (place(count), count.to_string())).collect(),
            x_label: "threads".into(),
            y_label: "million operations a second, all threads, log axis".into(),
            y_log: true,
            markers: true,
        };
        let subtitle = "Throughput of all threads together, medians over blocks. Both axes are logarithmic: perfect scaling is a straight line upwards.";
        self.figures(
            Words { topic: "scaling", title: "Scaling over threads", qualifier: "", subtitle },
            LINE_PANELS_MAX,
            &panels,
            |heading, chunk| lines::draw(heading, &scale, chunk),
        )
    }

    fn latency(&self, count: u32) -> Vec<Figure> {
        let data = self.data();
        let mut panels = Vec::new();
        for workload in self.workloads() {
            for op in ["alloc", "free"] {
                let point = |engine: &str, at: usize| {
                    let of = metric(&format!("{op}_ns_{}", PERCENTILES[at].1));
                    Some((at as f64, data.summary(of, engine, workload, count)?.median))
                };
                let series: Vec<Series> = data
                    .contenders()
                    .iter()
                    .filter_map(|engine| {
                        self.series(engine, (0..PERCENTILES.len()).map(|at| point(engine, at)))
                    })
                    .collect();
                panels.push(lines::Panel { title: format!("{workload}: {op}"), series, marks: Vec::new() });
            }
        }
        // Alloc and free of a workload stand side by side, so both go when neither was measured.
        let pairs: Vec<lines::Panel> = panels
            .chunks(2)
            .filter(|pair| pair.iter().any(|panel| !panel.series.is_empty()))
            .flatten()
            .cloned()
            .collect();
        let scale = lines::Scale {
            categories: PERCENTILES
                .iter()
                .enumerate()
                .map(|(at, (name, _))| (at as f64, (*name).to_owned()))
                .collect(),
            x_label: "percentile".into(),
            y_label: "latency, ns, log axis".into(),
            y_log: true,
            markers: true,
        };
        let subtitle = "Latency of single operations; every operation is timed and the clock's own cost is subtracted. Medians over blocks; lower is better.";
        self.figures(
            Words {
                topic: "latency",
                title: "Latency percentiles",
                qualifier: &count_threads(count),
                subtitle,
            },
            LINE_PANELS_MAX + 2,
            &pairs,
            |heading, chunk| lines::draw(heading, &scale, chunk),
        )
    }

    /// One plain figure an engine on a linear axis.
    fn values(&self, name: &str, workload_threads: impl Fn(&str) -> Option<u32>) -> Vec<forest::Panel> {
        let (data, of) = (self.data(), metric(name));
        let panel = |workload: &str| {
            let count = workload_threads(workload)?;
            let line = |engine: &&str| {
                let value = data.summary(of, engine, workload, count)?.median;
                Some(Line {
                    label: (*engine).to_owned(),
                    ink: palette::ink(engine),
                    value,
                    interval: None,
                    text: significant(value),
                })
            };
            let lines: Vec<Line> = data.contenders().iter().filter_map(line).collect();
            (!lines.is_empty()).then(|| forest::Panel { title: workload.to_owned(), lines })
        };
        self.workloads().into_iter().filter_map(panel).collect()
    }

    fn overhead(&self) -> Vec<Figure> {
        let (data, of) = (self.data(), metric("usable_per_requested"));
        let fewest = |workload: &str| {
            data.threads(workload).into_iter().find(|&count| data.best(of, workload, count).is_some())
        };
        let panels = self.values(of.name, fewest);
        let scale = forest::Scale { label: "usable / requested bytes".into(), log: false, mark: Some(1.0) };
        let subtitle = "Σ usable / Σ requested over all allocations, at the fewest threads measured; 1 is no waste. Left is better.";
        self.figures(
            Words { topic: "overhead", title: "Overhead ratio", qualifier: "", subtitle },
            FOREST_PANELS_MAX,
            &panels,
            |heading, chunk| forest::draw(heading, &scale, chunk),
        )
    }

    fn instructions(&self, count: u32) -> Vec<Figure> {
        let panels = self.values("instructions_per_op", |_| Some(count));
        let scale = forest::Scale { label: "instructions per operation".into(), log: false, mark: None };
        let subtitle = "Instructions executed per operation, counted by callgrind, the harness's own loop included. Left is better.";
        self.figures(
            Words {
                topic: "instructions",
                title: "Instructions per operation",
                qualifier: &count_threads(count),
                subtitle,
            },
            FOREST_PANELS_MAX,
            &panels,
            |heading, chunk| forest::draw(heading, &scale, chunk),
        )
    }

    fn time_against_memory(&self, count: u32) -> Vec<Figure> {
        let (data, reference) = (self.data(), self.input.reference.as_str());
        let panels: Vec<scatter::Panel> = self
            .workloads()
            .into_iter()
            .filter_map(|workload| {
                let dot = |engine: &&str| {
                    let of = |name: &str| {
                        data.ratio(metric(name), engine, reference, workload, count).map(|found| found.median)
                    };
                    Some(Dot {
                        label: (*engine).to_owned(),
                        ink: palette::ink(engine),
                        at: (of("resident_bytes_peak")?, of("ops_per_s")?),
                    })
                };
                let dots: Vec<Dot> = data.contenders().iter().filter_map(dot).collect();
                (dots.len() > 1).then(|| scatter::Panel { title: workload.to_owned(), dots })
            })
            .collect();
        let x_label = format!("resident peak as ratio to {reference}, log axis (left is better)");
        let y_label = format!("throughput as ratio to {reference}, log axis (up is better)");
        let subtitle = format!(
            "Each point is an allocator: median paired ratios to {reference}. The best corner is the upper left."
        );
        self.figures(
            Words {
                topic: "time-memory",
                title: "Time against memory",
                qualifier: &count_threads(count),
                subtitle: &subtitle,
            },
            LINE_PANELS_MAX,
            &panels,
            |heading, chunk| scatter::draw(heading, &x_label, &y_label, chunk),
        )
    }

    fn timeline(&self, timeline: &Timeline) -> Vec<Figure> {
        let names = self.workloads();
        let panels: Vec<lines::Panel> = timeline
            .iter()
            .filter(|((workload, _), _)| names.contains(&workload.as_str()))
            .filter_map(|((workload, count), curves)| {
                let contenders = self.data().contenders();
                let chosen = contenders.iter().filter_map(|engine| Some((*engine, curves.get(*engine)?)));
                let mut series: Vec<Series> = chosen
                    .filter_map(|(engine, curve)| self.series(engine, curve.points.iter().copied().map(Some)))
                    .collect();
                let live =
                    curves.get(&self.input.reference).map(|curve| curve.live.clone()).unwrap_or_default();
                if !live.is_empty() {
                    series.push(Series { label: "live bytes".into(), ink: palette::Ink::Text, points: live });
                }
                let marks =
                    curves.get(&self.input.reference).map(|curve| curve.phases.clone()).unwrap_or_default();
                (!series.is_empty()).then(|| lines::Panel {
                    title: format!("{workload}, {}", count_threads(*count)),
                    series,
                    marks,
                })
            })
            .collect();
        let scale = lines::Scale {
            categories: Vec::new(),
            x_label: "seconds since the start".into(),
            y_label: "resident set, MiB".into(),
            y_log: false,
            markers: false,
        };
        let subtitle = format!(
            "Resident set of the whole process in one block; vertical lines: phases of {}. Lower is better.",
            self.input.reference
        );
        self.figures(
            Words { topic: "resident", title: "Resident set over time", qualifier: "", subtitle: &subtitle },
            LINE_PANELS_MAX,
            &panels,
            |heading, chunk| lines::draw(heading, &scale, chunk),
        )
    }
}

/// `throughput-note-plus-2-threads`: letters, digits and hyphens alone, whatever a workload's family is called.
fn slug(parts: &[&str]) -> String {
    let text = parts
        .iter()
        .filter(|part| !part.is_empty())
        .copied()
        .collect::<Vec<_>>()
        .join("-")
        .replace('+', "-plus");
    text.to_ascii_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_as_files() {
        assert_eq!(slug(&["throughput", "note+", "2 threads"]), "throughput-note-plus-2-threads");
        assert_eq!(slug(&["x", "../etc", ""]), "x----etc");
    }
}
