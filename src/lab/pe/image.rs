//! Headers and sections in their places.

use super::super::bytes::{Buffer, index, length, patch, short};
use super::resources::Resource;
use super::{
    CODE, DATA, Machine, Program, READ_ONLY, Section, debug, exports, imports, resources, version,
};

/// Where the headers begin behind the MS-DOS stub.
const NEW_HEADER: usize = 0x80;
/// Sections begin at multiples of this in the file.
const FILE_ALIGNMENT: u32 = 0x200;
/// Sections begin at multiples of this in memory.
const SECTION_ALIGNMENT: u32 = 0x1000;
/// What the MS-DOS stub prints.
const STUB: &[u8] = b"\x0e\x1f\xba\x0e\x00\xb4\x09\xcd\x21\xb8\x01\x4c\xcd\x21This program cannot be run in DOS mode.\r\r\n$";
/// `IMAGE_DIRECTORY_ENTRY_*`: how many there are.
const DIRECTORIES: usize = 16;

/// An entry of the table of data directories: address in memory and size.
pub(super) type Directory = (u32, u32);

/// A section in its place.
struct Placed {
    name: String,
    flags: u32,
    address: u32,
    offset: u32,
    bytes: Vec<u8>,
}

pub(super) fn build(program: &Program) -> Vec<u8> {
    let mut directories = [(0, 0); DIRECTORIES];
    let mut made = Vec::new();
    let mut address = SECTION_ALIGNMENT;
    let mut add = |section: Section, address: &mut u32| {
        let size = length(section.bytes.len()).max(1);
        made.push((*address, section));
        *address = address.saturating_add(size).next_multiple_of(SECTION_ALIGNMENT);
    };
    let section = |name: &str, flags, bytes| Section { name: name.to_owned(), flags, bytes };
    add(section(".text", CODE, program.code.clone()), &mut address);
    let read_only = read_only(program, address, &mut directories);
    let debug_at = read_only.debug;
    add(section(".rdata", READ_ONLY, read_only.bytes), &mut address);
    add(section(".data", DATA, vec![1, 0, 0, 0, 2, 0, 0, 0]), &mut address);
    for own in &program.sections {
        add(own.clone(), &mut address);
    }
    if let Some(bytes) = resource_section(program, address, &mut directories) {
        add(section(".rsrc", READ_ONLY, bytes), &mut address);
    }
    let placed = place(program.machine, made);
    let mut image = headers(program, &placed, &directories, address);
    for one in &placed {
        if one.bytes.is_empty() {
            continue;
        }
        image.zeros(index(one.offset).saturating_sub(image.len())).bytes(&one.bytes);
        image.align(index(FILE_ALIGNMENT));
    }
    let mut image = image.into_vec();
    if let (Some(debug), Some(section)) = (debug_at, placed.get(1)) {
        debug::point_into_file(&mut image, section.offset, section.address, debug);
    }
    image.extend_from_slice(&program.overlay);
    let sum = checksum(&image);
    patch(&mut image, NEW_HEADER + 24 + 64, &sum.to_le_bytes());
    image
}

/// What `.rdata` holds, and where in it the debug directory is.
struct ReadOnly {
    bytes: Vec<u8>,
    debug: Option<usize>,
}

fn read_only(program: &Program, address: u32, directories: &mut [Directory]) -> ReadOnly {
    let mut buffer = Buffer::default();
    let mut set = |at: usize, directory| {
        if let Some(place) = directories.get_mut(at) {
            *place = directory;
        }
    };
    if !program.imports.is_empty() {
        let wide = program.machine.is_64_bit();
        set(1, imports::write(&mut buffer, address, &program.imports, wide));
        buffer.align(16);
    }
    if !program.exports.is_empty() {
        set(0, exports::write(&mut buffer, address, &program.name, &program.exports));
        buffer.align(16);
    }
    let mut debug = None;
    if program.pdb.is_some() || program.is_reproducible {
        debug = Some(buffer.len());
        set(6, debug::write(&mut buffer, address, program));
        buffer.align(16);
    }
    if program.is_dot_net {
        let at = address.saturating_add(buffer.position());
        // IMAGE_COR20_HEADER: size, version 2.5, metadata, flags, entry point.
        buffer.u32(72).u16(2).u16(5).u32(at.saturating_add(72)).u32(32).u32(1).u32(0x0600_0001);
        buffer
            .zeros(48)
            .bytes(b"BSJB\x01\x00\x01\x00\x00\x00\x00\x00\x0c\x00\x00\x00v4.0.30319\x00\x00");
        buffer.align(16);
        set(14, (at, 72));
    }
    buffer.bytes(b"Nothing in here was ever meant to run.\0");
    ReadOnly { bytes: buffer.into_vec(), debug }
}

