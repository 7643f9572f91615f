//! Reports for other processes: a thread that answers on an abstract socket named after the process.
//!
//! One request line, one reply line of JSON: `report`, or `trim` for a report after the allocator was asked to return
//! what it can. Only the same user and root are answered. The thread blocks all signals, allocates only when asked,
//! and does not survive a fork; a child that does not exec starts none.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::time::Duration;

use crate::report::Report;

/// Longest wait for a process to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest reply.
const REPLY_MAX: u64 = 1 << 20;

fn address(pid: u32) -> std::io::Result<SocketAddr> {
    SocketAddr::from_abstract_name(format!("allocbench-heap-{pid}"))
}

/// Starts answering. `live` gives what the program itself counts as live. False if the name is taken: someone in this
/// process answers already.
pub fn answer(live: fn() -> Option<u64>) -> bool {
    let Ok(listener) = address(std::process::id()).and_then(|address| UnixListener::bind_addr(&address))
    else {
        return false;
    };
    let before = block_signals();
    let started =
        std::thread::Builder::new().name("heap-probe".into()).stack_size(128 << 10).spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = reply(&stream, live);
            }
        });
    restore_signals(&before);
    started.is_ok()
}

fn reply(stream: &UnixStream, live: fn() -> Option<u64>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    if !same_user(stream) {
        return Ok(());
    }
    let mut line = String::new();
    BufReader::new(stream.take(64)).read_line(&mut line)?;
    match line.trim() {
        "report" => {}
        "trim" => {
            crate::trim();
        }
        _ => return Ok(()),
    }
    let mut report = crate::report();
    report.counted_live_bytes = live();
    let mut text = serde_json::to_vec(&report)?;
    text.push(b'\n');
    let mut stream = stream;
    stream.write_all(&text)
}

/// Whether the other end is of this user, or root.
fn same_user(stream: &UnixStream) -> bool {
    let mut peer = MaybeUninit::<libc::ucred>::zeroed();
    let mut bytes = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: an open socket, and `peer` has room for `bytes`.
    let code = unsafe {
        libc::getsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            peer.as_mut_ptr().cast(),
            &raw mut bytes,
        )
    };
    // SAFETY: all-zero is a value of it; read only where the call has filled it.
    let peer = unsafe { peer.assume_init() };
    // SAFETY: no arguments, cannot fail.
    let own = unsafe { libc::geteuid() };
    code == 0 && (peer.uid == own || peer.uid == 0)
}

fn block_signals() -> MaybeUninit<libc::sigset_t> {
    let (mut all, mut before) = (MaybeUninit::zeroed(), MaybeUninit::zeroed());
    // SAFETY: `all` can be written to.
    unsafe { libc::sigfillset(all.as_mut_ptr()) };
    // SAFETY: a filled set, and a place for the old one.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) };
    before
}

fn restore_signals(before: &MaybeUninit<libc::sigset_t>) {
    // SAFETY: the set that `block_signals` has filled.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut()) };
}

/// Asks process `pid`; with `trim` after it was asked to return memory. An error of kind `ConnectionRefused` means that
/// it does not answer such questions.
pub fn ask(pid: u32, trim: bool) -> std::io::Result<Report> {
    let mut stream = UnixStream::connect_addr(&address(pid)?)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(if trim { b"trim\n" } else { b"report\n" })?;
    let mut text = String::new();
    stream.take(REPLY_MAX).read_to_string(&mut text)?;
    if text.is_empty() {
        return Err(Error::new(ErrorKind::PermissionDenied, "it answers only its own user and root"));
    }
    serde_json::from_str(&text).map_err(Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_answers_itself_once() {
        assert!(answer(|| Some(42)));
        assert!(!answer(|| None), "the name is taken");
        let report = ask(std::process::id(), false).unwrap();
        assert_eq!((report.engine.as_str(), report.counted_live_bytes), ("glibc", Some(42)));
        assert!(ask(std::process::id(), true).unwrap().arena_bytes.is_some());
    }

    #[test]
    fn a_process_that_does_not_answer_is_an_error() {
        assert_eq!(ask(1, false).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    }
}
