//! VMDK: one file or several, flat or sparse, with the snapshots over it (VMware, Virtual Disk Format 1.1 and 5.0).

mod descriptor;
mod sparse;

use std::io;
use std::sync::Arc;

use self::descriptor::{Descriptor, Extent};
use self::sparse::Sparse;
use super::beside::Beside;
use super::mapped::{Map, Mapped, Place, Run};
use super::{
    Container, Disk, Ends, Image, Parent, damaged, last_component, size_words, unsupported,
};
use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::source::{SharedSource, Source, read_up_to};

pub(super) const CONTAINER: Container = Container {
    name: "VMDK",
    known_by: "KDMV, COWD or a descriptor (# Disk DescriptorFile) at its start",
    is: |ends| {
        ends.starts_with(b"KDMV")
            || ends.starts_with(b"COWD")
            || is_se_sparse(ends)
            || descriptor::is_one(&ends.start)
    },
    open,
};

const SECTOR: u64 = 512;

/// The sparse format of ESXi since 6.5: 0xCAFEBABE as a 64-bit number, then its version.
fn is_se_sparse(ends: &Ends) -> bool {
    ends.starts_with(b"\xbe\xba\xfe\xca\0\0\0\0\x01\0\0\0\x02\0\0\0")
}

fn open(image: &Image<'_>) -> io::Result<Disk> {
    let ends = Ends::of(image)?;
    if is_se_sparse(&ends) {
        return Err(unsupported(
            "a sparse snapshot of ESXi (seSparse) is not read; convert it: qemu-img convert -O raw",
        ));
    }
    if !descriptor::is_one(&ends.start) {
        return open_sparse(image);
    }
    let mut text = vec![0; descriptor::MOST];
    let count = read_up_to(image.source.as_ref(), 0, &mut text)?;
    let descriptor = Descriptor::parse(text.get(..count).unwrap_or_default())?;
    let (mut disk, extents) = gather(image, &descriptor)?;
    finish(image, &descriptor, &mut disk, extents)
}

/// A sparse file is a disk by itself if it holds a descriptor, and a part of one if not.
fn open_sparse(image: &Image<'_>) -> io::Result<Disk> {
    let sparse = Sparse::read(&image.source)?;
    let size = sparse.size();
    let descriptor = sparse.descriptor()?;
    let kind = descriptor.as_ref().map_or("extent", |descriptor| descriptor.kind.as_str());
    let words = format!("disk image (VMDK, {kind}), {}", size_words(size));
    let diagnostics: Vec<Diagnostic> = image.cut_off(sparse.furthest()?).into_iter().collect();
    let mut disk = Disk { source: Arc::clone(&image.source), words, diagnostics, hash: None };
    let extents = vec![Part { start: 0, size, kind: Kind::Sparse(sparse) }];
    let Some(descriptor) = descriptor else {
        disk.diagnostics.push(image.diagnostic(
            Impact::Partial,
            "an extent without a descriptor: it may be one part of a larger disk or a snapshot; \
             give its descriptor (.vmdk) instead",
        ));
        disk.source = Mapped::shared(Extents { parts: extents, size, below: None });
        return Ok(disk);
    };
    finish(image, &descriptor, &mut disk, extents)
}

/// The extents that a descriptor names, from the files beside it.
fn gather(image: &Image<'_>, descriptor: &Descriptor) -> io::Result<(Disk, Vec<Part>)> {
    let beside = image.beside();
    let mut extents = Vec::new();
    let mut start = 0_u64;
    let mut diagnostics = Vec::new();
    for extent in &descriptor.extents {
        let size = extent.sectors.saturating_mul(SECTOR);
        let kind = part(image, &beside, extent, size, &mut diagnostics)?;
        extents.push(Part { start, size, kind });
        start = start
            .checked_add(size)
            .ok_or_else(|| damaged("the extents of the virtual disk are too large"))?;
    }
    if extents.iter().all(|extent| matches!(extent.kind, Kind::Missing(_))) {
        let names: Vec<&str> =
            descriptor.extents.iter().map(|extent| last_component(&extent.name)).collect();
        let message = format!("its data is in {}, which is not beside it", names.join(", "));
        return Err(io::Error::new(io::ErrorKind::NotFound, message));
    }
    let files = match extents.len() {
        1 => String::new(),
        count => format!(", {count} extents"),
    };
    let words = format!("disk image (VMDK, {}){files}, {}", descriptor.kind, size_words(start));
    let source = Arc::clone(&image.source);
    Ok((Disk { source, words, diagnostics, hash: None }, extents))
}

