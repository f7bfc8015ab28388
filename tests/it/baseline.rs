//! Baselines from the command line to the report: what enters one, what it vouches for, and what it never hides.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "the tests start the program with evidence of their own and may stop at a surprise"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use svctriage::checklist::baseline::{
    BaselineFile, FORMAT, GoldHost, Header, Maker, Row, SCHEMA, Terms,
};
use svctriage::checklist::{Baseline, Expected, Family, Need, Scene, indicators};
use svctriage::host::Origin;
use svctriage::host::config::{Data as Value_, ValueOrder};
use svctriage::lab::regf::{BaseBlock, Data, Hive};
use svctriage::rank::{self, HARD_FLOOR, Ranked, Tuning, Verdict};
use tempfile::TempDir;

use crate::support::corpus::corpus_file;

/// Self-relative, present and null DACL.
const EVERYBODY: &[u8] = &[1, 0, 4, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

fn svctriage(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_svctriage"))
        .args(arguments)
        .stdin(Stdio::null())
        .env_remove("CLICOLOR_FORCE")
        .output()
        .unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name).join("evidence")
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Makes a baseline; the first line and the others.
fn create(evidence: &[&Path], options: &[&str]) -> (Value, Vec<Value>, String, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let gold = folder.path().join("gold.jsonl");
    let mut arguments = vec!["baseline", "create"];
    arguments.extend(evidence.iter().map(|path| text(path)));
    arguments.extend(["-o", text(&gold)]);
    arguments.extend(options);
    let output = svctriage(&arguments);
    assert!(matches!(output.status.code(), Some(0 | 2)), "{}", stderr(&output));
    assert!(output.stdout.is_empty());
    let bytes = fs::read(&gold).unwrap();
    let mut lines = std::str::from_utf8(&bytes)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let header: Value = lines.next().unwrap();
    let rows: Vec<Value> = lines.collect();
    assert_eq!(header["rows"], rows.len());
    (header, rows, stderr(&output), bytes)
}

fn scan(evidence: &Path, options: &[&str]) -> Value {
    let mut arguments = vec!["scan", text(evidence), "--format", "json", "--all", "-q"];
    arguments.extend(options);
    let output = svctriage(&arguments);
    assert!(matches!(output.status.code(), Some(0 | 2)), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn written(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn names(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["name"].as_str().unwrap()).collect()
}

/// Services of a report's first host that have that verdict or a worse one, worst first.
fn ranked<'a>(report: &'a Value, verdicts: &[&str]) -> Vec<&'a str> {
    let services = report.pointer("/hosts/0/services").unwrap().as_array().unwrap();
    let worse = services.iter().filter(|one| verdicts.contains(&one["verdict"].as_str().unwrap()));
    worse.map(|one| one["name"].as_str().unwrap()).collect()
}

fn ids<'a>(service: &'a Value, part: &str) -> Vec<&'a str> {
    service[part].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect()
}

const LOOK: [&str; 2] = ["escalate", "review"];

