//! The debug directory: the path of the debug information, and the mark of a reproducible build.

use super::super::bytes::{Buffer, index, length, patch};
use super::Program;
use super::image::Directory;

/// `IMAGE_DEBUG_TYPE_CODEVIEW`.
const CODE_VIEW: u32 = 2;
/// `IMAGE_DEBUG_TYPE_REPRO`.
const REPRODUCIBLE: u32 = 16;
/// Length of an `IMAGE_DEBUG_DIRECTORY`.
const ENTRY: usize = 28;

/// Writes the entries and what they point at. Offsets in the file are filled in by [`point_into_file`].
pub(super) fn write(buffer: &mut Buffer, address: u32, program: &Program) -> Directory {
    let start = buffer.len();
    let mut parts: Vec<(u32, Vec<u8>)> = Vec::new();
    if let Some(path) = &program.pdb {
        let mut view = Buffer::with(b"RSDS");
        view.bytes(&[0x5a; 16]).u32(1).bytes(path.as_bytes()).u8(0);
        parts.push((CODE_VIEW, view.into_vec()));
    }
    if program.is_reproducible {
        parts.push((REPRODUCIBLE, Vec::new()));
    }
    let entries = parts.len().saturating_mul(ENTRY);
    buffer.zeros(entries);
    for (at, (kind, bytes)) in parts.iter().enumerate() {
        let place = address.saturating_add(buffer.position());
        buffer.bytes(bytes);
        let mut entry = Buffer::default();
        entry.u32(0).u32(program.linked).u16(0).u16(0).u32(*kind).u32(length(bytes.len()));
        entry.u32(if bytes.is_empty() { 0 } else { place }).u32(0);
        buffer.patch(start.saturating_add(at.saturating_mul(ENTRY)), entry.as_slice());
    }
    (address.saturating_add(length(start)), length(entries))
}

/// Fills in `PointerToRawData` of every entry, once the section has its place in the file.
pub(super) fn point_into_file(image: &mut [u8], offset: u32, address: u32, directory: usize) {
    for entry in 0..2_usize {
        let at = index(offset).saturating_add(directory).saturating_add(entry * ENTRY);
        let field = |image: &[u8], at| crate::bytes::u32_at(image, at).unwrap_or_default();
        let (kind, pointed) = (field(image, at + 12), field(image, at + 20));
        if kind == CODE_VIEW && pointed >= address {
            let place = pointed.saturating_sub(address).saturating_add(offset);
            patch(image, at + 24, &place.to_le_bytes());
        }
    }
}
