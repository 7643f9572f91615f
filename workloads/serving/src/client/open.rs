//! Open loop: requests are due at fixed times whether or not earlier ones are answered, and latency counts from the
//! time that a request was due. So a server that stalls shows the stall in every request that it delayed; a client
//! that waited for answers would leave those out (coordinated omission).
//!
//! Lanes (connections) take the next due time in order. When all lanes wait, due requests queue, and their waiting
//! counts. When patience ends, what is unanswered counts as an error, with the time that it has waited.

use std::cell::Cell;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::{Prepared, Tally};
use crate::wire::Outcome;

/// What to send.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Requests a second.
    pub rate_per_s: f64,
    /// Time over which requests are due.
    pub span: Duration,
    /// Most requests in flight.
    pub connections: usize,
    /// Time after the last request is due in which answers still count.
    pub patience: Duration,
    /// Whether connections are kept.
    pub keep: bool,
}

impl Plan {
    /// Requests in all.
    pub fn requests(&self) -> u64 {
        (self.rate_per_s * self.span.as_secs_f64()).floor() as u64
    }

    /// When request `index` is due, after the start.
    pub fn due(&self, index: u64) -> Duration {
        Duration::from_secs_f64(index as f64 / self.rate_per_s)
    }
}

/// Runs on the current thread's `LocalSet`.
pub async fn run(port: u16, plan: Plan, bodies: Vec<Prepared>) -> Outcome {
    let tally = Rc::new(RefCell::new(Tally::new("open")));
    let next = Rc::new(Cell::new(0_u64));
    let bodies = Rc::new(bodies);
    let start = Instant::now();
    let tasks: Vec<_> = (0..plan.connections)
        .map(|_| {
            let (bodies, next, tally) = (bodies.clone(), next.clone(), tally.clone());
            tokio::task::spawn_local(lane(port, plan, start, bodies, next, tally))
        })
        .collect();
    for task in tasks {
        let _ = task.await;
    }
    let mut tally = tally.replace(Tally::new("open"));
    for index in next.get()..plan.requests() {
        let waited = start.elapsed().saturating_sub(plan.due(index));
        tally.cut_off(waited, "due, but never sent: every connection was waiting");
    }
    let mut outcome = tally.finish();
    outcome.rate_per_s = Some(plan.rate_per_s);
    outcome
}

async fn lane(
    port: u16,
    plan: Plan,
    start: Instant,
    bodies: Rc<Vec<Prepared>>,
    next: Rc<Cell<u64>>,
    tally: Rc<RefCell<Tally>>,
) {
    let mut connection = Connection::new(port, plan.keep);
    let deadline = start + plan.span + plan.patience;
    loop {
        let index = next.get();
        if index >= plan.requests() || Instant::now() >= deadline {
            return;
        }
        next.set(index + 1);
        let due = start + plan.due(index);
        tokio::time::sleep_until(due.into()).await;
        let prepared = &bodies[index as usize % bodies.len()];
        let result = tokio::time::timeout_at(deadline.into(), connection.exchange(prepared)).await;
        let mut tally = tally.borrow_mut();
        match result {
            Ok(result) => tally.count(prepared.body.len(), due.elapsed(), result),
            Err(_) => tally.cut_off(due.elapsed(), "no answer before patience ended"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_due_at_even_distances() {
        let plan = Plan {
            rate_per_s: 50.0,
            span: Duration::from_secs(2),
            connections: 1,
            patience: Duration::ZERO,
            keep: true,
        };
        assert_eq!(plan.requests(), 100);
        assert_eq!(plan.due(25), Duration::from_millis(500));
    }
}
