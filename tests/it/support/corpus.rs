//! Real evidence for tests, where a machine has it: third-party files that are never copied into the repository.
//!
//! The corpus is read-only; compressed files are unpacked once, below `target/corpus`.

#![expect(clippy::disallowed_methods, reason = "the tests' own files, not a report's evidence")]
#![expect(clippy::unwrap_used, reason = "a corpus that is there and unreadable must fail the test")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A file of the corpus, unpacked when its name ends in `.xz`; `None`, and said so, without a corpus.
pub(crate) fn corpus_file(name: &str) -> Option<PathBuf> {
    let source = corpus_source(name)?;
    Some(match name.strip_suffix(".xz") {
        None => source,
        Some(stem) => unpacked(&source, stem, |source, target| {
            let mut out = BufWriter::new(File::create(target).unwrap());
            lzma_rs::xz_decompress(&mut open(source), &mut out).unwrap();
            out.flush().unwrap();
        }),
    })
}

/// The folder with the content of a `.tar.xz` of the corpus; `None`, and said so, without a corpus.
pub(crate) fn corpus_folder(name: &str) -> Option<PathBuf> {
    let source = corpus_source(name)?;
    let stem = name.strip_suffix(".tar.xz").unwrap();
    Some(unpacked(&source, stem, |source, target| {
        let mut archive = Vec::new();
        lzma_rs::xz_decompress(&mut open(source), &mut archive).unwrap();
        tar::Archive::new(archive.as_slice()).unpack(target).unwrap();
    }))
}

/// The bytes of [`corpus_file`].
pub(crate) fn corpus_bytes(name: &str) -> Option<Vec<u8>> {
    corpus_file(name).map(|path| fs::read(path).unwrap())
}

fn corpus_source(name: &str) -> Option<PathBuf> {
    let corpus = std::env::var_os("SVCTRIAGE_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"),
        PathBuf::from,
    );
    if !corpus.is_dir() {
        eprintln!("skipped: no corpus");
        return None;
    }
    Some(corpus.join(name))
}

fn open(path: &Path) -> BufReader<File> {
    BufReader::new(File::open(path).unwrap())
}

/// The size of the source is part of the name, so that a changed corpus is unpacked anew.
fn unpacked(source: &Path, stem: &str, unpack: impl Fn(&Path, &Path)) -> PathBuf {
    let size = fs::metadata(source).unwrap().len();
    unpacked_once(source, &format!("corpus/{size}/{stem}"), unpack)
}

/// Unpacks once to a place below `target`: beside the goal first, then renamed, so that tests running at once do
/// no harm.
pub(super) fn unpacked_once(source: &Path, place: &str, unpack: impl Fn(&Path, &Path)) -> PathBuf {
    static ATTEMPT: AtomicU32 = AtomicU32::new(0);
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let goal = root.join(place);
    if !goal.exists() {
        fs::create_dir_all(goal.parent().unwrap()).unwrap();
        let attempt = ATTEMPT.fetch_add(1, Ordering::Relaxed);
        let draft = root.join(format!("draft-{}-{attempt}", std::process::id()));
        unpack(source, &draft);
        if fs::rename(&draft, &goal).is_err() {
            assert!(goal.exists(), "cannot unpack {}", source.display());
            let _another_test_was_first =
                fs::remove_dir_all(&draft).or_else(|_| fs::remove_file(&draft));
        }
    }
    goal
}
