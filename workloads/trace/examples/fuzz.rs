//! Feeds mutated traces and texts to the readers: `cargo run --release -p trace --example fuzz -- COUNT [SEED]`.
//!
//! Mutations know the format: bytes anywhere, parts dropped, repeated and swapped, columns changed beneath a correct
//! checksum, headers with extreme values. An input that panics ends the run with its seed and number, which make it
//! again. The resident set is watched: above the bound the run fails.

use std::time::Instant;

use trace::format::{PART_HEADER_BYTES, PartHeader, part};
use trace::info::Info;
use trace::{Event, Meta, Op, Reader, StreamInfo, Writer};

/// Resident bytes that no input may reach.
const RESIDENT_BYTES_MAX: u64 = 256 << 20;

/// SplitMix64.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
    fn byte(&mut self) -> u8 {
        match self.below(4) {
            0 => [0, 1, 0x7F, 0x80, 0xFF, 8, 9, 64][self.below(8)],
            _ => self.next() as u8,
        }
    }
}

/// A valid trace in parts: the file header, then each part's header and its bytes before compression.
struct Seed {
    header: Vec<u8>,
    parts: Vec<(PartHeader, Vec<u8>)>,
}

fn seed(draw: &mut Draw) -> Seed {
    let meta = Meta { quantum_ns: draw.next() % 2, ..Meta::default() };
    let mut writer = Writer::new(Vec::new(), &meta).expect("memory takes bytes");
    let streams = 1 + draw.below(3);
    for _ in 0..streams {
        writer.stream(&StreamInfo::default()).expect("few streams");
    }
    let mut time = 0;
    for _ in 0..draw.below(60) {
        let stream = draw.below(streams) as u16;
        let made = writer.next_id(stream);
        time += draw.next() % 100;
        let id = draw.next() % made.max(1);
        let op = match draw.below(if made == 0 { 1 } else { 7 }) {
            0 | 1 => Op::Alloc {
                id: made,
                size: draw.next() >> 30,
                align_log2: draw.below(13) as u8,
                zeroed: true,
            },
            2 => Op::Free { id, sized: Some(5) },
            3 => Op::Free { id, sized: None },
            4 => Op::Realloc { id, size: draw.next() >> 40, moved: false },
            5 => Op::ThreadExit,
            _ => Op::Stray,
        };
        writer.push(stream, &Event { thread: draw.below(5) as u32, time, op }).expect("memory takes bytes");
    }
    split(&writer.finish().expect("memory takes bytes"))
}

fn split(bytes: &[u8]) -> Seed {
    let length = u32::from_le_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]) as usize;
    let (header, mut rest) = bytes.split_at(16 + length + 4);
    let mut parts = Vec::new();
    while let Some((head, after)) = rest.split_first_chunk::<PART_HEADER_BYTES>() {
        let head = PartHeader::parse(head).expect("the writer's own header");
        let (stored, after) = after.split_at(head.stored_bytes as usize);
        let raw = match head.kind {
            part::EVENTS => {
                zstd::bulk::decompress(stored, head.raw_bytes as usize).expect("the writer's own block")
            }
            _ => stored.to_vec(),
        };
        parts.push((head, raw));
        rest = after;
    }
    Seed { header: header.to_vec(), parts }
}

fn join(seed: Seed) -> Vec<u8> {
    let mut bytes = seed.header;
    for (mut head, raw) in seed.parts {
        let stored = if head.kind == part::EVENTS {
            zstd::bulk::compress(&raw, 1).unwrap_or_default()
        } else {
            raw.clone()
        };
        head.crc = crc32fast::hash(&stored);
        head.stored_bytes = stored.len() as u32;
        bytes.extend(head.bytes());
        bytes.extend(stored);
    }
    bytes
}

fn mutate_bytes(bytes: &mut Vec<u8>, draw: &mut Draw) {
    for _ in 0..=draw.below(4) {
        let at = draw.below(bytes.len());
        match draw.below(4) {
            0 if at < bytes.len() => bytes[at] = draw.byte(),
            1 => bytes.truncate(at),
            2 => bytes.insert(at, draw.byte()),
            _ if at < bytes.len() => bytes[at] ^= 1 << draw.below(8),
            _ => {}
        }
    }
}

