//! What collectors hand over, read as they lay it out: the same answers as from the host's own folders.

use serde_json::json;
use svctriage::diagnostic::Impact;
use svctriage::evidence::{EvidencePath, TimeSource};
use tempfile::TempDir;

use crate::support::collections::{
    Fields, Files, HIVE, LOGS, NO_SNAPSHOT, SYSMON, SYSTEM, copy_log, encoded, expected, found,
    hive, hosts, kape, md5, only, only_host, orc, plain, put, ranked, refusal, sample, sha1,
    sha256, told, uploads, velociraptor, without_holes,
};

#[test]
fn a_velociraptor_collection_ranks_as_its_host_does() {
    for name in ["compromised-workstation", "clean-noisy-host"] {
        let (files, expected) = (sample(name), expected(name));
        for fields in [Fields::Old, Fields::New] {
            let root = TempDir::new().unwrap();
            velociraptor(root.path(), "WS-01", &files, fields);
            let host = only_host(root.path());
            let about = host.describe();
            assert_eq!(about.format, "Velociraptor collection");
            assert_eq!(about.host_name.as_ref().unwrap().name, "WS-01");
            assert_eq!(about.host_name.as_ref().unwrap().source, "client_info.json");
            assert!(about.diagnostics.is_empty(), "{:?}", about.diagnostics);
            assert_eq!(ranked(host.as_ref()), expected, "{name}");

            let path = EvidencePath::new("uploads/auto/C%3A/Windows/System32/config/SYSTEM");
            let bytes = &only(&files, "config/SYSTEM")[0].1;
            let recorded = host.recorded_hash(&path).unwrap();
            assert_eq!(recorded.sha256.as_deref(), Some(sha256(bytes).as_str()));
            assert_eq!(recorded.md5.is_some(), fields == Fields::New);
            let times = host.metadata(&path).unwrap().times;
            let [times] = &times[..] else { panic!("{times:?}") };
            assert_eq!(times.source, TimeSource::Collector);
            assert_eq!(times.created.unwrap().to_string(), "2023-05-01T10:00:00.1234567Z");
            assert_eq!(times.modified.unwrap().to_string(), "2023-05-02T10:00:00Z");
            assert_eq!(times.changed, None);
        }
    }
}

#[test]
fn names_are_decoded_once_and_cited_as_stored() {
    let root = TempDir::new().unwrap();
    let files = sample("compromised-workstation");
    velociraptor(root.path(), "WS-01", &files, Fields::Old);
    let stored = "Microsoft-Windows-Sysmon%254Operational.evtx";
    let host = only_host(root.path());
    let listing = host.find(&SYSMON);
    assert_eq!(listing.found.len(), 1);
    assert_eq!(listing.found[0].path.name(), stored);
    assert_eq!(host.find(&LOGS).found.len(), 3);
}

#[test]
fn what_was_stored_without_holes_is_read_with_them() {
    let expected = expected("compromised-workstation");
    for old in [false, true] {
        let root = TempDir::new().unwrap();
        let mut files = sample("compromised-workstation");
        // A hole that Windows would leave at the end of a log.
        for (path, bytes) in &mut files {
            if path.ends_with("System.evtx") {
                bytes.resize(bytes.len() + 65536, 0);
            }
        }
        let mut stored = Files::new();
        let mut saved = 0;
        for (path, bytes) in &files {
            let (compact, index) = without_holes(bytes, old);
            saved += bytes.len() - compact.len();
            stored.push((path.clone(), compact));
            stored.push((format!("{path}.idx"), index.into_bytes()));
        }
        assert!(saved >= 65536);
        velociraptor(root.path(), "WS-01", &stored, Fields::New);
        let host = only_host(root.path());
        assert_eq!(ranked(host.as_ref()), expected);
        for found in host.find(&LOGS).found {
            let original = files
                .iter()
                .find(|(path, _)| encoded(path.rsplit('/').next().unwrap()) == found.path.name());
            assert_eq!(found.size, u64::try_from(original.unwrap().1.len()).unwrap());
            assert_eq!(host.recorded_hash(&found.path), None, "that hash is of other bytes");
        }
        assert_eq!(told(host.as_ref(), "without their holes").impact, Impact::Note);
    }
}

