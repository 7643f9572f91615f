//! A table as Markdown, HTML or terminal text. Whatever comes from a file is escaped for its medium.

use super::{Cell, Mark, Section, Table};
use std::fmt::Write;

/// Text that is safe in HTML, attributes included.
pub fn escape_html(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() && c != '\n' => out.push(' '),
            c => out.push(c),
        }
        out
    })
}

/// Text that neither ends a Markdown cell nor starts markup.
pub fn escape_markdown(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '|' | '*' | '`' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
        out
    })
}

/// A section as Markdown.
pub fn section_markdown(section: &Section) -> String {
    let mut out = format!("## {}\n\n", section.title);
    for paragraph in &section.text {
        let _ = writeln!(out, "{}\n", paragraph.replace('<', "&lt;"));
    }
    for table in &section.tables {
        out.push_str(&markdown(table));
        out.push('\n');
    }
    out
}

/// A table as Markdown.
pub fn markdown(table: &Table) -> String {
    let mut out = String::new();
    if !table.title.is_empty() {
        let _ = writeln!(out, "### {}\n", table.title);
    }
    if !table.note.is_empty() {
        let _ = writeln!(out, "{}\n", table.note);
    }
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    out.push_str(&line(table.head.iter().map(|name| escape_markdown(name)).collect()));
    let rule = (0..table.head.len()).map(|at| if at < table.words { "---".into() } else { "---:".into() });
    out.push_str(&line(rule.collect()));
    for row in &table.rows {
        out.push_str(&line(row.iter().map(markdown_cell).collect()));
    }
    out
}

fn markdown_cell(cell: &Cell) -> String {
    let text = escape_markdown(&cell.text);
    match cell.mark {
        Mark::Plain => text,
        Mark::Best => format!("**{text}**"),
        Mark::Worse => format!("*{text}*"),
    }
}

/// A section as HTML.
pub fn section_html(section: &Section) -> String {
    let mut out = format!("<section id=\"{}\">\n<h2>{}</h2>\n", section.id, escape_html(section.title));
    for paragraph in &section.text {
        let _ = writeln!(out, "<p>{}</p>", escape_html(paragraph));
    }
    for table in &section.tables {
        out.push_str(&html(table));
    }
    out.push_str("</section>\n");
    out
}

/// A table as HTML, in a box that scrolls sideways by itself.
pub fn html(table: &Table) -> String {
    let mut out = String::new();
    if !table.title.is_empty() {
        let _ = writeln!(out, "<h3>{}</h3>", escape_html(&table.title));
    }
    if !table.note.is_empty() {
        let _ = writeln!(out, "<p class=\"note\">{}</p>", escape_html(&table.note));
    }
    out.push_str("<div class=\"scroll\"><table>\n<thead><tr>");
    for (at, name) in table.head.iter().enumerate() {
        let class = if at < table.words { "" } else { " class=\"n\"" };
        let _ = write!(out, "<th scope=\"col\"{class}>{}</th>", escape_html(name));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        out.push_str("<tr>");
        for (at, cell) in row.iter().enumerate() {
            out.push_str(&html_cell(cell, at < table.words));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    out
}

fn html_cell(cell: &Cell, words: bool) -> String {
    let class = match (words, cell.mark) {
        (true, _) => "",
        (false, Mark::Plain) => " class=\"n\"",
        (false, Mark::Best) => " class=\"n best\"",
        (false, Mark::Worse) => " class=\"n worse\"",
    };
    let key = cell.key.map_or_else(String::new, |key| format!(" data-key=\"{key}\""));
    format!("<td{class}{key}>{}</td>", escape_html(&cell.text))
}

/// A table for the terminal.
pub fn terminal(table: &Table) -> String {
    let mut out = comfy_table::Table::new();
    out.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    out.set_header(table.head.clone());
    for row in &table.rows {
        out.add_row(row.iter().enumerate().map(|(at, cell)| {
            let align = if at < table.words {
                comfy_table::CellAlignment::Left
            } else {
                comfy_table::CellAlignment::Right
            };
            comfy_table::Cell::new(&cell.text).set_alignment(align)
        }));
    }
    format!("{}\n{}\n{out}\n", table.title, table.note).trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut table = Table::new("Title", "Note", 1, vec!["engine".into(), "ratio".into()]);
        table.push(vec![Cell::text("<script>|x"), Cell::number("1.50".into(), 1.5).marked(Mark::Best)]);
        table
    }

    #[test]
    fn markdown_escapes_and_aligns() {
        assert_eq!(
            markdown(&sample()),
            "### Title\n\nNote\n\n| engine | ratio |\n| --- | ---: |\n| &lt;script>\\|x | **1.50** |\n"
        );
    }

    #[test]
    fn html_escapes_and_carries_sort_keys() {
        let page = html(&sample());
        assert!(page.contains("&lt;script&gt;|x") && !page.contains("<script"), "{page}");
        assert!(page.contains("<td class=\"n best\" data-key=\"1.5\">1.50</td>"), "{page}");
    }

    #[test]
    fn terminal_shows_every_cell() {
        let text = terminal(&sample());
        assert!(text.contains("engine") && text.contains("1.50"), "{text}");
    }
}
