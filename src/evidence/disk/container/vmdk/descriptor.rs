//! The text that says what a virtual disk consists of.

use std::io;

use super::super::{damaged, unsupported};

/// Descriptors have some hundred bytes; 20 sectors are reserved for an embedded one.
pub(super) const MOST: usize = 64 << 10;

/// Extents of 2 GiB make 8 TiB.
const MOST_EXTENTS: usize = 4096;

const FIRST_LINE: &[u8] = b"# Disk DescriptorFile";

/// The parent of a disk that has none.
const NO_PARENT: u32 = u32::MAX;

pub(super) struct Descriptor {
    pub(super) id: u32,
    pub(super) parent_id: u32,
    pub(super) parent_name: String,
    /// Its type in VMware's words: `monolithicSparse`.
    pub(super) kind: String,
    pub(super) extents: Vec<Extent>,
}

pub(super) struct Extent {
    pub(super) access: String,
    pub(super) sectors: u64,
    pub(super) kind: String,
    pub(super) name: String,
    /// Where in its file a flat extent begins, in sectors.
    pub(super) offset: u64,
}

/// Whether a file begins as a descriptor does.
pub(super) fn is_one(start: &[u8]) -> bool {
    start.len() >= FIRST_LINE.len()
        && start
            .iter()
            .zip(FIRST_LINE)
            .all(|(found, expected)| found.eq_ignore_ascii_case(expected))
}

impl Descriptor {
    pub(super) fn parse(bytes: &[u8]) -> io::Result<Self> {
        let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        let text = String::from_utf8_lossy(bytes);
        let mut descriptor = Self {
            id: 0,
            parent_id: NO_PARENT,
            parent_name: String::new(),
            kind: String::from("unknown"),
            extents: Vec::new(),
        };
        for line in text.lines().map(str::trim) {
            if let Some(extent) = Extent::parse(line)? {
                if descriptor.extents.len() >= MOST_EXTENTS {
                    return Err(damaged(format!("more than {MOST_EXTENTS} extents")));
                }
                descriptor.extents.push(extent);
                continue;
            }
            let Some((key, value)) = line.split_once('=') else { continue };
            let value = value.trim().trim_matches('"');
            match key.trim().to_ascii_lowercase().as_str() {
                "cid" => descriptor.id = hexadecimal(value)?,
                "parentcid" => descriptor.parent_id = hexadecimal(value)?,
                "parentfilenamehint" => value.clone_into(&mut descriptor.parent_name),
                "createtype" => value.clone_into(&mut descriptor.kind),
                _ => {}
            }
        }
        if ["fullDevice", "partitionedDevice", "vmfsRawDeviceMap", "vmfsPassthroughRawDeviceMap"]
            .contains(&descriptor.kind.as_str())
        {
            return Err(unsupported(format!(
                "the virtual disk ({}) is only a reference to a real one",
                descriptor.kind
            )));
        }
        Ok(descriptor)
    }

    pub(super) fn has_parent(&self) -> bool {
        self.parent_id != NO_PARENT
    }
}

fn hexadecimal(text: &str) -> io::Result<u32> {
    u32::from_str_radix(text, 16)
        .map_err(|_| damaged("a content id of the virtual disk is no hexadecimal number"))
}

impl Extent {
    /// `RW 4192256 SPARSE "disk-s001.vmdk"`, `RW 1048576 FLAT "disk-f001.vmdk" 0`; absent where the line is no extent.
    ///
    /// # Errors
    /// A line that begins as an extent and is none: the disk would be another without it.
    fn parse(line: &str) -> io::Result<Option<Self>> {
        let Some((access, rest)) = line.split_once(char::is_whitespace) else { return Ok(None) };
        if !["RW", "RDONLY", "NOACCESS"].contains(&access) {
            return Ok(None);
        }
        let wrong = || damaged(format!("an extent of the virtual disk is not understood: {line}"));
        Self::fields(access, rest).map(Some).ok_or_else(wrong)
    }

    fn fields(access: &str, rest: &str) -> Option<Self> {
        let (sectors, rest) = rest.trim_start().split_once(char::is_whitespace)?;
        let (kind, rest) = rest.trim_start().split_once(char::is_whitespace).unwrap_or((rest, ""));
        let (name, rest) = match rest.trim_start().strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None if kind.trim() == "ZERO" => ("", ""),
            None => return None,
        };
        let offset = match rest.split_whitespace().next() {
            Some(offset) => offset.parse().ok()?,
            // Only a flat extent of a hosted disk has an offset, and that always.
            None if kind != "FLAT" => 0,
            None => return None,
        };
        Some(Self {
            access: access.to_owned(),
            sectors: sectors.parse().ok()?,
            kind: kind.trim().to_owned(),
            name: name.to_owned(),
            offset,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_name_extents_and_parents() {
        let text = b"# Disk DescriptorFile\r\nversion=1\r\nCID=4e02a3c1\r\nparentCID = 0000000a\r\n\
            createType=\"twoGbMaxExtentFlat\"\r\nparentFileNameHint=\"..\\up\\base disk.vmdk\"\r\n\
            RW 4192256 FLAT \"a b-f001.vmdk\" 7\nRDONLY 5 SPARSE \"s.vmdk\"\nRW 9 ZERO\n\0RW x ZERO";
        let descriptor = Descriptor::parse(text).unwrap();
        assert_eq!((descriptor.id, descriptor.parent_id), (0x4e02_a3c1, 10));
        assert!(descriptor.has_parent());
        assert_eq!(descriptor.parent_name, "..\\up\\base disk.vmdk");
        let extents: Vec<_> = descriptor
            .extents
            .iter()
            .map(|e| (e.sectors, e.kind.as_str(), e.name.as_str(), e.offset))
            .collect();
        assert_eq!(
            extents,
            [
                (4_192_256, "FLAT", "a b-f001.vmdk", 7),
                (5, "SPARSE", "s.vmdk", 0),
                (9, "ZERO", "", 0)
            ]
        );
        for line in ["CID=xyz", "RW x ZERO", "RW 5 FLAT \"a\"", "RW 5 SPARSE a", "RW 5"] {
            assert!(Descriptor::parse(line.as_bytes()).is_err(), "{line}");
        }
        assert!(Descriptor::parse(b"createType=\"fullDevice\"").is_err());
        assert!(is_one(b"# Disk DescriptorFile\n") && !is_one(b"# Disk"));
    }
}
