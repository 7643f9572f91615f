//! Writing to standard output without panicking when its reader has gone (`allocbench list | head`).

use std::io::{ErrorKind, Write};

use anyhow::Result;

/// Prints `text` and a line end.
pub fn say(text: impl std::fmt::Display) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        // Whoever read has seen enough; ending quietly is what a command-line tool does.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        outcome => Ok(outcome?),
    }
}

/// Prints `text` on standard error: standard output belongs to a command that was run.
pub fn say_aside(text: impl std::fmt::Display) {
    eprintln!("allocbench: {text}");
}
