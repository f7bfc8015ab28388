//! What the bytes of a file are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::host::program_file::{Executable, FileContent, Hint, ProgramSection, VersionResource};
use crate::report::Stamp;

/// A file's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentReport {
    /// Its size in bytes, uncompressed.
    pub size: u64,
    /// SHA-256.
    pub sha256: String,
    /// SHA-1.
    pub sha1: String,
    /// MD5.
    pub md5: String,
    /// What a collector wrote down about it that does not agree.
    pub collector_disagrees: Option<String>,
    /// What it is by its first bytes.
    pub kind: String,
    /// The PE image it is.
    pub executable: Option<ExecutableReport>,
}

/// A PE image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one image")]
pub struct ExecutableReport {
    /// The machine in words.
    pub machine: String,
    /// The same as stored.
    pub machine_value: u16,
    /// The subsystem in words.
    pub subsystem: String,
    /// The same as stored.
    pub subsystem_value: u16,
    /// Whether it is a library.
    pub library: bool,
    /// `TimeDateStamp` as stored.
    pub time_stamp: u32,
    /// Whether the linker put a digest there.
    pub reproducible: bool,
    /// When it was linked; null where the stamp is a digest or zero.
    pub linked: Option<Stamp>,
    /// Digest of its imports.
    pub imphash: Option<String>,
    /// Authenticode digests by algorithm.
    pub authentihashes: BTreeMap<String, String>,
    /// The version resource.
    pub version: Option<VersionResource>,
    /// The sections in order; entropy in thousandths of a bit per byte.
    pub sections: Vec<ProgramSection>,
    /// What follows the last section and is no certificate table.
    pub overlay: Option<OverlayReport>,
    /// A packer whose marks it bears.
    pub packer: Option<String>,
    /// What it was made with.
    pub made_with: Vec<Hint>,
    /// The path of its debug information as the linker wrote it.
    pub pdb: Option<String>,
    /// Whether it exports `ServiceMain`.
    pub exports_service_main: bool,
    /// How many names it exports.
    pub export_count: u32,
    /// Names it exports, at most 64.
    pub exports: Vec<String>,
    /// Whether it imports the dispatcher of services.
    pub imports_dispatcher: bool,
    /// Whether the dispatcher's name is anywhere in it.
    pub names_dispatcher: bool,
    /// The libraries it imports from.
    pub libraries: Vec<String>,
    /// What is wrong with its structure.
    pub damage: Vec<String>,
}

/// Bytes after the last section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverlayReport {
    /// How many.
    pub size: u64,
    /// Their entropy in thousandths of a bit per byte.
    pub entropy: u16,
}

impl ContentReport {
    pub(super) fn new(content: &FileContent) -> Self {
        let digests = content.digests.clone();
        Self {
            size: content.size,
            sha256: digests.sha256,
            sha1: digests.sha1,
            md5: digests.md5,
            collector_disagrees: content.collector_disagrees.clone(),
            kind: content.kind.to_owned(),
            executable: content.executable.as_ref().map(ExecutableReport::new),
        }
    }
}

impl ExecutableReport {
    fn new(executable: &Executable) -> Self {
        Self {
            machine: machine(executable.machine),
            machine_value: executable.machine,
            subsystem: subsystem(executable.subsystem),
            subsystem_value: executable.subsystem,
            library: executable.is_library(),
            time_stamp: executable.time_stamp,
            reproducible: executable.is_reproducible,
            linked: executable.linked.map(Stamp),
            imphash: executable.imphash.clone(),
            authentihashes: executable.authentihashes.iter().cloned().collect(),
            version: executable.version.clone(),
            sections: executable.sections.clone(),
            overlay: executable.overlay.map(|(size, entropy)| OverlayReport { size, entropy }),
            packer: executable.packer.clone(),
            made_with: executable.hints.clone(),
            pdb: executable.pdb.clone(),
            exports_service_main: executable.exports_service_main,
            export_count: executable.export_count,
            exports: executable.exports.clone(),
            imports_dispatcher: executable.imports_dispatcher,
            names_dispatcher: executable.names_dispatcher,
            libraries: executable.libraries.clone(),
            damage: executable.damage.clone(),
        }
    }
}

/// What a program was made with, as its makers write it.
pub(super) const fn made_with(hint: Hint) -> &'static str {
    match hint {
        Hint::DotNet => ".NET",
        Hint::Go => "Go",
        Hint::Rust => "Rust",
        Hint::Python => "Python",
        Hint::Nim => "Nim",
        Hint::AutoIt => "AutoIt",
    }
}

/// `IMAGE_FILE_MACHINE_*` (Microsoft PE/COFF specification) in words.
fn machine(value: u16) -> String {
    let word = match value {
        0x014c => "x86",
        0x8664 => "x64",
        0xaa64 => "ARM64",
        0x01c0 | 0x01c2 | 0x01c4 => "ARM",
        0x0200 => "Itanium",
        _ => return format!("unknown machine {value:#06x}"),
    };
    word.to_owned()
}

/// `IMAGE_SUBSYSTEM_*` (the same source) in words.
fn subsystem(value: u16) -> String {
    let word = match value {
        1 => "native",
        2 => "graphical",
        3 => "console",
        5 => "OS/2",
        7 => "POSIX",
        9 => "Windows CE",
        10 => "EFI application",
        11 => "EFI boot service driver",
        12 => "EFI runtime driver",
        13 => "EFI ROM image",
        14 => "Xbox",
        16 => "boot application",
        _ => return format!("unknown subsystem {value}"),
    };
    word.to_owned()
}
