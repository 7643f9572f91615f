//! What the recording library writes and `allocbench record` reads: the layout of a spool file.
//!
//! A spool belongs to one process. Its first 64 KiB hold a header, then come chunks of 64 KiB, each mapped by the one
//! thread that fills it (the kernel keeps what was written, whatever becomes of the process). A chunk is a row of
//! records of three words; a record whose first word is 0 was not finished. `docs/TRACES.md` tells the protocol.
#![no_std]
#![forbid(unsafe_code)]

/// First word of a spool.
pub const MAGIC: u64 = u64::from_le_bytes(*b"ALRSPOOL");
/// Version of the layout.
pub const VERSION: u64 = 1;
/// Bytes of a chunk, and of the header.
pub const CHUNK_BYTES: usize = 64 << 10;
/// Bytes of a record.
pub const RECORD_BYTES: usize = 24;
/// Records of a chunk.
pub const CHUNK_RECORDS: usize = CHUNK_BYTES / RECORD_BYTES;
/// Chunks of a spool: 256 GiB.
pub const CHUNKS_MAX: u64 = 1 << 22;
/// Threads of a process that are told apart.
pub const THREADS_MAX: u64 = 1 << 20;

/// Words of the header, by index.
pub mod header {
    /// [`super::MAGIC`].
    pub const MAGIC: usize = 0;
    /// [`super::VERSION`].
    pub const VERSION: usize = 1;
    /// Process id.
    pub const PID: usize = 2;
    /// Its parent's.
    pub const PARENT_PID: usize = 3;
    /// Cycle counter when the spool was made.
    pub const START_CYCLES: usize = 4;
    /// Chunks taken.
    pub const CHUNKS: usize = 5;
    /// Threads seen.
    pub const THREADS: usize = 6;
    /// Events that could not be kept.
    pub const LOST: usize = 7;
    /// Words in use.
    pub const WORDS: usize = 8;
    /// Where the executable's path stands, bytes; it ends with 0.
    pub const PROGRAM_AT: usize = 512;
    /// Longest path, bytes.
    pub const PROGRAM_BYTES: usize = 1024;
    /// Where the path of the library behind the recorder stands.
    pub const NEXT_AT: usize = 2048;
}

/// Kinds of records: the top byte of the second word.
pub mod kind {
    /// A block was made; the third word is its size.
    pub const ALLOC: u8 = 1;
    /// The same by `calloc`.
    pub const CALLOC: u8 = 2;
    /// A block is about to be freed.
    pub const FREE: u8 = 3;
    /// The same with its size in the third word.
    pub const FREE_SIZED: u8 = 4;
    /// A block is about to be resized.
    pub const RESIZE: u8 = 5;
    /// It was: its new address, and the size asked for. Address 0: freed where the size is 0, else left as it was.
    pub const RESIZED: u8 = 6;
    /// What follows in the chunk is of the thread whose number is the address; the third word is 1 where it starts.
    pub const THREAD: u8 = 7;
    /// The thread ends.
    pub const EXIT: u8 = 8;
    /// A call without effect: a free of NULL, a failed allocation.
    pub const STRAY: u8 = 9;
}

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Cycle counter; never 0.
    pub cycles: u64,
    /// One of [`kind`].
    pub kind: u8,
    /// log2 of the alignment asked for, 0 where none was.
    pub align_log2: u8,
    /// Address, or what stands for it.
    pub address: u64,
    /// Size, or what stands for it.
    pub size: u64,
}

/// Bits of an address.
const ADDRESS_BITS: u32 = 48;

/// The second word of a record.
#[inline(always)]
pub const fn head(kind: u8, align_log2: u8, address: u64) -> u64 {
    (address & ((1 << ADDRESS_BITS) - 1)) | ((align_log2 as u64) << ADDRESS_BITS) | ((kind as u64) << 56)
}

impl Record {
    /// From its words; `None` where it was not finished.
    pub fn from_words([cycles, head, size]: [u64; 3]) -> Option<Record> {
        let record = Record {
            cycles,
            kind: (head >> 56) as u8,
            align_log2: (head >> ADDRESS_BITS) as u8,
            address: head & ((1 << ADDRESS_BITS) - 1),
            size,
        };
        (cycles != 0).then_some(record)
    }

    /// As words.
    pub fn words(&self) -> [u64; 3] {
        [self.cycles, head(self.kind, self.align_log2, self.address), self.size]
    }
}

const _: () = assert!(header::WORDS * 8 <= header::PROGRAM_AT);
const _: () = assert!(header::NEXT_AT + header::PROGRAM_BYTES <= 4096);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_survive_their_words() {
        let record = Record {
            cycles: 7,
            kind: kind::ALLOC,
            align_log2: 12,
            address: 0x7FFF_1234_5678,
            size: u64::MAX,
        };
        assert_eq!(Record::from_words(record.words()), Some(record));
        assert_eq!(Record::from_words([0, head(kind::FREE, 0, 1), 0]), None);
    }
}
