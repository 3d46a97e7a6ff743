//! Memory asked for before it is needed.

/// Asks for the cache line of a value without waiting for it. Changes nothing but time; on machines without such an
/// instruction it does nothing.
#[inline]
pub fn prefetch<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: prefetching reads and writes nothing that the program can see, at any address (Intel SDM, PREFETCHh);
        // the instruction is part of x86-64.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}
