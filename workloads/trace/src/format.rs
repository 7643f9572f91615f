//! The file's frame: magic, versions, limits, and the small headers in front of each part.
//!
//! `docs/TRACES.md` is the description; a test holds it to the constants here. All integers are little-endian. The
//! limits bound what a reader allocates for any input: two buffers of [`RAW_BYTES_MAX`] and [`EVENTS_MAX`] events.

use serde::{Deserialize, Serialize};

/// First bytes of a trace.
pub const MAGIC: [u8; 8] = *b"ALLOCTRC";
/// Version that is written. A reader refuses any other.
pub const VERSION: u16 = 1;
/// Bytes of the file header before the description.
pub const FILE_HEADER_BYTES: usize = 16;
/// Largest description (JSON) of the file or of a stream, bytes.
pub const TEXT_BYTES_MAX: usize = 64 << 10;
/// Bytes of a part's header.
pub const PART_HEADER_BYTES: usize = 36;
/// Events of a block.
pub const EVENTS_MAX: usize = 1 << 16;
/// Bytes of a block before compression.
pub const RAW_BYTES_MAX: usize = 4 << 20;
/// Bytes of a block as it is stored: zstd adds little to what it cannot compress.
pub const STORED_BYTES_MAX: usize = RAW_BYTES_MAX + (RAW_BYTES_MAX >> 8) + 64;
/// Streams of a file.
pub const STREAMS_MAX: usize = 4096;
/// Threads of a stream.
pub const THREADS_MAX: u32 = 1 << 20;
/// Largest size of a block that is believed, bytes: the address space.
pub const SIZE_MAX: u64 = 1 << 47;
/// Largest log2 of an alignment.
pub const ALIGN_LOG2_MAX: u8 = 30;
/// Largest time, quanta.
pub const TIME_MAX: u64 = 1 << 62;
/// zstd level of a writer: level 19 takes ten times as long for a twentieth less.
pub const ZSTD_LEVEL: i32 = 12;

/// Kinds of parts.
pub mod part {
    /// A stream's description (JSON).
    pub const STREAM: u8 = 1;
    /// A block of events.
    pub const EVENTS: u8 = 2;
    /// The end: totals (JSON). A file without it was cut.
    pub const END: u8 = 3;
}

/// Where the file is from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Meta {
    /// Program that wrote the file.
    pub tool: String,
    /// `record` or `import`.
    pub source: String,
    /// What was recorded.
    pub command: Vec<String>,
    /// Library that served the recorded program's allocations, empty for the C library.
    pub allocator: String,
    /// Nanoseconds of a unit of time; 0 where the source knows no time.
    pub quantum_ns: u64,
}

/// A process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StreamInfo {
    /// Process id when it was recorded, 0 where unknown.
    pub pid: u32,
    /// The stream of the process that forked or ran it, where known.
    pub parent: Option<u16>,
    /// Executable or other name.
    pub program: String,
}

/// Totals at the end of a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// Events of every stream.
    pub events: Vec<u64>,
    /// Events that the recorder could not keep, by stream.
    pub lost: Vec<u64>,
}

/// Header of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartHeader {
    /// One of [`part`].
    pub kind: u8,
    /// Bit 0: a block has times.
    pub flags: u8,
    /// The stream.
    pub stream: u16,
    /// Events of a block.
    pub events: u32,
    /// Bytes before compression; of texts, which are not compressed, the same as stored.
    pub raw_bytes: u32,
    /// Bytes that follow the header.
    pub stored_bytes: u32,
    /// Allocations of the stream before this block.
    pub first_id: u64,
    /// Time from which the first event's is counted.
    pub first_time: u64,
    /// CRC-32 of the stored bytes.
    pub crc: u32,
}

/// Flag: the block has times.
pub const HAS_TIMES: u8 = 1;

impl PartHeader {
    /// As bytes.
    pub fn bytes(&self) -> [u8; PART_HEADER_BYTES] {
        let mut out = [0; PART_HEADER_BYTES];
        out[0] = self.kind;
        out[1] = self.flags;
        out[2..4].copy_from_slice(&self.stream.to_le_bytes());
        out[4..8].copy_from_slice(&self.events.to_le_bytes());
        out[8..12].copy_from_slice(&self.raw_bytes.to_le_bytes());
        out[12..16].copy_from_slice(&self.stored_bytes.to_le_bytes());
        out[16..24].copy_from_slice(&self.first_id.to_le_bytes());
        out[24..32].copy_from_slice(&self.first_time.to_le_bytes());
        out[32..36].copy_from_slice(&self.crc.to_le_bytes());
        out
    }

    /// From bytes, with every limit checked.
    pub fn parse(bytes: &[u8; PART_HEADER_BYTES]) -> Result<PartHeader, String> {
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let long = |at: usize| u64::from(word(at)) | (u64::from(word(at + 4)) << 32);
        let header = PartHeader {
            kind: bytes[0],
            flags: bytes[1],
            stream: u16::from_le_bytes([bytes[2], bytes[3]]),
            events: word(4),
            raw_bytes: word(8),
            stored_bytes: word(12),
            first_id: long(16),
            first_time: long(24),
            crc: word(32),
        };
        header.check()?;
        Ok(header)
    }

    fn check(&self) -> Result<(), String> {
        let (raw, stored) = (self.raw_bytes as usize, self.stored_bytes as usize);
        let fits = match self.kind {
            part::STREAM | part::END => raw == stored && stored <= TEXT_BYTES_MAX && self.events == 0,
            part::EVENTS => {
                raw <= RAW_BYTES_MAX && stored <= STORED_BYTES_MAX && self.events as usize <= EVENTS_MAX
            }
            kind => return Err(format!("a part of unknown kind {kind}")),
        };
        if !fits || usize::from(self.stream) >= STREAMS_MAX || self.flags & !HAS_TIMES != 0 {
            return Err("a part's header passes the format's limits".into());
        }
        if self.first_time > TIME_MAX {
            return Err("a time beyond the format's limit".into());
        }
        Ok(())
    }
}
