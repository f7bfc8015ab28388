use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::*;
use crate::evidence::source::MemorySource;

/// The volumes of the corpus, by name: first sectors and metadata.
fn each_volume(mut look: impl FnMut(&str, &SharedSource, &Path)) {
    let corpus = std::env::var_os("SVCTRIAGE_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"),
        PathBuf::from,
    );
    let Ok(packed) = std::fs::File::open(corpus.join("images/bitlocker-headers.tar.xz")) else {
        return println!("skipped: no corpus");
    };
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("key.bek");
    let mut archive = tar::Archive::new(lzma_rust2::XzReader::new(packed, true));
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        if name.ends_with(".bek") {
            std::fs::write(&key_file, &bytes).unwrap();
        } else {
            let source: SharedSource = Arc::new(MemorySource(bytes));
            look(&name, &source, &key_file);
        }
    }
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
