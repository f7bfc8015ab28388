//! Thousands of damaged archives: no panic, no hang, and nothing is lost without a word.

#![expect(clippy::disallowed_methods, reason = "the tests pack their own evidence")]
#![expect(clippy::indexing_slicing, reason = "the bytes are the tests' own")]
#![expect(clippy::unwrap_used, reason = "a test that cannot make its evidence must fail")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::sync::Once;

use svctriage::evidence::{self, Magic, Options, Pattern};
use zip::CompressionMethod;

use crate::support::Numbers;
use crate::support::pack::{self, Members, SevenZ};

/// Damaged archives per format.
const COUNT: usize = 3000;

/// The libraries' panics are caught and told; the program prints none either.
fn quiet() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if panic.location().is_some_and(|place| place.file().contains("tests/it/")) {
                usual(panic);
            }
        }));
    });
}

fn members() -> Members {
    let mut numbers = Numbers(7);
    (0..5)
        .map(|number| {
            let mut bytes = b"ElfFile\0".to_vec();
            let size = 300 + numbers.below(900);
            bytes.extend((0..size).map(|_| u8::try_from(numbers.below(7) * 5).unwrap()));
            (format!("Logs/{number}.evtx"), bytes)
        })
        .collect()
}

/// Changes some bytes, cuts the end off, or copies a part over another one.
fn damage(sound: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = sound.to_vec();
    match numbers.below(8) {
        0 => bytes.truncate(numbers.below(sound.len())),
        1 => {
            let length = numbers.below(64).min(sound.len());
            let (from, to) =
                (numbers.below(sound.len() - length), numbers.below(sound.len() - length));
            bytes.copy_within(from..from + length, to);
        }
        _ => {
            for _ in 0..=numbers.below(4) {
                let at = numbers.below(bytes.len());
                bytes[at] = match numbers.below(4) {
                    0 => 0,
                    1 => 0xff,
                    2 => bytes[at] ^ (1 << numbers.below(8)),
                    _ => u8::try_from(numbers.below(256)).unwrap(),
                };
            }
        }
    }
    bytes
}

/// What a damaged archive gives: the logs with the bytes they give, and whether anything was said.
fn read(path: &std::path::Path) -> (BTreeMap<String, Vec<u8>>, bool) {
    let opened = evidence::open(&[path.to_owned()], &Options::default());
    let mut said = !opened.errors.is_empty();
    let mut logs = BTreeMap::new();
    for host in &opened.hosts {
        let listing = host.find(&Pattern { magic: Magic::EventLog, places: &[] });
        said |= !listing.diagnostics.is_empty();
        for found in listing.found {
            let mut bytes = Vec::new();
            let opened = host.open(&found.path);
            said |= opened.and_then(|mut content| content.read_to_end(&mut bytes)).is_err();
            logs.insert(found.path.name().to_owned(), bytes);
        }
        said |= !host.describe().diagnostics.is_empty() || !host.damage().is_empty();
    }
    (logs, said)
}

/// `is_checked`: the format has checksums of its members' bytes, so that changed bytes must be told as well.
fn hold(name: &str, sound: &[u8], expected: &Members, is_checked: bool, count: usize) {
    quiet();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let mut numbers = Numbers(42);
    let mut whole = 0;
    for round in 0..count {
        let bytes = damage(sound, &mut numbers);
        fs::write(&path, &bytes).unwrap();
        let (logs, said) = read(&path);
        let is_there = expected.iter().all(|(name, bytes)| {
            let short = name.rsplit('/').next().unwrap();
            logs.get(short).is_some_and(|read| read == bytes || !is_checked)
        });
        whole += usize::from(is_there);
        // A member that is there under a damaged name is not lost.
        let is_renamed = logs.len() >= expected.len()
            && expected.iter().all(|(_, bytes)| logs.values().any(|read| read == bytes));
        assert!(is_there || said || is_renamed, "{name}, round {round}: {:?}", logs.keys());
    }
    assert!(whole > 0, "{name}: damage that is nowhere must cost nothing");
}

#[test]
fn damaged_zip_archives() {
    let members = members();
    hold("x.zip", &pack::zip(&members, CompressionMethod::Deflated), &members, true, COUNT);
    hold("stream.zip", &pack::zip_stream(&members), &members, true, COUNT);
}

#[test]
fn damaged_tar_archives() {
    let members = members();
    let tar = pack::tar(&members);
    hold("x.tar", &tar, &members, false, COUNT);
    hold("x.tar.gz", &pack::gz(&tar), &members, true, COUNT);
}

#[test]
fn damaged_tar_archives_in_slower_formats() {
    let members = members();
    let tar = pack::tar(&members);
    hold("x.tar.xz", &pack::xz(&tar), &members, true, COUNT);
    hold("x.tar.zst", &pack::zst(&tar), &members, true, COUNT);
    hold("x.tar.bz2", &pack::bz2(&tar), &members, true, COUNT);
}

#[test]
fn damaged_7z_archives() {
    let members = members();
    hold("x.7z", &pack::seven_z(&members, SevenZ::default()), &members, true, COUNT / 2);
    let solid = SevenZ { is_solid: true, ..SevenZ::default() };
    hold("solid.7z", &pack::seven_z(&members, solid), &members, true, COUNT / 2);
}
