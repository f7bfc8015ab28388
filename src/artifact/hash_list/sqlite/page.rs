//! Pages and cells of a database.

use std::io::{Read as _, Seek as _, SeekFrom};

use super::failed;
use super::record::varint;
use crate::evidence::Content;

/// Bytes of one record that are read: names and digests need no more.
const LONGEST_RECORD: usize = 64 << 10;
/// Bytes of the header before the first page's tree.
const HEADER: usize = 100;

/// The pages of a database.
pub(super) struct Pages {
    content: Box<dyn Content>,
    size: usize,
    usable: usize,
    encoding: u32,
    count: u64,
}

/// What a page of a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    InteriorIndex,
    InteriorTable,
    LeafIndex,
    LeafTable,
}

/// A page of a tree.
pub(super) struct Page {
    bytes: Vec<u8>,
    /// What it is.
    pub(super) kind: Kind,
    /// The page with the largest keys; absent of a leaf.
    pub(super) right: Option<u32>,
    header: usize,
    usable: usize,
    cells: usize,
}

/// A cell: where its record lies.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    /// The page with smaller keys; absent of a leaf.
    pub(super) left: Option<u32>,
    /// The row's number; 0 in an index.
    pub(super) row: i64,
    local: Vec<u8>,
    /// Bytes of the whole record.
    length: u64,
    /// The first page of the rest.
    overflow: Option<u32>,
}

impl Pages {
    /// Reads the header.
    ///
    /// # Errors
    /// A sentence, where it is none.
    pub(super) fn open(mut content: Box<dyn Content>) -> Result<Self, String> {
        let mut header = [0; HEADER];
        content.seek(SeekFrom::Start(0)).map_err(|error| failed(&error))?;
        content.read_exact(&mut header).map_err(|error| failed(&error))?;
        let length = content.seek(SeekFrom::End(0)).map_err(|error| failed(&error))?;
        let size = match u16_at(&header, 16) {
            Some(1) => 65_536,
            Some(size) if size >= 512 && size.is_power_of_two() => usize::from(size),
            _ => return Err("a database with a page size that is none".to_owned()),
        };
        let reserved = usize::from(header.get(20).copied().unwrap_or_default());
        let usable = size.saturating_sub(reserved);
        if usable < 480 {
            return Err("a database whose pages have no room".to_owned());
        }
        let encoding = u32_at(&header, 56).unwrap_or_default();
        let count = length / u64::try_from(size).unwrap_or(u64::MAX);
        Ok(Self { content, size, usable, encoding, count })
    }

    /// How many pages the file has.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Whether text is UTF-8.
    pub(super) fn is_utf8(&self) -> bool {
        !matches!(self.encoding, 2 | 3)
    }

    /// Stored text as it reads.
    pub(super) fn text(&self, stored: &[u8]) -> String {
        let units = |join: fn([u8; 2]) -> u16| {
            let pairs = stored.chunks_exact(2);
            let units: Vec<u16> =
                pairs.filter_map(|pair| Some(join(pair.try_into().ok()?))).collect();
            String::from_utf16_lossy(&units)
        };
        match self.encoding {
            2 => units(u16::from_le_bytes),
            3 => units(u16::from_be_bytes),
            _ => String::from_utf8_lossy(stored).into_owned(),
        }
    }

    fn read(&mut self, number: u32) -> Result<Vec<u8>, String> {
        let at = u64::from(number).checked_sub(1);
        let size = u64::try_from(self.size).unwrap_or(u64::MAX);
        let offset = at.and_then(|at| at.checked_mul(size)).ok_or("a page without a number")?;
        let mut bytes = vec![0; self.size];
        self.content.seek(SeekFrom::Start(offset)).map_err(|error| failed(&error))?;
        self.content.read_exact(&mut bytes).map_err(|error| failed(&error))?;
        Ok(bytes)
    }

