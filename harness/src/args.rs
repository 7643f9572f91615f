//! Flags that several verbs share, declared once, and the reading of list-shaped values.

use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use cell::wire::Pass;
use clap::{Args, ValueEnum};

/// Most threads a cell may run: beyond this a typing error is likelier than a wish.
pub const THREADS_MAX: usize = 1024;

/// Most operations a thread may be asked for.
pub const OPS_MAX: u64 = 1_000_000_000;

/// What to measure, how often, and where results go.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// Engines, comma-separated (see `allocbench list`); default: those of the profile
    #[arg(long, env = "BENCH_ENGINES", value_delimiter = ',', hide_env_values = true)]
    pub engines: Vec<String>,
    /// Add every engine that can be built to those of the profile
    #[arg(long)]
    pub all_engines: bool,
    /// Workloads, comma-separated; a group's name (note, note+, draft, threads, memory) stands for all of it
    #[arg(long, env = "BENCH_WORKLOADS", value_delimiter = ',', hide_env_values = true)]
    pub workloads: Vec<String>,
    /// TOML file with workloads of your own; may be given several times
    #[arg(long, value_name = "FILE")]
    pub workload_file: Vec<PathBuf>,
    /// Thread counts, comma-separated [default: 1,2,4,8; quick profile: 1,2]
    #[arg(long, env = "BENCH_THREADS", value_delimiter = ',', hide_env_values = true)]
    pub threads: Vec<String>,
    /// Operations a thread for the note's workloads; every other workload is scaled by the same factor (OPS / 200000)
    #[arg(long, env = "BENCH_OPS", default_value = "200000", hide_env_values = true)]
    pub ops: String,
    /// Exact number of blocks for the throughput and latency passes, instead of planning them from the budget
    #[arg(long)]
    pub reps: Option<u32>,
    /// Seconds that measuring may take; repetitions are planned from it, and what does not fit is left out, and said
    #[arg(long, env = "BENCH_BUDGET", value_name = "SECONDS", hide_env_values = true)]
    pub budget: Option<u64>,
    /// Passes, comma-separated: throughput, latency, memory, drain, instructions; default: those of the profile
    #[arg(long, value_delimiter = ',')]
    pub passes: Vec<String>,
    /// How much to measure
    #[arg(long, value_enum, default_value_t = Profile::Default)]
    pub profile: Profile,
    /// Base seed of workloads and of the order of cells
    #[arg(long, default_value_t = 42)]
    pub seed: u64,
    /// Folder for results; plots go to `plots` beside it
    #[arg(long, default_value = "results", value_name = "FOLDER")]
    pub out: PathBuf,
    /// Measure only part I of N of the plan, e.g. 1/4; join the parts with `allocbench merge`
    #[arg(long, value_name = "I/N")]
    pub shard: Option<String>,
    /// Go on with the run whose results are in the output folder
    #[arg(long)]
    pub resume: bool,
    /// Write a pattern into every block and check it; figures are then those of a check, not of a benchmark
    #[arg(long)]
    pub verify: bool,
    /// Leave worker threads to the scheduler instead of keeping each on one processor
    #[arg(long)]
    pub no_pin: bool,
    /// Add an engine: the C ABI of a library loaded by LD_PRELOAD; may be given several times
    #[arg(long, value_name = "NAME=PATH")]
    pub preload: Vec<String>,
    /// Seconds after which a cell is stopped and recorded as a timeout
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    pub time_limit: u64,
    /// Resident MiB at which a cell is stopped and recorded as out of memory; default: 80 % of what is available
    #[arg(long, value_name = "MIB")]
    pub memory_limit: Option<u64>,
    /// Print the result as JSON on standard output
    #[arg(long)]
    pub json: bool,
}

impl Default for RunArgs {
    /// What the command line gives without a flag, and nothing from the environment.
    fn default() -> RunArgs {
        RunArgs {
            engines: Vec::new(),
            all_engines: false,
            workloads: Vec::new(),
            workload_file: Vec::new(),
            threads: Vec::new(),
            ops: "200000".into(),
            reps: None,
            budget: None,
            passes: Vec::new(),
            profile: Profile::Default,
            seed: 42,
            out: "results".into(),
            shard: None,
            resume: false,
            verify: false,
            no_pin: false,
            preload: Vec::new(),
            time_limit: 60,
            memory_limit: None,
            json: false,
        }
    }
}

