//! Misuse ends the process with one line that names reason and address. One process a case.

use ace_alloc::{dealloc, free, malloc, trim};
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

/// Runs a case in this (child) process; each must abort.
fn misuse(case: &str) {
    // SAFETY: none; the undefined behaviour is what is tested, and the process is this case's alone.
    unsafe {
        match case {
            "double free" => {
                let p = malloc(100);
                free(p);
                free(p);
                trim();
            }
            "double free, flushed between" => {
                let p = malloc(100);
                let _other = malloc(100);
                free(p);
                trim();
                free(p);
                trim();
            }
            "double free on two threads" => {
                let (p, keep) = (malloc(100).expose_provenance(), malloc(100));
                let twice = move || {
                    free(std::ptr::with_exposed_provenance_mut(p));
                    trim();
                };
                std::thread::spawn(twice).join().unwrap();
                std::thread::spawn(twice).join().unwrap();
                free(keep);
                trim();
            }
            "interior pointer" => {
                free(malloc(100).add(16));
                trim();
            }
            "interior pointer of a large block" => free(malloc(100_000).add(4096)),
            "interior pointer in a large block's tail" => free(malloc(200_000).add(131_072)),
            "double free of a large block" => {
                let (p, _keep) = (malloc(100_000), malloc(100_000));
                free(p);
                free(p);
            }
            "double free of a huge block" => {
                let p = malloc(5 << 20);
                free(p);
                free(p);
            }
            "stack" => {
                let on_stack = [0u8; 64];
                free(on_stack.as_ptr().cast_mut());
            }
            "wild" => free(std::ptr::without_provenance_mut(0x1234_5678_9000)),
            "metadata" => {
                let p = malloc(100);
                free(p.map_addr(|a| (a & !((2 << 20) - 1)) + 64));
            }
            "wrong layout" => {
                dealloc(malloc(100), 1000, 1);
                trim();
            }
            _ => panic!("unknown case {case}"),
        }
    }
}

#[test]
fn child() {
    if let Ok(case) = std::env::var("ACE_TEST_MISUSE") {
        misuse(&case);
    }
}

#[test]
fn every_case_is_named_and_fatal() {
    let cases = [
        ("double free", "double free: 0x"),
        ("double free, flushed between", "double free: 0x"),
        ("double free on two threads", "double free: 0x"),
        ("interior pointer", "pointer into the middle of a block freed: 0x"),
        ("interior pointer of a large block", "pointer into the middle of a block freed: 0x"),
        ("interior pointer in a large block's tail", "pointer into the middle of a block freed: 0x"),
        ("double free of a large block", "double free or invalid pointer freed: 0x"),
        ("double free of a huge block", "invalid pointer freed: 0x"),
        ("stack", "invalid pointer freed: 0x"),
        ("wild", "invalid pointer freed: 0x123456789000\n"),
        ("metadata", "double free or invalid pointer freed: 0x"),
        ("wrong layout", "block freed twice or with the size of another class: 0x"),
    ];
    for (case, line) in cases {
        let out = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env("ACE_TEST_MISUSE", case)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.signal(), Some(libc::SIGABRT), "{case}: {text}");
        assert!(text.contains(&format!("ace-alloc: {line}")), "{case}: {text}");
    }
}
