//! Fields of structures on disks, by offset. A field beyond the bytes at hand is zero, as if it had never been written.

/// Some bytes of a disk, read as a structure.
pub(in crate::evidence::disk) struct Fields<'a>(pub(in crate::evidence::disk) &'a [u8]);

impl Fields<'_> {
    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        let end = at.saturating_add(N);
        self.0.get(at..end).and_then(|bytes| bytes.try_into().ok()).unwrap_or([0; N])
    }

    pub(in crate::evidence::disk) fn u16_le(&self, at: usize) -> u16 {
        u16::from_le_bytes(self.array(at))
    }

    pub(in crate::evidence::disk) fn u32_le(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.array(at))
    }

    pub(in crate::evidence::disk) fn u64_le(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.array(at))
    }

    pub(super) fn u32_be(&self, at: usize) -> u32 {
        u32::from_be_bytes(self.array(at))
    }

    pub(super) fn u64_be(&self, at: usize) -> u64 {
        u64::from_be_bytes(self.array(at))
    }

    /// A GUID as it is stored: the first three fields little-endian.
    pub(in crate::evidence::disk) fn guid(&self, at: usize) -> [u8; 16] {
        self.array(at)
    }

    /// The bytes from `at` on, at most `size`.
    pub(in crate::evidence::disk) fn bytes(&self, at: usize, size: usize) -> &[u8] {
        let rest = self.0.get(at..).unwrap_or_default();
        rest.get(..size).unwrap_or(rest)
    }
}
