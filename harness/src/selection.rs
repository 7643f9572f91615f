//! From flags to engines, workloads and passes: names are resolved here, once, and every wrong one is an error that
//! says what would be right.

use std::path::Path;

use anyhow::{Result, bail, ensure};
use cell::wire::Pass;
use workloads::catalog;
use workloads::spec::{Pace, Workload};

use crate::analysis::dataset::{CONTROL_SUFFIX, FLOOR};
use crate::args::{self, Profile, RunArgs};
use crate::engine::{Choice, Shelf};
use crate::record::Settings;

/// Engine whose control the default run measures, and to which tables relate.
pub const REFERENCE: &str = "system";

/// Engines of the default profile, in the order of tables; those that are not built are said and left out.
const DEFAULT_ENGINES: [&str; 9] = [
    "system",
    "system#aa",
    "jemalloc",
    "mimalloc",
    "mimalloc2",
    "ace",
    "mempool_baseline",
    "mempool_sharded",
    "floor",
];

/// Engines of the quick profile.
const QUICK_ENGINES: [&str; 6] =
    ["system", "jemalloc", "mimalloc", "ace", "mempool_baseline", "mempool_sharded"];

/// Engines that are measured only where they are named.
const BY_NAME_ONLY: [&str; 2] = ["c_abi", "slowed"];

/// Workloads whose drain points are taken where none is named: the two with the largest live sets of mixed sizes.
pub const DRAIN_WORKLOADS: [&str; 2] = ["rl_medium+", "fragmentation_mix+"];

/// Operations a thread that a run of a uniform loop (`tiny_hot`, `random_mixed`) takes at most in the default and the quick
/// profile: the same loop for longer says no more, and takes rounds from all others.
const LOOP_OPS_MAX: u64 = 500_000;

/// Folder with the traces of which the default run replays the smallest.
const TRACES: &str = "traces";
/// How many.
const DEFAULT_TRACES: usize = 2;

/// What the names of workloads that replay traces begin with.
pub const TRACE_GROUP: &str = "trace.";

/// What a workload's name begins with where it is the path of a trace.
pub const TRACE_PREFIX: &str = "trace:";

/// Everything a run is made of.
pub struct Selection {
    /// Engines in table order.
    pub choices: Vec<Choice>,
    /// Workloads, scaled to `ops`.
    pub workloads: Vec<Workload>,
    /// The same as they are defined, in the same order.
    pub unscaled: Vec<Workload>,
    /// Thread counts.
    pub threads: Vec<usize>,
    /// Passes in planning order.
    pub passes: Vec<Pass>,
    /// Operations a thread.
    pub ops: u64,
    /// Time for measuring, if it is limited.
    pub budget_seconds: Option<u64>,
    /// Engines of the profile that are not built: one line each.
    pub missing: Vec<String>,
    /// Whether the user named the engines.
    pub engines_named: bool,
    /// Whether the user named both workloads and passes, so that the drain pass, if it is one of them, is meant for all of these.
    pub drain_named: bool,
    /// Whether repetitions are spread over all groups and both timed passes alike, instead of favouring what the A/A control judges.
    pub even: bool,
}

