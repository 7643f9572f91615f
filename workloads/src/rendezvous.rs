//! Where the threads of a run and the one that directs them meet between its parts.
//!
//! A barrier that can be given up: when a party cannot come (it panicked, or was never started), whoever waits or
//! comes later is told so and goes home, instead of waiting for ever.

use std::sync::{Condvar, Mutex, MutexGuard};

/// The barrier. Waiting parties sleep; they do not spin.
pub struct Rendezvous {
    state: Mutex<State>,
    changed: Condvar,
    parties: usize,
}

#[derive(Default)]
struct State {
    arrived: usize,
    round: u64,
    given_up: bool,
}

/// The meeting was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivenUp;

impl Rendezvous {
    /// A barrier for `parties`.
    pub fn new(parties: usize) -> Rendezvous {
        Rendezvous { state: Mutex::default(), changed: Condvar::new(), parties }
    }

    /// Waits until all parties are here.
    pub fn meet(&self) -> Result<(), GivenUp> {
        let mut state = self.lock();
        let round = state.round;
        state.arrived += 1;
        if state.arrived == self.parties {
            state.arrived = 0;
            state.round += 1;
            self.changed.notify_all();
        }
        while state.round == round && !state.given_up {
            state = self.changed.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
        if state.given_up { Err(GivenUp) } else { Ok(()) }
    }

    /// Sends all parties home.
    pub fn give_up(&self) {
        self.lock().given_up = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn nobody_passes_before_the_last_has_come() {
        let (meeting, here) = (Rendezvous::new(4), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for round in 1..=200 {
                        here.fetch_add(1, Ordering::SeqCst);
                        meeting.meet().unwrap();
                        assert!(here.load(Ordering::SeqCst) >= 4 * round);
                        meeting.meet().unwrap();
                    }
                });
            }
        });
        assert_eq!(here.load(Ordering::SeqCst), 800);
    }

    #[test]
    fn giving_up_ends_waits_and_later_meetings() {
        let meeting = Rendezvous::new(3);
        thread::scope(|scope| {
            let waits = [scope.spawn(|| meeting.meet()), scope.spawn(|| meeting.meet())];
            meeting.give_up();
            assert!(waits.into_iter().all(|wait| wait.join().unwrap() == Err(GivenUp)));
        });
        assert_eq!(meeting.meet(), Err(GivenUp));
    }
}