#[test]
fn an_index_that_cannot_be_right_costs_its_file_only() {
    for index in [
        r#"{"ranges":[{"length":9223372036854775807,"file_length":1}]}"#,
        r#"{"ranges":[{"length":4096,"file_length":4096},{"original_offset":1,"length":5}]}"#,
        "garbage",
        "",
    ] {
        let root = TempDir::new().unwrap();
        let stored = "uploads/auto/C%3A/Windows/System32/config";
        put(root.path(), &format!("{stored}/SYSTEM"), &hive(1));
        put(root.path(), &format!("{stored}/SYSTEM.idx"), index.as_bytes());
        put(root.path(), &format!("{stored}/RegBack/SYSTEM"), &hive(2));
        let host = only_host(root.path());
        let listing = host.find(&SYSTEM);
        assert_eq!(listing.found.len(), 1, "{index}");
        assert_eq!(listing.found[0].history.as_deref(), Some("RegBack"));
        assert_eq!(listing.diagnostics.len(), 1);
        assert_eq!(listing.diagnostics[0].impact, Impact::Lost);
        assert!(listing.diagnostics[0].message.contains(".idx"), "{:?}", listing.diagnostics);
    }
}

#[test]
fn several_accessors_of_a_drive_are_one_host_in_layers() {
    let root = TempDir::new().unwrap();
    let both = |mark| vec![(HIVE.to_owned(), hive(mark))];
    let log =
        |name: &str| (format!("Windows/System32/winevt/Logs/{name}.evtx"), b"ElfFile\0".to_vec());
    let mut record = uploads(root.path(), "auto", "C:", &both(1), Fields::Old);
    let mut second = both(2);
    second.push(log("System"));
    second.push(("Windows/System32/config/RegBack/SYSTEM".into(), hive(3)));
    record += &uploads(root.path(), "ntfs", r"\\.\C:", &second, Fields::Old);
    record += &uploads(root.path(), "ntfs_vss", r"\\.\C:", &vec![log("Security")], Fields::Old);
    let shadow = r"\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy3";
    record += &uploads(root.path(), "ntfs_vss", shadow, &both(4), Fields::New);
    put(root.path(), "uploads.json", record.as_bytes());
    let host = only_host(root.path());
    let at = |accessor: &str, volume: &str, path: &str| {
        format!("uploads/{accessor}/{}/Windows/System32/{path}", encoded(volume))
    };
    assert_eq!(
        found(host.as_ref(), &SYSTEM),
        [
            (at("auto", "C:", "config/SYSTEM"), None, 1),
            (
                at("ntfs_vss", shadow, "config/SYSTEM"),
                Some("HarddiskVolumeShadowCopy3".to_owned()),
                4
            ),
            (at("ntfs", r"\\.\C:", "config/RegBack/SYSTEM"), Some("RegBack".to_owned()), 3),
        ]
    );
    let logs: Vec<String> = found(host.as_ref(), &LOGS).into_iter().map(|one| one.0).collect();
    let expected = [
        at("ntfs", r"\\.\C:", "winevt/Logs/System.evtx"),
        at("ntfs_vss", r"\\.\C:", "winevt/Logs/Security.evtx"),
    ];
    assert_eq!(logs, expected, "a shadow copy is never the current state, the live volume is");
    assert!(host.describe().diagnostics.is_empty(), "{:?}", host.describe().diagnostics);
}

