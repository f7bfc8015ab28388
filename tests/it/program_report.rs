//! The files behind services, from an NTFS volume to the report: for every service which file runs, whether it is there,
//! who signed it, when it was born, and what cannot be known.
//!
//! `tests/images/program_files.py` made the volume of the story in `support/program_story.rs`.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at a surprise; what it opens is its own"
)]

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use svctriage::evidence::{self, EvidencePath};
use svctriage::host::program_file::{FileState, SignatureStatus};
use svctriage::lab::File;
use svctriage::report::answers::Progress;
use svctriage::report::explain::explain_service;
use svctriage::report::file::{FileReport, ServiceFileReport};
use svctriage::report::{HostReport, Options, Report, ServiceReport, Settings, renderer};

use crate::report::assert_valid;
use crate::support::golden::assert_golden;
use crate::support::images::write_sparse;
use crate::support::pages::assert_harmless;
use crate::support::program_story::{files, program};
use crate::support::scan::{scan_one, settings};

/// The volume, unpacked.
struct Volume(#[expect(dead_code, reason = "keeps the folder")] tempfile::TempDir, PathBuf);

impl Volume {
    fn unpacked() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("files.raw");
        let packed = std::env::var_os("SVCTRIAGE_PROGRAM_FILES").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/images/program-files.ntfs.xz"),
            PathBuf::from,
        );
        let packed = fs::File::open(packed).unwrap();
        write_sparse(&mut lzma_rust2::XzReader::new(packed, false), &path);
        Self(folder, path)
    }

    fn scanned(&self) -> HostReport {
        let mut host = scan_one(&[&self.1]);
        // Where the image lies is not what is tested.
        "files.raw".clone_into(&mut host.evidence.path);
        host
    }
}

fn service<'a>(host: &'a HostReport, name: &str) -> &'a ServiceReport {
    let mut named = host.services.iter().filter(|service| service.name == name);
    named.next().unwrap_or_else(|| panic!("no {name}"))
}

fn link<'a>(host: &'a HostReport, name: &str, purpose: &str) -> &'a ServiceFileReport {
    let mut links = service(host, name).files.iter().filter(|link| link.purpose == purpose);
    links.next().unwrap_or_else(|| panic!("{name} has no {purpose}"))
}

fn file<'a>(host: &'a HostReport, path: &str) -> &'a FileReport {
    host.files.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("no {path}"))
}

/// Service, purpose, the file that runs, and whether it is there.
const FOUND: [(&str, &str, &str, FileState); 15] = {
    use FileState::{Missing, NotCollected, Present};
    [
        ("Compressed", "image", r"C:\Windows\System32\packed.exe", Present),
        ("Deleted", "image", r"C:\ProgramData\gone.exe", Missing),
        ("acmedrv", "image", r"C:\Windows\System32\drivers\acmedrv.sys", Present),
        ("Fallen", "image", r"C:\Users\Public\fallen.exe", Present),
        ("Hosted", "image", r"C:\Windows\System32\svchost.exe", Present),
        ("Hosted", "service_dll", r"C:\Windows\System32\acme.dll", Present),
        ("Intercepted", "image", r"C:\Acme.exe", Present),
        ("Elsewhere", "image", r"D:\Tools\x.exe", NotCollected),
        ("NotIntercepted", "image", r"C:\Contoso Data\svc.exe", Present),
        ("Quoted", "image", r"C:\Program Files\Acme\agent.exe", Present),
        ("Quoted", "failure_command", r"C:\Program Files\Acme\notify.exe", Missing),
        (
            "ShortNames",
            "image",
            r"C:\Program Files\long folder name\long program name.exe",
            Present,
        ),
        ("Stomped", "image", r"C:\Windows\System32\stomped.exe", Present),
        ("ThirtyTwoBit", "image", r"C:\Windows\SysWOW64\narrow.exe", Present),
        ("Writable", "image", r"C:\Acme Open\open.exe", Present),
    ]
};

