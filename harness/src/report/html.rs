//! `report.html`: one page without any outside reference. Styles, script and figures are inside; it follows the
//! reader's colour scheme and fits a phone.
//!
//! The script only sorts tables; without it the page says the same.

use crate::plot::backend;
use crate::plot::figures::Figure;
use crate::plot::palette;
use crate::tables::render::{escape_html, html, section_html};
use crate::tables::{Input, Section, sections, status};
use anyhow::Result;
use std::fmt::Write;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("sort.js");

/// Headings of the topics of figures.
const TOPICS: [(&str, &str); 7] = [
    ("throughput", "Throughput by workload"),
    ("time-memory", "Time against memory"),
    ("latency", "Latency percentiles"),
    ("scaling", "Scaling over threads"),
    ("overhead", "Overhead ratio"),
    ("resident", "Resident set over time"),
    ("instructions", "Instructions per operation"),
];

/// The page.
pub fn page(input: &Input, figures: &[Figure]) -> Result<String> {
    let (light, dark) = palette::css_variables();
    let sections = sections(input);
    let caption = escape_html(&status::caption(&input.provenance));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Allocator benchmark</title>\n<style>\n:root{{{light}}}\n@media (prefers-color-scheme: dark){{:root{{{dark}}}}}\n{STYLE}</style>\n</head>\n<body>\n\
         <header><h1>Allocator benchmark</h1><p class=\"note\">{caption}</p></header>\n"
    );
    out.push_str(&navigation(&sections, figures));
    out.push_str("<main>\n");
    let mut rest = sections.iter();
    if let Some(first) = rest.next() {
        out.push_str(&verdict(first));
    }
    for (topic, title) in TOPICS {
        out.push_str(&topic_html(topic, title, figures)?);
    }
    for section in rest {
        out.push_str(&section_html(section));
    }
    let _ = write!(out, "</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n");
    Ok(out)
}

/// The first screen: its sentences as a list, then the rankings, all but the first folded.
fn verdict(section: &Section) -> String {
    let mut out = format!(
        "<section id=\"{}\" class=\"verdict\">\n<h2>{}</h2>\n<ul>\n",
        section.id,
        escape_html(section.title)
    );
    for paragraph in &section.text {
        let _ = writeln!(out, "<li>{}</li>", coded(paragraph));
    }
    out.push_str("</ul>\n");
    for (at, table) in section.tables.iter().enumerate() {
        if at == 0 || table.title.starts_with("Where ") {
            out.push_str(&html(table));
        } else {
            let _ = write!(
                out,
                "<details><summary>{}</summary>\n{}</details>\n",
                escape_html(&table.title),
                html(table)
            );
        }
    }
    out.push_str("</section>\n");
    out
}

/// Escaped text with words between back quotes set as code.
fn coded(text: &str) -> String {
    let parts = text.split('`').map(escape_html).enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { format!("<b>{part}</b>") } else { part }).collect()
}

fn navigation(sections: &[Section], figures: &[Figure]) -> String {
    let link = |id: &str, title: &str| format!("<a href=\"#{id}\">{}</a>\n", escape_html(title));
    let mut out = String::from("<nav>\n");
    if let Some(first) = sections.first() {
        out += &link(first.id, "Verdict");
    }
    for (topic, title) in TOPICS {
        if figures.iter().any(|figure| figure.topic == topic) {
            out += &link(&format!("plot-{topic}"), title);
        }
    }
    for section in sections.iter().skip(1) {
        out += &link(section.id, section.title);
    }
    out + "</nav>\n"
}

/// Figures of one topic: the first is open, the others are folded.
fn topic_html(topic: &str, title: &str, figures: &[Figure]) -> Result<String> {
    let chosen: Vec<&Figure> = figures.iter().filter(|figure| figure.topic == topic).collect();
    if chosen.is_empty() {
        return Ok(String::new());
    }
    let mut out = format!("<section id=\"plot-{topic}\">\n<h2>{title}</h2>\n");
    for (at, figure) in chosen.iter().enumerate() {
        let svg = palette::with_variables(&backend::svg(&figure.scene)?);
        // The scene's own size becomes the aspect ratio; the style sheet sets the width.
        let svg = svg.replacen(
            "<svg ",
            &format!("<svg role=\"img\" aria-label=\"{}\" ", escape_html(&figure.title)),
            1,
        );
        let open = if at == 0 { " open" } else { "" };
        let _ = write!(
            out,
            "<details{open}><summary>{}</summary>\n<figure class=\"scroll\">{svg}</figure></details>\n",
            escape_html(&figure.title)
        );
    }
    out.push_str("</section>\n");
    Ok(out)
}