/// How much `bench` measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// The design note's tables and a sample of the rest, under 8 minutes
    Default,
    /// A look at the main rows, under 1 minute
    Quick,
    /// Every built engine, workload, thread count and pass
    Full,
}

/// The words of a list; a variable that is set but empty counts as not given.
pub fn given(words: &[String]) -> Vec<&str> {
    words.iter().map(|word| word.trim()).filter(|word| !word.is_empty()).collect()
}

/// Thread counts as numbers, without repetition, in the order given.
pub fn thread_counts(words: &[String]) -> Result<Vec<usize>> {
    let mut counts = Vec::new();
    for word in given(words) {
        let count: usize = match word.parse() {
            Ok(count) => count,
            Err(_) => bail!("--threads (BENCH_THREADS): '{word}' is not a number; give counts like 1,2,4"),
        };
        ensure!(count > 0, "--threads (BENCH_THREADS): 0 threads cannot run a workload; give 1 or more");
        ensure!(
            count <= THREADS_MAX,
            "--threads (BENCH_THREADS): {count} is above the limit of {THREADS_MAX}"
        );
        if !counts.contains(&count) {
            counts.push(count);
        }
    }
    ensure!(!counts.is_empty(), "--threads (BENCH_THREADS): no thread count given; give counts like 1,2,4");
    Ok(counts)
}

/// Operations a thread.
pub fn operations(word: &str) -> Result<u64> {
    let digits: String = word.trim().chars().filter(|&c| c != '_').collect();
    let Ok(ops) = digits.parse::<u64>() else {
        bail!("--ops (BENCH_OPS): '{word}' is not a whole number between 1 and {OPS_MAX}");
    };
    ensure!(
        (1..=OPS_MAX).contains(&ops),
        "--ops (BENCH_OPS): {ops} is outside 1 to {OPS_MAX} operations a thread; the default is 200000"
    );
    Ok(ops)
}

/// Passes by name, in planning order; `default` where none is given.
pub fn passes(words: &[String], default: &[Pass]) -> Result<Vec<Pass>> {
    if words.is_empty() {
        return Ok(default.to_vec());
    }
    let mut chosen = Vec::new();
    for word in words {
        match Pass::parse(word.trim()) {
            Some(pass) => chosen.push(pass),
            None => bail!(
                "--passes: '{word}' is not a pass; choose from throughput, latency, memory, drain, instructions"
            ),
        }
    }
    Ok(Pass::ALL.into_iter().filter(|pass| chosen.contains(pass)).collect())
}

/// Part and number of parts of `--shard`, the part counted from 0.
pub fn shard(word: Option<&str>) -> Result<(usize, usize)> {
    let Some(word) = word else { return Ok((0, 1)) };
    let parts = word.split_once('/').and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
    match parts {
        Some((part, of)) if (1..=of).contains(&part) && of <= 10_000 => Ok((part - 1, of)),
        _ => bail!("--shard: '{word}' is not of the form I/N with 1 ≤ I ≤ N ≤ 10000, e.g. 1/4"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(',').map(String::from).collect()
    }

    #[test]
    fn thread_counts_are_checked() {
        assert_eq!(thread_counts(&words("1,2,2, 8")).unwrap(), [1, 2, 8]);
        for bad in ["0", "1,0", "x", "", "99999", "-1", "1.5"] {
            let message = thread_counts(&words(bad)).unwrap_err().to_string();
            assert!(message.starts_with("--threads"), "{bad}: {message}");
        }
    }

    #[test]
    fn operations_are_checked() {
        assert_eq!(operations("20000").unwrap(), 20_000);
        assert_eq!(operations("1_000_000").unwrap(), 1_000_000);
        for bad in ["0", "", "1e9", "99999999999999999999", "1000000001", "-5"] {
            assert!(operations(bad).unwrap_err().to_string().starts_with("--ops"), "{bad}");
        }
    }

    #[test]
    fn shards_are_counted_from_one() {
        assert_eq!(shard(None).unwrap(), (0, 1));
        assert_eq!(shard(Some("4/4")).unwrap(), (3, 4));
        for bad in ["0/4", "5/4", "1", "a/b", "1/0", "1/99999"] {
            assert!(shard(Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn passes_keep_planning_order() {
        assert_eq!(passes(&words("latency,throughput"), &[]).unwrap(), [Pass::Throughput, Pass::Latency]);
        assert_eq!(passes(&[], &[Pass::Drain]).unwrap(), [Pass::Drain]);
        assert!(passes(&words("speed"), &[]).is_err());
    }
}
