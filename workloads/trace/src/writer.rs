//! Writes a trace: block after block, to anything that takes bytes. Memory: one block a stream.
//!
//! Streams may be written in any interleaving. [`Writer::finish`] writes the totals; a file without them is a file
//! that was cut, and reads as one.

use std::io::{self, Write};

use serde::Serialize;

use crate::encode::Columns;
use crate::event::Event;
use crate::format::{
    FILE_HEADER_BYTES, HAS_TIMES, MAGIC, Meta, PartHeader, STREAMS_MAX, StreamInfo, TEXT_BYTES_MAX, Totals,
    VERSION, ZSTD_LEVEL, part,
};

/// A trace that is being written.
pub struct Writer<W> {
    out: W,
    timed: bool,
    streams: Vec<Stream>,
    compressor: zstd::bulk::Compressor<'static>,
}

struct Stream {
    columns: Columns,
    events: u64,
    lost: u64,
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

fn text(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let text = serde_json::to_vec(value)?;
    if text.len() > TEXT_BYTES_MAX {
        return Err(invalid("a description is larger than 64 KiB"));
    }
    Ok(text)
}

impl<W: Write> Writer<W> {
    /// Begins a trace.
    pub fn new(mut out: W, meta: &Meta) -> io::Result<Writer<W>> {
        let text = text(meta)?;
        let mut header = Vec::with_capacity(FILE_HEADER_BYTES + text.len() + 4);
        header.extend(MAGIC);
        header.extend(VERSION.to_le_bytes());
        header.extend([0; 2]);
        header.extend((text.len() as u32).to_le_bytes());
        header.extend(&text);
        header.extend(crc32fast::hash(&text).to_le_bytes());
        out.write_all(&header)?;
        Ok(Writer {
            out,
            timed: meta.quantum_ns > 0,
            streams: Vec::new(),
            compressor: zstd::bulk::Compressor::new(ZSTD_LEVEL)?,
        })
    }

    /// Begins a stream; returns its number.
    pub fn stream(&mut self, info: &StreamInfo) -> io::Result<u16> {
        let number = self.streams.len();
        if number >= STREAMS_MAX {
            return Err(invalid("more processes than a trace can hold"));
        }
        self.streams.push(Stream { columns: Columns::new(self.timed), events: 0, lost: 0 });
        self.text(part::STREAM, number as u16, &text(info)?)?;
        Ok(number as u16)
    }

    fn text(&mut self, kind: u8, stream: u16, text: &[u8]) -> io::Result<()> {
        let header = PartHeader {
            kind,
            flags: 0,
            stream,
            events: 0,
            raw_bytes: text.len() as u32,
            stored_bytes: text.len() as u32,
            first_id: 0,
            first_time: 0,
            crc: crc32fast::hash(text),
        };
        self.out.write_all(&header.bytes())?;
        self.out.write_all(text)
    }

    /// Id that the next allocation of a stream gets.
    pub fn next_id(&self, stream: u16) -> u64 {
        self.streams.get(usize::from(stream)).map_or(0, |stream| stream.columns.next_id())
    }

    /// Adds an event. An allocation's id is [`Writer::next_id`], whatever the event says.
    pub fn push(&mut self, stream: u16, event: &Event) -> io::Result<()> {
        let Some(found) = self.streams.get_mut(usize::from(stream)) else {
            return Err(invalid("the stream was not begun"));
        };
        found.columns.push(event);
        found.events += 1;
        if found.columns.is_full() { self.block(stream) } else { Ok(()) }
    }

    /// Notes events that were lost before they came here.
    pub fn lose(&mut self, stream: u16, events: u64) {
        if let Some(stream) = self.streams.get_mut(usize::from(stream)) {
            stream.lost += events;
        }
    }

    fn block(&mut self, stream: u16) -> io::Result<()> {
        let columns = &mut self.streams[usize::from(stream)].columns;
        let (events, first_id, first_time) = (columns.len() as u32, columns.first_id, columns.first_time);
        let raw = columns.take();
        let stored = self.compressor.compress(&raw)?;
        let header = PartHeader {
            kind: part::EVENTS,
            flags: if self.timed { HAS_TIMES } else { 0 },
            stream,
            events,
            raw_bytes: raw.len() as u32,
            stored_bytes: stored.len() as u32,
            first_id,
            first_time,
            crc: crc32fast::hash(&stored),
        };
        self.out.write_all(&header.bytes())?;
        self.out.write_all(&stored)
    }

    /// Writes what is left and the totals; returns what was written to.
    pub fn finish(mut self) -> io::Result<W> {
        for stream in 0..self.streams.len() {
            if !self.streams[stream].columns.is_empty() {
                self.block(stream as u16)?;
            }
        }
        let totals = Totals {
            events: self.streams.iter().map(|stream| stream.events).collect(),
            lost: self.streams.iter().map(|stream| stream.lost).collect(),
        };
        self.text(part::END, 0, &text(&totals)?)?;
        self.out.flush()?;
        Ok(self.out)
    }
}
