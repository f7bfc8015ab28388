//! What the crate reads a locked volume through: it asks for single sectors, and looks at one protector of a type.

use std::io::{self, Read, Seek, SeekFrom};

use crate::evidence::source::{Cursor, SharedSource, read_up_to};

/// Bytes that are read together.
const PAGE: u64 = 64 << 10;
/// A protector type that nobody asks for.
const HIDDEN: u8 = 0xff;

/// A volume read in pages, with some protectors hidden, so that each of several of one type can be tried.
pub(super) struct Pages {
    source: SharedSource,
    position: Cursor,
    page: Vec<u8>,
    /// Where `page` begins; absent before the first.
    start: Option<u64>,
    /// Where the types of hidden protectors are: two bytes each.
    hidden: Vec<u64>,
}

impl Pages {
    pub(super) fn new(source: &SharedSource, hidden: Vec<u64>) -> Self {
        Self {
            source: SharedSource::clone(source),
            position: Cursor::new(SharedSource::clone(source)),
            page: Vec::new(),
            start: None,
            hidden,
        }
    }

    fn load(&mut self, start: u64) -> io::Result<()> {
        self.start = None;
        self.page.resize(usize::try_from(PAGE).unwrap_or_default(), 0);
        let read = read_up_to(self.source.as_ref(), start, &mut self.page)?;
        self.page.truncate(read);
        for at in self.hidden.iter().flat_map(|at| [*at, at.saturating_add(1)]) {
            let within = at.checked_sub(start).and_then(|at| usize::try_from(at).ok());
            if let Some(byte) = within.and_then(|within| self.page.get_mut(within)) {
                *byte = HIDDEN;
            }
        }
        self.start = Some(start);
        Ok(())
    }
}

impl Read for Pages {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let position = self.position.stream_position()?;
        let within = position % PAGE;
        let start = position.saturating_sub(within);
        if self.start != Some(start) {
            self.load(start)?;
        }
        let within = usize::try_from(within).unwrap_or(usize::MAX);
        let count = self.page.get(within..).unwrap_or_default().read(buffer)?;
        let moved = i64::try_from(count).unwrap_or_default();
        self.position.seek(SeekFrom::Current(moved))?;
        Ok(count)
    }
}

impl Seek for Pages {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position.seek(to)
    }
}
