//! What is known of the gate itself: the cells of the study, its rows on disk, its table.
//!
//! A cell is a kind of gate – the same program on both sides on a quiet or a loaded machine, or a planted regression of
//! one size – and has a number of gates to run. Rows are appended as gates end, so that a study can be cut anywhere and
//! gone on with; which gates are missing follows from the file alone.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::analysis::robust;
use crate::gate::proportion;
use crate::tables::{Cell as Field, Table};

/// Confidence of the intervals in the table.
const CONFIDENCE: f64 = 0.95;
/// Share of regressions that must be caught.
const POWER_MIN: f64 = 0.95;
/// Fewest gates after which a cell may end early.
const GATES_MIN: u64 = 20;

/// What is done to the candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Nothing.
    Same,
    /// Its p99 of allocations is worse.
    Tail,
    /// Its throughput is lower.
    Throughput,
    /// Its resident set is larger.
    Resident,
    /// Its fast path executes more instructions; the size is a share of what it has above the floor's.
    Instructions,
}

/// One kind of gate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// Name in rows.
    pub name: &'static str,
    /// What is done to the candidate.
    pub kind: Kind,
    /// By how much, as a share.
    pub size: f64,
    /// Whether other processes load the machine.
    pub load: bool,
    /// Gates.
    pub gates: u64,
}

const fn cell(name: &'static str, kind: Kind, size: f64, load: bool, gates: u64) -> Cell {
    Cell { name, kind, size, load, gates }
}

/// The study, the most informative cells first.
pub const CELLS: [Cell; 13] = [
    cell("aa_quiet", Kind::Same, 0.0, false, 150),
    cell("aa_load", Kind::Same, 0.0, true, 150),
    cell("p99_10", Kind::Tail, 0.10, false, 100),
    cell("throughput_10", Kind::Throughput, 0.10, false, 100),
    cell("resident_10", Kind::Resident, 0.10, false, 100),
    cell("p99_20", Kind::Tail, 0.20, false, 100),
    cell("p99_50", Kind::Tail, 0.50, false, 100),
    cell("p99_05", Kind::Tail, 0.05, false, 100),
    cell("throughput_20", Kind::Throughput, 0.20, false, 100),
    cell("throughput_05", Kind::Throughput, 0.05, false, 100),
    cell("p99_10_load", Kind::Tail, 0.10, true, 40),
    cell("instructions_2", Kind::Instructions, 0.02, false, 20),
    cell("instructions_aa", Kind::Instructions, 0.0, false, 20),
];

/// One gate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Name of the cell.
    pub cell: String,
    /// Number of the gate within its cell.
    pub gate: u64,
    /// Engine under the plant.
    pub base: String,
    /// Seed of the gate.
    pub seed: u64,
    /// `pass`, `fail`, `undecided`.
    pub verdict: String,
    /// The metric that failed, or the one that the cell plants.
    pub metric: String,
    /// Its ratio and bounds as the gate found them.
    pub ratio: Option<f64>,
    /// Lower bound.
    pub low: Option<f64>,
    /// Upper bound.
    pub high: Option<f64>,
    /// Deviation of a unit's ratio.
    pub spread: Option<f64>,
    /// Units.
    pub units: u64,
    /// Seconds of the whole gate.
    pub seconds: f64,
    /// What was planted: delay.
    pub delay_ns: f64,
    /// Which allocations were delayed.
    pub every: u64,
    /// Ballast.
    pub ballast_bytes: u64,
    /// The ratio that the plant was measured to give, in one long comparison before the gates.
    pub effect: Option<f64>,
    /// Sources and machine.
    pub revision: String,
    /// Processor.
    pub cpu: String,
    /// UTC.
    pub started: String,
    /// The verdict's reason.
    pub reason: String,
}

/// Rows of a file; none for a file that does not exist.
pub fn read(path: &Path) -> Result<Vec<Row>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let shown = path.display();
    let mut reader = csv::Reader::from_path(path).with_context(|| format!("{shown} cannot be read"))?;
    let rows: Result<Vec<Row>, _> = reader.deserialize().collect();
    rows.with_context(|| {
        format!("{shown} is no file of this study; move it away, or remove its last line if that is cut")
    })
}

