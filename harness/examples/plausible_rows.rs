//! Writes invented rows of a plausible shape into a folder, for looking at tables and figures while they are made.
//! `cargo run --example plausible_rows -- FOLDER`. They are no measurement.

#[path = "../tests/common/mod.rs"]
mod common;

use harness::store;
use std::path::PathBuf;

fn main() -> anyhow::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "/tmp/plausible".into()));
    let file = folder.join("bench.csv");
    store::write_atomic(&file, &common::run(7))?;
    let provenance = r#"{"command": "allocbench bench (INVENTED ROWS)", "revision": "0123456789abcdef0123456789abcdef01234567",
        "machine": {"cpu": "invented", "cores": 2}, "left_out": ["mid_mt 8 threads: latency, blocks 5 to 7"]}"#;
    store::write_bytes_atomic(&store::beside(&file, "provenance.json"), provenance.as_bytes())?;
    store::write_bytes_atomic(&store::beside(&file, "timeline.csv"), common::timeline().as_bytes())?;
    println!("{}", file.display());
    Ok(())
}
