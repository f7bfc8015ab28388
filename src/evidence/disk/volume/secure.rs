//! `$Secure`: the security descriptors that the files of a volume share.
//!
//! Its stream `$SDS` holds every descriptor once, behind a header with its number; each 256 KiB are followed by a copy
//! of them. Layout: Linux-NTFS project, `$Secure`. The descriptors are found by reading the headers in order, not by
//! the index `$SII`: what a damaged index or a damaged half has lost the other half still tells.

use std::collections::BTreeMap;
use std::io;

use super::Volume;
use super::bytes::{damaged, index, slice_at, u32_at, u64_at};
use super::file::File;
use super::metadata;
use super::record::{DATA, SECURITY_DESCRIPTOR};
use crate::evidence::source::{SharedSource, read_exact_at, read_up_to};

/// The number of the record of `$Secure`.
const SECURE: u64 = 9;
/// The stream of descriptors.
const DESCRIPTORS: &str = "$SDS";
/// After so many bytes of descriptors follow as many of their copies.
const HALF: u64 = 0x4_0000;
/// Bytes of the stream that are read; volumes in use have a few MiB.
const LARGEST: u64 = 128 << 20;
const HEADER: usize = 20;
/// Descriptors begin at multiples of this.
const ALIGNMENT: usize = 16;
/// \[MS-DTYP\] lets an ACL have 64 KiB; a descriptor has two, and two SIDs.
const LARGEST_DESCRIPTOR: u32 = 0x2_1000;

/// Where each descriptor is.
pub(super) struct Descriptors {
    stream: SharedSource,
    /// Offset and size in bytes, without the header, by number.
    places: BTreeMap<u32, (u64, usize)>,
}

impl Descriptors {
    fn read(volume: &Volume) -> io::Result<Self> {
        let file = volume.read(SECURE)?;
        let is_descriptors = |name: &[u16]| name.iter().copied().eq(DESCRIPTORS.encode_utf16());
        let stream = file.stream(DATA, is_descriptors, volume.cluster())?.open(&volume.source)?;
        let mut descriptors = Self { stream, places: BTreeMap::new() };
        let end = descriptors.stream.size().min(LARGEST);
        let mut at = 0;
        while at < end {
            let copy = at.saturating_add(HALF);
            for stored in [at, copy] {
                descriptors.add_half(at, stored, end);
            }
            at = copy.saturating_add(HALF);
        }
        Ok(descriptors)
    }

    /// Adds the descriptors of one half, whose headers say that they begin at `at` and which is stored at `stored`.
    fn add_half(&mut self, at: u64, stored: u64, end: u64) {
        let size = HALF.min(end.saturating_sub(stored));
        let mut half = vec![0; index(size)];
        // A half that cannot be read costs what its copy does not hold either.
        let count = read_up_to(self.stream.as_ref(), stored, &mut half).unwrap_or(0);
        let half = half.get(..count).unwrap_or_default();
        let mut within = 0_usize;
        while let Some(header) = slice_at(half, within, HEADER) {
            let Some((number, size)) = parse_header(header, at, within) else {
                // Damage costs one descriptor: the next one begins at a multiple of 16 bytes.
                within = within.saturating_add(ALIGNMENT);
                continue;
            };
            let body = u64::try_from(within.saturating_add(HEADER)).unwrap_or(u64::MAX);
            let place = (stored.saturating_add(body), size.saturating_sub(HEADER));
            self.places.entry(number).or_insert(place);
            within = within.saturating_add(size).next_multiple_of(ALIGNMENT);
        }
    }

    fn get(&self, number: u32) -> io::Result<Vec<u8>> {
        let place = self.places.get(&number);
        let (at, size) = *place
            .ok_or_else(|| damaged(format!("security descriptor {number} is not in $Secure")))?;
        let mut descriptor = vec![0; size];
        read_exact_at(self.stream.as_ref(), at, &mut descriptor)?;
        Ok(descriptor)
    }
}

