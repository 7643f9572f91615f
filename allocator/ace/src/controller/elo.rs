//! ELO: ratings of whole strategies from paired windows.
//!
//! The champion runs. Now and then a challenger meets it in four windows, ABBA, whose costs are added up side by side;
//! a window in which too little happened voids the duel. The challenger's first window is a canary: half as dear again
//! as the champion's before it, and the duel is lost at once (rollback). Ratings move by the outcome; a challenger
//! becomes champion only when it has won by a margin and its rating has passed by a margin. A champion that keeps
//! winning is challenged ever more seldom. Pure and deterministic: integers, and a generator in the state.

use super::observation::Observation;

/// Whole settings, rated against each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strategy {
    /// Larger magazines, later purges.
    ThroughputFirst = 0,
    /// As stated.
    Balanced = 1,
    /// Smaller magazines, earlier purges.
    FootprintFirst = 2,
}

const STRATEGIES: [Strategy; 3] = [Strategy::ThroughputFirst, Strategy::Balanced, Strategy::FootprintFirst];

impl Strategy {
    /// Doublings of every magazine and of the purge delay.
    pub fn shifts(self) -> (i8, i32) {
        match self {
            Strategy::ThroughputFirst => (1, 2),
            Strategy::Balanced => (0, 0),
            Strategy::FootprintFirst => (-1, -2),
        }
    }

    /// The log's word.
    pub fn word(self) -> &'static str {
        match self {
            Strategy::ThroughputFirst => "throughput",
            Strategy::Balanced => "balanced",
            Strategy::FootprintFirst => "footprint",
        }
    }
}

/// Length of a window.
const WINDOW_MS: u32 = 1000;
/// Blocks that must move in a window, else it says nothing.
const MOVED_MIN: u64 = 10_000;
/// Windows between duels at first, and at most.
const PAUSE_WINDOWS: u32 = 4;
const PAUSE_WINDOWS_MAX: u32 = 256;
/// Of ratings: what an even win moves, the least and most they may be, and by how much a challenger must lead.
const RATING_STEP: i32 = 32;
const RATING_MAX: i32 = 800;
const RATING_LEAD: i32 = 40;
/// Share by which a duel must be won: one in this many.
const MARGIN: u64 = 20;

/// Estimated costs, nanoseconds: a WARM event, a page that came back, a purge's system call.
const EVENT_NS: u64 = 300;
const REFAULT_NS: u64 = 1000;
const PURGE_NS: u64 = 3000;
const PAGE_BYTES: u64 = 4096;
/// What a per cent of committed bytes beyond live ones costs, in picoseconds a block; under pressure eight times that.
const EXCESS_PS: u64 = 10;
const EXCESS_FACTOR: u64 = 8;

/// What the last tick changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A challenger meets the champion.
    Duel,
    /// Its canary failed.
    Rollback,
    /// The duel ended with the champion where it was.
    Kept,
    /// The challenger is champion.
    Crowned,
    /// Too little happened.
    Void,
}

impl Event {
    /// The log's word.
    pub fn word(self) -> &'static str {
        match self {
            Event::Duel => "duel",
            Event::Rollback => "rollback",
            Event::Kept => "kept",
            Event::Crowned => "crowned",
            Event::Void => "void",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Window {
    elapsed_ms: u32,
    moved: u64,
    ns: u64,
    excess_percent: u64,
    looks: u64,
}

/// ELO's memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Elo {
    /// By strategy.
    pub ratings: [i32; 3],
    /// Who runs outside duels.
    pub champion: Strategy,
    challenger: Strategy,
    /// Windows of the duel done; 0 outside.
    round: u8,
    costs: [u64; 2],
    window: Window,
    pause: u32,
    waited: u32,
    random: u32,
    in_duel: bool,
}

impl Elo {
    /// All ratings even, the stated setting champion; `seed` decides the order of challengers.
    pub const fn new(seed: u32) -> Elo {
        Elo {
            ratings: [0; 3],
            champion: Strategy::Balanced,
            challenger: Strategy::Balanced,
            round: 0,
            costs: [0; 2],
            window: Window { elapsed_ms: 0, moved: 0, ns: 0, excess_percent: 0, looks: 0 },
            pause: PAUSE_WINDOWS,
            waited: 0,
            random: seed | 1,
            in_duel: false,
        }
    }

