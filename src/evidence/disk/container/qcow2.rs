//! QCOW2, versions 2 and 3 (QEMU, `docs/interop/qcow2.rst`).

use std::io;
use std::sync::Arc;

use super::bytes::Fields;
use super::mapped::{Map, Mapped, Place, Run, Unit};
use super::unpack::Method;
use super::{Container, Disk, Image, Parent, damaged, size_words, unsupported};
use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::source::{SharedSource, Source, read_exact_at, read_up_to};

pub(super) const CONTAINER: Container = Container {
    name: "QCOW2",
    known_by: "QFI\\xfb at its start",
    is: |ends| ends.starts_with(b"QFI\xfb"),
    open,
};

/// Bits of an entry that are an offset in the file.
const OFFSET: u64 = 0x00FF_FFFF_FFFF_FE00;
/// A cluster that is compressed.
const COMPRESSED: u64 = 1 << 62;
/// A cluster that reads as zeros.
const ZEROS: u64 = 1;
/// Incompatible features.
const CORRUPT: u64 = 1 << 1;
const EXTERNAL_DATA: u64 = 1 << 2;
const COMPRESSION_TYPE: u64 = 1 << 3;
const EXTENDED_L2: u64 = 1 << 4;
/// Those that need nothing of a reader, or are read: 0 is "not closed properly".
const KNOWN: u64 = 1 | CORRUPT | EXTERNAL_DATA | COMPRESSION_TYPE | EXTENDED_L2;

/// Parts of a cluster that have their own state, where entries are extended.
const SUBCLUSTERS: u64 = 32;

struct Header {
    version: u32,
    backing: Option<String>,
    cluster_bits: u32,
    size: u64,
    features: u64,
    method: Method,
    l1: u64,
    l1_entries: u64,
}

fn open(image: &Image<'_>) -> io::Result<Disk> {
    let header = Header::read(image.source.as_ref())?;
    let parent =
        header.backing.as_ref().map(|name| image.parent(std::slice::from_ref(name))).transpose()?;
    let mut words = format!("disk image (QCOW2), {}", size_words(header.size));
    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    if header.features & CORRUPT != 0 {
        diagnostics.push(image.diagnostic(Impact::Note, "the image is marked as corrupt"));
    }
    let below = parent.map(|Parent { name, disk, .. }| {
        words = format!("{words}, over {name}");
        diagnostics.extend(disk.diagnostics);
        disk.source
    });
    let map = Clusters { file: Arc::clone(&image.source), header, below };
    diagnostics.extend(image.cut_off(map.furthest()?));
    Ok(Disk { source: Mapped::shared(map), words, diagnostics, hash: None })
}

impl Header {
    fn read(file: &dyn Source) -> io::Result<Self> {
        let mut start = [0; 112];
        let count = read_up_to(file, 0, &mut start)?;
        let fields = Fields(&start);
        let version = fields.u32_be(4);
        if count < if version >= 3 { 104 } else { 72 } {
            return Err(damaged("the header of the image is cut off"));
        }
        if !(2..=3).contains(&version) {
            return Err(unsupported(format!(
                "QCOW version {version} is not read; convert it: qemu-img convert -O raw"
            )));
        }
        let cluster_bits = fields.u32_be(20);
        if !(9..=21).contains(&cluster_bits) {
            return Err(damaged(format!("clusters of 2^{cluster_bits} bytes")));
        }
        match fields.u32_be(32) {
            0 => {}
            1 => return Err(unsupported("the image is encrypted (AES); decrypt it with qemu-img")),
            2 => {
                return Err(unsupported("the image is encrypted (LUKS); decrypt it with qemu-img"));
            }
            other => return Err(unsupported(format!("encryption method {other} is not known"))),
        }
        let features = if version >= 3 { fields.u64_be(72) } else { 0 };
        if features & EXTERNAL_DATA != 0 {
            return Err(unsupported(
                "its data is in another file; convert it: qemu-img convert -O raw",
            ));
        }
        if features & !KNOWN != 0 {
            return Err(unsupported(format!("features {:#x} are not known", features & !KNOWN)));
        }
        let method = match (features & COMPRESSION_TYPE != 0, fields.u32_be(104) >> 24) {
            (false, _) | (true, 0) => Method::Deflate,
            (true, 1) => Method::Zstd,
            (true, other) => {
                return Err(unsupported(format!("compression method {other} is not known")));
            }
        };
        Ok(Self {
            version,
            backing: backing_name(file, fields.u64_be(8), fields.u32_be(16))?,
            cluster_bits,
            size: fields.u64_be(24),
            features,
            method,
            l1: fields.u64_be(40),
            l1_entries: u64::from(fields.u32_be(36)),
        })
    }

    fn cluster(&self) -> u64 {
        1_u64.checked_shl(self.cluster_bits).unwrap_or(1 << 16)
    }

    fn is_extended(&self) -> bool {
        self.features & EXTENDED_L2 != 0
    }

    fn entry_size(&self) -> u64 {
        if self.is_extended() { 16 } else { 8 }
    }

    /// Clusters that one table of the second level describes.
    fn per_table(&self) -> u64 {
        self.cluster() / self.entry_size()
    }
}

fn backing_name(file: &dyn Source, offset: u64, size: u32) -> io::Result<Option<String>> {
    if offset == 0 {
        return Ok(None);
    }
    if size > 1023 {
        return Err(damaged("the name of its backing file is too long"));
    }
    let mut name = vec![0; usize::try_from(size).unwrap_or_default()];
    read_exact_at(file, offset, &mut name)?;
    Ok(Some(String::from_utf8_lossy(&name).into_owned()))
}

