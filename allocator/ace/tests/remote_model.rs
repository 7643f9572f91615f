//! Loom models of the remote-free protocol: the functions of `heap/remote.rs` themselves, on small slabs.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test -p ace-alloc --release --test remote_model`. Without that configuration
//! this file is empty. Each model ends with every block accounted exactly once and every bit swept exactly once, unless
//! a slab was released in between, which the guard must then have allowed.

#![cfg(loom)]

use ace_alloc::remote::{self, Owner, Pending, Space};
use ace_alloc::sync::{AtomicU32, AtomicU64, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;

struct Slab {
    state: AtomicU64,
    next: AtomicU32,
    bits: [AtomicU64; 1],
}

/// Slabs 1.. and heaps 1.., by number.
struct World {
    slabs: Vec<Slab>,
    lists: Vec<Pending>,
}

impl World {
    fn new(owners: &[Owner], heaps: usize) -> World {
        let slab = |&owner: &Owner| Slab {
            state: AtomicU64::new(remote::owned_by(owner)),
            next: AtomicU32::new(0),
            bits: [AtomicU64::new(0)],
        };
        World {
            slabs: owners.iter().map(slab).collect(),
            lists: (0..heaps).map(|_| Pending::new()).collect(),
        }
    }

    /// Bits and accounted blocks taken by one drain of `heap`, for each slab it owns.
    fn drain(&self, heap: Owner) -> (u32, u32) {
        let (mut accounted, mut swept) = (0, 0);
        remote::drain(self, heap, |slab, n| {
            accounted += n;
            swept += remote::sweep(self, slab, 0).count_ones();
        });
        (accounted, swept)
    }

    /// One remote free of `n` blocks.
    fn free(&self, slab: u32, bits: u64) {
        assert!(remote::mark(self, slab, 0, bits), "no block is freed twice");
        remote::publish(self, slab, bits.count_ones());
    }

    fn owner(&self, slab: u32) -> Owner {
        remote::owner_of(self.state(slab).load(Ordering::Relaxed))
    }
}

impl Space for World {
    fn state(&self, slab: u32) -> &AtomicU64 {
        &self.slabs[slab as usize - 1].state
    }
    fn next(&self, slab: u32) -> &AtomicU32 {
        &self.slabs[slab as usize - 1].next
    }
    fn remote(&self, slab: u32, word: usize) -> &AtomicU64 {
        &self.slabs[slab as usize - 1].bits[word]
    }
    fn pending(&self, owner: Owner) -> &Pending {
        &self.lists[owner as usize - 1]
    }
}

fn model(f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(f);
}

/// Two producers and a draining owner: nothing is lost, nothing is counted twice.
#[test]
fn publish_and_drain() {
    model(|| {
        let world = Arc::new(World::new(&[1], 1));
        let producers: Vec<_> = [1u64, 2]
            .into_iter()
            .map(|bit| {
                let world = world.clone();
                thread::spawn(move || world.free(1, bit))
            })
            .collect();
        let (mut accounted, mut swept) = world.drain(1);
        for p in producers {
            p.join().unwrap();
        }
        let last = world.drain(1);
        accounted += last.0;
        swept += last.1;
        assert_eq!((accounted, swept), (2, 2));
        assert!(remote::is_unreferenced(&*world, 1));
    });
}

/// Two slabs of one owner, a producer each: the list keeps both.
#[test]
fn two_slabs_on_one_list() {
    model(|| {
        let world = Arc::new(World::new(&[1, 1], 1));
        let producers: Vec<_> = [1u32, 2]
            .into_iter()
            .map(|slab| {
                let world = world.clone();
                thread::spawn(move || world.free(slab, 1))
            })
            .collect();
        let (mut accounted, mut swept) = world.drain(1);
        for p in producers {
            p.join().unwrap();
        }
        let last = world.drain(1);
        accounted += last.0;
        swept += last.1;
        assert_eq!((accounted, swept), (2, 2));
    });
}

/// A producer frees two blocks one after the other: the slab is pushed again after a drain, never twice at once.
#[test]
fn pushed_again_after_a_drain() {
    model(|| {
        let world = Arc::new(World::new(&[1], 1));
        let producer = {
            let world = world.clone();
            thread::spawn(move || {
                world.free(1, 1);
                world.free(1, 2);
            })
        };
        let a = world.drain(1);
        let b = world.drain(1);
        producer.join().unwrap();
        let c = world.drain(1);
        assert_eq!(a.0 + b.0 + c.0, 2);
        assert_eq!(a.1 + b.1 + c.1, 2);
    });
}

/// The release guard: a slab whose bits say "empty" while a producer is between its OR and its accounting is not
/// released. The producer asserts that the slab still stands until its publish returns.
#[test]
fn release_against_a_producer_half_way() {
    model(|| {
        let world = Arc::new(World::new(&[1], 1));
        // Two blocks are out.
        let released = Arc::new(AtomicU32::new(0));
        let producers: Vec<_> = [1u64, 2]
            .into_iter()
            .map(|bit| {
                let (world, released) = (world.clone(), released.clone());
                thread::spawn(move || {
                    assert!(remote::mark(&*world, 1, 0, bit));
                    assert_eq!(
                        released.load(Ordering::SeqCst),
                        0,
                        "released before the return was accounted"
                    );
                    remote::publish(&*world, 1, 1);
                })
            })
            .collect();
        let mut out = 2;
        for _ in 0..2 {
            out -= world.drain(1).0;
            if out == 0 && remote::is_unreferenced(&*world, 1) {
                released.store(1, Ordering::SeqCst);
            }
        }
        for p in producers {
            p.join().unwrap();
        }
        out -= world.drain(1).0;
        assert_eq!(out, 0);
        assert!(remote::is_unreferenced(&*world, 1));
    });
}

/// The owner retires while a producer frees; another heap adopts. The return reaches exactly one of them.
#[test]
fn orphan_and_adopt() {
    model(|| {
        let world = Arc::new(World::new(&[1], 2));
        let shown = Arc::new(Mutex::new(false));
        let producer = {
            let world = world.clone();
            thread::spawn(move || world.free(1, 1))
        };
        let retiree = {
            let (world, shown) = (world.clone(), shown.clone());
            thread::spawn(move || {
                let mut taken = (0, 0);
                remote::close(&*world, 1, |slab, n| {
                    taken.0 += n;
                    taken.1 += remote::sweep(&*world, slab, 0).count_ones();
                });
                remote::orphan(&*world, 1);
                *shown.lock().unwrap() = true;
                taken
            })
        };
        let mut taken = (0, 0);
        let adopted = *shown.lock().unwrap();
        if adopted {
            taken.0 += remote::adopt(&*world, 1, 2);
            taken.1 += remote::sweep(&*world, 1, 0).count_ones();
        }
        producer.join().unwrap();
        let left = retiree.join().unwrap();
        if !adopted {
            taken.0 += remote::adopt(&*world, 1, 2);
            taken.1 += remote::sweep(&*world, 1, 0).count_ones();
        }
        let last = world.drain(2);
        assert_eq!(taken.0 + left.0 + last.0, 1, "accounted once");
        assert_eq!(taken.1 + left.1 + last.1, 1, "swept once");
        assert_eq!(world.owner(1), 2);
        assert!(remote::is_unreferenced(&*world, 1), "no token is left");
    });
}

/// Teardown and reuse: the heap's list is closed, opened again for a new thread, and a late token may land on it
/// although the slab belongs to another heap by then. The drainer forwards it.
#[test]
fn late_token_on_a_reopened_list() {
    model(|| {
        let world = Arc::new(World::new(&[1], 2));
        let producer = {
            let world = world.clone();
            thread::spawn(move || world.free(1, 1))
        };
        let mut taken = 0;
        remote::close(&*world, 1, |_, n| taken += n);
        remote::orphan(&*world, 1);
        world.pending(1).open();
        taken += remote::adopt(&*world, 1, 2);
        producer.join().unwrap();
        taken += world.drain(1).0;
        taken += world.drain(2).0;
        assert_eq!(taken, 1);
        assert!(remote::is_unreferenced(&*world, 1));
        assert_eq!(world.slabs[0].bits[0].load(Ordering::Relaxed) & !1, 0);
    });
}

/// Two heaps' lists stay whole while a slab changes hands and both a late and a new token are under way.
#[test]
fn two_producers_across_an_adoption() {
    model(|| {
        let world = Arc::new(World::new(&[1, 2], 2));
        let producers: Vec<_> = [(1u32, 1u64), (2, 1)]
            .into_iter()
            .map(|(slab, bit)| {
                let world = world.clone();
                thread::spawn(move || {
                    world.free(slab, bit);
                    world.free(1, bit << (1 + slab));
                })
            })
            .collect();
        let mut taken = 0;
        remote::close(&*world, 1, |_, n| taken += n);
        remote::orphan(&*world, 1);
        world.pending(1).open();
        taken += remote::adopt(&*world, 1, 2);
        for p in producers {
            p.join().unwrap();
        }
        taken += world.drain(1).0;
        taken += world.drain(2).0;
        assert_eq!(taken, 4);
        assert!(remote::is_unreferenced(&*world, 1) && remote::is_unreferenced(&*world, 2));
    });
}

/// A world whose first slab may be released: no step of the protocol may touch it afterwards.
struct Guarded {
    world: World,
    released: AtomicU32,
}

impl Guarded {
    fn seen(&self, slab: u32) {
        let released = slab == 1 && self.released.load(Ordering::SeqCst) != 0;
        assert!(!released, "a released slab is touched");
    }
}

impl Space for Guarded {
    fn state(&self, slab: u32) -> &AtomicU64 {
        self.seen(slab);
        self.world.state(slab)
    }
    fn next(&self, slab: u32) -> &AtomicU32 {
        self.seen(slab);
        self.world.next(slab)
    }
    fn remote(&self, slab: u32, word: usize) -> &AtomicU64 {
        self.seen(slab);
        self.world.remote(slab, word)
    }
    fn pending(&self, owner: Owner) -> &Pending {
        self.world.pending(owner)
    }
}

/// An adopter takes the last return in while its token is still on the way: nothing is out, and the slab must stay all the
/// same until the token has ended.
#[test]
fn release_after_an_adoption_waits_for_the_token() {
    model(|| {
        let space = Arc::new(Guarded { world: World::new(&[1], 2), released: AtomicU32::new(0) });
        let producer = {
            let space = space.clone();
            thread::spawn(move || {
                assert!(remote::mark(&*space, 1, 0, 1));
                remote::publish(&*space, 1, 1);
            })
        };
        let mut accounted = 0;
        remote::close(&*space, 1, |_, n| accounted += n);
        remote::orphan(&*space, 1);
        accounted += remote::adopt(&*space, 1, 2);
        let released = accounted == 1 && remote::is_unreferenced(&*space, 1);
        if released {
            space.released.store(1, Ordering::SeqCst);
        }
        producer.join().unwrap();
        if !released {
            remote::drain(&*space, 2, |_, n| accounted += n);
            assert_eq!(accounted, 1);
            assert!(remote::is_unreferenced(&*space, 1), "the token has ended");
        }
    });
}
