//! Archives of every kind give the report of the folder that was packed; what they may cost is limited; hostile
//! ones cost themselves.

#![expect(clippy::disallowed_methods, reason = "the tests pack their own evidence")]
#![expect(clippy::unwrap_used, reason = "a test that cannot make its evidence must fail")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use svctriage::evidence::{self, Evidence, Limits, Magic, Options, Pattern};
use svctriage::scan::scan;
use tempfile::TempDir;
use zip::CompressionMethod;

use crate::support::pack::{self, Members, SevenZ};
use crate::support::scan::settings;

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/compromised-workstation/evidence")
}

fn unlocked() -> Options {
    let archive_passwords = vec!["wrong".into(), pack::PASSWORD.into(), "also wrong".into()];
    Options { archive_passwords, ..Options::default() }
}

/// The reports of the hosts at a path, without the part that says what was given.
fn reports(path: &Path, options: &Options) -> Vec<Value> {
    let opened = evidence::open(&[path.to_owned()], options);
    assert!(opened.errors.is_empty(), "{}: {:?}", path.display(), opened.errors);
    opened
        .hosts
        .iter()
        .map(|host| {
            let mut report = serde_json::to_value(scan(host.as_ref(), &settings(), &())).unwrap();
            report.as_object_mut().unwrap().remove("evidence");
            report
        })
        .collect()
}

/// Writes an archive to a file and opens it.
fn open(name: &str, bytes: &[u8], options: &Options) -> (TempDir, evidence::Opened) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    let opened = evidence::open(&[path], options);
    (folder, opened)
}

/// The only error of what was opened.
fn error(name: &str, bytes: &[u8], options: &Options) -> String {
    let (_folder, opened) = open(name, bytes, options);
    assert!(opened.hosts.is_empty(), "{name}");
    assert_eq!(opened.errors.len(), 1, "{name}");
    opened.errors.first().unwrap().to_string()
}

/// A file that is taken for an event log.
fn log(filling: u8, size: usize) -> Vec<u8> {
    let mut bytes = b"ElfFile\0".to_vec();
    bytes.resize(size, filling);
    bytes
}

const LOGS: Pattern = Pattern { magic: Magic::EventLog, places: &[] };

/// Paths and sizes of a host's event logs, and everything that was said of it.
fn logs(host: &dyn Evidence) -> (Vec<(String, u64)>, Vec<String>) {
    let listing = host.find(&LOGS);
    let found = listing.found.iter().map(|found| (found.path.to_string(), found.size)).collect();
    let mut said = listing.diagnostics;
    for found in &listing.found {
        let mut bytes = Vec::new();
        match host.open(&found.path) {
            Ok(mut content) => drop(std::io::Read::read_to_end(&mut content, &mut bytes).unwrap()),
            Err(error) => said.push(svctriage::diagnostic::Diagnostic {
                artifact: found.path.to_string(),
                impact: svctriage::diagnostic::Impact::Lost,
                message: error.to_string(),
            }),
        }
    }
    said.extend(host.describe().diagnostics.iter().cloned());
    said.extend(host.damage());
    (found, said.into_iter().map(|one| one.message).collect())
}