fn part(
    image: &Image<'_>,
    beside: &Beside,
    extent: &Extent,
    size: u64,
    diagnostics: &mut Vec<Diagnostic>,
) -> io::Result<Kind> {
    if extent.kind == "ZERO" || extent.access == "NOACCESS" {
        return Ok(Kind::Zeros);
    }
    let name = last_component(&extent.name);
    let Some(source) = beside.open(name)? else {
        diagnostics.push(image.diagnostic(
            Impact::Partial,
            format!("{name}, a part of the image, is not beside it; what it holds is not read"),
        ));
        return Ok(Kind::Missing(name.to_owned()));
    };
    let needed = match extent.kind.as_str() {
        "FLAT" | "VMFS" => extent.offset.saturating_mul(SECTOR).saturating_add(size),
        "SPARSE" | "VMFSSPARSE" => {
            let sparse = Sparse::read(&source)?;
            let furthest = sparse.furthest()?;
            note_cut(image, name, source.as_ref(), furthest, diagnostics);
            return Ok(Kind::Sparse(sparse));
        }
        other => {
            return Err(unsupported(format!(
                "extents of type {other} are not read; convert the image: qemu-img convert -O raw"
            )));
        }
    };
    note_cut(image, name, source.as_ref(), needed, diagnostics);
    Ok(Kind::Flat(source, extent.offset.saturating_mul(SECTOR)))
}

fn note_cut(
    image: &Image<'_>,
    name: &str,
    source: &dyn Source,
    needed: u64,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let size = source.size();
    if size < needed {
        let message = format!(
            "cut off: {name} ends at byte {size} and {needed} are named; what is missing is not read"
        );
        diagnostics.push(image.diagnostic(Impact::Partial, message));
    }
}

/// Puts the parent under a snapshot.
fn finish(
    image: &Image<'_>,
    descriptor: &Descriptor,
    disk: &mut Disk,
    extents: Vec<Part>,
) -> io::Result<Disk> {
    let mut below = None;
    if descriptor.has_parent() {
        let Parent { name, source, disk: parent } =
            image.parent(std::slice::from_ref(&descriptor.parent_name))?;
        disk.words = format!("{}, over {name}", disk.words);
        let found = content_id(&Image { given: image.given, source, above: image.above })?;
        if found.is_some_and(|found| found != descriptor.parent_id) {
            disk.diagnostics.push(image.diagnostic(
                Impact::Partial,
                format!(
                    "{name}, the parent of this snapshot, was changed after the snapshot was taken \
                     (its content id is not {:08x}); the disk may never have looked like this",
                    descriptor.parent_id
                ),
            ));
        }
        disk.diagnostics.extend(parent.diagnostics);
        below = Some(parent.source);
    }
    let size = extents.last().map_or(0, |last| last.start.saturating_add(last.size));
    let source = Mapped::shared(Extents { parts: extents, size, below });
    Ok(Disk {
        source,
        words: std::mem::take(&mut disk.words),
        diagnostics: std::mem::take(&mut disk.diagnostics),
        hash: None,
    })
}

/// The content id of another image, where it is one with a descriptor.
fn content_id(image: &Image<'_>) -> io::Result<Option<u32>> {
    let ends = Ends::of(image)?;
    if descriptor::is_one(&ends.start) {
        return Ok(Some(Descriptor::parse(&ends.start)?.id));
    }
    if ends.starts_with(b"KDMV") {
        return Ok(Sparse::read(&image.source)?.descriptor()?.map(|descriptor| descriptor.id));
    }
    Ok(None)
}

struct Extents {
    parts: Vec<Part>,
    size: u64,
    below: Option<SharedSource>,
}

/// An extent in its place on the disk.
struct Part {
    start: u64,
    size: u64,
    kind: Kind,
}

enum Kind {
    Zeros,
    Flat(SharedSource, u64),
    Sparse(Sparse),
    Missing(String),
}

impl Map for Extents {
    fn size(&self) -> u64 {
        self.size
    }

    fn find(&self, offset: u64) -> io::Result<Run> {
        let next = self.parts.partition_point(|extent| extent.start <= offset);
        let extent = next.checked_sub(1).and_then(|index| self.parts.get(index));
        let Some(extent) = extent else { return Err(damaged("an extent is missing")) };
        let within = offset.saturating_sub(extent.start);
        let rest = extent.size.saturating_sub(within);
        let place = match &extent.kind {
            Kind::Zeros => Place::Zeros,
            Kind::Flat(source, base) => {
                Place::Stored(Arc::clone(source), base.saturating_add(within))
            }
            Kind::Missing(name) => {
                let message = format!("{name}, a part of the image, is missing");
                return Err(io::Error::new(io::ErrorKind::NotFound, message));
            }
            Kind::Sparse(sparse) => {
                let (place, size) = sparse.find(within, extent.start)?;
                let unwritten = || {
                    self.below
                        .as_ref()
                        .map_or(Place::Zeros, |below| Place::Below(Arc::clone(below)))
                };
                return Ok(Run { place: place.unwrap_or_else(unwritten), size: size.min(rest) });
            }
        };
        Ok(Run { place, size: rest })
    }
}
