//! `allocbench record`: runs a command under the recording library and turns what it wrote into a trace.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Error, Result, bail, ensure};
use trace::Meta;
use trace::spool::{Clock, Converted, Spool};

use crate::exec::target::{self, Target};
use crate::{output, terminal};

/// The recording library, beside this executable.
const RECORDER: &str = "liballocbench_record.so";
/// Ending of spool files.
const SPOOL: &str = "spool";

/// Flags of `record`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Where the trace goes
    #[arg(short, long, value_name = "TRACE")]
    pub output: PathBuf,
    /// Allocator that serves the command while it is recorded: system, ace, jemalloc, mimalloc, … or NAME=PATH
    #[arg(long, default_value = "system", value_name = "ENGINE")]
    pub over: String,
    /// Unit of recorded time, nanoseconds: a finer one makes a larger file
    #[arg(long, default_value_t = 1000, value_name = "NS", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub quantum: u64,
    /// Convert the spools that an earlier recording left in this folder, instead of running a command
    #[arg(long, value_name = "FOLDER", conflicts_with = "command")]
    pub recover: Option<PathBuf>,
    /// The command and its arguments
    #[arg(last = true, required_unless_present = "recover")]
    pub command: Vec<OsString>,
}

/// Runs the verb; the exit code is the command's.
pub fn run(args: &Args) -> Result<u8> {
    if let Some(folder) = &args.recover {
        convert(args, folder, &[], String::new())?;
        return Ok(0);
    }
    let target = Target::choose(&args.over)?;
    let program = Path::new(&args.command[0]);
    if let Some(obstacle) = target::obstacle(program)? {
        bail!("{}: {obstacle}", program.display());
    }
    let folder = output::folder_of(&args.output);
    let spools = tempfile::Builder::new().prefix(".record-").tempdir_in(folder).with_context(|| {
        format!(
            "{}: no folder can be made there for the recording; name another place with -o",
            folder.display()
        )
    })?;
    let spool_folder = std::fs::canonicalize(spools.path())?;
    let recorder = target::library_beside(RECORDER)?;
    let mut libraries = vec![recorder];
    libraries.extend(target.library.clone());
    let mut command = Command::new(program);
    command.args(&args.command[1..]).env("ALLOCBENCH_RECORD_DIR", &spool_folder);
    command.env("LD_PRELOAD", target::preload_list(&libraries));
    command.envs(target.env.iter().map(|(name, value)| (name, value)));
    let status = command.status().with_context(|| format!("{} cannot be started", program.display()))?;
    let words: Vec<String> = args.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let library = target.library.as_deref().map(|path| path.display().to_string()).unwrap_or_default();
    if let Err(error) = convert(args, &spool_folder, &words, library) {
        let kept = spools.keep();
        return Err(error.context(format!(
            "the recording is kept; try again with: allocbench record --recover {} -o {}",
            kept.display(),
            args.output.display()
        )));
    }
    if let Some(signal) = status.signal() {
        eprintln!(
            "allocbench: the command was killed by signal {signal}; what it did until then is in the trace"
        );
    }
    Ok(status.code().map_or(128 + status.signal().unwrap_or(0), |code| code).clamp(0, 255) as u8)
}

/// Every spool becomes a stream, in the order in which the processes began.
fn convert(args: &Args, folder: &Path, command: &[String], allocator: String) -> Result<()> {
    let mut spools = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("{}: cannot be read", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|ext| ext == SPOOL) {
            let (file, spool) = Spool::open(&path).map_err(Error::msg)?;
            spools.push((file, spool));
        }
    }
    ensure!(
        !spools.is_empty(),
        "nothing was recorded: the command dropped LD_PRELOAD from its environment, or is static"
    );
    spools.sort_by_key(|(_, spool)| spool.start_cycles);
    let meta = Meta {
        tool: output::tool(),
        source: "record".into(),
        command: command.to_vec(),
        allocator,
        quantum_ns: args.quantum,
    };
    let clock = Clock { ns_per_cycle: workloads::calibration().ns_per_cycle, quantum_ns: args.quantum };
    let (found, bytes) = output::write_trace(&args.output, &meta, |writer| {
        let mut found: Vec<Converted> = Vec::new();
        for (number, (file, spool)) in spools.iter().enumerate() {
            // The nearest earlier stream of the parent's id; an exec leaves the id as it is.
            let earlier = spools[..number].iter().rposition(|(_, other)| other.pid == spool.pid);
            let parent = earlier
                .or_else(|| spools[..number].iter().rposition(|(_, other)| other.pid == spool.parent_pid));
            found.push(spool.convert(file, parent.map(|at| at as u16), clock, writer).map_err(Error::msg)?);
        }
        Ok(found)
    })?;
    let sum = |count: fn(&Converted) -> u64| found.iter().map(count).sum::<u64>();
    let (calls, lost, conflicts) = (sum(|one| one.calls), sum(|one| one.lost), sum(|one| one.conflicts));
    terminal::say_aside(format!(
        "{}: {calls} calls of {} processes and {} threads, {} KiB; peak live {} bytes; {lost} events lost, {conflicts} out of order",
        args.output.display(),
        found.len(),
        sum(|one| one.threads),
        bytes.div_ceil(1024),
        found.iter().map(|one| one.peak_live_bytes).max().unwrap_or(0),
    ));
    Ok(())
}