#[test]
fn every_format_gives_the_report_of_the_folder() {
    let members = pack::folder(&sample());
    let expected = reports(&sample(), &Options::default());
    let solid = SevenZ { is_solid: true, ..SevenZ::default() };
    let locked = SevenZ { is_encrypted: true, ..SevenZ::default() };
    let mut among_others: Members = members.clone();
    among_others
        .extend((0..1000).map(|n| (format!("Windows/Temp/{n}/irrelevant.txt"), vec![b'x'; n])));
    among_others.sort();
    let zip = pack::zip(&members, CompressionMethod::Deflated);
    let tar = pack::tar(&members);
    let inner: Members = vec![("inner.zip".into(), zip.clone())];
    let prefixed = [&b"an installer's code"[..], &zip].concat();
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("stored.zip", pack::zip(&members, CompressionMethod::Stored)),
        ("xz.zip", pack::zip(&members, CompressionMethod::Xz)),
        ("bzip2.zip", pack::zip(&members, CompressionMethod::Bzip2)),
        ("stream.zip", pack::zip_stream(&members)),
        ("aes.zip", pack::zip_aes(&members)),
        ("crypto.zip", pack::zip_crypto(&members)),
        ("prefixed.exe", prefixed),
        ("nested.zip", pack::zip(&inner, CompressionMethod::Stored)),
        ("nested-deflated.zip", pack::zip(&inner, CompressionMethod::Deflated)),
        ("deflated", zip),
        ("host.tar.gz", pack::gz(&pack::tar(&among_others))),
        ("host.tar.bz2", pack::bz2(&tar)),
        ("host.tar.xz", pack::xz(&tar)),
        ("host.tar.zst", pack::zst(&tar)),
        ("host.tar", tar),
        ("host.7z", pack::seven_z(&members, SevenZ::default())),
        ("solid.7z", pack::seven_z(&members, solid)),
        ("locked.7z", pack::seven_z(&members, locked)),
        ("hidden.7z", pack::seven_z(&members, SevenZ { hides_names: true, ..locked })),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        assert!(reports(&path, &unlocked()) == expected, "{name}");
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn files_that_are_compressed_by_themselves_are_loose_files() {
    let logs = [("a.evtx.gz", pack::gz(&log(1, 5000))), ("b.evtx.xz", pack::xz(&log(2, 6000)))];
    let folder = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for (name, bytes) in logs {
        paths.push(folder.path().join(name));
        fs::write(paths.last().unwrap(), bytes).unwrap();
    }
    for given in [paths, vec![folder.path().to_owned()]] {
        let opened = evidence::open(&given, &Options::default());
        assert!(opened.errors.is_empty(), "{:?}", opened.errors);
        assert_eq!(opened.hosts.len(), 1);
        let (found, said) = self::logs(opened.hosts.first().unwrap().as_ref());
        assert_eq!(found, [("a.evtx".into(), 5000), ("b.evtx".into(), 6000)]);
        assert!(said.is_empty(), "{said:?}");
    }
}

#[test]
fn a_folder_of_archives_is_several_hosts_and_loses_none_silently() {
    let folder = tempfile::tempdir().unwrap();
    let one: Members = vec![("x.evtx".into(), log(1, 2000))];
    fs::write(folder.path().join("a.zip"), pack::zip(&one, CompressionMethod::Deflated)).unwrap();
    fs::write(folder.path().join("b.7z"), pack::seven_z(&one, SevenZ::default())).unwrap();
    fs::write(folder.path().join("c.zip"), pack::zip_aes(&one)).unwrap();
    fs::write(folder.path().join("d.rar"), b"Rar!\x1a\x07\x01\0").unwrap();
    fs::write(folder.path().join("loose.evtx"), log(3, 3000)).unwrap();
    let opened = evidence::open(&[folder.path().to_owned()], &Options::default());
    assert_eq!(opened.hosts.len(), 3);
    for host in &opened.hosts {
        let said: Vec<String> =
            host.describe().diagnostics.iter().map(|one| one.message.clone()).collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said.iter().any(|one| one.contains("--zip-password")), "{said:?}");
        assert!(said.iter().any(|one| one.contains("7z x")), "{said:?}");
    }
}

#[test]
fn locked_archives_name_the_remedy() {
    let members: Members = vec![("Windows/x.evtx".into(), log(1, 2000))];
    let container: Members =
        vec![("data.zip".into(), vec![7; 500]), ("metadata.json".into(), b"{}".to_vec())];
    let locked = SevenZ { is_encrypted: true, is_solid: true, hides_names: false };
    let wrong = Options { archive_passwords: vec!["wrong".into()], ..Options::default() };
    for (name, bytes, remedies) in [
        ("aes.zip", pack::zip_aes(&members), &["--zip-password"][..]),
        ("crypto.zip", pack::zip_crypto(&members), &["--zip-password"]),
        (
            "velociraptor.zip",
            pack::zip_aes(&container),
            &["--zip-password", "velociraptor decrypt"],
        ),
        ("locked.7z", pack::seven_z(&members, locked), &["--zip-password"]),
        (
            "hidden.7z",
            pack::seven_z(&members, SevenZ { hides_names: true, ..locked }),
            &["--zip-password"],
        ),
        ("x.cab", b"MSCF\0\0\0\0rest".to_vec(), &["expand"]),
    ] {
        for options in [&Options::default(), &wrong] {
            let message = error(name, &bytes, options);
            assert!(remedies.iter().all(|remedy| message.contains(remedy)), "{name}: {message}");
        }
    }
}

#[test]
fn limits_are_named_with_the_option_that_raises_them() {
    let with = |change: fn(&mut Limits)| {
        let mut options = Options::default();
        change(&mut options.limits);
        options
    };
    let many: Members = (0..20).map(|n| (format!("{n:02}.evtx"), log(n, 3000))).collect();
    let same: Members = vec![("a.evtx".into(), log(7, 3 << 20)), ("b.evtx".into(), log(1, 100))];
    let large: Members = vec![("a.evtx".into(), log(9, 100)), ("b.evtx".into(), log(0, 300_000))];
    for (what, members, options, option, left) in [
        ("members", &many, with(|limits| limits.members = 7), "--max-members", 7),
        ("ratio", &same, with(|limits| limits.ratio = 100), "--max-ratio", 2),
        ("unpacked", &large, with(|limits| limits.unpacked = 200_000), "--max-unpacked", 2),
    ] {
        for (name, bytes) in [
            ("x.zip", pack::zip(members, CompressionMethod::Deflated)),
            ("x.tar.gz", pack::gz(&pack::tar(members))),
            ("x.7z", pack::seven_z(members, SevenZ { is_solid: true, ..SevenZ::default() })),
        ] {
            let (_folder, opened) = open(name, &bytes, &options);
            let mut said: Vec<String> = opened.errors.iter().map(ToString::to_string).collect();
            let mut count = 0;
            for host in &opened.hosts {
                let (found, more) = logs(host.as_ref());
                count += found.len();
                said.extend(more);
            }
            assert!(said.iter().any(|one| one.contains(option)), "{what} {name}: {said:?}");
            assert!(count <= left, "{what} {name}: {count}");
        }
    }
}

