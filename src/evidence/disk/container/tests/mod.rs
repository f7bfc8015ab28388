//! Images of every format, made in memory: what they give, what they give when damaged, and what they never give.

mod made;
mod mutation;
mod same_disk;

use std::collections::BTreeMap;
use std::sync::Arc;

use md5::{Digest, Md5};

use super::*;
use crate::evidence::EvidencePath;
use crate::evidence::file_tree::{Contents, Entry, EntryKind, FileTree};
use crate::evidence::folder::Folder;
use crate::evidence::source::MemorySource;

/// Files in one folder.
#[derive(Clone, Default)]
struct Files(BTreeMap<String, SharedSource>);

impl Files {
    fn with(mut self, name: &str, bytes: Vec<u8>) -> Self {
        self.0.insert(name.to_owned(), Arc::new(MemorySource(bytes)));
        self
    }

    fn open(&self, name: &str) -> io::Result<Option<Disk>> {
        let given = Given {
            shown: format!("case/{name}"),
            tree: Arc::new(self.clone()),
            path: EvidencePath::new(name),
            depth: 0,
        };
        open(&given, given.open()?)
    }
}

impl FileTree for Files {
    fn list(&self, _: &EvidencePath) -> Contents {
        let entry = |(name, source): (&String, &SharedSource)| {
            Entry::new(EvidencePath::new(name), EntryKind::File(source.size()))
        };
        Contents { entries: self.0.iter().map(entry).collect(), diagnostics: Vec::new() }
    }

    fn open(&self, file: &EvidencePath) -> io::Result<SharedSource> {
        self.0.get(file.as_str()).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn all(source: &SharedSource) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(source.size()).unwrap()];
    let count = read_up_to(source.as_ref(), 0, &mut bytes)?;
    assert_eq!(count, bytes.len());
    Ok(bytes)
}

fn md5(bytes: &[u8]) -> String {
    let digits = Md5::digest(bytes).into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from_digit(digit.into(), 16).unwrap()).collect()
}

/// 41 sectors with an MBR: some of it zeros, and no multiple of any unit.
fn disk() -> Vec<u8> {
    let mut bytes: Vec<u8> =
        (0..41 * 512_u32).map(|at| u8::try_from(at * at / 7 % 253 + 1).unwrap()).collect();
    bytes[6000..14_000].fill(0);
    bytes[..446].fill(0x90);
    bytes[446..510].fill(0);
    bytes[450] = 7;
    bytes[454] = 1;
    bytes[458] = 40;
    bytes[510..512].copy_from_slice(&[0x55, 0xAA]);
    bytes
}

/// Some sectors written over: what a snapshot holds.
fn changed(disk: &[u8]) -> Vec<u8> {
    let mut bytes = disk.to_vec();
    bytes[1024..2048].fill(0xC5);
    bytes[6144..7168].fill(0xC6);
    bytes
}

#[test]
fn every_format_gives_the_bytes_of_the_disk() {
    let disk = disk();
    for (name, files) in made::images(&disk) {
        let opened = files.open(name).unwrap_or_else(|error| panic!("{name}: {error}")).unwrap();
        assert_eq!(opened.diagnostics, [], "{name}");
        let bytes = all(&opened.source).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(bytes == disk, "{name}");
    }
}

#[test]
fn images_are_described_in_words() {
    let words: BTreeMap<_, _> = made::images(&disk())
        .into_iter()
        .map(|(name, files)| (name, files.open(name).unwrap().unwrap().words))
        .collect();
    for (name, expected) in [
        ("a.E01", "disk image (E01), 3 segments, 20.5 KiB"),
        ("b.Ex01", "disk image (Ex01), 20.5 KiB"),
        ("raw.001", "disk image (raw), 3 parts, 20.5 KiB"),
        ("fixed.vhd", "disk image (VHD, fixed), 20.5 KiB"),
        ("dynamic.vhdx", "disk image (VHDX, dynamic), 20.5 KiB"),
        ("flat.vmdk", "disk image (VMDK, monolithicFlat), 2 extents, 20.5 KiB"),
        ("zlib.qcow2", "disk image (QCOW2), 20.5 KiB"),
        ("zlib.aff4", "disk image (AFF4), 20.5 KiB"),
    ] {
        assert_eq!(words[name], expected);
    }
}

