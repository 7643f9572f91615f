//! The server: tokio's multi-thread runtime, hyper over loopback, one blocking task a request.
//!
//! `POST /generate` answers a body in streamed chunks, `GET /stats` says what process and allocator hold, `POST /trim`
//! asks the allocator to return memory and answers as `/stats`, `POST /stop` ends the server. A body above
//! [`BODY_BYTES_MAX`] is refused.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Either, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};

use crate::session::Sessions;
use crate::{live, process, wire, work};

/// Largest body taken.
pub const BODY_BYTES_MAX: usize = 64 << 20;

/// How the server is set up.
#[derive(Clone, Debug, clap::Args)]
pub struct Settings {
    /// Port on the loopback interface; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Runtime threads; default: the number of CPUs
    #[arg(long)]
    pub workers: Option<usize>,
    /// Most threads of the blocking pool
    #[arg(long, default_value_t = 512)]
    pub blocking_max: usize,
    /// Seconds after which an idle blocking thread ends (tokio's default is 10)
    #[arg(long, default_value_t = 10.0)]
    pub keep_alive: f64,
    /// Bytes of text in one chunk of an answer
    #[arg(long, default_value_t = 256)]
    pub chunk_bytes: usize,
    /// Chunks that may wait for the client before the blocking thread waits
    #[arg(long, default_value_t = 64)]
    pub backlog: usize,
    /// Session records kept
    #[arg(long, default_value_t = 4096)]
    pub sessions: usize,
    /// Call the allocator's trim after every N requests; 0 never
    #[arg(long, default_value_t = 0)]
    pub trim_every: u64,
    /// Bytes that each request leaks, for tests of leak detection
    #[arg(long, default_value_t = 0)]
    pub leak: usize,
}

struct Shared {
    settings: Settings,
    sessions: Sessions,
    answered: AtomicU64,
    stop: Notify,
}

/// Chunks on their way from a blocking thread to the connection.
struct Chunks(mpsc::Receiver<Bytes>);

impl Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|chunk| chunk.map(|chunk| Ok(Frame::data(chunk))))
    }
}

type Answer = Response<Either<Full<Bytes>, Chunks>>;

/// Runs until `/stop`, SIGTERM, SIGINT or the end of standard input (where `until_input_ends`).
pub fn run(settings: Settings, until_input_ends: bool) -> anyhow::Result<()> {
    let keep_alive = Duration::try_from_secs_f64(settings.keep_alive).context("--keep-alive: not a time")?;
    anyhow::ensure!(settings.blocking_max > 0, "--blocking-max: 0 threads cannot answer; give 1 or more");
    anyhow::ensure!(settings.backlog > 0, "--backlog: 0 chunks cannot stream; give 1 or more");
    anyhow::ensure!(settings.workers != Some(0), "--workers: 0 threads cannot serve; give 1 or more");
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all().max_blocking_threads(settings.blocking_max).thread_keep_alive(keep_alive);
    if let Some(workers) = settings.workers {
        builder.worker_threads(workers);
    }
    let runtime = builder.build().context("the runtime cannot be started")?;
    runtime.block_on(serve(settings, until_input_ends))?;
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(())
}

async fn serve(settings: Settings, until_input_ends: bool) -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", settings.port))
        .await
        .with_context(|| format!("--port: {} on the loopback interface cannot be bound", settings.port))?;
    heap_probe::answer(|| Some(live::live_bytes()));
    announce(listener.local_addr()?.port())?;
    let sessions = Sessions::new(settings.sessions);
    let shared = Arc::new(Shared { settings, sessions, answered: AtomicU64::new(0), stop: Notify::new() });
    if until_input_ends {
        let shared = shared.clone();
        // A thread of its own: a read of standard input cannot be cancelled.
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            shared.stop.notify_one();
        });
    }
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    loop {
        tokio::select! {
            () = shared.stop.notified() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
            _ = tokio::signal::ctrl_c() => return Ok(()),
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    tokio::spawn(connection(stream, shared.clone()));
                }
                // Out of file descriptors: those that are open will end.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
        }
    }
}

fn announce(port: u16) -> anyhow::Result<()> {
    use std::io::Write;
    let heap = heap_probe::report();
    let listening = wire::Listening {
        port,
        pid: std::process::id(),
        library: heap.library,
        engine: heap.engine,
        version: heap.version,
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(&listening)?)?;
    Ok(out.flush()?)
}

async fn connection(stream: tokio::net::TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| handle(request, shared.clone()));
    // A client that breaks off ends its own connection and nothing else.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn handle(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Answer, Infallible> {
    let answer = match (request.method(), request.uri().path()) {
        (&Method::POST, "/generate") => generate(request, shared).await,
        (&Method::GET, "/stats") => stats(&shared),
        (&Method::POST, "/trim") => {
            heap_probe::trim();
            stats(&shared)
        }
        (&Method::POST, "/stop") => {
            shared.stop.notify_one();
            said(StatusCode::OK, "stopping\n".into())
        }
        _ => said(
            StatusCode::NOT_FOUND,
            "known are POST /generate, GET /stats, POST /trim, POST /stop\n".into(),
        ),
    };
    Ok(answer)
}

fn said(status: StatusCode, text: String) -> Answer {
    let mut answer = Response::new(Either::Left(Full::new(Bytes::from(text))));
    *answer.status_mut() = status;
    answer
}

fn stats(shared: &Shared) -> Answer {
    let mut heap = heap_probe::report();
    heap.counted_live_bytes = Some(live::live_bytes());
    let stats = wire::Stats {
        process: process::read(0).unwrap_or_default(),
        heap,
        // Relaxed: a count that publishes nothing.
        answered: shared.answered.load(Ordering::Relaxed),
        sessions: shared.sessions.len() as u64,
    };
    match serde_json::to_string(&stats) {
        Ok(text) => said(StatusCode::OK, text),
        Err(error) => said(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

async fn generate(request: Request<Incoming>, shared: Arc<Shared>) -> Answer {
    let body = match Limited::new(request.into_body(), BODY_BYTES_MAX).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return said(StatusCode::PAYLOAD_TOO_LARGE, format!("{error}\n")),
    };
    let (sender, receiver) = mpsc::channel(shared.settings.backlog);
    let (told, first) = tokio::sync::oneshot::channel();
    tokio::task::spawn_blocking(move || {
        let mut told = Some(told);
        let settings = &shared.settings;
        let outcome = work::answer(&body, settings.chunk_bytes, settings.leak, |chunk| {
            // The head of the answer goes out with its first chunk.
            if let Some(told) = told.take() {
                let _ = told.send(Ok(()));
            }
            sender.blocking_send(chunk).is_ok()
        });
        match outcome {
            Ok(record) => finish(&shared, record),
            Err(message) => {
                if let Some(told) = told.take() {
                    let _ = told.send(Err(message));
                }
            }
        }
    });
    match first.await {
        Ok(Ok(())) => Response::new(Either::Right(Chunks(receiver))),
        Ok(Err(message)) => said(StatusCode::BAD_REQUEST, format!("{message}\n")),
        Err(_) => said(StatusCode::INTERNAL_SERVER_ERROR, "the task ended without an answer\n".into()),
    }
}

fn finish(shared: &Shared, record: crate::session::Record) {
    shared.sessions.keep(record);
    // Relaxed: a count that publishes nothing.
    let answered = shared.answered.fetch_add(1, Ordering::Relaxed) + 1;
    if shared.settings.trim_every > 0 && answered.is_multiple_of(shared.settings.trim_every) {
        heap_probe::trim();
    }
}
