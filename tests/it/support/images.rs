//! The disk images that `tests/images/make.sh` made: its cases, unpacked once below `target/images`, or a folder of
//! freshly made ones that `SVCTRIAGE_IMAGES` names.

#![expect(clippy::disallowed_methods, reason = "the tests' own files, not a report's evidence")]
#![expect(clippy::unwrap_used, reason = "an image that cannot be unpacked must fail the test")]

use std::fs::{self, File};
use std::io::{BufReader, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use sha2::{Digest as _, Sha256};

use super::corpus::unpacked_once;

/// The case that is packed by itself, beside the others.
const SHADOW_COPY: &str = "shadow-copy.raw.xz";

/// A file of a case.
pub(crate) fn image(case: &str, file: &str) -> PathBuf {
    let path = images().join(case).join(file);
    assert!(path.is_file(), "tests/images/make.sh does not make {}", path.display());
    path
}

/// The folder with one folder per case.
pub(crate) fn images() -> &'static Path {
    static IMAGES: OnceLock<PathBuf> = OnceLock::new();
    IMAGES.get_or_init(|| {
        std::env::var_os("SVCTRIAGE_IMAGES").map_or_else(
            || {
                let packed =
                    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/images/disks.tar.xz");
                let mut digest = Sha256::new();
                for file in [&packed, &packed.with_file_name(SHADOW_COPY)] {
                    digest.update(fs::read(file).unwrap());
                }
                let key = u64::from_be_bytes(*digest.finalize().first_chunk().unwrap());
                unpacked_once(&packed, &format!("images/{key:016x}"), unpack)
            },
            PathBuf::from,
        )
    })
}

fn unpack(packed: &Path, folder: &Path) {
    let beside = packed.with_file_name(SHADOW_COPY);
    let packed = BufReader::new(File::open(packed).unwrap());
    let mut archive = tar::Archive::new(lzma_rust2::XzReader::new(packed, false));
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = folder.join(entry.path().unwrap());
        if entry.header().entry_type().is_dir() {
            fs::create_dir_all(path).unwrap();
        } else {
            write_sparse(&mut entry, &path);
        }
    }
    let volume = folder.join("shadow-copy/volume.raw");
    fs::create_dir_all(volume.parent().unwrap()).unwrap();
    let packed = BufReader::new(File::open(beside).unwrap());
    write_sparse(&mut lzma_rust2::XzReader::new(packed, false), &volume);
}

/// Zeros are not written, so that the images need the room of what is in them.
pub(crate) fn write_sparse(source: &mut impl Read, path: &Path) {
    let mut file = File::create(path).unwrap();
    let mut block = vec![0; 1 << 16];
    loop {
        let count = source.read(&mut block).unwrap();
        let Some(part) = block.get(..count).filter(|part| !part.is_empty()) else { break };
        if part.iter().all(|byte| *byte == 0) {
            file.seek(SeekFrom::Current(i64::try_from(count).unwrap())).unwrap();
        } else {
            file.write_all(part).unwrap();
        }
    }
    let end = file.stream_position().unwrap();
    file.set_len(end).unwrap();
}
