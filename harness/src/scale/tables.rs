//! The tables of `scale`, from rows alone: the published three with their figures beside ours, then what they lack.
//!
//! A figure is the median over blocks. Growth is against the first row, as published. Ratios to glibc are paired
//! within blocks and carry their interval where there are two blocks or more.

use super::row::Row;
use super::seed;
use crate::analysis::{Ratio, robust};
use crate::tables::format::{ratio_interval, significant};
use crate::tables::{Cell, Table};

/// What a figure is taken from.
pub type Pick = fn(&Row) -> Option<f64>;

/// Engine that ratios are formed to.
pub const REFERENCE: &str = "glibc";

/// The engine of this project.
const OWN: &str = "ace";

/// Bytes as MB, as published.
fn mb(bytes: Option<u64>) -> Option<f64> {
    bytes.map(|bytes| bytes as f64 / 1e6)
}

/// The resident set when the load has ended.
pub fn resident(row: &Row) -> Option<f64> {
    mb(row.resident_bytes_idle_0ms)
}

/// Rows that have figures, by what makes a point.
pub struct Rows<'a>(pub &'a [Row]);

impl<'a> Rows<'a> {
    /// Rows of a test.
    pub fn of(&self, test: &'a str) -> impl Iterator<Item = &'a Row> {
        self.0.iter().filter(move |row| row.is_ok() && row.test == test)
    }

    /// Engines of a test in the order of the list of engines, then others.
    pub fn engines(&self, test: &'a str) -> Vec<&'a str> {
        let order = super::variant::labels();
        let mut engines: Vec<&str> = self.of(test).map(|row| row.engine.as_str()).collect();
        engines.sort_by_key(|engine| {
            (order.iter().position(|known| known == engine).unwrap_or(usize::MAX), *engine)
        });
        engines.dedup();
        engines
    }

    /// Sorted values of a column of a test.
    pub fn values(&self, test: &'a str, of: fn(&Row) -> u64) -> Vec<u64> {
        let mut values: Vec<u64> = self.of(test).map(of).collect();
        values.sort_unstable();
        values.dedup();
        values
    }
}

/// Median over rows.
pub fn median<'a>(rows: impl Iterator<Item = &'a Row>, pick: Pick) -> Option<f64> {
    robust::median(&rows.filter_map(pick).collect::<Vec<f64>>())
}

/// All tables that have rows.
pub fn all(rows: &[Row]) -> Vec<Table> {
    let rows = Rows(rows);
    let mut tables = vec![
        engines(&rows),
        idle(&rows),
        arenas(&rows),
        growth_by_engine(&rows),
        published(&rows, "concurrency", |row| row.concurrency, &seed::CONCURRENCY),
        published(&rows, "requests", |row| row.requests, &seed::REQUESTS),
        requests_by_engine(&rows),
        latency(&rows),
        own_against_peers(&rows),
        keep_alive(&rows),
        threads(&rows),
        failures(&rows),
    ];
    tables.retain(|table| !table.rows.is_empty());
    tables
}

fn figure(value: Option<f64>) -> Cell {
    Cell::figure(value, significant)
}

fn growth(value: Option<f64>, base: Option<f64>) -> Option<f64> {
    value.zip(base).map(|(value, base)| (value / base - 1.0) * 100.0)
}

fn percent(value: Option<f64>) -> Cell {
    Cell::figure(value, |value| format!("{value:+.0} %"))
}

/// Ratio to glibc over the blocks of one test.
pub fn paired(rows: &Rows, test: &str, engine: &str, pick: Pick) -> Option<Ratio> {
    against(rows, test, engine, REFERENCE, pick)
}

/// Ratio of an engine to another over the blocks of one test, which has one point.
fn against(rows: &Rows, test: &str, engine: &str, other: &str, pick: Pick) -> Option<Ratio> {
    let of = |name: &str, block: u32| {
        let mut own = rows.0.iter().filter(|row| row.is_ok() && row.test == test && row.engine == name);
        own.find(|row| row.block == block).and_then(pick)
    };
    let blocks = rows.0.iter().map(|row| row.block).max().unwrap_or(0);
    let pairs: Vec<(f64, f64)> =
        (0..=blocks).filter_map(|block| of(engine, block).zip(of(other, block))).collect();
    Ratio::paired(&pairs)
}

fn ratio(found: Option<Ratio>) -> Cell {
    found.map_or_else(|| Cell::text("–"), |found| Cell::number(ratio_interval(&found), found.median))
}

fn head(words: &[&str]) -> Vec<String> {
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

/// The last reading before the trim.
fn last_idle(row: &Row) -> Option<f64> {
    mb(row.resident_bytes_idle_12s.or(row.resident_bytes_idle_5s).or(row.resident_bytes_idle_0ms))
}

/// Tests 1 and 2 in the published form, for glibc.
fn published(rows: &Rows, test: &'static str, axis: fn(&Row) -> u64, seed: &[(u64, f64, f64)]) -> Table {
    let name = if test == "concurrency" { "Concurrency" } else { "Requests" };
    let number = if test == "concurrency" { 1 } else { 2 };
    let mut table = Table::new(
        format!("{name} (glibc)"),
        format!(
            "Test {number}. Resident MB when the load has ended and its growth against the first row; the published growth beside ours, where it has that row. The published sizes are those of SCALE=full."
        ),
        1,
        head(&[
            &name.to_lowercase(),
            "1 K MB",
            "1 K growth",
            "200 K MB",
            "200 K growth",
            "200 K / 1 K",
            "published 1 K",
            "published 200 K",
            "published ratio",
        ]),
    );
    let of = |payload: usize, at: u64| {
        let payload = super::plan::PAYLOADS[payload];
        let own = rows.of(test).filter(|row| row.engine == REFERENCE && row.payload_bytes == payload);
        median(own.filter(|row| axis(row) == at), resident)
    };
    let own = rows.of(test).filter(|row| row.engine == REFERENCE);
    let mut values: Vec<u64> = own.map(axis).collect();
    values.sort_unstable();
    values.dedup();
    let base = |payload: usize| values.iter().find_map(|&at| of(payload, at));
    for &at in &values {
        let (small, large) = (of(0, at), of(1, at));
        let found = seed.iter().find(|(seed_at, ..)| *seed_at == at);
        table.push(vec![
            Cell::number(at.to_string(), at as f64),
            figure(small),
            percent(growth(small, base(0))),
            figure(large),
            percent(growth(large, base(1))),
            figure(large.zip(small).map(|(large, small)| large / small)),
            percent(growth(found.map(|row| row.1), Some(seed[0].1))),
            percent(growth(found.map(|row| row.2), Some(seed[0].2))),
            figure(found.map(|row| row.2 / row.1)),
        ]);
    }
    table
}

/// Test 1 for every engine: from the least to the greatest concurrency.
fn growth_by_engine(rows: &Rows) -> Table {
    let counts = rows.values("concurrency", |row| row.concurrency);
    let (Some(&low), Some(&high)) = (counts.first(), counts.last()) else { return Table::default() };
    let mut names = vec!["engine".to_string()];
    for payload in ["1 K", "200 K"] {
        names.push(format!("{payload} at {low} MB"));
        names.push(format!("{payload} at {high} MB"));
        names.push(format!("{payload} growth MB"));
        names.push(format!("{payload} growth"));
    }
    names.push(format!("requests/s at {high}"));
    let mut table = Table::new(
        "Growth with concurrency",
        "Test 1 for every engine: resident MB when the load has ended. The published growth from 2 to 96 is +89 % at 1 K and +245 % at 200 K.",
        1,
        names,
    );
    for engine in rows.engines("concurrency") {
        let at = |payload: u64, count: u64, pick: Pick| {
            let own =
                rows.of("concurrency").filter(|row| row.engine == engine && row.payload_bytes == payload);
            median(own.filter(|row| row.concurrency == count), pick)
        };
        let mut cells = vec![Cell::text(engine)];
        for payload in super::plan::PAYLOADS {
            let (from, to) = (at(payload, low, resident), at(payload, high, resident));
            cells.push(figure(from));
            cells.push(figure(to));
            cells.push(figure(to.zip(from).map(|(to, from)| to - from)));
            cells.push(percent(growth(to, from)));
        }
        cells.push(figure(at(super::plan::PAYLOADS[1], high, |row| row.requests_per_s)));
        table.push(cells);
    }
    table
}

/// Test 2 for every engine, at 200 K.
fn requests_by_engine(rows: &Rows) -> Table {
    let payload = super::plan::PAYLOADS[1];
    let mut counts: Vec<u64> =
        rows.of("requests").filter(|row| row.payload_bytes == payload).map(|row| row.requests).collect();
    counts.sort_unstable();
    counts.dedup();
    let mut names = vec!["engine".to_string()];
    names.extend(counts.iter().map(|count| format!("{count} MB")));
    names.push("growth".into());
    let mut table = Table::new(
        "Growth with requests, 200 K, 48 in flight",
        "Test 2 for every engine: resident MB when the load has ended. The published growth over a factor of 64 is +51 %.",
        1,
        names,
    );
    for engine in rows.engines("requests") {
        let of = |count: u64| {
            let own = rows.of("requests").filter(|row| row.engine == engine && row.payload_bytes == payload);
            median(own.filter(|row| row.requests == count), resident)
        };
        let mut cells = vec![Cell::text(engine)];
        cells.extend(counts.iter().map(|&count| figure(of(count))));
        let ends = counts.last().zip(counts.first());
        cells.push(percent(ends.and_then(|(&last, &first)| growth(of(last), of(first)))));
        table.push(cells);
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

/// Threads of the blocking pool.
fn threads(rows: &Rows) -> Table {
    let sizes = rows.values("threads", |row| row.blocking_max);
    let mut names = vec!["engine".to_string()];
    names.extend(sizes.iter().map(|size| format!("{size} threads MB")));
    names.push("growth MB".into());
    names.push("requests/s, least".into());
    names.push("requests/s, most".into());
    let mut table = Table::new(
        "Threads",
        "Resident MB when the load has ended, 200 K, 144 in flight, over the greatest number of blocking threads.",
        1,
        names,
    );
    for engine in rows.engines("threads") {
        let of = |size: u64, pick: Pick| {
            median(rows.of("threads").filter(|row| row.engine == engine && row.blocking_max == size), pick)
        };
        let mut cells = vec![Cell::text(engine)];
        cells.extend(sizes.iter().map(|&size| figure(of(size, resident))));
        let ends = sizes.last().zip(sizes.first());
        let (most, least) =
            ends.map_or((None, None), |(&most, &least)| (of(most, resident), of(least, resident)));
        cells.push(figure(most.zip(least).map(|(most, least)| most - least)));
        cells.push(figure(sizes.first().and_then(|&size| of(size, |row| row.requests_per_s))));
        cells.push(figure(sizes.last().and_then(|&size| of(size, |row| row.requests_per_s))));
        table.push(cells);
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
