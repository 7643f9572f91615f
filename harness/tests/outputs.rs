//! Every output from invented rows: what must stand in it, and that thin or broken input is met with sense.

mod common;

use harness::analysis::Dataset;
use harness::plot::figures;
use harness::plot::timeline::{self, Timeline};
use harness::report::{html, summary_csv, summary_md};
use harness::row::Row;
use harness::tables::Input;

fn input(rows: Vec<Row>) -> Input {
    let provenance = serde_json::from_str(r#"{"command": "allocbench bench", "revision": "abc123", "left_out": ["drain pass"], "note": "<i>x</i>"}"#).unwrap();
    Input { data: Dataset::new(rows), provenance, skew: Vec::new(), reference: "system".into() }
}

fn page(input: &Input, timeline: &Timeline) -> String {
    html::page(input, &figures::all(input, timeline)).unwrap()
}

#[test]
fn summary_holds_every_table() {
    let text = summary_md(&input(common::run(5)));
    for expected in [
        "# Allocator benchmark",
        "command: allocbench bench · revision: abc123",
        "## Which allocator is best here, and how sure is that?",
        "### Ranking by throughput",
        "### Where ace loses",
        "### rl_small: throughput",
        "note × its system: 2 threads",
        "### fragmentation_mix: p99 latency, ns",
        "### Overhead ratio",
        "### note+: throughput",
        "### threads: resident peak",
        "### While blocks live",
        "## Floor: what the harness itself costs",
        "differs by less than 3 % in the median on",
        "### mempool_sharded / mempool_baseline",
        "mempool_sharded against mempool_baseline above 1 thread:",
        "## What failed",
        "signal 11 \\| &lt;b>invented&lt;/b>",
        "## What the budget left out",
        "drain pass",
        "## Where these figures are from",
    ] {
        assert!(text.contains(expected), "`{expected}` is missing");
    }
    assert!(!text.contains("NaN") && !text.contains("inf]"), "a figure is not finite");
}

#[test]
fn the_notes_own_ratios_stand_beside_ours() {
    let text = summary_md(&input(common::run(5)));
    let after = text.split("### rl_small: throughput").nth(1).unwrap();
    let line = after.lines().find(|line| line.starts_with("| mempool_sharded")).unwrap();
    // 3.840 / 15.42 = 0.249 at 2 threads, 3.45 / 25.5 = 0.135 at 8.
    assert!(line.ends_with("| 0.25 | 0.14 |"), "{line}");
}

#[test]
fn failed_rows_enter_no_figure() {
    // The invented failed rows claim 10^12 operations a second.
    let input = input(common::run(5));
    assert!(!summary_md(&input).contains("1.00e6"), "a failed row was averaged");
    let csv = summary_csv::write(&input.data).unwrap();
    assert!(
        !csv.lines().any(|line| line.starts_with("mempool_numa,larson,8,")),
        "a place that only failed has a row"
    );
}

#[test]
fn summary_csv_has_a_row_for_each_engine_and_place() {
    let text = summary_csv::write(&Dataset::new(common::run(5))).unwrap();
    let mut lines = text.lines();
    assert_eq!(
        lines.next().unwrap(),
        "engine,workload,threads,ops_per_thread,ops_total,seconds,ops_per_s,alloc_ns_p50,alloc_ns_p99,free_ns_p50,free_ns_p99,usable_per_requested,\
         peak_live_requested_bytes,peak_live_usable_bytes,align_bytes,resident_bytes_peak,n,n_failed"
    );
    assert_eq!(lines.count(), 14 * 14 * 4 - 1);
    let line = text.lines().find(|line| line.starts_with("ace,alignment64,2,")).unwrap();
    let fields: Vec<&str> = line.split(',').collect();
    assert_eq!(
        (fields[3], fields[4], fields[14], fields[16], fields[17]),
        ("200000", "400000", "64", "5", "0")
    );
}

#[test]
fn page_is_self_contained_and_escaped() {
    let timeline = timeline::parse(&common::timeline(), "timeline").unwrap();
    let page = page(&input(common::run(5)), &timeline);
    for outside in ["src=", "@import", "url(", "<link", "<b>invented"] {
        assert!(!page.contains(outside), "`{outside}` in the page");
    }
    let addresses: Vec<&str> = page
        .match_indices("http")
        .map(|(at, _)| &page[at..(at + 26).min(page.len())])
        .filter(|text| !text.starts_with("http://www.w3.org/2000/svg"))
        .collect();
    assert!(addresses.is_empty(), "{addresses:?}");
    assert!(page.contains("&lt;i&gt;x&lt;/i&gt;"));
    for topic in ["throughput", "time-memory", "latency", "scaling", "overhead", "resident", "instructions"] {
        assert!(page.contains(&format!("id=\"plot-{topic}\"")), "no figure of {topic}");
    }
    let drawn = page.split("<svg").nth(1).unwrap().split("</svg>").next().unwrap();
    assert!(!drawn.contains("=\"#"), "a colour does not follow the scheme");
}

#[test]
fn every_figure_is_valid_and_named_once() {
    let input = input(common::run(5));
    let figures = figures::all(&input, &timeline::parse(&common::timeline(), "timeline").unwrap());
    let mut names: Vec<&str> = figures.iter().map(|figure| figure.name.as_str()).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "two figures share a name");
    assert!(count > 30);
    for figure in &figures {
        let svg = harness::plot::backend::svg(&figure.scene).unwrap();
        assert!(svg.contains("revision: abc123"), "{} has no caption", figure.name);
        assert!(!svg.contains("NaN"), "{}", figure.name);
    }
}

