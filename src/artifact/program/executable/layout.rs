//! The headers: what the image is for, where its sections and directories are.

use object::LittleEndian as LE;
use object::pe::{
    IMAGE_DIRECTORY_ENTRY_SECURITY, IMAGE_NT_OPTIONAL_HDR32_MAGIC, IMAGE_NT_OPTIONAL_HDR64_MAGIC,
    ImageDataDirectory, ImageDosHeader, ImageFileHeader, ImageOptionalHeader32,
    ImageOptionalHeader64, ImageSectionHeader,
};

use super::view::View;
use super::{Damage, Span};

/// Windows loads no image with more sections.
const MOST_SECTIONS: u16 = 96;
/// The table of directories has this many entries.
const MOST_DIRECTORIES: u32 = 16;
/// The signature stands before the file header.
const SIGNATURE: u64 = 4;

/// What the headers say.
#[derive(Debug, Default)]
pub(in crate::artifact::program) struct Layout {
    pub(super) machine: u16,
    pub(super) characteristics: u16,
    pub(super) time_stamp: u32,
    pub(super) subsystem: u16,
    /// Whether it is a PE32+.
    pub(super) is_wide: bool,
    pub(super) image_base: u64,
    /// Whether it is mapped as it lies in the file: sections aligned to less than a page.
    is_flat: bool,
    size_of_headers: u64,
    /// Where the checksum is; absent where the headers end before.
    checksum: Option<u64>,
    /// Where the directory entry of the certificate table is.
    certificate_entry: Option<u64>,
    directories: Vec<(u32, u32)>,
    pub(super) sections: Vec<Section>,
}

/// A section header.
#[derive(Debug, Clone)]
pub(super) struct Section {
    pub(super) name: String,
    address: u32,
    /// Its bytes in the file, as far as the file has them.
    pub(super) span: Span,
    pub(super) flags: u32,
}

impl Section {
    /// The bytes in the file from an address on.
    fn at(&self, address: u32) -> Option<Span> {
        let within = u64::from(address.checked_sub(self.address)?);
        let start = self.span.start.checked_add(within)?;
        (start < self.span.end).then_some(Span { start, end: self.span.end })
    }
}

/// What a file that begins as MS-DOS programs do turns out to be.
pub(in crate::artifact::program) enum Header {
    /// A PE image; the headers' own part of the damage.
    Image(Box<Layout>),
    /// Something older, in words.
    Older(&'static str),
}

/// Reads the headers of a file that begins with `MZ`.
pub(in crate::artifact::program) fn read(view: &mut View<'_>, damage: &mut Damage) -> Header {
    let start = match view.get::<ImageDosHeader>(0) {
        Some(header) => u64::from(header.e_lfanew.get(LE)),
        None => return Header::Older("MS-DOS program"),
    };
    match view.bytes(start, 4).as_slice() {
        b"PE\0\0" => {}
        [b'N', b'E', ..] => return Header::Older("NE program"),
        [b'L', b'E' | b'X', ..] => return Header::Older("LE program"),
        _ => return Header::Older("MS-DOS program"),
    }
    let mut layout = Layout::default();
    let header = start.saturating_add(SIGNATURE);
    let Some(file) = view.get::<ImageFileHeader>(header) else {
        damage.say("the headers end early");
        return Header::Image(Box::new(layout));
    };
    layout.machine = file.machine.get(LE);
    layout.characteristics = file.characteristics.get(LE);
    layout.time_stamp = file.time_date_stamp.get(LE);
    let optional = header.saturating_add(size_of::<ImageFileHeader>() as u64);
    let optional_size = u64::from(file.size_of_optional_header.get(LE));
    if !layout.read_optional(view, optional, optional_size) {
        damage.say("the optional header is damaged");
    }
    let table = optional.saturating_add(optional_size);
    layout.read_sections(view, table, file.number_of_sections.get(LE), damage);
    Header::Image(Box::new(layout))
}

impl Layout {
    /// Reads the optional header and the directories behind it; whether both could be read.
    fn read_optional(&mut self, view: &mut View<'_>, at: u64, size: u64) -> bool {
        let magic = view.bytes(at, 2);
        let magic = crate::bytes::u16_at(&magic, 0).unwrap_or_default();
        let (fixed, count) = match magic {
            IMAGE_NT_OPTIONAL_HDR64_MAGIC => {
                let Some(header) = view.get::<ImageOptionalHeader64>(at) else { return false };
                self.is_wide = true;
                self.image_base = header.image_base.get(LE);
                self.subsystem = header.subsystem.get(LE);
                self.size_of_headers = u64::from(header.size_of_headers.get(LE));
                self.is_flat = header.section_alignment.get(LE) < 0x1000;
                (size_of::<ImageOptionalHeader64>(), header.number_of_rva_and_sizes.get(LE))
            }
            IMAGE_NT_OPTIONAL_HDR32_MAGIC => {
                let Some(header) = view.get::<ImageOptionalHeader32>(at) else { return false };
                self.image_base = u64::from(header.image_base.get(LE));
                self.subsystem = header.subsystem.get(LE);
                self.size_of_headers = u64::from(header.size_of_headers.get(LE));
                self.is_flat = header.section_alignment.get(LE) < 0x1000;
                (size_of::<ImageOptionalHeader32>(), header.number_of_rva_and_sizes.get(LE))
            }
            _ => return false,
        };
        // The checksum is at the same offset in both headers.
        self.checksum = at.checked_add(64);
        let directories = at.saturating_add(fixed as u64);
        for index in 0..count.min(MOST_DIRECTORIES) {
            let offset = directories.saturating_add(u64::from(index).saturating_mul(8));
            if offset.saturating_add(8) > at.saturating_add(size) {
                return false;
            }
            let Some(entry) = view.get::<ImageDataDirectory>(offset) else { return false };
            self.directories.push((entry.virtual_address.get(LE), entry.size.get(LE)));
            if usize::try_from(index) == Ok(IMAGE_DIRECTORY_ENTRY_SECURITY) {
                self.certificate_entry = Some(offset);
            }
        }
        true
    }