#[test]
fn every_service_says_which_file_runs_and_whether_it_is_there() {
    let volume = Volume::unpacked();
    let host = volume.scanned();
    for (name, purpose, path, state) in FOUND {
        let link = link(&host, name, purpose);
        assert_eq!((link.path.as_str(), link.state), (path, state), "{name} {purpose}");
        let file = file(&host, path);
        assert_eq!(file.state, state, "{path}");
        let is_there = state == FileState::Present;
        assert_eq!(link.sha256.is_some(), is_there, "{path}: {file:?}");
        assert_eq!(link.born.is_some(), is_there, "{path}: {file:?}");
        if is_there {
            let bytes = program(path.rsplit('\\').next().unwrap());
            let expected = hex(&Sha256::digest(&bytes));
            assert_eq!(link.sha256.as_deref(), Some(expected.as_str()), "{path}");
            assert_eq!(file.size(), u64::try_from(bytes.len()).ok(), "{path}");
            let version = file.executable().unwrap().version.as_ref().unwrap();
            assert_eq!(version.company.as_deref(), Some("Acme Ltd"), "{path}");
        }
        // Without a catalog in the evidence nobody can say that a file is unsigned.
        assert_eq!(link.signature, SignatureStatus::Unknown, "{path}");
    }
    let mut paths: Vec<&str> = host.files.iter().map(|file| file.path.as_str()).collect();
    let count = paths.len();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths.len(), count, "two files of one path");
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

#[test]
fn the_volume_holds_the_story() {
    let volume = Volume::unpacked();
    let opened = evidence::open(std::slice::from_ref(&volume.1), &evidence::Options::default());
    let host = opened.hosts.first().unwrap();
    for File { path, bytes } in files() {
        let opened = host.open(&EvidencePath::new(&path));
        if path == "ProgramData/gone.exe" {
            assert!(opened.is_err(), "{path}");
            continue;
        }
        let mut read = Vec::new();
        opened.unwrap().read_to_end(&mut read).unwrap();
        assert!(read == bytes, "{path}");
    }
}

#[test]
fn what_is_special_about_a_file_is_told() {
    let volume = Volume::unpacked();
    let host = volume.scanned();
    let intercepted = link(&host, "Intercepted", "image");
    assert_eq!(intercepted.meant.as_deref(), Some(r"C:\Acme Data\Tool Set\svc.exe"));
    assert_eq!(link(&host, "NotIntercepted", "image").meant, None);
    let steps = link(&host, "ThirtyTwoBit", "image").steps.join("; ");
    assert!(steps.contains("SysWOW64"), "{steps}");

    let record = |path: &str| file(&host, path).record.as_ref().unwrap();
    let packed = record(r"C:\Windows\System32\packed.exe");
    assert_eq!(packed.storage, "compressed (CompactOS, LZX)");
    let fallen = record(r"C:\Users\Public\fallen.exe");
    let zone = fallen.zone.as_ref().unwrap();
    assert_eq!(zone.zone, Some(3));
    assert_eq!(zone.url.as_deref(), Some("http://203.0.113.45/fallen.exe"));
    let executable = file(&host, r"C:\Users\Public\fallen.exe").executable().unwrap();
    assert_eq!(executable.packer.as_deref(), Some("UPX"));
    assert_eq!(executable.pdb.as_deref(), Some(r"C:\Users\dev\fallen\Release\fallen.pdb"));

    let writers = |path: &str| record(path).access.as_ref().unwrap().writers.clone();
    assert_eq!(writers(r"C:\Program Files\Acme\agent.exe"), [""; 0]);
    let open = writers(r"C:\Acme Open\open.exe");
    assert!(open.iter().any(|who| who.eq_ignore_ascii_case("users")), "{open:?}");
    let gone = file(&host, r"C:\ProgramData\gone.exe");
    assert_eq!(gone.deleted.len(), 1, "{gone:?}");
    assert!(file(&host, r"C:\ProgramData\gone.exe").content.is_none());

    // What programs can set says 2010; the name was given when the volume was made.
    let stomped = file(&host, r"C:\Windows\System32\stomped.exe");
    let times = &stomped.record.as_ref().unwrap().times;
    let of = |source: &str| times.iter().find(|times| times.source == source).unwrap().created;
    assert_eq!(of("standard_information").unwrap().to_string(), "2010-01-01T00:00:00.0000000Z");
    assert_eq!(stomped.born, of("file_name"));
    assert!(stomped.born > of("standard_information"));
}

