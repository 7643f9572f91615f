//! The policy by tables: no clock, no thread. Constant input settles, wrong steps are taken back, hostile input stays
//! within bounds, equal input gives equal decisions.

use ace_alloc::controller::cap::Why;
use ace_alloc::controller::elo::{Event, Strategy};
use ace_alloc::controller::idle::{Action, Idle};
use ace_alloc::controller::observation::{CLASSES, ClassSeen, Observation, Scarcity};
use ace_alloc::controller::policy::{Decision, Policy};
use ace_alloc::controller::pressure::Pressure;
use ace_alloc::learned::{
    BUDGET_SHIFT_MAX, Knobs, PURGE_SHIFT_MAX, SLOTS_SHIFT_MAX, SLOTS_SHIFT_MIN, shifted,
};

const CLASS: usize = 40;
const TICK_MS: u32 = 100;

fn busy(refills: u32, flushes: u32, moved: u32) -> Observation {
    let mut seen = Observation { budget_bytes: 16 << 20, live_bytes: 1 << 20, ..Observation::quiet(TICK_MS) };
    seen.committed_bytes = seen.live_bytes;
    seen.classes[CLASS] = ClassSeen { refills, flushes, moved };
    seen
}

/// Decisions on one class's capacity.
fn slots(policy: &mut Policy, seen: &Observation) -> Vec<(i8, i8, Why)> {
    let (_, journal) = policy.step(seen);
    let slots = |d: &Decision| match *d {
        Decision::Slots { class, from, to, why } if usize::from(class) == CLASS => Some((from, to, why)),
        _ => None,
    };
    journal.decisions().filter_map(slots).collect()
}

/// A class whose batches double with every step, as an honest program's do.
fn honest(shift: i8) -> Observation {
    let events = 2000 >> shift.clamp(0, 4);
    busy(events, events, 60_000)
}

#[test]
fn capacity_grows_to_the_target_and_stays() {
    let mut policy = Policy::new(1);
    let (mut shift, mut steps) = (0, Vec::new());
    for _ in 0..600 {
        for (_, to, why) in slots(&mut policy, &honest(shift)) {
            shift = to;
            steps.push(why);
        }
    }
    assert_eq!((shift, steps), (SLOTS_SHIFT_MAX, vec![Why::MissRate; 2]));
}

#[test]
fn a_step_that_does_not_help_is_taken_back_and_tried_ever_more_seldom() {
    let mut policy = Policy::new(1);
    let seen = busy(2000, 2000, 60_000);
    let mut ups = Vec::new();
    for tick in 0..6000 {
        for (from, to, why) in slots(&mut policy, &seen) {
            match why {
                Why::MissRate => ups.push(tick),
                Why::NoEffect => assert_eq!((from, to), (1, 0)),
                why => panic!("{why:?}"),
            }
        }
    }
    let waits: Vec<_> = ups.windows(2).map(|w| w[1] - w[0]).collect();
    assert!(waits.len() >= 4 && waits.windows(2).all(|w| w[1] > w[0] + w[0] / 2), "{waits:?}");
}

#[test]
fn quiet_or_settled_input_changes_nothing() {
    for seen in [Observation::quiet(TICK_MS), busy(100, 100, 60_000), busy(10, 10, 100)] {
        let mut policy = Policy::new(1);
        (0..20).for_each(|_| assert_eq!(slots(&mut policy, &seen), []));
        let (first, _) = policy.step(&seen);
        assert_eq!(first, Knobs::NEUTRAL);
    }
}

#[test]
fn rest_and_a_tight_budget_take_capacity_back() {
    let mut policy = Policy::new(1);
    let mut shift = 0;
    for _ in 0..50 {
        slots(&mut policy, &honest(shift)).iter().for_each(|s| shift = s.1);
    }
    assert_eq!(shift, SLOTS_SHIFT_MAX);
    let mut tight = honest(shift);
    tight.granted_bytes = tight.budget_bytes;
    assert_eq!(slots(&mut policy, &tight), [(2, 1, Why::Tight)]);
    let rest: Vec<_> = (0..60).flat_map(|_| slots(&mut policy, &Observation::quiet(TICK_MS))).collect();
    assert_eq!(rest, [(1, 0, Why::Rest)]);
}

