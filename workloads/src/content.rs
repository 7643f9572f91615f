//! What is done with the bytes of a block: nothing, write and read them, or fill and check them.
//!
//! A type parameter of the executing loop, beside the probe, so that a workload which touches nothing has no branch
//! for it. Nothing here runs inside the time that a probe measures.

use crate::raw::{Block, Heap, Imprint};
use crate::run::RunError;

/// The handling of contents.
pub trait Content: Send + Default {
    /// What must survive a resize.
    type Kept;
    /// A block was allocated.
    fn fresh(&mut self, heap: &Heap, block: &mut Block) -> Result<(), RunError>;
    /// A block is about to be freed, perhaps by another thread than its maker.
    fn last(&mut self, heap: &Heap, block: &Block) -> Result<(), RunError>;
    /// A block is about to be resized.
    fn before_resize(&mut self, heap: &Heap, block: &Block) -> Result<Self::Kept, RunError>;
    /// A block was resized.
    fn after_resize(&mut self, heap: &Heap, block: &mut Block, kept: Self::Kept) -> Result<(), RunError>;
    /// Blocks whose contents were checked and found right.
    fn verified(&self) -> u64 {
        0
    }
}

/// Contents are left alone.
#[derive(Default)]
pub struct Untouched;

impl Content for Untouched {
    type Kept = ();
    #[inline(always)]
    fn fresh(&mut self, _heap: &Heap, _block: &mut Block) -> Result<(), RunError> {
        Ok(())
    }
    #[inline(always)]
    fn last(&mut self, _heap: &Heap, _block: &Block) -> Result<(), RunError> {
        Ok(())
    }
    #[inline(always)]
    fn before_resize(&mut self, _heap: &Heap, _block: &Block) -> Result<(), RunError> {
        Ok(())
    }
    #[inline(always)]
    fn after_resize(&mut self, _heap: &Heap, _block: &mut Block, _kept: ()) -> Result<(), RunError> {
        Ok(())
    }
}

/// Every byte is written after an allocation or resize, every cache line read before a free.
#[derive(Default)]
pub struct Touched;

impl Content for Touched {
    type Kept = ();
    #[inline(always)]
    fn fresh(&mut self, heap: &Heap, block: &mut Block) -> Result<(), RunError> {
        heap.write(block);
        Ok(())
    }
    #[inline(always)]
    fn last(&mut self, heap: &Heap, block: &Block) -> Result<(), RunError> {
        heap.read(block);
        Ok(())
    }
    #[inline(always)]
    fn before_resize(&mut self, _heap: &Heap, _block: &Block) -> Result<(), RunError> {
        Ok(())
    }
    #[inline(always)]
    fn after_resize(&mut self, heap: &Heap, block: &mut Block, _kept: ()) -> Result<(), RunError> {
        heap.write(block);
        Ok(())
    }
}

/// Every byte is told apart and checked, alignment and usable size too.
#[derive(Default)]
pub struct Verified {
    stamp: u16,
    checked: u64,
}

impl Verified {
    fn shape(&mut self, heap: &Heap, block: &mut Block) -> Result<(), RunError> {
        if let Err(address) = heap.aligned(block) {
            return Err(RunError::Corrupt(format!(
                "block of {} bytes at {address:#x}: not aligned as asked",
                block.size()
            )));
        }
        let usable = heap.usable(block);
        if usable < block.size() as usize {
            return Err(RunError::Corrupt(format!(
                "block of {} bytes: the engine calls {usable} of them usable",
                block.size()
            )));
        }
        self.stamp = self.stamp.wrapping_add(1);
        block.set_stamp(self.stamp);
        heap.fill(block);
        Ok(())
    }
}

impl Content for Verified {
    type Kept = Imprint;
    fn fresh(&mut self, heap: &Heap, block: &mut Block) -> Result<(), RunError> {
        self.shape(heap, block)
    }
    fn last(&mut self, heap: &Heap, block: &Block) -> Result<(), RunError> {
        self.checked += 1;
        heap.check(block).map_err(RunError::Corrupt)
    }
    fn before_resize(&mut self, heap: &Heap, block: &Block) -> Result<Imprint, RunError> {
        heap.check(block).map_err(RunError::Corrupt)?;
        Ok(heap.imprint(block))
    }
    fn after_resize(&mut self, heap: &Heap, block: &mut Block, kept: Imprint) -> Result<(), RunError> {
        heap.check_kept(block, &kept).map_err(|what| RunError::Corrupt(format!("after a resize: {what}")))?;
        self.checked += 1;
        self.shape(heap, block)
    }
    fn verified(&self) -> u64 {
        self.checked
    }
}