impl Selection {
    /// Resolves the flags.
    pub fn new(args: &RunArgs) -> Result<Selection> {
        let threads = args::thread_counts(&thread_words(args))?;
        let ops = args::operations(&args.ops)?;
        let passes = args::passes(&args.passes, default_passes(args.profile))?;
        ensure!(args.reps != Some(0), "--reps: 0 blocks measure nothing; give 1 or more");
        ensure!(args.budget != Some(0), "--budget (BENCH_BUDGET): 0 seconds measure nothing; give 1 or more");
        let unscaled = workloads(args)?;
        let workloads = unscaled.iter().map(|workload| form(workload, ops, args.profile)).collect();
        let shelf = Shelf::open()?;
        let mut missing = Vec::new();
        let mut choices = engines(args, &shelf, &mut missing)?;
        for word in &args.preload {
            choices.push(shelf.preload(word)?);
        }
        let labels: Vec<&String> = choices.iter().map(|choice| &choice.label).collect();
        for (index, label) in labels.iter().enumerate() {
            ensure!(
                !labels[..index].contains(label),
                "engine '{label}' is named twice; name it once (or as {label}{CONTROL_SUFFIX})"
            );
        }
        if args.verify {
            // The floor engine hands out memory that is still in use: there is nothing to verify.
            choices.retain(|choice| choice.engine != FLOOR);
            ensure!(!choices.is_empty(), "--verify: the floor engine keeps no contents; name another engine");
        }
        Ok(Selection {
            choices,
            workloads,
            unscaled,
            threads,
            passes,
            ops,
            budget_seconds: budget(args),
            missing,
            engines_named: !args::given(&args.engines).is_empty(),
            drain_named: !args::given(&args.workloads).is_empty() && !args::given(&args.passes).is_empty(),
            even: false,
        })
    }

    /// Whether drain points are taken of every workload, as of those that a user named together with the pass.
    pub fn drains_all(&self) -> bool {
        self.drain_named && !self.even
    }

    /// What must be equal for two runs to be one.
    pub fn settings(&self, args: &RunArgs, shard: (usize, usize)) -> Settings {
        Settings {
            engines: self.choices.iter().map(|choice| choice.label.clone()).collect(),
            workloads: self.workloads.iter().map(|workload| workload.name.clone()).collect(),
            threads: self.threads.clone(),
            passes: self.passes.iter().map(|pass| pass.name().to_string()).collect(),
            ops: self.ops,
            seed: args.seed,
            verify: args.verify,
            pinned: !args.no_pin,
            reps: args.reps,
            budget_seconds: self.budget_seconds,
            shard,
        }
    }
}

/// A workload as a profile runs it.
fn form(workload: &Workload, ops: u64, profile: Profile) -> Workload {
    let scaled = workload.scaled(ops);
    match profile {
        Profile::Quick | Profile::Default => scaled.capped(LOOP_OPS_MAX),
        Profile::Full => scaled,
    }
}

/// Thread counts as given, or the profile's.
fn thread_words(args: &RunArgs) -> Vec<String> {
    if !args::given(&args.threads).is_empty() {
        return args.threads.clone();
    }
    let default = if args.profile == Profile::Quick { "1,2" } else { "1,2,4,8" };
    default.split(',').map(String::from).collect()
}

fn default_passes(profile: Profile) -> &'static [Pass] {
    match profile {
        Profile::Quick => &[Pass::Throughput, Pass::Latency, Pass::Memory],
        Profile::Default | Profile::Full => &Pass::ALL,
    }
}

/// Fixed repetitions have no budget; `full` has none unless one is given.
fn budget(args: &RunArgs) -> Option<u64> {
    if args.reps.is_some() {
        return None;
    }
    args.budget.or(match args.profile {
        Profile::Quick => Some(40),
        Profile::Default => Some(420),
        Profile::Full => None,
    })
}

fn engines(args: &RunArgs, shelf: &Shelf, missing: &mut Vec<String>) -> Result<Vec<Choice>> {
    let named = args::given(&args.engines);
    if !named.is_empty() {
        return named.into_iter().map(|name| shelf.choose(name)).collect();
    }
    let mut wanted: Vec<String> = match args.profile {
        Profile::Quick => QUICK_ENGINES.map(String::from).to_vec(),
        Profile::Default | Profile::Full => DEFAULT_ENGINES.map(String::from).to_vec(),
    };
    if args.all_engines || args.profile == Profile::Full {
        let all = engines::catalog::CATALOG
            .iter()
            .filter(|entry| !entry.ablation)
            .map(|entry| entry.name.to_string());
        let further: Vec<String> =
            all.filter(|name| !wanted.contains(name) && !BY_NAME_ONLY.contains(&name.as_str())).collect();
        wanted.extend(further);
    }
    let mut choices = Vec::new();
    for name in wanted {
        match shelf.choose(&name) {
            Ok(choice) => choices.push(choice),
            Err(error) => missing.push(format!("{error:#}")),
        }
    }
    ensure!(!choices.is_empty(), "no engine of the profile is built; build them: make build");
    Ok(choices)
}

