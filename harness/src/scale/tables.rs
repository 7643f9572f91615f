//! The tables of `scale`, from rows alone: the published three with their figures beside ours, then what they lack.
//!
//! A figure is the median over blocks. Ratios to glibc are paired within blocks and carry their interval where there
//! are two blocks or more. The tables over an axis are [`super::growth`]'s.

use super::growth;
use super::row::Row;
use super::rows::{Pick, Rows, against, last_idle, mb, median, paired, resident};
use super::seed;
use crate::analysis::Ratio;
use crate::tables::format::{ratio_interval, significant};
use crate::tables::{Cell, Table};

/// The engine of this project.
const OWN: &str = "ace";

/// All tables that have rows.
pub fn all(rows: &[Row]) -> Vec<Table> {
    let rows = Rows(rows);
    let mut tables = vec![
        engines(&rows),
        idle(&rows),
        arenas(&rows),
        growth::growth_by_engine(&rows),
        growth::published(&rows, "concurrency", |row| row.concurrency, &seed::CONCURRENCY),
        growth::published(&rows, "requests", |row| row.requests, &seed::REQUESTS),
        growth::requests_by_engine(&rows),
        latency(&rows),
        own_against_peers(&rows),
        keep_alive(&rows),
        growth::threads(&rows),
        failures(&rows),
    ];
    tables.retain(|table| !table.rows.is_empty());
    tables
}

/// A figure, or nothing.
pub fn figure(value: Option<f64>) -> Cell {
    Cell::figure(value, significant)
}

fn ratio(found: Option<Ratio>) -> Cell {
    found.map_or_else(|| Cell::text("–"), |found| Cell::number(ratio_interval(&found), found.median))
}

/// Names of columns.
pub fn head(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.into()).collect()
}

/// Test 3.
fn engines(rows: &Rows) -> Table {
    let mut table = Table::new(
        "Engines at 200 K and 96 in flight",
        "Test 3. MB = 10^6 bytes. RSS is read when the load has ended; ratios are to glibc, paired within blocks. The last two columns are the published ones: RSS and requests/s against its own glibc.",
        1,
        head(&[
            "engine",
            "RSS MB",
            "RSS ratio",
            "RSS peak MB",
            "VmPeak MB",
            "requests/s",
            "requests/s ratio",
            "p99 ms",
            "server CPU s",
            "live MB",
            "trimmed MB",
            "published RSS",
            "published requests/s",
        ]),
    );
    for engine in rows.engines("engines") {
        let of = |pick: Pick| median(rows.of("engines").filter(|row| row.engine == engine), pick);
        let base = seed::ENGINES[0];
        let published = seed::ENGINES.iter().find(|(name, ..)| *name == engine);
        table.push(vec![
            Cell::text(engine),
            figure(of(resident)),
            ratio(paired(rows, "engines", engine, resident)),
            figure(of(|row| mb(row.resident_bytes_peak))),
            figure(of(|row| mb(row.virtual_bytes_peak))),
            figure(of(|row| row.requests_per_s)),
            ratio(paired(rows, "engines", engine, |row| row.requests_per_s)),
            figure(of(|row| row.latency_ns_p99.map(|ns| ns as f64 / 1e6))),
            figure(of(|row| row.server_cpu_seconds)),
            figure(of(|row| mb(row.live_bytes))),
            figure(of(|row| mb(row.resident_bytes_trimmed))),
            figure(published.map(|found| found.1 / base.1)),
            figure(published.map(|found| found.3 / base.3)),
        ]);
    }
    table
}

/// Test 3: what happens when nobody asks for anything.
fn idle(rows: &Rows) -> Table {
    let mut table = Table::new(
        "After the load: resident MB over idle time",
        "Nothing is asked of the server in this time. The bound is 1.25 × live + 8 MiB over the resident set before the load, at 2 s; * marks an engine within it. LazyFree is the part that the system may take back.",
        1,
        head(&["engine", "before", "0 s", "0.1 s", "1 s", "2 s", "5 s", "LazyFree", "trimmed", "bound"]),
    );
    for engine in rows.engines("engines") {
        let of = |pick: Pick| median(rows.of("engines").filter(|row| row.engine == engine), pick);
        let before = of(|row| mb(row.resident_bytes_before));
        let bound =
            before.zip(of(|row| mb(row.live_bytes))).map(|(before, live)| before + 1.25 * live + 8.388_608);
        let after = of(|row| mb(row.resident_bytes_idle_2s));
        let within = after.zip(bound).is_some_and(|(after, bound)| after <= bound);
        table.push(vec![
            Cell::text(if within { format!("{engine} *") } else { engine.into() }),
            figure(before),
            figure(of(resident)),
            figure(of(|row| mb(row.resident_bytes_idle_100ms))),
            figure(of(|row| mb(row.resident_bytes_idle_1s))),
            figure(after),
            figure(of(|row| mb(row.resident_bytes_idle_5s))),
            figure(of(|row| mb(row.lazy_bytes_idle))),
            figure(of(|row| mb(row.resident_bytes_trimmed))),
            figure(bound),
        ]);
    }
    table
}

