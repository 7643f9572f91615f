//! What a reader of a result needs to know of the machine and the build. Read once at the start of a run; a fact
//! that cannot be had is left out rather than guessed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Variables that change how an allocator behaves; those that are set are recorded.
const ALLOCATOR_VARIABLES: [&str; 9] = [
    "MALLOC_",
    "GLIBC_TUNABLES",
    "_RJEM_MALLOC_CONF",
    "MIMALLOC_",
    "TCMALLOC_",
    "ACE_",
    "LD_PRELOAD",
    "SNMALLOC_",
    "RPMALLOC_",
];

/// Facts by name, in the order of their names.
pub type Facts = BTreeMap<String, String>;

/// Facts of the machine.
pub fn machine() -> Facts {
    let mut facts = Facts::new();
    let cpuinfo = read("/proc/cpuinfo");
    put(&mut facts, "cpu_model", cpuinfo.lines().find_map(|line| value_of(line, "model name")));
    put(&mut facts, "cpus", std::thread::available_parallelism().ok().map(|count| count.to_string()));
    put(&mut facts, "kernel", Some(read("/proc/sys/kernel/osrelease")));
    put(&mut facts, "architecture", Some(std::env::consts::ARCH.into()));
    put(&mut facts, "transparent_hugepage", Some(read("/sys/kernel/mm/transparent_hugepage/enabled")));
    put(&mut facts, "overcommit_memory", Some(read("/proc/sys/vm/overcommit_memory")));
    put(&mut facts, "memory_total", meminfo("MemTotal:").map(|bytes| format!("{} MiB", bytes >> 20)));
    put(&mut facts, "load_average_at_start", Some(read("/proc/loadavg")));
    put(
        &mut facts,
        "clocksource",
        Some(read("/sys/devices/system/clocksource/clocksource0/current_clocksource")),
    );
    put(&mut facts, "cpu_governor", Some(read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")));
    put(&mut facts, "address_space_limit", limit("Max address space"));
    put(&mut facts, "memory_cgroup_limit", Some(read("/sys/fs/cgroup/memory.max")));
    facts
}

/// Facts of the build: compiler, build id, git revision of the working tree that allocbench runs in.
pub fn build() -> Facts {
    let mut facts = Facts::new();
    put(&mut facts, "compiler", Some(cell::COMPILER.into()));
    put(&mut facts, "build_id", Some(cell::BUILD_ID.into()));
    put(&mut facts, "allocbench_version", Some(env!("CARGO_PKG_VERSION").into()));
    put(&mut facts, "revision", revision());
    facts
}

/// Allocator settings found in the environment.
pub fn allocator_environment() -> Facts {
    std::env::vars()
        .filter(|(name, _)| ALLOCATOR_VARIABLES.iter().any(|prefix| name.starts_with(prefix)))
        .collect()
}

/// Commit of the sources beside the executable, with `+changes` where the tree differs from it.
pub fn revision() -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let git = |args: &[&str]| {
        let output = Command::new("git").arg("-C").arg(folder).args(args).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_string())
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changes = git(&["status", "--porcelain", "--untracked-files=no"])?;
    Some(if changes.is_empty() { commit } else { format!("{commit}+changes") })
}

/// Bytes that can be used without swapping.
pub fn available_bytes() -> Option<u64> {
    meminfo("MemAvailable:")
}

/// UTC as `2026-01-31T12:34:56Z`, from the system clock.
pub fn utc_now() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    humantime::format_rfc3339_seconds(std::time::UNIX_EPOCH + since).to_string()
}

fn meminfo(name: &str) -> Option<u64> {
    let text = read("/proc/meminfo");
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}

fn limit(name: &str) -> Option<String> {
    let text = read("/proc/self/limits");
    let line = text.lines().find(|line| line.starts_with(name))?;
    line[name.len()..].split_ascii_whitespace().next().map(String::from)
}

fn value_of(line: &str, name: &str) -> Option<String> {
    let (key, value) = line.split_once(':')?;
    (key.trim() == name).then(|| value.trim().to_string())
}

fn put(facts: &mut Facts, name: &str, value: Option<String>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        facts.insert(name.into(), value);
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_facts_that_every_linux_has_are_there() {
        let facts = machine();
        for name in ["cpus", "kernel", "memory_total", "load_average_at_start"] {
            assert!(facts.contains_key(name), "{name} of {facts:?}");
        }
        assert!(build().contains_key("compiler"));
        assert!(available_bytes().unwrap() > 1 << 20);
    }

    #[test]
    fn the_time_is_written_in_utc() {
        let now = utc_now();
        assert!(now.len() == 20 && now.ends_with('Z') && now.as_bytes()[10] == b'T', "{now}");
    }
}
