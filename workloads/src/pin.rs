//! Which processor a worker runs on.
//!
//! A run of some milliseconds is over before a scheduler spreads threads that were woken together: measured unpinned,
//! threads often run one after another on one processor, and nothing is learnt about contention. So worker
//! number i stays on the (i mod n)-th of the n processors that the process may use. Threads that a worker starts
//! inherit its place.

use std::sync::OnceLock;

/// Binds the calling thread as worker `number`; without effect where the system refuses or there is one processor.
pub fn bind_worker(number: usize) {
    static PROCESSORS: OnceLock<Vec<core_affinity::CoreId>> = OnceLock::new();
    let processors = PROCESSORS.get_or_init(|| core_affinity::get_core_ids().unwrap_or_default());
    if processors.len() > 1 {
        // A refusal leaves the thread to the scheduler, as it would be without this call.
        let _ = core_affinity::set_for_current(processors[number % processors.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_on_different_processors_and_children_stay() {
        let allowed = core_affinity::get_core_ids().unwrap_or_default();
        let seen: Vec<_> = (0..2)
            .map(|number| {
                let of_child = move || {
                    bind_worker(number);
                    std::thread::spawn(|| core_affinity::get_core_ids().unwrap_or_default()).join().unwrap()
                };
                std::thread::spawn(of_child).join().unwrap()
            })
            .collect();
        if allowed.len() > 1 {
            assert!(seen.iter().all(|processors| processors.len() == 1), "{seen:?}");
            assert_ne!(seen[0], seen[1]);
        }
    }
}
