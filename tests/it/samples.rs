//! The samples as a reader meets them: the pages the program writes of each, and the facts their papers promise.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at a surprise")]

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use svctriage::rank::Verdict;
use svctriage::report::{Options, Report, renderer};

use crate::support::golden::assert_file;
use crate::support::pages::assert_harmless;
use crate::support::scan::report;

const SAMPLES: [&str; 4] =
    ["clean-noisy-host", "collected-programs", "compromised-workstation", "loose-files"];

/// The evidence as the README's commands name it: tests run where the package is.
fn evidence(sample: &str) -> String {
    format!("samples/{sample}/evidence")
}

fn examined(sample: &str) -> Report {
    report(&[evidence(sample)])
}

fn rendered(report: &Report, form: &str, options: &Options) -> String {
    let mut bytes = Vec::new();
    (renderer(form).unwrap().render)(report, options, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn every_sample_is_complete() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_dir() {
            continue;
        }
        for part in ["README.md", "scenario.toml"] {
            assert!(path.join(part).is_file(), "{}: no {part}", path.display());
        }
        assert!(path.join("evidence").is_dir(), "{}: no evidence", path.display());
        found.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    found.sort();
    assert_eq!(found, SAMPLES, "a sample the tests do not know");
}

#[test]
fn every_page_of_a_sample_is_as_expected() {
    for sample in SAMPLES {
        let report = examined(sample);
        let page = Options { width: 100, ..Options::default() };
        let sheet = Options { min_verdict: Some(Verdict::Note), ..page.clone() };
        for (form, options) in [("table", &page), ("markdown", &page), ("csv", &sheet)] {
            let text = rendered(&report, form, options);
            assert_harmless(&text);
            assert_file(&format!("samples/{sample}/expected.{form}"), &text);
        }
    }
}

/// One host's part of the JSON document, which is what other programs read.
struct Told(Value);

impl Told {
    fn of(sample: &str) -> Self {
        let document = rendered(&examined(sample), "json", &Options::default());
        let mut document: Value = serde_json::from_str(&document).unwrap();
        assert_eq!(document["hosts"].as_array().unwrap().len(), 1);
        Self(document["hosts"][0].take())
    }

    fn services(&self) -> &[Value] {
        self.0["services"].as_array().unwrap()
    }

    fn service(&self, name: &str) -> &Value {
        let named = self.services().iter().filter(|service| service["name"] == name);
        let named: Vec<&Value> = named.collect();
        assert_eq!(named.len(), 1, "{name}");
        named[0]
    }

    /// The services to review or to escalate, in order.
    fn suspects(&self) -> Vec<&str> {
        let is_suspect = |service: &&Value| matches!(verdict(service), "review" | "escalate");
        self.services().iter().filter(is_suspect).map(name).collect()
    }

    /// States of what could speak, by its name.
    fn coverage(&self) -> BTreeMap<&str, &str> {
        let all = self.0["coverage"].as_array().unwrap().iter();
        all.map(|one| (one["origin"].as_str().unwrap(), one["state"].as_str().unwrap())).collect()
    }

    fn losses(&self) -> Vec<&Value> {
        let all = self.0["diagnostics"].as_array().unwrap().iter();
        all.filter(|one| one["impact"] != "note").collect()
    }
}

fn name(service: &Value) -> &str {
    service["name"].as_str().unwrap()
}

fn verdict(service: &Value) -> &str {
    service["verdict"].as_str().unwrap()
}

fn findings(service: &Value) -> Vec<&str> {
    let all = service["findings"].as_array().unwrap().iter();
    all.map(|finding| finding["id"].as_str().unwrap()).collect()
}

/// Whether anything that is said of a service says this.
fn says(service: &Value, words: &str) -> bool {
    service.to_string().contains(&Value::from(words).to_string().trim_matches('"').to_owned())
}

/// Decoys stay below `review`, whatever is noted of them.
fn assert_decoys(told: &Told, decoys: &[&str]) {
    let suspects = told.suspects();
    for decoy in decoys {
        let service = told.service(decoy);
        assert!(!suspects.contains(decoy), "{decoy}: {:?}", findings(service));
    }
    assert!(!suspects.iter().any(|name| name.starts_with("MpKsl")), "{suspects:?}");
}

#[test]
fn the_compromised_workstation_shows_what_was_planted_first() {
    let told = Told::of("compromised-workstation");
    let mut suspects = told.suspects();
    suspects.sort_unstable();
    assert_eq!(suspects, ["PSEXESVC", "Spooler", "WebClient", "gdrvx", "sysupdhlp"]);
    assert_decoys(
        &told,
        &[
            "KestrelScanAgent",
            "MSiSCSI",
            "spectrum",
            "WinDefend",
            "Sysmon64",
            "SysmonDrv",
            "AdobeARMservice",
            "e1i65x64",
            "iaStorAC",
            "BITS",
        ],
    );
    for (name, registry, words) in [
        ("PSEXESVC", false, "whoami /groups & net localgroup administrators"),
        ("PSEXESVC", false, "10.20.4.77"),
        ("sysupdhlp", true, r"C:\Users\Public\Libraries\sysupdhlp.exe -svc"),
        ("sysupdhlp", true, "10.20.4.77"),
        ("sysupdhlp", true, r"HALDEN\adm-tveit"),
        ("sysupdhlp", true, "nltest /dclist:halden.example"),
        ("sysupdhlp", true, "203.0.113.45"),
        ("Spooler", true, "sc  failure"),
        ("WebClient", true, r"C:\ProgramData\Intel\webclnt.dll"),
        ("WebClient", true, r"C:\Windows\System32\reg.exe"),
        ("gdrvx", true, r"\??\C:\Windows\Temp\gdrvx.sys"),
    ] {
        let service = told.service(name);
        assert_eq!(service["registry"], registry, "{name}");
        assert!(says(service, words), "{name}: nothing says {words}");
    }
    for (name, armed) in [
        ("Spooler", true),
        ("spectrum", true),
        ("WinDefend", true),
        ("KestrelScanAgent", false),
        ("MSiSCSI", false),
    ] {
        assert_eq!(told.service(name)["failure_command"]["armed"], armed, "{name}");
    }
    assert_eq!(told.service("WebClient")["service_dll"], r"C:\ProgramData\Intel\webclnt.dll");
    let ghost = told.service("PSEXESVC");
    let recovered = |state: &Value| !state["confidence"].is_null();
    assert!(ghost["history"].as_array().unwrap().iter().any(recovered), "{}", ghost["history"]);
    let driver = &told.service("gdrvx")["configuration"];
    assert_eq!(driver["citation"]["provenance"], "transaction_log");
    assert_eq!(told.losses(), Vec::<&Value>::new());
    for origin in ["system_hive", "software_hive", "system_log", "security_log", "sysmon_log"] {
        assert_eq!(told.coverage()[origin], "complete", "{origin}");
    }
}

#[test]
fn the_clean_host_has_nothing_to_review() {
    let told = Told::of("clean-noisy-host");
    assert_eq!(told.suspects(), Vec::<&str>::new());
    assert_decoys(
        &told,
        &[
            "NVDisplay.ContainerLocalSystem",
            "NordvikTimeAgent",
            "windows_exporter",
            "CalibraLicense",
            "vmxnet3ndis6",
            "vmci",
            "vm3dmp",
            "nvlddmkm",
            "NVHDA",
            "vm3dservice",
            "VMTools",
            "VGAuthService",
            "gupdate",
            "gupdatem",
            "GoogleChromeElevationService",
            "MozillaMaintenance",
            "ClickToRunSvc",
        ],
    );
    let container = told.service("NVDisplay.ContainerLocalSystem");
    assert_eq!(container["failure_command"]["armed"], true);
    let exporter = told.service("windows_exporter");
    assert!(says(exporter, r"C:\Program Files\windows_exporter\windows_exporter.exe"));
    assert_eq!(told.coverage()["sysmon_log"], "absent");
    assert_eq!(told.losses(), Vec::<&Value>::new());
}

#[test]
fn loose_files_are_read_as_one_host() {
    let told = Told::of("loose-files");
    assert_eq!(told.0["host"]["name"], "LAB-PC-022");
    assert_eq!(told.suspects(), ["WinAudioSync"]);
    assert_decoys(&told, &["BITS"]);
    let service = told.service("WinAudioSync");
    assert!(says(service, r"C:\ProgramData\sync\audio.ps1"));
    assert!(says(service, "S-1-5-21-1085031214-1563985344-725345543-1007"));
    let failed = |event: &&Value| matches!(event["event_id"].as_u64(), Some(7009 | 7000));
    let events = service["events"].as_array().unwrap();
    assert_eq!(events.iter().filter(failed).count(), 2, "{events:?}");
    for (origin, state) in [("system_log", "complete"), ("security_log", "absent")] {
        assert_eq!(told.coverage()[origin], state, "{origin}");
    }
    let log = told.0["coverage"].as_array().unwrap();
    let log = log.iter().find(|one| one["origin"] == "system_log").unwrap();
    assert!(says(log, "chunks not yet written back"), "{log}");
}

#[test]
fn threads_change_no_word_of_a_report() {
    for sample in SAMPLES {
        let documents = [1, 8].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let report = pool.install(|| examined(sample));
            rendered(&report, "json", &Options::default())
        });
        assert!(documents[0] == documents[1], "{sample}");
    }
}

#[test]
fn threads_change_no_word_about_a_real_host() {
    use crate::support::corpus::{corpus_file, corpus_folder};
    let folder = tempfile::tempdir().unwrap();
    for name in ["SYSTEM", "SYSTEM.LOG1", "SYSTEM.LOG2"] {
        let packed = format!("hives/win10-1709-dirty.{name}.xz");
        let Some(source) = corpus_file(&packed) else { return };
        std::fs::copy(source, folder.path().join(name)).unwrap();
    }
    let Some(logs) = corpus_folder("evtx/server2016-capattack.tar.xz") else { return };
    for evidence in [folder.path(), &logs] {
        let documents = [1, 8].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let report = pool.install(|| report(&[evidence]));
            rendered(&report, "json", &Options::default())
        });
        assert!(documents[0].len() > 10_000);
        assert!(documents[0] == documents[1], "{}", evidence.display());
    }
}
