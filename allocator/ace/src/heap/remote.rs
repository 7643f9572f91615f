//! Blocks freed by threads that do not own their slab: publish, drain, orphan, adopt. Lock-free.
//!
//! A producer sets bits in the slab's remote bitmap, one OR a word, and then makes one read-modify-write on the slab's
//! state word {owner, PENDING, returned count}: it adds the number of blocks, sets PENDING and learns the owner. Who
//! turns PENDING from 0 to 1 holds the slab's only *token* and must push the slab on the owner's pending list (MPSC).
//! The token ends where a drainer takes the slab off its own list, reads `next`, and clears PENDING; only then are the
//! bits swapped out. So a slab is on at most one list, and `next` has one writer.
//!
//! Emptiness counts returns as accounted in the state word, never bits: a producer between its OR and its
//! read-modify-write keeps the slab non-empty. Release needs, besides, PENDING = 0: no token refers to the slab.
//!
//! A slab without an owner is an orphan: producers only count. Adoption changes the owner in the same word, takes the
//! count, and sweeps the bits afterwards. A token that finds its list CLOSED, or itself on a list of a heap that no
//! longer owns the slab, follows the owner field; with no owner it clears PENDING and leaves the count to the adopter.
//!
//! Everything is generic over [`Space`], so that `tests/remote_model.rs` checks these very functions with loom.

use crate::sync::{AtomicU32, AtomicU64, Ordering, relax};

/// Bits of the count of returned blocks.
const COUNT_BITS: u32 = 15;
const COUNT: u64 = (1 << COUNT_BITS) - 1;
/// The slab is on a pending list or on its way to one.
const PENDING: u64 = 1 << COUNT_BITS;
const OWNER_SHIFT: u32 = COUNT_BITS + 1;
const OWNER: u64 = !(COUNT | PENDING);
/// Head of a list that takes no more slabs.
const CLOSED: u32 = u32::MAX;

/// Names a heap in a state word; 0 is "orphan". 48 bits: a heap's address.
pub type Owner = u64;

/// Where the protocol finds its fields.
pub trait Space {
    /// The state word of a slab.
    fn state(&self, slab: u32) -> &AtomicU64;
    /// The link of a slab on a pending list.
    fn next(&self, slab: u32) -> &AtomicU32;
    /// A word of the slab's remote bitmap.
    fn remote(&self, slab: u32, word: usize) -> &AtomicU64;
    /// The pending list of a heap; heaps are type-stable, so any owner that was ever read may be asked.
    fn pending(&self, owner: Owner) -> &Pending;
}

/// The slabs on which other threads have left blocks; slab numbers, linked through `Space::next`.
pub struct Pending(AtomicU32);

impl Pending {
    /// An empty, open list.
    #[cfg(not(loom))]
    pub const fn new() -> Pending {
        Pending(AtomicU32::new(0))
    }

    /// An empty, open list.
    #[cfg(loom)]
    pub fn new() -> Pending {
        Pending(AtomicU32::new(0))
    }

    /// Whether there is something to drain. A hint: what a producer pushes meanwhile is seen next time.
    #[inline]
    pub fn is_empty(&self) -> bool {
        matches!(self.0.load(Ordering::Relaxed), 0 | CLOSED)
    }

    /// Opens the list for a new thread's heap. Caller holds the heap's word.
    pub fn open(&self) {
        // Relaxed: the owner field, set by adoption with Release, is what sends producers here.
        self.0.store(0, Ordering::Relaxed);
    }

    /// Takes everything and leaves the list as `leave`.
    fn take(&self, leave: u32) -> u32 {
        // Acquire: pairs with the Release in `push`; each slab's `next` is visible.
        match self.0.swap(leave, Ordering::Acquire) {
            CLOSED => 0,
            head => head,
        }
    }

    /// Pushes a slab whose token the caller holds; false if the list is closed.
    fn push<S: Space>(&self, space: &S, slab: u32) -> bool {
        let mut head = self.0.load(Ordering::Relaxed);
        loop {
            if head == CLOSED {
                return false;
            }
            // Relaxed: published by the Release below.
            space.next(slab).store(head, Ordering::Relaxed);
            // Release: pairs with the Acquire in `take`.
            match self.0.compare_exchange_weak(head, slab, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(seen) => head = seen,
            }
        }
    }
}

impl Default for Pending {
    fn default() -> Self {
        Self::new()
    }
}

/// A state word with this owner, not pending, nothing returned.
#[inline]
pub fn owned_by(owner: Owner) -> u64 {
    owner << OWNER_SHIFT
}

/// The owner in a state word.
#[inline]
pub fn owner_of(state: u64) -> Owner {
    state >> OWNER_SHIFT
}

/// The release guard's part: no token refers to the slab. Caller owns the slab.
#[inline]
pub fn is_unreferenced<S: Space>(space: &S, slab: u32) -> bool {
    // Acquire: pairs with the Release of the last drain or token that cleared PENDING.
    space.state(slab).load(Ordering::Acquire) & PENDING == 0
}

