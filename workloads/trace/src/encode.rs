//! Events to the columns of a block.
//!
//! Five columns, each as long as it needs: kinds, threads, references, sizes, times. Like stands beside like, which
//! is what a compressor wants; a decoder reads the five in step.

use crate::event::{Event, Op};
use crate::format::{EVENTS_MAX, RAW_BYTES_MAX};
use crate::varint;

/// Operation codes, the low three bits of a kind.
pub mod code {
    /// [`crate::Op::Alloc`].
    pub const ALLOC: u8 = 0;
    /// [`crate::Op::Free`].
    pub const FREE: u8 = 1;
    /// [`crate::Op::Realloc`], moved.
    pub const MOVED: u8 = 2;
    /// [`crate::Op::Realloc`], in place.
    pub const IN_PLACE: u8 = 3;
    /// [`crate::Op::ThreadStart`].
    pub const START: u8 = 4;
    /// [`crate::Op::ThreadExit`].
    pub const EXIT: u8 = 5;
    /// [`crate::Op::Stray`].
    pub const STRAY: u8 = 6;
    /// The operation's bits.
    pub const MASK: u8 = 7;
    /// Another thread than the event before; the first event of a block always has it.
    pub const SWITCH: u8 = 1 << 3;
    /// Of an allocation: zeroed. Of a free: the caller said the size.
    pub const EXTRA: u8 = 1 << 4;
    /// Of an allocation: its alignment follows the size.
    pub const ALIGNED: u8 = 1 << 5;
    /// Bits without meaning, which must be 0.
    pub const RESERVED: u8 = 3 << 6;
}

/// Number of columns.
pub const COLUMNS: usize = 5;
/// Bytes that one event adds at most, all columns together.
const EVENT_BYTES_MAX: usize = 1 + 4 * varint::BYTES_MAX + 1;

/// Columns that are being filled.
pub struct Columns {
    kinds: Vec<u8>,
    threads: Vec<u8>,
    references: Vec<u8>,
    sizes: Vec<u8>,
    times: Vec<u8>,
    timed: bool,
    thread: Option<u32>,
    /// Allocations before the next event.
    next_id: u64,
    /// Allocations before the block.
    pub first_id: u64,
    time: u64,
    /// Time of the event before the block.
    pub first_time: u64,
}

impl Columns {
    /// Empty columns of a stream's first block.
    pub fn new(timed: bool) -> Columns {
        Columns {
            kinds: Vec::new(),
            threads: Vec::new(),
            references: Vec::new(),
            sizes: Vec::new(),
            times: Vec::new(),
            timed,
            thread: None,
            next_id: 0,
            first_id: 0,
            time: 0,
            first_time: 0,
        }
    }

    /// Events in the block.
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Whether the block has to be written before another event.
    pub fn is_full(&self) -> bool {
        self.len() >= EVENTS_MAX || self.raw_bytes() + EVENT_BYTES_MAX > RAW_BYTES_MAX
    }

    fn raw_bytes(&self) -> usize {
        let columns = [&self.kinds, &self.threads, &self.references, &self.sizes, &self.times];
        4 * COLUMNS + columns.iter().map(|column| column.len()).sum::<usize>()
    }

    /// Id of the stream's next allocation.
    pub fn next_id(&self) -> u64 {
        self.next_id
    }

    /// Adds an event. References to blocks that were never made are the caller's mistake and stored as they are.
    pub fn push(&mut self, event: &Event) {
        let mut kind = match event.op {
            Op::Alloc { size, align_log2, zeroed, .. } => self.alloc(size, align_log2, zeroed),
            Op::Free { id, sized } => {
                varint::put(&mut self.references, self.next_id.wrapping_sub(id));
                if let Some(size) = sized {
                    varint::put(&mut self.sizes, size);
                }
                code::FREE | if sized.is_some() { code::EXTRA } else { 0 }
            }
            Op::Realloc { id, size, moved } => {
                varint::put(&mut self.references, self.next_id.wrapping_sub(id));
                varint::put(&mut self.sizes, size);
                if moved { code::MOVED } else { code::IN_PLACE }
            }
            Op::ThreadStart => code::START,
            Op::ThreadExit => code::EXIT,
            Op::Stray => code::STRAY,
        };
        if self.thread != Some(event.thread) {
            kind |= code::SWITCH;
            varint::put(&mut self.threads, event.thread.into());
            self.thread = Some(event.thread);
        }
        self.kinds.push(kind);
        if self.timed {
            varint::put_signed(&mut self.times, event.time.wrapping_sub(self.time) as i64);
            self.time = event.time;
        }
    }

    fn alloc(&mut self, size: u64, align_log2: u8, zeroed: bool) -> u8 {
        varint::put(&mut self.sizes, size);
        if align_log2 > 0 {
            self.sizes.push(align_log2);
        }
        self.next_id += 1;
        code::ALLOC | if zeroed { code::EXTRA } else { 0 } | if align_log2 > 0 { code::ALIGNED } else { 0 }
    }

    /// The block's bytes before compression; the columns are then those of the next block.
    pub fn take(&mut self) -> Vec<u8> {
        let mut raw = Vec::with_capacity(self.raw_bytes());
        let columns =
            [&mut self.kinds, &mut self.threads, &mut self.references, &mut self.sizes, &mut self.times];
        for column in &columns {
            raw.extend((column.len() as u32).to_le_bytes());
        }
        for column in columns {
            raw.append(column);
        }
        self.thread = None;
        self.first_id = self.next_id;
        self.first_time = self.time;
        raw
    }
}
