//! What unpacking may cost.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::evidence::Limits;

/// A member smaller than this in bytes may be packed as tightly as it likes.
const HARMLESS: u64 = 1 << 20;

/// Counts what one archive has cost.
pub(super) struct Meter {
    limits: Limits,
    spent: AtomicU64,
}

impl Meter {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, spent: AtomicU64::new(0) }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Counts bytes that were unpacked and are kept.
    pub(super) fn charge(&self, bytes: u64) -> io::Result<()> {
        let before = self.spent.fetch_add(bytes, Ordering::Relaxed);
        self.within(before.saturating_add(bytes))
    }

    /// Whether that many unpacked bytes are allowed.
    pub(super) fn within(&self, bytes: u64) -> io::Result<()> {
        if bytes > self.limits.unpacked {
            return Err(io::Error::other(format!(
                "more than {} bytes would be unpacked; --max-unpacked raises this limit",
                self.limits.unpacked
            )));
        }
        Ok(())
    }

    /// Whether so many bytes may come of so few.
    pub(super) fn ratio(&self, unpacked: u64, packed: u64) -> io::Result<()> {
        let most = packed.max(1).saturating_mul(self.limits.ratio);
        if unpacked > HARMLESS && unpacked > most {
            return Err(io::Error::other(format!(
                "more than {} times as large as packed, as an archive made to fill a disk is; --max-ratio raises this limit",
                self.limits.ratio
            )));
        }
        Ok(())
    }

    /// A reader of the whole of what an archive unpacks to, which ends with an error at the limits.
    pub(super) fn stream<R: Read>(&self, reader: R, packed: u64) -> Metered<'_, R> {
        Metered { meter: self, reader, packed, passed: 0 }
    }
}

/// Counts what passes, kept or not: passing it by costs time.
pub(super) struct Metered<'m, R> {
    meter: &'m Meter,
    reader: R,
    packed: u64,
    passed: u64,
}

impl<R> Metered<'_, R> {
    /// How many bytes have passed.
    pub(super) fn passed(&self) -> u64 {
        self.passed
    }
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // A decoder may take an empty buffer for the end of its input.
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = self.reader.read(buffer)?;
        self.passed = self.passed.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        self.meter.within(self.passed)?;
        self.meter.ratio(self.passed, self.packed)?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_name_the_option_that_raises_them() {
        let limits = Limits { unpacked: 4 << 20, ratio: 10, ..Limits::default() };
        let meter = Meter::new(limits);
        assert!(meter.charge(4 << 20).is_ok());
        assert!(meter.charge(1).unwrap_err().to_string().contains("--max-unpacked"));
        assert!(meter.ratio(1 << 20, 1).is_ok());
        assert!(meter.ratio((1 << 20) + 1, 1).unwrap_err().to_string().contains("--max-ratio"));
        assert!(meter.ratio(2 << 20, 1 << 20).is_ok());
        let mut zeros = meter.stream(io::repeat(0), 1 << 30);
        let error = io::copy(&mut zeros, &mut io::sink()).unwrap_err();
        assert!(error.to_string().contains("--max-unpacked"));
    }
}