#[test]
fn snapshots_are_read_over_their_parents_and_refused_without() {
    let (disk, changed) = (disk(), changed(&disk()));
    for (name, parent, files) in made::snapshots(&disk, &changed) {
        let opened = files.open(name).unwrap_or_else(|error| panic!("{name}: {error}")).unwrap();
        assert_eq!(opened.diagnostics, [], "{name}");
        assert!(all(&opened.source).unwrap() == changed, "{name}");
        assert!(opened.words.ends_with(&format!(", over {parent}")), "{}", opened.words);
        let mut alone = files.clone();
        alone.0.remove(parent);
        let error = alone.open(name).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().contains(parent), "{name}: {error}");
        // An image that is its own parent, by a name that is not its own.
        let mut endless = files.clone();
        let itself = endless.0[name].clone();
        endless.0.insert(parent.to_owned(), itself);
        assert!(endless.open(name).is_err(), "{name}");
    }
}

#[test]
fn a_parent_that_is_another_disk_is_refused_or_said() {
    let (disk, changed) = (disk(), changed(&disk()));
    for (name, parent, mut files) in made::snapshots(&disk, &changed) {
        let (id, is_error) = match name {
            // The identifier in the footer; the one of the contents in both headers; the text of the id.
            "child.vhd" => (vec![68], true),
            "child.vhdx" => (vec![(64 << 10) + 32, (128 << 10) + 32], true),
            "child.vmdk" => (vec![512 + 27], false),
            _ => continue,
        };
        let mut bytes = all(&files.0[parent]).unwrap();
        let end = bytes.len() - 512;
        for at in id {
            bytes[at] ^= 1;
            if name == "child.vhd" {
                bytes[end + at] ^= 1;
            }
        }
        made::sum_headers(&mut bytes);
        files = files.with(parent, bytes);
        match files.open(name) {
            Err(error) => {
                assert!(is_error && error.to_string().contains(parent), "{name}: {error}");
            }
            Ok(opened) => {
                let diagnostics = opened.unwrap().diagnostics;
                assert!(!is_error, "{name}");
                assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
                assert_eq!(diagnostics[0].impact, Impact::Partial);
            }
        }
    }
}

#[test]
fn a_missing_part_is_named_and_the_rest_is_read() {
    let disk = disk();
    for (name, part, from, to) in [
        ("a.E01", "a.E03", 16_384, disk.len()),
        ("a.E01", "a.E02", 8192, disk.len()),
        ("raw.001", "raw.002", 8192, 16_384),
        ("flat.vmdk", "flat-f002.vmdk", 10_240, disk.len()),
    ] {
        let (_, mut files) = made::images(&disk).into_iter().find(|(n, _)| *n == name).unwrap();
        files.0.remove(part);
        let opened = files.open(name).unwrap().unwrap();
        assert_eq!(opened.diagnostics.len(), 1, "{name} without {part}");
        assert!(opened.diagnostics[0].message.contains(part), "{}", opened.diagnostics[0].message);
        assert_eq!(opened.diagnostics[0].impact, Impact::Partial);
        assert_eq!(opened.source.size(), disk.len() as u64);
        for (sector, expected) in disk.chunks(512).enumerate() {
            let at = sector * 512;
            let mut bytes = vec![0; expected.len()];
            match read_up_to(opened.source.as_ref(), at as u64, &mut bytes) {
                Ok(_) => assert!(bytes == expected && !(from..to).contains(&at), "{name} {at}"),
                Err(_) => assert!((from..to).contains(&at), "{name} without {part}: {at}"),
            }
        }
    }
    let (_, files) = made::images(&disk).into_iter().find(|(name, _)| *name == "a.E01").unwrap();
    let error = files.open("a.E02").map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "segment 2 of an image; give its first, a.E01");
}

