//! What a file is by its first bytes; its name proves nothing.

use std::io;

use super::source::{Source, read_up_to};

/// Bytes from the start of a file that are enough to tell.
const ENOUGH: usize = 512;

/// The kinds of files that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Magic {
    /// A registry hive: `regf`, file type 0.
    Hive,
    /// A transaction log of a hive: `regf`, any other file type.
    HiveLog,
    /// An event log since Windows Vista: `ElfFile`.
    EventLog,
    /// An event log of Windows XP and before: `LfLe` at offset 4.
    OldEventLog,
    /// A catalog of signatures. It is known by its place, never by its first bytes: many signed messages begin alike.
    Catalog,
}

/// What a file is that nothing takes, in words.
pub(super) fn words(source: &dyn Source) -> io::Result<String> {
    Ok(match (sniff(source)?, source.size()) {
        (Sniffed::Foreign(words), _) => words.into(),
        (Sniffed::Known(magic), _) => format!("a {}", magic.label()),
        (Sniffed::Unknown, 0) => "an empty file".into(),
        (Sniffed::Unknown, _) if is_disc(source)? => {
            "an ISO disc image; unpack it (7z x) and give the folder".into()
        }
        (Sniffed::Unknown, _) => "a file that is none of these".into(),
    })
}

/// ISO 9660: the identifier of the first volume descriptor, after 16 sectors of 2048 bytes and a type.
fn is_disc(source: &dyn Source) -> io::Result<bool> {
    let mut identifier = [0; 5];
    let count = read_up_to(source, 0x8001, &mut identifier)?;
    Ok(identifier.get(..count) == Some(b"CD001"))
}

/// Other things people hand over, so that a refusal can name them.
const FOREIGN: [(usize, &[u8], &str); 29] = [
    (0, b"EVF\x09\x0d\x0a\xff\x00", "an EnCase disk image (E01)"),
    (0, b"EVF2\x0d\x0a\x81\x00", "an EnCase disk image (Ex01)"),
    (
        0,
        b"LVF\x09\x0d\x0a\xff\x00",
        "an EnCase logical image (L01); export its files (ewfexport -f files) and give the folder",
    ),
    (
        0,
        b"LEF2\x0d\x0a\x81\x00",
        "an EnCase logical image (Lx01); export its files with EnCase or FTK Imager and give the folder",
    ),
    (
        0,
        b"ADSEGMENTEDFILE",
        "an FTK logical image (AD1); export its files with FTK Imager and give the folder",
    ),
    (
        0,
        b"ENCRYPTEDACQUIRE",
        "an encrypted acquire collection; `acquire-decrypt` with its key opens it",
    ),
    (0, b"ADCRYPT\0", "an encrypted FTK image (AD encryption); decrypt it with FTK Imager"),
    (0, b"AFF10\x0d\x0a\x00", "an AFF image, version 1 to 3; convert it: affconvert -r"),
    (0x40, b"\x7f\x10\xda\xbe", "a virtual disk (VDI); convert it: qemu-img convert -O raw"),
    (0, b"COWD", "a virtual disk (VMDK)"),
    (0, b"WithoutFreeSpace", "a virtual disk (Parallels); convert it: qemu-img convert -O raw"),
    (0, b"MDMP", "a memory dump of a process"),
    (0, b"PAGEDU", "a memory dump of Windows; services of it are not read"),
    (0, b"vhdxfile", "a virtual disk (VHDX)"),
    (0, b"conectix", "a virtual disk (VHD)"),
    (0, b"KDMV", "a virtual disk (VMDK)"),
    (0, b"# Disk DescriptorFile", "the descriptor of a virtual disk (VMDK)"),
    (0, b"QFI\xfb", "a virtual disk (QCOW2)"),
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"\x1f\x8b", "a gzip file"),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (0, b"BZh", "a bzip2 file"),
    (0, b"MSCF\0\0\0\0", "a cabinet file (cab)"),
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (0, b"\xfd7zXZ\x00", "an xz file"),
    (257, b"ustar", "a tar archive"),
    (3, b"NTFS    ", "an NTFS volume"),
    (510, b"\x55\xaa", "a disk image or volume"),
];

