//! Reparse points: files and folders that something other than NTFS has its say about.
//!
//! Tags: \[MS-FSCC\] 2.1.2.1.

use std::io;

use super::bytes::{damaged, index, slice_at, u16_at, u32_at};
use super::file::File;
use super::overlay::Algorithm;
use super::record::REPARSE_POINT;
use crate::evidence::file_tree::LinkTarget;
use crate::evidence::source::{SharedSource, read_up_to};
use crate::text::utf16le;

pub(super) const OVERLAY: u32 = 0x8000_0017;
const MOUNT_POINT: u32 = 0xa000_0003;
const SYMBOLIC_LINK: u32 = 0xa000_000c;
/// Tags with this bit stand for another file or folder: symbolic links, junctions, mount points.
const NAME_SURROGATE: u32 = 0x2000_0000;
/// Microsoft's tags for sockets, pipes and devices of the Windows Subsystem for Linux.
const SPECIAL: [u32; 4] = [0x8000_0023, 0x8000_0024, 0x8000_0025, 0x8000_0026];
/// \[MS-FSCC\]: reparse data have at most 16 KiB.
const LARGEST: u64 = 16 << 10;
/// `FILE_ATTRIBUTE_OFFLINE`, `_RECALL_ON_OPEN`, `_RECALL_ON_DATA_ACCESS`: the bytes are elsewhere.
const ELSEWHERE: u32 = 0x1000 | 0x4_0000 | 0x40_0000;

/// A file's reparse point.
#[derive(Debug, Clone)]
pub(super) struct Reparse {
    pub(super) tag: u32,
    data: Vec<u8>,
}

impl Reparse {
    /// # Errors
    /// Where the file has one that cannot be read.
    pub(super) fn of(file: &File, volume: &SharedSource, cluster: u64) -> io::Result<Option<Self>> {
        let source = match file.stream(REPARSE_POINT, <[u16]>::is_empty, cluster) {
            Ok(stream) => stream.open(volume)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut data = vec![0; index(source.size().min(LARGEST))];
        read_up_to(source.as_ref(), 0, &mut data)?;
        let tag = u32_at(&data, 0).ok_or_else(|| damaged("the reparse point is cut off"))?;
        Ok(Some(Self { tag, data }))
    }

    pub(super) fn is_link(&self) -> bool {
        self.tag & NAME_SURROGATE != 0
    }

    /// Where it leads, if it is a junction or a symbolic link (\[MS-FSCC\] 2.1.2.4 and 2.1.2.5).
    pub(super) fn target(&self) -> Option<LinkTarget> {
        let (buffer, is_relative) = match self.tag {
            MOUNT_POINT => (16_usize, false),
            SYMBOLIC_LINK => (20, u32_at(&self.data, 16)? & 1 != 0),
            _ => return None,
        };
        let at = buffer.checked_add(u16_at(&self.data, 8)?.into())?;
        let name = slice_at(&self.data, at, u16_at(&self.data, 10)?.into())?;
        let name = utf16le(name);
        let path = name.strip_prefix(r"\??\").unwrap_or(&name).to_owned();
        Some(LinkTarget { path, is_relative })
    }

    pub(super) fn is_special(&self) -> bool {
        SPECIAL.contains(&self.tag)
    }

    fn provider(&self) -> Option<u32> {
        u32_at(&self.data, 12).filter(|_| self.tag == OVERLAY)
    }

    /// Whether the bytes are in a WIM file elsewhere.
    pub(super) fn is_external(&self) -> bool {
        self.provider() == Some(1)
    }

    /// How the overlay compresses the file; absent where it is none of the overlay's.
    ///
    /// # Errors
    /// Where it is the overlay's in a way that is not known.
    pub(super) fn algorithm(&self) -> io::Result<Option<Algorithm>> {
        let unknown = |what| io::Error::new(io::ErrorKind::Unsupported, what);
        match self.provider() {
            None if self.tag == OVERLAY => Err(damaged("the overlay's reparse point is cut off")),
            None => Ok(None),
            Some(1) => Err(unknown("kept in an external WIM file (WIMBoot)".to_owned())),
            Some(2) => {
                let number = u32_at(&self.data, 20);
                let algorithm = number.and_then(Algorithm::by_number);
                algorithm.map(Some).ok_or_else(|| {
                    unknown(format!("compressed by the overlay with algorithm {number:?}"))
                })
            }
            Some(other) => Err(unknown(format!("kept by provider {other} of the overlay"))),
        }
    }

    /// Why the file's own bytes are not its content; absent where they are.
    pub(super) fn obstacle(&self, attributes: u32) -> Option<String> {
        let tag = self.tag;
        let what = match tag {
            _ if self.is_link() => "a link",
            _ if self.is_special() => "a device, pipe or socket",
            0x8000_0013 => "deduplicated: its bytes are in the volume's chunk store",
            0x8000_0006 | 0xc000_0004 => "in hierarchical storage: its bytes are elsewhere",
            0x8000_0007 => "in single-instance storage: its bytes are in another file",
            0x8000_001b => "an alias for an app",
            // The files of a cloud that are kept on the host too have all their bytes here.
            _ if is_cloud(tag) && attributes & ELSEWHERE == 0 => return None,
            _ if is_cloud(tag) => "kept in a cloud (OneDrive): its bytes are not on this volume",
            _ => "kept by a file system filter",
        };
        Some(format!("{what} (reparse tag 0x{tag:08x})"))
    }
}

/// `IO_REPARSE_TAG_CLOUD` to `_CLOUD_F`, and the older one of `OneDrive`.
fn is_cloud(tag: u32) -> bool {
    tag & 0xffff_0fff == 0x9000_001a || tag == 0x8000_0021
}
