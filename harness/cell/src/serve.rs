//! Many fresh runs of one workload, each in a forked copy of this process.
//!
//! Starting a process and drawing the operations cost several times what a short run takes, and one run of some
//! milliseconds says little on a machine that others use too. So this process draws once and never calls an engine; each
//! run happens in a copy of it, which finds the heap that a new process finds and pays its first page faults. Who asks
//! (`allocbench`) names the engine of each run, and so interleaves engines run by run.
//!
//! Input: the request on the first line, then the name of an engine on a line for each run. Output: a [`Reply`] on a line
//! for each line of input, the first [`Reply::Ready`]. A copy's death is a reply ([`Reply::Died`]); copies die with this
//! process. Only the thread that forks exists at that moment.

use std::fs::File;
use std::io::{BufRead, Read, Write};

use cell::wire::{Pass, Reply, Request};
use workloads::Prepared;

use crate::measure;
use crate::raw::{self, End, Side};

/// Longest line that names an engine, bytes.
const NAME_MAX: u64 = 256;

/// Serves until the input ends.
pub fn serve(request: &Request, mut input: impl BufRead, mut output: impl Write) -> Result<(), String> {
    let unwritable = |error: std::io::Error| format!("standard output: {error}");
    let prepared = workloads::prepare(&request.workload, request.threads, request.seed);
    if request.pass == Pass::Latency {
        // Once, before there are copies.
        workloads::calibration();
    }
    let ready = prepared.as_ref().map_or_else(|what| Reply::Failed(what.clone()), |_| Reply::Ready);
    writeln!(output, "{}", text(&ready)).and_then(|()| output.flush()).map_err(unwritable)?;
    let Ok(mut prepared) = prepared else { return Ok(()) };
    loop {
        let mut line = String::new();
        let read = input.by_ref().take(NAME_MAX).read_line(&mut line);
        if read.map_err(|error| format!("standard input: {error}"))? == 0 {
            return Ok(());
        }
        let request = Request { engine: line.trim().to_owned(), ..request.clone() };
        let reply;
        (reply, prepared) = in_copy(&request, prepared)?;
        output.write_all(&reply).and_then(|()| output.flush()).map_err(unwritable)?;
    }
}

/// One run; its reply as a line.
fn in_copy(request: &Request, prepared: Prepared) -> Result<(Vec<u8>, Prepared), String> {
    let copy = match raw::fork_with_pipe().map_err(|error| format!("no copy for a run: {error}"))? {
        Side::Copy(pipe) => raw::leave(report(&measure::once(request, prepared), pipe)),
        Side::Original(copy) => copy,
    };
    let remains = copy.finish().map_err(|error| format!("a run cannot be read: {error}"))?;
    let died = match remains.end {
        End::Code(0) => None,
        End::Code(code) => Some(format!("exit code {code}")),
        End::Signal(signal) => Some(format!("killed by {}", cell::signal_name(signal))),
    };
    let mut line = match died {
        None => remains.report,
        Some(how) => text(&Reply::Died(cell::with_complaint(how, &remains.complaints))).into_bytes(),
    };
    line.push(b'\n');
    Ok((line, prepared))
}

fn report(reply: &Reply, mut pipe: File) -> i32 {
    i32::from(pipe.write_all(text(reply).as_bytes()).is_err())
}

/// JSON on one line.
fn text(reply: &Reply) -> String {
    serde_json::to_string(reply).unwrap_or_else(|error| format!("{{\"failed\":\"no reply: {error}\"}}"))
}
