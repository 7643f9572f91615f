//! What the recording library leaves behind, to a trace.
//!
//! A spool holds records by thread, each with the cycle counter. Two passes: the first finds the *runs* (records of
//! one thread that stand together), the second merges the threads' runs by time and turns addresses into ids. Memory:
//! a run is some words, a thread that is being merged a small buffer, and the live set. A spool whose process was
//! killed ends with records that were not finished, which are passed over.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;

use record_layout::{
    CHUNK_BYTES, CHUNK_RECORDS, CHUNKS_MAX, RECORD_BYTES, Record, THREADS_MAX, header, kind,
};

use crate::event::{Event, Op};
use crate::format::{ALIGN_LOG2_MAX, SIZE_MAX, StreamInfo};
use crate::live::{IdMap, LIVE_MAX};
use crate::writer::Writer;

/// Records read at a time of each thread that is being merged.
const BUFFER_RECORDS: usize = 256;

/// Header of a spool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spool {
    /// Process id.
    pub pid: u32,
    /// Its parent's.
    pub parent_pid: u32,
    /// Executable.
    pub program: String,
    /// The library that served the process behind the recorder.
    pub next: String,
    /// Cycle counter when it began.
    pub start_cycles: u64,
    chunks: u64,
    lost: u64,
}

/// What was turned into a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Converted {
    /// Calls of the program: allocations, frees, reallocations, strays.
    pub calls: u64,
    /// Threads.
    pub threads: u64,
    /// Events the recorder could not keep.
    pub lost: u64,
    /// Records that do not fit together: allocations at an address that was live.
    pub conflicts: u64,
    /// Frees of NULL, of blocks from before the recording, and allocations that failed.
    pub strays: u64,
    /// Highest sum of live bytes.
    pub peak_live_bytes: u64,
}

/// How cycles become time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    /// Nanoseconds of a cycle.
    pub ns_per_cycle: f64,
    /// Nanoseconds of the trace's unit of time.
    pub quantum_ns: u64,
}

/// Records that stand together.
#[derive(Clone, Copy, Debug)]
struct Run {
    first_cycles: u64,
    at_byte: u64,
    records: u32,
}

fn words<const N: usize>(bytes: &[u8]) -> [u64; N] {
    let mut words = [0; N];
    for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(8)) {
        *word = bytes.iter().rev().fold(0, |word, &byte| (word << 8) | u64::from(byte));
    }
    words
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).chars().filter(|c| !c.is_control()).collect()
}

