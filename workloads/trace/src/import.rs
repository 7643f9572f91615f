//! AOSP's `memory_replay` text, one event a line (`tid: op pointer args`), plain or zipped, to a trace.
//!
//! The text has no times and names blocks by address; addresses become ids as the lines go by. Memory: the live set
//! and one line. A line that is not understood is an error with its number: half a trace is worse than none.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

use crate::event::{Event, Op};
use crate::format::{ALIGN_LOG2_MAX, SIZE_MAX, StreamInfo, THREADS_MAX};
use crate::live::{IdMap, LIVE_MAX};
use crate::writer::Writer;

/// Longest line, bytes.
const LINE_BYTES_MAX: u64 = 256;

/// What an import found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Lines that held an event.
    pub events: u64,
    /// Threads.
    pub threads: u64,
    /// Highest sum of live bytes.
    pub peak_live_bytes: u64,
    /// Allocations at an address that was live: the text misses a free before.
    pub conflicts: u64,
    /// Frees of NULL or of an address that was not live.
    pub strays: u64,
}

/// Imports the file at `path`; the first member that is a file, where it is a zip archive.
pub fn from_file<W: Write>(path: &Path, writer: &mut Writer<W>) -> Result<Imported, String> {
    let named = |what: String| format!("{}: {what}", path.display());
    let unread = |error: std::io::Error| named(format!("cannot be read: {error}"));
    let mut file = BufReader::new(File::open(path).map_err(unread)?);
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if !file.fill_buf().map_err(unread)?.starts_with(b"PK\x03\x04") {
        return from_text(file, &name, writer).map_err(named);
    }
    let mut archive =
        zip::ZipArchive::new(file).map_err(|error| named(format!("is no readable zip archive: {error}")))?;
    let member = (0..archive.len()).find(|&at| archive.by_index(at).is_ok_and(|member| member.is_file()));
    let member = member.ok_or_else(|| named("the zip archive holds no readable file".into()))?;
    let member = archive.by_index(member).map_err(|error| named(format!("cannot be unzipped: {error}")))?;
    let name = member.name().to_owned();
    from_text(BufReader::new(member), &name, writer).map_err(named)
}

/// Imports text.
pub fn from_text<W: Write>(
    mut input: impl BufRead,
    name: &str,
    writer: &mut Writer<W>,
) -> Result<Imported, String> {
    let unwritten = |error: std::io::Error| format!("the trace cannot be written: {error}");
    let program = name.chars().take(200).collect();
    let stream = writer.stream(&StreamInfo { program, ..StreamInfo::default() }).map_err(unwritten)?;
    let mut importer = Importer {
        writer,
        stream,
        threads: IdMap::default(),
        live: IdMap::default(),
        live_bytes: 0,
        done: Imported::default(),
    };
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let read = input.by_ref().take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut line);
        if read.map_err(|error| format!("line {number}: cannot be read: {error}"))? == 0 {
            break;
        }
        if line.len() as u64 > LINE_BYTES_MAX {
            return Err(format!(
                "line {number}: longer than {LINE_BYTES_MAX} bytes; is this a memory_replay text?"
            ));
        }
        let text = std::str::from_utf8(&line).unwrap_or("\u{fffd}").trim();
        if !text.is_empty() {
            importer.line(text).map_err(|what| format!("line {number}: {what}"))?;
        }
    }
    importer.done.threads = importer.threads.len() as u64;
    Ok(importer.done)
}

struct Importer<'a, W: Write> {
    writer: &'a mut Writer<W>,
    stream: u16,
    threads: IdMap<u32>,
    /// Id and size by address.
    live: IdMap<(u64, u64)>,
    live_bytes: u64,
    done: Imported,
}

fn number(word: Option<&str>) -> Result<u64, String> {
    let word = word.ok_or("a number is missing")?;
    let parsed = match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => word.parse(),
    };
    parsed.map_err(|_| format!("'{}' is not a number", word.escape_default()))
}

fn size(word: Option<&str>) -> Result<u64, String> {
    number(word)
        .and_then(|size| if size <= SIZE_MAX { Ok(size) } else { Err(format!("{size} bytes are no size")) })
}

