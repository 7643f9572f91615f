//! `allocbench-serve`: the server. Prints one line of JSON when it listens; ends on SIGTERM or `POST /stop`.

use std::process::ExitCode;

use clap::Parser;
use serving::server::{self, Settings};

/// Counted, and served by whatever library brings `malloc`.
#[global_allocator]
static ALLOCATOR: serving::live::Counting = serving::live::Counting;

/// Parses JSON bodies on tokio's blocking pool and streams the answers; a workload for allocators
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    /// End when standard input does, so that a starter that dies takes this process along
    #[arg(long)]
    until_input_ends: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match server::run(cli.settings, cli.until_input_ends) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("allocbench-serve: {error:#}");
            ExitCode::from(2)
        }
    }
}
