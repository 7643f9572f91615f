//! Traces to test with.

use trace::{Event, Meta, Op, StreamInfo, Writer};

/// What a file was made of.
pub type Streams = Vec<Vec<Event>>;

/// A trace of these streams, written in turns of some events.
pub fn file(streams: &Streams, quantum_ns: u64) -> Vec<u8> {
    let meta = Meta { quantum_ns, source: "test".into(), ..Meta::default() };
    let mut writer = Writer::new(Vec::new(), &meta).unwrap();
    for number in 0..streams.len() {
        let info =
            StreamInfo { pid: number as u32, program: format!("program-{number}"), ..StreamInfo::default() };
        assert_eq!(usize::from(writer.stream(&info).unwrap()), number);
    }
    let longest = streams.iter().map(Vec::len).max().unwrap_or(0);
    for at in (0..longest).step_by(7) {
        for (number, events) in streams.iter().enumerate() {
            for event in events.iter().skip(at).take(7) {
                writer.push(number as u16, event).unwrap();
            }
        }
    }
    writer.finish().unwrap()
}

/// Turns drawn numbers into a stream that refers only to blocks which were made.
pub fn stream(draws: &[(u8, u32, u64, u64)], timed: bool) -> Vec<Event> {
    let (mut made, mut time) = (0_u64, 0_u64);
    draws
        .iter()
        .map(|&(choice, thread, size, step)| {
            time = (time + step % 1_000_000).min(trace::format::TIME_MAX);
            let size = size % (trace::format::SIZE_MAX + 1);
            let known = made.checked_sub(1).map(|last| last - size % made.max(1));
            let op = match (choice % 8, known) {
                (0..=2, _) | (_, None) => {
                    made += 1;
                    Op::Alloc { id: made - 1, size, align_log2: choice / 8, zeroed: choice & 1 == 1 }
                }
                (3, Some(id)) => Op::Free { id, sized: (choice & 8 == 8).then_some(size) },
                (4, Some(id)) => Op::Realloc { id, size, moved: choice & 8 == 8 },
                (5, _) => Op::ThreadStart,
                (6, _) => Op::ThreadExit,
                _ => Op::Stray,
            };
            let op = match op {
                Op::Alloc { id, size, align_log2, zeroed } => {
                    Op::Alloc { id, size, align_log2: align_log2.min(trace::format::ALIGN_LOG2_MAX), zeroed }
                }
                op => op,
            };
            Event { thread: thread % trace::format::THREADS_MAX, time: if timed { time } else { 0 }, op }
        })
        .collect()
}
