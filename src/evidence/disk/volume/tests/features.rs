//! What a healthy volume says.

use super::*;
use crate::evidence::file_tree::{EntryKind, Storage, TimeSource, walk};
use crate::time;

#[test]
fn every_file_reads_as_it_was_written() {
    let volume = open(image());
    assert_eq!(volume.diagnostics(), []);
    assert_eq!(volume.label().as_deref(), Some("Features"));
    assert_ne!(volume.serial(), 0);
    let mut read = 0;
    for (name, file) in expected("files").iter().filter(|(name, _)| name != "gone") {
        let data = contents(&volume, name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(is_expected(&data, file), "{name}");
        read += 1;
    }
    assert!(read >= 50, "{read}");
}

#[test]
fn streams_read_the_same_from_anywhere_and_by_many() {
    let volume = open(image());
    for name in ["overlay/lzx/calls.dll", "packed/holes.txt", "valid.bin", "pieces.bin"] {
        let source = volume.open(&path(name)).unwrap();
        let whole = read_all(source.as_ref(), 1 << 20).unwrap();
        assert_eq!(read_all(source.as_ref(), 777).unwrap(), whole, "{name}");
        std::thread::scope(|scope| {
            for start in (0..whole.len()).step_by(9973) {
                let (source, whole) = (&source, &whole);
                scope.spawn(move || {
                    let mut buffer = [0; 100];
                    let count = source.read_at(start as u64, &mut buffer).unwrap();
                    assert!(count > 0 && whole[start..].starts_with(&buffer[..count]), "{start}");
                });
            }
        });
        assert_eq!(source.read_at(whole.len() as u64, &mut [0; 1]).unwrap(), 0);
        assert_eq!(source.read_at(u64::MAX, &mut [0; 1]).unwrap(), 0);
    }
}

#[test]
fn bytes_that_are_not_here_are_errors_that_say_why() {
    let volume = open(image());
    let errors = expected("errors");
    assert_eq!(errors.len(), 6);
    for (name, why) in errors {
        let error = volume.open(&path(&name)).err().unwrap().to_string();
        assert!(error.contains(why.as_str().unwrap()), "{name}: {error}");
    }
    for (name, kind) in [
        ("nothing.txt", io::ErrorKind::NotFound),
        ("empty.txt:nothing", io::ErrorKind::NotFound),
        ("empty.txt/below", io::ErrorKind::NotADirectory),
        ("large", io::ErrorKind::IsADirectory),
        ("elsewhere/junction", io::ErrorKind::IsADirectory),
        ("elsewhere/junction/below", io::ErrorKind::Other),
        ("$MFT/99999999", io::ErrorKind::InvalidData),
        ("$MFT/first", io::ErrorKind::NotFound),
    ] {
        assert_eq!(volume.open(&path(name)).err().unwrap().kind(), kind, "{name}");
    }
}

#[test]
fn names_are_found_as_windows_finds_them() {
    let volume = open(image());
    for (name, content) in [
        ("ÜNÏCØDÉ ж.DLL", "not only ASCII"),
        ("program files/LONG NAME.exe", "short name too"),
        ("PROGRA~1/longna~1.exe", "short name too"),
        ("case/Case.txt", "upper"),
        ("case/case.txt", "lower"),
        ("MANY.BIN", "many streams"),
        ("many.bin:STREAM049", "stream 49"),
        ("many.bin:stream049:$DATA", "stream 49"),
        ("many.bin::$DATA", "many streams"),
        ("links/first.exe", "one file, two names"),
    ] {
        assert_eq!(contents(&volume, name).unwrap(), content.as_bytes(), "{name}");
    }
    // Of two names that differ from the one asked for in case only, the first is taken, always.
    assert_eq!(contents(&volume, "case/CASE.TXT").unwrap(), b"upper");
}

#[test]
fn the_crate_finds_what_lies_in_later_pieces_of_the_mft() {
    let volume = open(image());
    let lookup = volume.lookup.as_ref().unwrap();
    let large = volume.metadata(&path("large")).unwrap().record.unwrap();
    let found = lookup.find(large, "A FILE WITH A RATHER LONG NAME 0150.TXT").unwrap().unwrap();
    assert!(found.file.record > 128 && !found.is_exact, "{found:?}");
    assert!(lookup.find(large, "none").unwrap().is_none());
    assert!(lookup.find(found.file.record, "none").is_err());
}

#[test]
fn folders_list_long_names_and_kinds() {
    let volume = open(image());
    let all = walk(&volume, &EvidencePath::root(), 64, 10_000);
    assert_eq!(all.diagnostics, []);
    let kind = |name: &str| all.entries.iter().find(|e| e.path.as_str() == name).map(|e| e.kind);
    assert_eq!(kind("elsewhere/junction"), Some(EntryKind::Link));
    assert_eq!(kind("Program Files"), Some(EntryKind::Folder));
    assert_eq!(kind("Program Files/long name.exe"), Some(EntryKind::File(14)));
    assert_eq!(kind("overlay/lzx/exact.dll"), Some(EntryKind::File(65_536)));
    for absent in ["PROGRA~1", ".", "deleted/gone.exe"] {
        assert_eq!(kind(absent), None, "{absent}");
    }
    let large = all.entries.iter().filter(|e| e.path.as_str().starts_with("large/"));
    assert_eq!(large.count(), 160);
    assert!(all.entries.iter().any(|e| e.path.as_str().ends_with("/level39/deep.txt")));
    assert_eq!(volume.list(&path("empty.txt")).diagnostics.len(), 1);
    assert_eq!(volume.list(&path("elsewhere/junction")).diagnostics.len(), 1);
}

#[test]
fn metadata_have_all_names_and_times() {
    let volume = open(image());
    let links = volume.metadata(&path("links/SECOND.exe")).unwrap();
    assert_eq!(links.names, ["links/first.exe", "links/second.exe"]);
    assert_eq!(links.record, Some(record("links/first.exe")));
    assert_eq!((links.size, links.is_deleted), (19, false));
    let sources: Vec<_> = links.times.iter().map(|times| times.source.clone()).collect();
    let name = |name: &str| TimeSource::FileName(name.to_owned());
    assert_eq!(
        sources,
        [TimeSource::StandardInformation, name("first.exe"), name("second.exe"), TimeSource::Index]
    );

    let stomped = volume.metadata(&path("stomped.exe")).unwrap();
    let [information, file_name, index] = stomped.times.as_slice() else { panic!() };
    let shown = |time: Option<jiff::Timestamp>| time::format(time.unwrap());
    assert_eq!(shown(information.created), "2010-01-01T00:00:00.0000000Z");
    assert_eq!(shown(information.modified), "2010-01-01T00:00:00.0000001Z");
    assert_eq!(shown(information.changed), "2010-01-01T00:00:00.0000002Z");
    assert_eq!(shown(information.accessed), "2010-01-01T00:00:00.0000003Z");
    assert!(file_name.created > information.created);
    assert!(index.created >= file_name.created);

    let short = volume.metadata(&path("Program Files/long name.exe")).unwrap();
    assert_eq!(short.names, ["Program Files/long name.exe"]);
    assert!(short.times.iter().any(|times| times.source == name("LONGNA~1.EXE")));
    let many = volume.metadata(&path("many.bin")).unwrap();
    assert_eq!((many.streams.len(), &many.streams[9]), (300, &("stream009".to_owned(), 8)));
    assert_eq!(volume.metadata(&path("many.bin:stream009")).unwrap().size, 8);
}

#[test]
fn metadata_say_how_bytes_are_kept() {
    let volume = open(image());
    for (name, storage) in [
        ("overlay/xpress4k/tiny.dll", Storage::Overlay("XPRESS4K")),
        ("overlay/xpress8k/tiny.dll", Storage::Overlay("XPRESS8K")),
        ("overlay/xpress16k/tiny.dll", Storage::Overlay("XPRESS16K")),
        ("overlay/lzx/tiny.dll", Storage::Overlay("LZX")),
        ("elsewhere/wim.dll", Storage::External),
        ("packed/prose.txt", Storage::Lznt1),
        ("pieces.bin", Storage::Sparse),
        ("secret.txt", Storage::Encrypted),
        ("stomped.exe", Storage::Plain),
    ] {
        let metadata = volume.metadata(&path(name)).unwrap();
        assert_eq!(metadata.storage, storage, "{name}");
        assert!(metadata.attributes.is_some(), "{name}");
    }
    let overlay = volume.metadata(&path("overlay/lzx/exact.dll")).unwrap();
    assert_eq!(overlay.size, 65_536);
    assert_eq!(overlay.streams[0].0, "WofCompressedData");
    assert_eq!(volume.metadata(&path("large")).unwrap().attributes.unwrap() & 0x10, 0x10);
}

#[test]
fn deleted_files_are_found_and_read() {
    let volume = open(image());
    let found = volume.deleted(&["GONE.EXE"]);
    let [gone] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(gone.record, Some(record("deleted/gone.exe")));
    assert_eq!(gone.names, ["deleted/gone.exe"]);
    assert!(gone.is_deleted && gone.times.len() == 2);
    assert!(volume.open(&path("deleted/gone.exe")).is_err());
    let data = contents(&volume, &format!("$MFT/{}", gone.record.unwrap())).unwrap();
    let expected = expected("files");
    assert!(is_expected(&data, &expected.iter().find(|(name, _)| name == "gone").unwrap().1));
    assert_eq!(volume.deleted(&["stomped.exe"]), []);
    // Extension records name the file by the number that it had while it was alive.
    let stream = format!("$MFT/{}:stream59", record("deleted/many.bin"));
    assert_eq!(contents(&volume, &stream).unwrap(), b"stream 59");
}
