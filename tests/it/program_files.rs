//! The file behind each service, from evidence of every form to the host: which it is, and whether it is there.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at a surprise")]

use std::path::Path;

use svctriage::artifact;
use svctriage::artifact::program::{self, FileOptions, Programs};
use svctriage::evidence::{self, Evidence, EvidencePath, Extent, Whereabouts};
use svctriage::host::program_file::{FileState, Purpose, SignatureStatus, wanted};
use svctriage::host::{Host, Origin, ProgramFile, Service, State};
use svctriage::lab::pe::Program;
use svctriage::lab::regf::{BaseBlock, Data, Hive};
use tempfile::TempDir;

use crate::support::authentihash;
use crate::support::collections::put;
use crate::support::corpus::{corpus_bytes, corpus_file};
use crate::support::lab::start;
use crate::support::scan::scan_one;

/// Self-relative, present and null DACL.
const EVERYBODY: &[u8] = &[1, 0, 4, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
/// What no Windows runs without.
const INDISPENSABLE: [&str; 3] = ["ntdll.dll", "kernel32.dll", "services.exe"];
const HOSTED: &str = r"%SystemRoot%\System32\svchost.exe -k netsvcs";

/// A service: name, type, `ImagePath`, other values.
type Made<'s> = (&'s str, u32, &'s str, &'s [(&'s str, Data)]);

/// A SYSTEM hive with these services.
fn system(services: &[Made<'_>]) -> Vec<u8> {
    let mut hive = Hive::new("ROOT", EVERYBODY, start());
    let select = hive.create("Select", start());
    for value in ["Current", "Default", "LastKnownGood"] {
        hive.set(select, value, &Data::Dword(1), start());
    }
    let environment = hive.create(r"ControlSet001\Control\Session Manager\Environment", start());
    hive.set(environment, "TOOLS", &text(r"%SystemDrive%\Tools"), start());
    for (name, kind, image, values) in services {
        let key = hive.create(&format!(r"ControlSet001\Services\{name}"), start());
        hive.set(key, "Type", &Data::Dword(*kind), start());
        hive.set(key, "Start", &Data::Dword(2), start());
        hive.set(key, "ErrorControl", &Data::Dword(1), start());
        if !image.is_empty() {
            hive.set(key, "ImagePath", &Data::ExpandText((*image).to_owned()), start());
        }
        for (value, data) in *values {
            let (key, value) = match value.split_once('\\') {
                Some((below, value)) => (
                    hive.create(&format!(r"ControlSet001\Services\{name}\{below}"), start()),
                    value,
                ),
                None => (key, *value),
            };
            hive.set(key, value, data, start());
        }
    }
    hive.to_bytes(&BaseBlock::clean("SYSTEM", 7))
}

/// A tree with a hive and files below a folder; every file holds its own path.
fn tree(below: &str, hive: &[u8], files: &[&str]) -> TempDir {
    let root = TempDir::new().unwrap();
    put(root.path(), &format!("{below}Windows/System32/config/SYSTEM"), hive);
    for file in files {
        put(root.path(), &format!("{below}{file}"), file.as_bytes());
    }
    root
}

/// The files of a whole Windows, with others.
fn whole<'f>(files: &[&'f str]) -> Vec<String> {
    let windows = INDISPENSABLE.iter().map(|name| format!("Windows/System32/{name}"));
    windows.chain(files.iter().map(|file: &&'f str| (*file).to_owned())).collect()
}

/// A host and the files behind its services.
struct Scanned {
    host: Host,
    programs: Programs,
}

fn read(path: &Path) -> Scanned {
    let opened = evidence::open(&[path.to_owned()], &evidence::Options::default());
    assert!(opened.errors.is_empty() && opened.hosts.len() == 1, "{:?}", opened.errors);
    read_host(opened.hosts[0].as_ref())
}

fn read_host(evidence: &dyn Evidence) -> Scanned {
    let reading = artifact::read(evidence, &());
    let mut host = Host::from_facts(reading.facts, reading.coverage, Host::DEFAULT_WINDOW);
    let wanted = wanted(&host);
    let mut coverage = std::mem::take(&mut host.coverage);
    let options = FileOptions::default();
    let programs = program::read(evidence, &host, &wanted, &options, &|_| true, &(), &mut coverage);
    host.coverage = coverage;
    host.attach_files(&wanted, programs.files.clone(), programs.links.clone());
    Scanned { host, programs }
}

impl Scanned {
    fn service(&self, name: &str) -> &Service {
        self.host.service(name).unwrap()
    }

    fn file(&self, name: &str, purpose: &Purpose) -> &ProgramFile {
        self.host.file_of(self.service(name), purpose).unwrap()
    }

    fn program(&self, name: &str) -> &ProgramFile {
        self.file(name, &Purpose::Image)
    }
}

fn text(text: &str) -> Data {
    Data::ExpandText(text.to_owned())
}

/// A whole Windows whose services name their files in every way.
fn all_ways() -> TempDir {
    let dll = [(r"Parameters\ServiceDll", text(r"%SystemRoot%\System32\hosted.dll"))];
    let gone = [(r"Parameters\ServiceDll", text(r"%SystemRoot%\System32\gone.dll"))];
    let old = [
        (r"Parameters\ServiceDll", text(r"%SystemRoot%\System32\old.dll")),
        ("WOW64", Data::Dword(0x14c)),
    ];
    let failure = [("FailureCommand", text(r"cmd.exe /c C:\Tools\again.bat"))];
    let hive = system(&[
        ("Hosted", 0x20, HOSTED, &dll),
        ("Gone", 0x20, HOSTED, &gone),
        ("Old", 0x20, HOSTED, &old),
        ("Driver", 1, r"system32\drivers\driver.sys", &[]),
        ("Implied", 1, "", &[]),
        ("Unquoted", 0x10, r"C:\Program Files\Foo Bar\foo.exe -k", &[]),
        ("Bare", 0x10, "bare", &failure),
        ("Remote", 0x10, r"\\server\share\x.exe", &[]),
        ("Other", 0x10, r"D:\x.exe", &[]),
        ("Profile", 0x10, r"%APPDATA%\x.exe", &[]),
        ("Link", 0x10, r#""C:\Documents and Settings\anna\x.exe""#, &[]),
        ("Short", 0x10, r"C:\PROGRA~1\FOO~1\foo.exe", &[]),
        ("Variable", 0x10, r"%Tools%\again.bat", &[]),
    ]);
    let files = whole(&[
        "Windows/System32/svchost.exe",
        "Windows/SysWOW64/svchost.exe",
        "Windows/System32/hosted.dll",
        "Windows/SysWOW64/old.dll",
        "Windows/System32/drivers/driver.sys",
        "Windows/System32/drivers/Implied.sys",
        "Windows/System32/cmd.exe",
        "Windows/bare.exe",
        "Program Files/Foo Bar/Foo.exe",
        "Tools/again.bat",
        "Users/anna/x.exe",
    ]);
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    tree("", &hive, &files)
}

#[test]
fn a_whole_tree_answers_for_every_service() {
    let root = all_ways();
    let scanned = read(root.path());
    assert_eq!(scanned.programs.diagnostics, []);
    assert_eq!(scanned.host.coverage.state(Origin::FileSystem), State::Complete);
    let image = Purpose::Image;
    for (service, purpose, path, cited) in [
        (
            "Hosted",
            image.clone(),
            r"C:\Windows\System32\svchost.exe",
            "Windows/System32/svchost.exe",
        ),
        (
            "Hosted",
            Purpose::ServiceDll,
            r"C:\Windows\System32\hosted.dll",
            "Windows/System32/hosted.dll",
        ),
        ("Old", image.clone(), r"C:\Windows\SysWOW64\svchost.exe", "Windows/SysWOW64/svchost.exe"),
        ("Old", Purpose::ServiceDll, r"C:\Windows\SysWOW64\old.dll", "Windows/SysWOW64/old.dll"),
        (
            "Driver",
            image.clone(),
            r"C:\Windows\System32\drivers\driver.sys",
            "Windows/System32/drivers/driver.sys",
        ),
        (
            "Implied",
            image.clone(),
            r"C:\Windows\System32\drivers\Implied.sys",
            "Windows/System32/drivers/Implied.sys",
        ),
        (
            "Unquoted",
            image.clone(),
            r"C:\Program Files\Foo Bar\Foo.exe",
            "Program Files/Foo Bar/Foo.exe",
        ),
        ("Bare", image.clone(), r"C:\Windows\bare.exe", "Windows/bare.exe"),
        (
            "Bare",
            Purpose::FailureCommand,
            r"C:\Windows\System32\cmd.exe",
            "Windows/System32/cmd.exe",
        ),
        ("Link", image.clone(), r"C:\Users\anna\x.exe", "Users/anna/x.exe"),
        ("Variable", image.clone(), r"C:\Tools\again.bat", "Tools/again.bat"),
    ] {
        let file = scanned.file(service, &purpose);
        assert_eq!((file.state, file.path.as_str()), (FileState::Present, path), "{service}");
        assert_eq!(&*file.citation.artifact, cited, "{service}");
        let size = file.record.as_ref().map(|record| record.metadata.size);
        assert_eq!(size, u64::try_from(cited.len()).ok(), "{service}");
    }
}

#[test]
fn what_is_not_there_is_told_apart() {
    let root = all_ways();
    let scanned = read(root.path());
    let script = scanned.service("Bare").files.last().unwrap();
    assert_eq!(scanned.host.files[script.file].path, r"C:\Tools\again.bat");
    let gone = scanned.file("Gone", &Purpose::ServiceDll);
    assert_eq!(
        (gone.state, gone.path.as_str()),
        (FileState::Missing, r"C:\Windows\System32\gone.dll")
    );
    assert_eq!(&*gone.citation.artifact, "Windows/System32", "the folder that does not have it");
    for (service, reason) in [
        ("Remote", "another computer"),
        ("Other", "no volume D:"),
        ("Profile", "%APPDATA%"),
        ("Short", "short name"),
    ] {
        let file = scanned.program(service);
        assert_eq!(file.state, FileState::NotCollected, "{service}");
        assert!(file.remark.as_ref().unwrap().contains(reason), "{service}: {:?}", file.remark);
        assert!(file.citation.artifact.ends_with("SYSTEM"), "{service}: where the words stand");
    }
    let shared = scanned.host.files.iter().filter(|file| file.leaf() == "svchost.exe").count();
    assert_eq!(shared, 2, "each file stands once, however many services share it");
    let paths: Vec<String> =
        scanned.host.files.iter().map(|file| file.path.to_uppercase()).collect();
    assert!(paths.is_sorted(), "{paths:?}");
}

#[test]
fn what_stands_before_an_unquoted_program_runs_in_its_place() {
    let hive = system(&[
        ("Unquoted", 0x10, r"C:\Program Files\Foo Bar\foo.exe -k", &[]),
        ("Quoted", 0x10, r#""C:\Program Files\Foo Bar\foo.exe" -k"#, &[]),
        ("Driver", 1, r"\??\C:\Program Files\Foo Bar\foo.sys", &[]),
    ]);
    let meant = ["Program Files/Foo Bar/foo.exe", "Program Files/Foo Bar/foo.sys"];
    for (interceptor, expected) in [
        (None, r"C:\Program Files\Foo Bar\foo.exe"),
        (Some("Program.exe"), r"C:\Program.exe"),
        (Some("Program Files/Foo.exe"), r"C:\Program Files\Foo.exe"),
        (Some("Program"), r"C:\Program"),
        (Some("Program Files/Other.exe"), r"C:\Program Files\Foo Bar\foo.exe"),
    ] {
        let files: Vec<&str> = meant.into_iter().chain(interceptor).collect();
        let files = whole(&files);
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let root = tree("", &hive, &files);
        let scanned = read(root.path());
        let link = &scanned.service("Unquoted").files[0];
        assert_eq!(scanned.host.files[link.file].path, expected);
        let behind = link.meant.map(|file| scanned.host.files[file].path.as_str());
        let is_intercepted = expected != r"C:\Program Files\Foo Bar\foo.exe";
        assert_eq!(behind.is_some(), is_intercepted, "{interceptor:?}");
        assert!(behind.is_none_or(|path| path == r"C:\Program Files\Foo Bar\foo.exe"));
        for service in ["Quoted", "Driver"] {
            assert!(scanned.service(service).files[0].meant.is_none(), "{service}");
            assert_eq!(scanned.program(service).state, FileState::Present, "{service}");
        }
        let report = scan_one(&[root.path()]);
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(text.contains("\"P07\""), is_intercepted, "{interceptor:?}");
    }
}

#[test]
fn a_collection_never_says_that_a_file_is_missing() {
    let hive = system(&[
        ("There", 0x10, r"C:\Tools\there.exe", &[]),
        ("NotThere", 0x10, r"C:\Tools\other.exe", &[]),
        ("Data", 0x10, r"D:\Apps\data.exe", &[]),
        ("NoData", 0x10, r"D:\Apps\none.exe", &[]),
    ]);
    let files = ["Tools/there.exe"];
    let root = tree("C/", &hive, &files);
    put(root.path(), "D/Apps/Data.exe", b"on another drive");
    let scanned = read(root.path());
    assert_eq!(scanned.host.coverage.state(Origin::FileSystem), State::Partial);
    let state = |name: &str| scanned.program(name).state;
    assert_eq!(state("There"), FileState::Present);
    assert_eq!(state("Data"), FileState::Present);
    assert_eq!(scanned.program("Data").path, r"D:\Apps\Data.exe");
    assert_eq!(&*scanned.program("Data").citation.artifact, "D/Apps/Data.exe");
    assert_eq!(state("NotThere"), FileState::NotCollected);
    assert_eq!(state("NoData"), FileState::NotCollected);
}

#[test]
fn loose_hives_cost_nothing_and_say_nothing() {
    let root = TempDir::new().unwrap();
    put(root.path(), "SYSTEM", &system(&[("A", 0x10, r"C:\a.exe", &[])]));
    let opened = evidence::open(&[root.path().join("SYSTEM")], &evidence::Options::default());
    let evidence = opened.hosts[0].as_ref();
    assert_eq!(evidence.extent(), Extent::Loose);
    let found = evidence.look_up(r"C:\a.exe", r"C:\Windows");
    assert!(matches!(found, Whereabouts::NotCollected(_)), "{found:?}");
    let scanned = read_host(evidence);
    assert_eq!(scanned.programs, Programs::default());
    assert_eq!(scanned.host.coverage.state(Origin::FileSystem), State::Absent);
}

#[test]
fn the_result_is_the_same_for_any_number_of_threads() {
    let names: Vec<String> = (0..60).map(|number| format!("Service{number:02}")).collect();
    let images: Vec<String> =
        (0..60).map(|number| format!(r"C:\Apps {}\x{}.exe", number % 3, number % 20)).collect();
    let services: Vec<Made<'_>> = names
        .iter()
        .zip(&images)
        .map(|(name, image)| (name.as_str(), 0x10, image.as_str(), [].as_slice()))
        .collect();
    let files = whole(&["Apps 0/x0.exe", "Apps 1/x1.exe", "Apps 2/X2.exe", "Apps.exe"]);
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let root = tree("", &system(&services), &files);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| read(root.path()).programs)
    };
    let one = run(1);
    assert_eq!(one.links.len(), 60);
    for _ in 0..3 {
        assert_eq!(run(8), one);
    }
}

/// Real images: every look-up gives an answer, and what is found can be opened.
#[test]
fn look_ups_on_real_images_give_answers() {
    let mut looked_at = 0;
    for name in
        ["images/ntfs-si-vs-fn.raw.gz", "images/ntfs-win10-2vss.tgz", "images/windows_volume.qcow2"]
    {
        let Some(file) = corpus_file(name) else {
            return;
        };
        let opened = evidence::open(&[file], &evidence::Options::default());
        for evidence in opened.hosts.iter().chain(&opened.bare) {
            looked_at += 1;
            for path in [r"C:\Windows\System32\svchost.exe", r"C:\none\x.exe", r"D:\x.exe"] {
                if let Whereabouts::Present { path, .. } = evidence.look_up(path, r"C:\Windows") {
                    evidence.open(&path).unwrap();
                    evidence.metadata(&path).unwrap();
                }
            }
            let root = EvidencePath::root();
            assert!(evidence.security_descriptor(&root).is_ok(), "{name}");
            let near = evidence.neighbors(&EvidencePath::new("$MFT/40"), 16);
            assert!(near.len() <= 32, "{name}");
        }
    }
    assert!(looked_at >= 1, "{looked_at}");
}

/// Files of Windows with their catalog, as the corpus has them, in a tree that is whole.
#[test]
fn a_scan_says_who_signed_what_runs() {
    let name = "115fe8649854ad531fb7ecd1318fbee6b33c9cbd78f02ed582092a96d5eb5899.cat";
    let Some(catalog) = corpus_bytes(&format!("signatures/{name}")) else { return };
    let [library, driver] = ["DXCore.dll", "pciide.sys"]
        .map(|name| corpus_bytes(&format!("signatures/{name}")).unwrap());
    let dll = [(r"Parameters\ServiceDll", text(r"%SystemRoot%\System32\DXCore.dll"))];
    let changed_dll = [(r"Parameters\ServiceDll", text(r"%SystemRoot%\System32\changed.dll"))];
    let hive = system(&[
        ("Hosted", 0x20, HOSTED, &dll),
        ("Changed", 0x20, HOSTED, &changed_dll),
        ("Driver", 1, r"system32\drivers\pciide.sys", &[]),
        ("Plain", 0x10, r"C:\Windows\System32\plain.exe", &[]),
    ]);
    let files = whole(&["Windows/System32/svchost.exe"]);
    let root = tree("", &hive, &files.iter().map(String::as_str).collect::<Vec<_>>());
    let store = "Windows/System32/CatRoot/{F750E6C3-38EE-11D1-85E5-00C04FC295EE}";
    // Without its own signature only the catalog vouches for the library.
    let unsigned = authentihash::with_table(&library, &[]);
    let mut changed = unsigned.clone();
    changed[0x2000] ^= 1;
    put(root.path(), &format!("{store}/{name}"), &catalog);
    put(root.path(), "Windows/System32/DXCore.dll", &unsigned);
    put(root.path(), "Windows/System32/changed.dll", &changed);
    put(root.path(), "Windows/System32/drivers/pciide.sys", &driver);
    put(root.path(), "Windows/System32/plain.exe", &Program::new("plain.exe").build());
    let report = scan_one(&[root.path()]);
    let of = |path: &str| &report.files.iter().find(|file| file.path == path).unwrap().signature;
    let library = of(r"C:\Windows\System32\DXCore.dll");
    assert_eq!(library.status, SignatureStatus::ValidCatalog);
    assert!(library.catalog.as_ref().unwrap().artifact.ends_with(name));
    assert_eq!(of(r"C:\Windows\System32\changed.dll").status, SignatureStatus::Unsigned);
    assert_eq!(of(r"C:\Windows\System32\drivers\pciide.sys").status, SignatureStatus::Valid);
    assert_eq!(of(r"C:\Windows\System32\plain.exe").status, SignatureStatus::Unsigned);
    let rests_on = |name: &str, id: &str| {
        let service = report.services.iter().find(|service| service.name == name).unwrap();
        service.findings.iter().chain(&service.against).any(|finding| finding.id == id)
    };
    assert!(rests_on("Driver", "B21"), "a part of Windows in its place");
    assert!(!rests_on("Changed", "B21"));
    // It bears Microsoft's name and was changed.
    assert!(rests_on("Changed", "V03"));
    assert!(!rests_on("Hosted", "V03"));
    // Without the catalogs nothing can be said about files that bear no signature.
    std::fs::remove_dir_all(root.path().join("Windows/System32/CatRoot")).unwrap();
    let report = scan_one(&[root.path()]);
    for path in [r"C:\Windows\System32\DXCore.dll", r"C:\Windows\System32\plain.exe"] {
        let file = report.files.iter().find(|file| file.path == path).unwrap();
        assert_eq!(file.signature.status, SignatureStatus::Unknown, "{path}");
    }
}

/// Many files that nothing vouches for are no sign that catalogs were there.
#[test]
fn catalogs_that_are_not_there_are_not_unreadable() {
    let names: Vec<String> = (0..40).map(|number| format!("own{number}")).collect();
    let images: Vec<String> =
        names.iter().map(|name| format!(r"C:\Windows\System32\{name}.exe")).collect();
    let services: Vec<Made<'_>> = names
        .iter()
        .zip(&images)
        .map(|(name, image)| (name.as_str(), 0x10, image.as_str(), &[][..]))
        .collect();
    let files: Vec<String> =
        names.iter().map(|name| format!("Windows/System32/{name}.exe")).collect();
    let files = whole(&files.iter().map(String::as_str).collect::<Vec<_>>());
    let root = tree("", &system(&services), &files.iter().map(String::as_str).collect::<Vec<_>>());
    let scanned = read(root.path());
    assert_eq!(scanned.host.coverage.state(Origin::Catalogs), State::Absent);
    let present = scanned.host.files.iter().filter(|file| file.state == FileState::Present);
    assert_eq!(present.count(), 40);
}
