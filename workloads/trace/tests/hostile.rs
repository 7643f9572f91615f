//! Files that lie: nothing panics, memory stays bounded, and what is wrong is said.

mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use support::{file, stream};
use trace::format::{PART_HEADER_BYTES, PartHeader, part};
use trace::info::Info;
use trace::{Ending, Meta, Reader, StreamInfo, Writer};

fn digest(bytes: &[u8]) -> Option<Ending> {
    let mut reader = Reader::new(bytes).ok()?;
    let mut info = Info::default();
    reader.for_each(|_, event| info.add(event).unwrap());
    Some(reader.ending().clone())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_bytes_behind_a_header_are_survived(bytes in vec(any::<u8>(), 0..500)) {
        let mut all = Writer::new(Vec::new(), &Meta::default()).unwrap().finish().unwrap();
        all.truncate(all.len() - PART_HEADER_BYTES);
        all.extend(bytes);
        digest(&all);
    }

    #[test]
    fn a_flipped_byte_is_noticed(
        draws in vec((any::<u8>(), any::<u32>(), any::<u64>(), any::<u64>()), 1..100),
        place: prop::sample::Index,
        bits in 1..=255_u8,
    ) {
        let mut bytes = file(&vec![stream(&draws, true)], 1);
        // The header's two unused bytes and the parts' first_time are not covered by a checksum.
        let place = place.index(bytes.len());
        bytes[place] ^= bits;
        digest(&bytes);
    }
}

/// A block of events with these columns, under a correct checksum.
fn forged(events: u32, raw: &[u8], change: impl Fn(&mut PartHeader)) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), &Meta { quantum_ns: 1, ..Meta::default() }).unwrap();
    writer.stream(&StreamInfo::default()).unwrap();
    let mut bytes = writer.finish().unwrap();
    let end = bytes.windows(4).rposition(|window| window == [part::END, 0, 0, 0]).unwrap();
    bytes.truncate(end);
    let stored = zstd::bulk::compress(raw, 1).unwrap();
    let mut header = PartHeader {
        kind: part::EVENTS,
        flags: 1,
        stream: 0,
        events,
        raw_bytes: raw.len() as u32,
        stored_bytes: stored.len() as u32,
        first_id: 0,
        first_time: 0,
        crc: crc32fast::hash(&stored),
    };
    change(&mut header);
    bytes.extend(header.bytes());
    bytes.extend(stored);
    bytes
}

fn columns(kinds: &[u8], threads: &[u8], references: &[u8], sizes: &[u8], times: &[u8]) -> Vec<u8> {
    let all = [kinds, threads, references, sizes, times];
    let mut raw = Vec::new();
    all.iter().for_each(|column| raw.extend((column.len() as u32).to_le_bytes()));
    all.iter().for_each(|column| raw.extend(*column));
    raw
}

#[test]
fn a_right_forgery_is_read_and_each_wrong_one_is_damage() {
    let right = columns(&[8], &[0], &[], &[5], &[2]);
    let bytes = forged(1, &right, |_| ());
    assert!(matches!(digest(&bytes), Some(Ending::Cut { .. })), "{:?}", digest(&bytes));
    let wrong: Vec<(&str, Vec<u8>)> = vec![
        ("no thread", forged(1, &columns(&[0], &[], &[], &[5], &[2]), |_| ())),
        ("a free of a block that was never made", forged(1, &columns(&[9], &[0], &[1], &[], &[2]), |_| ())),
        ("a free of itself", forged(1, &columns(&[9], &[0], &[0], &[], &[2]), |_| ())),
        ("a reserved bit", forged(1, &columns(&[0x88], &[0], &[], &[5], &[2]), |_| ())),
        ("an unknown operation", forged(1, &columns(&[15], &[0], &[], &[5], &[2]), |_| ())),
        ("an endless number", forged(1, &columns(&[8], &[0], &[], &[0xFF; 12], &[2]), |_| ())),
        ("a negative time", forged(1, &columns(&[8], &[0], &[], &[5], &[1]), |_| ())),
        ("a longer column", forged(1, &columns(&[8], &[0], &[], &[5, 5], &[2]), |_| ())),
        ("fewer events", forged(2, &right, |_| ())),
        ("too many events", forged(1, &right, |header| header.events = u32::MAX)),
        ("a huge block", forged(1, &right, |header| header.raw_bytes = u32::MAX)),
        ("a length that is not its own", forged(1, &right, |header| header.raw_bytes += 1)),
        ("another stream", forged(1, &right, |header| header.stream = 1)),
        ("a gap in the ids", forged(1, &right, |header| header.first_id = 1)),
        ("an unknown part", forged(1, &right, |header| header.kind = 77)),
    ];
    for (what, bytes) in wrong {
        assert!(matches!(digest(&bytes), Some(Ending::Damaged { .. })), "{what}: {:?}", digest(&bytes));
    }
}

/// Four megabytes of zeroes in some hundred bytes, many times over: each block is decoded in the same buffers.
#[test]
fn a_bomb_of_blocks_takes_time_and_no_memory() {
    let count = 60_000;
    let mut kinds = vec![0_u8; count];
    kinds[0] = 8;
    let raw = columns(&kinds, &[0], &[], &vec![0; count], &vec![0; count]);
    let bytes = forged(count as u32, &raw, |_| ());
    assert!(bytes.len() < 1000, "{}", bytes.len());
    assert!(matches!(digest(&bytes), Some(Ending::Cut { .. })));
}
