//! Records of recent requests: small, long-lived, written wherever a request happens to end.
//!
//! Bounded: the oldest is dropped when the store is full. A real frontend keeps such things for metrics, prefix routing
//! and retries. They are the live bytes that lie between the free ones after a burst.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// What is kept of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Id that the client gave.
    pub id: String,
    /// First words of the last message.
    pub opening: String,
    /// Tokens of the prompt.
    pub tokens: u64,
    /// Bytes that the program keeps for good and forgets: a leak, planted where a test asks for one.
    pub forgotten: Vec<u8>,
}

/// The store.
#[derive(Debug)]
pub struct Sessions {
    kept_max: usize,
    /// Records, the oldest first; and what is never dropped.
    inner: Mutex<(VecDeque<Record>, Vec<Vec<u8>>)>,
}

impl Sessions {
    /// Keeps at most `kept_max` records.
    pub fn new(kept_max: usize) -> Sessions {
        Sessions { kept_max, inner: Mutex::default() }
    }

    /// Adds a record, and drops the oldest if there is no room.
    pub fn keep(&self, mut record: Record) {
        let forgotten = std::mem::take(&mut record.forgotten);
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if !forgotten.is_empty() {
            inner.1.push(forgotten);
        }
        if self.kept_max > 0 {
            if inner.0.len() >= self.kept_max {
                inner.0.pop_front();
            }
            inner.0.push_back(record);
        }
    }

    /// Records held.
    pub fn len(&self) -> usize {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_when_the_store_is_full() {
        let sessions = Sessions::new(3);
        for id in 0..10 {
            sessions.keep(Record {
                id: id.to_string(),
                opening: String::new(),
                tokens: 0,
                forgotten: Vec::new(),
            });
        }
        let inner = sessions.inner.lock().unwrap();
        let ids: Vec<&str> = inner.0.iter().map(|record| record.id.as_str()).collect();
        assert_eq!(ids, ["7", "8", "9"]);
    }
}
