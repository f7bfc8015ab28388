//! The debug directory: where the linker left the debug information, and whether the build is reproducible.

use object::LittleEndian as LE;
use object::pe::{
    IMAGE_DEBUG_TYPE_CODEVIEW, IMAGE_DEBUG_TYPE_REPRO, IMAGE_DIRECTORY_ENTRY_DEBUG,
    ImageDebugDirectory,
};

use super::layout::Layout;
use super::view::View;
use super::{Damage, cut};

/// Entries that are looked at.
const MOST_ENTRIES: u32 = 32;
/// A path is not longer, in bytes.
const LONGEST_PATH: usize = 1024;

/// What the debug directory says.
#[derive(Debug, Default)]
pub(super) struct DebugFacts {
    pub(super) pdb: Option<String>,
    /// Whether the time stamp is a digest (`/Brepro`).
    pub(super) is_reproducible: bool,
}

/// Reads the debug directory.
pub(super) fn read(view: &mut View<'_>, layout: &Layout, damage: &mut Damage) -> DebugFacts {
    let mut facts = DebugFacts::default();
    let Some((address, size)) = layout.directory(IMAGE_DIRECTORY_ENTRY_DEBUG) else { return facts };
    let length = size_of::<ImageDebugDirectory>() as u64;
    for index in 0..(u64::from(size) / length).min(u64::from(MOST_ENTRIES)) {
        let entry = layout
            .at(address)
            .map(|span| span.start.saturating_add(index.saturating_mul(length)))
            .and_then(|at| view.get::<ImageDebugDirectory>(at));
        let Some(entry) = entry else {
            damage.say("the debug directory is damaged");
            return facts;
        };
        match entry.typ.get(LE) {
            IMAGE_DEBUG_TYPE_REPRO => facts.is_reproducible = true,
            IMAGE_DEBUG_TYPE_CODEVIEW if facts.pdb.is_none() => {
                facts.pdb = path(view, layout, &entry);
            }
            _ => {}
        }
    }
    facts
}

/// The path behind `RSDS`, a GUID and an age; behind `NB10`, an offset, a time and an age.
fn path(view: &mut View<'_>, layout: &Layout, entry: &ImageDebugDirectory) -> Option<String> {
    let pointer = u64::from(entry.pointer_to_raw_data.get(LE));
    let address = entry.address_of_raw_data.get(LE);
    let start = if pointer == 0 { layout.at(address)?.start } else { pointer };
    let header = match view.bytes(start, 4).as_slice() {
        b"RSDS" => 24,
        b"NB10" => 16,
        _ => return None,
    };
    let (path, _) = view.text(start.checked_add(header)?, LONGEST_PATH);
    (!path.is_empty()).then(|| cut(&path))
}
