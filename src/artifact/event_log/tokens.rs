//! The tokens of a template definition, one after another.
//!
//! (BinXML tokens: libyal, "Windows XML Event Log (EVTX) format", and \[MS-EVEN6\] 2.2.12.)

use super::bytes::{offset_at, slice_at, u16_at};

/// Next definition `u32`, GUID, size of the body `u32`.
pub(super) const DEFINITION_HEADER_SIZE: usize = 24;

/// A place among the tokens. Nothing is taken beyond the end of `body`.
pub(super) struct Tokens<'c> {
    /// The chunk, in which names are anywhere.
    data: &'c [u8],
    /// The chunk up to where tokens may be taken.
    body: &'c [u8],
    at: usize,
}

impl<'c> Tokens<'c> {
    pub(super) const fn new(data: &'c [u8], body: &'c [u8], at: usize) -> Self {
        Self { data, body, at }
    }

    /// Offset in the chunk.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.body.len()
    }

    pub(super) fn take(&mut self, len: usize) -> Option<&'c [u8]> {
        let taken = slice_at(self.body, self.at, len)?;
        self.at = self.at.checked_add(len)?;
        Some(taken)
    }

    /// A name is an offset in the chunk; where it points here, the name itself follows: next name `u32`, hash `u16`,
    /// characters `u16`, UTF-16LE, NUL.
    pub(super) fn name(&mut self) -> Option<&'c [u8]> {
        let offset = offset_at(self.take(4)?, 0)?;
        let length = usize::from(u16_at(self.data, offset.checked_add(6)?)?).checked_mul(2)?;
        let name = slice_at(self.data, offset.checked_add(8)?, length)?;
        if offset == self.at {
            self.take(length.checked_add(10)?)?;
        }
        Some(name)
    }

    /// The text after a value's type: characters `u16`, UTF-16LE.
    pub(super) fn text(&mut self) -> Option<&'c [u8]> {
        let length = usize::from(u16_at(self.take(2)?, 0)?).checked_mul(2)?;
        self.take(length)
    }
}

/// Whether a UTF-16LE name is that ASCII name, case included.
pub(super) fn is(utf16: &[u8], name: &str) -> bool {
    utf16.len() == name.len().saturating_mul(2)
        && utf16.chunks_exact(2).zip(name.bytes()).all(|(unit, byte)| unit == [byte, 0])
}
