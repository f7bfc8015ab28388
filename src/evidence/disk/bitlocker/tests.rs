use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::*;
use crate::evidence::source::MemorySource;

#[expect(clippy::disallowed_methods, reason = "the tests' own files, not a report's evidence")]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn unpack(mut take: impl FnMut(&str, Vec<u8>)) {
    let corpus = std::env::var_os("SVCTRIAGE_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"),
        PathBuf::from,
    );
    if !corpus.is_dir() {
        return eprintln!("skipped: no corpus");
    }
    let packed = std::fs::File::open(corpus.join("images/bitlocker-headers.tar.xz")).unwrap();
    let mut archive = tar::Archive::new(lzma_rust2::XzReader::new(packed, true));
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        take(&name, bytes);
    }
}

/// The volumes of the corpus, by name: first sectors and metadata.
fn each_volume(mut look: impl FnMut(&str, &SharedSource, &Path)) {
    let mut key_file = tempfile::NamedTempFile::new().unwrap();
    unpack(|name, bytes| {
        if name == "recovery_key.bek" {
            key_file.write_all(&bytes).unwrap();
        } else {
            let source: SharedSource = Arc::new(MemorySource(bytes));
            look(name, &source, key_file.path());
        }
    });
}

#[test]
fn real_volumes_are_named_and_unlocked() {
    let mut unlocked = Vec::new();
    each_volume(|name, source, key_file| {
        assert!(is_locked(source.as_ref()).unwrap(), "{name}");
        let words = describe(source);
        let nothing = unlock(source, &Options::default());
        let (protector, options) = match name {
            "suspended.bin" => ("a clear key", Options::default()),
            "recovery_key.bin" => (
                "a key file and a password",
                Options { key_files: vec![key_file.to_owned()], ..Options::default() },
            ),
            _ => (
                "a password",
                Options {
                    volume_passwords: vec!["x".into(), "password12!@".into()],
                    ..Options::default()
                },
            ),
        };
        assert!(words.contains(protector), "{name}: {words}");
        assert_eq!(nothing.is_ok(), name == "suspended.bin", "{name}");
        if let Err(message) = nothing {
            assert!(message.contains("give --"), "{name}: {message}");
        }
        let volume = unlock(source, &options).unwrap();
        let mut sector = [0; 512];
        assert_eq!(volume.read_at(0, &mut sector).unwrap(), 512, "{name}");
        assert_eq!(&sector[3..11], b"NTFS    ", "{name}");
        assert_eq!(volume.size(), source.size());
        unlocked.push(name.to_owned());
    });
    assert!(unlocked.is_empty() || unlocked.len() == 5, "{unlocked:?}");
}

#[test]
fn wrong_keys_are_named_but_not_repeated() {
    each_volume(|name, source, _| {
        if name == "recovery_password.bin" {
            let options = Options {
                recovery_keys: vec!["000011-".repeat(8)],
                volume_passwords: vec!["hunter2".into()],
                ..Options::default()
            };
            let message = unlock(source, &options).err().unwrap();
            assert!(message.contains("none of the 2 keys given fits"), "{message}");
            assert!(!message.contains("hunter2") && !message.contains("000011"), "{message}");
        }
    });
}

#[test]
fn other_volumes_are_not_taken_for_locked_ones() {
    let mut fat = vec![0; 512];
    fat[3..11].copy_from_slice(b"MSWIN4.1");
    for bytes in [vec![0; 512], vec![0; 100], fat] {
        assert!(!is_locked(&MemorySource(bytes)).unwrap());
    }
}

#[test]
fn a_decrypted_volume_needs_no_key() {
    let mut bytes = vec![0; 0x4000];
    bytes[..11].copy_from_slice(b"\xeb\x58\x90-FVE-FS-");
    bytes[11..13].copy_from_slice(&512_u16.to_le_bytes());
    bytes[176..184].copy_from_slice(&0x1000_u64.to_le_bytes());
    bytes[0x1000..0x1008].copy_from_slice(b"-FVE-FS-");
    bytes[0x101c..0x1020].copy_from_slice(&2_u32.to_le_bytes());
    bytes[0x1038..0x1040].copy_from_slice(&0x2000_u64.to_le_bytes());
    bytes[0x1040..0x1044].copy_from_slice(&48_u32.to_le_bytes());
    bytes[0x2003..0x200b].copy_from_slice(b"NTFS    ");
    bytes[0x2200] = 7;
    bytes[0x400] = 8;
    let source: SharedSource = Arc::new(MemorySource(bytes.clone()));
    let volume = unlock(&source, &Options::default()).unwrap();
    let mut start = vec![0; 0x600];
    assert_eq!(read_up_to(volume.as_ref(), 0, &mut start).unwrap(), 0x600);
    assert_eq!((&start[3..11], start[0x200], start[0x400]), (&b"NTFS    "[..], 7, 8));
    bytes[0x2003] = b'X';
    let other: SharedSource = Arc::new(MemorySource(bytes));
    assert!(unlock(&other, &Options::default()).err().unwrap().contains("no file system"));
}
