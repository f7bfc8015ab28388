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
    assert_eq!(samples().len(), 3);
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
