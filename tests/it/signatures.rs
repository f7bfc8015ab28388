//! Who vouches for a file: images and catalogs made by `tests/signatures/make.py`, real ones of the corpus and of public packages.

#![expect(clippy::disallowed_methods, clippy::print_stderr, reason = "the tests' own files")]
#![expect(clippy::unwrap_used, reason = "what is missing must fail the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use svctriage::artifact::signature::{
    Algorithm, Catalogs, Roots, Subject, algorithms, catalog, check, check_with,
};
use svctriage::diagnostic::Diagnostic;
use svctriage::evidence;
use svctriage::host::State;
use svctriage::host::program_file::{Signature, SignatureStatus, TimeAuthority};

use crate::support::authentihash;
use crate::support::corpus::corpus_bytes;

fn made(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/signatures/made");
    fs::read(folder.join(name)).unwrap()
}

fn lab_roots() -> Roots {
    Roots::read(include_str!("../signatures/made/root.pem"))
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The digests of a file that a check needs.
fn digests(bytes: &[u8]) -> Vec<(Algorithm, Vec<u8>)> {
    let is_image = bytes.starts_with(b"MZ");
    let table = if is_image { authentihash::table(bytes) } else { &[] };
    let wanted: BTreeSet<_> =
        algorithms(table).into_iter().chain([Algorithm::Sha1, Algorithm::Sha256]).collect();
    let digest = |one: Algorithm| {
        if is_image { authentihash::digest(one, bytes) } else { one.digest(bytes) }
    };
    wanted.into_iter().map(|one| (one, digest(one))).collect()
}

/// The answer about an image that leads to the tests' own root, in a year in which the certificates of old have ended.
fn answer(image: &[u8]) -> Signature {
    answer_at(image, "2024-01-01T00:00:00Z", &Catalogs::default())
}

fn answer_at(image: &[u8], reference: &str, catalogs: &Catalogs) -> Signature {
    let digests = digests(image);
    let table = authentihash::table(image);
    let subject = Subject { table, digests: &digests, reference: Some(time(reference)) };
    check_with(&subject, catalogs, &lab_roots())
}

#[test]
fn every_made_image_gets_the_answer_it_was_made_for() {
    use SignatureStatus::{ExpiredWithoutTimestamp, Invalid, Unknown, UntrustedRoot, Valid};
    let cases = [
        ("sha256", Valid, ""),
        ("sha1", Valid, ""),
        ("sha512", Valid, ""),
        ("pss", Valid, ""),
        ("p256", Valid, ""),
        ("p384", Valid, ""),
        ("p521", Valid, ""),
        ("indefinite", Valid, ""),
        ("trailing", Valid, ""),
        ("stamped", Valid, ""),
        ("countersigned", Valid, ""),
        ("nested", Valid, ""),
        ("two-entries", Valid, ""),
        ("expired", ExpiredWithoutTimestamp, "ended at 2020-01-01"),
        ("lifetime", ExpiredWithoutTimestamp, "ended at 2020-01-01"),
        ("stamped-by-publisher", ExpiredWithoutTimestamp, "ended at 2020-01-01"),
        ("stamped-late", Invalid, "before it was stamped"),
        ("self-signed", UntrustedRoot, "signed its own certificate"),
        ("without-issuer", UntrustedRoot, "neither in it nor on the list"),
        ("issued-by-publisher", Invalid, "may not sign other certificates"),
        ("web-server", Invalid, "may not sign programs"),
        ("forged-issuer", Invalid, "who did not sign it"),
        ("md5", Invalid, "rests on MD5"),
        ("plain", Unknown, "no catalogs"),
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/signatures/made");
    let images = fs::read_dir(folder).unwrap().filter(|entry| {
        entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "exe")
    });
    assert_eq!(images.count(), cases.len(), "an image without a case");
    for (name, status, reason) in cases {
        let answer = answer(&made(&format!("{name}.exe")));
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        let own = answer.reason.clone().unwrap_or_default();
        assert!(own.contains(reason) && reason.is_empty() == own.is_empty(), "{name}: {own:?}");
        assert!(!answer.is_microsoft && !answer.is_windows, "{name}");
        assert_eq!(
            answer.is_forged,
            status == Invalid && name != "md5" && name != "stamped-late",
            "{name}"
        );
    }
}

#[test]
fn details_of_signatures_are_shown() {
    let stamped = answer(&made("stamped.exe"));
    let signer = &stamped.signers[0];
    assert_eq!(signer.name, "Example Publisher of Old");
    let subjects: Vec<_> = signer.chain.iter().map(|one| one.subject.as_str()).collect();
    assert_eq!(
        subjects,
        [
            "CN=Example Publisher of Old,O=Example Ltd,C=XX",
            "CN=Example Code Signing CA,O=Example Ltd,C=XX",
            "CN=Example Root,O=Example Ltd,C=XX"
        ]
    );
    let stamp = signer.time.as_ref().unwrap();
    assert_eq!(
        (stamp.time, stamp.authority),
        (time("2019-03-04T05:06:07Z"), TimeAuthority::Rfc3161)
    );
    assert_eq!(stamp.name, "Example Time Authority");
    let countersigned = answer(&made("countersigned.exe"));
    let stamp = countersigned.signers[0].time.clone().unwrap();
    assert_eq!(stamp.authority, TimeAuthority::Countersignature);
    assert_eq!(stamp.time, time("2019-03-04T05:06:07Z"));
    let nested = answer(&made("nested.exe"));
    assert_eq!((nested.signers.len(), nested.digest), (2, Some("sha1")));
    assert_eq!(answer(&made("two-entries.exe")).signers.len(), 2);
    let trailing = answer(&made("trailing.exe"));
    assert!(trailing.remarks[0].contains("no digest covers"), "{:?}", trailing.remarks);
    let refused = answer(&made("stamped-by-publisher.exe"));
    assert!(refused.remarks[0].contains("is no time authority"), "{:?}", refused.remarks);
    assert!(answer(&made("sha256.exe")).remarks.is_empty());
}

#[test]
fn without_a_time_stamp_the_evidence_says_when() {
    let expired = made("expired.exe");
    let at = |reference| answer_at(&expired, reference, &Catalogs::default()).status;
    assert_eq!(at("2019-12-31T00:00:00Z"), SignatureStatus::Valid);
    assert_eq!(at("2020-01-02T00:00:00Z"), SignatureStatus::ExpiredWithoutTimestamp);
    let digests = digests(&expired);
    let subject =
        Subject { table: authentihash::table(&expired), digests: &digests, reference: None };
    let answer = check_with(&subject, &Catalogs::default(), &lab_roots());
    assert_eq!(answer.status, SignatureStatus::Valid);
    assert!(answer.reason.unwrap().contains("nothing says when"));
}

#[test]
fn every_changed_byte_of_the_file_breaks_the_signature() {
    let image = made("sha256.exe");
    let end = image.len() - authentihash::table(&image).len();
    // The checksum, the table's entry and where the header is are not content of the file.
    let open: Vec<usize> = (0x3c..0x40).chain(0x98..0x9c).chain(0xe8..0xf0).collect();
    for at in
        (0..end).filter(|at| !open.contains(at) && !(0x40..0x100).contains(at)).chain([0x48, 0x80])
    {
        let mut changed = image.clone();
        changed[at] ^= 0x40;
        let answer = answer(&changed);
        assert_eq!(answer.status, SignatureStatus::Invalid, "byte {at:#x}");
        assert!(answer.is_forged && answer.reason.unwrap().contains("changed after it was signed"));
    }
}

/// Only what no signature can cover may change: how the message says which version and which algorithms it has.
#[test]
fn no_damage_of_a_signature_makes_it_valid() {
    let root = lab_roots();
    for name in ["sha256.exe", "stamped.exe", "p256.exe", "nested.exe"] {
        let image = made(name);
        let (table, digests) = (authentihash::table(&image), digests(&image));
        let check = |table: &[u8]| {
            let reference = Some(time("2024-01-01T00:00:00Z"));
            check_with(
                &Subject { table, digests: &digests, reference },
                &Catalogs::default(),
                &root,
            )
        };
        let whole = check(table);
        assert_eq!(whole.status, SignatureStatus::Valid);
        for length in 0..table.len() {
            let cut = check(&table[..length]);
            let is_padding = table[length..].iter().all(|byte| *byte == 0);
            assert!(cut.status != SignatureStatus::Valid || is_padding, "{name}: {length} bytes");
        }
        let mut unharmed = Vec::new();
        for at in 0..table.len() {
            let mut changed = table.to_vec();
            changed[at] ^= 1 << (at % 8);
            let answer = check(&changed);
            if answer.status == SignatureStatus::Valid {
                assert_eq!(answer.signers[0].name, whole.signers[0].name, "{name}: {at}");
                unharmed.push(at);
            }
        }
        let share = unharmed.len() * 100 / table.len();
        assert!(
            share <= LOOSE,
            "{name}: {} of {} bytes: {unharmed:?}",
            unharmed.len(),
            table.len()
        );
    }
}

/// How many hundredths of a table's bytes may change without harm: certificates that the chain does not need, the primary
/// signature being enough without the nested one, and names of algorithms that stand twice.
const LOOSE: usize = 55;

/// A Windows folder with catalogs, and what they say about the files asked for.
fn search(catalogs: &[&str], wanted: &catalog::Wanted) -> (Catalogs, Vec<Diagnostic>) {
    let root = tempfile::tempdir().unwrap();
    let windows = root.path().join("Windows/System32");
    let store = windows.join("CatRoot/{F750E6C3-38EE-11D1-85E5-00C04FC295EE}");
    fs::create_dir_all(windows.join("config")).unwrap();
    fs::create_dir_all(&store).unwrap();
    for name in catalogs {
        let bytes = if *name == "junk.cat" { b"junk".to_vec() } else { made(name) };
        fs::write(store.join(name), bytes).unwrap();
    }
    let opened = evidence::open(&[root.path().to_path_buf()], &evidence::Options::default());
    let host = opened.hosts.first().unwrap();
    let mut diagnostics = Vec::new();
    let reference = Some(time("2024-01-01T00:00:00Z"));
    let found =
        catalog::search_with(host.as_ref(), wanted, reference, &lab_roots(), &mut diagnostics);
    (found, diagnostics)
}

#[test]
fn catalogs_vouch_for_files_without_a_signature() {
    let plain = made("plain.exe");
    let wanted = catalog::Wanted {
        digests: digests(&plain).into_iter().map(|(_, digest)| digest).collect(),
        names: BTreeSet::from(["plain.exe".to_owned()]),
    };
    let ask = |names: &[&str]| {
        let (catalogs, diagnostics) = search(names, &wanted);
        (answer_at(&plain, "2024-01-01T00:00:00Z", &catalogs), catalogs, diagnostics.len())
    };
    let (answer, catalogs, said) = ask(&["new.cat", "stranger.cat", "junk.cat"]);
    assert_eq!((answer.status, said), (SignatureStatus::ValidCatalog, 1), "{answer:?}");
    assert!(answer.catalog.unwrap().artifact.ends_with("/new.cat"));
    assert_eq!((catalogs.state, catalogs.count), (State::Complete, 3));
    // Not Microsoft's: it says nothing about others of that name.
    assert_eq!(catalogs.naming("plain.exe"), None);
    let (answer, ..) = ask(&["old.cat"]);
    assert_eq!((answer.status, answer.digest), (SignatureStatus::ValidCatalog, Some("sha1")));
    let (answer, ..) = ask(&["stranger.cat"]);
    assert_eq!(answer.status, SignatureStatus::UntrustedRoot);
    assert!(answer.reason.unwrap().contains("a catalog lists it, but"));
    let (answer, catalogs, _) = ask(&[]);
    assert_eq!((answer.status, catalogs.state), (SignatureStatus::Unknown, State::Absent));
    let changed = {
        let mut changed = plain.clone();
        changed[0x200] ^= 1;
        changed
    };
    let (catalogs, _) = search(&["new.cat", "old.cat"], &wanted);
    let answer = answer_at(&changed, "2024-01-01T00:00:00Z", &catalogs);
    assert_eq!(answer.status, SignatureStatus::Unsigned);
    assert_eq!(answer.reason.unwrap(), "none of the 2 catalogs lists it");
}

#[test]
fn damaged_catalogs_vouch_for_nothing() {
    let plain = made("plain.exe");
    let digests: BTreeSet<_> = digests(&plain).into_iter().map(|(_, digest)| digest).collect();
    let wanted = catalog::Wanted { digests, names: BTreeSet::new() };
    let whole = made("new.cat");
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("Windows/System32/CatRoot/{F750E6C3}");
    fs::create_dir_all(folder.path().join("Windows/System32/config")).unwrap();
    fs::create_dir_all(&store).unwrap();
    // A byte in every eighth place of the list of members, and cuts.
    for (number, at) in (60..700).step_by(8).enumerate() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(store.join(format!("changed{number}.cat")), changed).unwrap();
        fs::write(store.join(format!("cut{number}.cat")), &whole[..at]).unwrap();
    }
    let opened = evidence::open(&[folder.path().to_path_buf()], &evidence::Options::default());
    let host = opened.hosts.first().unwrap();
    let mut diagnostics = Vec::new();
    let catalogs =
        catalog::search_with(host.as_ref(), &wanted, None, &lab_roots(), &mut diagnostics);
    let answer = answer_at(&plain, "2024-01-01T00:00:00Z", &catalogs);
    assert!(!answer.status.is_valid(), "{answer:?}");
    assert!(diagnostics.len() >= 80, "{}", diagnostics.len());
}

