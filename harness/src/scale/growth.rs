//! The tables of `scale` over an axis: how the resident set grows with concurrency, requests and threads.
//!
//! Growth is against the first row, as published. Tests 1 and 2 stand in the published form for glibc, then for every
//! engine.

use super::plan::PAYLOADS;
use super::row::Row;
use super::rows::{Pick, REFERENCE, Rows, median, resident};
use super::tables::{figure, head};
use crate::tables::{Cell, Table};

fn growth(value: Option<f64>, base: Option<f64>) -> Option<f64> {
    value.zip(base).map(|(value, base)| (value / base - 1.0) * 100.0)
}

fn percent(value: Option<f64>) -> Cell {
    Cell::figure(value, |value| format!("{value:+.0} %"))
}

/// Tests 1 and 2 in the published form, for glibc.
pub fn published(rows: &Rows, test: &'static str, axis: fn(&Row) -> u64, seed: &[(u64, f64, f64)]) -> Table {
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
        let payload = PAYLOADS[payload];
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
pub fn growth_by_engine(rows: &Rows) -> Table {
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
        for payload in PAYLOADS {
            let (from, to) = (at(payload, low, resident), at(payload, high, resident));
            cells.push(figure(from));
            cells.push(figure(to));
            cells.push(figure(to.zip(from).map(|(to, from)| to - from)));
            cells.push(percent(growth(to, from)));
        }
        cells.push(figure(at(PAYLOADS[1], high, |row| row.requests_per_s)));
        table.push(cells);
    }
    table
}

/// Test 2 for every engine, at 200 K.
pub fn requests_by_engine(rows: &Rows) -> Table {
    let payload = PAYLOADS[1];
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

/// Threads of the blocking pool.
pub fn threads(rows: &Rows) -> Table {
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