/// Appends one row, with the header where the file is new.
pub fn append(path: &Path, row: &Row) -> Result<()> {
    use std::io::Write;
    let shown = path.display();
    let new = !path.exists();
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be created", folder.display()))?;
    }
    let mut writer = csv::WriterBuilder::new().has_headers(new).from_writer(Vec::new());
    writer.serialize(row)?;
    let bytes = writer.into_inner().context("the row cannot be written")?;
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(&bytes)).with_context(|| format!("{shown} cannot be written"))
}

/// What a cell's rows say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tally {
    /// Gates.
    pub gates: u64,
    /// Gates that failed.
    pub failed: u64,
    /// Gates that were undecided.
    pub undecided: u64,
}

/// Counts the rows of a cell.
pub fn tally(rows: &[Row], cell: &Cell) -> Tally {
    count(rows.iter().filter(|row| row.cell == cell.name))
}

fn count<'a>(rows: impl Iterator<Item = &'a Row>) -> Tally {
    let mut tally = Tally { gates: 0, failed: 0, undecided: 0 };
    for row in rows {
        tally.gates += 1;
        tally.failed += u64::from(row.verdict == "fail");
        tally.undecided += u64::from(row.verdict == "undecided");
    }
    tally
}

/// Whether a cell needs no further gate: all are run, or the interval of a power cell lies on one side already.
pub fn is_done(cell: &Cell, tally: Tally) -> bool {
    let clear = || {
        let (low, high) = proportion::interval(tally.failed, tally.gates, CONFIDENCE);
        tally.gates >= GATES_MIN && (low > POWER_MIN || high < POWER_MIN)
    };
    tally.gates >= cell.gates || (cell.kind != Kind::Same && cell.size > 0.0 && clear())
}

/// The next gate of part `part` of `parts`: of the cell that lags most behind, the earlier where equal.
pub fn next<'a>(rows: &[Row], cells: &[&'a Cell], (part, parts): (u64, u64)) -> Option<(&'a Cell, u64)> {
    let missing = |cell: &Cell| {
        let done: Vec<u64> = rows.iter().filter(|row| row.cell == cell.name).map(|row| row.gate).collect();
        (0..cell.gates).filter(|gate| gate % parts == part).find(|gate| !done.contains(gate))
    };
    let open = cells.iter().filter(|cell| !is_done(cell, tally(rows, cell)));
    open.filter_map(|cell| Some((*cell, missing(cell)?)))
        .min_by(|(a, i), (b, j)| (*i as f64 / a.gates as f64).total_cmp(&(*j as f64 / b.gates as f64)))
}

/// The cells that are named; all where none is.
pub fn cells(names: &[String]) -> Result<Vec<&'static Cell>> {
    if names.is_empty() {
        return Ok(CELLS.iter().collect());
    }
    let known = || CELLS.iter().map(|cell| cell.name).collect::<Vec<_>>().join(", ");
    names
        .iter()
        .map(|name| {
            let found = CELLS.iter().find(|cell| cell.name == name);
            ensure!(found.is_some(), "--cells: no cell is called '{name}'; known are {}", known());
            found.context("found above")
        })
        .collect()
}

/// Shares with exact intervals, one line a cell that has rows.
pub fn table(rows: &[Row]) -> Table {
    let head = [
        "cell",
        "planted",
        "measured",
        "gates",
        "failed",
        "undecided",
        "passed",
        "failed, share",
        "95 % interval",
        "median ratio",
        "median s",
    ];
    let note = "Intervals are Clopper and Pearson's. Of a planted regression `failed` is right; of equal sides it is a false alarm. `measured` is the ratio that the plant gave in one long comparison of its own before the gates; the median ratio is that of gates which ended as early as they could, and lies beyond it.";
    let mut table = Table::new("How often the gate fails", note, 1, head.map(str::to_owned).into());
    for cell in &CELLS {
        let sign = if cell.kind == Kind::Throughput { '−' } else { '+' };
        let planted =
            if cell.size > 0.0 { format!("{sign}{:.0} %", 100.0 * cell.size) } else { "–".into() };
        push(&mut table, cell.name, planted, rows.iter().filter(|row| row.cell == cell.name).collect());
    }
    let same = |row: &&Row| CELLS.iter().any(|cell| cell.kind == Kind::Same && cell.name == row.cell);
    push(&mut table, "all aa, timed", "–".into(), rows.iter().filter(same).collect());
    table
}

