//! The samples: made from their scenarios, byte for byte, and holding what their stories say.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "helpers of tests fail loudly; samples are read to be compared, not examined"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use svctriage::lab::scenario::Scenario;

fn samples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let mut stories: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("scenario.toml").is_file())
        .collect();
    stories.sort();
    stories
}

fn scenario(story: &Path) -> Scenario {
    Scenario::parse(&std::fs::read_to_string(story.join("scenario.toml")).unwrap()).unwrap()
}

fn on_disk(story: &Path) -> BTreeMap<String, Vec<u8>> {
    let evidence = story.join("evidence");
    walkdir::WalkDir::new(&evidence)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path().strip_prefix(&evidence).unwrap();
            let names: Vec<&str> = path.iter().map(|name| name.to_str().unwrap()).collect();
            (names.join("/"), std::fs::read(entry.path()).unwrap())
        })
        .collect()
}

fn made(scenario: &Scenario) -> BTreeMap<String, Vec<u8>> {
    let files = scenario.evidence().unwrap();
    files.into_iter().map(|file| (file.path, file.bytes)).collect()
}

#[test]
fn committed_evidence_is_what_its_scenario_makes() {
    for story in samples() {
        let (disk, made) = (on_disk(&story), made(&scenario(&story)));
        let paths: Vec<&String> = made.keys().collect();
        assert_eq!(disk.keys().collect::<Vec<_>>(), paths, "{}", story.display());
        for (path, bytes) in &made {
            assert!(disk.get(path) == Some(bytes), "{}: {path} differs", story.display());
        }
        let size: usize = made.values().map(Vec::len).sum();
        assert!(size <= 3 << 19, "{}: {size} bytes", story.display());
    }
    assert_eq!(samples().len(), 4);
}

/// Names of the services of a hive, opened as a dirty hive can be.
fn services(hive: &[u8]) -> Vec<String> {
    let hive = nt_hive::Hive::without_validation(hive).unwrap();
    let root = hive.root_key_node().unwrap();
    let services = root.subpath("ControlSet001\\Services").unwrap().unwrap();
    let names = services.subkeys().unwrap().unwrap();
    names.map(|key| key.unwrap().name().unwrap().to_string_lossy()).collect()
}

/// Event ids of a log with how often they occur, unflushed records included.
fn events(log: &[u8]) -> BTreeMap<u64, usize> {
    let settings = evtx::ParserSettings::new().num_threads(1).recover_records(true);
    let mut parser =
        evtx::EvtxParser::from_buffer(log.to_vec()).unwrap().with_configuration(settings);
    let mut counts = BTreeMap::new();
    for record in parser.records_json_value() {
        let event = record.unwrap().data;
        let id = event.pointer("/Event/System/EventID").unwrap();
        let id = id.get("#text").unwrap_or(id).as_u64().unwrap();
        *counts.entry(id).or_insert(0) += 1;
    }
    counts
}

#[test]
fn the_stories_are_in_the_evidence() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let files = on_disk(&folder.join("compromised-workstation"));
    let hive = files.get("Windows/System32/config/SYSTEM").unwrap();
    let names = services(hive);
    assert_eq!(names.iter().filter(|name| name.contains("sysupdhlp")).count(), 1);
    for gone in ["gdrvx", "PSEXESVC"] {
        assert!(!names.iter().any(|name| name == gone), "{gone}");
    }
    assert!(hive.windows(8).any(|bytes| bytes == b"PSEXESVC"), "a deleted key leaves its bytes");
    let system = events(files.get("Windows/System32/winevt/Logs/System.evtx").unwrap());
    assert_eq!(system.get(&7031), Some(&1));

    let files = on_disk(&folder.join("loose-files"));
    let live = events(files.get("System_backup.evtx").unwrap());
    let expected = [(12, 1), (13, 1), (6005, 1), (6006, 1), (7000, 1), (7009, 1), (7026, 1)];
    for (id, count) in expected {
        assert_eq!(live.get(&id), Some(&count), "{id}");
    }
}

#[test]
fn a_server_logs_states_and_a_hidden_service_denies_everyone() {
    let story = samples().pop().unwrap();
    let text = std::fs::read_to_string(story.join("scenario.toml")).unwrap();
    let more = r#"
        [[action]]
        at = "2022-06-08T11:00:00Z"
        do = "start-service"
        service = "W32Time"
        [[action]]
        at = "2022-06-08T11:05:00Z"
        do = "set-security"
        service = "WinAudioSync"
        sddl = "D:(D;;DCLCWPDTSD;;;IU)(D;;DCLCWPDTSD;;;SU)(A;;CCLCSWRPWPDTLOCRRC;;;SY)"
        by = "student7"
    "#;
    let text = text.replace("release = \"1909\"", "release = \"1909\"\nserver = true");
    let made = made(&Scenario::parse(&format!("{text}{more}")).unwrap());
    assert_eq!(events(made.get("System_backup.evtx").unwrap()).get(&7036), Some(&1));
    let hive = made.get("lab-pc-022_hklm-export.dat").unwrap();
    let hive = nt_hive::Hive::new(hive.as_slice()).unwrap();
    let path = "ControlSet001\\Services\\WinAudioSync\\Security";
    let key = hive.root_key_node().unwrap().subpath(path).unwrap().unwrap();
    let bytes = key.value("Security").unwrap().unwrap().data().unwrap().into_vec().unwrap();
    assert_eq!(bytes.get(..4), Some(&[1, 0, 4, 0x80][..]));
    assert_eq!(bytes.get(28), Some(&1), "a deny entry comes first");
}

#[test]
fn every_sample_has_its_papers() {
    for story in samples() {
        let readme = std::fs::read_to_string(story.join("README.md")).unwrap();
        for path in on_disk(&story).keys() {
            assert!(readme.contains(&format!("`{path}`")), "{}: {path}", story.display());
        }
    }
}

#[test]
fn another_seed_changes_the_bytes_and_not_the_story() {
    let mut scenario = scenario(&samples().pop().unwrap());
    let before = made(&scenario);
    assert_eq!(before, made(&scenario));
    scenario.seed += 1;
    let after = made(&scenario);
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    assert_ne!(before, after);
}

#[test]
fn a_scenario_that_cannot_be_told_says_why() {
    let story = samples().pop().unwrap();
    let text = std::fs::read_to_string(story.join("scenario.toml")).unwrap();
    for (from, to, message) in [
        (
            "service = \"WinAudioSync\"\noutcome",
            "service = \"Nothing\"\noutcome",
            "no service named Nothing",
        ),
        ("by = \"student7\"", "by = \"student8\"", "no user named student8"),
        ("do = \"restart\"", "do = \"reboot\"", "reboot"),
        ("start = \"auto\"", "starts = \"auto\"", "starts"),
        ("sid = \"S-1-5-", "sid = \"S-1-x-", "is not a security identifier"),
    ] {
        assert!(text.contains(from), "{from}");
        let told = Scenario::parse(&text.replacen(from, to, 1)).and_then(|it| it.evidence());
        let error = told.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(message), "{from}: {error}");
    }
}
