//! `allocbench trace info` and `trace synth`: what a trace is like, and a workload fitted to it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, bail, ensure};
use clap::Subcommand;
use trace::info::Info;

use crate::trace_view::{figures, text};
use crate::{store, terminal};

/// Arguments of `trace`.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Describe a trace: sizes, lifetimes, live bytes, threads
    Info {
        /// The trace
        trace: PathBuf,
        /// The process, counted from 0 [default: the one with the most events]
        #[arg(long)]
        stream: Option<u16>,
        /// Folder for plots (SVG and PNG); none are drawn without it
        #[arg(long, value_name = "FOLDER")]
        plots: Option<PathBuf>,
    },
    /// Fit a workload to a trace, as a file for `bench --workload-file`
    Synth {
        /// The trace
        trace: PathBuf,
        /// The process, counted from 0 [default: the one with the most events]
        #[arg(long)]
        stream: Option<u16>,
        /// Where the workload goes [default: standard output]
        #[arg(short, long)]
        output: Option<PathBuf>,
        /// Its name [default: `synth.` and the trace's]
        #[arg(long)]
        name: Option<String>,
    },
}

/// A trace as `info` and `synth` want it.
pub struct Described {
    /// Statistics of the chosen stream.
    pub info: Info,
    /// Where the file is from.
    pub meta: trace::Meta,
    /// Number, program and events of every stream.
    pub streams: Vec<(u16, trace::StreamInfo, u64)>,
    /// The chosen stream.
    pub stream: u16,
    /// Where the file is cut.
    pub notice: Option<String>,
    /// Events the recorder could not keep.
    pub lost: u64,
}

/// Runs the verb.
pub fn run(args: &Args) -> Result<()> {
    match &args.verb {
        Verb::Info { trace, stream, plots } => {
            let found = describe(trace, *stream)?;
            terminal::say(text::info(trace, &found))?;
            if let Some(folder) = plots {
                terminal::say(super::plot::write(&figures::all(trace, &found), folder)?)?;
            }
            Ok(())
        }
        Verb::Synth { trace, stream, output, name } => {
            let found = describe(trace, *stream)?;
            let stem = trace.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
            let plain = |c: char| if c.is_ascii_alphanumeric() || "_+.-".contains(c) { c } else { '_' };
            let default = || format!("synth.{stem}").chars().map(plain).take(40).collect();
            let fitted =
                trace::synth::fit(&found.info, &name.clone().unwrap_or_else(default)).map_err(Error::msg)?;
            check(&fitted.toml)?;
            match output {
                None => terminal::say(fitted.toml.trim_end()),
                Some(path) => {
                    store::write_bytes_atomic(path, fitted.toml.as_bytes())?;
                    terminal::say(format!(
                        "{}: run it with: allocbench bench --workload-file {0} --threads {}",
                        path.display(),
                        fitted.threads
                    ))
                }
            }
        }
    }
}

/// What is written must be what `bench` reads.
fn check(toml: &str) -> Result<()> {
    let file = tempfile::NamedTempFile::new().context("no temporary file can be made")?;
    std::fs::write(file.path(), toml)?;
    match workloads::load(file.path()) {
        Ok(_) => Ok(()),
        Err(what) => bail!("the fitted workload is not valid: {}", what.rsplit(": ").next().unwrap_or(&what)),
    }
}

/// Reads a trace: once to choose the stream, where none is named, and once for its statistics.
pub fn describe(path: &Path, stream: Option<u16>) -> Result<Described> {
    let stream = match stream {
        Some(stream) => stream,
        None => workloads::replay::longest_stream(path).map_err(Error::msg)?,
    };
    let mut reader = trace::reader::open(path).map_err(Error::msg)?;
    let mut info = Info::default();
    while let Some(block) = reader.next_block() {
        if block.stream == stream {
            block.events.iter().try_for_each(|event| info.add(event)).map_err(Error::msg)?;
        }
    }
    let streams: Vec<_> =
        reader.streams().enumerate().map(|(at, (info, events))| (at as u16, info.clone(), events)).collect();
    ensure!(
        usize::from(stream) < streams.len().max(1),
        "--stream: {} has {} streams, counted from 0",
        path.display(),
        streams.len()
    );
    Ok(Described {
        info,
        meta: reader.meta.clone(),
        streams,
        stream,
        notice: reader.ending().notice(),
        lost: reader.lost(),
    })
}
