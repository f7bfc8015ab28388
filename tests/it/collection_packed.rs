//! Collections as collectors pack them: what is in an archive ranks as what is in a folder.

use std::path::Path;

use svctriage::evidence::{self, Options};
use tempfile::TempDir;

use crate::support::collections::{
    Fields, NO_SNAPSHOT, expected, kape, only, only_host, orc, plain, put, ranked, refusal, sample,
    velociraptor, zipped,
};

#[test]
fn a_zipped_collection_ranks_as_its_host_does() {
    let files = sample("compromised-workstation");
    let expected = expected("compromised-workstation");
    let lay = |name: &str, root: &Path| match name {
        "Collection-WS01-2026-01-02T03_04_05Z.zip" => {
            velociraptor(root, "WS01", &files, Fields::Old);
        }
        "KAPE.zip" => kape(root, &files),
        "WS01_20260102030405.zip" => plain(root, "fs/C:", &files),
        "DFIR-ORC_WorkStation_WS01_General.zip" => {
            for (part, word) in [("SystemHives.zip", "config"), ("Event.zip", "winevt")] {
                let inner = TempDir::new().unwrap();
                orc(inner.path(), ".", &only(&files, word), NO_SNAPSHOT, true);
                put(root, part, &zipped(inner.path(), Some("avproof")));
            }
        }
        _ => {
            plain(root, "C", &files);
            put(root, "CyLR_Collection_Log_2026-01-02_03-04-05.log", b"log");
        }
    };
    for (name, format, host_name) in [
        ("Collection-WS01-2026-01-02T03_04_05Z.zip", "Velociraptor collection", Some("WS01")),
        ("KAPE.zip", "KAPE collection", None),
        ("WS01_20260102030405.zip", "acquire collection", Some("WS01")),
        ("DFIR-ORC_WorkStation_WS01_General.zip", "DFIR-ORC collection", Some("WS-ORC")),
        ("WS01.zip", "CyLR collection", Some("WS01")),
    ] {
        let (outside, root) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        lay(name, root.path());
        put(outside.path(), name, &zipped(root.path(), None));
        let host = only_host(&outside.path().join(name));
        let about = host.describe();
        assert_eq!(about.format, format, "{name}");
        assert_eq!(about.host_name.as_ref().map(|host| host.name.as_str()), host_name, "{name}");
        assert!(about.containers.iter().any(|words| words.starts_with("zip")), "{name}");
        assert_eq!(ranked(host.as_ref()), expected, "{name}");
        for found in &host.find(&crate::support::collections::SYSTEM).found {
            let hash = host.recorded_hash(&found.path);
            let is_recorded = !matches!(format, "acquire collection" | "CyLR collection");
            assert_eq!(hash.is_some(), is_recorded, "{name}");
        }
    }
}

#[test]
fn an_encrypted_velociraptor_collection_opens_with_its_password() {
    let (inner, outer, outside) =
        (TempDir::new().unwrap(), TempDir::new().unwrap(), TempDir::new().unwrap());
    velociraptor(inner.path(), "WS01", &sample("compromised-workstation"), Fields::New);
    put(outer.path(), "data.zip", &zipped(inner.path(), None));
    put(outside.path(), "Collection.zip", &zipped(outer.path(), Some("infected")));
    let path = outside.path().join("Collection.zip");
    let said = refusal(&path);
    assert!(said.contains("velociraptor decrypt") && said.contains("--zip-password"), "{said}");
    let wrong = Options { archive_passwords: vec!["wrong".into()], ..Options::default() };
    assert!(evidence::open(std::slice::from_ref(&path), &wrong).hosts.is_empty());
    let right = Options { archive_passwords: vec!["infected".into()], ..Options::default() };
    let opened = evidence::open(&[path], &right);
    assert!(opened.errors.is_empty(), "{:?}", opened.errors);
    let host = opened.hosts.first().unwrap();
    assert_eq!(host.describe().format, "Velociraptor collection");
    assert_eq!(host.describe().containers.len(), 2);
    assert_eq!(ranked(host.as_ref()), expected("compromised-workstation"));
}