#[test]
fn a_clean_host_becomes_a_baseline_that_keeps_intruders_on_top() {
    let folder = tempfile::tempdir().unwrap();
    let clean = sample("clean-noisy-host");
    let (header, rows, said, bytes) = create(&[&clean], &[]);
    assert_eq!((&header["format"], &header["schema"]), (&Value::from(FORMAT), &Value::from(1)));
    assert!(rows.len() > 500, "{}", rows.len());
    assert!(said.contains("services and variants of 1 host are on the baseline"), "{said}");
    assert_eq!(header["builds"].as_array().unwrap().len(), 1);
    let folded: Vec<String> = names(&rows).iter().map(|name| svctriage::text::fold(name)).collect();
    assert!(folded.is_sorted(), "sorted by name");
    for threads in ["1", "8"] {
        assert_eq!(create(&[&clean], &["--threads", threads]).3, bytes, "{threads} threads");
    }

    let gold = written(&folder, "gold.jsonl", &bytes);
    let compromised = sample("compromised-workstation");
    let before = scan(&compromised, &[]);
    let after = scan(&compromised, &["--baseline", text(&gold)]);
    let planted = ranked(&before, &LOOK);
    assert!(planted.len() >= 4);
    let now = ranked(&after, &LOOK);
    assert!(planted.iter().all(|name| now.contains(name)), "{planted:?} / {now:?}");
    assert_eq!(now.len(), planted.len(), "nothing benign came to them: {now:?}");
    let given = after.pointer("/settings/baselines/0").unwrap();
    assert_eq!(given["sha256"], svctriage::text::hex(&Sha256::digest(&bytes)).as_str());
    assert_eq!(given["rows"], rows.len());
    let coverage = after.pointer("/hosts/0/coverage").unwrap().as_array().unwrap();
    let baseline = coverage.iter().find(|one| one["origin"] == "baseline").unwrap();
    assert_eq!(baseline["state"], "complete");
    let services = after.pointer("/hosts/0/services").unwrap().as_array().unwrap();
    let vouched = services.iter().filter(|one| ids(one, "against").contains(&"B11")).count();
    assert!(vouched > 450, "{vouched}");
    for name in planted {
        let service = services.iter().find(|one| one["name"] == name).unwrap();
        assert!(!ids(service, "against").contains(&"B11"), "{name} is on no baseline");
    }
}

#[test]
fn a_host_is_wholly_on_its_own_baseline() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["clean-noisy-host", "compromised-workstation", "collected-programs"] {
        let evidence = sample(name);
        let (header, rows, _, bytes) = create(&[&evidence], &[]);
        let gold = written(&folder, &format!("{name}.jsonl"), &bytes);
        let report = scan(&evidence, &["--baseline", text(&gold)]);
        let refused = header["refused"].as_array().unwrap();
        let services = report.pointer("/hosts/0/services").unwrap().as_array().unwrap();
        for service in services.iter().filter(|one| !one["configuration"].is_null()) {
            let is_refused = refused.iter().any(|one| one["name"] == service["name"]);
            let deviations: Vec<&str> =
                ids(service, "findings").into_iter().filter(|id| id.starts_with('G')).collect();
            assert!(deviations.is_empty(), "{name}: {} {deviations:?}", service["name"]);
            let vouched = ids(service, "against").contains(&"B11");
            // Values vouch for no file that nobody signed; its digest does.
            assert_eq!(vouched, !is_refused, "{name}: {}", service["name"]);
        }
        assert!(!rows.is_empty());
        let diff = svctriage(&["diff", text(&evidence), text(&gold), "--format", "json", "-q"]);
        let diff: Value = serde_json::from_slice(&diff.stdout).unwrap();
        let host = diff.pointer("/hosts/0").unwrap();
        assert_eq!((&host["changed"], &host["removed"]), (&Value::from(0), &Value::from(0)));
        let why = |one: &Value| one["fields"][0]["before"].as_str().unwrap().to_owned();
        for one in host["services"].as_array().unwrap() {
            assert!(why(one).starts_with("kept out: "), "{one}");
        }
    }
}

