//! The resource directory: which kinds there are, and the version resource.

use object::LittleEndian as LE;
use object::pe::{
    IMAGE_DIRECTORY_ENTRY_RESOURCE, IMAGE_RESOURCE_DATA_IS_DIRECTORY,
    IMAGE_RESOURCE_NAME_IS_STRING, ImageResourceDataEntry, ImageResourceDirectory,
    ImageResourceDirectoryEntry, RT_VERSION,
};

use super::layout::Layout;
use super::view::View;
use super::{Damage, cut, version};
use crate::host::program_file::VersionResource;

/// Entries that are looked at in one directory.
const MOST_ENTRIES: u32 = 1024;
/// A version resource is not longer, in bytes.
const LONGEST_VERSION: u32 = 64 << 10;
/// English (United States): the language that is preferred.
const ENGLISH: u32 = 0x409;

/// What the resources say.
#[derive(Debug, Default)]
pub(super) struct ResourceFacts {
    pub(super) version: Option<VersionResource>,
    /// Kinds that have names instead of numbers.
    pub(super) named_kinds: Vec<String>,
}

/// Reads the resource directory.
pub(super) fn read(view: &mut View<'_>, layout: &Layout, damage: &mut Damage) -> ResourceFacts {
    let mut facts = ResourceFacts::default();
    let Some((address, _)) = layout.directory(IMAGE_DIRECTORY_ENTRY_RESOURCE) else {
        return facts;
    };
    let Some(root) = layout.at(address).map(|span| span.start) else {
        damage.say("the resource directory is damaged");
        return facts;
    };
    let mut tree = Tree { view, root };
    let Some(kinds) = tree.entries(root) else {
        damage.say("the resource directory is damaged");
        return facts;
    };
    for kind in kinds.iter().filter(|kind| kind.name & IMAGE_RESOURCE_NAME_IS_STRING != 0).take(32)
    {
        facts.named_kinds.extend(tree.name(kind.name));
    }
    let kind = kinds.into_iter().find(|kind| kind.name == u32::from(RT_VERSION));
    if let Some(kind) = kind {
        match tree.version(kind.place, layout) {
            Some(bytes) => facts.version = version::read(&bytes, damage),
            None => damage.say("the version resource is damaged"),
        }
    }
    facts
}

/// An entry of a directory.
struct Entry {
    name: u32,
    place: u32,
}

struct Tree<'a, 'b> {
    view: &'a mut View<'b>,
    root: u64,
}

impl Tree<'_, '_> {
    fn entries(&mut self, at: u64) -> Option<Vec<Entry>> {
        let directory = self.view.get::<ImageResourceDirectory>(at)?;
        let named = u32::from(directory.number_of_named_entries.get(LE));
        let count = named.saturating_add(u32::from(directory.number_of_id_entries.get(LE)));
        let first = at.checked_add(size_of::<ImageResourceDirectory>() as u64)?;
        let length = size_of::<ImageResourceDirectoryEntry>() as u64;
        let mut entries = Vec::new();
        for index in 0..count.min(MOST_ENTRIES) {
            let at = first.checked_add(u64::from(index).checked_mul(length)?)?;
            let entry = self.view.get::<ImageResourceDirectoryEntry>(at)?;
            entries.push(Entry {
                name: entry.name_or_id.get(LE),
                place: entry.offset_to_data_or_directory.get(LE),
            });
        }
        Some(entries)
    }

    fn name(&mut self, name: u32) -> Option<String> {
        let at = self.within(name & !IMAGE_RESOURCE_NAME_IS_STRING);
        let length = crate::bytes::u16_at(&self.view.bytes(at, 2), 0)?;
        let bytes = self.view.bytes(at.checked_add(2)?, usize::from(length.min(64)) * 2);
        Some(cut(&crate::text::utf16le(&bytes)))
    }

    /// The bytes of a version resource: its first name, in English where there is that, else its first language. The
    /// two levels below the kind are walked, not more: nothing here can go in circles.
    fn version(&mut self, kind: u32, layout: &Layout) -> Option<Vec<u8>> {
        let name = self.below(kind)?.into_iter().next()?;
        let mut languages = self.below(name.place)?;
        let english = languages.iter().position(|language| language.name == ENGLISH);
        let chosen = english.unwrap_or_default();
        if chosen >= languages.len() {
            return None;
        }
        let language = languages.swap_remove(chosen);
        if language.place & IMAGE_RESOURCE_DATA_IS_DIRECTORY != 0 {
            return None;
        }
        let at = self.within(language.place);
        let data = self.view.get::<ImageResourceDataEntry>(at)?;
        let length = data.size.get(LE).min(LONGEST_VERSION);
        let start = layout.at(data.offset_to_data.get(LE))?.start;
        let bytes = self.view.bytes(start, usize::try_from(length).ok()?);
        (!bytes.is_empty()).then_some(bytes)
    }

    fn below(&mut self, place: u32) -> Option<Vec<Entry>> {
        if place & IMAGE_RESOURCE_DATA_IS_DIRECTORY == 0 {
            return None;
        }
        let at = self.within(place & !IMAGE_RESOURCE_DATA_IS_DIRECTORY);
        self.entries(at)
    }

    fn within(&self, offset: u32) -> u64 {
        self.root.saturating_add(u64::from(offset))
    }
}
