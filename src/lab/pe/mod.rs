//! Writes PE images (Microsoft PE/COFF specification): programs, libraries and drivers as linkers make them, that run
//! nowhere and hold no code worth running.
//!
//! [`Program`] says what an image should have; [`Program::build`] gives its bytes, always the same for the same words.

mod certificates;
mod debug;
mod exports;
mod image;
mod imports;
mod resources;
mod version;

pub use certificates::{covered, with_certificates};

use super::random::Random;
use crate::host::program_file::VersionResource;
use resources::Resource;

/// Which processor an image is for: `Machine` of its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    /// 32-bit x86: the image is a PE32, all others are PE32+.
    X86,
    /// x64.
    X64,
    /// 64-bit ARM.
    Arm64,
}

impl Machine {
    const fn number(self) -> u16 {
        match self {
            Self::X86 => 0x14c,
            Self::X64 => 0x8664,
            Self::Arm64 => 0xaa64,
        }
    }

    const fn is_64_bit(self) -> bool {
        !matches!(self, Self::X86)
    }
}

/// What an image should have.
#[derive(Debug, Clone)]
pub struct Program {
    name: String,
    machine: Machine,
    subsystem: u16,
    is_library: bool,
    linked: u32,
    is_reproducible: bool,
    imports: Vec<(String, Vec<String>)>,
    exports: Vec<String>,
    versions: Vec<(u32, VersionResource)>,
    resources: Vec<Resource>,
    pdb: Option<String>,
    sections: Vec<Section>,
    code: Vec<u8>,
    overlay: Vec<u8>,
    certificates: Vec<u8>,
    is_dot_net: bool,
}

/// A section besides those that the writer makes itself.
#[derive(Debug, Clone)]
struct Section {
    name: String,
    flags: u32,
    bytes: Vec<u8>,
}

/// Code that is read and executed.
const CODE: u32 = 0x6000_0020;
/// Data that is only read.
const READ_ONLY: u32 = 0x4000_0040;
/// `Characteristics` of a section with code that may also be written, as packers leave it.
pub const WRITABLE_CODE: u32 = 0xe000_0020;
/// `Characteristics` of a section with data.
pub const DATA: u32 = 0xc000_0040;
/// Seconds since 1970 of 2024-05-06T07:08:09Z: when an image says that it was linked, unless told otherwise.
pub const LINKED: u32 = 1_714_979_289;
/// The language of a version resource: English (United States), Unicode.
pub const ENGLISH: u32 = 0x0409_04b0;