#[test]
fn catalogs_of_the_corpus_vouch_for_their_members() {
    let name = "115fe8649854ad531fb7ecd1318fbee6b33c9cbd78f02ed582092a96d5eb5899.cat";
    let Some(library) = corpus_bytes("signatures/DXCore.dll") else { return };
    // It bears a signature of its own as well.
    let library = authentihash::with_table(&library, &[]);
    let [setup, driver, other, third] = ["amdacpbtscoext.inf", "pciide.sys", name, "oem89.cat"]
        .map(|name| corpus_bytes(&format!("signatures/{name}")).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let store =
        folder.path().join("Windows/System32/CatRoot/{F750E6C3-38EE-11D1-85E5-00C04FC295EE}");
    fs::create_dir_all(folder.path().join("Windows/System32/config")).unwrap();
    fs::create_dir_all(&store).unwrap();
    fs::write(store.join("a.cat"), other).unwrap();
    fs::write(store.join("oem89.cat"), third).unwrap();
    let files = [library, setup, driver];
    let wanted = catalog::Wanted {
        digests: files.iter().flat_map(|file| digests(file)).map(|(_, digest)| digest).collect(),
        names: ["dxcore.dll", "amdacpbtscoext.inf", "pciide.sys"].map(str::to_owned).into(),
    };
    let opened = evidence::open(&[folder.path().to_path_buf()], &evidence::Options::default());
    let host = opened.hosts.first().unwrap();
    let mut diagnostics = Vec::new();
    let catalogs = catalog::search(host.as_ref(), &wanted, None, &mut diagnostics);
    assert_eq!((diagnostics.len(), catalogs.count, catalogs.state), (0, 2, State::Complete));
    let ask = |file: &[u8], catalogs: &Catalogs| {
        let digests = digests(file);
        let table = if file.starts_with(b"MZ") { authentihash::table(file) } else { &[] };
        check(&Subject { table, digests: &digests, reference: None }, catalogs)
    };
    let [library, setup, driver] = files;
    let found = ask(&library, &catalogs);
    assert_eq!(found.status, SignatureStatus::ValidCatalog, "{found:?}");
    assert!(found.is_windows && found.is_microsoft, "{found:?}");
    assert_eq!(found.signer(), Some("Microsoft Windows"));
    assert_eq!(catalogs.naming("dxcore.dll"), found.catalog.as_ref());
    let found = ask(&setup, &catalogs);
    assert_eq!(found.status, SignatureStatus::ValidCatalog, "{found:?}");
    assert_eq!(found.signer(), Some("Microsoft Windows Hardware Compatibility Publisher"));
    assert!(!found.is_windows && !found.is_microsoft, "Microsoft signs others' drivers with it");
    // Drivers that start with Windows are signed themselves: there are no catalogs yet.
    let found = ask(&driver, &catalogs);
    assert_eq!(found.status, SignatureStatus::Valid, "{found:?}");
    assert!(found.is_windows && found.is_microsoft, "{found:?}");
    let driver = authentihash::with_table(&driver, &[]);
    assert_eq!(ask(&driver, &catalogs).status, SignatureStatus::Unsigned);
    assert_eq!(ask(&driver, &Catalogs::default()).status, SignatureStatus::Unknown);
    let changed = {
        let mut changed = library.clone();
        changed[0x2000] ^= 1;
        changed
    };
    assert_eq!(ask(&changed, &catalogs).status, SignatureStatus::Unsigned);
}

/// The folder with the unpacked package `msvc-runtime`, which `.ci/run` fetches.
fn runtime() -> Option<PathBuf> {
    let folder = std::env::var_os("SVCTRIAGE_SIGNED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/signed"), PathBuf::from);
    if !folder.is_dir() {
        eprintln!("skipped: no signed files in target/signed (.ci/signatures.py fetches them)");
        return None;
    }
    Some(folder)
}