    fn read_sections(&mut self, view: &mut View<'_>, at: u64, count: u16, damage: &mut Damage) {
        if count > MOST_SECTIONS {
            damage.say(format!("it says that it has {count} sections; Windows loads at most 96"));
        }
        for index in 0..count.min(MOST_SECTIONS) {
            let step = (size_of::<ImageSectionHeader>() as u64).saturating_mul(u64::from(index));
            let Some(header) = view.get::<ImageSectionHeader>(at.saturating_add(step)) else {
                damage.say(format!("the table of sections ends after {index} of {count}"));
                return;
            };
            let section = self.section(&header, view.size());
            let stored = u64::from(header.size_of_raw_data.get(LE));
            let offset = u64::from(header.pointer_to_raw_data.get(LE));
            if stored > 0 && offset > 0 && section.span.length() < stored {
                damage.say(format!("section {} reaches beyond the end of the file", section.name));
            }
            self.sections.push(section);
        }
    }

    fn section(&self, header: &ImageSectionHeader, file_size: u64) -> Section {
        let stored = u64::from(header.size_of_raw_data.get(LE));
        let offset = u64::from(header.pointer_to_raw_data.get(LE));
        // The loader reads whole sectors, and rounds where a section begins down to one.
        let start = if self.is_flat { offset } else { offset / 0x200 * 0x200 };
        let (start, end) =
            if offset == 0 { (0, 0) } else { (start, offset.saturating_add(stored)) };
        let end_of_name = header.name.iter().position(|byte| *byte == 0);
        let name = header.name.get(..end_of_name.unwrap_or(8)).unwrap_or_default();
        Section {
            name: String::from_utf8_lossy(name).into_owned(),
            address: header.virtual_address.get(LE),
            span: Span { start: start.min(file_size), end: end.min(file_size) },
            flags: header.characteristics.get(LE),
        }
    }

    /// A data directory: address and size; absent where it is empty.
    pub(super) fn directory(&self, index: usize) -> Option<(u32, u32)> {
        self.directories.get(index).copied().filter(|(address, _)| *address != 0)
    }

    /// Where an address lies in the file, and to where what it lies in goes on.
    pub(super) fn at(&self, address: u32) -> Option<Span> {
        let headers = Span { start: u64::from(address), end: self.size_of_headers };
        if self.is_flat || headers.start < headers.end {
            let end = if self.is_flat { u64::MAX } else { headers.end };
            return Some(Span { end, ..headers });
        }
        self.sections.iter().find_map(|section| section.at(address))
    }

    /// Where the certificate table is: its directory holds an offset in the file, not an address.
    pub(in crate::artifact::program) fn certificates(&self, file_size: u64) -> Option<Span> {
        let (offset, size) = self.directory(IMAGE_DIRECTORY_ENTRY_SECURITY)?;
        let start = u64::from(offset);
        let end = start.saturating_add(u64::from(size));
        (start < end && start < file_size).then_some(Span { start, end: end.min(file_size) })
    }

    /// The places that an Authenticode digest leaves out, in order: checksum, directory entry of the certificate table,
    /// and the table itself.
    pub(in crate::artifact::program) fn left_out(&self, file_size: u64) -> Vec<Span> {
        let field = |start: u64, length| Span { start, end: start.saturating_add(length) };
        let mut spans: Vec<Span> = self.checksum.map(|start| field(start, 4)).into_iter().collect();
        spans.extend(self.certificate_entry.map(|start| field(start, 8)));
        spans.extend(self.certificates(file_size));
        spans.sort_unstable();
        spans
    }

    /// Where the last section ends in the file: what follows belongs to no section.
    pub(in crate::artifact::program) fn end(&self, file_size: u64) -> u64 {
        let ends = self.sections.iter().map(|section| section.span.end);
        ends.chain([self.size_of_headers]).max().unwrap_or_default().min(file_size)
    }

    /// The sections' bytes in the file, in the order of their headers.
    pub(in crate::artifact::program) fn section_spans(&self) -> Vec<Span> {
        self.sections.iter().map(|section| section.span).collect()
    }
}
