//! Carries out a plan: pilot, the untimed passes side by side, then the timed passes in interleaved rounds.
//!
//! Order of events, so that a run that is cut anywhere leaves complete tables with fewer repetitions:
//! 1. *Pilot*: one throughput block of every group, most important first; it tells what a group costs.
//! 2. *Allotment*: the time budget becomes repetitions (see [`crate::plan`]); what does not fit is left out, and said.
//! 3. *Memory, drain and instructions*: these take no times, so as many cells run side by side as there are CPUs.
//! 4. *Rounds*: in each, every group runs one more block of its timed passes, groups in random order. One run at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use cell::wire::Pass;
use workloads::spec::Workload;

use crate::analysis::dataset::{CONTROL_SUFFIX, FLOOR};
use crate::args::RunArgs;
use crate::block;
use crate::engine::Choice;
use crate::interrupt;
use crate::job::{self, Place};
use crate::plan::{self, Blocks, Group, Terms};
use crate::progress::Progress;
use crate::record::{Planned, Record};
use crate::row::Row;
use crate::runner::{self, Ending, Finished, Limits};
use crate::schedule;
use crate::selection::{DRAIN_WORKLOADS, Selection, TRACE_GROUP};

/// What a cell is taken to cost before anything is known of it.
const UNKNOWN_CELL_NS: f64 = 9e7;
/// A drain cell sleeps 5 s, whatever it runs.
pub const DRAIN_CELL_NS: f64 = 5.4e9;
/// A cell under callgrind, typically.
const INSTRUCTIONS_CELL_NS: f64 = 1.3e9;
/// A memory cell against a throughput cell, which runs several times.
const MEMORY_COST: f64 = 0.7;
/// Share of the budget that is planned: pilots are single measurements.
const BUDGET_PLANNED: f64 = 0.92;
/// Operations a thread of a uniform loop under a budget's latency pass.
const LATENCY_LOOP_OPS: u64 = 200_000;
/// Drain cells that sleep side by side.
pub const DRAIN_WORKERS: usize = 4;
/// Fixed repetitions of the full profile where no budget is given.
const FULL_REPS: u32 = 10;

/// One cell to run.
struct Job<'a> {
    choice: &'a Choice,
    workload: &'a Workload,
    threads: usize,
    place: Place,
}

/// A run in progress.
pub struct Campaign<'a> {
    selection: &'a Selection,
    args: &'a RunArgs,
    groups: Vec<Group>,
    cpus: usize,
    limits: Limits,
    record: Record,
    progress: Progress,
    started: Instant,
}

