//! The import directory.

use super::super::bytes::{Buffer, length};
use super::image::Directory;

/// Writes descriptors, both tables of each library, hints with names, and the libraries' names.
pub(super) fn write(
    buffer: &mut Buffer,
    address: u32,
    libraries: &[(String, Vec<String>)],
    is_wide: bool,
) -> Directory {
    let start = buffer.len();
    let descriptors = libraries.len().saturating_add(1).saturating_mul(20);
    buffer.zeros(descriptors);
    for (at, (library, functions)) in libraries.iter().enumerate() {
        let here = |buffer: &Buffer| address.saturating_add(buffer.position());
        let name = here(buffer);
        buffer.bytes(library.as_bytes()).u8(0).align(2);
        let thunks: Vec<u64> = functions
            .iter()
            .map(|function| {
                let number =
                    function.strip_prefix('#').and_then(|digits| digits.parse::<u16>().ok());
                if let Some(number) = number {
                    return ordinal_flag(is_wide) | u64::from(number);
                }
                let at = here(buffer);
                buffer.u16(0).bytes(function.as_bytes()).u8(0).align(2);
                u64::from(at)
            })
            .collect();
        buffer.align(8);
        let names = here(buffer);
        table(buffer, &thunks, is_wide);
        let addresses = here(buffer);
        table(buffer, &thunks, is_wide);
        let mut descriptor = Buffer::default();
        descriptor.u32(names).u32(0).u32(0).u32(name).u32(addresses);
        let place = start.saturating_add(at.saturating_mul(20));
        buffer.patch(place, descriptor.as_slice());
    }
    (address.saturating_add(length(start)), length(descriptors))
}

const fn ordinal_flag(is_wide: bool) -> u64 {
    if is_wide { 1 << 63 } else { 1 << 31 }
}

fn table(buffer: &mut Buffer, thunks: &[u64], is_wide: bool) {
    for thunk in thunks.iter().chain(&[0]) {
        if is_wide {
            buffer.u64(*thunk);
        } else {
            buffer.u32(u32::try_from(*thunk).unwrap_or_default());
        }
    }
}