/// The number of a descriptor and its size in bytes with this header: hash, number, own offset, size.
fn parse_header(header: &[u8], at: u64, within: usize) -> Option<(u32, usize)> {
    let number = u32_at(header, 4).filter(|number| *number != 0)?;
    let own = at.checked_add(u64::try_from(within).ok()?)?;
    let size = u32_at(header, 16).filter(|size| *size <= LARGEST_DESCRIPTOR)?;
    let size = usize::try_from(size).ok().filter(|size| *size > HEADER)?;
    (u64_at(header, 8)? == own).then_some((number, size))
}

impl Volume {
    /// A file's security descriptor: that of its number in `$Secure`, or its own on volumes of Windows NT 4.
    pub(super) fn descriptor(&self, file: &File) -> io::Result<Option<Vec<u8>>> {
        if let Some(number) = metadata::security_number(file) {
            let descriptors = self.descriptors.get_or_init(|| Descriptors::read(self).ok());
            let descriptors = descriptors.as_ref();
            let descriptors = descriptors.ok_or_else(|| damaged("$Secure cannot be read"))?;
            return descriptors.get(number).map(Some);
        }
        match file.stream(SECURITY_DESCRIPTOR, <[u16]>::is_empty, self.cluster()) {
            Ok(stream) if stream.size <= LARGEST_DESCRIPTOR.into() => {
                let mut descriptor = vec![0; index(stream.size)];
                read_exact_at(stream.open(&self.source)?.as_ref(), 0, &mut descriptor)?;
                Ok(Some(descriptor))
            }
            Ok(_) => Err(damaged("the security descriptor is too large")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::evidence::source::MemorySource;

    fn put(stream: &mut [u8], at: usize, own: u64, number: u32, body: &[u8]) {
        let size = u32::try_from(HEADER + body.len()).unwrap();
        stream[at + 4..at + 8].copy_from_slice(&number.to_le_bytes());
        stream[at + 8..at + 16].copy_from_slice(&own.to_le_bytes());
        stream[at + 16..at + 20].copy_from_slice(&size.to_le_bytes());
        stream[at + 20..at + 20 + body.len()].copy_from_slice(body);
    }

    /// Two descriptors in the first half, one in the second, each with its copy.
    fn stream() -> Vec<u8> {
        let half = index(HALF);
        let mut stream = vec![0; 4 * half];
        for (stored, at, number, body) in [
            (0, 0, 0x100, b"first".as_slice()),
            (0, 32, 0x101, b"second"),
            (2 * half, 0, 0x102, b"third"),
        ] {
            for copy in [0, half] {
                let own = u64::try_from(stored + at).unwrap();
                put(&mut stream, stored + copy + at, own, number, body);
            }
        }
        stream
    }

    fn read(bytes: Vec<u8>) -> Descriptors {
        let end = u64::try_from(bytes.len()).unwrap();
        let stream: SharedSource = Arc::new(MemorySource(bytes));
        let mut descriptors = Descriptors { stream, places: BTreeMap::new() };
        for at in (0..end).step_by(index(2 * HALF)) {
            descriptors.add_half(at, at, end);
            descriptors.add_half(at, at + HALF, end);
        }
        descriptors
    }

    #[test]
    fn descriptors_are_found_and_their_copies_stand_in() {
        let whole = stream();
        let half = index(HALF);
        for damage in [None, Some(0), Some(32), Some(2 * half), Some(half)] {
            let mut bytes = whole.clone();
            if let Some(at) = damage {
                bytes[at..at + 16].fill(0xff);
            }
            let read = read(bytes);
            for (number, body) in [(0x100, "first"), (0x101, "second"), (0x102, "third")] {
                assert_eq!(read.get(number).unwrap(), body.as_bytes(), "{damage:?} {number}");
            }
            assert!(read.get(0x103).is_err());
        }
        for end in (0..whole.len()).step_by(4_099) {
            let read = read(whole[..end].to_vec());
            assert!(read.places.len() <= 3);
        }
    }
}