/// The published arena report.
fn arenas(rows: &Rows) -> Table {
    let mut table = Table::new(
        "Arenas after the load",
        "What the allocator says of itself when the load has ended. Allocated counts thread caches too (glibc); live is what the server counts. Releasable is the top of the main arena alone, which is what glibc returns unasked; the two trim columns show what malloc_trim returns.",
        1,
        head(&[
            "engine",
            "arenas",
            "arena MB",
            "allocated MB",
            "utilisation",
            "live MB",
            "free MB",
            "releasable MB",
            "free chunks",
            "RSS before trim",
            "RSS after trim",
            "published utilisation",
        ]),
    );
    for engine in rows.engines("engines") {
        let own = || rows.of("engines").filter(|row| row.engine == engine);
        if own().all(|row| row.utilisation.is_none()) {
            continue;
        }
        let of = |pick: Pick| median(own(), pick);
        let published = seed::ARENAS.iter().find(|(name, ..)| *name == engine);
        table.push(vec![
            Cell::text(engine),
            figure(of(|row| row.arenas.map(|count| count as f64))),
            figure(of(|row| mb(row.arena_bytes))),
            figure(of(|row| mb(row.allocated_bytes))),
            Cell::figure(of(|row| row.utilisation), |share| format!("{:.1} %", share * 100.0)),
            figure(of(|row| mb(row.live_bytes))),
            figure(of(|row| mb(row.free_bytes))),
            figure(of(|row| mb(row.releasable_bytes))),
            figure(of(|row| row.free_chunks.map(|count| count as f64))),
            figure(of(last_idle)),
            figure(of(|row| mb(row.resident_bytes_trimmed))),
            Cell::figure(published.map(|found| found.2 / found.1), |share| format!("{:.1} %", share * 100.0)),
        ]);
    }
    table
}

/// Open loop.
fn latency(rows: &Rows) -> Table {
    let rate = median(rows.of("latency"), |row| row.rate_per_s).unwrap_or(0.0);
    let mut table = Table::new(
        format!("Latency at {} requests/s, 200 K", significant(rate)),
        "Open loop: counted from the time at which a request was due. Ratios are to glibc, paired within blocks.",
        1,
        head(&["engine", "p50 ms", "p90 ms", "p99 ms", "p99 ratio", "p99.9 ms", "RSS MB"]),
    );
    for engine in rows.engines("latency") {
        let of = |pick: Pick| median(rows.of("latency").filter(|row| row.engine == engine), pick);
        table.push(vec![
            Cell::text(engine),
            figure(of(|row| row.latency_ns_p50.map(|ns| ns as f64 / 1e6))),
            figure(of(|row| row.latency_ns_p90.map(|ns| ns as f64 / 1e6))),
            figure(of(|row| row.latency_ns_p99.map(|ns| ns as f64 / 1e6))),
            ratio(paired(rows, "latency", engine, |row| row.latency_ns_p99.map(|ns| ns as f64))),
            figure(of(|row| row.latency_ns_p999.map(|ns| ns as f64 / 1e6))),
            figure(of(resident)),
        ]);
    }
    table
}