impl<W: Write> Importer<'_, W> {
    fn line(&mut self, text: &str) -> Result<(), String> {
        let (tid, rest) = text.split_once(':').ok_or("is not of the form `tid: op pointer args`")?;
        let thread = self.thread(number(Some(tid.trim()))?)?;
        let mut words = rest.split_ascii_whitespace();
        let op = words.next().ok_or("an operation is missing")?;
        let address = number(words.next())?;
        match op {
            "malloc" => {
                let size = size(words.next())?;
                self.alloc(thread, address, size, 0, false)?;
            }
            "calloc" => {
                let (count, each) = (size(words.next())?, size(words.next())?);
                let size =
                    count.checked_mul(each).filter(|&size| size <= SIZE_MAX).ok_or("the sizes overflow")?;
                self.alloc(thread, address, size, 0, true)?;
            }
            "memalign" => {
                let align = number(words.next())?;
                let log2 = align.max(1).trailing_zeros() as u8;
                if !align.is_power_of_two() || log2 > ALIGN_LOG2_MAX {
                    return Err(format!("alignment {align} is not a power of two up to 1 GiB"));
                }
                let size = size(words.next())?;
                self.alloc(thread, address, size, log2, false)?;
            }
            "realloc" => {
                let old = number(words.next())?;
                let size = size(words.next())?;
                self.realloc(thread, old, address, size)?;
            }
            "free" => self.free(thread, address)?,
            "thread_done" => self.push(thread, Op::ThreadExit)?,
            other => return Err(format!("operation '{}' is not known", other.escape_default())),
        }
        self.done.events += 1;
        Ok(())
    }

    fn thread(&mut self, tid: u64) -> Result<u32, String> {
        if let Some(&thread) = self.threads.get(&tid) {
            return Ok(thread);
        }
        let thread = self.threads.len() as u32;
        if thread >= THREADS_MAX {
            return Err(format!("more than {THREADS_MAX} threads"));
        }
        self.threads.insert(tid, thread);
        self.push(thread, Op::ThreadStart)?;
        Ok(thread)
    }

    fn push(&mut self, thread: u32, op: Op) -> Result<(), String> {
        let event = Event { thread, time: 0, op };
        self.writer.push(self.stream, &event).map_err(|error| format!("the trace cannot be written: {error}"))
    }

    fn gain(&mut self, address: u64, id: u64, size: u64) {
        self.live.insert(address, (id, size));
        self.live_bytes += size;
        self.done.peak_live_bytes = self.done.peak_live_bytes.max(self.live_bytes);
    }

    fn alloc(
        &mut self,
        thread: u32,
        address: u64,
        size: u64,
        align_log2: u8,
        zeroed: bool,
    ) -> Result<(), String> {
        if self.live.contains_key(&address) {
            self.done.conflicts += 1;
            self.free(thread, address)?;
        }
        if self.live.len() >= LIVE_MAX {
            return Err(format!("more than {LIVE_MAX} blocks are live"));
        }
        let id = self.writer.next_id(self.stream);
        self.gain(address, id, size);
        self.push(thread, Op::Alloc { id, size, align_log2, zeroed })
    }

    fn free(&mut self, thread: u32, address: u64) -> Result<(), String> {
        match self.live.remove(&address) {
            Some((id, size)) => {
                self.live_bytes -= size;
                self.push(thread, Op::Free { id, sized: None })
            }
            None => {
                self.done.strays += 1;
                self.push(thread, Op::Stray)
            }
        }
    }

    fn realloc(&mut self, thread: u32, old: u64, new: u64, size: u64) -> Result<(), String> {
        let Some((id, old_size)) = self.live.remove(&old) else {
            return self.alloc(thread, new, size, 0, false);
        };
        self.live_bytes -= old_size;
        if new == 0 {
            return self.push(thread, Op::Free { id, sized: None });
        }
        if self.live.contains_key(&new) {
            self.done.conflicts += 1;
            self.free(thread, new)?;
        }
        self.gain(new, id, size);
        self.push(thread, Op::Realloc { id, size, moved: new != old })
    }
}