#[test]
fn a_class_that_only_refills_takes_whole_batches_until_it_does_not() {
    let mut policy = Policy::new(1);
    let whole = |policy: &mut Policy, seen: &Observation| policy.step(seen).0.whole_batch[CLASS];
    let (one_sided, both) = (busy(100, 0, 20_000), busy(100, 90, 20_000));
    assert_eq!([false, false, true, true], [0; 4].map(|_| whole(&mut policy, &one_sided)));
    assert_eq!([true, true, false, false], [0; 4].map(|_| whole(&mut policy, &both)));
    let alternating = (0..100).any(|i| whole(&mut policy, if i % 2 == 0 { &one_sided } else { &both }));
    assert!(!alternating, "hysteresis");
}

/// Which strategy would cost what: events for the same work, by the strategy that runs.
fn elo_run(policy: &mut Policy, ticks: u32, cost: impl Fn(Strategy) -> u32) -> Vec<(Event, Strategy)> {
    let mut events = Vec::new();
    for _ in 0..ticks {
        let n = cost(policy.strategy());
        let (_, journal) = policy.step(&busy(n, n, 60_000));
        events.extend(journal.decisions().filter_map(|d| match *d {
            Decision::Strategy { event, champion, .. } => Some((event, champion)),
            _ => None,
        }));
    }
    events
}

#[test]
fn equal_strategies_never_change_the_champion() {
    let mut policy = Policy::new(7);
    let events = elo_run(&mut policy, 20_000, |_| 500);
    assert!(events.iter().all(|e| e.1 == Strategy::Balanced && e.0 != Event::Crowned), "{events:?}");
    let duels = events.iter().filter(|e| e.0 == Event::Duel).count();
    assert!((3..40).contains(&duels), "explored ever more seldom: {duels}");
}

#[test]
fn the_better_strategy_is_crowned_and_a_dear_one_rolled_back() {
    let mut policy = Policy::new(7);
    let events = elo_run(&mut policy, 20_000, |s| match s {
        Strategy::ThroughputFirst => 300,
        Strategy::Balanced => 500,
        Strategy::FootprintFirst => 2000,
    });
    assert_eq!(events.iter().filter(|e| e.0 == Event::Crowned).count(), 1, "{events:?}");
    assert_eq!(events.last().map(|e| e.1), Some(Strategy::ThroughputFirst));
    assert!(events.iter().any(|e| e.0 == Event::Rollback), "{events:?}");
    // The program changes: what was crowned is now the dearest.
    let events = elo_run(&mut policy, 40_000, |s| if s == Strategy::ThroughputFirst { 900 } else { 400 });
    assert_ne!(events.last().map(|e| e.1), Some(Strategy::ThroughputFirst), "{events:?}");
}

#[test]
fn pressure_rises_at_once_and_falls_slowly() {
    let mut pressure = Pressure::new();
    let at = |percent: u64| Scarcity { limit_bytes: 100, current_bytes: percent, stall_basis_points: 0 };
    assert_eq!(pressure.step(&at(84), TICK_MS), None);
    assert_eq!((pressure.step(&at(86), TICK_MS), pressure.level), (Some(0), 1));
    assert_eq!((pressure.step(&at(96), TICK_MS), pressure.level), (Some(1), 2));
    // Between the thresholds nothing moves, however long.
    (0..1000).for_each(|_| assert_eq!(pressure.step(&at(90), TICK_MS), None));
    let falls: Vec<_> =
        (0..60).filter_map(|i| pressure.step(&at(50), TICK_MS).map(|from| (i, from))).collect();
    assert_eq!(falls, [(19, 2), (39, 1)]);
    // Swinging around the first threshold does not swing the level.
    let changes = (0..1000).filter(|i| pressure.step(&at(80 + i % 10), TICK_MS).is_some()).count();
    assert_eq!(changes, 1);
    let stalled = Scarcity { stall_basis_points: 2500, ..Scarcity::default() };
    assert_eq!((pressure.step(&stalled, TICK_MS), pressure.level), (Some(1), 2));
}

