//! What a run measures, and how often: groups in order of importance, and repetitions allotted from a time budget.
//!
//! A *group* is one workload at one thread count; its engines are compared with each other. A pilot block measures
//! what a group costs; [`allot`] then serves, as long as the budget lasts: the minimum of repetitions of every group of tier
//! 0; the repetitions that the A/A control needs, of those that it judges; the minimum of the other groups, in order of tiers;
//! and spreads what remains so that cheap groups repeat more often. Pure arithmetic: it reads no clock and starts no process.

use serde::{Deserialize, Serialize};
use workloads::spec::Workload;

/// Fewest blocks of the throughput pass.
pub const THROUGHPUT_MIN: u32 = 5;
/// Fewest blocks of the latency pass.
pub const LATENCY_MIN: u32 = 3;
/// Most blocks of the throughput pass: beyond this an interval narrows too slowly to be worth the time.
pub const THROUGHPUT_MAX: u32 = 30;

/// Share of what the minimum of tier 0 leaves that the groups which the A/A control judges may take together.
pub const CONTROL_SHARE: f64 = 0.8;

/// A latency block costs about this many times a throughput block: one round for at least three, but each operation is
/// timed and counted.
const LATENCY_COST: f64 = 1.0;

/// One workload at one thread count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Workload name.
    pub workload: String,
    /// Threads.
    pub threads: usize,
    /// 0 is measured first and left out last.
    pub tier: u8,
    /// Whether the A/A control judges it: a core workload, each thread with a CPU of its own. Such groups repeat most.
    #[serde(default)]
    pub control: bool,
}

impl Group {
    /// What schedules and messages call it.
    pub fn key(&self) -> String {
        format!("{} × {}", self.workload, self.threads)
    }
}

/// Blocks of the two timed passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocks {
    /// Throughput pass.
    pub throughput: u32,
    /// Latency pass.
    pub latency: u32,
}

impl Blocks {
    /// So many of the throughput pass, and what goes with them.
    fn of(throughput: u32) -> Blocks {
        Blocks { throughput, latency: (throughput / 4).max(LATENCY_MIN) }
    }
}

/// Importance of a workload at a thread count on a machine of `cpus`: the note's tables and the draft's two main
/// rows first, with what a user added or recorded; then the `+` variants and the other models at thread counts that the machine can run side by side,
/// then the rest.
pub fn tier(workload: &Workload, threads: usize, cpus: usize) -> u8 {
    let core = is_core(workload);
    let side_by_side = threads <= cpus.max(1);
    match (core, workload.group.as_str(), side_by_side) {
        (true, _, _) => 0,
        (false, "note+", true) => 1,
        // What a user added and asked for by name is as important as the note's own.
        (false, group, _) if !["note+", "draft", "threads", "memory"].contains(&group) => 0,
        (false, _, true) if threads == cpus.max(1) => 2,
        (false, "note+", false) => 3,
        (false, _, true) => 3,
        (false, _, false) => 4,
    }
}

/// The note's workloads and the draft's two main ones.
fn is_core(workload: &Workload) -> bool {
    workload.group == "note" || ["tiny_hot", "random_mixed"].contains(&workload.name.as_str())
}

/// Every workload at every thread count, most important first; ties keep the order given.
pub fn groups(workloads: &[Workload], threads: &[usize], cpus: usize) -> Vec<Group> {
    let mut groups: Vec<Group> = workloads
        .iter()
        .flat_map(|workload| {
            let own = workload.own_threads().map(|own| vec![own]);
            let threads = own.unwrap_or_else(|| threads.to_vec());
            threads.into_iter().map(move |threads| {
                let tier = tier(workload, threads, cpus);
                let control = is_core(workload) && threads <= cpus.max(2);
                Group { workload: workload.name.clone(), threads, tier, control }
            })
        })
        .collect();
    groups.sort_by_key(|group| group.tier);
    groups
}

/// What the timed passes may cost and must hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// Time left for the timed passes, ns.
    pub budget_ns: f64,
    /// Whether the throughput pass is wanted.
    pub throughput: bool,
    /// Whether the latency pass is wanted.
    pub latency: bool,
}

impl Terms {
    fn cost(&self, block_ns: f64, blocks: Blocks) -> f64 {
        // The pilot was the first throughput block.
        let throughput = if self.throughput { f64::from(blocks.throughput.saturating_sub(1)) } else { 0.0 };
        let latency = if self.latency { f64::from(blocks.latency) * LATENCY_COST } else { 0.0 };
        block_ns * (throughput + latency)
    }

    /// What the minimum of a group costs beyond its pilot.
    pub fn minimum_ns(&self, block_ns: f64) -> f64 {
        self.cost(block_ns, Blocks { throughput: THROUGHPUT_MIN, latency: LATENCY_MIN })
    }
}

