//! Hostile records of collectors and planted collections: they cost nothing but themselves.

use std::path::Path;

use serde_json::json;
use tempfile::TempDir;

use crate::support::Numbers;
use crate::support::collections::{
    Fields, Files, HIVE, NO_SNAPSHOT, SYSTEM, found, hive, hosts, kape, only_host, open, orc, put,
    told, velociraptor, without_holes,
};

/// Whoever could write to the host's drive must not be able to hide its Windows folder behind a collection.
#[test]
fn a_collection_planted_on_a_volume_is_no_collection() {
    let root = TempDir::new().unwrap();
    put(root.path(), HIVE, &hive(1));
    put(root.path(), "uploads.json", b"{}");
    for planted in ["uploads/auto/C%3A", "Temp/uploads/auto/C%3A", "fs/C:"] {
        put(root.path(), &format!("{planted}/{HIVE}"), &hive(9));
    }
    put(root.path(), "x_CopyLog.csv", b"SourceFile\n");
    put(root.path(), "GetThis.csv", b"FullName,SampleName\n");
    put(root.path(), "hunt_info.json", b"{}");
    put(root.path(), "[root]/x", b"");
    put(root.path(), "uac.log", b"");
    let marks: Vec<u8> = hosts(root.path())
        .iter()
        .flat_map(|host| found(host.as_ref(), &SYSTEM))
        .map(|one| one.2)
        .collect();
    assert_eq!(marks, [1]);
}

#[test]
fn a_hostile_record_costs_nothing_but_itself() {
    let stored = "uploads/auto/C%3A/Windows/System32/config/SYSTEM";
    let components = |last: &[&str]| {
        let mut all = vec!["uploads", "auto", "C:"];
        all.extend(last);
        json!({ "_Components": all, "StoredName": format!("/{stored}") }).to_string()
    };
    let millions = json!({ "_Components": vec!["a"; 2_000_000] }).to_string();
    let many = vec!["a"; 100_000];
    for (line, is_said) in [
        (format!("{{\"vfs_path\":\"{}\"}}", "x".repeat(10 << 20)), "1 lines"),
        (millions, "1 lines"),
        (components(&many), "could not be shown"),
        (components(&["..", "..", "x"]), "could not be shown"),
        (components(&["a/../../x"]), "could not be shown"),
        (components(&["a\\..\\x"]), "could not be shown"),
        (components(&["", "x"]), "could not be shown"),
        (components(&["x\0y"]), "could not be shown"),
        (r#"{"StoredName":"/uploads/../../../etc/passwd"}"#.into(), "not in the collection"),
        (r#"{"vfs_path":"/etc/passwd"}"#.into(), "not in the collection"),
        (r#"{"_Components":["..","..","etc","passwd"]}"#.into(), "not in the collection"),
        (r#"{"_Components":[1]}"#.into(), "1 lines"),
        (format!("{{\"x\":{}", "[".repeat(1_000_000)), "1 lines"),
        ("\u{1b}[31m".into(), "1 lines"),
    ] {
        let root = TempDir::new().unwrap();
        put(root.path(), stored, &hive(1));
        put(root.path(), "uploads.json", format!("{line}\n").as_bytes());
        let host = only_host(root.path());
        let start: String = line.chars().take(60).collect();
        assert_eq!(found(host.as_ref(), &SYSTEM), [(stored.to_owned(), None, 1)], "{start}");
        let told = told(host.as_ref(), is_said);
        assert!(told.message.len() < 1000, "{start}");
        assert_eq!(host.describe().diagnostics.len(), 1, "{start}");
    }
    // A name that is another's: the file keeps its place, the record is not believed.
    let root = TempDir::new().unwrap();
    put(root.path(), stored, &hive(1));
    put(root.path(), "uploads/auto/C%3A/Temp/x", &hive(2));
    let line = json!({
        "_Components": ["uploads", "auto", "C:", "Windows", "System32", "config", "SYSTEM"],
        "StoredName": "/uploads/auto/C%3A/Temp/x",
    });
    put(root.path(), "uploads.json", format!("{line}\n{line}\n").as_bytes());
    let host = only_host(root.path());
    assert_eq!(found(host.as_ref(), &SYSTEM), [(stored.to_owned(), None, 1)]);
    assert!(told(host.as_ref(), "could not be shown").message.starts_with("2 files"));
}

#[test]
fn mutated_records_make_no_panic_and_lose_no_hive() {
    type Lay = fn(&Path, &Files);
    let files = vec![(HIVE.to_owned(), hive(1))];
    let mut numbers = Numbers(7);
    let (mut count, mut kept) = (0, 0);
    let velociraptor: Lay = |root, files| velociraptor(root, "H", files, Fields::New);
    let with_holes: Lay = |root, files| {
        let (stored, index) = without_holes(&files[0].1, false);
        let files =
            vec![(files[0].0.clone(), stored), (format!("{}.idx", files[0].0), index.into())];
        self::velociraptor(root, "H", &files, Fields::Old);
    };
    let narrow: Lay = |root, files| orc(root, "a", files, NO_SNAPSHOT, false);
    let wide: Lay = |root, files| orc(root, "a", files, NO_SNAPSHOT, true);
    let layouts: [(Lay, &[&str]); 5] = [
        (
            velociraptor,
            &["uploads.json", "client_info.json", "results/Windows.Triage.Targets%2FUploads.json"],
        ),
        (with_holes, &["uploads/auto/C%3A/Windows/System32/config/SYSTEM.idx"]),
        (
            |root, files| kape(root, files),
            &[
                "2026-01-02T03_04_05_1234567_CopyLog.csv",
                "2026-01-02T03_04_05_1234567_SkipLog.csv.csv",
            ],
        ),
        (narrow, &["a/GetThis.csv"]),
        (wide, &["a/GetThis.csv"]),
    ];
    for (lay, records) in layouts {
        let root = TempDir::new().unwrap();
        lay(root.path(), &files);
        for record in records {
            #[expect(clippy::disallowed_methods, reason = "the test's own file")]
            let original = std::fs::read(root.path().join(record)).unwrap();
            for _ in 0..130 {
                let mut bytes = original.clone();
                for _ in 0..=numbers.below(6) {
                    let at = numbers.below(bytes.len());
                    match numbers.below(4) {
                        0 => bytes[at] = u8::try_from(numbers.below(256)).unwrap(),
                        1 => bytes.truncate(at.max(1)),
                        2 => bytes.insert(at, b"\",{}[]\\\n%/."[numbers.below(11)]),
                        _ => drop(bytes.remove(at)),
                    }
                    if bytes.is_empty() {
                        bytes.push(b'{');
                    }
                }
                put(root.path(), record, &bytes);
                count += 1;
                for host in open(root.path()).hosts {
                    let listing = host.find(&SYSTEM);
                    kept += listing.found.len();
                    let told = host.describe().diagnostics.len() + listing.diagnostics.len();
                    assert!(!listing.found.is_empty() || told > 0, "a silent loss");
                    for found in listing.found {
                        drop(host.metadata(&found.path));
                    }
                }
            }
            put(root.path(), record, &original);
        }
    }
    assert!(count >= 1000, "{count}");
    assert!(kept > count / 2, "{kept} of {count}");
}