#[test]
fn archives_in_archives_end_at_their_limit() {
    let mut bytes = log(1, 2000);
    let mut name = "x.evtx".to_owned();
    for level in 0..6 {
        bytes = pack::zip(&vec![(name, bytes)], CompressionMethod::Stored);
        name = format!("{level}.zip");
    }
    assert!(error("deep.zip", &bytes, &Options::default()).contains("--max-nesting"));
    let deeper = Limits { nesting: 6, ..Limits::default() };
    let options = Options { limits: deeper, ..Options::default() };
    let (_folder, opened) = open("deep.zip", &bytes, &options);
    assert_eq!(opened.hosts.len(), 1);
    assert_eq!(opened.hosts.first().unwrap().describe().containers.len(), 6);
    // Sixteen archives with sixteen each, six levels deep, as 42.zip has them: few of them are opened.
    let mut bytes = log(0, 2000);
    let mut extension = "evtx";
    for _ in 0..5 {
        let copies = (0..16).map(|n| (format!("{n:02}.{extension}"), bytes.clone())).collect();
        bytes = pack::zip(&copies, CompressionMethod::Deflated);
        extension = "zip";
    }
    let options = Options { limits: Limits { nested: 100, ..deeper }, ..Options::default() };
    let (_folder, opened) = open("bomb.zip", &bytes, &options);
    let said = opened.errors.iter().map(ToString::to_string).chain(
        opened.hosts.iter().flat_map(|h| &h.describe().diagnostics).map(|d| d.message.clone()),
    );
    assert!(said.into_iter().any(|one| one.contains("--max-nested")));
    assert!(opened.hosts.len() <= 100 * 16, "{}", opened.hosts.len());
}

#[test]
fn hostile_names_lead_nowhere_and_every_member_is_reached() {
    let long = format!("{}.evtx", "n".repeat(10_000));
    let names = ["aaaaaaaaaaaaaaaaaaaaaaaaa.evtx", "bb.evtx", "cc.evtx", "d\0.evtx", long.as_str()];
    let members: Members = names.iter().map(|name| ((*name).to_owned(), log(1, 500))).collect();
    let bytes = pack::zip(&members, CompressionMethod::Deflated);
    let bytes = pack::renamed(bytes, names[0], "..\\../C:/Windows/../etc/a.evtx");
    let bytes = pack::renamed(bytes, names[2], names[1]);
    let (_folder, opened) = open("x.zip", &bytes, &Options::default());
    let (found, said) = logs(opened.hosts.first().unwrap().as_ref());
    let paths: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["C:/Windows/etc/a.evtx", "bb.evtx", "bb.evtx~2", "d\0.evtx", long.as_str()]);
    assert!(said.iter().any(|one| one.contains("lead out of the archive")), "{said:?}");
    assert!(said.iter().any(|one| one.contains("bb.evtx~2")), "{said:?}");
}

#[test]
fn what_is_left_of_a_truncated_archive_is_read() {
    let members: Members = (0..10).map(|n| (format!("{n}.evtx"), noise(n, 3000))).collect();
    let zip = pack::zip(&members, CompressionMethod::Deflated);
    let tar = pack::tar(&members);
    for (name, bytes) in [
        ("x.zip", &zip[..zip.len() * 6 / 10]),
        ("stream.zip", &pack::zip_stream(&members)[..zip.len() * 6 / 10]),
        ("x.tar", &tar[..tar.len() * 6 / 10]),
        ("x.tar.gz", &pack::gz(&tar)[..zip.len() * 6 / 10]),
    ] {
        let (_folder, opened) = open(name, bytes, &Options::default());
        assert!(opened.errors.is_empty(), "{name}: {:?}", opened.errors);
        let (found, said) = logs(opened.hosts.first().unwrap().as_ref());
        assert!((5..=7).contains(&found.len()), "{name}: {found:?}");
        assert!(!said.is_empty(), "{name}");
    }
    let seven = pack::seven_z(&members, SevenZ::default());
    let message = error("x.7z", &seven[..seven.len() / 2], &Options::default());
    assert!(message.contains("ends before its header"), "{message}");
}

/// A file that is taken for an event log and cannot be packed tightly.
fn noise(seed: u8, size: usize) -> Vec<u8> {
    let mut numbers = crate::support::Numbers(u64::from(seed));
    let mut bytes = log(0, 8);
    bytes.extend((8..size).map(|_| u8::try_from(numbers.below(256)).unwrap()));
    bytes
}