fn mutate_parts(seed: &mut Seed, draw: &mut Draw) {
    for _ in 0..=draw.below(3) {
        let (a, b) = (draw.below(seed.parts.len()), draw.below(seed.parts.len()));
        if seed.parts.is_empty() {
            return;
        }
        match draw.below(9) {
            0 => drop(seed.parts.remove(a)),
            1 => {
                let copy = seed.parts[a].clone();
                seed.parts.insert(b, copy);
            }
            2 => seed.parts.swap(a, b),
            3 => seed.parts[a].0.events = [0, 1, 65_536, u32::MAX, draw.next() as u32 % 200][draw.below(5)],
            4 => seed.parts[a].0.first_id = [0, 1, u64::MAX, draw.next() % 100][draw.below(4)],
            5 => seed.parts[a].0.first_time = [0, 1 << 62, u64::MAX, draw.next()][draw.below(4)],
            6 => seed.parts[a].0.stream = [0, 1, 4095, u16::MAX][draw.below(4)],
            _ => {
                mutate_bytes(&mut seed.parts[a].1, draw);
                if draw.below(4) > 0 {
                    seed.parts[a].0.raw_bytes = seed.parts[a].1.len() as u32;
                }
            }
        }
    }
}

const TEXT: &str = "1: malloc 0x10 8\n2: calloc 0x20 2 8\n1: memalign 0x40 64 8\n1: realloc 0x10 0x50 9\n\
                    2: free 0x50\n2: thread_done 0x0\n";

/// One input; whether a reader accepted its header, or the text was whole.
fn one(draw: &mut Draw) -> bool {
    if draw.below(8) == 0 {
        let mut text = TEXT.repeat(1 + draw.below(3)).into_bytes();
        mutate_bytes(&mut text, draw);
        let mut writer = Writer::new(std::io::sink(), &Meta::default()).expect("a sink takes bytes");
        return trace::import::from_text(&text[..], "text", &mut writer).is_ok();
    }
    let mut parts = seed(draw);
    if draw.below(4) > 0 {
        mutate_parts(&mut parts, draw);
    }
    let mut bytes = join(parts);
    if draw.below(3) == 0 {
        mutate_bytes(&mut bytes, draw);
    }
    let Ok(mut reader) = Reader::new(&bytes[..]) else { return false };
    let mut info = Info::default();
    reader.for_each(|_, event| info.add(event).expect("few blocks are live"));
    let fitted = trace::synth::fit(&info, "fuzz");
    reader.ending().notice().is_none() || fitted.is_ok()
}

fn resident_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split_ascii_whitespace().nth(1).and_then(|word| word.parse::<u64>().ok()).unwrap_or(0) * 4096
}

fn main() {
    let argument = |at| std::env::args().nth(at).map(|word: String| word.replace('_', "").parse::<u64>());
    let (Ok(count), Ok(base)) = (argument(1).unwrap_or(Ok(1_000_000)), argument(2).unwrap_or(Ok(42))) else {
        eprintln!("usage: fuzz COUNT [SEED]");
        std::process::exit(2);
    };
    let begin = Instant::now();
    let (mut accepted, mut peak) = (0_u64, 0);
    for number in 0..count {
        let mut draw = Draw(base.wrapping_add(number.wrapping_mul(0xD134_2543_DE82_EF95)));
        let outcome = std::panic::catch_unwind(move || one(&mut draw));
        let Ok(whole) = outcome else {
            eprintln!("input {number} of seed {base} panicked");
            std::process::exit(1);
        };
        accepted += u64::from(whole);
        if number % 1000 == 0 {
            peak = peak.max(resident_bytes());
            if peak > RESIDENT_BYTES_MAX {
                eprintln!("input {number} of seed {base}: {} MiB resident", peak >> 20);
                std::process::exit(1);
            }
        }
    }
    println!(
        "{count} inputs of seed {base}: no panic, {accepted} accepted whole, peak {} MiB resident, {:.0} s",
        peak >> 20,
        begin.elapsed().as_secs_f64()
    );
}
