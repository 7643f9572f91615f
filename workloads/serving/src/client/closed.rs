//! Closed loop: a fixed number of requests in flight, the next sent when one is answered. For memory and throughput;
//! its latencies say how long an answer took, not how long a user would have waited.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::{Prepared, Tally};
use crate::wire::Outcome;

/// What to send.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Requests in flight.
    pub concurrency: usize,
    /// Requests in all.
    pub requests: u64,
    /// The run ends after this time, answered or not.
    pub time_max: Duration,
    /// Whether connections are kept.
    pub keep: bool,
}

struct State {
    left: u64,
    tally: Tally,
}

/// Runs on the current thread's `LocalSet`.
pub async fn run(port: u16, plan: Plan, bodies: Vec<Prepared>) -> Outcome {
    let state = Rc::new(RefCell::new(State { left: plan.requests, tally: Tally::new("closed") }));
    let deadline = Instant::now() + plan.time_max;
    let bodies = Rc::new(bodies);
    let tasks: Vec<_> = (0..plan.concurrency)
        .map(|_| tokio::task::spawn_local(lane(port, plan, deadline, bodies.clone(), state.clone())))
        .collect();
    for task in tasks {
        let _ = task.await;
    }
    let mut state = state.borrow_mut();
    for _ in 0..state.left {
        state.tally.error("time ran out before all requests were sent".into());
    }
    std::mem::replace(&mut state.tally, Tally::new("closed")).finish()
}

async fn lane(
    port: u16,
    plan: Plan,
    deadline: Instant,
    bodies: Rc<Vec<Prepared>>,
    state: Rc<RefCell<State>>,
) {
    let mut connection = Connection::new(port, plan.keep);
    loop {
        let index = {
            let mut state = state.borrow_mut();
            if state.left == 0 || Instant::now() >= deadline {
                return;
            }
            state.left -= 1;
            state.left
        };
        let prepared = &bodies[index as usize % bodies.len()];
        let sent = Instant::now();
        let exchange = connection.exchange(prepared);
        let result = tokio::time::timeout_at(deadline.into(), exchange).await;
        let mut state = state.borrow_mut();
        match result {
            Ok(result) => state.tally.count(prepared.body.len(), sent.elapsed(), result),
            Err(_) => state.tally.cut_off(sent.elapsed(), "no answer before time ran out"),
        }
    }
}