/// Returns the blocks of `bits` in one word; false if one of them had been returned already (a double free).
#[inline]
pub fn mark<S: Space>(space: &S, slab: u32, word: usize, bits: u64) -> bool {
    // Release: pairs with the Acquire in `sweep`; the freeing thread's accesses to the blocks end before the owner's
    // next user begins, also where the owner sweeps bits that are not accounted yet.
    space.remote(slab, word).fetch_or(bits, Ordering::Release) & bits == 0
}

/// Accounts `n` blocks marked before. After this call the producer no longer refers to the slab.
pub fn publish<S: Space>(space: &S, slab: u32, n: u32) {
    let state = space.state(slab);
    let mut seen = state.load(Ordering::Relaxed);
    loop {
        let counted = seen + u64::from(n);
        let new = if owner_of(seen) == 0 { counted } else { counted | PENDING };
        // Release: pairs with the Acquire in `account` and `adopt`; the bits marked before are visible to who takes
        // the count. Acquire on success: the owner's list is initialised before the owner is readable.
        match state.compare_exchange_weak(seen, new, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(_) => break,
            Err(now) => seen = now,
        }
    }
    if owner_of(seen) != 0 && seen & PENDING == 0 {
        forward(space, slab, owner_of(seen));
    }
}

/// Brings a token to the list of the slab's owner, wherever that has gone meanwhile.
fn forward<S: Space>(space: &S, slab: u32, mut owner: Owner) {
    let state = space.state(slab);
    let mut turn = 0;
    loop {
        if owner != 0 && space.pending(owner).push(space, slab) {
            return;
        }
        // Acquire: pairs with `adopt`'s Release; the adopter's list is open before its name is readable.
        let seen = state.load(Ordering::Acquire);
        if owner_of(seen) == 0 {
            // Release: pairs with the Acquire in `is_unreferenced`; nothing of ours touches the slab afterwards. The
            // count stays for the adopter.
            if state.compare_exchange(seen, seen & !PENDING, Ordering::Release, Ordering::Relaxed).is_ok() {
                return;
            }
        } else if owner_of(seen) == owner {
            // The owner has closed its list and is about to orphan this slab.
            relax(turn);
            turn += 1;
        }
        owner = owner_of(state.load(Ordering::Acquire));
    }
}

/// Takes all pending slabs of heap `me`; calls `take(slab, accounted)` for each that it still owns, with the number of
/// blocks accounted by it. The caller holds the heap's word and sweeps the bits in `take`.
pub fn drain<S: Space>(space: &S, me: Owner, mut take: impl FnMut(u32, u32)) {
    drain_list(space, me, 0, &mut take);
}

/// As [`drain`], and closes the list: tokens that come later follow the slab's owner.
pub fn close<S: Space>(space: &S, me: Owner, mut take: impl FnMut(u32, u32)) {
    drain_list(space, me, CLOSED, &mut take);
}

fn drain_list<S: Space>(space: &S, me: Owner, leave: u32, take: &mut impl FnMut(u32, u32)) {
    let mut slab = space.pending(me).take(leave);
    while slab != 0 {
        // Read before PENDING is cleared: afterwards the next producer may push the slab again.
        let next = space.next(slab).load(Ordering::Relaxed);
        // Relaxed: an owner that is `me` can only be changed by the holder of my word, that is, by the caller.
        let owner = owner_of(space.state(slab).load(Ordering::Relaxed));
        if owner == me {
            take(slab, account(space, slab));
        } else {
            forward(space, slab, owner);
        }
        slab = next;
    }
}

/// Ends the token and takes the count.
fn account<S: Space>(space: &S, slab: u32) -> u32 {
    // Acquire: pairs with the Release in `publish`; the counted bits are visible. Release: pairs with `is_unreferenced`.
    (space.state(slab).fetch_and(OWNER, Ordering::AcqRel) & COUNT) as u32
}

/// Swaps the returned bits of one word out. Caller owns the slab and has accounted before.
#[inline]
pub fn sweep<S: Space>(space: &S, slab: u32, word: usize) -> u64 {
    let bits = space.remote(slab, word);
    // The load saves the exchange where there is nothing; what it misses is swept after its own account.
    // Acquire: pairs with the Release in `mark`.
    if bits.load(Ordering::Relaxed) == 0 { 0 } else { bits.swap(0, Ordering::Acquire) }
}

/// Leaves a slab without owner. Caller owns the slab, has closed its list, and afterwards shows the slab to adopters.
pub fn orphan<S: Space>(space: &S, slab: u32) {
    // Release: pairs with the Acquire in `adopt`; the descriptor and free bits are visible to the adopter.
    space.state(slab).fetch_and(!OWNER, Ordering::Release);
}

/// Makes `me` the owner of an orphan; returns the blocks accounted by it. The caller holds its heap's word, has taken
/// the slab off the orphans' list, and sweeps the bits next.
pub fn adopt<S: Space>(space: &S, slab: u32, me: Owner) -> u32 {
    let state = space.state(slab);
    let mut seen = state.load(Ordering::Relaxed);
    loop {
        // A token still under way keeps PENDING and will come to `me`.
        let new = owned_by(me) | (seen & PENDING);
        // Acquire: pairs with `publish` and `orphan`. Release: pairs with `forward`; my list is open.
        match state.compare_exchange_weak(seen, new, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(_) => return (seen & COUNT) as u32,
            Err(now) => seen = now,
        }
    }
}
