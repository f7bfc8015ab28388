//! What lies between slow or single-threaded readers and everything that reads a disk in small pieces.

use std::io::{self, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

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

/// What libraries give that read by a position: one thread at a time, and they may panic.
pub(super) trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

/// A reader that one thread uses at a time.
pub(super) type Reader = Box<dyn ReadSeek + Send>;

/// How a pool gets another reader of the same bytes.
type Opener = Box<dyn Fn() -> io::Result<Reader> + Send + Sync>;

/// Several readers of the same bytes, so that several threads can read at once.
pub(super) struct Pool {
    open: Opener,
    size: u64,
    most: usize,
    readers: Mutex<Readers>,
    returned: Condvar,
}

#[derive(Default)]
struct Readers {
    idle: Vec<Reader>,
    /// Idle or in use.
    opened: usize,
}

impl Pool {
    /// At most `most` readers, opened when they are needed; the first at once, to learn the size.
    ///
    /// # Errors
    /// What the opener says; a panic in it is an error.
    pub(super) fn new(
        most: usize,
        open: impl Fn() -> io::Result<Reader> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let (reader, size) = fused(|| {
            let mut reader = open()?;
            let size = reader.seek(SeekFrom::End(0))?;
            Ok((reader, size))
        })?;
        let readers = Mutex::new(Readers { idle: vec![reader], opened: 1 });
        Ok(Self {
            open: Box::new(open),
            size,
            most: most.max(1),
            readers,
            returned: Condvar::new(),
        })
    }

    fn take(&self) -> io::Result<Reader> {
        let mut readers = lock(&self.readers);
        loop {
            if let Some(reader) = readers.idle.pop() {
                return Ok(reader);
            }
            if readers.opened < self.most {
                readers.opened = readers.opened.saturating_add(1);
                drop(readers);
                return fused(|| (self.open)()).inspect_err(|_| self.lose());
            }
            readers = self.returned.wait(readers).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn give_back(&self, reader: Reader) {
        lock(&self.readers).idle.push(reader);
        self.returned.notify_one();
    }

    /// A reader that failed may be in any state: it is dropped and may be replaced.
    fn lose(&self) {
        let mut readers = lock(&self.readers);
        readers.opened = readers.opened.saturating_sub(1);
        drop(readers);
        self.returned.notify_one();
    }
}

impl Source for Pool {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(rest);
        let Some(buffer) = buffer.get_mut(..wanted).filter(|buffer| !buffer.is_empty()) else {
            return Ok(0);
        };
        let mut reader = self.take()?;
        let read = fused(|| {
            reader.seek(SeekFrom::Start(offset))?;
            reader.read(buffer)
        });
        match read {
            Ok(0) => {
                self.give_back(reader);
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the image is cut off"))
            }
            Ok(count) => {
                self.give_back(reader);
                Ok(count.min(wanted))
            }
            Err(error) => {
                drop(reader);
                self.lose();
                Err(error)
            }
        }
    }
}

/// The one place where a panic of a library under a pool becomes an error.
fn fused<T>(step: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    catch_unwind(AssertUnwindSafe(step))
        .unwrap_or_else(|_| Err(io::Error::other("the library that reads this format failed")))
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

    /// Panics at a certain position.
    struct Panicking(io::Cursor<Vec<u8>>);

    impl Read for Panicking {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            assert!(self.0.position() != 13, "hostile");
            self.0.read(buffer)
        }
    }

    impl Seek for Panicking {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    #[test]
    fn a_pool_serves_threads_and_survives_panics() {
        let opened = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&opened);
        let pool = Pool::new(3, move || {
            count.fetch_add(1, Ordering::Relaxed);
            Ok(Box::new(Panicking(io::Cursor::new(pattern(10_000)))))
        })
        .unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for offset in 100..900_u64 {
                        let mut byte = [0];
                        assert_eq!(pool.read_at(offset, &mut byte).unwrap(), 1);
                        assert_eq!(byte[0], pattern(1000)[usize::try_from(offset).unwrap()]);
                    }
                });
            }
        });
        assert!(opened.load(Ordering::Relaxed) <= 3);
        for _ in 0..5 {
            assert!(pool.read_at(13, &mut [0; 4]).is_err());
        }
        assert_eq!(pool.read_at(9_999, &mut [0; 4]).unwrap(), 1);
        assert_eq!(pool.read_at(10_000, &mut [0; 4]).unwrap(), 0);
        assert!(Pool::new(1, || panic!("at open")).is_err());
    }
}
