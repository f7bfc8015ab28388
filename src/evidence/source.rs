//! Bytes at offsets: what files, disks, partitions, volumes and streams have in common.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

/// Bytes at offsets, readable from several threads at once, never written.
pub(super) trait Source: Send + Sync {
    /// The size in bytes.
    fn size(&self) -> u64;

    /// Reads at most as many bytes as the buffer holds. Gives 0 only for an empty buffer and at or after the end.
    ///
    /// # Errors
    /// What the operating system or the container says.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
}

/// A source that several readers hold.
pub(super) type SharedSource = Arc<dyn Source>;

/// Fills the buffer as far as the source goes; returns how many bytes that was.
pub(super) fn read_up_to(source: &dyn Source, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0_usize;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let Some(at) = u64::try_from(filled).ok().and_then(|filled| offset.checked_add(filled))
        else {
            break;
        };
        match source.read_at(at, rest) {
            Ok(0) => break,
            Ok(count) => filled = filled.saturating_add(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Fills the whole buffer.
///
/// # Errors
/// [`io::ErrorKind::UnexpectedEof`] where the source ends before.
pub(super) fn read_exact_at(source: &dyn Source, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
    if read_up_to(source, offset, buffer)? < buffer.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

/// A regular file of the examining machine.
pub(super) struct FileSource {
    file: File,
    size: u64,
}

impl FileSource {
    pub(super) fn new(file: File) -> io::Result<Self> {
        let size = file.metadata()?.len();
        Ok(Self { file, size })
    }
}

impl Source for FileSource {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        return std::os::unix::fs::FileExt::read_at(&self.file, buffer, offset);
        #[cfg(windows)]
        return std::os::windows::fs::FileExt::seek_read(&self.file, buffer, offset);
    }
}

/// Bytes in memory.
pub(super) struct MemorySource(pub(super) Vec<u8>);

impl Source for MemorySource {
    fn size(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(u64::MAX)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|start| self.0.get(start..));
        let mut rest = rest.unwrap_or_default();
        rest.read(buffer)
    }
}

/// A part of a source: a partition, a stored member of an archive.
pub(super) struct Window {
    source: SharedSource,
    start: u64,
    size: u64,
}

impl Window {
    /// The part that begins at `start`. What lies beyond the end of the source is no part of it.
    pub(super) fn new(source: SharedSource, start: u64, size: u64) -> Self {
        let size = size.min(source.size().saturating_sub(start));
        Self { source, start, size }
    }
}

impl Source for Window {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(rest);
        match (buffer.get_mut(..wanted), self.start.checked_add(offset)) {
            (Some(buffer), Some(at)) if wanted > 0 => self.source.read_at(at, buffer),
            _ => Ok(0),
        }
    }
}

/// A position in a source: what libraries that want `Read` and `Seek` are given.
#[derive(Clone)]
pub(super) struct Cursor {
    source: SharedSource,
    position: u64,
}

impl Cursor {
    pub(super) fn new(source: SharedSource) -> Self {
        Self { source, position: 0 }
    }
}

impl Read for Cursor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read_at(self.position, buffer)?;
        let moved = u64::try_from(count).unwrap_or(u64::MAX);
        self.position = self.position.saturating_add(moved);
        Ok(count)
    }
}

impl Seek for Cursor {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(by) => self.source.size().checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits() -> SharedSource {
        Arc::new(MemorySource(b"0123456789".to_vec()))
    }

    #[test]
    fn windows_end_where_they_or_their_source_end() {
        for (start, size, offset, expected) in [
            (2, 5, 0, "23456"),
            (2, 5, 4, "6"),
            (2, 5, 5, ""),
            (8, 100, 0, "89"),
            (11, 1, 0, ""),
            (2, 5, u64::MAX, ""),
        ] {
            let window = Window::new(digits(), start, size);
            let mut buffer = [0; 16];
            let count = read_up_to(&window, offset, &mut buffer).unwrap();
            assert_eq!(&buffer[..count], expected.as_bytes(), "{start} {size} {offset}");
        }
    }

    #[test]
    fn a_cursor_reads_and_seeks() {
        let mut cursor = Cursor::new(digits());
        let mut text = String::new();
        cursor.seek(SeekFrom::End(-3)).unwrap();
        cursor.read_to_string(&mut text).unwrap();
        assert_eq!(text, "789");
        assert!(cursor.seek(SeekFrom::Current(-11)).is_err());
        assert_eq!(cursor.seek(SeekFrom::Start(99)).unwrap(), 99);
        assert_eq!(cursor.read(&mut [0; 4]).unwrap(), 0);
        assert!(read_exact_at(digits().as_ref(), 8, &mut [0; 3]).is_err());
    }
}