struct Clusters {
    file: SharedSource,
    header: Header,
    below: Option<SharedSource>,
}

impl Clusters {
    fn entry(&self, at: u64) -> io::Result<u64> {
        let mut bytes = [0; 8];
        read_exact_at(self.file.as_ref(), at, &mut bytes)
            .map_err(|error| io::Error::new(error.kind(), "a table of the image is cut off"))?;
        Ok(u64::from_be_bytes(bytes))
    }

    /// Where the table of the second level is that describes a cluster.
    fn table(&self, cluster: u64) -> io::Result<Option<u64>> {
        let index = cluster / self.header.per_table();
        if index >= self.header.l1_entries {
            return Err(damaged("the first table of the image is too short"));
        }
        let entry = self.entry(self.header.l1.saturating_add(index.saturating_mul(8)))?;
        Ok(Some(entry & OFFSET).filter(|table| *table != 0))
    }

    fn unallocated(&self) -> Place {
        self.below.as_ref().map_or(Place::Zeros, |below| Place::Below(Arc::clone(below)))
    }

    fn compressed(&self, entry: u64, cluster: u64) -> Unit {
        // 62 - (cluster_bits - 8) bits of offset, then the count of further sectors.
        let bits = 70_u32.saturating_sub(self.header.cluster_bits);
        let low = |bits: u32| 1_u64.checked_shl(bits).unwrap_or_default().saturating_sub(1);
        let offset = entry & low(bits);
        let sectors = (entry >> bits) & low(62_u32.saturating_sub(bits));
        let packed = sectors.saturating_add(1).saturating_mul(512).saturating_sub(offset & 511);
        let size = self.header.cluster();
        Unit {
            source: Arc::clone(&self.file),
            offset,
            packed,
            method: self.header.method,
            start: cluster.saturating_mul(size),
            size,
        }
    }

    /// Where a part of a cluster is whose entry has a bitmap: allocated parts in the low half, zeros in the high.
    fn extended(&self, entry: u64, bitmap: u64, within: u64) -> Run {
        let part = self.header.cluster() / SUBCLUSTERS;
        let index = within.checked_div(part).unwrap_or_default();
        let bit = |at: u64| bitmap >> at.min(63) & 1 == 1;
        let place = if bit(index) {
            Place::Stored(Arc::clone(&self.file), (entry & OFFSET).saturating_add(within))
        } else if bit(index.saturating_add(SUBCLUSTERS)) {
            Place::Zeros
        } else {
            self.unallocated()
        };
        Run { place, size: part.saturating_sub(within.checked_rem(part).unwrap_or_default()) }
    }

    /// The end of the last cluster that a table names, as far as 64 MiB of tables tell.
    fn furthest(&self) -> io::Result<u64> {
        let cluster = self.header.cluster();
        let tables = self.header.size.div_ceil(cluster).div_ceil(self.header.per_table());
        let mut furthest = 0;
        let most = (64 << 20) / cluster;
        let mut read = 0_u64;
        let mut bytes = vec![0; usize::try_from(cluster).unwrap_or_default()];
        for index in 0..tables.min(self.header.l1_entries) {
            let at = self.header.l1.saturating_add(index.saturating_mul(8));
            // A first table that is itself cut off is found out here.
            let Ok(entry) = self.entry(at) else { return Ok(at.saturating_add(8).max(furthest)) };
            let table = entry & OFFSET;
            if table == 0 {
                continue;
            }
            furthest = furthest.max(table.saturating_add(cluster));
            read = read.saturating_add(1);
            if read > most {
                break;
            }
            let count = read_up_to(self.file.as_ref(), table, &mut bytes)?;
            let entries = bytes.get(..count).unwrap_or_default();
            let step = usize::try_from(self.header.entry_size()).unwrap_or(8);
            for entry in entries.chunks_exact(step) {
                let entry = Fields(entry).u64_be(0);
                if entry & (COMPRESSED | ZEROS) == 0 && entry & OFFSET != 0 {
                    furthest = furthest.max((entry & OFFSET).saturating_add(cluster));
                }
            }
        }
        Ok(furthest)
    }
}

impl Map for Clusters {
    fn size(&self) -> u64 {
        self.header.size
    }

    fn find(&self, offset: u64) -> io::Result<Run> {
        let size = self.header.cluster();
        let cluster = offset >> self.header.cluster_bits;
        let within = offset & size.saturating_sub(1);
        let rest = size.saturating_sub(within);
        let Some(table) = self.table(cluster)? else {
            let index = cluster.checked_rem(self.header.per_table()).unwrap_or_default();
            let clusters = self.header.per_table().saturating_sub(index).saturating_sub(1);
            let size = clusters.saturating_mul(size).saturating_add(rest);
            return Ok(Run { place: self.unallocated(), size });
        };
        let index = cluster.checked_rem(self.header.per_table()).unwrap_or_default();
        let at = table.saturating_add(index.saturating_mul(self.header.entry_size()));
        let entry = self.entry(at)?;
        if entry & COMPRESSED != 0 {
            return Ok(Run { place: Place::Packed(self.compressed(entry, cluster)), size: rest });
        }
        if self.header.is_extended() {
            return Ok(self.extended(entry, self.entry(at.saturating_add(8))?, within));
        }
        let place = if entry & ZEROS != 0 && self.header.version >= 3 {
            Place::Zeros
        } else if entry & OFFSET == 0 {
            self.unallocated()
        } else {
            Place::Stored(Arc::clone(&self.file), (entry & OFFSET).saturating_add(within))
        };
        Ok(Run { place, size: rest })
    }
}