#[test]
fn what_the_image_says_of_its_bytes_is_kept() {
    let (_, files) = made::images(&disk()).into_iter().find(|(n, _)| *n == "a.E01").unwrap();
    let hash = files.open("a.E01").unwrap().unwrap().hash.unwrap();
    assert_eq!((hash.source.as_str(), hash.sha1), ("a.E01", None));
    assert_eq!(hash.md5, Some(md5(&disk())));
}

#[test]
fn a_log_that_was_not_replayed_is_replayed() {
    let disk = disk();
    let opened = Files::default().with("d.vhdx", made::vhdx_with_log(&disk)).open("d.vhdx");
    let opened = opened.unwrap().unwrap();
    assert_eq!(opened.diagnostics.len(), 1, "{:?}", opened.diagnostics);
    assert_eq!(opened.diagnostics[0].impact, Impact::Note);
    assert!(all(&opened.source).unwrap() == disk);
}

#[test]
fn evidence_and_other_files_are_no_images() {
    let mut hive = b"regf".to_vec();
    hive.resize(8192, 0);
    hive[510..512].copy_from_slice(&[0x55, 0xAA]);
    let mut log = b"ElfFile\0".to_vec();
    log.resize(70_000, 0);
    let mut vdi = vec![0; 8192];
    vdi[0x40..0x44].copy_from_slice(b"\x7f\x10\xda\xbe");
    for bytes in [hive, log, vdi, Vec::new(), b"PK\x03\x04".to_vec(), vec![0; 9000], vec![0x55; 3]]
    {
        let files = Files::default().with("file.001", bytes.clone());
        assert!(files.open("file.001").unwrap().is_none(), "{:?}", &bytes[..bytes.len().min(8)]);
    }
}

#[test]
fn sizes_are_said_in_words() {
    for (bytes, expected) in [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (512 << 20, "512.0 MiB"),
        (137_438_953_472, "128.0 GiB"),
        (u64::MAX, "16.0 EiB"),
    ] {
        assert_eq!(size_words(bytes), expected);
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "a test that skips says so")]
fn real_images_open() {
    let corpus = std::env::var_os("SVCTRIAGE_CORPUS").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"),
        std::path::PathBuf::from,
    );
    let images = corpus.join("images");
    if !images.is_dir() {
        println!("skipped: no corpus");
        return;
    }
    for (name, words, content, diagnostics) in [
        ("plaso_image.E01", "disk image (E01), 100.0 KiB", "ext2", 0),
        ("plaso_image.vmdk", "disk image (VMDK, monolithicSparse), 100.0 KiB", "ext2", 0),
        ("vsstest.qcow2", "disk image (QCOW2), 1.0 GiB", "NTFS", 0),
        ("windows_volume.qcow2", "disk image (QCOW2), 34.3 MiB", "NTFS", 0),
        // Two of the segments of a larger image: E03 is not there.
        ("sr_multiseg_v1.E01", "disk image (E01), 2 segments, 10.0 MiB", "", 1),
    ] {
        let tree = Arc::new(Folder::new(&images));
        let path = EvidencePath::new(name);
        let given = Given { shown: name.to_owned(), tree, path, depth: 0 };
        let opened = open(&given, given.open().unwrap()).unwrap().unwrap();
        assert_eq!(opened.words, words);
        assert_eq!(opened.diagnostics.len(), diagnostics, "{name}: {:?}", opened.diagnostics);
        let layout = super::super::partition::read(&opened.source, name);
        let found: Vec<_> = layout.partitions.iter().map(|part| part.content.as_str()).collect();
        assert_eq!(found.concat(), content, "{name}");
        if let Some(expected) = opened.hash.and_then(|hash| hash.md5) {
            assert_eq!(md5(&all(&opened.source).unwrap()), expected);
        }
    }
}
