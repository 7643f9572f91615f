//! Directing a run of programs: starts the threads, brings them from one part to the next, gathers what they found.
//!
//! Every thread walks through every meeting, whether it failed or not; so a thread that ran out of memory keeps
//! nobody waiting. `stop` ends the waits for a neighbour that will not come.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Builder, ScopedJoinHandle};
use std::time::Instant;

use crate::clock;
use crate::content::Content;
use crate::exec::{Lane, Patience};
use crate::pin::bind_worker;
use crate::probe::{Findings, Probe, Room};
use crate::program::{Act, Program, Tallies, Tally};
use crate::raw::{Heap, LiveSet, ring};
use crate::rendezvous::{GivenUp, Rendezvous};
use crate::run::{Hooks, Mode, Opening, Outcome, RunError, RunOptions, Samples};

/// Bytes of each thread's stack that are made resident before the clock starts.
const STACK_RESIDENT_BYTES: usize = 32 << 10;

/// What the threads of a run share.
struct Stage<'a> {
    /// Told when a worker waits and when it works.
    hooks: &'a dyn Hooks,
    rendezvous: Rendezvous,
    /// Set by a thread that failed; read by those that wait. Relaxed: it only shortens the run.
    stop: AtomicBool,
    /// Set with a failure after which no block can be trusted: then nothing is freed. Written before the meeting at
    /// the end of the clock, read after it; the meeting's lock orders them.
    leak: AtomicBool,
    /// Threads awake before the start. Release by each, Acquire by the director: nobody sleeps when the clock starts.
    awake: AtomicUsize,
    /// The start. Release by the director, Acquire by the threads.
    go: AtomicBool,
}

/// Gives the meetings up when its owner goes before the end.
struct Presence<'a>(&'a Stage<'a>, bool);

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        if !self.1 {
            self.0.stop.store(true, Ordering::Relaxed);
            self.0.rendezvous.give_up();
        }
    }
}

/// What one thread found.
struct Report {
    begin: Instant,
    end: Instant,
    received: u64,
    served_checks: u64,
    verified_blocks: u64,
    findings: Findings,
    fault: Option<RunError>,
}

/// Runs `programs`, one a thread.
pub fn run<P: Probe, C: Content>(
    (mut programs, mut tallies): (Vec<Program>, Vec<Tallies>),
    phases: &[String],
    opening: &Opening,
    options: &RunOptions,
    hooks: &dyn Hooks,
) -> Result<Outcome, RunError> {
    let mut calibration = None;
    if let Mode::Timed { max_samples_per_thread } = options.mode {
        let most = max_samples_per_thread as u64;
        let ops = |tally: &Tally| tally.allocs + tally.frees + tally.hand_offs + tally.reallocs;
        for (program, tally) in programs.iter_mut().zip(&mut tallies) {
            if ops(&tally.1) > most {
                program.truncate(most);
                *tally = program.tally(1);
            }
        }
        calibration = Some(clock::calibration());
    }
    let lanes = lanes::<P, C>(&programs, &tallies, opening.heap);
    let stage = Stage {
        hooks,
        rendezvous: Rendezvous::new(programs.len() + 1),
        stop: AtomicBool::new(false),
        leak: AtomicBool::new(false),
        awake: AtomicUsize::new(0),
        go: AtomicBool::new(false),
    };
    let (checks, reports) = thread::scope(|scope| {
        let mut presence = Presence(&stage, false);
        let mut handles = Vec::with_capacity(programs.len());
        for (number, (lane, program)) in lanes.into_iter().zip(&programs).enumerate() {
            let stage = &stage;
            let builder = Builder::new().name(format!("lane-{number}"));
            let started = builder.spawn_scoped(scope, move || {
                if options.pin {
                    bind_worker(number);
                }
                work(lane, program, stage)
            });
            handles.push(started.map_err(|error| {
                RunError::OutOfMemory(format!("thread {number} could not be started: {error}"))
            })?);
        }
        let checks = open(&stage, opening);
        let directed = match checks {
            Ok(_) => direct(&stage, programs.len(), phases),
            Err(_) => Err(GivenUp),
        };
        opening.close();
        presence.1 = directed.is_ok();
        drop(presence);
        let reports: Vec<_> = handles.into_iter().map(join).collect();
        checks.map(|checks| (checks, reports))
    })?;
    let mut outcome = gather(reports, &programs, &tallies, calibration)?;
    outcome.served_checks += checks;
    Ok(outcome)
}

