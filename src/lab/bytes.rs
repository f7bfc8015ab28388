//! Little-endian bytes, written front to back and patched where a length or an offset is known only later.

/// A growing buffer of little-endian fields.
#[derive(Debug, Clone, Default)]
pub(super) struct Buffer(Vec<u8>);

impl Buffer {
    pub(super) fn with(bytes: &[u8]) -> Buffer {
        Buffer(bytes.to_vec())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The position as the formats store it.
    pub(super) fn position(&self) -> u32 {
        length(self.0.len())
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn into_vec(self) -> Vec<u8> {
        self.0
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    pub(super) fn u8(&mut self, value: u8) -> &mut Buffer {
        self.0.push(value);
        self
    }

    pub(super) fn u16(&mut self, value: u16) -> &mut Buffer {
        self.bytes(&value.to_le_bytes())
    }

    pub(super) fn u32(&mut self, value: u32) -> &mut Buffer {
        self.bytes(&value.to_le_bytes())
    }

    pub(super) fn u64(&mut self, value: u64) -> &mut Buffer {
        self.bytes(&value.to_le_bytes())
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Buffer {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(super) fn zeros(&mut self, count: usize) -> &mut Buffer {
        self.0.resize(self.0.len().saturating_add(count), 0);
        self
    }

    /// Zeros up to the next multiple of `unit`.
    pub(super) fn align(&mut self, unit: usize) -> &mut Buffer {
        self.0.resize(self.0.len().next_multiple_of(unit), 0);
        self
    }

    pub(super) fn patch(&mut self, offset: usize, bytes: &[u8]) -> &mut Buffer {
        patch(&mut self.0, offset, bytes);
        self
    }
}

/// Overwrites bytes at a place that exists already.
pub(super) fn patch(target: &mut [u8], offset: usize, bytes: &[u8]) {
    let end = offset.saturating_add(bytes.len());
    match target.get_mut(offset..end) {
        Some(place) => place.copy_from_slice(bytes),
        None => debug_assert!(false, "patch {offset}..{end} of {}", target.len()),
    }
}

/// A part of a buffer; empty unless the buffer holds all of it.
pub(super) fn part(bytes: &[u8], offset: usize, len: usize) -> &[u8] {
    bytes.get(offset..offset.saturating_add(len)).unwrap_or_default()
}

/// A length as the formats store it. Nothing written here comes near 4 GiB.
pub(super) fn length(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// A 16-bit length or count.
pub(super) fn short(len: usize) -> u16 {
    u16::try_from(len).unwrap_or(u16::MAX)
}

/// An offset of the formats as an index.
pub(super) fn index(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

/// UTF-16LE without a terminator.
pub(super) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// UTF-16LE with its terminating NUL.
pub(super) fn utf16_z(text: &str) -> Vec<u8> {
    let mut bytes = utf16(text);
    bytes.extend_from_slice(&[0, 0]);
    bytes
}
