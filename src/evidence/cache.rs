//! What lies between slow sources and everything that reads a disk in small pieces.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::source::{SharedSource, Source, read_exact_at};

/// Bytes that are fetched and kept together.
const PAGE: u64 = 64 << 10;

/// Locks among which the pages are spread, so that threads seldom wait for each other.
const SHARDS: usize = 16;

/// Pages under one lock: 16 MiB in all, whatever the size of the source.
const PAGES_PER_SHARD: usize = 16;

/// The same bytes, kept in memory where they were read of late.
pub(super) struct Cached {
    source: SharedSource,
    shards: [Mutex<Shard>; SHARDS],
}

/// Pages with their numbers, the one used last at the end.
type Shard = Vec<(u64, Arc<[u8]>)>;

impl Cached {
    pub(super) fn new(source: SharedSource) -> Self {
        Self { source, shards: std::array::from_fn(|_| Mutex::default()) }
    }

    /// A page, from memory or from the source. What cannot be read is not remembered.
    fn page(&self, number: u64) -> io::Result<Arc<[u8]>> {
        let shard = usize::try_from(number).unwrap_or_default().checked_rem(SHARDS);
        let Some(shard) = shard.and_then(|shard| self.shards.get(shard)) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        if let Some(page) = kept(&mut lock(shard), number) {
            return Ok(page);
        }
        let start = number.saturating_mul(PAGE);
        let size = PAGE.min(self.size().saturating_sub(start));
        let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
        read_exact_at(self.source.as_ref(), start, &mut bytes)?;
        let page: Arc<[u8]> = bytes.into();
        let mut shard = lock(shard);
        if kept(&mut shard, number).is_none() {
            if shard.len() >= PAGES_PER_SHARD {
                shard.remove(0);
            }
            shard.push((number, Arc::clone(&page)));
        }
        Ok(page)
    }
}

fn kept(shard: &mut Shard, number: u64) -> Option<Arc<[u8]>> {
    let at = shard.iter().position(|(other, _)| *other == number)?;
    let entry = shard.remove(at);
    let page = Arc::clone(&entry.1);
    shard.push(entry);
    Some(page)
}

impl Source for Cached {
    fn size(&self) -> u64 {
        self.source.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if offset >= self.size() || buffer.is_empty() {
            return Ok(0);
        }
        let (number, within) = (offset / PAGE, offset % PAGE);
        let Ok(page) = self.page(number) else {
            // A part of the page may be there all the same: only what was asked for decides.
            let rest = usize::try_from(PAGE.saturating_sub(within)).unwrap_or(usize::MAX);
            let wanted = buffer.len().min(rest);
            return self.source.read_at(offset, buffer.get_mut(..wanted).unwrap_or_default());
        };
        let within = usize::try_from(within).unwrap_or(usize::MAX);
        let mut rest = page.get(within..).unwrap_or_default();
        rest.read(buffer)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::source::{MemorySource, read_up_to};
    use super::*;

    fn pattern(size: usize) -> Vec<u8> {
        (0..size).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect()
    }

    /// Counts reads; bytes from `bad` on cannot be read.
    struct Counting {
        bytes: MemorySource,
        bad: u64,
        reads: AtomicUsize,
    }

    impl Source for Counting {
        fn size(&self) -> u64 {
            self.bytes.size()
        }

        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
            self.reads.fetch_add(1, Ordering::Relaxed);
            let good = usize::try_from(self.bad.saturating_sub(offset)).unwrap();
            if good == 0 && offset < self.size() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let count = buffer.len().min(good);
            self.bytes.read_at(offset, &mut buffer[..count])
        }
    }

    fn counting(size: usize, bad: u64) -> Arc<Counting> {
        let bytes = MemorySource(pattern(size));
        Arc::new(Counting { bytes, bad, reads: AtomicUsize::new(0) })
    }

    #[test]
    fn pages_hold_the_same_bytes_up_to_the_end() {
        for size in [0, 1, 65_535, 65_536, 65_537, 200_001] {
            let cached = Cached::new(counting(size, u64::MAX));
            let expected = pattern(size);
            for (offset, length) in
                [(0, size + 9), (65_530, 20), (size, 1), (size.saturating_sub(3), 9)]
            {
                let mut buffer = vec![0xEE; length];
                let count = read_up_to(&cached, offset as u64, &mut buffer).unwrap();
                let wanted = expected.get(offset..).unwrap_or_default();
                assert_eq!(
                    &buffer[..count],
                    &wanted[..length.min(wanted.len())],
                    "{size} {offset}"
                );
            }
        }
    }

    #[test]
    fn a_page_is_fetched_once_and_memory_is_bounded() {
        let source = counting(40 << 20, u64::MAX);
        let cached = Cached::new(Arc::clone(&source) as SharedSource);
        for offset in (0..60_000).step_by(100) {
            cached.read_at(offset, &mut [0; 50]).unwrap();
        }
        assert_eq!(source.reads.load(Ordering::Relaxed), 1);
        read_up_to(&cached, 0, &mut vec![0; 40 << 20]).unwrap();
        let pages: usize = cached.shards.iter().map(|shard| lock(shard).len()).sum();
        assert_eq!(pages, SHARDS * PAGES_PER_SHARD);
    }

    #[test]
    fn what_cannot_be_read_is_an_error_and_not_remembered() {
        let cached = Cached::new(counting(100_000, 70_000));
        let mut buffer = [0; 16];
        assert_eq!(cached.read_at(69_990, &mut buffer).unwrap(), 10);
        assert!(cached.read_at(70_000, &mut buffer).is_err());
        assert!(cached.read_at(99_999, &mut buffer).is_err());
        assert_eq!(cached.read_at(100_000, &mut buffer).unwrap(), 0);
        let pages: usize = cached.shards.iter().map(|shard| lock(shard).len()).sum();
        assert_eq!(pages, 0);
    }
}
