//! The columns of a block to events.
//!
//! Every value is checked against the format's limits before it is believed, so what comes out can be used without
//! further checks: ids of blocks that were made (though perhaps freed since), sizes and alignments that exist,
//! threads below the limit.

use crate::encode::{COLUMNS, code};
use crate::event::{Event, Op};
use crate::format::{ALIGN_LOG2_MAX, HAS_TIMES, PartHeader, SIZE_MAX, THREADS_MAX, TIME_MAX};
use crate::varint;

/// Decodes the events of a block into `events`, which is emptied first.
pub fn block(header: &PartHeader, raw: &[u8], events: &mut Vec<Event>) -> Result<(), String> {
    events.clear();
    let mut decoder = Decoder::new(header, raw)?;
    for _ in 0..header.events {
        let event = decoder.next().ok_or("a block's columns hold no valid event where one was announced")?;
        events.push(event);
    }
    if decoder.columns.iter().any(|column| !column.is_empty()) {
        return Err("a block's columns are longer than its events".into());
    }
    Ok(())
}

struct Decoder<'a> {
    columns: [&'a [u8]; COLUMNS],
    timed: bool,
    thread: Option<u32>,
    next_id: u64,
    time: u64,
}

impl<'a> Decoder<'a> {
    fn new(header: &PartHeader, raw: &'a [u8]) -> Result<Decoder<'a>, String> {
        let short = || String::from("a block is shorter than its columns");
        let (lengths, mut rest) = raw.split_at_checked(4 * COLUMNS).ok_or_else(short)?;
        let mut columns = [&[][..]; COLUMNS];
        for (column, length) in columns.iter_mut().zip(lengths.chunks_exact(4)) {
            let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize;
            (*column, rest) = rest.split_at_checked(length).ok_or_else(short)?;
        }
        if !rest.is_empty() {
            return Err("a block is longer than its columns".into());
        }
        Ok(Decoder {
            columns,
            timed: header.flags & HAS_TIMES != 0,
            thread: None,
            next_id: header.first_id,
            time: header.first_time,
        })
    }

    fn next(&mut self) -> Option<Event> {
        let [kinds, threads, references, sizes, times] = &mut self.columns;
        let (&kind, rest) = kinds.split_first()?;
        *kinds = rest;
        if kind & code::RESERVED != 0 {
            return None;
        }
        if kind & code::SWITCH != 0 {
            let thread = u32::try_from(varint::take(threads)?).ok().filter(|&thread| thread < THREADS_MAX)?;
            self.thread = Some(thread);
        }
        let thread = self.thread?;
        if self.timed {
            self.time = self.time.checked_add_signed(varint::take_signed(times)?)?;
            if self.time > TIME_MAX {
                return None;
            }
        }
        let mut size = || varint::take(sizes).filter(|&size| size <= SIZE_MAX);
        let next_id = self.next_id;
        let mut id = || next_id.checked_sub(varint::take(references)?).filter(|&id| id < next_id);
        let extra = kind & code::EXTRA != 0;
        if kind & code::ALIGNED != 0 && kind & code::MASK != code::ALLOC {
            return None;
        }
        let op = match kind & code::MASK {
            code::ALLOC => {
                let size = size()?;
                let align_log2 = match kind & code::ALIGNED {
                    0 => 0,
                    _ => {
                        let (&log2, rest) = sizes.split_first()?;
                        *sizes = rest;
                        Some(log2).filter(|log2| (1..=ALIGN_LOG2_MAX).contains(log2))?
                    }
                };
                self.next_id = next_id.checked_add(1)?;
                Op::Alloc { id: next_id, size, align_log2, zeroed: extra }
            }
            code::FREE => Op::Free { id: id()?, sized: if extra { Some(size()?) } else { None } },
            _ if extra => return None,
            code::MOVED => Op::Realloc { id: id()?, size: size()?, moved: true },
            code::IN_PLACE => Op::Realloc { id: id()?, size: size()?, moved: false },
            code::START => Op::ThreadStart,
            code::EXIT => Op::ThreadExit,
            code::STRAY => Op::Stray,
            _ => return None,
        };
        Some(Event { thread, time: self.time, op })
    }
}
