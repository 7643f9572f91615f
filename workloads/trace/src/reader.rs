//! Reads a trace, part by part, in bounded memory, from bytes that nobody vouches for.
//!
//! A file may end anywhere: what came before is given out, and [`Reader::ending`] says where it was cut. A part
//! whose checksum or contents are wrong ends the reading in the same way. Only a file that never was a trace, or is
//! one of another version, is an error.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use crate::decode;
use crate::event::Event;
use crate::format::{
    FILE_HEADER_BYTES, MAGIC, Meta, PART_HEADER_BYTES, PartHeader, StreamInfo, TEXT_BYTES_MAX, Totals,
    VERSION, part,
};

/// How a trace ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// There is more to read.
    Open,
    /// With its totals.
    Complete,
    /// The bytes ended at this place.
    Cut {
        /// Bytes of the whole parts before it.
        at_byte: u64,
    },
    /// A part is not as it must be.
    Damaged {
        /// Where it begins.
        at_byte: u64,
        /// What is wrong.
        what: String,
    },
}

impl Ending {
    /// What to tell the user, where the file is not whole.
    pub fn notice(&self) -> Option<String> {
        match self {
            Ending::Open | Ending::Complete => None,
            Ending::Cut { at_byte } => {
                Some(format!("the trace is cut off after byte {at_byte}; what is before is used"))
            }
            Ending::Damaged { at_byte, what } => {
                Some(format!("the trace is damaged at byte {at_byte} ({what}); what is before is used"))
            }
        }
    }
}

/// What [`Reader::next_block`] found.
#[derive(Debug)]
pub struct Block<'a> {
    /// The stream.
    pub stream: u16,
    /// Its next events.
    pub events: &'a [Event],
}

/// A trace that is being read.
pub struct Reader<R> {
    input: R,
    /// Where the file is from.
    pub meta: Meta,
    streams: Vec<Found>,
    at_byte: u64,
    ending: Ending,
    totals: Totals,
    decompressor: zstd::bulk::Decompressor<'static>,
    stored: Vec<u8>,
    raw: Vec<u8>,
    events: Vec<Event>,
}

struct Found {
    info: StreamInfo,
    next_id: u64,
    events: u64,
}

/// Opens a file.
pub fn open(path: &Path) -> Result<Reader<BufReader<File>>, String> {
    let named = |what: String| format!("{}: {what}", path.display());
    let file = File::open(path).map_err(|error| named(format!("cannot be opened: {error}")))?;
    Reader::new(BufReader::with_capacity(64 << 10, file)).map_err(named)
}

/// Fills `buffer` as far as the input goes.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

impl<R: Read> Reader<R> {
    /// Reads the header.
    pub fn new(mut input: R) -> Result<Reader<R>, String> {
        let unread = |error: io::Error| format!("cannot be read: {error}");
        let foreign = || String::from("is no allocation trace; make one with: allocbench record, or import");
        let mut header = [0; FILE_HEADER_BYTES];
        if fill(&mut input, &mut header).map_err(unread)? < FILE_HEADER_BYTES || header[..8] != MAGIC {
            return Err(foreign());
        }
        let version = u16::from_le_bytes([header[8], header[9]]);
        if version != VERSION {
            return Err(format!(
                "is a trace of version {version}, this program reads version {VERSION}; record it anew"
            ));
        }
        let length = u32::from_le_bytes([header[12], header[13], header[14], header[15]]) as usize;
        if length > TEXT_BYTES_MAX {
            return Err("is damaged: its description is too long".into());
        }
        let mut text = vec![0; length + 4];
        if fill(&mut input, &mut text).map_err(unread)? < text.len() {
            return Err("is cut off inside its header; nothing can be read".into());
        }
        let (text, crc) = text.split_at(length);
        if crc32fast::hash(text).to_le_bytes() != crc {
            return Err("is damaged: its header's checksum is wrong".into());
        }
        let meta = serde_json::from_slice(text).map_err(|_| String::from("is damaged: no description"))?;
        Ok(Reader {
            input,
            meta,
            streams: Vec::new(),
            at_byte: (FILE_HEADER_BYTES + length + 4) as u64,
            ending: Ending::Open,
            totals: Totals::default(),
            decompressor: zstd::bulk::Decompressor::new().map_err(unread)?,
            stored: Vec::new(),
            raw: Vec::new(),
            events: Vec::new(),
        })
    }