/// Adds the line of these rows; none for none.
fn push(table: &mut Table, name: &str, planted: String, rows: Vec<&Row>) {
    if rows.is_empty() {
        return;
    }
    let Tally { gates, failed, undecided } = count(rows.iter().copied());
    let (low, high) = proportion::interval(failed, gates, CONFIDENCE);
    let median = |values: Vec<f64>, digits: usize| {
        robust::median(&values).map_or("–".into(), |value| format!("{value:.digits$}"))
    };
    table.push(vec![
        Field::text(name),
        Field::text(planted),
        Field::text(median(rows.iter().filter_map(|row| row.effect).collect(), 3)),
        Field::text(gates.to_string()),
        Field::text(failed.to_string()),
        Field::text(undecided.to_string()),
        Field::text((gates - failed - undecided).to_string()),
        Field::text(format!("{:.1} %", 100.0 * failed as f64 / gates as f64)),
        Field::text(format!("{:.1} – {:.1} %", 100.0 * low, 100.0 * high)),
        Field::text(median(rows.iter().filter_map(|row| row.ratio).collect(), 3)),
        Field::text(median(rows.iter().map(|row| row.seconds).collect(), 1)),
    ]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cell: &str, gate: u64, verdict: &str) -> Row {
        Row {
            cell: cell.into(),
            gate,
            verdict: verdict.into(),
            ratio: Some(1.1),
            effect: Some(1.105),
            seconds: 20.0,
            ..Row::default()
        }
    }

    #[test]
    fn rows_survive_and_the_study_goes_on_where_it_was_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/power.csv");
        assert!(read(&path).unwrap().is_empty());
        let written = [row("aa_quiet", 0, "pass"), row("p99_10", 0, "fail")];
        written.iter().for_each(|row| append(&path, row).unwrap());
        let rows = read(&path).unwrap();
        assert_eq!(rows, written);
        let cells = cells(&["aa_quiet".into(), "p99_10".into()]).unwrap();
        assert_eq!(next(&rows, &cells, (0, 1)).map(|(cell, gate)| (cell.name, gate)), Some(("aa_quiet", 1)));
        assert_eq!(next(&rows, &cells, (1, 2)).map(|(_, gate)| gate), Some(1));
        assert_eq!(next(&rows, &cells, (0, 2)).map(|(_, gate)| gate), Some(2));
        std::fs::write(&path, "cell,gate\naa,x\n").unwrap();
        assert!(format!("{:#}", read(&path).unwrap_err()).contains("power.csv"));
    }

    #[test]
    fn a_cell_ends_when_its_verdict_is_clear() {
        let power = CELLS.iter().find(|cell| cell.name == "p99_10").unwrap();
        let tally = |gates, failed| Tally { gates, failed, undecided: 0 };
        assert!(!is_done(power, tally(60, 60)) && is_done(power, tally(73, 73)));
        assert!(is_done(power, tally(20, 10)) && !is_done(power, tally(19, 0)));
        assert!(is_done(power, tally(100, 95)));
        let same = &CELLS[0];
        assert!(!is_done(same, tally(149, 0)) && is_done(same, tally(150, 0)));
    }

    #[test]
    fn false_alarms_are_studied_in_at_least_two_hundred_gates_half_of_them_loaded() {
        let same = |load: bool| {
            CELLS
                .iter()
                .filter(|cell| cell.kind == Kind::Same && cell.load == load)
                .map(|cell| cell.gates)
                .sum::<u64>()
        };
        assert!(same(false) + same(true) >= 200 && same(false) == same(true));
        assert!(cells(&["nosuch".into()]).unwrap_err().to_string().contains("p99_10"));
    }

    #[test]
    fn the_table_has_exact_intervals() {
        let rows: Vec<Row> =
            (0..20).map(|gate| row("p99_10", gate, if gate < 19 { "fail" } else { "pass" })).collect();
        let text = crate::tables::render::markdown(&table(&rows));
        assert!(
            text.contains("| p99_10 | +10 % | 1.105 | 20 | 19 | 0 | 1 | 95.0 % | 75.1 – 99.9 % |"),
            "{text}"
        );
    }

    #[test]
    fn gates_of_equal_sides_are_also_counted_together() {
        let rows: Vec<Row> = (0..40)
            .map(|gate| row(if gate % 2 == 0 { "aa_quiet" } else { "aa_load" }, gate, "pass"))
            .collect();
        let text = crate::tables::render::markdown(&table(&rows));
        assert!(
            text.contains("| all aa, timed | – | 1.105 | 40 | 0 | 0 | 40 | 0.0 % | 0.0 – 8.8 % |"),
            "{text}"
        );
    }
}
