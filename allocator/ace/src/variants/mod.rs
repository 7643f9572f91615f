//! Ablations that need other code on HOT than the shipped front: each an allocator of its own over the same heaps.
//!
//! [`sll`] replaces magazines by an intrusive singly linked list through the freed blocks; [`header`] replaces the class
//! map by a header before each block. They share size classes, heaps, superslabs and life cycle with the rest of the
//! crate and may run beside it in one process, but a block goes back to the variant it came from. Every other ablation
//! is a knob (`config`).

pub mod header;
pub mod sll;