#[test]
fn the_checklist_says_what_could_not_be_known() {
    let volume = Volume::unpacked();
    let host = volume.scanned();
    for (name, fact, missing) in [
        ("Fallen", r"is there, C:\Users\Public\fallen.exe", "Who signed"),
        ("Deleted", r"is missing: C:\ProgramData\gone.exe", ""),
        ("Elsewhere", "", r"Whether D:\Tools\x.exe is there"),
        ("Intercepted", r"found before C:\Acme Data\Tool Set\svc.exe", "Who signed"),
    ] {
        let answer = service(&host, name).checklist.get(1).unwrap();
        let facts: Vec<&str> = answer.facts.iter().map(|fact| fact.text.as_str()).collect();
        assert!(facts.iter().any(|text| text.contains(fact)), "{name}: {facts:?}");
        let open = &answer.missing;
        assert!(missing.is_empty() || open.iter().any(|text| text.contains(missing)), "{open:?}");
        let expected = if missing.is_empty() { Progress::Answered } else { Progress::Partly };
        assert_eq!(answer.state, expected, "{name}: {open:?}");
    }
}

#[test]
fn the_pages_of_the_volume_are_as_expected() {
    let volume = Volume::unpacked();
    let host = volume.scanned();
    let settings = settings();
    let about = Settings::new(settings.window, &settings.tuning, None);
    let report = Report::new(about, vec![host]);
    assert_valid(&report);
    let options = Options { width: 100, ..Options::default() };
    for (form, name) in [("table", "files.txt"), ("markdown", "files.md")] {
        let mut bytes = Vec::new();
        (renderer(form).unwrap().render)(&report, &options, &mut bytes).unwrap();
        let page = String::from_utf8(bytes).unwrap();
        assert_harmless(&page);
        assert_golden(&format!("report/{name}"), &page);
    }
    let host = report.hosts.first().unwrap();
    let told = ["Fallen", "Intercepted", "Deleted", "Hosted"];
    let pages = told.map(|name| explain_service(service(host, name), host, &report.settings));
    assert_golden("report/files-explained.txt", &pages.join("\n"));
}

#[test]
fn threads_change_no_word_about_files() {
    let volume = Volume::unpacked();
    let reports = [1, 8].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| volume.scanned())
    });
    let [one, eight] = reports;
    assert!(one == eight);
}

const SAMPLE: &str = "samples/collected-programs/evidence";

fn svctriage(arguments: &[&str]) -> String {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_svctriage"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn files_are_read_as_asked() {
    for (arguments, read) in [
        (&["--hash", "none"][..], &[][..]),
        (&["--hash", "suspicious"], &["nbagent.exe", "nordvik.exe", "winhelper.exe"]),
        (&["--hash-limit", "10K"], &["calsync.exe", "nbagent.exe", "nordvik.exe"]),
        (&[], &["calsync.exe", "nbagent.exe", "nordvik.exe", "winhelper.exe"]),
    ] {
        let scan = ["scan", SAMPLE, "--quiet", "--format", "json"];
        let all: Vec<&str> = scan.iter().chain(arguments).copied().collect();
        let report = Report::from_json(svctriage(&all).as_bytes()).unwrap();
        let host = report.hosts.first().unwrap();
        let present = host.files.iter().filter(|file| file.state == FileState::Present);
        let (with, without): (Vec<_>, Vec<_>) = present.partition(|file| file.content.is_some());
        let mut names: Vec<String> =
            with.iter().map(|file| file.path.rsplit('\\').next().unwrap().to_lowercase()).collect();
        names.sort();
        assert_eq!(names, read, "{arguments:?}");
        assert_eq!(with.len() + without.len(), 4);
        assert!(without.iter().all(|file| file.unread.is_some()), "{without:?}");
        let hash =
            arguments.iter().position(|one| *one == "--hash").map(|at| arguments.get(at + 1));
        assert_eq!(report.settings.files.hash, hash.flatten().map_or("all", |word| word));
    }
}

#[test]
fn one_file_is_told_like_those_behind_services() {
    let page = svctriage(&["file", SAMPLE, r"C:\ProgramData\Helper\winhelper.exe"]);
    for words in [
        "SHA-256",
        "MD5",
        "program, x64, console",
        "linked        2022-09-12T19:22:45",
        "original      svchost.exe",
        "packed by UPX",
        "stager.pdb",
        "signature     unknown: it bears no signature, and the evidence has no catalogs",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
}
