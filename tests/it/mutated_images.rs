//! Damaged disk images: no panic, no hang, and where a format has checksums no byte that is silently another.
//!
//! `SVCTRIAGE_MUTATIONS=3000 cargo test --test it mutated_images::` does the long run.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the tests make their own evidence, and fail by panicking"
)]

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use svctriage::artifact::detect::detect;
use svctriage::evidence::{self, Evidence, Options};

use crate::support::Numbers;
use crate::support::images::image;

/// Every format: case, the file that is given, and whether all bytes are covered by checksums.
const FORMATS: &[(&str, &str, bool)] = &[
    ("raw", "disk.raw", false),
    ("raw-split", "disk.001", false),
    ("e01-best", "disk.E01", true),
    ("e01-segments", "disk.E01", true),
    ("ex01", "disk.Ex01", false),
    ("vhd-dynamic", "disk.vhd", false),
    ("vhd-differencing", "disk.vhd", false),
    ("vhdx-dynamic", "disk.vhdx", false),
    ("vmdk-sparse", "disk.vmdk", false),
    ("vmdk-flat", "disk.vmdk", false),
    ("vmdk-split", "disk.vmdk", false),
    ("vmdk-stream", "disk.vmdk", false),
    ("vmdk-snapshot", "disk.vmdk", false),
    ("qcow2-v3", "disk.qcow2", false),
    ("qcow2-zlib", "disk.qcow2", false),
    ("qcow2-zstd", "disk.qcow2", false),
    ("qcow2-backing", "disk.qcow2", false),
    ("aff4-map", "disk.aff4", false),
    ("aff4-snappy", "disk.aff4", false),
    ("mbr-logical", "disk.raw", false),
    ("gpt-4k", "disk.raw", false),
    ("volume", "volume.raw", false),
    ("shadow-copy", "volume.raw", false),
];

/// A scan of an undamaged image takes well below a second.
const LONGEST: Duration = Duration::from_secs(20);
const BLOCK: usize = 4096;

/// What the artifacts of an image hold: the hash of each, or absent where reading one fails.
#[derive(Debug, PartialEq, Eq)]
struct Read {
    files: BTreeMap<String, Option<[u8; 32]>>,
    /// How much was said of damage.
    said: usize,
}

fn read(path: &Path) -> Read {
    let opened = evidence::open(&[path.to_owned()], &Options::default());
    let mut read = Read { files: BTreeMap::new(), said: opened.errors.len() };
    for (number, host) in opened.hosts.iter().enumerate() {
        let found = detect(host.as_ref());
        read.said += found.diagnostics.len() + host.describe().diagnostics.len();
        for artifact in found.artifacts {
            let path = &artifact.found.path;
            read.files.insert(format!("{number}/{path}"), hash(host.as_ref(), path));
        }
    }
    read
}

/// No file of the images is larger than a MiB; a damaged record may say so of one.
fn hash(host: &dyn Evidence, path: &evidence::EvidencePath) -> Option<[u8; 32]> {
    let mut bytes = Vec::new();
    host.open(path).ok()?.take(64 << 20).read_to_end(&mut bytes).ok()?;
    Some(Sha256::digest(&bytes).into())
}

/// A copy of a case that can be damaged and repaired.
struct Patient {
    _folder: tempfile::TempDir,
    given: PathBuf,
    /// Each file with its blocks that are not zeros: damage to what is never read says nothing.
    files: Vec<(PathBuf, Vec<usize>)>,
}

impl Patient {
    fn new(case: &str, file: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = image(case, file);
        let mut files = Vec::new();
        for entry in fs::read_dir(source.parent().unwrap()).unwrap() {
            let entry = entry.unwrap();
            let bytes = fs::read(entry.path()).unwrap();
            let copy = folder.path().join(entry.file_name());
            fs::write(&copy, &bytes).unwrap();
            let blocks = bytes.chunks(BLOCK).enumerate();
            let used = blocks.filter(|(_, block)| block.iter().any(|byte| *byte != 0));
            files.push((copy, used.map(|(number, _)| number * BLOCK).collect()));
        }
        files.sort();
        Self { given: folder.path().join(file), _folder: folder, files }
    }