impl<'a> Campaign<'a> {
    /// Plans the groups of this shard.
    pub fn new(
        selection: &'a Selection,
        args: &'a RunArgs,
        shard: (usize, usize),
        record: Record,
    ) -> Result<Campaign<'a>> {
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        let mut groups = plan::groups(&selection.workloads, &selection.threads, cpus);
        if selection.even {
            groups.iter_mut().for_each(|group| group.control = false);
        }
        let of_shard = |index: &mut usize| {
            *index += 1;
            (*index - 1) % shard.1 == shard.0
        };
        let mut index = 0;
        groups.retain(|_| of_shard(&mut index));
        ensure!(!groups.is_empty(), "--shard: this part of the plan is empty; use fewer parts");
        let resident_bytes = match args.memory_limit {
            Some(mib) => mib << 20,
            None => crate::machine::available_bytes().unwrap_or(4 << 30) / 5 * 4,
        };
        let limits = Limits { time: Duration::from_secs(args.time_limit.max(1)), resident_bytes };
        let cells = groups.len() * selection.choices.len();
        let progress = Progress::new(cells as f64 * UNKNOWN_CELL_NS * 12.0);
        Ok(Campaign { selection, args, groups, cpus, limits, record, progress, started: Instant::now() })
    }

    /// Runs everything; what was measured stays on disk whatever happens.
    pub fn run(mut self) -> Result<Record> {
        let outcome = self.run_stages();
        let state = match &outcome {
            Ok(()) if interrupt::requested() => "interrupted; go on with --resume",
            Ok(()) => "complete",
            Err(_) => "ended by an error",
        };
        self.progress.finish();
        self.record.provenance.state = state.into();
        self.record.provenance.finished = crate::machine::utc_now();
        self.record.save()?;
        outcome.map(|()| self.record)
    }

    fn run_stages(&mut self) -> Result<()> {
        let pilot_ns = self.pilot()?;
        if interrupt::requested() {
            return Ok(());
        }
        self.allot(&pilot_ns)?;
        let stages = [Pass::Memory, Pass::Instructions, Pass::Drain];
        for pass in stages.into_iter().filter(|pass| self.selection.passes.contains(pass)) {
            self.side_by_side(pass)?;
        }
        self.rounds()
    }

    /// Time of one throughput block of each group, in order; ends early when the budget is spoken for.
    fn pilot(&mut self) -> Result<Vec<f64>> {
        let groups = self.groups.clone();
        let pass = self
            .selection
            .passes
            .iter()
            .copied()
            .find(|pass| matches!(pass, Pass::Throughput | Pass::Latency));
        let Some(pass) = pass else { return Ok(vec![0.0; groups.len()]) };
        let mut costs = Vec::with_capacity(groups.len());
        let mut needed = self.side_by_side_ns(&[]);
        let mut reserved = groups.iter().all(|group| !group.control);
        for group in &groups {
            if group.tier > 0 && !reserved {
                // What the A/A control will take is spoken for.
                needed +=
                    plan::CONTROL_SHARE * self.budget_ns().map_or(0.0, |budget| (budget - needed).max(0.0));
                reserved = true;
            }
            let planned = self.record.provenance.plan.iter().find(|planned| planned.group == *group);
            let left_out = planned.is_some_and(|planned| planned.blocks.is_none());
            if left_out || self.budget_ns().is_some_and(|budget| needed > budget) {
                costs.push(f64::INFINITY);
                continue;
            }
            let cost = self.block(group, pass, 0)?;
            needed += cost;
            let minimum = self.terms(0.0).minimum_ns(cost);
            // A group that will not fit is passed over, and must not keep cheaper ones behind it from their pilot.
            if self.budget_ns().is_none_or(|budget| needed + minimum <= budget) {
                needed += minimum;
            }
            costs.push(cost);
            if interrupt::requested() {
                break;
            }
        }
        Ok(costs)
    }

    /// Fixes the repetitions of every group, or takes those that the resumed run had fixed.
    fn allot(&mut self, pilot_ns: &[f64]) -> Result<()> {
        if self.record.provenance.plan.is_empty() {
            let blocks = match (self.args.reps, self.budget_ns()) {
                (Some(reps), _) => vec![Some(Blocks { throughput: reps, latency: reps }); self.groups.len()],
                (None, None) => {
                    vec![Some(Blocks { throughput: FULL_REPS, latency: FULL_REPS / 2 }); self.groups.len()]
                }
                (None, Some(budget)) => {
                    let pilot: f64 = pilot_ns.iter().filter(|cost| cost.is_finite()).sum();
                    let left = BUDGET_PLANNED * budget - pilot - self.side_by_side_ns(pilot_ns);
                    plan::allot(&self.groups, pilot_ns, &self.terms(left))
                }
            };
            let groups = self.groups.iter().cloned();
            self.record.provenance.plan =
                groups.zip(blocks).map(|(group, blocks)| Planned { group, blocks }).collect();
            self.record.provenance.left_out = self.left_out();
            self.record.save()?;
        }
        let remaining: f64 = pilot_ns
            .iter()
            .zip(&self.record.provenance.plan)
            .filter_map(|(&cost, planned)| {
                planned.blocks.map(|blocks| cost * f64::from(blocks.throughput + 2 * blocks.latency))
            })
            .sum();
        self.progress.set_remaining(remaining + self.side_by_side_ns(pilot_ns));
        Ok(())
    }

    fn left_out(&self) -> Vec<String> {
        let mut lines = self.selection.missing.clone();
        let groups: Vec<String> = self
            .record
            .provenance
            .plan
            .iter()
            .filter(|planned| planned.blocks.is_none())
            .map(|planned| planned.group.key())
            .collect();
        if !groups.is_empty() {
            let budget = self.selection.budget_seconds.unwrap_or(0);
            let remedy = if self.selection.even { "" } else { "`make bench-full` or " };
            lines.push(format!(
                "did not fit the budget of {budget} s (workload × threads): {}; {remedy}a larger --budget measures them",
                groups.join(", ")
            ));
        }
        let wanted = &self.selection.passes;
        if wanted.contains(&Pass::Instructions) && !runner::has_valgrind() {
            lines.push("instructions per operation: valgrind is not installed".into());
        }
        if wanted.contains(&Pass::Drain) && !self.selection.drains_all() {
            let drained = DRAIN_WORKLOADS.join(", ");
            lines.push(format!("drain points are taken only of {drained} and of recorded traces; --passes drain --workloads takes others"));
        }
        lines
    }

    fn budget_ns(&self) -> Option<f64> {
        self.selection.budget_seconds.map(|seconds| seconds as f64 * 1e9)
    }

    /// Fewest blocks of the latency pass: where p99 is judged place by place, as many as an interval needs to say anything.
    fn latency_min(&self) -> u32 {
        if self.selection.even { plan::THROUGHPUT_MIN } else { plan::LATENCY_MIN }
    }

    fn terms(&self, budget_ns: f64) -> Terms {
        let wants = |pass: Pass| self.selection.passes.contains(&pass);
        let latency_min = self.latency_min();
        Terms { budget_ns, throughput: wants(Pass::Throughput), latency: wants(Pass::Latency), latency_min }
    }

    /// What the untimed passes are estimated to cost; groups without a pilot are reckoned at a typical cell.
    fn side_by_side_ns(&self, pilot_ns: &[f64]) -> f64 {
        let wants = |pass: Pass| self.selection.passes.contains(&pass);
        let mut sum = 0.0;
        if wants(Pass::Memory) {
            let known: f64 = pilot_ns.iter().filter(|cost| cost.is_finite()).sum();
            sum += known * MEMORY_COST / self.cpus as f64;
        }
        if wants(Pass::Instructions) {
            sum += self.jobs(Pass::Instructions).len() as f64 * INSTRUCTIONS_CELL_NS / self.cpus as f64;
        }
        if wants(Pass::Drain) {
            sum += self.jobs(Pass::Drain).len().div_ceil(DRAIN_WORKERS) as f64 * DRAIN_CELL_NS;
        }
        sum
    }

    /// Engines that take part in a group: the A/A control only where threads have CPUs of their own, and, unless engines were
    /// named, only where the profile lets it judge.
    fn takes_part(&self, choice: &Choice, group: &Group) -> bool {
        let judged =
            if self.selection.engines_named { group.threads <= self.cpus.max(2) } else { group.control };
        judged || !choice.label.ends_with(CONTROL_SUFFIX)
    }

    fn workload(&self, name: &str) -> Result<&'a Workload> {
        let found = self.selection.workloads.iter().find(|workload| workload.name == name);
        found.ok_or_else(|| anyhow::anyhow!("the plan names workload '{name}', which was not selected"))
    }

    /// Runs the cells of a block of a timed pass that are not on record, interleaved, and records them. Returns what the
    /// whole block cost.
    fn block(&mut self, group: &Group, pass: Pass, block: u32) -> Result<f64> {
        let workload = self.workload(&group.workload)?;
        let choices: Vec<&'a Choice> =
            self.selection.choices.iter().filter(|choice| self.takes_part(choice, group)).collect();
        let mut cost = 0.0;
        let mut open = Vec::new();
        for (position, choice) in choices.iter().enumerate() {
            let place = Place { pass, block, position: position as u32 };
            let job = Job { choice, workload, threads: group.threads, place };
            match self.record.cost_of(&key(&job)) {
                Some(ns) => cost += ns as f64,
                None => open.push(job),
            }
        }
        let Some(first) = open.first() else { return Ok(cost) };
        self.progress.show(&format!("{}  {}", group.key(), pass.name()));
        let capped = workload.capped(match pass {
            Pass::Latency if self.budget_ns().is_some() => LATENCY_LOOP_OPS,
            _ => u64::MAX,
        });
        let request = job::request(first.choice, &capped, group.threads, self.args, pass);
        let choices: Vec<&Choice> = open.iter().map(|job| job.choice).collect();
        let order_key = format!("{}/{}/{}", group.workload, group.threads, pass.name());
        let order = (self.args.seed, order_key.as_str(), block);
        let finished = block::run(&choices, &request, self.limits, order);
        for (job, finished) in open.iter().zip(&finished) {
            cost += self.keep(job::row(job.choice, &request, job.place, finished), finished)?;
        }
        Ok(cost)
    }

    fn keep(&mut self, row: Option<Row>, finished: &Finished) -> Result<f64> {
        let ns = finished.wall.as_nanos() as f64;
        let Some(row) = row else { return Ok(ns) };
        let measurement = match &finished.ending {
            Ending::Measured(measurement) => Some(&**measurement),
            _ => None,
        };
        self.record.append(&row, measurement)?;
        self.progress.advance(ns);
        Ok(ns)
    }

    /// The cells of an untimed pass.
    fn jobs(&self, pass: Pass) -> Vec<(usize, usize)> {
        let cells = |wanted: &dyn Fn(&Group, &Choice) -> bool| {
            let mut cells = Vec::new();
            for (group_index, group) in self.groups.iter().enumerate() {
                let measured = self
                    .record
                    .provenance
                    .plan
                    .get(group_index)
                    .is_none_or(|planned| planned.blocks.is_some());
                for (choice_index, choice) in self.selection.choices.iter().enumerate() {
                    let control = choice.label.ends_with(CONTROL_SUFFIX);
                    if measured && !control && wanted(group, choice) {
                        cells.push((group_index, choice_index));
                    }
                }
            }
            cells
        };
        match pass {
            Pass::Memory => cells(&|_, _| true),
            Pass::Instructions if runner::has_valgrind() => {
                // A trace is as long as it is: under callgrind some take minutes.
                let cheap = |group: &Group| group.tier == 0 && !group.workload.starts_with(TRACE_GROUP);
                let all = self.budget_ns().is_none();
                cells(&|group, _| group.threads == 1 && (all || cheap(group)))
            }
            Pass::Drain => {
                let all = self.selection.drains_all();
                let threads = self.selection.threads.iter().copied();
                let most = threads.filter(|&threads| all || threads <= self.cpus.max(2)).max();
                let is_wanted =
                    |name: &str, threads| (all || DRAIN_WORKLOADS.contains(&name)) && Some(threads) == most;
                cells(&|group, choice| {
                    let trace = group.workload.starts_with(TRACE_GROUP);
                    (trace || is_wanted(&group.workload, group.threads)) && choice.engine != FLOOR
                })
            }
            _ => Vec::new(),
        }
    }

    /// Runs an untimed pass, several cells at a time; rows are written by this thread alone, as they come.
    fn side_by_side(&mut self, pass: Pass) -> Result<()> {
        // Under callgrind an operation costs some fifty times as much, and needs no repetition to be exact.
        let ops = self.selection.ops.min(job::INSTRUCTION_PASS_OPS);
        let small: Vec<Workload> = match pass {
            Pass::Instructions => {
                self.selection.unscaled.iter().map(|workload| workload.scaled(ops)).collect()
            }
            _ => Vec::new(),
        };
        let mut jobs = Vec::new();
        for (position, (group, choice)) in self.jobs(pass).into_iter().enumerate() {
            let group = &self.groups[group];
            let workload = match small.iter().find(|workload| workload.name == group.workload) {
                Some(workload) => workload,
                None => self.workload(&group.workload)?,
            };
            let place = Place { pass, block: 0, position: position as u32 };
            let job =
                Job { choice: &self.selection.choices[choice], workload, threads: group.threads, place };
            if self.record.cost_of(&key(&job)).is_none() {
                jobs.push(job);
            }
        }
        let workers = if pass == Pass::Drain { DRAIN_WORKERS } else { self.cpus };
        let (args, limits) = (self.args, self.limits);
        let next = AtomicUsize::new(0);
        let (sender, receiver) = mpsc::channel();
        std::thread::scope(|scope| {
            for _ in 0..workers {
                let (sender, jobs, next) = (sender.clone(), &jobs, &next);
                scope.spawn(move || {
                    // Relaxed: the counter hands out indices and publishes nothing.
                    while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if interrupt::requested() || sender.send(run(job, args, &limits)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            for (row, finished) in receiver {
                if let Some(row) = &row {
                    self.progress
                        .show(&format!("{} × {}  {}  {}", row.workload, row.threads, row.pass, row.engine));
                }
                self.keep(row, &finished)?;
            }
            Ok(())
        })
    }

    /// The timed passes; a round is one block of each for every group that still wants one.
    fn rounds(&mut self) -> Result<()> {
        let planned: Vec<(Group, Blocks)> = self
            .record
            .provenance
            .plan
            .iter()
            .filter(|planned| self.groups.contains(&planned.group))
            .filter_map(|planned| Some((planned.group.clone(), planned.blocks?)))
            .collect();
        let most = planned.iter().map(|(_, blocks)| blocks.throughput.max(blocks.latency)).max().unwrap_or(0);
        let mut cut = 0_u32;
        for round in 0..most {
            for index in schedule::round_order(planned.len(), self.args.seed, round) {
                let (group, blocks) = &planned[index];
                for (pass, wanted, least) in [
                    (Pass::Throughput, blocks.throughput, plan::THROUGHPUT_MIN),
                    (Pass::Latency, blocks.latency, self.latency_min()),
                ] {
                    if round >= wanted || !self.selection.passes.contains(&pass) || interrupt::requested() {
                        continue;
                    }
                    if round >= least && self.budget_is_spent() {
                        cut += 1;
                        continue;
                    }
                    self.block(group, pass, round)?;
                }
            }
        }
        if cut > 0 {
            let line = format!(
                "{cut} blocks beyond the minimum of repetitions: the machine was slower than the pilot said"
            );
            self.record.provenance.left_out.push(line);
        }
        Ok(())
    }

    fn budget_is_spent(&self) -> bool {
        self.selection
            .budget_seconds
            .is_some_and(|seconds| self.started.elapsed() > Duration::from_secs(seconds))
    }
}

fn run(job: &Job, args: &RunArgs, limits: &Limits) -> (Option<Row>, Finished) {
    let request = job::request(job.choice, job.workload, job.threads, args, job.place.pass);
    let finished = runner::run(job.choice, &request, limits);
    (job::row(job.choice, &request, job.place, &finished), finished)
}

fn key(job: &Job) -> (String, String, u32, String, u32) {
    let pass = job.place.pass.name().to_string();
    (job.choice.label.clone(), job.workload.name.clone(), job.threads as u32, pass, job.place.block)
}
