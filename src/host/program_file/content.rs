//! What the bytes of a file are.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Digests of a file's whole content, in lower-case hexadecimal digits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digests {
    /// SHA-256.
    pub sha256: String,
    /// SHA-1.
    pub sha1: String,
    /// MD5.
    pub md5: String,
}

/// A file's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileContent {
    /// Its size in bytes, uncompressed.
    pub size: u64,
    /// Its digests.
    pub digests: Digests,
    /// What a collector wrote down about it that does not agree, in words.
    pub collector_disagrees: Option<String>,
    /// What it is by its first bytes: `PE image`, `MS-DOS program`, `NE program`, `LE program`, `ELF program`, `ZIP archive`,
    /// `compound file`, `shortcut`, `Java class`, `cabinet`, `script`, `empty`, `zeros` (nothing else), `text`, `data`.
    pub kind: &'static str,
    /// The PE image it is.
    pub executable: Option<Executable>,
}

/// A PE image (Microsoft PE/COFF specification).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one image")]
pub struct Executable {
    /// `Machine` as stored: 0x8664 for x64.
    pub machine: u16,
    /// `Subsystem` as stored: 1 native, 2 graphical, 3 console.
    pub subsystem: u16,
    /// `Characteristics` as stored; bit 0x2000 is a library.
    pub characteristics: u16,
    /// `TimeDateStamp` as stored, seconds since 1970 where the linker did not put a digest there.
    pub time_stamp: u32,
    /// Whether the linker put a digest into `TimeDateStamp` (`/Brepro`).
    pub is_reproducible: bool,
    /// When it was linked; absent where the stamp is a digest (a reproducible build) or zero.
    pub linked: Option<Timestamp>,
    /// Digest of the imported functions in order (Mandiant's imphash): 32 hexadecimal digits; absent without imports.
    pub imphash: Option<String>,
    /// Authenticode digests of the image, by algorithm: `sha1`, `sha256`, and those that its signatures use.
    pub authentihashes: Vec<(String, String)>,
    /// The version resource.
    pub version: Option<VersionResource>,
    /// The sections in order.
    pub sections: Vec<ProgramSection>,
    /// Bytes after the last section that are no certificate table, and their entropy in thousandths of a bit per byte.
    pub overlay: Option<(u64, u16)>,
    /// A packer whose marks it bears: `UPX`.
    pub packer: Option<String>,
    /// Whether it exports `ServiceMain`, which svchost calls unless its service names another function.
    pub exports_service_main: bool,
    /// How many names it exports.
    pub export_count: u32,
    /// Names it exports, sorted; of more than 64 those that have to do with services and the first of the others.
    pub exports: Vec<String>,
    /// Whether it imports `StartServiceCtrlDispatcherA` or `W`.
    pub imports_dispatcher: bool,
    /// Whether the name `StartServiceCtrlDispatcher` is anywhere in it: what is not imported may be looked up while it runs.
    pub names_dispatcher: bool,
    /// The libraries it imports from, lower case, each once, in order; those loaded when first called come last.
    pub libraries: Vec<String>,
    /// What it was made with.
    pub hints: Vec<Hint>,
    /// The path of its debug information as the linker wrote it.
    pub pdb: Option<String>,
    /// What is wrong with its structure, in words.
    pub damage: Vec<String>,
}

impl Executable {
    /// Whether it is a library.
    pub const fn is_library(&self) -> bool {
        self.characteristics & 0x2000 != 0
    }

    /// Whether it is a kernel driver by its subsystem (native).
    pub const fn is_native(&self) -> bool {
        self.subsystem == 1
    }

    /// Whether it was made with that.
    pub fn is_made_with(&self, hint: Hint) -> bool {
        self.hints.contains(&hint)
    }
}

/// What a program was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hint {
    /// .NET: it has a CLR header.
    DotNet,
    /// Go.
    Go,
    /// Rust.
    Rust,
    /// Python, packed by `PyInstaller`, `py2exe` or the like.
    Python,
    /// Nim.
    Nim,
    /// `AutoIt`.
    AutoIt,
}

/// The version resource (`VS_VERSIONINFO`): what the file says of itself, which proves nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionResource {
    /// `CompanyName`.
    pub company: Option<String>,
    /// `ProductName`.
    pub product: Option<String>,
    /// `FileDescription`.
    pub description: Option<String>,
    /// `OriginalFilename`.
    pub original_name: Option<String>,
    /// `InternalName`.
    pub internal_name: Option<String>,
    /// `FileVersion` as text, else the fixed version.
    pub version: Option<String>,
}

/// A section of a PE image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramSection {
    /// Its name, as far as it is text.
    pub name: String,
    /// Its size in the file, in bytes.
    pub size: u64,
    /// Its entropy in thousandths of a bit per byte, 0 to 8000.
    pub entropy: u16,
    /// Whether it is code: it may be executed, or says that it holds code.
    pub is_code: bool,
    /// Whether it may be both executed and written.
    pub is_writable_code: bool,
}
