//! The plots of an `exec`: time against memory, and resident bytes over time.

use super::verdict::{Figure as Kind, Runs};
use crate::plot::figures::Figure;
use crate::plot::lines::{self, Series};
use crate::plot::palette::ink;
use crate::plot::scatter::{self, Dot};
use crate::plot::scene::Heading;

/// Both figures.
pub fn all(runs: &[Runs], command: &str, caption: &str) -> Vec<Figure> {
    let heading = |title: &str, subtitle: &str| Heading {
        title: format!("{title}: {command}").chars().take(100).collect(),
        subtitle: subtitle.into(),
        caption: caption.into(),
    };
    let mut figures = Vec::new();
    if let Some(reference) = runs.first() {
        let panel = |kind: Kind, title: &str| {
            let dots = runs.iter().filter_map(|runs| {
                let (time, resident) = (runs.ratio(kind, reference)?, runs.ratio(Kind::Resident, reference)?);
                let at = (resident.median, 1.0 / time.median);
                Some(Dot { label: runs.label.clone(), ink: ink(base(&runs.label)), at })
            });
            scatter::Panel { title: title.into(), dots: dots.collect() }
        };
        let panels = [panel(Kind::Wall, "Wall time"), panel(Kind::Cpu, "CPU time of all processes")];
        let heading = heading("Time against memory", "Medians of paired ratios. Better is up and left.");
        let (x, y) = (
            format!("resident peak / {}", reference.label),
            format!("speed (time of {} / time)", reference.label),
        );
        let title = heading.title.clone();
        figures.push(Figure {
            name: "time_against_memory".into(),
            topic: "exec",
            title,
            scene: scatter::draw(&heading, &x, &y, &panels),
        });
    }
    let series = runs.iter().filter_map(|runs| {
        let points = runs
            .found
            .first()?
            .timeline
            .iter()
            .map(|(t, bytes)| (*t as f64 / 1e9, *bytes as f64 / 1_048_576.0));
        Some(Series { label: runs.label.clone(), ink: ink(base(&runs.label)), points: points.collect() })
    });
    let series: Vec<Series> = series.filter(|series| series.points.len() > 2).collect();
    if !series.is_empty() {
        let scale = lines::Scale {
            categories: Vec::new(),
            x_label: "seconds since the start".into(),
            y_label: "resident, MiB".into(),
            y_log: false,
            markers: false,
        };
        let panel = lines::Panel { title: String::new(), series, marks: Vec::new() };
        let heading =
            heading("Resident bytes of the process tree", "First run of each engine. Lower is better.");
        let title = heading.title.clone();
        figures.push(Figure {
            name: "resident".into(),
            topic: "exec",
            title,
            scene: lines::draw(&heading, &scale, &[panel]),
        });
    }
    figures
}

fn base(label: &str) -> &str {
    match label.split('+').next().unwrap_or(label) {
        "glibc" => "system",
        "system" => label,
        name => name,
    }
}