impl Program {
    /// An x64 console program of that file name, which imports what an ordinary service does. A name that ends in
    /// `.dll` makes it a library, `.sys` a kernel driver.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let lower = name.to_ascii_lowercase();
        let extension = lower.rsplit('.').next().unwrap_or_default();
        let mut program = Self {
            name: name.to_owned(),
            machine: Machine::X64,
            subsystem: 3,
            is_library: false,
            linked: LINKED,
            is_reproducible: false,
            imports: Vec::new(),
            exports: Vec::new(),
            versions: Vec::new(),
            resources: Vec::new(),
            pdb: None,
            sections: Vec::new(),
            code: code(name),
            overlay: Vec::new(),
            certificates: Vec::new(),
            is_dot_net: false,
        };
        if extension == "sys" {
            program.subsystem = 1;
            return program.imports("ntoskrnl.exe", &["IoCreateDevice", "IoDeleteDevice"]);
        }
        program = program.imports("KERNEL32.dll", &["CreateFileW", "Sleep", "ExitProcess"]);
        let control: &[&str] = if extension == "dll" {
            program.subsystem = 2;
            program.is_library = true;
            program = program.exports(&["ServiceMain", "SvchostPushServiceGlobals"]);
            &["RegisterServiceCtrlHandlerExW", "SetServiceStatus"]
        } else {
            &["StartServiceCtrlDispatcherW", "RegisterServiceCtrlHandlerExW", "SetServiceStatus"]
        };
        program.imports("ADVAPI32.dll", control)
    }

    /// Which processor it is for.
    #[must_use]
    pub fn machine(mut self, machine: Machine) -> Self {
        self.machine = machine;
        self
    }

    /// `Subsystem`: 1 native, 2 graphical, 3 console.
    #[must_use]
    pub fn subsystem(mut self, subsystem: u16) -> Self {
        self.subsystem = subsystem;
        self
    }

    /// When it says that it was linked, in seconds since 1970.
    #[must_use]
    pub fn linked(mut self, seconds: u32) -> Self {
        self.linked = seconds;
        self
    }

    /// As a reproducible build (`/Brepro`): the stamp is a digest, and a debug directory of type 16 says so.
    #[must_use]
    pub fn reproducible(mut self) -> Self {
        self.is_reproducible = true;
        self.linked = 0xd15c_0de5;
        self
    }

    /// Imports nothing.
    #[must_use]
    pub fn without_imports(mut self) -> Self {
        self.imports.clear();
        self
    }

    /// Imports functions of a library besides what it imports already: names, or `#115` for an ordinal.
    #[must_use]
    pub fn imports(mut self, library: &str, functions: &[&str]) -> Self {
        let functions = functions.iter().map(|name| (*name).to_owned()).collect();
        self.imports.push((library.to_owned(), functions));
        self
    }

    /// Exports these names instead of those it exports already.
    #[must_use]
    pub fn exports(mut self, names: &[&str]) -> Self {
        self.exports = names.iter().map(|name| (*name).to_owned()).collect();
        self.exports.sort();
        self
    }

    /// Has a version resource in English.
    #[must_use]
    pub fn version(self, version: VersionResource) -> Self {
        self.version_in(ENGLISH, version)
    }

    /// Has a string table of its version resource in that language and code page (`0x0407_04b0`); the first one given
    /// stands first in the table of translations.
    #[must_use]
    pub fn version_in(mut self, language: u32, version: VersionResource) -> Self {
        self.versions.push((language, version));
        self
    }

    /// Has a resource of that kind and name, `#10` for the number 10 (`RT_RCDATA`).
    #[must_use]
    pub fn resource(mut self, kind: &str, name: &str, bytes: &[u8]) -> Self {
        self.resources.push(Resource::new(kind, name, bytes.to_vec()));
        self
    }

    /// Names the file of its debug information.
    #[must_use]
    pub fn pdb(mut self, path: &str) -> Self {
        self.pdb = Some(path.to_owned());
        self
    }

    /// Has a further section with these `Characteristics`.
    #[must_use]
    pub fn section(mut self, name: &str, flags: u32, bytes: &[u8]) -> Self {
        self.sections.push(Section { name: name.to_owned(), flags, bytes: bytes.to_vec() });
        self
    }

    /// Has this for its code.
    #[must_use]
    pub fn code(mut self, bytes: &[u8]) -> Self {
        self.code = bytes.to_vec();
        self
    }

    /// Has its code packed: random bytes in a section that is written and executed, under the names that UPX gives.
    #[must_use]
    pub fn packed(self) -> Self {
        self.section("UPX0", WRITABLE_CODE, &[]).section("UPX1", WRITABLE_CODE, &noise(0x1_0000))
    }

    /// Has bytes behind its last section.
    #[must_use]
    pub fn overlay(mut self, bytes: &[u8]) -> Self {
        self.overlay = bytes.to_vec();
        self
    }

    /// Is a .NET program.
    #[must_use]
    pub fn dot_net(mut self) -> Self {
        self.is_dot_net = true;
        self.imports = vec![("mscoree.dll".to_owned(), vec!["_CorExeMain".to_owned()])];
        self
    }

    /// Has these bytes for its certificate table: entries of `WIN_CERTIFICATE`. A signer computes them over
    /// [`covered`] of the image without.
    #[must_use]
    pub fn certificates(mut self, bytes: &[u8]) -> Self {
        self.certificates = bytes.to_vec();
        self
    }

    /// Its bytes.
    pub fn build(&self) -> Vec<u8> {
        let image = image::build(self);
        if self.certificates.is_empty() {
            return image;
        }
        with_certificates(&image, &self.certificates)
    }
}

/// Bytes without any order: 8 bits of entropy each.
pub fn noise(length: usize) -> Vec<u8> {
    let mut random = Random::new(length as u64);
    (0..length.div_ceil(8)).flat_map(|_| random.next().to_le_bytes()).take(length).collect()
}

/// What looks like code by its bytes' frequencies, and differs from one program to another.
fn code(name: &str) -> Vec<u8> {
    const OPCODES: &[u8] = b"\x48\x89\x5c\x24\x08\x57\x48\x83\xec\x20\x48\x8b\xd9\xe8\x00\x00\x33\xc0\xff\x15\xc3\xcc\x90\x0f\x85\x74";
    let seed = name.bytes().fold(7_u64, |seed, byte| seed.wrapping_mul(31) ^ u64::from(byte));
    let mut random = Random::new(seed);
    let pick = |random: &mut Random| {
        let at = usize::try_from(random.below(OPCODES.len() as u64)).unwrap_or_default();
        OPCODES.get(at).copied().unwrap_or(0xc3)
    };
    let mut bytes = vec![0xc3];
    bytes.extend((1..0x3f0).map(|_| pick(&mut random)));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_give_the_same_bytes() {
        let program = || Program::new("x.exe").pdb("x.pdb").packed().overlay(b"more").build();
        assert_eq!(program(), program());
        assert_ne!(Program::new("x.exe").build(), Program::new("y.exe").build());
    }

    #[test]
    fn a_signature_leaves_the_covered_bytes_as_they_are() {
        for machine in [Machine::X86, Machine::X64, Machine::Arm64] {
            let program = Program::new("x.sys").machine(machine).overlay(b"odd");
            let plain = program.build();
            let signed = program.certificates(&[0x5a; 64]).build();
            assert_eq!(covered(&plain), covered(&signed), "{machine:?}");
            assert_eq!(signed.len(), plain.len().next_multiple_of(8) + 64);
            assert_eq!(covered(&signed).len(), signed.len() - 64 - 8 - 4);
        }
    }
}