/// Reads as much as there is from `at_byte`.
fn read_at(file: &File, mut buffer: &mut [u8], mut at_byte: u64) -> std::io::Result<usize> {
    let mut filled = 0;
    while !buffer.is_empty() {
        match file.read_at(buffer, at_byte) {
            Ok(0) => break,
            Ok(count) => {
                filled += count;
                at_byte += count as u64;
                buffer = &mut buffer[count..];
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

impl Spool {
    /// Reads the header.
    pub fn open(path: &Path) -> Result<(File, Spool), String> {
        let named = |what: String| format!("{}: {what}", path.display());
        let unread = |error: std::io::Error| named(format!("cannot be read: {error}"));
        let file = File::open(path).map_err(unread)?;
        let mut bytes = vec![0; 4096];
        read_at(&file, &mut bytes, 0).map_err(unread)?;
        let found = words::<{ header::WORDS }>(&bytes);
        if found[header::MAGIC] != record_layout::MAGIC || found[header::VERSION] != record_layout::VERSION {
            return Err(named("is no spool of this recorder".into()));
        }
        let of = |at: usize| text(&bytes[at..at + header::PROGRAM_BYTES]);
        let spool = Spool {
            pid: found[header::PID] as u32,
            parent_pid: found[header::PARENT_PID] as u32,
            program: of(header::PROGRAM_AT),
            next: of(header::NEXT_AT),
            start_cycles: found[header::START_CYCLES],
            chunks: found[header::CHUNKS].min(CHUNKS_MAX),
            lost: found[header::LOST],
        };
        Ok((file, spool))
    }

    /// Converts the records into a stream of `writer`.
    pub fn convert<W: Write>(
        &self,
        file: &File,
        parent: Option<u16>,
        clock: Clock,
        writer: &mut Writer<W>,
    ) -> Result<Converted, String> {
        let info = StreamInfo { pid: self.pid, parent, program: self.program.clone() };
        let stream = writer.stream(&info).map_err(unwritten)?;
        let runs = self.runs(file)?;
        let mut merge = Merge::new(file, runs);
        let mut sink = Sink::new(writer, stream, clock, self.start_cycles);
        while let Some((thread, record)) = merge.next()? {
            sink.record(thread, &record)?;
        }
        sink.done.threads = sink.threads.len() as u64;
        sink.done.lost = self.lost;
        let done = sink.done;
        writer.lose(stream, self.lost);
        Ok(done)
    }

    /// The runs of every thread, in the order of their time.
    fn runs(&self, file: &File) -> Result<BTreeMap<u32, Vec<Run>>, String> {
        let mut runs: BTreeMap<u32, Vec<Run>> = BTreeMap::new();
        let mut bytes = vec![0; CHUNK_BYTES];
        for chunk in 1..=self.chunks {
            let base = chunk * CHUNK_BYTES as u64;
            let filled = read_at(file, &mut bytes, base).map_err(unread)?;
            let mut thread = None;
            for at in 0..(filled / RECORD_BYTES).min(CHUNK_RECORDS) {
                let Some(record) = Record::from_words(words(&bytes[at * RECORD_BYTES..][..RECORD_BYTES]))
                else {
                    continue;
                };
                if record.kind == kind::THREAD {
                    thread = u32::try_from(record.address).ok().filter(|&n| u64::from(n) < THREADS_MAX);
                    if let Some(thread) = thread {
                        let at_byte = base + (at * RECORD_BYTES) as u64;
                        let run = Run { first_cycles: record.cycles, at_byte, records: 0 };
                        runs.entry(thread).or_default().push(run);
                    }
                }
                // The record counts with all before it in the run, those that were not finished too.
                if let Some(run) =
                    thread.and_then(|thread| runs.get_mut(&thread)).and_then(|runs| runs.last_mut())
                {
                    let behind = base + ((at + 1) * RECORD_BYTES) as u64 - run.at_byte;
                    run.records = (behind / RECORD_BYTES as u64) as u32;
                }
            }
        }
        for runs in runs.values_mut() {
            runs.sort_by_key(|run| Reverse(run.first_cycles));
        }
        Ok(runs)
    }
}

fn unread(error: std::io::Error) -> String {
    format!("the spool cannot be read: {error}")
}

fn unwritten(error: std::io::Error) -> String {
    format!("the trace cannot be written: {error}")
}

/// A thread in the merge.
struct Cursor {
    /// Runs that come later, the last of them first.
    runs: Vec<Run>,
    /// Rest of the present run in the file.
    at_byte: u64,
    left: u32,
    buffer: Vec<Record>,
}

/// All threads' records in the order of time.
struct Merge<'a> {
    file: &'a File,
    cursors: HashMap<u32, Cursor>,
    /// Time of each thread's next record.
    heads: BinaryHeap<Reverse<(u64, u32)>>,
}

impl<'a> Merge<'a> {
    fn new(file: &'a File, runs: BTreeMap<u32, Vec<Run>>) -> Merge<'a> {
        let mut merge = Merge { file, cursors: HashMap::new(), heads: BinaryHeap::new() };
        for (thread, runs) in runs {
            if let Some(first) = runs.last() {
                merge.heads.push(Reverse((first.first_cycles, thread)));
            }
            merge.cursors.insert(thread, Cursor { runs, at_byte: 0, left: 0, buffer: Vec::new() });
        }
        merge
    }

    fn next(&mut self) -> Result<Option<(u32, Record)>, String> {
        let Some(Reverse((_, thread))) = self.heads.pop() else { return Ok(None) };
        let Some(cursor) = self.cursors.get_mut(&thread) else { return Ok(None) };
        let record = cursor.next(self.file)?;
        match cursor.peek(self.file)? {
            Some(cycles) => self.heads.push(Reverse((cycles, thread))),
            None => drop(self.cursors.remove(&thread)),
        }
        match record {
            Some(record) => Ok(Some((thread, record))),
            None => self.next(),
        }
    }
}

impl Cursor {
    fn next(&mut self, file: &File) -> Result<Option<Record>, String> {
        self.refill(file)?;
        Ok(self.buffer.pop())
    }

    fn peek(&mut self, file: &File) -> Result<Option<u64>, String> {
        // A run that has not begun is not read for its time.
        if self.buffer.is_empty() && self.left == 0 {
            return Ok(self.runs.last().map(|run| run.first_cycles));
        }
        self.refill(file)?;
        Ok(self.buffer.last().map(|record| record.cycles))
    }

    fn refill(&mut self, file: &File) -> Result<(), String> {
        while self.buffer.is_empty() {
            if self.left == 0 {
                let Some(run) = self.runs.pop() else { return Ok(()) };
                (self.at_byte, self.left) = (run.at_byte, run.records);
            }
            let records = (self.left as usize).min(BUFFER_RECORDS);
            let mut bytes = vec![0; records * RECORD_BYTES];
            read_at(file, &mut bytes, self.at_byte).map_err(unread)?;
            self.buffer.extend(
                bytes.chunks_exact(RECORD_BYTES).filter_map(|bytes| Record::from_words(words(bytes))),
            );
            self.buffer.reverse();
            self.at_byte += bytes.len() as u64;
            self.left -= records as u32;
        }
        Ok(())
    }
}

/// From records to events.
struct Sink<'a, W: Write> {
    writer: &'a mut Writer<W>,
    stream: u16,
    clock: Clock,
    start_cycles: u64,
    /// Numbers of the threads, in the order in which they are seen.
    threads: HashMap<u32, u32>,
    /// Id and size by address.
    live: IdMap<(u64, u64)>,
    /// Address, id and size of the block that a thread is resizing.
    resizing: HashMap<u32, Option<(u64, u64, u64)>>,
    live_bytes: u64,
    time: u64,
    done: Converted,
}

impl<'a, W: Write> Sink<'a, W> {
    fn new(writer: &'a mut Writer<W>, stream: u16, clock: Clock, start_cycles: u64) -> Self {
        Sink {
            writer,
            stream,
            clock,
            start_cycles,
            threads: HashMap::new(),
            live: IdMap::default(),
            resizing: HashMap::new(),
            live_bytes: 0,
            time: 0,
            done: Converted::default(),
        }
    }

    fn push(&mut self, thread: u32, op: Op) -> Result<(), String> {
        self.done.calls += u64::from(op.is_call());
        let event = Event { thread, time: self.time, op };
        self.writer.push(self.stream, &event).map_err(unwritten)
    }

    fn record(&mut self, recorded: u32, record: &Record) -> Result<(), String> {
        let ns = record.cycles.saturating_sub(self.start_cycles) as f64 * self.clock.ns_per_cycle;
        self.time = self.time.max((ns / self.clock.quantum_ns.max(1) as f64) as u64);
        let thread = self.thread(recorded)?;
        let size = record.size.min(SIZE_MAX);
        match record.kind {
            kind::ALLOC | kind::CALLOC => {
                let zeroed = record.kind == kind::CALLOC;
                self.alloc(thread, record.address, size, record.align_log2.min(ALIGN_LOG2_MAX), zeroed)
            }
            kind::FREE => self.free(thread, record.address, None),
            kind::FREE_SIZED => self.free(thread, record.address, Some(size)),
            kind::RESIZE => {
                let block = self.live.remove(&record.address);
                self.resizing.insert(thread, block.map(|(id, size)| (record.address, id, size)));
                Ok(())
            }
            kind::RESIZED => self.resized(thread, record.address, size),
            kind::EXIT => self.push(thread, Op::ThreadExit),
            kind::STRAY => self.stray(thread),
            _ => Ok(()),
        }
    }

    fn thread(&mut self, recorded: u32) -> Result<u32, String> {
        if let Some(&thread) = self.threads.get(&recorded) {
            return Ok(thread);
        }
        let thread = self.threads.len() as u32;
        self.threads.insert(recorded, thread);
        self.push(thread, Op::ThreadStart)?;
        Ok(thread)
    }

    fn stray(&mut self, thread: u32) -> Result<(), String> {
        self.done.strays += 1;
        self.push(thread, Op::Stray)
    }

    fn gain(&mut self, address: u64, id: u64, size: u64) -> Result<(), String> {
        if self.live.len() >= LIVE_MAX {
            return Err(format!("more than {LIVE_MAX} blocks are live"));
        }
        self.live.insert(address, (id, size));
        self.live_bytes += size;
        self.done.peak_live_bytes = self.done.peak_live_bytes.max(self.live_bytes);
        Ok(())
    }

    /// A record says that `address` is new: whatever is known to be there was freed unseen.
    fn vacate(&mut self, thread: u32, address: u64) -> Result<(), String> {
        if let Some((id, size)) = self.live.remove(&address) {
            self.done.conflicts += 1;
            self.live_bytes -= size;
            self.done.calls -= 1;
            self.push(thread, Op::Free { id, sized: None })?;
        }
        Ok(())
    }

    fn alloc(
        &mut self,
        thread: u32,
        address: u64,
        size: u64,
        align_log2: u8,
        zeroed: bool,
    ) -> Result<(), String> {
        self.vacate(thread, address)?;
        let id = self.writer.next_id(self.stream);
        self.gain(address, id, size)?;
        self.push(thread, Op::Alloc { id, size, align_log2, zeroed })
    }

    fn free(&mut self, thread: u32, address: u64, sized: Option<u64>) -> Result<(), String> {
        match self.live.remove(&address) {
            Some((id, size)) => {
                self.live_bytes -= size;
                self.push(thread, Op::Free { id, sized })
            }
            None => self.stray(thread),
        }
    }

    fn resized(&mut self, thread: u32, address: u64, size: u64) -> Result<(), String> {
        match (self.resizing.remove(&thread).flatten(), address, size) {
            // It was freed, as glibc does at size 0.
            (Some((_, id, old_size)), 0, 0) => {
                self.live_bytes -= old_size;
                self.push(thread, Op::Free { id, sized: None })
            }
            // It failed: the block is where it was.
            (Some((old, id, old_size)), 0, _) => {
                self.live.insert(old, (id, old_size));
                self.stray(thread)
            }
            (Some((old, id, old_size)), _, _) => {
                self.live_bytes -= old_size;
                self.vacate(thread, address)?;
                self.gain(address, id, size)?;
                self.push(thread, Op::Realloc { id, size, moved: address != old })
            }
            (None, 0, _) => self.stray(thread),
            // A block from before the recording became one that is known.
            (None, _, _) => self.alloc(thread, address, size, 0, false),
        }
    }
}