/// A host of one more service than a hundred, with that command of the first.
fn host(name: &str, service: &str, command: &str) -> TempDir {
    let at = |seconds: i64| Timestamp::from_second(1_600_000_000 + seconds).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, values: Vec<(String, &str, Data)>| {
        let mut hive = Hive::new("ROOT", EVERYBODY, at(0));
        for (path, value, data) in values {
            let key = hive.create(&path, at(1));
            hive.set(key, value, &data, at(2));
        }
        let path = folder.path().join("Windows/System32/config").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, hive.to_bytes(&BaseBlock::clean(file, 7))).unwrap();
    };
    let set = "ControlSet001";
    let mut values = vec![
        ("Select".to_owned(), "Current", Data::Dword(1)),
        (
            format!(r"{set}\Control\ComputerName\ComputerName"),
            "ComputerName",
            Data::Text(name.to_owned()),
        ),
    ];
    let others: Vec<String> = (0..100).map(|number| format!("Vendor{number}")).collect();
    for one in others.iter().map(String::as_str).chain([service]) {
        let key = format!(r"{set}\Services\{one}");
        let program = format!(r#""C:\Program Files\Acme\{one}.exe""#);
        let program = if one == service { command.to_owned() } else { program };
        for (value, data) in [
            ("Type", Data::Dword(0x10)),
            ("Start", Data::Dword(2)),
            ("ErrorControl", Data::Dword(1)),
            ("ImagePath", Data::Text(program)),
            ("DisplayName", Data::Text(format!("{one} of Acme"))),
            ("ObjectName", Data::Text("LocalSystem".to_owned())),
            ("Description", Data::Text("Serves Acme's products.".to_owned())),
        ] {
            values.push((key.clone(), value, data));
        }
    }
    write("SYSTEM", values);
    let version = r"Microsoft\Windows NT\CurrentVersion".to_owned();
    write(
        "SOFTWARE",
        vec![
            (version.clone(), "ProductName", Data::Text("Windows 10 Pro".to_owned())),
            (version.clone(), "CurrentBuild", Data::Text("19045".to_owned())),
            (version, "CurrentBuildNumber", Data::Text("19045".to_owned())),
        ],
    );
    folder
}

