//! Tests of rings: order, bounds, the end of a sender, and two threads at once.

use std::thread;

use engines::Engine;

use super::{Block, Heap, Received, resident_vec, ring};

/// Blocks of the C library, through the allocator of this test program.
struct Global;

// SAFETY: the global allocator keeps the contract.
unsafe impl Engine for Global {
    fn name(&self) -> &'static str {
        "global"
    }
    fn version(&self) -> String {
        String::new()
    }
    unsafe fn alloc(&self, size: usize, _align: usize) -> *mut u8 {
        Box::leak(vec![0_u8; size].into_boxed_slice()).as_mut_ptr()
    }
    unsafe fn dealloc(&self, ptr: *mut u8, size: usize, _align: usize) {
        // SAFETY: `alloc` leaked a box of exactly this slice.
        drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(ptr, size)) });
    }
    unsafe fn realloc(&self, _ptr: *mut u8, _old: usize, _align: usize, _new: usize) -> *mut u8 {
        std::ptr::null_mut()
    }
    unsafe fn usable_size(&self, _ptr: *mut u8, size: usize, _align: usize) -> usize {
        size
    }
    fn served(&self, _ptr: *const u8) -> bool {
        true
    }
}

static GLOBAL: Global = Global;

fn heap() -> Heap {
    Heap::new(&GLOBAL, 1).unwrap()
}

fn size_of_received(received: Received) -> Option<u32> {
    match received {
        Received::Block(block) => {
            let size = block.size();
            heap().free(block);
            Some(size)
        }
        Received::Empty | Received::Closed => None,
    }
}

fn block(size: u32) -> Block {
    heap().alloc(size).unwrap()
}

#[test]
fn a_ring_keeps_order_and_refuses_when_full() {
    let (mut sender, mut receiver) = ring(4);
    for round in 0..5 {
        for number in 1..=4 {
            assert!(sender.send(block(round * 4 + number)).is_ok());
        }
        let refused = sender.send(block(999)).unwrap_err();
        heap().free(refused);
        for number in 1..=4 {
            assert_eq!(size_of_received(receiver.receive()), Some(round * 4 + number));
        }
        assert!(matches!(receiver.receive(), Received::Empty));
    }
}

#[test]
fn what_was_sent_before_the_end_is_received_before_closed() {
    let (mut sender, mut receiver) = ring(2);
    assert!(sender.send(block(7)).is_ok());
    drop(sender);
    assert_eq!(size_of_received(receiver.receive()), Some(7));
    assert!(matches!(receiver.receive(), Received::Closed));
}

#[test]
fn two_threads_pass_every_block_once_and_in_order() {
    const COUNT: u32 = 20_000;
    for capacity in [1, 2, 64] {
        let (mut sender, mut receiver) = ring(capacity);
        thread::scope(|scope| {
            scope.spawn(move || {
                for size in 1..=COUNT {
                    let mut unsent = sender.send(block(size % 500 + 1)).err();
                    while let Some(block) = unsent.take() {
                        thread::yield_now();
                        unsent = sender.send(block).err();
                    }
                }
            });
            let mut expected = 1;
            loop {
                match receiver.receive() {
                    Received::Closed => break,
                    Received::Empty => thread::yield_now(),
                    received => {
                        assert_eq!(size_of_received(received), Some(expected % 500 + 1));
                        expected += 1;
                    }
                }
            }
            assert_eq!(expected, COUNT + 1);
        });
    }
}

#[test]
fn contents_tell_address_size_and_life_apart() {
    let heap = heap();
    for size in [1, 7, 8, 9, 64, 100] {
        let mut block = block(size);
        block.set_stamp(1);
        heap.fill(&block);
        assert!(heap.check(&block).is_ok());
        block.set_stamp(2);
        assert!(heap.check(&block).is_err(), "an earlier life of {size} bytes passes");
        heap.write(&block);
        assert!(heap.check(&block).is_err());
        heap.read(&block);
        heap.free(block);
    }
}

#[test]
#[should_panic(expected = "a block returns to the heap that made it")]
fn a_block_does_not_return_to_another_heap() {
    Heap::new(&GLOBAL, 2).unwrap().free(block(8));
}

#[test]
fn a_boxed_value_comes_out_as_it_went_in() {
    let heap = Heap::new(&GLOBAL, 1).unwrap();
    let mut boxed = heap.boxed([1_u8, 2, 3]).unwrap();
    boxed.get_mut()[1] = 9;
    assert_eq!(boxed.get(), &[1, 9, 3]);
    assert_eq!(heap.unboxed(boxed), [1, 9, 3]);
}

#[test]
fn a_resident_vector_is_empty_and_has_room() {
    let vec = resident_vec::<Block>(1000);
    assert!(vec.is_empty() && vec.capacity() >= 1000);
}