    /// How the trace ended; [`Ending::Open`] before [`Reader::next_block`] has given `None`.
    pub fn ending(&self) -> &Ending {
        &self.ending
    }

    /// Streams seen so far: description and events.
    pub fn streams(&self) -> impl Iterator<Item = (&StreamInfo, u64)> {
        self.streams.iter().map(|stream| (&stream.info, stream.events))
    }

    /// Events that the recorder could not keep; known at the end.
    pub fn lost(&self) -> u64 {
        self.totals.lost.iter().fold(0, |sum, &lost| sum.saturating_add(lost))
    }

    /// The next block of events, of any stream; `None` at the end.
    pub fn next_block(&mut self) -> Option<Block<'_>> {
        while self.ending == Ending::Open {
            match self.part() {
                Ok(Some(stream)) => return Some(Block { stream, events: &self.events }),
                Ok(None) => {}
                Err(ending) => self.ending = ending,
            }
        }
        None
    }

    /// Calls `each` with every event of the trace and its stream.
    pub fn for_each(&mut self, mut each: impl FnMut(u16, &Event)) {
        while let Some(block) = self.next_block() {
            block.events.iter().for_each(|event| each(block.stream, event));
        }
    }

    fn part(&mut self) -> Result<Option<u16>, Ending> {
        let at_byte = self.at_byte;
        let damaged = |what: String| Ending::Damaged { at_byte, what };
        let cut = |_: io::Error| Ending::Cut { at_byte };
        let mut bytes = [0; PART_HEADER_BYTES];
        if fill(&mut self.input, &mut bytes).map_err(cut)? < PART_HEADER_BYTES {
            return Err(Ending::Cut { at_byte });
        }
        let header = PartHeader::parse(&bytes).map_err(damaged)?;
        self.stored.resize(header.stored_bytes as usize, 0);
        if fill(&mut self.input, &mut self.stored).map_err(cut)? < self.stored.len() {
            return Err(Ending::Cut { at_byte });
        }
        if crc32fast::hash(&self.stored) != header.crc {
            return Err(damaged("its checksum is wrong".into()));
        }
        let found = self.take_part(&header).map_err(damaged)?;
        self.at_byte += (PART_HEADER_BYTES + self.stored.len()) as u64;
        match header.kind {
            part::END => Err(Ending::Complete),
            _ => Ok(found),
        }
    }

    fn take_part(&mut self, header: &PartHeader) -> Result<Option<u16>, String> {
        let text = |_| String::from("a description is no JSON of its kind");
        match header.kind {
            part::STREAM => {
                if usize::from(header.stream) != self.streams.len() {
                    return Err("streams are not in order".into());
                }
                let info = serde_json::from_slice(&self.stored).map_err(text)?;
                self.streams.push(Found { info, next_id: 0, events: 0 });
                Ok(None)
            }
            part::END => {
                self.totals = serde_json::from_slice(&self.stored).map_err(text)?;
                Ok(None)
            }
            _ => self.take_events(header).map(Some),
        }
    }

    fn take_events(&mut self, header: &PartHeader) -> Result<u16, String> {
        let unknown = || String::from("events of a stream that was not begun");
        let stream = self.streams.get_mut(usize::from(header.stream)).ok_or_else(unknown)?;
        if header.first_id != stream.next_id {
            return Err("a block does not follow the one before it".into());
        }
        self.raw.clear();
        self.raw.reserve(header.raw_bytes as usize);
        let count = self
            .decompressor
            .decompress_to_buffer(&self.stored, &mut self.raw)
            .map_err(|_| String::from("a block cannot be decompressed"))?;
        if count != header.raw_bytes as usize {
            return Err("a block is not as long as it says".into());
        }
        decode::block(header, &self.raw, &mut self.events)?;
        let allocs = self.events.iter().filter(|event| matches!(event.op, crate::Op::Alloc { .. })).count();
        stream.next_id += allocs as u64;
        stream.events += self.events.len() as u64;
        Ok(header.stream)
    }
}
