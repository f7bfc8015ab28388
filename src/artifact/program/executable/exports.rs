//! What the image offers to others.

use object::LittleEndian as LE;
use object::pe::{IMAGE_DIRECTORY_ENTRY_EXPORT, ImageExportDirectory};

use super::Damage;
use super::layout::Layout;
use super::view::View;

/// Names that are read of one image.
const MOST_NAMES: u32 = 16_384;
/// Names that are kept.
const KEPT: usize = 64;
/// A name is not longer, in bytes; C++ names are long, what svchost asks for is not.
const LONGEST_NAME: usize = 256;

/// What is exported by name.
#[derive(Debug, Default)]
pub(super) struct Exports {
    /// How many names there are.
    pub(super) count: u32,
    /// Some of them, sorted: those that have to do with services before all others.
    pub(super) names: Vec<String>,
    /// Whether `ServiceMain` is among them.
    pub(super) has_service_main: bool,
}

/// Reads the export directory.
pub(super) fn read(view: &mut View<'_>, layout: &Layout, damage: &mut Damage) -> Exports {
    let mut exports = Exports::default();
    if let Some((address, _)) = layout.directory(IMAGE_DIRECTORY_ENTRY_EXPORT)
        && names(view, layout, address, &mut exports).is_none()
    {
        damage.say("the export directory is damaged");
    }
    exports
}

fn names(view: &mut View<'_>, layout: &Layout, address: u32, exports: &mut Exports) -> Option<()> {
    let directory = view.get::<ImageExportDirectory>(layout.at(address)?.start)?;
    exports.count = directory.number_of_names.get(LE);
    if exports.count == 0 {
        return Some(());
    }
    let table = layout.at(directory.address_of_names.get(LE))?.start;
    let (mut first, mut others) = (Vec::new(), Vec::new());
    let mut result = Some(());
    for index in 0..exports.count.min(MOST_NAMES) {
        let at = table.saturating_add(u64::from(index).saturating_mul(4));
        let Some(name) = name(view, layout, at) else {
            result = None;
            break;
        };
        exports.has_service_main |= name == "ServiceMain";
        let lower = name.to_ascii_lowercase();
        if lower.contains("service") || lower.contains("svchost") {
            first.push(name);
        } else if others.len() < KEPT {
            others.push(name);
        }
    }
    first.sort();
    exports.names = first.into_iter().chain(others).take(KEPT).collect();
    exports.names.sort();
    result
}

fn name(view: &mut View<'_>, layout: &Layout, at: u64) -> Option<String> {
    let address = crate::bytes::u32_at(&view.bytes(at, 4), 0)?;
    let (name, is_whole) = view.text(layout.at(address)?.start, LONGEST_NAME);
    (is_whole || name.len() >= LONGEST_NAME).then_some(name)
}
