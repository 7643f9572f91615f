//! Invented rows of a plausible shape, for tests and for looking at figures. They are no measurement.

#![allow(dead_code, reason = "each test file uses the part it needs")]

use harness::row::{Row, SCHEMA};

/// Engine, speed, resident factor.
pub const ENGINES: [(&str, f64, f64); 14] = [
    ("floor", 9.0, 0.02),
    ("system", 1.0, 1.0),
    ("system#aa", 1.0, 1.0),
    ("ace", 1.9, 1.02),
    ("jemalloc", 1.35, 1.12),
    ("mimalloc", 1.6, 1.2),
    ("mimalloc2", 1.55, 1.18),
    ("snmalloc", 1.7, 1.15),
    ("rpmalloc", 1.75, 1.08),
    ("tcmalloc", 1.8, 1.3),
    ("mempool_baseline", 0.4, 1.05),
    ("mempool_sharded", 0.55, 1.07),
    ("mempool_lockfree", 0.7, 1.06),
    ("mempool_numa", 0.56, 1.09),
];

/// Workload, family.
pub const WORKLOADS: [(&str, &str); 14] = [
    ("rl_small", "note"),
    ("rl_medium", "note"),
    ("fragmentation_mix", "note"),
    ("alignment64", "note"),
    ("rl_small+", "note+"),
    ("rl_medium+", "note+"),
    ("fragmentation_mix+", "note+"),
    ("alignment64+", "note+"),
    ("tiny_hot", "draft"),
    ("random_mixed", "draft"),
    ("mid_mt", "draft"),
    ("remote_r50", "draft"),
    ("larson", "threads"),
    ("steal", "threads"),
];