fn workloads(args: &RunArgs) -> Result<Vec<Workload>> {
    let mut known = catalog::builtin();
    let mut own = Vec::new();
    for file in &args.workload_file {
        for workload in catalog::load(file).map_err(anyhow::Error::msg)? {
            ensure!(
                known.iter().all(|other| other.name != workload.name),
                "{}: a workload called '{}' exists already; choose another name",
                file.display(),
                workload.name
            );
            own.push(workload.name.clone());
            known.push(workload);
        }
    }
    let named = args::given(&args.workloads);
    if named.is_empty() {
        let mut chosen = of_profile(known, args.profile);
        if args.profile != Profile::Quick {
            chosen.extend(smallest_traces(Path::new(TRACES))?);
        }
        return Ok(chosen);
    }
    let mut chosen: Vec<Workload> = Vec::new();
    for name in named {
        if let Some(path) = name.strip_prefix(TRACE_PREFIX) {
            let workload = trace_workload(path)?;
            ensure!(
                chosen.iter().all(|other| other.name != workload.name),
                "two workloads are called '{}'; rename one of the traces",
                workload.name
            );
            chosen.push(workload);
            continue;
        }
        let found: Vec<&Workload> =
            known.iter().filter(|workload| workload.name == name || workload.group == name).collect();
        if found.is_empty() {
            let names: Vec<&str> = known.iter().map(|workload| workload.name.as_str()).collect();
            bail!(
                "no workload or group is called '{name}'; known are {} (see: allocbench list)",
                names.join(", ")
            );
        }
        for workload in found {
            if chosen.iter().all(|other| other.name != workload.name) {
                chosen.push(workload.clone());
            }
        }
    }
    for name in own {
        // A file that is given is meant to be measured, beside what is named.
        if chosen.iter().all(|other| other.name != name) {
            chosen.extend(known.iter().find(|workload| workload.name == name).cloned());
        }
    }
    Ok(chosen)
}

fn of_profile(known: Vec<Workload>, profile: Profile) -> Vec<Workload> {
    let quick = |workload: &Workload| {
        workload.group == "note"
            || workload.group == "user"
            || ["tiny_hot", "random_mixed"].contains(&workload.name.as_str())
    };
    known.into_iter().filter(|workload| profile != Profile::Quick || quick(workload)).collect()
}

/// The workload that replays a trace; behind the path may stand `?pace=recorded&touch=no&stream=2`.
fn trace_workload(word: &str) -> Result<Workload> {
    let (path, options) = word.rsplit_once('?').unwrap_or((word, ""));
    let (mut pace, mut touch, mut stream) = (Pace::Max, true, None);
    for option in options.split('&').filter(|option| !option.is_empty()) {
        match option.split_once('=') {
            Some(("pace", "max")) => pace = Pace::Max,
            Some(("pace", "recorded")) => pace = Pace::Recorded,
            Some(("touch", "yes")) => touch = true,
            Some(("touch", "no")) => touch = false,
            Some(("stream", number)) if number.parse::<u16>().is_ok() => stream = number.parse().ok(),
            _ => bail!("trace:{word}: '{option}' is not one of pace=max|recorded, touch=yes|no, stream=N"),
        }
    }
    let (workload, notice) =
        workloads::replay::workload(Path::new(path), stream, pace, touch).map_err(anyhow::Error::msg)?;
    if let Some(notice) = notice {
        eprintln!("allocbench: {path}: {notice}");
    }
    Ok(workload)
}

/// The smallest traces of a folder; none where there is no such folder.
fn smallest_traces(folder: &Path) -> Result<Vec<Workload>> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "trace"))
        .filter_map(|path| Some((path.metadata().ok()?.len(), path)))
        .collect();
    found.sort();
    found.iter().take(DEFAULT_TRACES).map(|(_, path)| trace_workload(&path.to_string_lossy())).collect()
}
