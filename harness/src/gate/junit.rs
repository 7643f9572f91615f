//! What continuous integration reads: JUnit XML, annotations of a GitHub workflow.

use std::fmt::Write;

use super::report::Report;
use super::sequence::State;
use super::verdict::{Finding, Verdict};

/// Text inside XML: characters that XML 1.0 has no place for become a question mark.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(' '),
            c if (c as u32) < 0x20 || c == '\u{fffe}' || c == '\u{ffff}' => out.push('?'),
            c => out.push(c),
        }
    }
    out
}

fn sentence(finding: &Finding) -> String {
    let end = |end: Option<f64>| end.map_or("–".into(), |end| format!("{end:.3}"));
    format!(
        "ratio {:.3} [{}, {}], fails surely above {:.3}, passes surely below {:.3}, {} units",
        finding.ratio,
        end(finding.low),
        end(finding.high),
        finding.fail_above,
        finding.pass_below,
        finding.units
    )
}

/// One test case a comparison, and one for the verdict. Open comparisons that were waited for are errors.
pub fn junit(report: &Report) -> String {
    let outcome = &report.outcome;
    let open = |finding: &&Finding| finding.is(State::Open) && !finding.watch;
    let failures = outcome.findings.iter().filter(|finding| finding.is(State::Failed)).count();
    let errors = outcome.findings.iter().filter(open).count();
    let (of_verdict, tag) = match outcome.verdict {
        Verdict::Pass => ([0, 0], None),
        Verdict::Fail => ([1, 0], Some("failure")),
        Verdict::Undecided => ([0, 1], Some("error")),
    };
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        text,
        "<testsuite name=\"allocbench gate\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"0\" time=\"{:.3}\">",
        outcome.findings.len() + 1,
        failures + of_verdict[0],
        errors + of_verdict[1],
        outcome.seconds
    );
    let mut case = |class: &str, name: &str, tag: Option<&str>, message: &str, time: f64| {
        let head =
            format!("  <testcase classname=\"{}\" name=\"{}\" time=\"{time:.3}\"", xml(class), xml(name));
        let _ = match tag {
            None => writeln!(text, "{head}><system-out>{}</system-out></testcase>", xml(message)),
            Some(tag) => writeln!(text, "{head}><{tag} message=\"{}\"/></testcase>", xml(message)),
        };
    };
    let title = format!("{} against {}", report.candidate, report.reference);
    case("gate", &title, tag, &outcome.reason, outcome.seconds);
    for finding in &outcome.findings {
        let tag = match () {
            () if finding.is(State::Failed) => Some("failure"),
            () if open(&finding) => Some("error"),
            () => None,
        };
        case(&finding.place, &finding.metric, tag, &sentence(finding), 0.0);
    }
    text.push_str("</testsuite>\n");
    text
}

/// One workflow command; `level` is notice, warning or error.
pub fn annotation(level: &str, title: &str, text: &str) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    format!("::{level} title={}::{}", property(title), data(text))
}

/// One annotation for the verdict, one for each comparison that did not pass.
pub fn annotations(report: &Report) -> String {
    let outcome = &report.outcome;
    let level = |verdict| match verdict {
        Verdict::Pass => "notice",
        Verdict::Fail => "error",
        Verdict::Undecided => "warning",
    };
    let title = format!("Gate: {}", outcome.verdict.name());
    let mut lines = vec![annotation(level(outcome.verdict), &title, &outcome.reason)];
    for finding in &outcome.findings {
        let level = match () {
            () if finding.is(State::Failed) => "error",
            () if finding.is(State::Open) && !finding.watch => "warning",
            () => continue,
        };
        let title = format!("{} on {}", finding.label, finding.place);
        lines.push(annotation(level, &title, &sentence(finding)));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::report::tests::invented;

    #[test]
    fn junit_counts_agree_with_its_cases_and_special_characters_are_escaped() {
        let report = invented(Verdict::Fail);
        let text = junit(&report);
        assert_eq!(text.matches("<testcase ").count(), report.outcome.findings.len() + 1);
        assert!(text.contains(&format!("tests=\"{}\"", report.outcome.findings.len() + 1)));
        assert_eq!(text.matches("<failure ").count(), 2);
        assert!(text.contains("failures=\"2\" errors=\"1\""), "{text}");
        assert!(text.contains("a &lt;&amp;&quot;&gt; b") && !text.contains("a <&"), "{text}");
    }

    #[test]
    fn annotations_are_one_line_each_with_their_level() {
        let text = annotations(&invented(Verdict::Undecided));
        assert!(text.starts_with("::warning title=Gate%3A undecided::"), "{text}");
        assert!(text.contains("::error title=alloc p99 on"));
        assert!(text.contains("100 %25"), "{text}");
        assert!(text.lines().all(|line| line.starts_with("::")), "{text}");
    }
}