/// The engine of this project against each other one.
fn own_against_peers(rows: &Rows) -> Table {
    let mut table = Table::new(
        format!("{OWN} against each engine"),
        "Ratios of ace to the engine of the row, paired within blocks, with their intervals. Below 1 is less memory, less time; above 1 is more requests/s.",
        1,
        head(&["engine", "RSS at the end", "RSS after 2 s", "requests/s", "server CPU", "p99, open loop"]),
    );
    let mut engines = rows.engines("engines");
    engines.extend(rows.engines("latency"));
    let mut seen = Vec::new();
    for engine in engines {
        if engine == OWN || seen.contains(&engine) {
            continue;
        }
        seen.push(engine);
        let of = |test: &str, pick: Pick| against(rows, test, OWN, engine, pick);
        let cells = [
            of("engines", resident),
            of("engines", |row| mb(row.resident_bytes_idle_2s)),
            of("engines", |row| row.requests_per_s),
            of("engines", |row| row.server_cpu_seconds),
            of("latency", |row| row.latency_ns_p99.map(|ns| ns as f64)),
        ];
        if cells.iter().any(Option::is_some) {
            table.push(std::iter::once(Cell::text(engine)).chain(cells.map(ratio)).collect());
        }
    }
    table
}

/// tokio's keep-alive of idle threads.
fn keep_alive(rows: &Rows) -> Table {
    let mut table = Table::new(
        "Keep-alive of idle threads",
        "Resident MB over idle time, 200 K, 96 in flight: tokio ends an idle blocking thread after this time (10 s is its default). What its end returns is what its thread cache held.",
        2,
        head(&["engine", "keep-alive", "0 s", "1 s", "2 s", "5 s", "12 s", "trimmed"]),
    );
    for engine in rows.engines("keep_alive") {
        for time in rows.values("keep_alive", |row| row.keep_alive_ms).into_iter().rev() {
            let of = |pick: Pick| {
                median(
                    rows.of("keep_alive").filter(|row| row.engine == engine && row.keep_alive_ms == time),
                    pick,
                )
            };
            table.push(vec![
                Cell::text(engine),
                Cell::text(format!("{} s", time as f64 / 1000.0)),
                figure(of(resident)),
                figure(of(|row| mb(row.resident_bytes_idle_1s))),
                figure(of(|row| mb(row.resident_bytes_idle_2s))),
                figure(of(|row| mb(row.resident_bytes_idle_5s))),
                figure(of(|row| mb(row.resident_bytes_idle_12s))),
                figure(of(|row| mb(row.resident_bytes_trimmed))),
            ]);
        }
    }
    table
}

/// Cells without figures.
fn failures(rows: &Rows) -> Table {
    let mut table = Table::new(
        "Cells without figures",
        "They enter no figure above.",
        4,
        head(&["test", "engine", "status", "reason"]),
    );
    for row in rows.0.iter().filter(|row| !row.is_ok()) {
        table.push([&row.test, &row.engine, &row.status, &row.detail].map(Cell::text).to_vec());
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(engine: &str, block: u32, resident: u64) -> Row {
        Row {
            test: "engines".into(),
            engine: engine.into(),
            block,
            status: "ok".into(),
            resident_bytes_before: Some(4_000_000),
            resident_bytes_idle_0ms: Some(resident),
            resident_bytes_idle_2s: Some(resident),
            live_bytes: Some(1_000_000),
            arena_bytes: Some(resident),
            utilisation: Some(0.05),
            ..Row::default()
        }
    }

    #[test]
    fn ratios_are_formed_within_blocks() {
        let rows = [row("glibc", 0, 100), row("ace", 0, 50), row("glibc", 1, 400), row("ace", 1, 100)];
        let found =
            paired(&Rows(&rows), "engines", "ace", |row| row.resident_bytes_idle_0ms.map(|b| b as f64))
                .unwrap();
        assert_eq!(found.n, 2);
        assert!((found.median - (0.5_f64 * 0.25).sqrt()).abs() < 1e-9, "{}", found.median);
    }

    #[test]
    fn the_bound_is_marked() {
        let rows = [row("glibc", 0, 300_000_000), row("ace", 0, 13_000_000)];
        let table = idle(&Rows(&rows));
        let names: Vec<&str> = table.rows.iter().map(|cells| cells[0].text.as_str()).collect();
        assert_eq!(names, ["glibc", "ace *"]);
    }

    #[test]
    fn failed_cells_are_listed_and_enter_nothing() {
        let mut failed = row("ace", 0, 1);
        failed.status = "failed".into();
        let tables = all(&[row("glibc", 0, 100), failed]);
        assert!(tables.iter().any(|table| table.title == "Cells without figures"));
        assert_eq!(tables[0].rows.len(), 1);
    }
}