#[test]
fn a_heap_is_emptied_once_and_left_alone_longer_each_time_it_comes_back() {
    let mut idle = Idle::default();
    assert_eq!(idle.look(5, 1000, 500), Action::Wait);
    assert_eq!(idle.look(5, 1499, 500), Action::Wait);
    assert_eq!(idle.look(5, 1500, 500), Action::Empty);
    // Something stayed, because the thread ran meanwhile: once more, but not before another wait.
    idle.again(1500);
    assert_eq!(
        [1600, 1999, 2000].map(|now| idle.look(5, now, 500)),
        [Action::Wait, Action::Wait, Action::Empty]
    );
    idle.emptied(1500);
    assert_eq!(idle.look(5, 90_000, 500), Action::Leave);
    // Used again long after: no patience. Used again soon after: the wait doubles, up to a bound.
    assert_eq!((idle.look(6, 90_100, 500), idle.patience), (Action::Wait, 0));
    let (mut now, mut ticks, mut waits) = (90_100, 6, Vec::new());
    for _ in 0..12 {
        let from = now;
        while idle.look(ticks, now, 500) != Action::Empty {
            now += 100;
        }
        idle.emptied(now);
        waits.push(now - from);
        (now, ticks) = (now + 100, ticks + 1);
        idle.look(ticks, now, 500);
    }
    assert_eq!(waits[..4], [500, 1000, 2000, 4000]);
    assert_eq!(waits[11], 500 << 6);
}

fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 16
}

/// Anything a broken or hostile program could show.
fn hostile(seed: &mut u64) -> Observation {
    let extreme = |seed: &mut u64| match random(seed) % 5 {
        0 => 0,
        1 => u64::MAX,
        2 => u64::from(u32::MAX),
        3 => random(seed),
        _ => random(seed) % 100_000,
    };
    let mut seen = Observation::quiet(extreme(seed) as u32);
    for class in &mut seen.classes {
        let (refills, flushes, moved) = (extreme(seed) as u32, extreme(seed) as u32, extreme(seed) as u32);
        *class = ClassSeen { refills, flushes, moved };
    }
    (seen.granted_bytes, seen.budget_bytes, seen.refusals) =
        (extreme(seed), extreme(seed), extreme(seed) as u32);
    (seen.live_bytes, seen.committed_bytes) = (extreme(seed), extreme(seed));
    (seen.refaulted_bytes, seen.purge_calls) = (extreme(seed), extreme(seed) as u32);
    seen.scarcity = Scarcity {
        limit_bytes: extreme(seed),
        current_bytes: extreme(seed),
        stall_basis_points: extreme(seed) as u32,
    };
    seen
}

#[test]
fn hostile_input_stays_within_bounds_and_is_deterministic() {
    let (mut a, mut b) = (Policy::new(3), Policy::new(3));
    let mut seed = 42;
    for _ in 0..20_000 {
        let seen = hostile(&mut seed);
        let (knobs, journal) = a.step(&seen);
        assert_eq!((knobs, journal), b.step(&seen));
        for i in 0..CLASSES {
            assert!((SLOTS_SHIFT_MIN..=SLOTS_SHIFT_MAX).contains(&knobs.slots_shift[i]));
        }
        assert!(knobs.budget_shift <= BUDGET_SHIFT_MAX && knobs.purge_shift.abs() <= PURGE_SHIFT_MAX);
    }
    assert_eq!(a, b);
}

#[test]
fn shifts_saturate() {
    for (value, shift, wanted) in
        [(510, 2, 2040), (510, -3, 63), (0, 9, 0), (u64::MAX, 1, u64::MAX), (1, -70, 0)]
    {
        assert_eq!(shifted(value, shift), wanted);
    }
}
