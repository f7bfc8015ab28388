//! PE images (Microsoft PE/COFF specification): programs, libraries and drivers, from bytes that may lie.
//!
//! The crate `object` gives the layouts of the structures. Its readers are not used: they want whole sections in memory, and
//! end at the first thing that is wrong, where here the rest is still read.

mod debug;
mod exports;
mod imports;
mod layout;
mod marks;
mod ordinals;
mod packer;
mod resources;
mod version;
mod view;

pub(super) use layout::{Header, Layout, read as header};
pub(super) use marks::{LONGEST as LONGEST_MARK, Marks};
pub(super) use view::View;

use std::collections::BTreeSet;

use jiff::Timestamp;
use object::pe::{
    IMAGE_DIRECTORY_ENTRY_COM_DESCRIPTOR, IMAGE_SCN_CNT_CODE, IMAGE_SCN_MEM_EXECUTE,
    IMAGE_SCN_MEM_WRITE,
};

use super::entropy::Entropy;
use crate::host::program_file::{Executable, Hint, ProgramSection};

/// The function that connects a service to its manager, with the letter of its variant left out.
const DISPATCHER: &str = "StartServiceCtrlDispatcher";
/// A text from the file is not longer, in characters.
const LONGEST_TEXT: usize = 512;
/// Libraries that are kept of one image.
const MOST_LIBRARIES: usize = 256;
/// Old linkers of Borland write this time (1992-06-19) into every program.
const BORLAND: u32 = 0x2a42_5e19;

/// A part of the file, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    /// Its first byte.
    pub(super) start: u64,
    /// The byte behind its last.
    pub(super) end: u64,
}

impl Span {
    /// Its length.
    pub(super) const fn length(self) -> u64 {
        self.end.saturating_sub(self.start)
    }
}

/// What is wrong with an image, each thing once.
#[derive(Debug, Default)]
pub(super) struct Damage(Vec<String>);

impl Damage {
    /// More of it says nothing more.
    const MOST: usize = 16;

    fn say(&mut self, words: impl Into<String>) {
        let words = words.into();
        if self.0.len() < Self::MOST && !self.0.contains(&words) {
            self.0.push(words);
        }
    }
}

/// What the structures of an image say. What needs all its bytes (digests, entropy, marks) is added by [`finish`].
pub(super) fn read(view: &mut View<'_>, layout: &Layout, mut damage: Damage) -> Executable {
    let imports = imports::read(view, layout, &mut damage);
    let exports = exports::read(view, layout, &mut damage);
    let debug = debug::read(view, layout, &mut damage);
    let resources = resources::read(view, layout, &mut damage);
    let mut hints = BTreeSet::new();
    if layout.directory(IMAGE_DIRECTORY_ENTRY_COM_DESCRIPTOR).is_some() {
        hints.insert(Hint::DotNet);
    }
    let is_python =
        |library: &String| library.starts_with("python2") || library.starts_with("python3");
    let kinds = &resources.named_kinds;
    if imports.libraries.iter().any(is_python) || kinds.iter().any(|kind| kind == "PYTHONSCRIPT") {
        hints.insert(Hint::Python);
    }
    if view.is_exhausted() {
        damage.say("its structures point at more places than are read");
    }
    let stamp = layout.time_stamp;
    let is_time = stamp != 0 && stamp != u32::MAX && stamp != BORLAND && !debug.is_reproducible;
    let mut libraries = imports.libraries;
    libraries.truncate(MOST_LIBRARIES);
    Executable {
        machine: layout.machine,
        subsystem: layout.subsystem,
        characteristics: layout.characteristics,
        time_stamp: stamp,
        is_reproducible: debug.is_reproducible,
        linked: Timestamp::from_second(i64::from(stamp)).ok().filter(|_| is_time),
        imphash: imports.digest,
        authentihashes: Vec::new(),
        version: resources.version,
        sections: sections(layout),
        overlay: None,
        packer: layout.sections.iter().find_map(|one| packer::of(&one.name)).map(str::to_owned),
        exports_service_main: exports.has_service_main,
        export_count: exports.count,
        exports: exports.names,
        imports_dispatcher: imports.has_dispatcher,
        names_dispatcher: imports.has_dispatcher,
        libraries,
        hints: hints.into_iter().collect(),
        pdb: debug.pdb,
        damage: damage.0,
    }
}

fn sections(layout: &Layout) -> Vec<ProgramSection> {
    let has = |flags: u32, flag: u32| flags & flag != 0;
    layout
        .sections
        .iter()
        .map(|section| {
            let is_code = has(section.flags, IMAGE_SCN_MEM_EXECUTE | IMAGE_SCN_CNT_CODE);
            ProgramSection {
                name: section.name.clone(),
                size: section.span.length(),
                entropy: 0,
                is_code,
                is_writable_code: has(section.flags, IMAGE_SCN_MEM_EXECUTE)
                    && has(section.flags, IMAGE_SCN_MEM_WRITE),
            }
        })
        .collect()
}

/// Adds what the pass over all bytes found.
pub(super) fn finish(executable: &mut Executable, entropy: &Entropy, marks: Marks) {
    for (section, value) in executable.sections.iter_mut().zip(&entropy.sections) {
        section.entropy = *value;
    }
    executable.overlay = entropy.overlay;
    executable.names_dispatcher |= marks.names_dispatcher;
    let hints: BTreeSet<Hint> = executable.hints.iter().copied().chain(marks.hints).collect();
    executable.hints = hints.into_iter().collect();
}

/// A text from the file, not longer than is worth showing.
fn cut(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}
