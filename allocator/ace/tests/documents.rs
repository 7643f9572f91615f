//! docs/CONFIG.md and docs/STATS.md against the code's own lists, row by row; and the sums that STATS.md promises.

use ace_alloc::config::{DEFAULTS, SPECS, Unit};
use ace_alloc::{free, malloc, stats};
use std::sync::Mutex;

/// Held by tests that allocate here: the sums hold when no other thread is inside the allocator.
static ALONE: Mutex<()> = Mutex::new(());

/// The cells of a document's one table, without its two heading rows.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let cells = |line: &'static str| line.trim_matches('|').split('|').map(str::trim).collect();
    let text: &'static str = text.to_owned().leak();
    text.lines().filter(|l| l.starts_with('|')).skip(2).map(cells).collect()
}

#[test]
fn every_knob_is_described_as_it_is() {
    let text = include_str!("../../../docs/CONFIG.md");
    let unit = |unit| match unit {
        Unit::Bytes => "bytes",
        Unit::Blocks => "blocks",
        Unit::Slabs => "slabs",
        Unit::Milliseconds => "milliseconds",
        Unit::Percent => "percent",
        Unit::Flag => "flag",
        Unit::Choice => "choice",
    };
    let rows = rows(text);
    assert_eq!(rows.len(), SPECS.len(), "one row a knob");
    for ((row, spec), default) in rows.iter().zip(&SPECS).zip(DEFAULTS) {
        let name = format!("`{}`", spec.name.to_str().unwrap());
        let wanted =
            [&name, unit(spec.unit), &default.to_string(), &spec.min.to_string(), &spec.max.to_string()];
        assert_eq!(row[..5], wanted, "in the order of the code");
        assert!(row.len() == 6 && row[5].len() > 30, "{name} has a reason");
    }
}

#[test]
fn every_counter_is_described() {
    let text = include_str!("../../../docs/STATS.md");
    let rows = rows(text);
    let named: Vec<_> = rows.iter().map(|row| row[0].trim_matches('`')).collect();
    let fields: Vec<_> = stats().fields().iter().map(|f| f.0).collect();
    assert_eq!(named, fields, "in the order of the code");
    for row in &rows {
        let bytes = row[0].contains("_bytes");
        assert_eq!(row[1] == "bytes", bytes, "{} carries its unit", row[0]);
        assert!(["now", "since start"].contains(&row[2]) && row[3].len() > 20, "{row:?}");
    }
}

#[test]
fn written_forms_hold_every_counter() {
    let _alone = ALONE.lock().unwrap();
    let kept: Vec<_> = (0..5).map(|i| malloc(i << 19)).collect();
    let s = stats();
    let (mut text, mut json) = (Vec::new(), Vec::new());
    s.write_text(|part| text.extend_from_slice(part));
    s.write_json(|part| json.extend_from_slice(part));
    let (text, json) = (String::from_utf8(text).unwrap(), String::from_utf8(json).unwrap());
    let fields = s.fields();
    let wanted: String = fields.iter().map(|(name, value)| format!("{name} {value}\n")).collect();
    assert_eq!(text, wanted);
    let pairs: Vec<_> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    assert_eq!(json, format!("{{{}}}\n", pairs.join(",")));
    for p in kept {
        // SAFETY: live blocks.
        unsafe { free(p) };
    }
}

/// The sums that hold at any moment on one thread; `tests/knobs.rs` has those over blocks and slabs.
#[test]
fn levels_sum() {
    let _alone = ALONE.lock().unwrap();
    let blocks: Vec<_> = [100, 5000, 100_000, 900_000, 3 << 20, 20 << 20].map(malloc).into();
    for freed in 0..=blocks.len() {
        let s = stats();
        let tiers: u64 = s.superslabs.iter().sum();
        assert_eq!(tiers, s.superslabs_mapped - s.superslabs_released, "{s:?}");
        assert_eq!(s.superslab_bytes, tiers * (2 << 20));
        assert_eq!(s.live_bytes(), s.out_bytes + s.orphan_out_bytes + s.large_bytes + s.huge_bytes);
        assert_eq!(s.committed_bytes, s.slab_committed_bytes + s.huge_bytes + s.huge_cached_bytes, "{s:?}");
        if let Some(&p) = blocks.get(freed) {
            // SAFETY: a live block.
            unsafe { free(p) };
        }
    }
}