fn resource_section(
    program: &Program,
    address: u32,
    directories: &mut [Directory],
) -> Option<Vec<u8>> {
    let mut all = program.resources.clone();
    if !program.versions.is_empty() {
        all.push(Resource::new("#16", "#1", version::build(&program.versions)));
    }
    if all.is_empty() {
        return None;
    }
    let bytes = resources::build(&all, address);
    if let Some(place) = directories.get_mut(2) {
        *place = (address, length(bytes.len()));
    }
    Some(bytes)
}

fn place(machine: Machine, made: Vec<(u32, Section)>) -> Vec<Placed> {
    let optional = if machine.is_64_bit() { 240 } else { 224 };
    let headers = NEW_HEADER.saturating_add(24 + optional + 40 * made.len());
    let mut offset = length(headers).next_multiple_of(FILE_ALIGNMENT);
    let mut placed = Vec::new();
    for (address, Section { name, flags, bytes }) in made {
        let size = length(bytes.len()).next_multiple_of(FILE_ALIGNMENT);
        placed.push(Placed { name, flags, address, offset, bytes });
        offset = offset.saturating_add(size);
    }
    placed
}

fn headers(
    program: &Program,
    sections: &[Placed],
    directories: &[Directory],
    image_size: u32,
) -> Buffer {
    let wide = program.machine.is_64_bit();
    let mut buffer = Buffer::default();
    // IMAGE_DOS_HEADER: magic, bytes on the last page, pages, …; the last field says where the new header is.
    buffer.bytes(b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0\xb8\0\0\0\0\0\0\0\x40\0\0\0");
    buffer.zeros(0x3c_usize.saturating_sub(buffer.len())).u32(length(NEW_HEADER));
    buffer.bytes(STUB).zeros(NEW_HEADER.saturating_sub(0x40 + STUB.len()));
    buffer.bytes(b"PE\0\0").u16(program.machine.number()).u16(short(sections.len()));
    buffer.u32(program.linked).u32(0).u32(0).u16(if wide { 240 } else { 224 });
    let library = if program.is_library { 0x2000 } else { 0 };
    buffer.u16(library | if wide { 0x22 } else { 0x102 });
    optional_header(&mut buffer, program, sections, image_size);
    for (address, size) in directories {
        buffer.u32(*address).u32(*size);
    }
    for section in sections {
        let mut name = section.name.as_bytes().to_vec();
        name.resize(8, 0);
        let stored = length(section.bytes.len()).next_multiple_of(FILE_ALIGNMENT);
        let offset = if section.bytes.is_empty() { 0 } else { section.offset };
        buffer.bytes(&name).u32(length(section.bytes.len()).max(1)).u32(section.address);
        buffer.u32(stored).u32(offset).u32(0).u32(0).u16(0).u16(0).u32(section.flags);
    }
    buffer.align(index(FILE_ALIGNMENT));
    buffer
}

/// `IMAGE_OPTIONAL_HEADER` without its directories.
fn optional_header(buffer: &mut Buffer, program: &Program, sections: &[Placed], image_size: u32) {
    let wide = program.machine.is_64_bit();
    let size = |index: usize| {
        let bytes = sections.get(index).map_or(0, |section| section.bytes.len());
        length(bytes).next_multiple_of(FILE_ALIGNMENT)
    };
    buffer.u16(if wide { 0x20b } else { 0x10b }).u8(14).u8(38);
    buffer.u32(size(0)).u32(size(1)).u32(0).u32(SECTION_ALIGNMENT).u32(SECTION_ALIGNMENT);
    if wide {
        buffer.u64(0x1_4000_0000);
    } else {
        buffer.u32(0x2000).u32(0x40_0000);
    }
    buffer.u32(SECTION_ALIGNMENT).u32(FILE_ALIGNMENT);
    buffer.u16(6).u16(0).u16(0).u16(0).u16(6).u16(0).u32(0).u32(image_size);
    let headers = sections.first().map_or(FILE_ALIGNMENT, |section| section.offset);
    buffer.u32(headers).u32(0).u16(program.subsystem).u16(0x8160);
    for reserved in [0x10_0000_u32, 0x1000, 0x10_0000, 0x1000] {
        if wide {
            buffer.u64(u64::from(reserved));
        } else {
            buffer.u32(reserved);
        }
    }
    buffer.u32(0).u32(16);
}

/// `CheckSum`: the 16-bit words added with their carries, plus the length; drivers are not loaded without.
fn checksum(image: &[u8]) -> u32 {
    let mut sum = 0_u32;
    for pair in image.chunks(2) {
        let word = match pair {
            [low, high] => u16::from_le_bytes([*low, *high]),
            [low] => u16::from(*low),
            _ => 0,
        };
        sum = sum.saturating_add(u32::from(word));
        sum = (sum & 0xffff).saturating_add(sum >> 16);
    }
    (sum & 0xffff).saturating_add(length(image.len()))
}
