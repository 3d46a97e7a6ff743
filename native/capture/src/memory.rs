//! Hints to processor and kernel about memory. They change nothing but time.

/// Bytes of a cache line.
const LINE_BYTES: usize = 64;
/// Bytes of a large page of x86-64 and of ARM with small pages of 4 KiB.
const LARGE_PAGE_BYTES: usize = 2 << 20;

/// Asks for the first cache line of a value without waiting for it; on machines without such an instruction it does
/// nothing.
#[inline]
pub fn prefetch<T>(value: &T) {
    prefetch_at(std::ptr::from_ref(value).cast());
}

/// Asks for all cache lines of a value.
#[inline]
pub fn prefetch_whole<T>(value: &T) {
    let start: *const u8 = std::ptr::from_ref(value).cast();
    for offset in (0..size_of::<T>()).step_by(LINE_BYTES) {
        prefetch_at(start.wrapping_add(offset));
    }
}

#[inline]
fn prefetch_at(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: prefetching reads and writes nothing that the program can see, at any address (Intel SDM, PREFETCHh);
        // the instruction is part of x86-64.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(address.cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// Asks the kernel for large pages behind what a vector has reserved and not used yet: a table that is looked into
/// everywhere then misses the translation buffer less often (madvise(2), MADV_HUGEPAGE). A kernel without them refuses.
pub fn prefer_large_pages<T>(reserved: &mut Vec<T>) {
    let spare = reserved.spare_capacity_mut();
    let bytes = size_of_val(spare);
    let start = spare.as_mut_ptr().cast::<u8>();
    let skipped = start.align_offset(LARGE_PAGE_BYTES);
    let whole = bytes.saturating_sub(skipped) / LARGE_PAGE_BYTES * LARGE_PAGE_BYTES;
    if whole > 0 {
        // SAFETY: the range lies inside the vector's own allocation, and the advice changes nothing that it holds.
        unsafe {
            libc::madvise(start.wrapping_add(skipped).cast(), whole, libc::MADV_HUGEPAGE);
        }
    }
}