#[test]
fn two_drives_with_windows_are_two_hosts_and_a_drive_without_is_none() {
    let root = TempDir::new().unwrap();
    let files = vec![(HIVE.to_owned(), hive(1))];
    let mut record = uploads(root.path(), "auto", "C:", &files, Fields::Old);
    record += &uploads(root.path(), "auto", "D:", &files, Fields::Old);
    record +=
        &uploads(root.path(), "auto", "E:", &vec![("data/x".into(), b"x".to_vec())], Fields::Old);
    let shadow = r"\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy1";
    record += &uploads(root.path(), "ntfs", shadow, &files, Fields::Old);
    put(root.path(), "uploads.json", record.as_bytes());
    let hosts_of = hosts(root.path());
    let paths: Vec<&str> =
        hosts_of.iter().map(|host| host.describe().path.rsplit_once('/').unwrap().1).collect();
    assert_eq!(paths, ["C%3A", "D%3A"]);
    assert_eq!(hosts_of[0].describe().windows.len(), 2);
    assert_eq!(told(hosts_of[0].as_ref(), "of which drive").impact, Impact::Note);

    let kape_root = TempDir::new().unwrap();
    plain(kape_root.path(), "C", &files);
    plain(kape_root.path(), "D", &files);
    put(kape_root.path(), "E/data/x", b"x");
    put(kape_root.path(), "x_CopyLog.csv", copy_log(&files).as_bytes());
    assert_eq!(hosts(kape_root.path()).len(), 2);
}

#[test]
fn a_hunt_is_one_host_for_each_folder() {
    let root = TempDir::new().unwrap();
    put(root.path(), "hunt_info.json", b"{}");
    put(root.path(), "results/All Windows.Triage.Targets.json", b"{}");
    let names = ["compromised-workstation", "clean-noisy-host"];
    for (host, name) in ["WS-01-C.00112233aabbccdd", "WS-02-C.99112233aabbccdd"].iter().zip(names) {
        let record = uploads(&root.path().join(host), "auto", "C:", &sample(name), Fields::New);
        put(root.path(), &format!("{host}/uploads.json"), record.as_bytes());
    }
    put(root.path(), "WS-03-C.55112233aabbccdd/collection_context.json", b"{}");
    put(root.path(), "WS-03-C.55112233aabbccdd/client_info.json", b"{}");
    let hosts = hosts(root.path());
    assert_eq!(hosts.len(), 2);
    for (at, (host, name)) in hosts.iter().zip(names).enumerate() {
        let described = host.describe();
        assert_eq!(described.host_name.as_ref().unwrap().name, format!("WS-0{}", at + 1));
        assert!(described.path.ends_with("ccdd"), "{}", described.path);
        assert_eq!(ranked(host.as_ref()), expected(name));
    }
    let refused = told(hosts[0].as_ref(), "another collection beside this one is not read");
    assert_eq!(refused.impact, Impact::Lost);
    assert!(refused.message.contains("WS-03"), "{}", refused.message);
    assert!(hosts[1].describe().diagnostics.is_empty());
}

#[test]
fn a_kape_collection_ranks_as_its_host_does() {
    let files = sample("compromised-workstation");
    let root = TempDir::new().unwrap();
    kape(root.path(), &files);
    let host = only_host(root.path());
    assert_eq!(host.describe().format, "KAPE collection");
    assert_eq!(ranked(host.as_ref()), expected("compromised-workstation"));
    for (path, bytes) in &files {
        let path = EvidencePath::new(&format!("C/{path}"));
        let recorded = host.recorded_hash(&path).unwrap();
        assert_eq!(recorded.sha1.as_deref(), Some(sha1(bytes).as_str()));
        assert_eq!(recorded.source, "2026-01-02T03_04_05_1234567_CopyLog.csv");
        let times = host.metadata(&path).unwrap().times;
        assert_eq!(times[0].modified.unwrap().to_string(), "2023-05-02T10:00:00.1234567Z");
    }
    let skipped = told(host.as_ref(), "did not copy 3 files");
    assert_eq!((skipped.impact, host.describe().diagnostics.len()), (Impact::Note, 1));
    assert!(skipped.message.ends_with("2 Deduped, 1 Excluded"), "{}", skipped.message);

    // Bytes that are not those that were copied.
    put(root.path(), &format!("C/{HIVE}"), &hive(1));
    let host = only_host(root.path());
    let recorded = host.recorded_hash(&EvidencePath::new(&format!("C/{HIVE}"))).unwrap();
    assert_ne!(recorded.sha1.as_deref(), Some(sha1(&hive(1)).as_str()));
}