/// A number in (0, 1) that depends on all words.
fn chance(words: &[&str]) -> f64 {
    let mut hash = 0xCBF2_9CE4_8422_2325u64;
    for byte in words.join("|").bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    }
    hash = (hash ^ (hash >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    ((hash >> 11) as f64 + 0.5) / (1u64 << 53) as f64
}

/// Noise around 1.
fn noise(words: &[&str], spread: f64) -> f64 {
    (spread * (2.0 * chance(words) - 1.0)).exp()
}

/// One cell.
pub fn cell(engine: (&str, f64, f64), workload: (&str, &str), threads: u32, pass: &str, block: u32) -> Row {
    let (name, speed, resident) = engine;
    let base = name.split('#').next().unwrap();
    let counts = [threads.to_string(), block.to_string()];
    let words = |what| [name, workload.0, pass, counts[0].as_str(), counts[1].as_str(), what];
    let taste = noise(&[base, workload.0], 0.45);
    let contended = if base.starts_with("mempool") { 0.75f64.powi(threads as i32 - 1).max(0.1) } else { 1.0 };
    let parallel = f64::from(threads.min(2));
    let per_s = 2.2e7
        * speed
        * taste
        * parallel
        * contended
        * noise(&[workload.0], 0.8)
        * noise(&words("speed"), 0.03);
    let ops = 200_000 * u64::from(threads);
    let live = (3.0e6 * f64::from(threads) * noise(&[workload.0, "live"], 1.0)) as u64;
    let usable = 1.0 + 0.2 * chance(&[base, workload.0, "usable"]);
    let ns = 25.0 / speed / taste / contended;
    let mut row = Row {
        schema: SCHEMA,
        engine: name.into(),
        workload: workload.0.into(),
        threads,
        pass: pass.into(),
        block,
        status: "ok".into(),
        engine_version: "invented".into(),
        group: workload.1.into(),
        seed: 42,
        align_bytes: if workload.0.starts_with("alignment") { 64 } else { 8 },
        ops_per_thread: Some(200_000),
        ops_total: Some(ops),
        elapsed_ns: Some((ops as f64 / per_s * 1e9) as u64),
        ops_per_s: Some(per_s),
        ..Row::default()
    };
    match pass {
        "throughput" => {
            let locks = if base == "mempool_baseline" { 0.4 } else { 0.05 };
            row.lock_takings = base.starts_with("mempool").then_some((ops as f64 * locks) as u64);
            row.lock_waits = base
                .starts_with("mempool")
                .then_some((ops as f64 * locks * 0.1 * f64::from(threads - 1)) as u64);
        }
        "latency" => {
            let at = |op: &'static str, factor: f64| Some(ns * factor * noise(&words(op), 0.05));
            row.alloc_ns_p50 = at("a50", 1.0);
            row.alloc_ns_p90 = at("a90", 1.4);
            row.alloc_ns_p99 = at("a99", 4.0 * taste);
            row.alloc_ns_p999 = at("a999", 15.0);
            row.alloc_ns_tail_mean = at("atail", 9.0);
            row.free_ns_p50 = at("f50", 0.8);
            row.free_ns_p90 = at("f90", 1.1);
            row.free_ns_p99 = at("f99", 3.0);
            row.free_ns_p999 = at("f999", 11.0 / taste);
            row.free_ns_tail_mean = at("ftail", 7.0);
        }
        "memory" => {
            row.usable_per_requested = Some(usable);
            row.peak_live_requested_bytes = Some(live);
            row.peak_live_usable_bytes = Some((live as f64 * usable) as u64);
            row.resident_bytes_before = Some(4 << 20);
            row.resident_bytes_peak = Some(
                (4 << 20)
                    + (live as f64
                        * 1.2
                        * resident
                        * noise(&[base, workload.0, "rss"], 0.2)
                        * noise(&words("rss"), 0.01)) as u64,
            );
            row.resident_bytes_end = row.resident_bytes_peak.map(|bytes| bytes - 1000);
            row.resident_bytes_drained = row.resident_bytes_peak.map(|bytes| bytes / 2 + (2 << 20));
        }
        "instructions" => {
            row.instructions_per_op = Some(60.0 / speed / taste);
        }
        _ => {}
    }
    row
}

/// A whole run.
pub fn run(blocks: u32) -> Vec<Row> {
    let mut rows = Vec::new();
    for workload in WORKLOADS {
        for threads in [1, 2, 4, 8] {
            for (pass, passes) in [
                ("throughput", blocks),
                ("latency", blocks),
                ("memory", 2),
                ("instructions", u32::from(threads == 1)),
            ] {
                for block in 0..passes {
                    for engine in
                        ENGINES.into_iter().filter(|engine| pass == "throughput" || !engine.0.contains('#'))
                    {
                        let mut row = cell(engine, workload, threads, pass, block);
                        if engine.0 == "mempool_numa" && workload.0 == "larson" && threads == 8 {
                            row = Row {
                                status: "crashed".into(),
                                detail: "signal 11 | <b>invented</b>".into(),
                                ops_per_s: Some(1e12),
                                ..row
                            };
                        }
                        rows.push(row);
                    }
                }
            }
        }
    }
    rows
}

/// A timeline of invented phases.
pub fn timeline() -> String {
    let mut text = String::from("engine,workload,threads,pass,block,t_ns,resident_bytes,phase\n");
    for (engine, _, resident) in
        ENGINES.into_iter().filter(|engine| !engine.0.contains('#') && engine.0 != "floor")
    {
        for workload in ["larson", "steal"] {
            for step in 0..600u64 {
                let (phase, share) = match step {
                    0..200 => ("burst", step as f64 / 200.0),
                    200..350 => ("idle", 1.0 - (resident - 0.9) * (step - 200) as f64 / 150.0),
                    _ => ("other sizes", 0.6 + 0.2 * ((step as f64) / 40.0).sin()),
                };
                let bytes = 4e6 + 6e7 * share * resident;
                text += &format!(
                    "{engine},{workload},2,memory,0,{},{},{phase}\n",
                    step * 5_000_000,
                    bytes as u64
                );
            }
        }
    }
    text
}
