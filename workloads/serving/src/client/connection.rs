//! One connection, and one request over it.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::Prepared;
use crate::work::LAST;

/// Bytes at the end of an answer that are kept, to find the last chunk in: its prefix and two numbers.
const TAIL_BYTES: usize = 64;

/// A connection to the server on this port, opened anew when it broke or is not to be kept.
pub struct Connection {
    port: u16,
    keep: bool,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    /// Opens with the first request. `keep`: use the connection for more than one.
    pub fn new(port: u16, keep: bool) -> Connection {
        Connection { port, keep, sender: None }
    }

    /// Sends a body and reads the answer to its end; bytes received, or what went wrong.
    pub async fn exchange(&mut self, prepared: &Prepared) -> Result<u64, String> {
        let result = self.attempt(prepared).await;
        if result.is_err() || !self.keep {
            self.sender = None;
        }
        result
    }

    async fn attempt(&mut self, prepared: &Prepared) -> Result<u64, String> {
        let port = self.port;
        let sender = match self.sender.take() {
            Some(sender) if !sender.is_closed() => sender,
            _ => open(port).await?,
        };
        let sender = self.sender.insert(sender);
        sender.ready().await.map_err(|error| format!("the connection broke: {error}"))?;
        let request = Request::builder()
            .method(Method::POST)
            .uri("/generate")
            .header("host", "127.0.0.1")
            .header("content-type", "application/json")
            .body(Full::new(prepared.body.clone()))
            .map_err(|error| error.to_string())?;
        let answer =
            sender.send_request(request).await.map_err(|error| format!("the request failed: {error}"))?;
        if answer.status() != StatusCode::OK {
            return Err(format!("the server answered {}", answer.status()));
        }
        read(answer.into_body(), prepared.tokens).await
    }
}

async fn open(port: u16) -> Result<SendRequest<Full<Bytes>>, String> {
    let stream =
        TcpStream::connect(("127.0.0.1", port)).await.map_err(|error| format!("no connection: {error}"))?;
    let _ = stream.set_nodelay(true);
    let (sender, connection) =
        handshake(TokioIo::new(stream)).await.map_err(|error| format!("no HTTP: {error}"))?;
    tokio::spawn(async move {
        // Its end shows in the request that needed it.
        let _ = connection.await;
    });
    Ok(sender)
}

/// Reads an answer and compares its sums with what was received and expected.
async fn read(mut body: hyper::body::Incoming, tokens: u64) -> Result<u64, String> {
    let (mut received, mut tail) = (0_u64, Vec::with_capacity(2 * TAIL_BYTES));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| format!("the answer broke off: {error}"))?;
        let Ok(data) = frame.into_data() else { continue };
        received += data.len() as u64;
        tail.extend_from_slice(&data[data.len().saturating_sub(TAIL_BYTES)..]);
        let surplus = tail.len().saturating_sub(TAIL_BYTES);
        tail.drain(..surplus);
    }
    check(&tail, received, tokens)
}

fn check(tail: &[u8], received: u64, tokens: u64) -> Result<u64, String> {
    let text = String::from_utf8_lossy(tail);
    let sums = text.rfind(LAST).map(|at| &text[at + LAST.len()..]).ok_or("the answer has no last chunk")?;
    let last_bytes = (LAST.len() + sums.len()) as u64;
    let mut numbers = sums.split_ascii_whitespace().map(|word| word.parse::<u64>().unwrap_or(u64::MAX));
    let (said_tokens, said_bytes) = (numbers.next(), numbers.next());
    if said_tokens != Some(tokens) || said_bytes != Some(received - last_bytes) {
        return Err(format!(
            "the answer's sums are wrong: {} of {tokens} tokens, {} bytes",
            sums.trim(),
            received
        ));
    }
    Ok(received)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_compared() {
        let tail = format!("{LAST}12 1000\n\n");
        let received = 1000 + tail.len() as u64;
        assert_eq!(check(tail.as_bytes(), received, 12), Ok(received));
        assert!(check(tail.as_bytes(), received, 13).is_err());
        assert!(check(tail.as_bytes(), received + 1, 12).is_err());
        assert!(check(b"data: {}", 8, 12).is_err());
    }
}