    /// Who runs now.
    pub fn current(&self) -> Strategy {
        if self.in_duel && matches!(self.round, 1 | 2) { self.challenger } else { self.champion }
    }

    /// One tick; `scarce` raises the price of memory.
    pub fn step(&mut self, seen: &Observation, scarce: bool) -> Option<Event> {
        self.window.add(seen);
        if self.window.elapsed_ms < WINDOW_MS {
            return None;
        }
        let window = core::mem::take(&mut self.window);
        if window.moved < MOVED_MIN {
            self.waited = 0;
            return core::mem::take(&mut self.in_duel).then_some(Event::Void);
        }
        let cost = window.cost(scarce);
        if self.in_duel { self.round(cost) } else { self.rest() }
    }

    fn rest(&mut self) -> Option<Event> {
        self.waited += 1;
        if self.waited < self.pause {
            return None;
        }
        self.waited = 0;
        self.challenger = self.draw();
        (self.in_duel, self.round, self.costs) = (true, 0, [0; 2]);
        Some(Event::Duel)
    }

    /// A strategy that is not the champion.
    fn draw(&mut self) -> Strategy {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        STRATEGIES[(self.champion as usize + 1 + (self.random >> 8) as usize % 2) % 3]
    }

    fn round(&mut self, cost: u64) -> Option<Event> {
        let challenger = matches!(self.round, 1 | 2);
        self.costs[usize::from(challenger)] = self.costs[usize::from(challenger)].saturating_add(cost);
        if self.round == 1 && cost / 3 > self.costs[0] / 2 {
            self.settle(false);
            return Some(Event::Rollback);
        }
        self.round += 1;
        if self.round < 4 {
            return None;
        }
        let [champion, challenger] = self.costs;
        let won = challenger < champion - champion / MARGIN;
        let crowned = self.settle(won);
        Some(if crowned { Event::Crowned } else { Event::Kept })
    }

    /// Ends the duel; true if the challenger is champion now.
    fn settle(&mut self, won: bool) -> bool {
        self.in_duel = false;
        let (a, b) = (self.champion as usize, self.challenger as usize);
        let lead = self.ratings[b] - self.ratings[a];
        // The more it led, the less a win and the more a loss says.
        let gain = if won { RATING_STEP - lead / 16 } else { -(RATING_STEP + lead / 16) };
        let gain = gain.clamp(-2 * RATING_STEP, 2 * RATING_STEP);
        self.ratings[b] = (self.ratings[b] + gain).clamp(-RATING_MAX, RATING_MAX);
        self.ratings[a] = (self.ratings[a] - gain).clamp(-RATING_MAX, RATING_MAX);
        let crowned = won && self.ratings[b] >= self.ratings[a] + RATING_LEAD;
        if crowned {
            self.champion = self.challenger;
        }
        self.pause = if won { PAUSE_WINDOWS } else { (self.pause * 2).min(PAUSE_WINDOWS_MAX) };
        crowned
    }
}

impl Window {
    fn add(&mut self, seen: &Observation) {
        let events: u64 = seen.classes.iter().map(|c| u64::from(c.events())).sum();
        self.elapsed_ms = self.elapsed_ms.saturating_add(seen.elapsed_ms);
        self.moved += seen.classes.iter().map(|c| u64::from(c.moved)).sum::<u64>();
        let refaults = seen.refaulted_bytes / PAGE_BYTES;
        let ns =
            events * EVENT_NS + refaults.saturating_mul(REFAULT_NS) + u64::from(seen.purge_calls) * PURGE_NS;
        self.ns = self.ns.saturating_add(ns);
        let excess = seen.committed_bytes.saturating_sub(seen.live_bytes) / (seen.live_bytes / 100).max(1);
        self.excess_percent = self.excess_percent.saturating_add(excess.min(10_000));
        self.looks += 1;
    }

    /// Picoseconds a block.
    fn cost(&self, scarce: bool) -> u64 {
        let excess = self.excess_percent / self.looks.max(1);
        let price = if scarce { EXCESS_PS * EXCESS_FACTOR } else { EXCESS_PS };
        (self.ns.saturating_mul(1000) / self.moved.max(1)).saturating_add(excess * price)
    }
}