#[test]
fn what_kape_renamed_and_what_is_older_has_its_place() {
    let root = TempDir::new().unwrap();
    let files = vec![(HIVE.to_owned(), hive(1))];
    plain(root.path(), "C", &files);
    for (older, mark) in [("VSS1/Windows", 2), ("VSS2/Windows", 3), ("C/Windows.old/Windows", 4)] {
        put(root.path(), &format!("{older}/System32/config/SYSTEM"), &hive(mark));
    }
    let id = "0a1b2c3d-0000-1111-2222-333344445555";
    put(root.path(), &format!("LongFileNames/{id}.evtx"), b"ElfFile\0");
    let note = b"C\\Windows\\System32\\winevt\\Logs\\Long name.evtx\r\n";
    put(root.path(), &format!("LongFileNames/{id}_OriginalPathInfo.txt"), note);
    for (other, path) in
        [("ff", "C\\..\\..\\x.evtx"), ("ee", "C\\Windows\\System32\\config\\SYSTEM")]
    {
        put(root.path(), &format!("LongFileNames/{other}.bin"), b"x");
        put(root.path(), &format!("LongFileNames/{other}_OriginalPathInfo.txt"), path.as_bytes());
    }
    let mut log = copy_log(&files);
    log += &copy_log(&vec![("Windows/gone.exe".into(), b"gone".to_vec())]).replace('\u{feff}', "");
    log += "t,C:\\Windows\\Logs\\a,D:\\cases\\tout\\LongFileNames\\0A1B2C3D-0000-1111-2222-333344445555.evtx,8,";
    log += &sha1(b"ElfFile\0");
    log += ",True,,,,\r\nshort,row\r\n";
    put(root.path(), "1_CopyLog.csv", log.as_bytes());
    let host = only_host(root.path());
    let marks: Vec<(Option<String>, u8)> =
        found(host.as_ref(), &SYSTEM).into_iter().map(|one| (one.1, one.2)).collect();
    let older = |label: &str, mark| (Some(label.to_owned()), mark);
    let expected = [(None, 1), older("VSS1", 2), older("VSS2", 3), older("Windows.old", 4)];
    assert_eq!(marks, expected);
    let logs = host.find(&LOGS).found;
    let path = EvidencePath::new(&format!("LongFileNames/{id}.evtx"));
    assert_eq!(logs.iter().map(|log| &log.path).collect::<Vec<_>>(), [&path]);
    assert!(host.recorded_hash(&path).is_some());
    assert!(told(host.as_ref(), "1 files listed there").message.contains("GONE.EXE"));
    assert_eq!(told(host.as_ref(), "2 files with long names").artifact, "LongFileNames");
    // The second heading and the short row.
    assert!(told(host.as_ref(), "cannot be used").message.starts_with("2 lines"));
}

#[test]
fn collections_side_by_side_are_hosts_of_their_own() {
    let root = TempDir::new().unwrap();
    let files = vec![(HIVE.to_owned(), hive(1))];
    kape(&root.path().join("case/FS01"), &files);
    velociraptor(&root.path().join("case/FS02"), "FS02", &files, Fields::Old);
    plain(root.path(), "FS03/C", &files);
    put(root.path(), "FS04/[root]/etc/passwd", b"root");
    put(root.path(), "FS04/uac.log", b"");
    let hosts = hosts(root.path());
    let described: Vec<(&str, &str)> = hosts
        .iter()
        .map(|host| host.describe())
        .map(|about| (about.format, about.path.rsplit_once("FS").unwrap().1))
        .collect();
    let expected = [
        ("KAPE collection", "01"),
        ("Velociraptor collection", "02"),
        ("Windows folder tree", "03"),
    ];
    assert_eq!(described, expected);
    assert!(told(hosts[0].as_ref(), "Unix collection").message.contains("FS04"));
}