impl Magic {
    /// What people call it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Hive => "registry hive",
            Self::HiveLog => "registry transaction log",
            Self::EventLog => "event log",
            Self::OldEventLog => "event log in the old EVT format",
            Self::Catalog => "catalog of signatures",
        }
    }

    fn of(start: &[u8]) -> Option<Self> {
        if start.starts_with(b"regf") {
            let file_type = start.get(28..32).unwrap_or(&[0; 4]);
            return Some(if file_type == [0; 4] { Self::Hive } else { Self::HiveLog });
        }
        if start.starts_with(b"ElfFile\0") {
            return Some(Self::EventLog);
        }
        (start.get(4..8) == Some(b"LfLe")).then_some(Self::OldEventLog)
    }
}

/// What the first bytes of a file say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sniffed {
    Known(Magic),
    /// Something else, in words.
    Foreign(&'static str),
    Unknown,
}

impl Sniffed {
    pub(super) fn magic(self) -> Option<Magic> {
        match self {
            Self::Known(magic) => Some(magic),
            Self::Foreign(_) | Self::Unknown => None,
        }
    }
}

pub(super) fn sniff(source: &dyn Source) -> io::Result<Sniffed> {
    let mut start = vec![0; ENOUGH];
    let count = read_up_to(source, 0, &mut start)?;
    start.truncate(count);
    if let Some(magic) = Magic::of(&start) {
        return Ok(Sniffed::Known(magic));
    }
    let foreign = FOREIGN
        .iter()
        .find(|(at, bytes, _)| start.get(*at..).is_some_and(|rest| rest.starts_with(bytes)));
    Ok(foreign.map_or(Sniffed::Unknown, |(_, _, words)| Sniffed::Foreign(words)))
}

#[cfg(test)]
mod tests {
    use super::super::source::MemorySource;
    use super::*;

    #[test]
    fn files_are_told_by_their_first_bytes() {
        let mut log = b"regf".to_vec();
        log.resize(28, 0);
        log.push(6);
        log.resize(64, 0);
        for (bytes, expected) in [
            (&b"regf"[..], Sniffed::Known(Magic::Hive)),
            (&[&b"regf"[..], &[0; 60]].concat(), Sniffed::Known(Magic::Hive)),
            (&log, Sniffed::Known(Magic::HiveLog)),
            (b"ElfFile\0rest", Sniffed::Known(Magic::EventLog)),
            (b"0\0\0\0LfLe", Sniffed::Known(Magic::OldEventLog)),
            (b"PK\x03\x04", Sniffed::Foreign("a zip archive")),
            (b"COWD", Sniffed::Foreign("a virtual disk (VMDK)")),
            (b"", Sniffed::Unknown),
            (b"ElfFile", Sniffed::Unknown),
        ] {
            assert_eq!(sniff(&MemorySource(bytes.to_vec())).unwrap(), expected, "{bytes:?}");
        }
    }

    #[test]
    fn a_refusal_names_the_remedy() {
        let mut disc = vec![0; 0x8001];
        disc.extend(b"CD001");
        let mut virtual_disk = vec![0; 0x40];
        virtual_disk.extend(b"\x7f\x10\xda\xbe");
        for (bytes, expected) in [
            (disc, "7z x"),
            (virtual_disk, "qemu-img convert"),
            (b"LVF\x09\x0d\x0a\xff\x00".to_vec(), "ewfexport"),
            (b"ADSEGMENTEDFILE".to_vec(), "FTK Imager"),
            (b"AFF10\x0d\x0a\x00".to_vec(), "affconvert"),
        ] {
            let words = words(&MemorySource(bytes)).unwrap();
            assert!(words.contains(expected), "{words}");
        }
    }
}
