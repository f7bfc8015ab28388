//! What the analyst changes about the judging, from his files to every form of the report: weights, suppressions, indicators of
//! his own.

#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "the tests write files, start the program and stop at a surprise"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use svctriage::checklist::own;
use svctriage::report::{Report, ServiceReport};

use crate::report::assert_valid;
use crate::support::golden::assert_golden;
use crate::support::pages::{assert_harmless, assert_inert};

/// Files of an analyst, in a folder of their own.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

fn svctriage(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_svctriage"))
        .args(arguments)
        .stdin(Stdio::null())
        .env_remove("CLICOLOR_FORCE")
        .output()
        .unwrap()
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name).join("evidence")
}

fn scanned(options: &[&str]) -> String {
    let evidence = sample("compromised-workstation");
    let mut arguments = vec!["scan", "-q", evidence.to_str().unwrap()];
    arguments.extend(options);
    let output = svctriage(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn report(options: &[&str]) -> Report {
    let mut arguments = vec!["--format", "json"];
    arguments.extend(options);
    let report = Report::from_json(scanned(&arguments).as_bytes()).unwrap();
    assert_valid(&report);
    report
}

fn service<'r>(report: &'r Report, name: &str) -> &'r ServiceReport {
    report.hosts[0].services.iter().find(|one| one.name == name).unwrap()
}

fn ids(service: &ServiceReport) -> Vec<&str> {
    service.findings.iter().map(|one| one.id.as_str()).collect()
}

