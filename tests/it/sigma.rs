//! Sigma rules over made and real logs: what they find, whom it concerns, and what bad rules cost.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "the tests' own files, not a report's evidence")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use svctriage::artifact::sigma::{RuleFile, Rules};
use svctriage::host::rule_hit::{RuleLevel, RuleSet};
use svctriage::lab::evtx::{Log, Payload, Provider, State, Value};
use svctriage::report::HostReport;
use svctriage::report::rule::SeenAct;

use crate::support::corpus::{corpus_file, corpus_folder};
use crate::support::lab::{event, start};
use crate::support::logs::logs;
use crate::support::scan::scan_with_rules;

const SCM: Provider =
    Provider::Source("Service Control Manager", "{555908d1-a6d7-4695-8e1e-26931d2012f4}");
const AUDIT: Provider = Provider::Manifest("Microsoft-Windows-Security-Auditing", [7; 16]);
const OTHER: Provider = Provider::Manifest("Some-Provider", [9; 16]);

const SERVICES: &str = include_str!("../sigma/services.yml");
const CORRELATIONS: &str = include_str!("../sigma/correlations.yml");
const FAILURE: &str = include_str!("../sigma/failure_command.yml");
const ATTACKS: &str = "evtx/evtx-to-mitre-attack.tar.xz";

