//! A host's files laid out as collectors lay them out, and what is read of them.

#![expect(clippy::disallowed_methods, reason = "the tests make their own evidence")]
#![expect(clippy::indexing_slicing, reason = "the bytes are the tests' own")]
#![expect(clippy::unwrap_used, reason = "a test that cannot make its evidence must fail")]

use std::fmt::Write as _;
use std::fs;
use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;

use serde_json::json;
use sha1::Digest as _;
use svctriage::diagnostic::Diagnostic;
use svctriage::evidence::{self, Evidence, EvidencePath, Magic, Opened, Options, Pattern, Place};
use svctriage::report::HostReport;
use svctriage::scan::scan;
use zip::write::SimpleFileOptions;

use super::scan::settings;

/// Files of a host: their path below the root of its drive, and their bytes.
pub(crate) type Files = Vec<(String, Vec<u8>)>;

/// The evidence of a sample, which is laid out as the root of a drive.
pub(crate) fn sample(name: &str) -> Files {
    below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name).join("evidence"))
}

/// Every file below a folder, sorted.
fn below(root: &Path) -> Files {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let below = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                files.push((below, fs::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

/// The files whose path contains a word.
pub(crate) fn only(files: &Files, word: &str) -> Files {
    files.iter().filter(|(path, _)| path.contains(word)).cloned().collect()
}

pub(crate) fn put(root: &Path, path: &str, bytes: &[u8]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Every file below a folder.
pub(crate) fn plain(root: &Path, below: &str, files: &Files) {
    for (path, bytes) in files {
        put(root, &format!("{below}/{path}"), bytes);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&sha2::Sha256::digest(bytes))
}

pub(crate) fn sha1(bytes: &[u8]) -> String {
    hex(&sha1::Sha1::digest(bytes))
}

pub(crate) fn md5(bytes: &[u8]) -> String {
    hex(&md5::Md5::digest(bytes))
}

/// A name as Velociraptor stores it.
pub(crate) fn encoded(name: &str) -> String {
    let last = name.chars().count().saturating_sub(1);
    name.chars().enumerate().fold(String::new(), |mut text, (at, c)| {
        let at_an_end = at == 0 || at == last && last > 0;
        if "?\"*:|<>%/\\".contains(c) || at_an_end && matches!(c, '.' | ' ') {
            write!(text, "%{:02X}", u32::from(c)).unwrap();
        } else {
            text.push(c);
        }
        text
    })
}

/// Which fields `uploads.json` has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fields {
    /// `vfs_path`, `_Components`.
    Old,
    /// `StoredName`, `Components` and hashes.
    New,
}

/// Uploads files as Velociraptor does; returns what `uploads.json` says of them.
pub(crate) fn uploads(
    root: &Path,
    accessor: &str,
    volume: &str,
    files: &Files,
    fields: Fields,
) -> String {
    let mut record = String::new();
    for (path, bytes) in files {
        let mut components = vec!["uploads", accessor, volume];
        components.extend(path.split('/'));
        let stored: Vec<String> = components.iter().map(|name| encoded(name)).collect();
        let stored = stored.join("/");
        put(root, &stored, bytes);
        let source = format!("{volume}\\{}", path.replace('/', "\\"));
        let line = match fields {
            Fields::Old => json!({
                "Timestamp": "2026-01-02T03:04:05Z", "started": "2026-01-02 03:04:05 +0000 UTC",
                "vfs_path": source, "_Components": components,
                "file_size": bytes.len(), "uploaded_size": bytes.len(), "Type": "",
            }),
            Fields::New => json!({
                "Path": source, "Size": bytes.len(), "StoredSize": bytes.len(),
                "sha256": sha256(bytes), "md5": md5(bytes),
                "StoredName": format!("/{stored}"), "Components": components,
            }),
        };
        writeln!(record, "{line}").unwrap();
    }
    record
}

/// A whole offline collection of Velociraptor.
pub(crate) fn velociraptor(root: &Path, host: &str, files: &Files, fields: Fields) {
    let record = uploads(root, "auto", "C:", files, fields);
    put(root, "uploads.json", record.as_bytes());
    let info = json!({ "Hostname": host, "Fqdn": format!("{host}.example") });
    put(root, "client_info.json", info.to_string().as_bytes());
    put(root, "collection_context.json", b"{}");
    let rows: Vec<String> = files
        .iter()
        .map(|(path, bytes)| {
            let row = json!({
                "SourceFile": format!("C:\\{}", path.replace('/', "\\")),
                "Created": "2023-05-01T10:00:00.1234567Z", "Modified": "2023-05-02T10:00:00Z",
                "LastAccessed": "2023-05-03T10:00:00Z", "Changed": "0001-01-01T00:00:00Z",
                "SourceFileSha256": sha256(bytes),
            });
            row.to_string()
        })
        .collect();
    let rows = rows.join("\n");
    let results = "results/Windows.Triage.Targets%2F";
    put(root, &format!("{results}All Matches Metadata.json"), rows.as_bytes());
    put(root, &format!("{results}Uploads.json"), rows.as_bytes());
}

/// What Velociraptor stores of a file with holes: its pages that are not zero, and the index of both.
pub(crate) fn without_holes(bytes: &[u8], old: bool) -> (Vec<u8>, String) {
    let (mut stored, mut ranges, mut at) = (Vec::new(), Vec::new(), 0);
    for page in bytes.chunks(4096) {
        let is_hole = page.iter().all(|byte| *byte == 0);
        let length = if is_hole { 0 } else { page.len() };
        ranges.push(json!({
            "original_offset": at, "length": page.len(),
            "file_offset": stored.len(), "file_length": length,
        }));
        if !is_hole {
            stored.extend_from_slice(page);
        }
        at += page.len();
    }
    let index = if old {
        let lines: Vec<String> = ranges.iter().map(ToString::to_string).collect();
        lines.join("\n")
    } else {
        json!({ "ranges": ranges }).to_string()
    };
    (stored, index)
}

/// What KAPE's copy log says of files.
pub(crate) fn copy_log(files: &Files) -> String {
    let mut log = String::from(
        "\u{feff}CopiedTimestamp,SourceFile,DestinationFile,FileSize,SourceFileSha1,DeferredCopy,CreatedOnUtc,ModifiedOnUtc,LastAccessedOnUtc,CopyDuration\r\n",
    );
    for (path, bytes) in files {
        let path = path.replace('/', "\\");
        let time = "2023-05-02 10:00:00.1234567";
        let (size, sha1) = (bytes.len(), sha1(bytes).to_uppercase());
        write!(
            log,
            "{time},C:\\{path},D:\\cases\\tout\\C\\{path},{size},{sha1},True,{time},{time},{time},00:00:00.01\r\n"
        )
        .unwrap();
    }
    log
}

/// A whole target collection of KAPE.
pub(crate) fn kape(root: &Path, files: &Files) {
    plain(root, "C", files);
    put(root, "2026-01-02T03_04_05_1234567_CopyLog.csv", copy_log(files).as_bytes());
    let skipped = "SourceFile,SourceFileSha1,Reason\r\nC:\\a,00,Deduped\r\nC:\\b,01,Deduped\r\nC:\\c,02,Excluded\r\n";
    put(root, "2026-01-02T03_04_05_1234567_SkipLog.csv.csv", skipped.as_bytes());
}

/// What an archive of DFIR-ORC holds, unpacked into a folder.
pub(crate) fn orc(root: &Path, folder: &str, files: &Files, snapshot: &str, is_utf16: bool) {
    let mut record = String::from(
        "ComputerName,VolumeID,ParentFRN,FRN,FullName,SampleName,SizeInBytes,MD5,SHA1,FindMatch,ContentType,SampleCollectionDate,CreationDate,LastModificationDate,LastAccessDate,LastAttrChangeDate,FileNameCreationDate,FileNameLastModificationDate,FileNameLastAccessDate,FileNameLastAttrModificationDate,AttrType,AttrName,AttrID,SnapshotID,SHA256,SSDeep,TLSH,YaraRules\r\n",
    );
    for (number, (path, bytes)) in files.iter().enumerate() {
        let name = path.rsplit('/').next().unwrap().replace(' ', "_");
        let sample = format!("36DA2C4BDA2C0A27_10000000009E5_{number:X}_0_{name}_{snapshot}.data");
        put(root, &format!("{folder}/samples/{sample}"), bytes);
        let (full, time) = (path.replace('/', "\\"), "2014-10-13 11:05:06.667");
        let (md5, sha1, sha256) = (md5(bytes), sha1(bytes), sha256(bytes));
        write!(
            record,
            "\"WS-ORC\",0x36DA2C4BDA2C0A27,0x1,0x{number:016X},\"\\{full}\",\"samples\\{sample}\",{},{md5},{sha1},\"Name matches *\",\"data\",{time},{time},{time},{time},{time},{time},{time},{time},{time},\"$DATA\",,0,{snapshot},{sha256},,,\r\n",
            bytes.len()
        )
        .unwrap();
    }
    let bytes = if is_utf16 {
        let units = record.encode_utf16().flat_map(u16::to_le_bytes);
        [0xff, 0xfe].into_iter().chain(units).collect()
    } else {
        format!("\u{feff}{record}").into_bytes()
    };
    put(root, &format!("{folder}/GetThis.csv"), &bytes);
}

pub(crate) const SYSTEM: Pattern = Pattern {
    magic: Magic::Hive,
    places: &[
        Place::current("System32/config/SYSTEM"),
        Place::history("System32/config/RegBack/SYSTEM", "RegBack"),
    ],
};
pub(crate) const LOGS: Pattern =
    Pattern { magic: Magic::EventLog, places: &[Place::current("System32/winevt/Logs/*.evtx")] };
pub(crate) const SYSMON: Pattern = Pattern {
    magic: Magic::EventLog,
    places: &[Place::current("System32/winevt/Logs/Microsoft-Windows-Sysmon%4Operational.evtx")],
};
pub(crate) const HIVE: &str = "Windows/System32/config/SYSTEM";
pub(crate) const NO_SNAPSHOT: &str = "{00000000-0000-0000-0000-000000000000}";

pub(crate) fn open(path: &Path) -> Opened {
    evidence::open(&[path.to_owned()], &Options::default())
}

pub(crate) fn hosts(path: &Path) -> Vec<Box<dyn Evidence>> {
    let opened = open(path);
    assert!(opened.errors.is_empty(), "{:?}", opened.errors);
    opened.hosts
}

pub(crate) fn only_host(path: &Path) -> Box<dyn Evidence> {
    let mut hosts = hosts(path);
    assert_eq!(
        hosts.len(),
        1,
        "{:?}",
        hosts.iter().map(|host| host.describe()).collect::<Vec<_>>()
    );
    hosts.remove(0)
}

pub(crate) fn refusal(path: &Path) -> String {
    let opened = open(path);
    assert!(opened.hosts.is_empty());
    assert_eq!(opened.errors.len(), 1);
    opened.errors[0].to_string()
}

/// A service's name, verdict and score, and what each finding adds to it.
pub(crate) type Ranked = (String, String, i32, Vec<(String, i32)>);

/// The services in their order, with verdicts and decibans.
fn ranking(report: &HostReport) -> Vec<Ranked> {
    let ranked = report.services.iter().map(|one| {
        let findings = one.findings.iter().chain(&one.against);
        let findings = findings.map(|finding| (finding.id.clone(), finding.decibans)).collect();
        (one.name.clone(), format!("{:?}", one.verdict), one.score, findings)
    });
    ranked.collect()
}

pub(crate) fn ranked(host: &dyn Evidence) -> Vec<Ranked> {
    ranking(&scan(host, &settings(), &()))
}

/// The ranking of a sample as it is committed.
pub(crate) fn expected(name: &str) -> Vec<Ranked> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name).join("evidence");
    ranked(only_host(&path).as_ref())
}

/// A hive by its first bytes, which no other is.
pub(crate) fn hive(mark: u8) -> Vec<u8> {
    let mut bytes = b"regf".to_vec();
    bytes.resize(4096, 0);
    bytes[100] = mark;
    bytes
}

pub(crate) fn found(host: &dyn Evidence, pattern: &Pattern) -> Vec<(String, Option<String>, u8)> {
    let listing = host.find(pattern);
    assert!(listing.diagnostics.is_empty(), "{:?}", listing.diagnostics);
    let read = |path: &EvidencePath| {
        let mut bytes = Vec::new();
        host.open(path).unwrap().read_to_end(&mut bytes).unwrap();
        bytes.get(100).copied().unwrap_or_default()
    };
    let found = listing.found.iter();
    found.map(|one| (one.path.to_string(), one.history.clone(), read(&one.path))).collect()
}

pub(crate) fn told(host: &dyn Evidence, words: &str) -> Diagnostic {
    let diagnostics = &host.describe().diagnostics;
    let one = diagnostics.iter().find(|one| one.message.contains(words)).cloned();
    assert!(one.is_some(), "no {words} in {diagnostics:#?}");
    one.unwrap()
}

/// A zip archive of everything below a folder, encrypted with a password where there is one.
pub(crate) fn zipped(root: &Path, password: Option<&str>) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    for (path, bytes) in below(root) {
        match password {
            Some(password) => {
                let options = options.with_aes_encryption(zip::AesMode::Aes256, password);
                zip.start_file(path, options).unwrap();
            }
            None => zip.start_file(path, options).unwrap(),
        }
        zip.write_all(&bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}