fn refused(arguments: &[&str]) -> String {
    let output = svctriage(arguments);
    assert_eq!(output.status.code(), Some(3), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// A rule with these ids and lines of detection; its examples are true for any rule that asks for the name X.
fn rule(id: &str, detection: &str) -> String {
    format!(
        "[[rule]]\nid = '{id}'\nquestion = 'Is it so?'\nwhy = 'It was so in our last case.'\n\
         innocent = 'It is so on test hosts.'\nverify = ['Ask the owner.']\n\
         attack = [{{ v18 = 'T1543.003', v19 = 'T1543.003' }}]\nweight = 25\nfamily = 'Q5'\n\
         checklist = 'started'\nsources = ['IR-1']\nauthor = 'j.doe'\n{detection}"
    )
}

const CHILD: &str = r"condition = 'place and shell'
[rule.service.place]
'image|startswith' = 'c:\users\public\'
[rule.event.shell]
role = 'child_process'
'image|endswith' = '\cmd.exe'
'command_line|contains' = 'nltest'
[[rule.example]]
title = 'a shell'
answer = 'yes'
service = { image = 'c:\users\public\x.exe' }
events = [{ role = 'child_process', image = 'c:\windows\system32\cmd.exe', command_line = 'nltest' }]
[[rule.example]]
title = 'no shell'
answer = 'no'
service = { image = 'c:\users\public\x.exe' }
";

#[test]
fn an_own_indicator_is_asked_weighed_and_told_like_every_other() {
    let desk = Desk::new();
    let rules = desk.file("site.toml", &rule("LOCAL-001", CHILD));
    let before = report(&[]);
    let after = report(&["--rules", &rules]);
    let (was, is) = (service(&before, "sysupdhlp"), service(&after, "sysupdhlp"));
    let finding = is.findings.iter().find(|one| one.id == "LOCAL-001").unwrap();
    assert!(is.score > was.score, "{} {}", was.score, is.score);
    assert_eq!(finding.weight, 25);
    assert!(finding.because.starts_with("Is it so: "), "{}", finding.because);
    assert!(finding.because.contains("cmd.exe"), "{}", finding.because);
    let cited: Vec<String> = finding.citations.iter().map(ToString::to_string).collect();
    assert!(cited.iter().any(|one| one.contains("ImagePath")), "{cited:?}");
    assert!(cited.iter().any(|one| one.contains(" record ")), "{cited:?}");
    let hit = |report: &Report| {
        report.hosts[0].services.iter().filter(|one| ids(one).contains(&"LOCAL-001")).count()
    };
    assert_eq!((hit(&before), hit(&after)), (0, 1));
    let [own] = after.settings.own_indicators.as_slice() else { panic!("one rule was given") };
    assert_eq!((own.id.as_str(), own.line, own.sha256.len()), ("LOCAL-001", 1, 64));
    assert_eq!(after.settings.indicators, before.settings.indicators + 1);

    let page = scanned(&["--rules", &rules]);
    assert!(page.contains("own indicators LOCAL-001"), "{page}");
    let explained = svctriage(&["explain", "local-001", "--rules", &rules]);
    let explained = String::from_utf8(explained.stdout).unwrap();
    assert!(explained.contains("LOCAL-001: Is it so?") && explained.contains("a shell: yes"));
    let list = svctriage(&["checklist", "--rules", &rules]);
    assert!(String::from_utf8(list.stdout).unwrap().contains("LOCAL-001  +25 dB  Is it so?"));
    let checked = svctriage(&["checklist", "--rules", &rules, "--check"]);
    assert!(String::from_utf8(checked.stdout).unwrap().contains("all 2 examples"));
    // A report explains itself without the rule file.
    let kept = desk.file("report.json", &scanned(&["--format", "json", "--rules", &rules]));
    let told = svctriage(&["explain", "sysupdhlp", "--report", &kept]);
    assert!(String::from_utf8(told.stdout).unwrap().contains("Ask the owner."));
}

#[test]
fn the_number_of_threads_does_not_show() {
    let desk = Desk::new();
    let rules = desk.file("site.toml", &rule("LOCAL-001", CHILD));
    let page = |threads| scanned(&["--format", "json", "--rules", &rules, "--threads", threads]);
    assert_eq!(page("1"), page("8"));
}

#[test]
fn a_rule_never_fires_on_silence() {
    const SILENT: &str = r"condition = 'place and not shell'
[rule.service.place]
'name|exists' = true
[rule.event.shell]
role = 'connection'
[[rule.example]]
title = 'quiet'
answer = 'yes'
service = { name = 'X' }
[[rule.example]]
title = 'not quiet'
answer = 'no'
service = { name = 'X' }
events = [{ role = 'connection' }]
";
    let desk = Desk::new();
    let rules = desk.file("site.toml", &rule("LOCAL-002", SILENT));
    let hive = sample("compromised-workstation").join("Windows/System32/config/SYSTEM");
    let arguments = ["scan", "-q", "--format", "json", "--rules", &rules, hive.to_str().unwrap()];
    let output = svctriage(&arguments);
    let report = Report::from_json(&output.stdout).unwrap();
    assert_valid(&report);
    let host = &report.hosts[0];
    assert!(host.services.len() > 500);
    assert!(host.services.iter().all(|one| !ids(one).contains(&"LOCAL-002")));
    let is_open = |one: &ServiceReport| {
        one.unanswered.iter().any(|silence| silence.indicators.iter().any(|id| id == "LOCAL-002"))
    };
    assert!(host.services.iter().filter(|one| one.registry).all(is_open));
    // Where the log is there, the same silence is an answer.
    let logs = self::report(&["--rules", &rules]);
    assert!(logs.hosts[0].services.iter().any(|one| ids(one).contains(&"LOCAL-002")));
}

#[test]
fn rules_that_do_not_hold_say_where_and_what_to_do() {
    let desk = Desk::new();
    let wrong = |text: &str| {
        let file = desk.file("wrong.toml", text);
        let said = refused(&["checklist", "--rules", &file, "--check"]);
        assert!(said.contains("wrong.toml: line "), "{said}");
        said
    };
    let good = rule("LOCAL-001", CHILD);
    for (from, to, words) in [
        ("LOCAL-001", "P01", "line 2: `P01` is no id of an own indicator"),
        ("weight = 25", "weight = 99", "line 8: the weight 99 is out of range"),
        ("weight = 25", "weight = 25\nhard = true", "line 8: a hard indicator"),
        ("family = 'Q5'", "family = 'Z'", "line 9: `Z` is no family"),
        ("checklist = 'started'", "checklist = 'why'", "line 10: `why` is no question"),
        ("'Is it so?'", "'It is so.'", "`question` ends with a question mark"),
        ("['Ask the owner.']", "[]", "`verify` is empty"),
        ("T1543.003", "T15", "`T15` is no technique"),
        ("author = 'j.doe'\n", "", "missing field `author`"),
        ("place and shell", "place and shall", "line 13: the condition names `shall`"),
        ("place and shell", "place", "does not use the selection `shell`"),
        ("'image|startswith'", "'imago|startswith'", "no field `imago`; did you mean `image`?"),
        ("'image|endswith'", "'image|ends'", "ends"),
        ("role = 'child_process'\n", "role = 'child'\n", "`child` is no role of an event"),
        ("answer = 'no'", "answer = 'yes'", "should be yes, and the rule says no"),
        ("answer = 'no'", "answer = 'maybe'", "the answer is `yes` or `no`"),
    ] {
        assert!(good.contains(from), "{from}");
        let said =
            wrong(&good.replacen(from, to, if from == "T1543.003" { 1 } else { usize::MAX }));
        assert!(said.contains(words), "{words}: {said}");
    }
    let no_yes = good.split("[[rule.example]]").next().unwrap();
    assert!(
        wrong(no_yes).contains("has no example with answer = \"yes\": add an [[rule.example]]")
    );
    let twice = format!("{good}{good}");
    assert!(wrong(&twice).contains("LOCAL-001 is the id of a rule in"));
    assert!(wrong("# nothing").contains("no [[rule]]"));
}

#[test]
fn the_documented_rules_hold() {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.example.toml");
    let rules = own::read("docs/rules.example.toml", &fs::read_to_string(rules).unwrap()).unwrap();
    let ids: Vec<&str> = rules.iter().map(|one| one.indicator.id).collect();
    assert_eq!(ids, ["LOCAL-001", "LOCAL-002", "LOCAL-003"]);
    assert!(svctriage::checklist::indicators().all(|one| !one.id.contains('-')));
    assert_golden("../../docs/rules-fields.md", &own::fields_markdown());
}

#[test]
fn a_suppression_takes_the_weight_and_leaves_the_words() {
    let desk = Desk::new();
    let list = desk.file(
        "site.toml",
        "[[suppress]]\nservice = 'sysupdhlp'\nindicators = ['P01', 'E04']\n\
         reason = 'a test of the help desk'\nauthor = 'j.doe'\nexpires = 2030-01-01\n\
         [[suppress]]\nservice = 'nobody'\nreason = 'r'\nauthor = 'a'\nexpires = 2030-01-01\n",
    );
    let (before, after) = (report(&[]), report(&["--suppress", &list]));
    let (was, is) = (service(&before, "sysupdhlp"), service(&after, "sysupdhlp"));
    assert!(is.score < was.score, "{} {}", was.score, is.score);
    let mut suppressed: Vec<&str> =
        is.suppressed.iter().map(|one| one.finding.id.as_str()).collect();
    suppressed.sort_unstable();
    assert_eq!(suppressed, ["E04", "P01"]);
    assert!(is.suppressed.iter().all(|one| one.finding.decibans == 0 && one.finding.weight > 0));
    assert_eq!(is.findings.len() + 2, was.findings.len());
    assert_eq!(after.hosts[0].summary.suppressed, 2);
    let notes: Vec<&str> =
        after.hosts[0].diagnostics.iter().map(|one| one.message.as_str()).collect();
    let idle = "suppressions that no finding of this host matched: line 7";
    assert!(notes.contains(&idle), "{notes:?}");
    for (form, words) in [
        ("table", "2 findings of 1 service suppressed: sysupdhlp ("),
        ("markdown", "### 2 findings suppressed"),
        ("csv", "a test of the help desk"),
        ("jsonl", "a test of the help desk"),
    ] {
        let page = scanned(&["--format", form, "--suppress", &list]);
        assert!(page.contains(words), "{form}: {page}");
    }
    let evidence = sample("compromised-workstation");
    let told =
        svctriage(&["explain", "sysupdhlp", evidence.to_str().unwrap(), "--suppress", &list]);
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains("What is suppressed and adds nothing"), "{told}");
}

#[test]
fn what_matters_most_is_not_suppressed_in_passing() {
    let desk = Desk::new();
    let entry = |more: &str| {
        let text = format!(
            "[[suppress]]\nservice = 'PSEXESVC'\nreason = 'r'\nauthor = 'a'\nexpires = 2030-01-01\n{more}"
        );
        desk.file("list.toml", &text)
    };
    let before = report(&[]);
    let after = report(&["--suppress", &entry("")]);
    let kept = ids(service(&after, "PSEXESVC"));
    assert!(kept.iter().all(|id| id.starts_with(['K', 'F', 'D', 'S', 'N'])), "{kept:?}");
    assert!(!kept.is_empty() && kept.len() < ids(service(&before, "PSEXESVC")).len());
    let named = entry(&format!("indicators = {kept:?}\n"));
    let named = report(&["--suppress", &named]);
    assert!(kept.iter().all(|id| !ids(service(&named, "PSEXESVC")).contains(id)));
}

#[test]
fn an_expired_suppression_suppresses_nothing_and_says_so() {
    let desk = Desk::new();
    let list = desk.file(
        "old.csv",
        "service,reason,author,expires\nsysupdhlp,was tried out,j.doe,2021-12-31\n",
    );
    let (before, after) = (report(&[]), report(&["--suppress", &list]));
    let (was, is) = (service(&before, "sysupdhlp"), service(&after, "sysupdhlp"));
    assert_eq!((was.score, &was.findings), (is.score, &is.findings));
    assert_eq!(after.hosts[0].summary.suppressed, 0);
    let notes = after.hosts[0].diagnostics.iter().map(|one| one.message.as_str());
    let told =
        notes.filter(|one| one.contains("have expired") && one.contains("line 2 on 2021-12-31"));
    assert_eq!(told.count(), 1);
}

#[test]
fn changed_weights_are_told_in_every_form() {
    let desk = Desk::new();
    let file = desk.file(
        "weights.toml",
        "[weights]\nP01 = { db = 3, reason = 'our helpers live there' }\nE04 = 1\n",
    );
    let options =
        ["--weights", &file, "--weight", "e04=2", "--ignore", "W01,w12", "--ignore", "N04"];
    let after = report(&options);
    let finding = |id: &str| {
        let service = service(&after, "sysupdhlp");
        service.findings.iter().find(|one| one.id == id).map(|one| one.weight)
    };
    assert_eq!((finding("P01"), finding("E04"), finding("W01")), (Some(3), Some(2), None));
    assert_eq!(after.settings.weights["E04"], 2, "the option goes before the file");
    assert_eq!(after.settings.weights_file.as_deref(), Some(file.as_str()));
    assert_eq!(after.settings.weight_reasons["P01"], "our helpers live there");
    assert_eq!(after.settings.ignored.len(), 3);
    for form in ["table", "markdown", "csv", "jsonl"] {
        let mut arguments = vec!["--format", form];
        arguments.extend(options);
        let page = scanned(&arguments).replace('\n', " ").replace("  ", " ");
        let words = page.split_whitespace().collect::<Vec<_>>().join(" ").replace('\\', "");
        assert!(words.contains("judged with changed weights: E04 +2 (was +"), "{form}: {words}");
        assert!(words.contains("our helpers live there"), "{form}");
        assert!(words.contains("without N04, W01, W12"), "{form}");
    }
}

#[test]
fn weights_that_mean_nothing_are_refused() {
    let desk = Desk::new();
    for (options, words) in [
        (vec!["--weight", "P99=1"], "--weight: no indicator is called P99"),
        (vec!["--weight", "P01=-4"], "--weight: -4 is out of range"),
        (vec!["--ignore", "P01,NOPE"], "--ignore: no indicator is called NOPE"),
        (
            vec!["--weights", &desk.file("w.toml", "[weights]\n\nP1 = 3")],
            "w.toml: line 3: no indicator",
        ),
        (
            vec!["--suppress", &desk.file("s.toml", "[[suppress]]\nservice='x'")],
            "s.toml: line 1: the entry lacks",
        ),
        (vec!["--rules", &desk.file("r.toml", "rule = 1")], "r.toml: line 1: "),
    ] {
        let mut arguments = vec!["scan", "missing"];
        arguments.extend(options);
        let said = refused(&arguments);
        assert!(said.contains(words), "{words}: {said}");
    }
    let template = svctriage(&["checklist", "--toml"]);
    let file = desk.file("all.toml", std::str::from_utf8(&template.stdout).unwrap());
    assert_eq!(report(&["--weights", &file]).hosts, report(&[]).hosts);
}

#[test]
fn hostile_strings_of_the_analysts_files_are_shown_and_never_obeyed() {
    const EVIL: &str = r"\u001b[31m=cmd|' /C calc'!A0 <img src=x> [a](http://e.example) `x` | \u202e www.e.example @all";
    let desk = Desk::new();
    let text = rule("LOCAL-001", CHILD)
        .replace("'Is it so?'", &format!("\"{EVIL}?\""))
        .replace("'Ask the owner.'", &format!("\"{EVIL}\""))
        .replace("'j.doe'", &format!("\"{EVIL}\""));
    let rules = desk.file("evil.toml", &text);
    let list = desk.file(
        "list.toml",
        &format!(
            "[[suppress]]\nservice = 'sysupdhlp'\nindicators = ['P01']\nreason = \"{EVIL}\"\n\
             author = \"{EVIL}\"\nexpires = 2030-01-01\n"
        ),
    );
    let weights =
        desk.file("weights.toml", &format!("[weights]\nE04 = {{ db = 1, reason = \"{EVIL}\" }}\n"));
    let options = ["--rules", &rules, "--suppress", &list, "--weights", &weights];
    let report = report(&options);
    assert!(ids(service(&report, "sysupdhlp")).contains(&"LOCAL-001"));
    for form in ["table", "markdown", "csv"] {
        let mut arguments = vec!["--format", form, "--all"];
        arguments.extend(options);
        let page = scanned(&arguments);
        assert_harmless(&page);
        if form == "markdown" {
            assert_inert(&page);
        }
        for cell in page.split('"').filter(|_| form == "csv") {
            assert!(!cell.starts_with("=cmd"), "{cell}");
        }
    }
    let evidence = sample("compromised-workstation");
    let mut arguments = vec!["explain", "sysupdhlp", evidence.to_str().unwrap()];
    arguments.extend(options);
    assert_harmless(std::str::from_utf8(&svctriage(&arguments).stdout).unwrap());
    for arguments in [
        vec!["explain", "LOCAL-001", "--rules", &rules],
        vec!["checklist", "--rules", &rules],
        vec!["checklist", "--toml", "--rules", &rules],
    ] {
        assert_harmless(std::str::from_utf8(&svctriage(&arguments).stdout).unwrap());
    }
    let broken = desk.file("broken.toml", &text.replace("LOCAL-001", r"\u{1b}[31m"));
    assert_harmless(&refused(&["checklist", "--rules", &broken]));
}