#[test]
fn acquire_tanium_and_cylr_rank_as_their_host_does() {
    let files = sample("compromised-workstation");
    let expected = expected("compromised-workstation");
    for (name, below, beside, format, host_name) in [
        ("WS_01_20260102030405", "fs/C:", "fs/D:/data/x", "acquire collection", Some("WS_01")),
        ("a", "fs/$fs$/fs0", "fs/$fs$/fs1/x", "acquire collection", None),
        ("WS_20260102030405", "fs/sysvol", "fs/C:/pagefile.sys", "acquire collection", Some("WS")),
        ("b", "sysvol", "log.txt", "acquire collection", None),
        ("c", "fs/$rootfs$", "x", "acquire collection", None),
        (
            "2026-01-02T03-04-05-WS01",
            "file/C",
            "collector/processes.txt",
            "Tanium collection",
            Some("WS01"),
        ),
        (
            "WS01",
            "C",
            "CyLR_Collection_Log_2026-01-02_03-04-05.log",
            "CyLR collection",
            Some("WS01"),
        ),
    ] {
        let root = TempDir::new().unwrap();
        let top = root.path().join(name);
        plain(&top, below, &files);
        put(&top, beside, b"x");
        let host = only_host(&top);
        let about = host.describe();
        assert_eq!(about.format, format, "{name}");
        assert_eq!(about.host_name.as_ref().map(|host| host.name.as_str()), host_name, "{name}");
        assert!(about.diagnostics.is_empty(), "{name}: {:?}", about.diagnostics);
        assert_eq!(ranked(host.as_ref()), expected, "{name}");
    }
    let root = TempDir::new().unwrap();
    for (drive, mark) in [("C:", 1), ("D:", 2)] {
        put(root.path(), &format!("fs/{drive}/{HIVE}"), &hive(mark));
    }
    assert_eq!(hosts(root.path()).len(), 2);
}

#[test]
fn an_orc_collection_ranks_as_its_host_does() {
    let files = sample("compromised-workstation");
    let expected = expected("compromised-workstation");
    for is_utf16 in [false, true] {
        let root = TempDir::new().unwrap();
        let older = "{0A1B2C3D-0000-1111-2222-333344445555}";
        orc(root.path(), "SystemHives", &only(&files, "config"), NO_SNAPSHOT, is_utf16);
        orc(root.path(), "Event", &only(&files, "winevt"), NO_SNAPSHOT, is_utf16);
        orc(root.path(), "SystemHives_vss", &vec![(HIVE.to_owned(), hive(7))], older, is_utf16);
        let host = only_host(root.path());
        let about = host.describe();
        assert_eq!(about.format, "DFIR-ORC collection");
        let host_name = about.host_name.as_ref().unwrap();
        assert_eq!((host_name.name.as_str(), host_name.source.as_str()), ("WS-ORC", "GetThis.csv"));
        assert!(about.diagnostics.is_empty(), "{:?}", about.diagnostics);
        assert_eq!(ranked(host.as_ref()), expected);
        let hives = host.find(&SYSTEM).found;
        let labels: Vec<Option<&str>> = hives.iter().map(|one| one.history.as_deref()).collect();
        assert_eq!(labels, [None, Some("shadow copy 0A1B2C3D-0000-1111-2222-333344445555")]);
        assert!(hives[0].path.as_str().starts_with("SystemHives/samples/36DA"), "as stored");
        let bytes = &only(&files, "config/SYSTEM")[0].1;
        let recorded = host.recorded_hash(&hives[0].path).unwrap();
        assert_eq!(recorded.sha256.as_deref(), Some(sha256(bytes).as_str()));
        assert_eq!(recorded.sha1.as_deref(), Some(sha1(bytes).as_str()));
        assert_eq!(recorded.md5.as_deref(), Some(md5(bytes).as_str()));
        let times = host.metadata(&hives[0].path).unwrap().times;
        let sources: Vec<&TimeSource> = times.iter().map(|times| &times.source).collect();
        assert_eq!(sources, [&TimeSource::Collector, &TimeSource::FileName("SYSTEM".into())]);
        let logs = host.beside(&hives[0].path, &[".LOG1", ".LOG2"]).found;
        assert_eq!(logs.len(), 2, "the logs of the hive lie beside it on the host only");
    }
}

