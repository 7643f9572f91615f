//! `allocbench import`: a text of AOSP's `memory_replay`, plain or zipped, becomes a trace.

use std::path::PathBuf;

use anyhow::{Error, Result};
use trace::Meta;

use crate::{output, terminal};

/// Flags of `import`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The text (`tid: op pointer args`), or a zip archive with it
    pub from: PathBuf,
    /// Where the trace goes
    #[arg(short, long, value_name = "TRACE")]
    pub output: PathBuf,
}

/// Runs the verb.
pub fn run(args: &Args) -> Result<()> {
    let meta = Meta {
        tool: output::tool(),
        source: "import".into(),
        command: vec![args.from.file_name().unwrap_or_default().to_string_lossy().into_owned()],
        ..Meta::default()
    };
    let (done, _) = output::write_trace(&args.output, &meta, |writer| {
        trace::import::from_file(&args.from, writer).map_err(Error::msg)
    })?;
    terminal::say(format!(
        "{}: {} events in {} threads, peak live {} bytes, {} frees of NULL or of unknown blocks, {} allocations on live blocks",
        args.output.display(),
        done.events,
        done.threads,
        done.peak_live_bytes,
        done.strays,
        done.conflicts
    ))
}
