//! `allocbench-load`: the client. Prints one line of JSON when it is done, which it always is within its time.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use serving::client::{self, closed, open};

/// Most connections: file descriptors are 1024 by default, and one connection is one.
const CONNECTIONS_MAX: usize = 900;

/// Sends JSON bodies to allocbench-serve: a closed loop at a concurrency, or an open loop at a rate
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// Port of the server on the loopback interface
    #[arg(long)]
    port: u16,
    /// Requests in flight (closed loop); most connections (open loop)
    #[arg(long, default_value_t = 8)]
    concurrency: usize,
    /// Requests in all (closed loop)
    #[arg(long, default_value_t = 100)]
    requests: u64,
    /// Requests a second: makes it an open loop
    #[arg(long)]
    rate: Option<f64>,
    /// Seconds over which requests are due (open loop)
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Seconds after which the run ends in any case (closed loop), or that answers may take (open loop)
    #[arg(long, default_value_t = 60.0)]
    time_limit: f64,
    /// Bytes of a body
    #[arg(long, default_value_t = 200_000)]
    payload: usize,
    /// A new connection for each request
    #[arg(long)]
    no_keep_alive: bool,
    /// Seed of the bodies
    #[arg(long, default_value_t = 42)]
    seed: u64,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("allocbench-load: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    ensure!(
        (1..=CONNECTIONS_MAX).contains(&cli.concurrency),
        "--concurrency: {} is outside 1 to {CONNECTIONS_MAX}",
        cli.concurrency
    );
    ensure!(cli.requests > 0, "--requests: 0 is nothing to send; give 1 or more");
    ensure!(cli.payload <= 16 << 20, "--payload: {} is above the limit of 16 MiB", cli.payload);
    let bodies = client::bodies(cli.payload, cli.seed);
    let limit = Duration::try_from_secs_f64(cli.time_limit).context("--time-limit: not a time")?;
    let keep = !cli.no_keep_alive;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    let outcome = match cli.rate {
        None => {
            let plan =
                closed::Plan { concurrency: cli.concurrency, requests: cli.requests, time_max: limit, keep };
            local.block_on(&runtime, closed::run(cli.port, plan, bodies))
        }
        Some(rate_per_s) => {
            ensure!(rate_per_s > 0.0 && rate_per_s <= 1e6, "--rate: {rate_per_s} is outside 0 to 1000000");
            let span = Duration::try_from_secs_f64(cli.seconds).context("--seconds: not a time")?;
            let plan = open::Plan { rate_per_s, span, connections: cli.concurrency, patience: limit, keep };
            ensure!(plan.requests() > 0, "--seconds: no request is due in {} s", cli.seconds);
            local.block_on(&runtime, open::run(cli.port, plan, bodies))
        }
    };
    println!("{}", serde_json::to_string(&outcome)?);
    Ok(())
}