#[test]
fn what_holds_no_services_is_refused_with_a_sentence() {
    for (files, words) in [
        (&["[root]/etc/passwd", "uac.log"][..], "a Unix collection (UAC)"),
        (&["data.zip", "metadata.json"], "velociraptor decrypt"),
        (&["data.zip"], "--zip-password"),
        (&["collection_context.json", "requests.json", "results/a.json"], "without uploaded files"),
        (&["uploads.json", "results/a.json"], "without uploaded files"),
        (&["uploads.json", "uploads/auto/etc/passwd"], "neither a Windows folder"),
        (&["hunt_info.json", "results/a.json"], "without the folder of a host"),
        (&["DFIR-ORC_WorkStation_WS_General/Event.7z"], "no archive can be opened"),
        (&["JobStatistics.csv", "Event.7z"], "no archive can be opened"),
    ] {
        let root = TempDir::new().unwrap();
        for file in files {
            let metadata = br#"[{"Scheme":"X509","EncryptedPass":"AAAA"}]"#;
            put(root.path(), file, if *file == "metadata.json" { metadata } else { b"x" });
        }
        let said = refusal(root.path());
        assert!(said.contains(words), "{files:?}: {said}");
    }
}

#[test]
fn the_folder_of_the_uploads_is_enough() {
    let root = TempDir::new().unwrap();
    let files = sample("compromised-workstation");
    velociraptor(root.path(), "WS-01", &files, Fields::Old);
    let host = only_host(&root.path().join("uploads"));
    assert_eq!(host.describe().format, "Velociraptor collection");
    assert_eq!(ranked(host.as_ref()), expected("compromised-workstation"));
    assert_eq!(host.find(&SYSMON).found.len(), 1);
}

/// A name too long for a zip is stored as another; the record says what it was.
#[test]
fn the_record_says_what_a_stored_name_was() {
    let root = TempDir::new().unwrap();
    let logs = "uploads/auto/C%3A/Windows/System32/winevt/Logs";
    put(root.path(), &format!("{logs}/#0123abcd"), b"ElfFile\0");
    put(root.path(), "uploads/auto/C%3A/#99", &hive(5));
    let line = |names: &[&str], stored: &str| {
        let mut all = vec!["uploads", "auto", "C:", "Windows", "System32"];
        all.extend(names);
        json!({ "Components": all, "StoredName": format!("/{stored}") }).to_string()
    };
    let record = [
        line(&["winevt", "Logs", "A%4B.evtx"], &format!("{logs}/#0123abcd")),
        line(&["config", "SYSTEM"], "uploads/auto/C%3A/#99"),
    ];
    put(root.path(), "uploads.json", record.join("\n").as_bytes());
    let host = only_host(root.path());
    assert!(host.describe().diagnostics.is_empty(), "{:?}", host.describe().diagnostics);
    let logs_found = host.find(&LOGS).found;
    assert_eq!(logs_found[0].path.as_str(), format!("{logs}/#0123abcd"));
    let hives = found(host.as_ref(), &SYSTEM);
    assert_eq!(hives, [("uploads/auto/C%3A/#99".to_owned(), None, 5)]);
    assert!(host.describe().diagnostics.is_empty());
}
