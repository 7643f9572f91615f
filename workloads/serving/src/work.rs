//! What one request costs: a body is parsed into a tree, its messages are tokenised, the answer is made chunk by chunk.
//!
//! Runs on a thread of the blocking pool. The body was allocated by a runtime thread and is freed here; chunks are
//! allocated here and freed by the runtime thread that sends them. Tree and tokens live until the last chunk is taken,
//! so a slow client holds them. A body of 200 KB becomes about 30,000 tokens, each a block of its own.

use bytes::Bytes;
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde_json::{Value, json};

use crate::session::Record;

/// Message text is cut to about this many bytes, as in a conversation of many turns.
const MESSAGE_BYTES: usize = 480;
/// Bytes of the last message that a session record keeps.
const OPENING_BYTES: usize = 96;
/// Begins the last chunk; what follows are the sums that a client checks.
pub const LAST: &str = "data: [DONE] ";

/// A token as tokenisers hand them out: text, id and place.
#[derive(Clone, Debug)]
pub struct Token {
    /// Text.
    pub text: String,
    /// Number in the vocabulary.
    pub id: u32,
    /// First byte in its message.
    pub start: u32,
    /// Byte after the last.
    pub end: u32,
}

/// A body of about `bytes` bytes: the same for the same seed.
pub fn body(bytes: usize, seed: u64) -> Vec<u8> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut messages = Vec::new();
    let mut left = bytes.saturating_sub(120);
    while left > 0 {
        let wanted = left.clamp(1, MESSAGE_BYTES);
        let mut text = String::with_capacity(wanted + 12);
        while text.len() < wanted {
            let letters = 2 + rng.next_u32() % 8;
            for _ in 0..letters {
                text.push((b'a' + (rng.next_u32() % 26) as u8) as char);
            }
            text.push(' ');
        }
        text.truncate(wanted);
        left = left.saturating_sub(wanted + 32);
        messages.push(
            json!({ "role": if messages.len() % 2 == 0 { "user" } else { "assistant" }, "content": text }),
        );
    }
    let body = json!({
        "id": format!("request-{seed:016x}"), "stream": true,
        "params": { "temperature": 0.7, "top_p": 0.95, "max_tokens": 4096 }, "messages": messages,
    });
    body.to_string().into_bytes()
}

/// Does the work of one request. `send` takes a chunk and says whether the client still listens.
pub fn answer(
    body: &[u8],
    chunk_bytes: usize,
    leak_bytes: usize,
    mut send: impl FnMut(Bytes) -> bool,
) -> Result<Record, String> {
    let request: Value =
        serde_json::from_slice(body).map_err(|error| format!("the body is no JSON: {error}"))?;
    let messages = request["messages"].as_array().ok_or("the body has no array 'messages'")?;
    let id = request["id"].as_str().unwrap_or("unnamed").to_string();
    let tokens: Vec<Token> =
        messages.iter().flat_map(|message| tokenise(message["content"].as_str().unwrap_or(""))).collect();
    let (mut sent_bytes, mut index, mut delta) = (0_u64, 0_u64, String::new());
    let mut flush = |delta: &mut String| {
        let event = json!({ "id": id, "index": index, "choices": [{ "delta": { "content": std::mem::take(delta) } }] });
        let chunk = Bytes::from(format!("data: {event}\n\n"));
        index += 1;
        sent_bytes += chunk.len() as u64;
        send(chunk)
    };
    let mut listens = true;
    for token in &tokens {
        delta.push_str(&token.text);
        delta.push(' ');
        if delta.len() >= chunk_bytes {
            listens = flush(&mut delta);
            if !listens {
                break;
            }
        }
    }
    if listens && !delta.is_empty() {
        flush(&mut delta);
    }
    let count = tokens.len() as u64;
    send(Bytes::from(format!("{LAST}{count} {sent_bytes}\n\n")));
    let last = messages.last().and_then(|message| message["content"].as_str()).unwrap_or("");
    let opening = last.chars().take(OPENING_BYTES).collect();
    Ok(Record { id, opening, tokens: count, forgotten: vec![1; leak_bytes] })
}

/// Words as tokens.
fn tokenise(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for word in text.split_ascii_whitespace() {
        let start = word.as_ptr().addr() - text.as_ptr().addr();
        // FNV-1a stands for a vocabulary.
        let id = word
            .bytes()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        tokens.push(Token {
            text: word.to_owned(),
            id,
            start: start as u32,
            end: (start + word.len()) as u32,
        });
    }
    tokens
}

/// Tokens that [`answer`] counts in a body, for a client that checks.
pub fn tokens_of(body: &[u8]) -> u64 {
    let Ok(request) = serde_json::from_slice::<Value>(body) else { return 0 };
    let messages = request["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let words =
        |message: &Value| message["content"].as_str().unwrap_or("").split_ascii_whitespace().count() as u64;
    messages.iter().map(words).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_about_the_size_asked_for_and_is_repeatable() {
        for bytes in [1_000, 200_000] {
            let body = super::body(bytes, 7);
            assert!(body.len().abs_diff(bytes) < bytes / 10, "{} for {bytes}", body.len());
            assert_eq!(body, super::body(bytes, 7));
            assert_ne!(body, super::body(bytes, 8));
        }
    }

    #[test]
    fn an_answer_repeats_every_token_in_small_chunks() {
        let body = body(20_000, 1);
        let mut chunks = Vec::new();
        let record = answer(&body, 64, 0, |chunk| {
            chunks.push(chunk);
            true
        });
        assert_eq!(record.unwrap().tokens, tokens_of(&body));
        let (last, rest) = chunks.split_last().unwrap();
        let sent: usize = rest.iter().map(Bytes::len).sum();
        assert_eq!(&last[..], format!("{LAST}{} {sent}\n\n", tokens_of(&body)).as_bytes());
        assert!(rest.len() > 200, "{}", rest.len());
    }

    #[test]
    fn a_client_that_left_ends_the_work() {
        let mut calls = 0;
        answer(&body(20_000, 1), 64, 0, |_| {
            calls += 1;
            calls < 3
        })
        .unwrap();
        assert!(calls <= 4, "{calls}");
    }

    #[test]
    fn rubbish_is_refused() {
        assert!(answer(b"{", 64, 0, |_| true).is_err());
        assert!(answer(b"{}", 64, 0, |_| true).is_err());
    }
}