#[test]
fn known_tools_never_enter_a_baseline_and_are_listed() {
    let gold = host("GOLD01", "PSEXESVC", r"%SystemRoot%\PSEXESVC.exe");
    let (header, rows, said, _) = create(&[gold.path()], &[]);
    assert!(!names(&rows).contains(&"PSEXESVC"));
    assert_eq!(header["refused"][0]["name"], "PSEXESVC");
    assert!(said.contains("kept out: PSEXESVC of GOLD01, "), "{said}");
    assert_eq!(rows.len(), 100);

    // What one host shows to be bad is not learned from another that shows less of it; RMM enters on request alone.
    let rmm =
        host("GOLD02", "AnyDesk", r#""C:\Program Files (x86)\AnyDesk\AnyDesk.exe" --service"#);
    let (_, rows, _, _) = create(&[rmm.path()], &[]);
    assert!(!names(&rows).contains(&"AnyDesk"));
    let (header, rows, _, _) = create(&[rmm.path(), gold.path()], &["--include-rmm"]);
    assert!(names(&rows).contains(&"AnyDesk"), "{}", header["refused"]);
    assert!(!names(&rows).contains(&"PSEXESVC"));
    assert_eq!(
        (&header["hosts"][0]["name"], &header["hosts"][1]["name"]),
        (&"GOLD01".into(), &"GOLD02".into())
    );
    let both = rows.iter().find(|row| row["name"] == "Vendor0").unwrap();
    assert_eq!((&both["hosts"], &both["builds"][0]), (&Value::from(2), &Value::from(19045)));

    // The score that trust pulls below 20 does not count, what speaks against it does.
    let planted = sample("compromised-workstation");
    let (header, rows, said, _) = create(&[&planted], &[]);
    for name in ["PSEXESVC", "sysupdhlp", "WebClient", "gdrvx", "Spooler"] {
        assert!(!names(&rows).contains(&name), "{name}");
        let refused = header["refused"].as_array().unwrap();
        // PSEXESVC deleted itself: it has no key that could be learned from.
        let is_refused = refused.iter().any(|one| one["name"] == name);
        assert!(is_refused || name == "PSEXESVC", "{name}");
    }
    assert!(said.contains("is no clean host: ESCALATE"), "{said}");
}

#[test]
fn a_report_makes_the_same_baseline_as_its_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let clean = sample("clean-noisy-host");
    let report = folder.path().join("report.json");
    let output = svctriage(&["scan", text(&clean), "--format", "json", "-q", "-o", text(&report)]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(create(&[&report], &[]).3, create(&[&clean], &[]).3);

    let tuned = folder.path().join("tuned.json");
    let output = svctriage(&[
        "scan",
        text(&clean),
        "--format",
        "json",
        "-q",
        "-o",
        text(&tuned),
        "--ignore",
        "N01",
    ]);
    assert!(output.status.success());
    let target = folder.path().join("x.jsonl");
    let output = svctriage(&["baseline", "create", text(&tuned), "-o", text(&target)]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("plain judgement") && !target.exists());
    fs::write(&target, "mine").unwrap();
    let output = svctriage(&["baseline", "create", text(&clean), "-o", text(&target)]);
    assert_eq!(output.status.code(), Some(5));
    assert_eq!(fs::read_to_string(&target).unwrap(), "mine");
}

#[test]
fn what_is_no_baseline_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let gold = host("GOLD01", "Agent", r#""C:\Program Files\Acme\agent.exe""#);
    let (_, _, _, bytes) = create(&[gold.path()], &[]);
    let whole = String::from_utf8(bytes).unwrap();
    let newer = whole.replacen("\"schema\":1", "\"schema\":2", 1);
    let odd = whole.replacen("\"start\":2", "\"start\":2,\"trusted\":true", 1);
    let half = &whole[..whole.len() / 2];
    let mut binary = whole.clone().into_bytes();
    let second = whole.find('\n').unwrap() + 5;
    binary[second] = 0xff;
    for (bytes, expected) in [
        (newer.as_bytes(), "line 1: a newer svctriage wrote this baseline"),
        (odd.as_bytes(), "line 2: unknown field `trusted`"),
        (half.as_bytes(), "line "),
        (b"", "line 1: this is no baseline"),
        (b"PK\x03\x04", "line 1: this is no baseline"),
        (b"{\"schema\":1,\"hosts\":[]}", "line 1: this is no baseline"),
        (&binary, "line 2: bytes that are no text"),
    ] {
        let path = written(&folder, "broken.jsonl", bytes);
        let output = svctriage(&["scan", text(gold.path()), "--baseline", text(&path)]);
        assert_eq!(output.status.code(), Some(3), "{expected}");
        assert!(stderr(&output).contains(expected), "{} / {expected}", stderr(&output));
        assert!(output.stdout.is_empty());
    }
    let missing = folder.path().join("missing.jsonl");
    let output = svctriage(&["scan", text(gold.path()), "--baseline", text(&missing)]);
    assert_eq!(output.status.code(), Some(3));
}

/// A baseline that learned these services verbatim, whatever speaks against them.
fn learned(rows: Vec<Row>) -> Baseline {
    let header = Header {
        format: FORMAT.to_owned(),
        schema: SCHEMA,
        tool: Maker { name: "svctriage".to_owned(), version: "0.1.0".to_owned() },
        settings: Terms::default(),
        hosts: vec![GoldHost::default()],
        builds: vec![19045],
        rows: rows.len(),
        without_key: 0,
        refused: Vec::new(),
    };
    Baseline::new(vec![(
        "gold.jsonl".to_owned(),
        BaselineFile { header, rows: (2..).zip(rows).collect() },
    )])
}

fn row(scene: Scene) -> Option<Row> {
    let row = scene.ask(|scope| Row::of(scope.host, scope.service)).flatten();
    row.map(|row| Row { hosts: 1, builds: vec![19045], ..row })
}

fn judged<T>(scene: Scene, tell: impl FnOnce(&Ranked<'_>) -> T) -> Option<T> {
    scene
        .ask(|scope| {
            let ranked = rank::rank(scope.host, scope.given, &Tuning::default());
            let own = ranked.iter().find(|one| std::ptr::eq(one.service, scope.service));
            own.map(tell)
        })
        .flatten()
}

fn is_vouched(family: Family) -> bool {
    matches!(family, Family::Q1 | Family::Q2 | Family::Q3)
}

#[test]
fn a_baseline_takes_back_nothing_but_names_programs_and_times() {
    let mut asked = 0;
    for indicator in indicators().filter(|one| one.family != Family::B) {
        for example in indicator.examples.iter().filter(|one| one.answer == Expected::Yes) {
            let Some(own) = row((example.given)()) else { continue };
            let with = (example.given)().baseline(learned(vec![own]));
            let what = format!("{} {}", indicator.id, example.title);
            judged(with, |ranked| {
                let unvouched =
                    ranked.findings.iter().filter(|one| !is_vouched(one.indicator.family));
                let least: i32 = unvouched.map(|one| one.contribution).sum();
                // What the analyst approved counts in full; that is no baseline.
                let of_policy = ranked.against.iter().filter(|one| {
                    let mut origins = one.indicator.needs.iter().flat_map(Need::origins);
                    origins.any(|origin| origin == Origin::ChangePolicy)
                });
                let least = least + of_policy.map(|one| one.contribution).sum::<i32>();
                if least > 0 {
                    assert!(ranked.score >= least, "{what}: {} < {least}", ranked.score);
                    asked += 1;
                }
                if ranked.findings.iter().any(|one| one.indicator.hard) {
                    assert!(ranked.score >= HARD_FLOOR, "{what}: {}", ranked.score);
                }
                for finding in &ranked.findings {
                    assert!(finding.contribution >= 0, "{what}: {}", finding.indicator.id);
                }
            });
        }
    }
    assert!(asked > 50, "{asked}");
}

fn windows(scene: Scene) -> Scene {
    scene.windows("Windows 10 Pro", "19045.3570")
}

fn agent() -> Scene {
    windows(Scene::service("Agent").program(|_| ()))
}

fn defender() -> Scene {
    windows(
        Scene::hosted("WinDefend")
            .image(r#""C:\Program Files\Windows Defender\MsMpEng.exe""#)
            .without("Parameters\\ServiceDll")
            .number("Type", 0x10)
            .number("Start", 2)
            .number("LaunchProtected", 3)
            .order(ValueOrder::Alphabetical),
    )
}

/// Tampered with, a service of the baseline is told and never below what it is without the baseline.
#[test]
fn tampering_with_a_service_of_the_baseline_is_told() {
    const USER: &str = "S-1-5-21-1004336348-1177238915-682003330-1104";
    type Made = fn() -> Scene;
    let cases: [(&str, Made, Made, &[&str]); 11] = [
        (
            "failure command",
            agent,
            || {
                agent()
                    .text("FailureCommand", r"cmd.exe /c C:\ProgramData\s.bat")
                    .failure_actions(&[3])
            },
            &["F01", "G03"],
        ),
        ("access rules", agent, || agent().access(true, "S-1-5-11", 0xf01ff), &["S02"]),
        ("denied", agent, || agent().access(false, "S-1-5-4", 0xf01ff), &["S01"]),
        (
            "key owner",
            agent,
            || {
                agent().configure(|config| {
                    config.key_security = Some(svctriage::host::config::AccessRules {
                        sddl: format!("O:{USER}"),
                        owner: Some(USER.to_owned()),
                        ..Default::default()
                    });
                })
            },
            &["W15"],
        ),
        ("disabled", defender, || defender().number("Start", 4), &["D01", "G04"]),
        ("unprotected", defender, || defender().without("LaunchProtected"), &["D03"]),
        ("account", || agent().text("ObjectName", r"NT AUTHORITY\LocalService"), agent, &["G02"]),
        ("program", agent, || agent().image(r"C:\Users\Public\x.exe"), &["P01", "G01"]),
        (
            "bytes",
            agent,
            || {
                windows(Scene::service("Agent").program(|file| {
                    file.content.as_mut().unwrap().digests.sha256 = "55".repeat(32);
                    file.signature = svctriage::host::program_file::Signature {
                        status: svctriage::host::program_file::SignatureStatus::Unsigned,
                        ..Default::default()
                    };
                }))
            },
            &["G06"],
        ),
        (
            "library",
            agent,
            || {
                agent().value(
                    "Performance\\Library",
                    1,
                    Value_::Text(r"C:\ProgramData\p.dll".to_owned()),
                )
            },
            &["P30"],
        ),
        (
            "wrapped",
            || {
                windows(
                    Scene::service("Agent")
                        .image(r"C:\nssm\nssm.exe")
                        .text("Parameters\\Application", r"C:\Program Files\Acme\a.exe"),
                )
            },
            || {
                windows(
                    Scene::service("Agent")
                        .image(r"C:\nssm\nssm.exe")
                        .text("Parameters\\Application", r"C:\Users\Public\b.exe"),
                )
            },
            &["P01", "G01"],
        ),
    ];
    for (what, good, tampered, expected) in cases {
        let gold = || learned(vec![row(good()).unwrap()]);
        let clean = judged(good().baseline(gold()), |one| {
            let vouched = one.against.iter().any(|one| one.indicator.id == "B11");
            (vouched, one.findings.iter().any(|one| one.indicator.id.starts_with('G')))
        });
        assert_eq!(clean, Some((true, false)), "{what}: the service as it was");
        let without = judged(tampered(), |one| (one.score, one.verdict)).unwrap();
        judged(tampered().baseline(gold()), |one| {
            let found: Vec<&str> = one.findings.iter().map(|one| one.indicator.id).collect();
            for id in expected {
                assert!(found.contains(id), "{what}: {id} is not among {found:?}");
            }
            assert!(one.against.iter().all(|one| one.indicator.id != "B11"), "{what}: vouched for");
            assert!((one.score, one.verdict) >= without, "{what}: {} {without:?}", one.score);
        })
        .unwrap();
    }
    // Even where the bytes vouch: who disables protection is not vouched for.
    let disabled = || defender().program(|_| ()).number("Start", 4);
    let gold = learned(vec![row(defender().program(|_| ())).unwrap()]);
    let (vouched, score, verdict) = judged(disabled().baseline(gold), |one| {
        let vouched = one.against.iter().any(|one| one.indicator.id == "B11");
        (vouched, one.score, one.verdict)
    })
    .unwrap();
    assert!(vouched && score >= HARD_FLOOR && verdict >= Verdict::Review, "{score} {verdict:?}");
}

#[test]
fn another_build_is_said_and_counts_half() {
    let gold = || learned(vec![row(agent()).unwrap()]);
    let weight = |scene: Scene| {
        judged(scene.baseline(gold()), |one| {
            let trust = one.against.iter().find(|one| one.indicator.id == "B11");
            trust.map(|one| (one.weight, one.hit.because.clone()))
        })
        .flatten()
    };
    let (same, _) = weight(agent()).unwrap();
    let older = Scene::service("Agent").program(|_| ()).windows("Windows 10 Pro", "18362.1");
    let (other, because) = weight(older).unwrap();
    assert_eq!((same, other), (-20, -10));
    assert!(because.contains("another build"), "{because}");
}

/// Real hives of two versions of Windows: the same build makes no noise, another build is not measured against.
#[test]
fn real_hosts_stay_quiet_beside_a_baseline() {
    let folder = tempfile::tempdir().unwrap();
    let Some(newer) = corpus_file("hives/win10-1903-dirty-nologs.SYSTEM.xz") else { return };
    let Some(older) = corpus_file("hives/win10-1709-dirty.SYSTEM.xz") else { return };
    let (_, rows, _, bytes) = create(&[&newer], &[]);
    assert!(rows.len() > 500);
    let gold = written(&folder, "1903.jsonl", &bytes);
    for evidence in [newer, older, sample("clean-noisy-host")] {
        let before = scan(&evidence, &[]);
        let after = scan(&evidence, &["--baseline", text(&gold)]);
        let (old, new) = (ranked(&before, &LOOK), ranked(&after, &LOOK));
        assert!(new.iter().all(|name| old.contains(name)), "{old:?} / {new:?}");
    }
}