#[test]
fn a_png_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let figures = figures::all(&input(common::run(1)), &Timeline::new());
    let path = folder.path().join("x.png");
    harness::plot::backend::png(&figures[0].scene, &path).unwrap();
    let bytes = std::fs::read(path).unwrap();
    assert!(bytes.starts_with(b"\x89PNG") && bytes.len() > 10_000);
}

#[test]
fn outputs_repeat_to_the_letter() {
    let once = || summary_md(&input(common::run(5)));
    assert_eq!(once(), once());
}

#[test]
fn only_failed_rows_give_a_list_of_failures() {
    let rows = common::run(1).into_iter().map(|row| Row { status: "timeout".into(), ..row }).collect();
    let input = input(rows);
    let text = summary_md(&input);
    assert!(text.contains("## What failed") && text.contains("There are no throughput rows"), "{text}");
    assert!(!text.contains("Ranking"));
    assert!(figures::all(&input, &Timeline::new()).is_empty());
    assert!(page(&input, &Timeline::new()).contains("What failed"));
}

#[test]
fn one_engine_gives_values_without_a_contest() {
    let rows = common::run(5).into_iter().filter(|row| row.engine == "system").collect();
    let input = input(rows);
    let text = summary_md(&input);
    assert!(text.contains("### rl_small: throughput") && !text.contains("surely so in 5"), "{text}");
    assert!(text.contains("No A/A control was measured"));
    page(&input, &Timeline::new());
}

#[test]
fn one_block_shows_no_interval_and_claims_nothing() {
    let input = input(common::run(1));
    let text = summary_md(&input);
    assert!(text.contains("Fewer than 5 blocks support no statement"));
    assert!(text.contains("surely so in 0."));
    let table = text.split("### Ranking by throughput").nth(1).unwrap();
    assert!(!table.lines().find(|line| line.starts_with("| ace")).unwrap().contains('['), "{table}");
}

#[test]
fn without_a_reference_the_first_engine_takes_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bench.csv");
    let rows: Vec<Row> =
        common::run(2).into_iter().filter(|row| row.engine == "ace" || row.engine == "jemalloc").collect();
    harness::store::write_atomic(&path, &rows).unwrap();
    let (input, _) = harness::report::load(&path, "system").unwrap();
    assert_eq!(input.reference, "ace");
    harness::store::write_atomic(&path, &[]).unwrap();
    let error = harness::report::load(&path, "system").unwrap_err();
    assert!(error.to_string().contains("holds no row"), "{error}");
}
