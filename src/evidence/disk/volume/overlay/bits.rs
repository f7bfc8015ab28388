//! Bits in little-endian 16-bit words, most significant first.

use std::io;

use crate::evidence::disk::volume::bytes::{damaged, u16_at};

/// Reads bits, and bytes in between, as XPRESS and LZX mix them: at least 16 bits are always loaded ahead.
pub(super) struct Bits<'d> {
    data: &'d [u8],
    position: usize,
    /// The loaded bits, from the top down.
    window: u64,
    loaded: u32,
    /// How many of them lie beyond the end of the data.
    beyond: u32,
}

impl<'d> Bits<'d> {
    pub(super) fn new(data: &'d [u8], position: usize) -> Self {
        let mut bits = Self { data, position, window: 0, loaded: 0, beyond: 0 };
        bits.load();
        bits.load();
        bits
    }

    fn load(&mut self) {
        let word = u16_at(self.data, self.position).unwrap_or_else(|| {
            self.beyond = self.beyond.saturating_add(16);
            0
        });
        self.position = self.position.saturating_add(2);
        self.window |= u64::from(word) << 48_u32.saturating_sub(self.loaded);
        self.loaded = self.loaded.saturating_add(16);
    }

    /// The next 16 bits without taking them.
    pub(super) fn peek(&self) -> u16 {
        u16::try_from(self.window >> 48).unwrap_or(0)
    }

    /// Takes up to 16 bits.
    pub(super) fn take(&mut self, count: u32) -> u32 {
        let value = u32::from(self.peek()).checked_shr(16_u32.saturating_sub(count)).unwrap_or(0);
        self.window <<= count.min(16);
        self.loaded = self.loaded.saturating_sub(count);
        if self.loaded < 16 {
            self.load();
        }
        value
    }

    /// The byte at the position from which the next bits would be loaded.
    pub(super) fn byte(&mut self) -> io::Result<u8> {
        let byte = self.data.get(self.position).copied();
        self.position = self.position.saturating_add(1);
        byte.ok_or_else(|| damaged("the data end too early"))
    }

    /// Where the bytes begin after the word that the next bit is in; a word not begun is skipped whole.
    pub(super) fn after_this_word(&self) -> usize {
        let whole_words = match self.loaded.checked_rem(16) {
            Some(0) => self.loaded.saturating_div(16).saturating_sub(1),
            _ => self.loaded.saturating_div(16),
        };
        let ahead = usize::try_from(whole_words).unwrap_or(0).saturating_mul(2);
        self.position.saturating_sub(ahead)
    }

    /// # Errors
    /// Where bits were taken that the data do not have.
    pub(super) fn check(&self) -> io::Result<()> {
        if self.beyond > self.loaded {
            return Err(damaged("the data end too early"));
        }
        Ok(())
    }
}
