//! Random sequences of operations against a shadow map: contents kept, blocks disjoint, sums right at the end.

use ace_alloc::{calloc, dealloc, free, malloc, memalign, realloc, resize, usable_size};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Op {
    Malloc(usize),
    Calloc(usize),
    Aligned(usize, u32),
    Free(usize),
    Realloc(usize, usize),
    Trim,
}

fn size() -> impl Strategy<Value = usize> {
    prop_oneof![8 => 0usize..600, 4 => 600usize..40_000, 1 => 40_000usize..1_200_000, 1 => Just(3 << 20)]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => size().prop_map(Op::Malloc),
        2 => size().prop_map(Op::Calloc),
        2 => (size(), 0u32..18).prop_map(|(s, a)| Op::Aligned(s, a)),
        8 => any::<usize>().prop_map(Op::Free),
        3 => (any::<usize>(), size()).prop_map(|(i, s)| Op::Realloc(i, s)),
        1 => Just(Op::Trim),
    ]
}

/// A live block: where, how large, with which layout's alignment (0: by C's functions), and its fill.
struct Live {
    p: *mut u8,
    bytes: usize,
    align: usize,
    fill: u8,
}

impl Live {
    fn check(&self) {
        for i in (0..self.bytes).step_by(61).chain(self.bytes.checked_sub(1)) {
            // SAFETY: inside the live block.
            assert_eq!(unsafe { self.p.add(i).read() }, self.fill, "byte {i} of {:?}", self.p);
        }
    }
}

#[derive(Default)]
struct Shadow {
    live: Vec<Live>,
    ranges: BTreeMap<usize, usize>,
    next_fill: u8,
}

impl Shadow {
    fn add(&mut self, p: *mut u8, bytes: usize, align: usize) {
        assert!(!p.is_null());
        // SAFETY: a live block.
        let usable = unsafe { usable_size(p) };
        assert!(usable >= bytes);
        let (start, end) = (p.addr(), p.addr() + usable);
        let before = self.ranges.range(..end).next_back();
        assert!(before.is_none_or(|(_, &e)| e <= start), "overlaps a live block");
        self.ranges.insert(start, end);
        self.next_fill = self.next_fill.wrapping_add(1);
        // SAFETY: inside the new block.
        unsafe { p.write_bytes(self.next_fill, bytes) };
        self.live.push(Live { p, bytes, align, fill: self.next_fill });
    }

    fn remove(&mut self, i: usize) -> Live {
        let i = i % self.live.len();
        let l = self.live.swap_remove(i);
        l.check();
        self.ranges.remove(&l.p.addr());
        l
    }

    fn free(&mut self, i: usize) {
        let l = self.remove(i);
        // SAFETY: live until now, with this layout.
        unsafe { if l.align == 0 { free(l.p) } else { dealloc(l.p, l.bytes, l.align) } }
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Malloc(s) => self.add(malloc(s), s, 0),
            Op::Calloc(s) => {
                let p = calloc(1, s);
                for i in 0..s {
                    // SAFETY: inside the new block.
                    assert_eq!(unsafe { p.add(i).read() }, 0, "calloc of {s} at {i}");
                }
                self.add(p, s, 0);
            }
            Op::Aligned(s, a) => {
                let p = memalign(1 << a, s);
                assert_eq!(p.addr() % (1 << a), 0);
                self.add(p, s, 1 << a);
            }
            Op::Free(_) | Op::Realloc(..) if self.live.is_empty() => {}
            Op::Free(i) => self.free(i),
            Op::Realloc(i, s) => {
                let l = self.remove(i);
                // SAFETY: live until now, with this layout; C's function for C's blocks.
                let p =
                    unsafe { if l.align == 0 { realloc(l.p, s) } else { resize(l.p, l.bytes, l.align, s) } };
                let kept = Live { p, bytes: l.bytes.min(s), ..l };
                kept.check();
                assert_eq!(p.addr() % l.align.max(1), 0);
                self.add(p, s, l.align);
            }
            Op::Trim => {
                ace_alloc::trim();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn against_a_shadow_map(ops in prop::collection::vec(op(), 1..400)) {
        let mut shadow = Shadow::default();
        for op in ops {
            shadow.apply(op);
        }
        while !shadow.live.is_empty() {
            shadow.free(0);
        }
    }
}
