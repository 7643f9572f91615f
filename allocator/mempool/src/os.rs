//! Memory from and to the operating system; the only module that makes memory system calls.
//!
//! Everything is mapped in granules of 64 KiB, aligned to at least one granule, readable,
//! writable and zeroed. Callers own what they get and give back whole granules. No state here:
//! which granules a pool holds is recorded by [`crate::supply`].

use std::ptr;

/// Unit of mapping, in bytes: one chunk of the slab lists.
pub(crate) const GRANULE_BYTES: usize = 64 << 10;

/// Maps `bytes` (a multiple of the granule) at a multiple of `align` (a power of two), or NULL.
pub(crate) fn map(bytes: usize, align: usize) -> *mut u8 {
    debug_assert!(bytes.is_multiple_of(GRANULE_BYTES) && align.is_power_of_two());
    let align = align.max(GRANULE_BYTES);
    let Some(padded_bytes) = bytes.checked_add(align).filter(|&sum| sum <= isize::MAX as usize) else {
        return ptr::null_mut();
    };
    let Some(start) = map_anywhere(padded_bytes) else { return ptr::null_mut() };
    let address = start.addr();
    let front_bytes = address.next_multiple_of(align) - address;
    let back_bytes = padded_bytes - front_bytes - bytes;
    let aligned = start.wrapping_add(front_bytes);
    // SAFETY: both ends lie inside the mapping just made, outside the part that is returned, and
    // nobody else knows their addresses.
    unsafe { unmap(start, front_bytes) };
    // SAFETY: as above, for the end behind the returned part.
    unsafe { unmap(aligned.wrapping_add(bytes), back_bytes) };
    aligned
}

/// Gives `bytes` at `start` back; nothing happens for zero bytes.
///
/// # Safety
/// The range consists of pages mapped by [`map`], and nothing refers to them any more.
pub(crate) unsafe fn unmap(start: *mut u8, bytes: usize) {
    if bytes == 0 {
        return;
    }
    // SAFETY: the caller owns the range and gives it up.
    let result = unsafe { libc::munmap(start.cast(), bytes) };
    debug_assert_eq!(result, 0, "munmap of an owned range fails only for lack of map entries");
}

/// Asks the kernel to take the pages of a range from one memory node, if it can.
///
/// A refusal (no NUMA support, a container's filter) is ignored: placement is a preference.
pub(crate) fn prefer_node(start: *mut u8, bytes: usize, node: usize) {
    const MPOL_PREFERRED: libc::c_int = 1;
    let mask: u64 = match node {
        0..64 => 1 << node,
        _ => return,
    };
    // The kernel takes `maxnode - 1` bits of the mask.
    let mask_bits: libc::c_ulong = 65;
    // SAFETY: mbind reads one word at `&mask` and touches no user memory of the range; the range is
    // owned by the caller, and a policy does not change its contents.
    unsafe { libc::syscall(libc::SYS_mbind, start, bytes, MPOL_PREFERRED, &raw const mask, mask_bits, 0) };
}

/// The processor the calling thread runs on, or 0 where the kernel does not say.
pub(crate) fn current_cpu() -> usize {
    // SAFETY: takes no argument and touches no memory of ours.
    let cpu = unsafe { libc::sched_getcpu() };
    usize::try_from(cpu).unwrap_or(0)
}

fn map_anywhere(bytes: usize) -> Option<*mut u8> {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a fresh anonymous mapping at an address of the kernel's choice replaces nothing.
    let start = unsafe { libc::mmap(ptr::null_mut(), bytes, protection, flags, -1, 0) };
    (start != libc::MAP_FAILED).then_some(start.cast())
}
