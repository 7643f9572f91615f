//! A measuring process that has drawn one workload and makes runs of it on request (`allocbench-cell serve`).
//!
//! Each run happens in a forked copy that has never called an engine. A run that dies is an ending and the server lives on;
//! one that passes a limit takes its server with it, and the next run starts another.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, OccupiedEntry};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command};
use std::sync::mpsc::{self, Receiver};

use cell::wire::{Measurement, Reply, Request};

use crate::engine::Choice;
use crate::runner::{self, Ending, Limits};

/// Longest reply read, bytes.
const REPLY_MAX: u64 = 64 << 20;

/// What tells servers apart: engines of one binary under one environment share a server.
type Key = (PathBuf, Vec<(String, String)>);

/// The servers of one workload at one thread count.
pub struct Servers<'a> {
    request: &'a Request,
    limits: Limits,
    running: HashMap<Key, Server>,
}

impl<'a> Servers<'a> {
    /// None yet: they start with the first run that needs them. The engine in `request` is not looked at.
    pub fn new(request: &'a Request, limits: Limits) -> Servers<'a> {
        Servers { request, limits, running: HashMap::new() }
    }

    /// Starts the server that `choice` needs, unless it runs.
    pub fn start(&mut self, choice: &Choice) -> Result<(), Ending> {
        self.server(choice).map(drop)
    }

    fn server(&mut self, choice: &Choice) -> Result<OccupiedEntry<'_, Key, Server>, Ending> {
        match self.running.entry((choice.binary.clone(), choice.env.clone())) {
            Entry::Occupied(running) => Ok(running),
            Entry::Vacant(none) => Ok(none.insert_entry(Server::start(choice, self.request, &self.limits)?)),
        }
    }

    /// One run.
    pub fn run(&mut self, choice: &Choice) -> Result<Box<Measurement>, Ending> {
        let limits = self.limits;
        let mut server = self.server(choice)?;
        match server.get_mut().ask(&choice.engine, &limits) {
            Ok(reply) => match Ending::of(reply) {
                Ending::Measured(measurement) => Ok(measurement),
                other => Err(other),
            },
            Err(ending) => {
                server.remove();
                Err(ending)
            }
        }
    }
}

struct Server {
    child: Child,
    stdin: ChildStdin,
    replies: Receiver<Vec<u8>>,
}

impl Server {
    fn start(choice: &Choice, request: &Request, limits: &Limits) -> Result<Server, Ending> {
        let mut child = runner::start(Command::new(&choice.binary), "serve", choice)?;
        let lost = || Ending::Crashed("the measuring process has no pipes".into());
        let (stdin, stdout) = (child.stdin.take().ok_or_else(lost)?, child.stdout.take().ok_or_else(lost)?);
        let (sender, replies) = mpsc::channel();
        // Both threads end with their pipe, which the child's end closes.
        std::thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            loop {
                let mut line = Vec::new();
                match stdout.by_ref().take(REPLY_MAX).read_until(b'\n', &mut line) {
                    Ok(read) if read > 0 && sender.send(line).is_ok() => {}
                    _ => return,
                }
            }
        });
        let stderr = child.stderr.take();
        std::thread::spawn(move || {
            if let Some(mut stderr) = stderr {
                let _ = std::io::copy(&mut stderr, &mut std::io::sink());
            }
        });
        let mut server = Server { child, stdin, replies };
        let text = serde_json::to_string(request)
            .map_err(|error| Ending::Failed(format!("the request cannot be written: {error}")))?;
        match server.ask(&text, limits)? {
            Reply::Ready => Ok(server),
            other => Err(Ending::of(other)),
        }
    }

    /// Sends a line and waits for the reply.
    fn ask(&mut self, line: &str, limits: &Limits) -> Result<Reply, Ending> {
        // A server that died has closed the pipe; that is seen below.
        let _ = writeln!(self.stdin, "{line}");
        match runner::wait(&self.child, &self.replies, limits)? {
            Some(reply) => serde_json::from_slice(&reply)
                .map_err(|error| Ending::Crashed(format!("no valid reply ({error})"))),
            None => Err(Ending::Crashed("the measuring process ended early".into())),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
