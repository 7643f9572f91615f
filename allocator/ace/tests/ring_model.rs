//! Loom model of the event ring, with two slots: nothing is duplicated, what is neither popped nor lost is still there.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test -p ace-alloc --release --test ring_model`. Empty without.

#![cfg(loom)]

use ace_alloc::ring::Ring;
use loom::sync::Arc;
use loom::thread;

#[test]
fn producers_and_consumer() {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(|| {
        let ring = Arc::new(Ring::new());
        let producers: Vec<_> = [10u64, 20]
            .into_iter()
            .map(|first| {
                let ring = ring.clone();
                thread::spawn(move || u64::from(ring.push(first)) + u64::from(ring.push(first + 1)))
            })
            .collect();
        let mut popped: Vec<u64> = (0..2).filter_map(|_| ring.pop()).collect();
        let pushed: u64 = producers.into_iter().map(|p| p.join().unwrap()).sum();
        while let Some(event) = ring.pop() {
            popped.push(event);
        }
        assert_eq!(popped.len() as u64, pushed);
        assert_eq!(pushed + ring.lost(), 4);
        for first in [10, 20] {
            let own: Vec<_> = popped.iter().filter(|&&e| e / 10 == first / 10).collect();
            assert!(own.is_sorted() && own.windows(2).all(|w| w[0] != w[1]), "{popped:?}");
        }
    });
}
