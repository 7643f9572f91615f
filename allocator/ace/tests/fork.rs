//! Fork from a process whose other threads are inside the allocator: the child's heap works and nothing is lost.

use ace_alloc::{free, malloc, stats, trim};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

fn churn(seed: &mut u64, live: &mut Vec<*mut u8>) {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
    let bytes = (*seed >> 33) as usize % 2000;
    live.push(malloc(bytes));
    if live.len() > 300 {
        let p = live.swap_remove((*seed >> 20) as usize % 300);
        // SAFETY: a live block.
        unsafe { free(p) };
    }
}

/// What the child does: allocate of everything, free what it inherited, start a thread, trim.
fn child(inherited: Vec<*mut u8>) -> bool {
    let mut live = Vec::new();
    let mut seed = 7;
    (0..20_000).for_each(|_| churn(&mut seed, &mut live));
    for p in live.into_iter().chain(inherited) {
        // SAFETY: live blocks of this process's copy.
        unsafe { free(p) };
    }
    // The threads that did not come along hold nothing any more: every heap but mine is empty.
    trim();
    let s = stats();
    s.out_bytes < 32 << 20
}

#[test]
fn fork_while_threads_allocate() {
    static STOP: AtomicBool = AtomicBool::new(false);
    let (send, receive) = mpsc::sync_channel::<usize>(256);
    let workers: Vec<_> = (0..3)
        .map(|i| {
            let send = send.clone();
            thread::spawn(move || {
                let (mut seed, mut live) = (i, Vec::new());
                while !STOP.load(Ordering::Relaxed) {
                    churn(&mut seed, &mut live);
                    // Remote frees: some blocks end in the fourth thread.
                    if seed.is_multiple_of(5) {
                        let _ = send.try_send(malloc(100).expose_provenance());
                    }
                }
                for p in live {
                    // SAFETY: live blocks of this thread.
                    unsafe { free(p) };
                }
            })
        })
        .collect();
    let consumer = thread::spawn(move || {
        for p in receive {
            // SAFETY: a live block handed over.
            unsafe { free(std::ptr::with_exposed_provenance_mut(p)) };
        }
    });
    for round in 0..60 {
        let inherited: Vec<_> = (0..500).map(|i| malloc(i * 7)).collect();
        // SAFETY: the child calls the allocator and `_exit` alone.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            let ok = child(inherited);
            // SAFETY: ends the child at once.
            unsafe { libc::_exit(if ok { 0 } else { 3 }) };
        }
        let mut status = 0;
        let mut waited = 0;
        for _ in 0..2000 {
            // SAFETY: `status` outlives the call.
            waited = unsafe { libc::waitpid(pid, &mut status, libc::WNOHANG) };
            if waited != 0 {
                break;
            }
            thread::sleep(std::time::Duration::from_millis(5));
        }
        assert_eq!(waited, pid, "round {round}: the child hangs");
        assert_eq!(status, 0, "round {round}: child status {status:#x}");
        for p in inherited {
            // SAFETY: live blocks of the parent.
            unsafe { free(p) };
        }
    }
    STOP.store(true, Ordering::Relaxed);
    workers.into_iter().for_each(|w| w.join().unwrap());
    drop(send);
    consumer.join().unwrap();
}
