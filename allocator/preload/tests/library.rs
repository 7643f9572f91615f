//! The built file as it is deployed: its names, its thread-local storage, its dependencies, its HOT instructions.
//!
//! Read with binutils; skipped aloud where those are missing.

mod support;

use std::collections::BTreeSet;
use std::process::Command;
use support::library;

fn tool(name: &str, args: &[&str]) -> Option<String> {
    match Command::new(name).args(args).arg(library()).output() {
        Ok(out) => {
            assert!(out.status.success(), "{name} {args:?}");
            Some(String::from_utf8(out.stdout).unwrap())
        }
        Err(_) => {
            println!("skipped: {name} is not installed");
            None
        }
    }
}

/// Names of `nm`'s lines, without versions.
fn names(text: &str) -> BTreeSet<String> {
    let name = |line: &str| line.split_whitespace().last().unwrap().split('@').next().unwrap().to_owned();
    text.lines().map(name).collect()
}

const C: &str = "malloc calloc realloc free aligned_alloc posix_memalign memalign valloc pvalloc malloc_usable_size \
    reallocarray cfree free_sized free_aligned_sized malloc_trim mallinfo mallinfo2 mallopt malloc_info malloc_stats \
    __libc_malloc __libc_calloc __libc_realloc __libc_reallocarray __libc_free __libc_cfree __libc_memalign \
    __libc_valloc __libc_pvalloc __posix_memalign";
const CXX: &str = "_Znwm _Znam _ZnwmRKSt9nothrow_t _ZnamRKSt9nothrow_t _ZnwmSt11align_val_t _ZnamSt11align_val_t \
    _ZnwmSt11align_val_tRKSt9nothrow_t _ZnamSt11align_val_tRKSt9nothrow_t _ZdlPv _ZdaPv _ZdlPvm _ZdaPvm \
    _ZdlPvRKSt9nothrow_t _ZdaPvRKSt9nothrow_t _ZdlPvSt11align_val_t _ZdaPvSt11align_val_t _ZdlPvmSt11align_val_t \
    _ZdaPvmSt11align_val_t _ZdlPvSt11align_val_tRKSt9nothrow_t _ZdaPvSt11align_val_tRKSt9nothrow_t";

#[test]
fn exports_what_is_meant_and_nothing_else() {
    let Some(text) = tool("nm", &["-D", "--defined-only"]) else { return };
    let wanted: BTreeSet<_> = C.split_whitespace().chain(CXX.split_whitespace()).map(str::to_owned).collect();
    assert_eq!(names(&text), wanted);
}

#[test]
fn imports_neither_thread_local_look_ups_nor_an_unwinder() {
    let Some(text) = tool("nm", &["-D", "--undefined-only"]) else { return };
    let imported = names(&text);
    assert!(imported.contains("mmap"), "the list is read");
    let bad: Vec<_> =
        imported.iter().filter(|n| n.contains("tls_get_addr") || n.starts_with("_Unwind")).collect();
    assert!(bad.is_empty(), "{bad:?}");
    let Some(text) = tool("readelf", &["-dW"]) else { return };
    let needed: Vec<_> = text.lines().filter(|l| l.contains("(NEEDED)")).collect();
    assert!(needed.iter().all(|l| l.contains("libc.so") || l.contains("ld-linux")), "{needed:?}");
    assert!(text.contains("NODELETE") && text.contains("STATIC_TLS"), "{text}");
}

/// The loader keeps about 1.6 KiB of static TLS for libraries that come by `dlopen`.
const TLS_BYTES_MAX: usize = 768;

#[test]
fn thread_local_storage_fits_the_loaders_surplus() {
    let Some(text) = tool("readelf", &["-lW"]) else { return };
    let line = text.lines().find(|l| l.trim_start().starts_with("TLS")).expect("a TLS segment");
    let size = line.split_whitespace().nth(5).unwrap().trim_start_matches("0x");
    let bytes = usize::from_str_radix(size, 16).unwrap();
    assert!((640..=TLS_BYTES_MAX).contains(&bytes), "{bytes} bytes");
}

/// Bytes of code that are read; more than the shortest way through a function has.
const CODE_BYTES: usize = 256;

/// Instructions of a function up to its first return: what a hit executes, where jumps lead to cold code alone. By address,
/// because functions with the same code share it and objdump names only one of them.
fn hit(name: &str) -> Option<Vec<String>> {
    let symbols = tool("nm", &["-D", "--defined-only"])?;
    let line = symbols.lines().find(|l| l.ends_with(&format!(" {name}"))).expect("is exported");
    let start = usize::from_str_radix(line.split(' ').next().unwrap(), 16).unwrap();
    let range = [format!("--start-address={start}"), format!("--stop-address={}", start + CODE_BYTES)];
    let text = tool("objdump", &["-d", "--no-show-raw-insn", &range[0], &range[1]])?;
    let instructions: Vec<_> =
        text.lines().filter_map(|l| l.split_once(":\t").map(|(_, i)| i.trim().to_owned())).collect();
    let end = instructions.iter().position(|i| i.starts_with("ret")).expect("returns");
    Some(instructions[..=end].to_vec())
}

/// The shortest way through `malloc` and `free` has no call, and few instructions.
#[test]
fn hot_paths_are_inline() {
    for (name, most) in [("malloc", 15), ("free", 16)] {
        let Some(hit) = hit(name) else { return };
        assert!(hit.len() <= most && hit.len() > 8, "{name}: {} instructions: {hit:#?}", hit.len());
        assert!(!hit.iter().any(|i| i.starts_with("call")), "{name}: {hit:#?}");
        assert!(hit.iter().any(|i| i.contains("%fs:")), "{name}: {hit:#?}");
    }
}