    /// A page of a tree.
    ///
    /// # Errors
    /// A sentence, where it cannot be read or is none.
    pub(super) fn tree(&mut self, number: u32) -> Result<Page, String> {
        let bytes = self.read(number)?;
        let header = if number == 1 { HEADER } else { 0 };
        let kind = match bytes.get(header) {
            Some(2) => Kind::InteriorIndex,
            Some(5) => Kind::InteriorTable,
            Some(10) => Kind::LeafIndex,
            Some(13) => Kind::LeafTable,
            _ => return Err("no page of a table".to_owned()),
        };
        let at = |offset: usize| header.saturating_add(offset);
        let interior = matches!(kind, Kind::InteriorIndex | Kind::InteriorTable);
        let right = if interior { u32_at(&bytes, at(8)) } else { None };
        let cells = usize::from(u16_at(&bytes, at(3)).unwrap_or_default());
        let header = at(if interior { 12 } else { 8 });
        Ok(Page { bytes, kind, right, header, usable: self.usable, cells })
    }

    /// A cell's record, at most its first 64 KiB.
    ///
    /// # Errors
    /// A sentence, where a page of it cannot be read.
    pub(super) fn payload(&mut self, cell: &Cell) -> Result<Vec<u8>, String> {
        let mut payload = cell.local.clone();
        let wanted = usize::try_from(cell.length).unwrap_or(usize::MAX).min(LONGEST_RECORD);
        let mut next = cell.overflow;
        while let Some(number) = next.filter(|number| *number != 0 && payload.len() < wanted) {
            let bytes = self.read(number)?;
            let missing = wanted.saturating_sub(payload.len());
            let end = missing.saturating_add(4).min(self.usable);
            payload.extend_from_slice(bytes.get(4..end).ok_or("a damaged record")?);
            next = u32_at(&bytes, 0);
        }
        Ok(payload)
    }
}

impl Page {
    /// How many cells it has.
    pub(super) fn cells(&self) -> usize {
        // More than fit is damage: every cell has a pointer of two bytes.
        self.cells.min(self.bytes.len() / 2)
    }

    /// The cell of that number; nothing where it does not fit into the page.
    pub(super) fn cell(&self, at: usize) -> Option<Cell> {
        let pointer = self.header.checked_add(at.checked_mul(2)?)?;
        let mut rest = self.bytes.get(usize::from(u16_at(&self.bytes, pointer)?)..)?;
        let mut left = None;
        if matches!(self.kind, Kind::InteriorIndex | Kind::InteriorTable) {
            left = Some(u32_at(rest, 0)?);
            rest = rest.get(4..)?;
        }
        let empty = |row| Cell { left, row, local: Vec::new(), length: 0, overflow: None };
        if self.kind == Kind::InteriorTable {
            return Some(empty(varint(&mut rest)?));
        }
        let length = u64::try_from(varint(&mut rest)?).ok()?;
        let row = if self.kind == Kind::LeafTable { varint(&mut rest)? } else { 0 };
        let (local, spills) = self.local(length)?;
        let overflow = if spills { Some(u32_at(rest, local)?) } else { None };
        Some(Cell { length, local: rest.get(..local)?.to_vec(), overflow, ..empty(row) })
    }

    /// How many bytes of a record stand in the page, and whether the rest stands elsewhere.
    fn local(&self, length: u64) -> Option<(usize, bool)> {
        let fraction = |part: usize| {
            Some((self.usable.checked_sub(12)?.checked_mul(part)? / 255).saturating_sub(23))
        };
        let most = match self.kind {
            Kind::LeafTable => self.usable.checked_sub(35)?,
            _ => fraction(64)?,
        };
        let whole = usize::try_from(length).ok()?;
        if whole <= most {
            return Some((whole, false));
        }
        let least = fraction(32)?;
        let page = self.usable.checked_sub(4)?;
        let kept = least.checked_add(whole.checked_sub(least)?.checked_rem(page)?)?;
        Some((if kept <= most { kept } else { least }, true))
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}
