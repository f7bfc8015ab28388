//! The report: the contract against its schema, every renderer against its expected page, hostile text
//! against all of them.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at a surprise")]

use serde_json::Value;
use svctriage::checklist::{Scene, indicators};
use svctriage::rank::Verdict;
use svctriage::report::{Options, RENDERERS, Report, explain, renderer};
use unicode_width::UnicodeWidthStr;

use crate::support::golden::assert_golden;
use crate::support::pages::{assert_harmless, assert_inert};
use crate::support::story;

const SCHEMA: &str = include_str!("../../docs/report.schema.json");

fn rendered(report: &Report, id: &str, options: &Options) -> String {
    let mut bytes = Vec::new();
    (renderer(id).unwrap().render)(report, options, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

pub(crate) fn plain(report: &Report, id: &str) -> String {
    rendered(report, id, &Options::default())
}

/// Holds a report against the schema and the schema's own types.
pub(crate) fn assert_valid(report: &Report) {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let document: Value = serde_json::from_str(&plain(report, "json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| format!("{}: {error:.300}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    assert_eq!(&serde_json::from_value::<Report>(document).unwrap(), report);
    let mut of_a_line = schema.clone();
    for field in ["properties", "required"] {
        of_a_line[field] = schema["$defs"]["jsonl_line"][field].clone();
    }
    let validator = jsonschema::validator_for(&of_a_line).unwrap();
    let lines = plain(report, "jsonl");
    assert_eq!(
        lines.lines().count(),
        report.hosts.iter().map(|host| host.services.len()).sum::<usize>()
    );
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(validator.is_valid(&line), "{line:.300}");
    }
}

#[test]
fn every_renderer_writes_the_page_expected() {
    let report = story::report();
    for id in ["json", "jsonl", "csv", "markdown"] {
        let file = format!("report/story.{}", renderer(id).unwrap().extension);
        assert_golden(&file, &plain(&report, id));
    }
    for width in [80, 120] {
        let options = Options { width, ..Options::default() };
        assert_golden(&format!("report/story-{width}.txt"), &rendered(&report, "table", &options));
    }
    let options = Options { all: true, color: true, width: 100, ..Options::default() };
    assert_golden("report/story-all-color.txt", &rendered(&report, "table", &options));
}

#[test]
fn explanations_are_as_expected() {
    let report = story::report();
    let host = &report.hosts[0];
    let services: Vec<String> = host
        .services
        .iter()
        .map(|service| explain::explain_service(service, host, &report.settings))
        .collect();
    let rule = format!("\n{}\n\n", "=".repeat(96));
    assert_golden("report/explain-services.txt", &services.join(&rule));
    assert_golden("report/explain-indicator.txt", &explain::explain_indicator(story::indicator()));
}

#[test]
fn the_contract_is_the_schema() {
    assert_valid(&story::report());
    let mut scenes = 0;
    for indicator in indicators() {
        for example in indicator.examples {
            if let Some(report) = story::judged_scene((example.given)()) {
                assert_valid(&report);
                scenes += 1;
            }
        }
    }
    for scene in [
        Scene::service("A"),
        Scene::hosted("B").deleted(),
        Scene::driver("C").without("ImagePath"),
        Scene::ghost("D").event(
            1,
            svctriage::host::event::Action::StateChanged {
                service: svctriage::host::event::ServiceNames {
                    key: Some("D".into()),
                    display: None,
                },
                state: Some(4),
            },
        ),
    ] {
        assert_valid(&story::judged_scene(scene).unwrap());
        scenes += 1;
    }
    assert!(scenes >= 4);
}

#[test]
fn a_reboot_message_without_actions_is_in_the_contract() {
    let scene = Scene::service("A").text("RebootMessage", "Restarting").without("FailureActions");
    let report = story::judged_scene(scene).unwrap();
    let plan = report.hosts[0].services[0].failure_actions.as_ref().unwrap();
    assert_eq!(plan.reboot_message.as_deref(), Some("Restarting"));
    assert!(plan.actions.is_empty());
    assert_valid(&report);
}

#[test]
fn every_field_of_the_schema_is_documented() {
    fn names(schema: &Value, found: &mut std::collections::BTreeSet<String>) {
        match schema {
            Value::Object(fields) => {
                if let Some(Value::Object(properties)) = fields.get("properties") {
                    found.extend(properties.keys().cloned());
                }
                let words = fields.get("enum").and_then(Value::as_array).into_iter().flatten();
                found.extend(words.filter_map(Value::as_str).map(str::to_owned));
                fields.values().for_each(|field| names(field, found));
            }
            Value::Array(items) => items.iter().for_each(|item| names(item, found)),
            _ => {}
        }
    }
    let page = include_str!("../../docs/report.md");
    let mut found = std::collections::BTreeSet::new();
    names(&serde_json::from_str(SCHEMA).unwrap(), &mut found);
    let missing: Vec<&String> =
        found.iter().filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert!(found.len() > 150 && missing.is_empty(), "{missing:?}");
}

#[test]
fn filters_choose_services_and_nothing_else() {
    let report = story::report();
    let count = |options: &Options| {
        ["json", "jsonl", "csv"].map(|id| match id {
            "json" => {
                let json: Value = serde_json::from_str(&rendered(&report, id, options)).unwrap();
                assert_eq!(json["hosts"][0]["summary"]["services"], 5);
                json["hosts"][0]["services"].as_array().unwrap().len()
            }
            "jsonl" => rendered(&report, id, options).lines().count(),
            _ => rendered(&report, id, options).lines().count() - 1,
        })
    };
    assert_eq!(count(&Options::default()), [5; 3]);
    assert_eq!(count(&Options { top: Some(2), ..Options::default() }), [2; 3]);
    let review = Options { min_verdict: Some(Verdict::Review), ..Options::default() };
    assert_eq!(count(&review), [2; 3]);
    let shown = rendered(&report, "table", &review);
    assert!(shown.contains("1 further service of note"), "{shown}");
    let all = rendered(&report, "table", &Options { all: true, ..Options::default() });
    assert!(all.contains("AcmeAgent") && all.contains("KNOWN GOOD"), "{all}");
}

#[test]
fn no_page_promises_what_was_not_seen() {
    let report = story::judged_scene(Scene::service("Quiet")).unwrap();
    for id in ["table", "markdown"] {
        let page = plain(&report, id).to_lowercase();
        assert!(!page.contains("clean"), "{page}");
        assert!(page.contains("not in the evidence"), "{page}");
        assert!(page.contains("no service met a rule"), "{page}");
    }
}

#[test]
fn a_host_without_services_was_not_judged() {
    let mut report = story::report();
    report.hosts[0].services.clear();
    report.hosts[0].summary.services = 0;
    report.hosts[0].verdict = Verdict::NotAssessed;
    for id in ["table", "markdown"] {
        let page = plain(&report, id);
        assert!(page.contains("nothing was judged"), "{page}");
    }
    assert!(plain(&report, "table").contains("there was no service to ask about"));
}

const HOSTILE: [&str; 11] = [
    "\u{1b}]0;owned\u{7}\u{1b}[2J",
    "\u{202e}exe.gpj\u{2066}",
    "=cmd|' /C calc'!A0",
    "+1\t-2",
    "line\r\nbreak\u{2028}and\u{85}more",
    "`` ` ``` |x|<script>alert(1)</script>",
    "[click](http://evil.example) www.evil.example @all *b* _i_ ![x](y)",
    "\"quotes\", commas; and 'more'",
    "日本語の名前がとても長いサービス",
    "\u{0}\u{200b}\u{feff}",
    "",
];

#[test]
fn hostile_text_is_shown_and_never_obeyed() {
    let long = "A".repeat(10_000);
    let combining = format!("a{}", "\u{300}".repeat(10_000));
    for evil in HOSTILE.into_iter().chain([long.as_str(), combining.as_str()]) {
        let report = story::hostile_report(evil);
        assert_valid(&report);
        for width in [60, 80, 120] {
            let options = Options { width, all: true, ..Options::default() };
            let page = rendered(&report, "table", &options);
            assert_harmless(&page);
            for line in page.lines() {
                assert!(line.width() <= width, "{width}: {line}");
            }
        }
        let page = plain(&report, "markdown");
        assert_harmless(&page);
        assert!(page.lines().count() <= 45, "{page}");
        assert_inert(&page);
        assert_sheet(&plain(&report, "csv"));
        let host = &report.hosts[0];
        assert_harmless(&explain::explain_service(&host.services[0], host, &report.settings));
    }
}

/// Rows of one length; no cell that breaks lines or computes.
fn assert_sheet(sheet: &str) {
    assert_eq!(sheet.lines().count(), 3, "{sheet:.2000}");
    let mut reader = csv::Reader::from_reader(sheet.as_bytes());
    for row in reader.records() {
        for cell in &row.unwrap() {
            assert_harmless(&cell.replace('\n', "\u{1}"));
            let number = cell.parse::<i64>().is_ok();
            assert!(number || !cell.starts_with(['=', '+', '-', '@']), "{cell:.200}");
        }
    }
}

#[test]
fn two_runs_write_the_same_bytes() {
    for renderer in RENDERERS {
        let (one, two) = (story::report(), story::report());
        assert_eq!(plain(&one, renderer.id), plain(&two, renderer.id), "{}", renderer.id);
        assert!(!renderer.describe.is_empty() && !renderer.extension.is_empty());
    }
}
