//! What is written is read, whatever the events; what is cut is read to the cut.

mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use support::{Streams, file, stream};
use trace::{Ending, Event, Op, Reader};

fn read(bytes: &[u8]) -> (Streams, Ending) {
    let mut reader = Reader::new(bytes).unwrap();
    let mut streams: Streams = Vec::new();
    reader.for_each(|stream, event| {
        streams.resize(streams.len().max(usize::from(stream) + 1), Vec::new());
        streams[usize::from(stream)].push(*event);
    });
    streams.resize(reader.streams().count().max(streams.len()), Vec::new());
    (streams, reader.ending().clone())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_written_is_read(
        draws in vec(vec((any::<u8>(), any::<u32>(), any::<u64>(), any::<u64>()), 0..300), 0..4),
        timed: bool,
    ) {
        let streams: Streams = draws.iter().map(|draws| stream(draws, timed)).collect();
        let (found, ending) = read(&file(&streams, u64::from(timed) * 100));
        prop_assert_eq!(ending, Ending::Complete);
        prop_assert_eq!(found, streams);
    }

    #[test]
    fn a_cut_file_gives_what_is_before_the_cut(
        draws in vec((any::<u8>(), any::<u32>(), any::<u64>(), any::<u64>()), 1..200),
        share in 0.0..1.0_f64,
    ) {
        let streams = vec![stream(&draws, true)];
        let bytes = file(&streams, 1);
        let cut = (bytes.len() as f64 * share) as usize;
        match Reader::new(&bytes[..cut]) {
            Err(what) => prop_assert!(what.contains("cut off") || what.contains("no allocation trace"), "{}", what),
            Ok(_) => {
                let (found, ending) = read(&bytes[..cut]);
                prop_assert!(matches!(ending, Ending::Cut { .. }), "{:?}", ending);
                let found = found.first().cloned().unwrap_or_default();
                prop_assert!(streams[0].starts_with(&found));
            }
        }
    }
}

#[test]
fn a_long_stream_is_many_blocks_and_a_cut_loses_only_the_last() {
    let events: Vec<Event> = (0..200_000_u64)
        .map(|at| Event {
            thread: (at / 1000 % 3) as u32,
            time: at * 3,
            op: Op::Alloc { id: at, size: at % 777, align_log2: 0, zeroed: false },
        })
        .collect();
    let bytes = file(&vec![events.clone()], 1);
    let (found, ending) = read(&bytes);
    assert_eq!((found.len(), ending), (1, Ending::Complete));
    assert!(found[0] == events);
    let (found, ending) = read(&bytes[..bytes.len() - 200]);
    assert!(matches!(ending, Ending::Cut { .. }), "{ending:?}");
    assert_eq!(found[0].len(), 3 * trace::format::EVENTS_MAX);
    assert!(ending.notice().unwrap().contains("cut off"));
}

#[test]
fn a_file_of_another_kind_or_version_is_refused_in_one_line() {
    let mut newer = file(&vec![Vec::new()], 1);
    newer[8] = 9;
    for (bytes, says) in [
        (&b"PK\x03\x04 a zip"[..], "no allocation trace"),
        (b"", "no allocation trace"),
        (&newer, "version 9"),
    ] {
        let what = Reader::new(bytes).err().unwrap();
        assert!(what.contains(says) && what.lines().count() == 1, "{what}");
    }
}