/// Blocks for each group, given what its pilot block cost, in order of importance; `None` is left out.
///
/// A group that does not fit is passed over, and cheaper ones behind it of the same tier may still fit.
pub fn allot(groups: &[Group], pilot_ns: &[f64], terms: &Terms) -> Vec<Option<Blocks>> {
    let mut left = terms.budget_ns;
    let mut least: Vec<Option<u32>> = vec![None; pilot_ns.len()];
    let admit = |of_tier_0: bool, left: &mut f64, least: &mut Vec<Option<u32>>| {
        for ((group, &block_ns), least) in groups.iter().zip(pilot_ns).zip(least) {
            let cost = terms.minimum_ns(block_ns);
            if (group.tier == 0) == of_tier_0 && cost <= *left {
                *left -= cost;
                *least = Some(THROUGHPUT_MIN);
            }
        }
    };
    admit(true, &mut left, &mut least);
    let judged: Vec<usize> =
        (0..groups.len()).filter(|&at| groups[at].control && least[at].is_some()).collect();
    let minimum: f64 = judged.iter().map(|&at| terms.minimum_ns(pilot_ns[at])).sum();
    let extra = |throughput: u32| {
        judged.iter().map(|&at| terms.cost(pilot_ns[at], Blocks::of(throughput))).sum::<f64>() - minimum
    };
    let repeated =
        (THROUGHPUT_MIN..=THROUGHPUT_MAX).rev().find(|&blocks| extra(blocks) <= CONTROL_SHARE * left);
    if let Some(blocks) = repeated {
        left -= extra(blocks);
        judged.iter().for_each(|&at| least[at] = Some(blocks));
    }
    admit(false, &mut left, &mut least);
    let chosen: Vec<(f64, u32)> =
        pilot_ns.iter().zip(&least).filter_map(|(&ns, least)| Some((ns, (*least)?))).collect();
    let costs: Vec<f64> = chosen.iter().map(|(ns, _)| *ns).collect();
    let share = equal_share(&costs, |at| chosen[at].1, terms);
    pilot_ns.iter().zip(least).map(|(&ns, least)| least.map(|least| blocks(ns, share, least))).collect()
}

/// Blocks of a group that may spend `share_ns` on its throughput pass, at least `least`. Even numbers above that keep ABBA
/// pairs whole.
fn blocks(block_ns: f64, share_ns: f64, least: u32) -> Blocks {
    let affordable = (share_ns / block_ns.max(1.0)) as u32;
    let even = affordable / 2 * 2;
    Blocks::of(even.clamp(least, THROUGHPUT_MAX))
}

/// The largest time a group may spend on throughput blocks such that all groups together keep the budget: bisection.
fn equal_share(pilot_ns: &[f64], least: impl Fn(usize) -> u32, terms: &Terms) -> f64 {
    let cost = |(at, &ns): (usize, &f64), share: f64| terms.cost(ns, blocks(ns, share, least(at)));
    let total = |share: f64| pilot_ns.iter().enumerate().map(|each| cost(each, share)).sum::<f64>();
    let (mut low, mut high) = (0.0, terms.budget_ns.max(0.0));
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if total(middle) <= terms.budget_ns { low = middle } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: f64 = 1e9;

    fn terms(seconds: f64) -> Terms {
        Terms { budget_ns: seconds * SECOND, throughput: true, latency: true }
    }

    fn group(tier: u8, control: bool) -> Group {
        Group { workload: String::new(), threads: 1, tier, control }
    }

    /// Groups of one tier that no control judges.
    fn plain(pilot: &[f64], terms: &Terms) -> Vec<Option<Blocks>> {
        allot(&vec![group(1, false); pilot.len()], pilot, terms)
    }

    fn spent(pilot: &[f64], terms: &Terms) -> f64 {
        let allotted = plain(pilot, terms);
        pilot.iter().zip(allotted).filter_map(|(&ns, blocks)| Some(terms.cost(ns, blocks?))).sum()
    }

    #[test]
    fn minimum_repetitions_hold_wherever_a_group_is_measured() {
        for seconds in [1.0, 10.0, 100.0] {
            for blocks in
                plain(&[0.1 * SECOND, 2.0 * SECOND, 0.01 * SECOND], &terms(seconds)).into_iter().flatten()
            {
                assert!(blocks.throughput >= THROUGHPUT_MIN && blocks.latency >= LATENCY_MIN);
            }
        }
    }

    #[test]
    fn the_budget_is_kept_and_mostly_used() {
        let pilot: Vec<f64> = (1..40).map(|k| k as f64 * 0.02 * SECOND).collect();
        let terms = terms(200.0);
        let spent = spent(&pilot, &terms);
        assert!(spent <= terms.budget_ns, "{spent}");
        assert!(spent > 0.8 * terms.budget_ns, "{spent}");
    }

    #[test]
    fn important_groups_come_first_and_cheap_ones_may_still_fit() {
        let allotted = plain(&[1.0 * SECOND, 50.0 * SECOND, 0.1 * SECOND], &terms(12.0));
        assert!(allotted[0].is_some());
        assert!(allotted[1].is_none());
        assert!(allotted[2].is_some());
    }

    #[test]
    fn cheap_groups_repeat_more_often() {
        let allotted = plain(&[0.1 * SECOND, 2.0 * SECOND], &terms(40.0));
        assert!(allotted[0].unwrap().throughput > allotted[1].unwrap().throughput, "{allotted:?}");
    }

    #[test]
    fn nothing_fits_an_empty_budget() {
        assert_eq!(plain(&[SECOND], &terms(0.0)), [None]);
        assert!(plain(&[], &terms(5.0)).is_empty());
    }

    #[test]
    fn judged_groups_repeat_most_and_leave_room_for_the_rest() {
        let groups = [group(0, true), group(0, false), group(1, false), group(2, false)];
        let pilot = [0.5 * SECOND; 4];
        let found: Vec<u32> =
            allot(&groups, &pilot, &terms(40.0)).iter().map(|blocks| blocks.unwrap().throughput).collect();
        assert!(found[0] >= 2 * found[1], "{found:?}");
        assert!(found[1..].iter().all(|&blocks| blocks >= THROUGHPUT_MIN), "{found:?}");
        let total: f64 = allot(&groups, &pilot, &terms(40.0))
            .into_iter()
            .flatten()
            .map(|blocks| terms(40.0).cost(0.5 * SECOND, blocks))
            .sum();
        assert!(total <= 40.0 * SECOND, "{total}");
    }
}
