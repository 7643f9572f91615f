//! What a trace is made of.

/// One event of one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The thread it happened on: 0 for the first that was seen, then 1, and so on.
    pub thread: u32,
    /// Since the stream began, in units of [`crate::Meta::quantum_ns`]; 0 where the source knows no time.
    pub time: u64,
    /// What happened.
    pub op: Op,
}

/// What happened. A block's id is the number of allocations before its own in the stream; a reallocation keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// A block was made.
    Alloc {
        /// Its id.
        id: u64,
        /// Bytes asked for; may be 0.
        size: u64,
        /// log2 of the alignment asked for; 0 where none was.
        align_log2: u8,
        /// By `calloc`.
        zeroed: bool,
    },
    /// A block was given back.
    Free {
        /// Its id.
        id: u64,
        /// The size that the caller said, where the call takes one.
        sized: Option<u64>,
    },
    /// A block was resized.
    Realloc {
        /// Its id.
        id: u64,
        /// New size.
        size: u64,
        /// Whether its address changed.
        moved: bool,
    },
    /// A call that changes nothing a trace knows of: a free of NULL, or of a block from before the recording.
    Stray,
    /// A thread's first event.
    ThreadStart,
    /// A thread's last event, but for calls from its very last destructors.
    ThreadExit,
}

impl Op {
    /// Whether it is a call of the program to its allocator.
    pub fn is_call(&self) -> bool {
        !matches!(self, Op::ThreadStart | Op::ThreadExit)
    }
}
