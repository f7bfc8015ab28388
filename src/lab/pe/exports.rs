//! The export directory.

use super::super::bytes::{Buffer, length};
use super::image::Directory;

/// Writes the directory, its three tables and the names, which must be sorted. Every function is the first of the code.
pub(super) fn write(
    buffer: &mut Buffer,
    address: u32,
    library: &str,
    names: &[String],
) -> Directory {
    let start = buffer.len();
    let here = |buffer: &Buffer| address.saturating_add(buffer.position());
    buffer.zeros(40);
    let functions = here(buffer);
    for _ in names {
        buffer.u32(0x1000);
    }
    let mut places = Vec::new();
    let name = here(buffer);
    buffer.bytes(library.as_bytes()).u8(0);
    for one in names {
        places.push(here(buffer));
        buffer.bytes(one.as_bytes()).u8(0);
    }
    buffer.align(4);
    let pointers = here(buffer);
    for place in &places {
        buffer.u32(*place);
    }
    let ordinals = here(buffer);
    for at in 0..names.len() {
        buffer.u16(super::super::bytes::short(at));
    }
    let count = length(names.len());
    let mut directory = Buffer::default();
    directory.u32(0).u32(0).u32(0).u32(name).u32(1).u32(count).u32(count);
    directory.u32(functions).u32(pointers).u32(ordinals);
    buffer.patch(start, directory.as_slice());
    (address.saturating_add(length(start)), length(buffer.len().saturating_sub(start)))
}
