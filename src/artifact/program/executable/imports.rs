//! What the image takes from libraries, and the digest over it.

use md5::{Digest as _, Md5};
use object::LittleEndian as LE;
use object::pe::{
    IMAGE_DIRECTORY_ENTRY_DELAY_IMPORT, IMAGE_DIRECTORY_ENTRY_IMPORT, ImageDelayloadDescriptor,
    ImageImportDescriptor,
};

use super::layout::Layout;
use super::view::View;
use super::{Damage, ordinals};

/// Libraries that are read of one image.
const MOST_LIBRARIES: u64 = 1024;
/// Functions that are read of one image, of all libraries together.
const MOST_FUNCTIONS: usize = 65_536;
/// A function's name is not longer, in bytes.
const LONGEST_NAME: usize = 512;

/// What is imported.
#[derive(Debug, Default)]
pub(super) struct Imports {
    /// The libraries in order, lower case, each once; those that are loaded when first called last.
    pub(super) libraries: Vec<String>,
    /// Mandiant's digest; absent without imports and where they could not all be read.
    pub(super) digest: Option<String>,
    /// Whether `StartServiceCtrlDispatcher` is among them.
    pub(super) has_dispatcher: bool,
}

/// Reads both import directories.
pub(super) fn read(view: &mut View<'_>, layout: &Layout, damage: &mut Damage) -> Imports {
    let mut reader = Reader { view, layout, count: 0, imports: Imports::default() };
    let mut words = Vec::new();
    match reader.ordinary(&mut words) {
        Some(()) if !words.is_empty() => {
            // Mandiant, "Tracking Malware with Import Hashing" (2014): MD5 over library.function pairs in order.
            let digest = Md5::digest(words.join(",").as_bytes());
            reader.imports.digest = Some(crate::text::hex(&digest));
        }
        Some(()) => {}
        None => damage.say("the import directory is damaged"),
    }
    if reader.delayed().is_none() {
        damage.say("the delay import directory is damaged");
    }
    reader.imports
}

struct Reader<'a, 'b> {
    view: &'a mut View<'b>,
    layout: &'a Layout,
    count: usize,
    imports: Imports,
}

impl Reader<'_, '_> {
    /// Libraries that are loaded with the image; `None` where something could not be read.
    fn ordinary(&mut self, words: &mut Vec<String>) -> Option<()> {
        let Some((address, _)) = self.layout.directory(IMAGE_DIRECTORY_ENTRY_IMPORT) else {
            return Some(());
        };
        let start = self.layout.at(address)?.start;
        for index in 0..MOST_LIBRARIES {
            let at = step::<ImageImportDescriptor>(start, index);
            let entry = self.view.get::<ImageImportDescriptor>(at)?;
            let (name, table) = (entry.name.get(LE), entry.first_thunk.get(LE));
            if name == 0 || table == 0 {
                return Some(());
            }
            let library = self.library(name)?;
            let names = entry.original_first_thunk.get(LE);
            let from = words.len();
            let mut whole = names != 0 && self.functions(names, &library, words).is_some();
            // Old linkers, and packers, leave only the table that the loader fills.
            if !whole || words.len() == from {
                words.truncate(from);
                whole = self.functions(table, &library, words).is_some();
            }
            self.add(library);
            if !whole {
                return None;
            }
        }
        None
    }

    /// Libraries that are loaded when they are first called.
    fn delayed(&mut self) -> Option<()> {
        let Some((address, _)) = self.layout.directory(IMAGE_DIRECTORY_ENTRY_DELAY_IMPORT) else {
            return Some(());
        };
        let start = self.layout.at(address)?.start;
        for index in 0..MOST_LIBRARIES {
            let at = step::<ImageDelayloadDescriptor>(start, index);
            let entry = self.view.get::<ImageDelayloadDescriptor>(at)?;
            let name = entry.dll_name_rva.get(LE);
            if name == 0 {
                return Some(());
            }
            // Before Visual C++ 7 these were addresses in memory, not relative to the image.
            let is_relative = entry.attributes.get(LE) & 1 != 0;
            let base = if is_relative { 0 } else { self.layout.image_base };
            let relative = |address: u32| u32::try_from(u64::from(address).checked_sub(base)?).ok();
            let library = self.library(relative(name)?)?;
            let names = relative(entry.import_name_table_rva.get(LE))?;
            self.functions(names, &library, &mut Vec::new())?;
            self.add(library);
        }
        None
    }

    fn add(&mut self, library: String) {
        if !self.imports.libraries.contains(&library) {
            self.imports.libraries.push(library);
        }
    }

    fn library(&mut self, address: u32) -> Option<String> {
        let name = self.text(address)?;
        let is_name = !name.is_empty() && name.chars().all(|c| !c.is_control() && c != '\u{fffd}');
        is_name.then(|| name.to_lowercase())
    }

    /// The functions of a table, as the digest writes them; `None` where the table could not be read to its end.
    fn functions(&mut self, table: u32, library: &str, words: &mut Vec<String>) -> Option<()> {
        let extension = [".dll", ".ocx", ".sys"].iter().find_map(|end| library.strip_suffix(end));
        let stem = extension.unwrap_or(library);
        let start = self.layout.at(table)?.start;
        for index in 0.. {
            let thunk = self.thunk(start, index)?;
            if thunk == 0 {
                return Some(());
            }
            self.count = self.count.saturating_add(1);
            if self.count > MOST_FUNCTIONS {
                return None;
            }
            let by_ordinal = if self.layout.is_wide { 1 << 63 } else { 1 << 31 };
            let name = if thunk & by_ordinal == 0 {
                // Two bytes before the name are a hint for the loader.
                self.text(u32::try_from(thunk).ok()?.checked_add(2)?)?
            } else {
                ordinals::name(library, u16::try_from(thunk & 0xffff).ok()?)
            };
            self.imports.has_dispatcher |= name.starts_with(super::DISPATCHER);
            words.push(format!("{stem}.{}", name.to_lowercase()));
        }
        None
    }

    fn thunk(&mut self, start: u64, index: u64) -> Option<u64> {
        if self.layout.is_wide {
            let bytes = self.view.bytes(step::<u64>(start, index), 8);
            crate::bytes::u64_at(&bytes, 0)
        } else {
            let bytes = self.view.bytes(step::<u32>(start, index), 4);
            crate::bytes::u32_at(&bytes, 0).map(u64::from)
        }
    }

    /// A name; `None` where it is not in the file or does not end.
    fn text(&mut self, address: u32) -> Option<String> {
        let start = self.layout.at(address)?.start;
        let (text, is_whole) = self.view.text(start, LONGEST_NAME);
        is_whole.then_some(text)
    }
}

/// The offset of an element of a table.
const fn step<T>(start: u64, index: u64) -> u64 {
    start.saturating_add(index.saturating_mul(size_of::<T>() as u64))
}
