//! Every container holds the same disk, byte for byte: the images of `tests/images`.

#![expect(clippy::disallowed_methods, reason = "the images are this project's own")]

use std::fs::{self, File};
use std::io::{BufReader, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::super::*;
use crate::evidence::EvidencePath;
use crate::evidence::folder::Folder;
use crate::evidence::source::{Source, read_exact_at};

/// Images of the disk in `raw/disk.raw`.
const SAME: &[&str] = &[
    "raw-split/disk.001",
    "e01-best/disk.E01",
    "e01-fast/disk.E01",
    "e01-none/disk.E01",
    "e01-segments/disk.E01",
    "e01-encase5/disk.E01",
    "e01-ftk/disk.E01",
    "e01-linen6/disk.E01",
    "ex01/disk.Ex01",
    "ex01-patterns/disk.Ex01",
    "vhd-dynamic/disk.vhd",
    "vhd-fixed/disk.vhd",
    "vhd-differencing/disk.vhd",
    "vhdx-dynamic/disk.vhdx",
    "vhdx-fixed/disk.vhdx",
    "vmdk-sparse/disk.vmdk",
    "vmdk-flat/disk.vmdk",
    "vmdk-split/disk.vmdk",
    "vmdk-stream/disk.vmdk",
    "vmdk-snapshot/disk.vmdk",
    "qcow2-v2/disk.qcow2",
    "qcow2-v3/disk.qcow2",
    "qcow2-zlib/disk.qcow2",
    "qcow2-zstd/disk.qcow2",
    "qcow2-backing/disk.qcow2",
    "aff4-zlib/disk.aff4",
    "aff4-snappy/disk.aff4",
    "aff4-map/disk.aff4",
];

/// Unpacks the images; zeros are left out, so that this costs what is in them.
fn unpack(folder: &Path) {
    let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/images/disks.tar.xz");
    let packed = BufReader::new(File::open(packed).unwrap());
    let mut archive = tar::Archive::new(lzma_rust2::XzReader::new(packed, false));
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = folder.join(entry.path().unwrap());
        if entry.header().entry_type().is_dir() {
            fs::create_dir_all(path).unwrap();
            continue;
        }
        let mut file = File::create(path).unwrap();
        let mut block = vec![0; 1 << 16];
        loop {
            let count = io::Read::read(&mut entry, &mut block).unwrap();
            if count == 0 {
                break;
            }
            if block[..count].iter().all(|byte| *byte == 0) {
                file.seek(SeekFrom::Current(i64::try_from(count).unwrap())).unwrap();
            } else {
                file.write_all(&block[..count]).unwrap();
            }
        }
        let end = file.stream_position().unwrap();
        file.set_len(end).unwrap();
    }
}

fn disk(path: &Path) -> io::Result<Disk> {
    let tree = Arc::new(Folder::new(path.parent().unwrap()));
    let name = path.file_name().unwrap().to_str().unwrap();
    let given = Given { shown: name.into(), tree, path: EvidencePath::new(name), depth: 0 };
    open(&given, given.open()?)?.ok_or_else(|| io::Error::other("not taken for an image"))
}

/// The SHA-256 of a disk, read in parts that fit no sector, cluster or chunk.
fn hash(source: &dyn Source) -> io::Result<[u8; 32]> {
    let mut sum = Sha256::new();
    let mut at = 0;
    while at < source.size() {
        let count = (source.size() - at).min(300_001);
        let mut part = vec![0; usize::try_from(count).unwrap()];
        read_exact_at(source, at, &mut part)?;
        sum.update(&part);
        at += count;
    }
    Ok(sum.finalize().into())
}

#[test]
fn every_container_holds_the_same_disk() {
    let folder = tempfile::tempdir().unwrap();
    unpack(folder.path());
    let expected = Sha256::digest(fs::read(folder.path().join("raw/disk.raw")).unwrap());
    let mut wrong = Vec::new();
    for image in SAME {
        match disk(&folder.path().join(image)).and_then(|disk| hash(disk.source.as_ref())) {
            Ok(hash) if hash == *expected => {}
            Ok(_) => wrong.push(format!("{image}: another disk")),
            Err(error) => wrong.push(format!("{image}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