/// A log of one channel with events at the given seconds.
fn log(channel: &str, events: &[(i64, Provider, u16, &[(&'static str, &str)])]) -> Vec<u8> {
    let mut log = Log::new(channel, "WS01", 1);
    for (second, provider, id, data) in events {
        let data = data.iter().map(|(name, value)| (*name, Value::text(value))).collect();
        let mut one = event(*provider, *id, Payload::Named(data, None));
        one.time = start() + SignedDuration::from_secs(*second);
        log.push(&one).unwrap();
    }
    log.to_bytes(State::Closed)
}

fn folder(files: &[(&str, Vec<u8>)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

fn paths(folder: &Path, files: &[(&str, Vec<u8>)]) -> Vec<PathBuf> {
    files.iter().map(|(name, _)| folder.join(name)).collect()
}

fn titles(report: &HostReport) -> Vec<&str> {
    report.rule_hits.iter().map(|hit| hit.rule.title.as_str()).collect()
}

fn load(text: &str) -> RuleSet {
    let file = RuleFile { name: "r.yml".to_owned(), text: Ok(text.to_owned()) };
    Rules::load(vec![file]).set().clone()
}

fn service_story() -> Vec<(&'static str, Vec<u8>)> {
    let system = log(
        "System",
        &[
            (5, SCM, 7045, &[("ServiceName", "Updater"), ("ImagePath", r"C:\Users\Public\u.exe")]),
            (6, SCM, 7045, &[("ServiceName", "Good"), ("ImagePath", r"C:\Program Files\g.exe")]),
        ],
    );
    let security = log(
        "Security",
        &[
            (
                4,
                AUDIT,
                4688,
                &[
                    ("NewProcessName", r"C:\Windows\System32\sc.exe"),
                    ("CommandLine", r"sc CREATE Updater binPath= C:\Users\Public\u.exe"),
                ],
            ),
            (
                8,
                AUDIT,
                4657,
                &[
                    ("ObjectName", r"\REGISTRY\MACHINE\SYSTEM\ControlSet001\Services\Updater"),
                    ("ObjectValueName", "Start"),
                    ("OperationType", "%%1905"),
                    ("NewValueType", "%%1876"),
                    ("NewValue", "4"),
                    ("ProcessName", r"C:\x.exe"),
                ],
            ),
        ],
    );
    let defender = log(
        "Microsoft-Windows-Windows Defender/Operational",
        &[
            (9, OTHER, 5013, &[("Value", "it was TAMPERED with")]),
            (9, OTHER, 5014, &[("Value", "no")]),
        ],
    );
    vec![("System.evtx", system), ("Security.evtx", security), ("Defender.evtx", defender)]
}

#[test]
fn rules_see_what_they_name_in_whatever_log_it_stands() {
    let files = service_story();
    let folder = folder(&files);
    let report = scan_with_rules(&paths(folder.path(), &files), &[("s.yml", SERVICES)]);
    let found: Vec<(&str, RuleLevel, Vec<&str>)> = report
        .rule_hits
        .iter()
        .map(|hit| {
            let services = hit.services.iter().map(String::as_str).collect();
            (hit.rule.title.as_str(), hit.rule.level, services)
        })
        .collect();
    assert_eq!(
        found,
        [
            ("Service made by sc.exe", RuleLevel::Medium, vec!["Updater"]),
            ("Service in a folder for everyone", RuleLevel::High, vec!["Updater"]),
            ("A value below Services by any program", RuleLevel::Informational, vec!["Updater"]),
            ("Anything of Defender", RuleLevel::Low, vec![]),
        ]
    );
    let rule = &report.rule_hits[1].rule;
    assert_eq!(rule.author.as_deref(), Some("svctriage"));
    assert_eq!(rule.license.as_deref(), Some("GPL-3.0-or-later"));
    assert_eq!(rule.techniques, ["T1543.003"]);
    let updater = report.services.iter().find(|one| one.name == "Updater").unwrap();
    let ids: Vec<&str> = updater
        .findings
        .iter()
        .map(|finding| finding.id.as_str())
        .filter(|id| id.starts_with('X'))
        .collect();
    assert_eq!(ids, ["X02", "X03"]);
    let good = report.services.iter().find(|one| one.name == "Good").unwrap();
    assert!(good.findings.iter().all(|finding| !finding.id.starts_with('X')));
}

#[test]
fn without_rules_nothing_is_said_of_rules() {
    let files = service_story();
    let folder = folder(&files);
    let report = crate::support::scan::scan_one(&paths(folder.path(), &files));
    let text = serde_json::to_string(&report).unwrap();
    assert!(!text.contains("sigma_rules") && !text.contains("\"X0"), "{text}");
}

fn house(
    at: i64,
    id: u16,
    house: &'static str,
    colour: &'static str,
) -> Vec<(i64, Provider, u16, Vec<(&'static str, &'static str)>)> {
    vec![(at, OTHER, id, vec![("House", house), ("Colour", colour)])]
}

#[test]
fn correlations_run_over_all_logs_in_order_of_time() {
    // The doors of house a stand in two logs, the later ones in the first.
    let log_of = |doors: &[(i64, u16, &'static str, &'static str)]| {
        let events: Vec<_> =
            doors.iter().flat_map(|(at, id, name, colour)| house(*at, *id, name, colour)).collect();
        let events: Vec<_> =
            events.iter().map(|(at, by, id, data)| (*at, *by, *id, data.as_slice())).collect();
        log("Application", &events)
    };
    let first = log_of(&[(20, 900, "a", "red"), (40, 901, "a", "red"), (500, 900, "b", "red")]);
    let mut second = Log::new("Application", "WS01", 1_000);
    for (second_of, id, name, colour) in [
        (0, 900, "a", "red"),
        (10, 900, "a", "blue"),
        (560, 900, "b", "red"),
        (600, 901, "c", "red"),
    ] {
        let data = vec![("House", Value::text(name)), ("Colour", Value::text(colour))];
        let mut one = event(OTHER, id, Payload::Named(data, None));
        one.time = start() + SignedDuration::from_secs(second_of);
        second.push(&one).unwrap();
    }
    let second = second.to_bytes(State::Closed);
    // A copy of the first log: its records count once.
    let files = vec![("a.evtx", first.clone()), ("b.evtx", second), ("copy.evtx", first)];
    let folder = folder(&files);
    let report = scan_with_rules(&paths(folder.path(), &files), &[("c.yml", CORRELATIONS)]);
    assert_eq!(
        titles(&report),
        [
            "Two colours of doors",
            "Three doors of one house",
            "A door and then a window",
            "A window",
            "A window",
        ]
    );
    let three = &report.rule_hits[1];
    assert_eq!(three.citations.len(), 3, "{three:?}");
    assert_eq!(three.fields[0].name, "House");
    assert_eq!(three.fields[0].value, "a");
}

#[test]
fn correlations_that_cannot_run_are_told() {
    let set = load(CORRELATIONS);
    assert_eq!(set.loaded, 6);
    let told: BTreeMap<&str, &str> = set
        .not_loaded
        .iter()
        .map(|one| (one.title.as_deref().unwrap(), one.reason.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("Nobody", "it refers to no-such-rule, which is no rule that is loaded"),
            ("Snake", "it refers to itself through the rules it names"),
            ("Tail", "it refers to itself through the rules it names"),
        ]
        .into()
    );
}

/// A rule with that selection.
fn rule(title: &str, selection: &str, condition: &str) -> String {
    format!(
        "title: {title}\nlogsource: {{product: windows, service: application}}\ndetection:\n  s: {selection}\n  \
         condition: {condition}\n"
    )
}

#[test]
fn a_bad_rule_costs_itself_only() {
    let mut laughs = "a0: &a0 [x, x]\n".to_owned();
    for level in 1..40 {
        let before = level - 1;
        writeln!(laughs, "a{level}: &a{level} [*a{before}, *a{before}, *a{before}, *a{before}]")
            .unwrap();
    }
    let nested = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let deep_map = format!("{}x: 1{}", "{x: ".repeat(90), "}".repeat(90));
    let nots = format!("{}s", "not ".repeat(15_000));
    let many: Vec<String> = (0..200).map(|number| format!("'a{number}.*'")).collect();
    let bad = [
        ("laughs", format!("title: laughs\n{laughs}logsource: {{product: windows}}\n")),
        ("nested", rule("nested", &nested, "s")),
        ("cycle", "title: cycle\na: &a [*a]\n".to_owned()),
        ("modifier", rule("modifier", "{A|near: 1}", "s")),
        ("unknown", rule("unknown", "{A: 1}", "t")),
        ("aggregation", rule("aggregation", "{A: 1}", "s | count() by A > 5")),
        ("regex", rule("regex", r"{A|re: '((\w{200}){200}){200}'}", "s")),
        ("broken regex", rule("broken regex", "{A|re: '('}", "s")),
        ("regexes", rule("regexes", &format!("{{A|re: [{}]}}", many.join(", ")), "s")),
        ("parentheses", rule("parentheses", "{A: 1}", &format!("{}s", "(".repeat(4_000)))),
        ("nots", rule("nots", "{A: 1}", &nots)),
        ("placeholder", rule("placeholder", "{A|expand: '%admins%'}", "s")),
        ("dashes", rule("dashes", &format!("{{A|windash: '{}'}}", "-".repeat(60)), "s")),
        ("binary", "\u{0}\u{1}\u{2}".to_owned()),
        ("text", "just words".to_owned()),
        ("log source", "title: x\nlogsource: {product: windows, service: nosuch}\ndetection: {s: {A: 1}, condition: s}\n".to_owned()),
    ];
    for (name, text) in &bad {
        let set = load(text);
        assert_eq!(set.loaded, 0, "{name}: {set:?}");
        assert!(!set.not_loaded.is_empty(), "{name}: {set:?}");
        for problem in &set.not_loaded {
            assert!(problem.reason.len() < 400 && !problem.reason.contains('\n'), "{problem:?}");
        }
    }
    // What nests deeply and is allowed to must not harm either.
    let _kept_or_not = load(&rule("deep", &deep_map, "s"));
    let all: Vec<String> = bad.iter().map(|(_, text)| text.clone()).collect();
    let good = rule("good", "{EventID: 5}", "s");
    let files: Vec<RuleFile> = all
        .into_iter()
        .chain([good])
        .enumerate()
        .map(|(number, text)| RuleFile { name: format!("{number:02}.yml"), text: Ok(text) })
        .collect();
    assert_eq!(Rules::load(files).set().loaded, 1);
}

#[test]
fn several_documents_and_templates_and_filters_load() {
    let text = "title: one\nlogsource: {product: windows, service: system}\ndetection: {s: {EventID: 1}, condition: s}\n---\n\
                title: two\nid: second\nlogsource: {product: windows, service: system}\ndetection: {s: {EventID: 2}, condition: s}\n---\n\
                title: not two\nlogsource: {product: windows}\nfilter:\n  rules: [second]\n  f: {Computer: WS01}\n  condition: not f\n";
    let set = load(text);
    assert_eq!((set.loaded, set.filters, set.not_loaded.len()), (2, 1, 0), "{set:?}");
    let template = "action: global\ntitle: many\nlogsource: {product: windows, service: system}\n---\n\
                    detection: {s: {EventID: 1}, condition: s}\n---\ndetection: {s: {EventID: 2}, condition: s}\n";
    assert_eq!(load(template).loaded, 2);
    let twice = "title: a\nid: same\nlogsource: {product: windows, service: system}\ndetection: {s: {EventID: 1}, condition: s}\n";
    let set = load(&format!("{twice}---\n{twice}"));
    assert_eq!((set.loaded, set.not_loaded.len()), (1, 1));
    assert_eq!(set.not_loaded[0].line, Some(5));
}

#[test]
fn a_filter_takes_back_what_it_names() {
    let filter = "---\ntitle: not on this one\nlogsource: {product: windows}\nfilter:\n  rules: [6d7a3f2e-0d6c-4f5e-9a57-3a52b4a10001]\n  \
                  f: {Computer: WS01}\n  condition: not f\n";
    let files = service_story();
    let folder = folder(&files);
    let rules = format!("{SERVICES}{filter}");
    let report = scan_with_rules(&paths(folder.path(), &files), &[("s.yml", &rules)]);
    assert_eq!(
        titles(&report),
        ["Service made by sc.exe", "A value below Services by any program", "Anything of Defender"]
    );
}

/// The log with `REG ADD … /v FailureCommand` in its first record and `sc failure … command=` in its second.
fn failure_log() -> Option<PathBuf> {
    let folder = corpus_folder(ATTACKS)?;
    let name = "ID4688-Service abuse with Failure Command.evtx";
    Some(logs(&folder).into_iter().find(|path| path.ends_with(name)).unwrap())
}

#[test]
fn the_failure_command_rule_fires_where_it_should_and_the_rest_is_told() {
    let Some(log) = failure_log() else { return };
    let user = corpus_file("../sigma/service_failure_command.yml").filter(|path| path.exists());
    let user = user.map(|path| fs::read_to_string(path).unwrap());
    for rule in user.iter().map(String::as_str).chain([FAILURE]) {
        let report = scan_with_rules(&[&log], &[("rule.yml", rule)]);
        assert_eq!(report.rule_hits.len(), 1);
        let hit = &report.rule_hits[0];
        let line = hit.fields.iter().find(|field| field.name == "CommandLine").unwrap();
        assert!(line.value.contains("failure") && line.value.contains("command="), "{line:?}");
        assert_eq!(hit.services.len(), 1, "{hit:?}");
        let sight: Vec<_> = report.rule_sight.iter().map(|one| one.value.as_str()).collect();
        assert!(sight.contains(&"FailureCommand"), "{sight:?}");
        let sight = report.rule_sight.iter().find(|one| one.value == "FailureCommand").unwrap();
        assert_eq!(sight.unseen, 1, "{sight:?}");
        let acts: Vec<_> = sight.services.iter().flat_map(|one| &one.acts).collect();
        let (seen, unseen): (Vec<&SeenAct>, Vec<&SeenAct>) =
            acts.into_iter().partition(|act| !act.rules.is_empty());
        assert_eq!((seen.len(), unseen.len()), (1, 1));
        assert!(unseen[0].by.to_uppercase().contains("REG"), "{unseen:?}");
        assert!(unseen[0].findings.contains(&"F06".to_owned()), "{unseen:?}");
        assert!(sight.services.iter().all(|one| one.now == "no SYSTEM hive was read"));
    }
}

#[test]
fn the_report_depends_on_no_thread() {
    let Some(folder) = corpus_folder(ATTACKS) else { return };
    let paths: Vec<PathBuf> =
        logs(&folder).into_iter().filter(|path| path.to_string_lossy().contains("T1543")).collect();
    assert!(paths.len() > 5);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let rules = [("a.yml", SERVICES), ("b.yml", CORRELATIONS), ("c.yml", FAILURE)];
        let report = pool.install(|| scan_with_rules(&paths, &rules));
        serde_json::to_string(&report).unwrap()
    };
    let one = run(1);
    assert!(one.contains("Service made by sc.exe"));
    assert!(one == run(8), "1 and 8 threads differ");
}