fn join(handle: ScopedJoinHandle<Option<Report>>) -> Option<Report> {
    handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The part before the threads call the engine.
fn open(stage: &Stage, opening: &Opening) -> Result<u64, RunError> {
    let given_up = |_| RunError::Unsupported("the run was given up".into());
    stage.rendezvous.meet().map_err(given_up)?; // Started.
    stage.hooks.before_engine();
    let checks = opening.open()?;
    stage.rendezvous.meet().map_err(given_up)?;
    Ok(checks)
}

fn direct(stage: &Stage, threads: usize, phases: &[String]) -> Result<(), GivenUp> {
    let (meeting, hooks) = (&stage.rendezvous, stage.hooks);
    meeting.meet()?; // Warmed up.
    meeting.meet()?; // Ready.
    hooks.before_clock();
    meeting.meet()?;
    let mut patience = Patience::new();
    while stage.awake.load(Ordering::Acquire) < threads {
        patience.wait();
    }
    stage.go.store(true, Ordering::Release);
    for name in phases {
        meeting.meet()?;
        hooks.phase(name);
        meeting.meet()?;
    }
    meeting.meet()?; // Done.
    hooks.after_clock();
    meeting.meet()?;
    meeting.meet()?; // Drained.
    hooks.drained();
    meeting.meet()
}

/// Lanes with their rings and buffers, all resident.
fn lanes<P: Probe, C: Content>(programs: &[Program], tallies: &[Tallies], heap: Heap) -> Vec<Lane<P, C>> {
    let threads = programs.len();
    let mut rooms: Vec<Room> = tallies
        .iter()
        .map(|(_, timed)| Room {
            allocs: timed.allocs as usize,
            frees: timed.frees as usize,
            reallocs: timed.reallocs as usize,
            ..Room::default()
        })
        .collect();
    let (mut outboxes, mut inboxes) = (Vec::with_capacity(threads), Vec::with_capacity(threads));
    inboxes.resize_with(threads, || None);
    for (number, program) in programs.iter().enumerate() {
        let sent = (tallies[number].0.hand_offs + tallies[number].1.hand_offs) as usize;
        outboxes.push(program.sends_to.map(|to| {
            let (sender, receiver) = ring(program.ring.unwrap_or(sent));
            inboxes[to] = Some(receiver);
            rooms[to].received = rooms[number].own.clone();
            rooms[to].frees += sent;
            sender
        }));
    }
    let ends = outboxes.into_iter().zip(inboxes);
    let parts = ends.zip(rooms).zip(tallies);
    let lane = |(((outbox, inbox), room), (warm, timed)): (((_, _), Room), &Tallies)| Lane {
        heap,
        live: LiveSet::new(warm.peak_live.max(timed.peak_live)),
        outbox,
        inbox,
        probe: P::new(&room),
        content: C::default(),
        received: 0,
    };
    parts.map(lane).collect()
}

/// One thread from start to end; `None` when the run was given up.
fn work<P: Probe, C: Content>(mut lane: Lane<P, C>, program: &Program, stage: &Stage) -> Option<Report> {
    let mut presence = Presence(stage, false);
    let engine = lane.heap.engine();
    black_box(&mut [1_u8; STACK_RESIDENT_BYTES]);
    stage.rendezvous.meet().ok()?; // Started.
    stage.rendezvous.meet().ok()?;
    engine.enter_thread();
    let report = parts(&mut lane, program, stage);
    engine.leave_thread();
    presence.1 = report.is_ok();
    let mut report = report.ok()?;
    report.verified_blocks = lane.content.verified();
    report.findings = lane.probe.finish();
    Some(report)
}

fn parts<P: Probe, C: Content>(
    lane: &mut Lane<P, C>,
    program: &Program,
    stage: &Stage,
) -> Result<Report, GivenUp> {
    let meeting = &stage.rendezvous;
    let mut fault = lane.play(&program.warm, &stage.stop).err();
    note(stage, &fault);
    meeting.meet()?; // Warmed up: nothing more comes in before the clock.
    fault = fault.or_else(|| lane.receive_all().err());
    note(stage, &fault);
    lane.received = 0;
    lane.probe.restart();
    stage.hooks.waits();
    meeting.meet()?; // Ready.
    meeting.meet()?;
    stage.awake.fetch_add(1, Ordering::Release);
    let mut patience = Patience::new();
    while !stage.go.load(Ordering::Acquire) && !stage.stop.load(Ordering::Relaxed) {
        patience.wait();
    }
    stage.hooks.works();
    let begin = Instant::now();
    for act in &program.acts {
        perform(lane, act, stage, &mut fault)?;
    }
    let end = Instant::now();
    stage.hooks.waits();
    let received = lane.received;
    lane.outbox = None;
    meeting.meet()?; // Done.
    meeting.meet()?;
    let mut served_checks = 0;
    if !stage.leak.load(Ordering::Relaxed) {
        let checked = lane.check_served().map(|checks| served_checks = checks);
        // Blocks of an engine that did not make them stay where they are; after a lack of memory all are freed.
        fault = fault.or(checked.and_then(|()| lane.drain()).err());
    }
    meeting.meet()?; // Drained.
    meeting.meet()?;
    let findings = Findings::default();
    Ok(Report { begin, end, received, served_checks, verified_blocks: 0, findings, fault })
}

fn note(stage: &Stage, fault: &Option<RunError>) {
    if let Some(fault) = fault {
        stage.stop.store(true, Ordering::Relaxed);
        if !matches!(fault, RunError::OutOfMemory(_)) {
            stage.leak.store(true, Ordering::Relaxed);
        }
    }
}

/// One step; after a fault only meetings are kept.
fn perform<P: Probe, C: Content>(
    lane: &mut Lane<P, C>,
    act: &Act,
    stage: &Stage,
    fault: &mut Option<RunError>,
) -> Result<(), GivenUp> {
    let stopped = stage.stop.load(Ordering::Relaxed);
    let done = match act {
        Act::Phase => {
            stage.hooks.waits();
            stage.rendezvous.meet()?;
            stage.rendezvous.meet()?;
            stage.hooks.works();
            if stopped { Ok(()) } else { lane.receive_all().map(drop) }
        }
        Act::Close => {
            lane.outbox = None;
            Ok(())
        }
        _ if stopped => Ok(()),
        Act::Play(part) => lane.play_loop(part, &stage.stop),
        Act::Spawn { part, words_each } => lane.play_spawned(part, *words_each, &stage.stop),
        Act::Sleep(time) => {
            thread::sleep(*time);
            Ok(())
        }
        Act::Collect => lane.collect(&stage.stop),
    };
    if let Err(error) = done {
        fault.get_or_insert(error);
        note(stage, fault);
    }
    Ok(())
}

fn gather(
    reports: Vec<Option<Report>>,
    programs: &[Program],
    tallies: &[Tallies],
    calibration: Option<clock::Calibration>,
) -> Result<Outcome, RunError> {
    let given_up = || RunError::Unsupported("the run was given up".into());
    let mut reports = reports.into_iter().collect::<Option<Vec<_>>>().ok_or_else(given_up)?;
    if let Some(fault) = reports.iter_mut().find_map(|report| report.fault.take()) {
        return Err(fault);
    }
    let begin = reports.iter().map(|report| report.begin).min().ok_or_else(given_up)?;
    let end = reports.iter().map(|report| report.end).max().ok_or_else(given_up)?;
    let timed: Vec<&Tally> = tallies.iter().map(|(_, timed)| timed).collect();
    let sum = |count: fn(&Tally) -> u64| timed.iter().map(|tally| count(tally)).sum::<u64>();
    let own = |number: usize| programs[number].sends_to == Some(number);
    let received: u64 = reports.iter().map(|report| report.received).sum();
    let others = reports.iter().enumerate().filter(|(number, _)| !own(*number));
    let received_from_others: u64 = others.map(|(_, report)| report.received).sum();
    let mut outcome = Outcome {
        elapsed_ns: (end - begin).as_nanos() as u64,
        threads_elapsed_ns: reports.iter().map(|r| (r.end - r.begin).as_nanos() as u64).collect(),
        allocs: sum(|tally| tally.allocs),
        frees: sum(|tally| tally.frees) + received,
        reallocs: sum(|tally| tally.reallocs),
        remote_frees: sum(|tally| tally.frees_of_others) + received_from_others,
        requested_bytes_sum: sum(|tally| tally.requested_bytes_sum),
        usable_bytes_sum: None,
        peak_live_requested_bytes: sum(|tally| tally.peak_live_bytes),
        peak_live_usable_bytes: None,
        samples: None,
        served_checks: reports.iter().map(|report| report.served_checks).sum(),
        verified_blocks: reports.iter().map(|report| report.verified_blocks).sum(),
    };
    merge(&mut outcome, reports.into_iter().map(|report| report.findings), calibration);
    Ok(outcome)
}

/// Adds what the probes found.
pub fn merge(
    outcome: &mut Outcome,
    findings: impl Iterator<Item = Findings>,
    calibration: Option<clock::Calibration>,
) {
    let (mut requested, mut usable, mut usable_sum, mut accounts) = (0, 0, 0, 0);
    let mut samples = [Vec::new(), Vec::new(), Vec::new()];
    for mut found in findings {
        for (all, own) in samples.iter_mut().zip(&mut found.samples) {
            all.append(own);
        }
        if let Some(account) = found.account {
            accounts += 1;
            usable_sum += account.usable_bytes_sum;
            requested += account.peak_live_requested_bytes;
            usable += account.peak_live_usable_bytes;
        }
    }
    if accounts > 0 {
        outcome.usable_bytes_sum = Some(usable_sum);
        outcome.peak_live_requested_bytes = requested;
        outcome.peak_live_usable_bytes = Some(usable);
    }
    let [alloc, free, realloc] = samples;
    outcome.samples = calibration.map(|calibration| Samples {
        alloc,
        free,
        realloc,
        clock_overhead_cycles: calibration.overhead_cycles,
        ns_per_cycle: calibration.ns_per_cycle,
    });
}