    /// Damages one file, looks, and repairs it.
    fn damaged(&self, numbers: &mut Numbers) -> (String, Read) {
        let (path, used) = &self.files[numbers.below(self.files.len())];
        let size = usize::try_from(fs::metadata(path).unwrap().len()).unwrap();
        let at = match numbers.below(4) {
            0 => numbers.below(size.min(1 << 16)),
            1 => size - 1 - numbers.below(size.min(8192)),
            _ => used[numbers.below(used.len())] + numbers.below(BLOCK),
        };
        let at = at.min(size - 1);
        let kind = numbers.below(6);
        let mut bytes = match kind {
            0 => vec![u8::try_from(numbers.below(256)).unwrap()],
            1 => vec![0xff; 4],
            2 => vec![0; 4],
            3 => vec![0; 512],
            _ => (0..8).map(|_| u8::try_from(numbers.below(256)).unwrap()).collect(),
        };
        bytes.truncate(size - at);
        let what = format!("{}, {} bytes at {at}", path.display(), bytes.len());
        let mut file = OpenOptions::new().read(true).write(true).open(path).unwrap();
        if kind == 5 {
            let whole = fs::read(path).unwrap();
            file.set_len(u64::try_from(at).unwrap()).unwrap();
            let read = read(&self.given);
            fs::write(path, whole).unwrap();
            return (format!("{}, cut off at {at}", path.display()), read);
        }
        let before = exchange(&mut file, at, &bytes);
        let read = read(&self.given);
        exchange(&mut file, at, &before);
        (what, read)
    }
}

/// Writes bytes and gives those that were there.
fn exchange(file: &mut File, at: usize, bytes: &[u8]) -> Vec<u8> {
    let place = SeekFrom::Start(u64::try_from(at).unwrap());
    let mut before = vec![0; bytes.len()];
    file.seek(place).unwrap();
    file.read_exact(&mut before).unwrap();
    file.seek(place).unwrap();
    file.write_all(bytes).unwrap();
    before
}

/// What is wrong with the reading of a damaged image, if anything.
fn fault(whole: &Read, damaged: &Read, took: Duration, has_checksums: bool) -> Option<String> {
    if took > LONGEST {
        return Some(format!("took {took:?}"));
    }
    let lost = whole.files.keys().any(|path| !damaged.files.contains_key(path));
    if damaged.files.is_empty() && damaged.said == 0 {
        return Some("neither artifacts nor a reason".to_owned());
    }
    if has_checksums {
        let other = damaged.files.iter().find(|(path, hash)| {
            hash.is_some() && whole.files.get(*path).is_some_and(|before| before != *hash)
        });
        if let Some((path, _)) = other {
            return Some(format!("{path} has other bytes and no error"));
        }
        if lost && damaged.said == 0 {
            return Some("artifacts are lost and nothing is said".to_owned());
        }
    }
    None
}

#[test]
fn damaged_images_cost_what_is_damaged() {
    let count = std::env::var("SVCTRIAGE_MUTATIONS").map_or(30, |count| count.parse().unwrap());
    let faults: Vec<String> = FORMATS
        .par_iter()
        .enumerate()
        .flat_map_iter(|(seed, (case, file, has_checksums))| {
            let patient = Patient::new(case, file);
            let whole = read(&patient.given);
            assert!(!whole.files.is_empty() && whole.files.values().all(Option::is_some), "{case}");
            let mut numbers = Numbers(seed as u64);
            let mut faults = Vec::new();
            for _ in 0..count {
                let began = Instant::now();
                let (what, damaged) = patient.damaged(&mut numbers);
                let fault = fault(&whole, &damaged, began.elapsed(), *has_checksums);
                faults.extend(fault.map(|fault| format!("{case}: {what}: {fault}")));
            }
            assert_eq!(read(&patient.given), whole, "{case} was not repaired");
            faults
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