fn libraries(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            libraries(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "dll") {
            found.push(path);
        }
    }
}

#[test]
fn microsofts_libraries_are_microsofts_until_a_byte_changes() {
    let Some(folder) = runtime() else { return };
    let mut files = Vec::new();
    libraries(&folder, &mut files);
    files.sort();
    let mut checked = 0;
    for path in files.iter().filter(|path| path.to_string_lossy().contains("msvc_runtime")) {
        let library = fs::read(path).unwrap();
        let ask = |bytes: &[u8]| {
            let digests = digests(bytes);
            let subject =
                Subject { table: authentihash::table(bytes), digests: &digests, reference: None };
            check(&subject, &Catalogs::default())
        };
        let answer = ask(&library);
        assert_eq!(answer.status, SignatureStatus::Valid, "{}: {answer:?}", path.display());
        assert!(answer.is_microsoft && answer.signers[0].time.is_some(), "{}", path.display());
        let mut changed = library.clone();
        changed[0x1000] ^= 1;
        assert_eq!(ask(&changed).status, SignatureStatus::Invalid, "{}", path.display());
        let bare = authentihash::with_table(&library, &[]);
        assert_eq!(ask(&bare).status, SignatureStatus::Unknown, "{}", path.display());
        checked += 1;
    }
    assert!(checked >= 5, "{checked} libraries in {}", folder.display());
}

#[test]
fn the_documentation_lists_every_root() {
    let page = include_str!("../../docs/signatures.md");
    for root in Roots::pinned().list() {
        let row = page.lines().find(|line| line.contains(&root.thumbprint));
        let row = row.unwrap_or_else(|| panic!("docs/signatures.md lacks {}", root.thumbprint));
        let uses = if root.is_for_code { "code" } else { "time stamps" };
        let sha256 = root.sha256.get(..16).unwrap();
        for word in [root.owner, sha256, uses] {
            assert!(row.contains(word), "{row}: {word}");
        }
    }
    let is_root = |line: &&str| {
        let first = line.strip_prefix("| `").and_then(|rest| rest.split('`').next());
        first.is_some_and(|first| first.len() == 40)
    };
    assert_eq!(page.lines().filter(is_root).count(), Roots::pinned().list().len());
}
