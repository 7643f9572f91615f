//! A real command under every engine: which libraries, one measured run, many interleaved, and what they say.
//!
//! [`target`] (an engine as a library and variables) → [`cell`] (one run, in a process of its own that has no other
//! child) with [`sample`] (the process tree over time) and [`witness`] (who served each process) → [`table`],
//! [`verdict`], [`figures`]. The verb is [`crate::cmd::exec`].

pub mod cell;
pub mod figures;
pub mod sample;
pub mod table;
pub mod target;
pub mod verdict;
pub mod witness;

use serde::{Deserialize, Serialize};

/// One run to measure.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Libraries to preload, the engine's first.
    pub libraries: Vec<std::path::PathBuf>,
    /// Variables of the engine.
    pub env: Vec<(String, String)>,
    /// Bytes that the tree may have resident.
    pub memory_limit_bytes: Option<u64>,
    /// Seconds it may run.
    pub time_limit_s: u64,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// By itself, with this code.
    Exit(i32),
    /// By this signal.
    Signal(i32),
    /// At the time limit.
    Timeout,
    /// At the memory limit.
    OverLimit,
}

/// One run's figures. Nanoseconds and bytes; of the whole process tree where nothing else is said.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Found {
    /// How it ended.
    pub ending: Ending,
    /// From start to end of the command itself.
    pub wall_ns: u64,
    /// User CPU time of all processes that were waited for.
    pub user_ns: u64,
    /// System CPU time.
    pub sys_ns: u64,
    /// Faults without input or output.
    pub faults_minor: u64,
    /// Faults with.
    pub faults_major: u64,
    /// Highest sum of resident bytes that was seen, or one process's own peak where that is higher.
    pub resident_bytes_peak: u64,
    /// Highest VmPeak of a process.
    pub reserved_bytes_peak: u64,
    /// Time and resident bytes.
    pub timeline: Vec<(u64, u64)>,
    /// Hash of standard output.
    pub output_hash: u64,
    /// Bytes of standard output.
    pub output_bytes: u64,
    /// Processes with a witness, by the library that served them.
    pub served: Vec<(String, u32)>,
    /// Processes that were seen and have no witness: static, set-uid, or without the environment.
    pub unserved: u32,
    /// Whether /proc/PID/maps of the command itself was seen to hold the engine's library.
    pub mapped: Option<bool>,
    /// How the memory limit was kept.
    pub limit: String,
}
