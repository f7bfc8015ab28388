//! The ranking against labelled logs: every malicious incident is found, ordinary hosts stay quiet, and
//! docs/evaluation.md says so.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use svctriage::lab::evaluation::{Corpus, Evaluation, Folders, Judged, Label};
use svctriage::rank::Verdict;
use svctriage::report::{Options, renderer};

use crate::support::corpus::{corpus_file, corpus_folder};
use crate::support::golden::assert_golden;
use crate::support::scan::report;

/// The corpus, scanned once for all tests.
fn evaluation() -> Option<&'static Evaluation> {
    static EVALUATION: OnceLock<Option<Evaluation>> = OnceLock::new();
    EVALUATION.get_or_init(evaluate).as_ref()
}

#[expect(clippy::disallowed_methods, reason = "the truth about evidence is no evidence")]
fn evaluate() -> Option<Evaluation> {
    let truth = std::fs::read_to_string(corpus_file("evtx/truth.csv")?).unwrap();
    let hosts = ["win10-benign-vm", "benign-system-logs", "server2016-capattack"];
    let host = |name: &str| Some((name.to_owned(), corpus_folder(&format!("evtx/{name}.tar.xz"))?));
    let folders = Folders {
        labelled: labelled()?,
        hosts: hosts.into_iter().map(host).collect::<Option<BTreeMap<String, PathBuf>>>()?,
    };
    Some(Corpus::scan(&truth, &folders).unwrap().evaluation())
}

fn labelled() -> Option<PathBuf> {
    corpus_folder("evtx/evtx-to-mitre-attack.tar.xz")
}

/// Incident and verdict of those that create or change a service.
fn primary(label: Label) -> Option<Vec<(&'static str, Option<Verdict>)>> {
    let told = |one: &'static Judged| (one.labelled.incident.as_str(), one.verdict);
    Some(evaluation()?.primary(label).map(told).collect())
}

#[test]
fn every_malicious_incident_is_to_be_reviewed_or_escalated() {
    use Verdict::{Escalate, Review};
    let Some(judged) = primary(Label::Malicious) else { return };
    let expected = [
        ("fs01|hijackservice|2021-05-14", Escalate),
        ("fs02|bad-task|2020-07-11", Review),
        ("fs02|btobto|2021-04-26", Escalate),
        ("fs03vuln|hacker23|2021-11-08", Escalate),
        ("fs03vuln|psexesvc|2021-12-04", Escalate),
        ("fs03|hacker-testl3|2021-10-25", Review),
        ("fs03|hackervirus|2021-10-25", Review),
        ("fs03|tchopper-batch|2021-11-03", Escalate),
        ("jump01|hacker-testl|2020-07-11", Review),
        ("jump01|mimidrv|2021-03-26", Escalate),
        ("jump01|psexesvc|2021-04-21", Review),
        ("jump01|wceservice|2020-12-17", Escalate),
        ("rootdc1|btobto|2021-12-13", Escalate),
        ("rootdc1|btobto|2021-12-14", Escalate),
        ("srvdefender01|iowamcen|2021-04-21", Escalate),
        ("srvdefender01|psexesvc|2021-04-21", Escalate),
        ("win10-02|mpssvc|2021-10-25", Review),
        ("win10-02|sense|2021-10-25", Review),
        ("win10-02|w32time|2021-10-07", Escalate),
        ("win10-02|windefend|2021-10-25", Review),
        ("win10-02|xblgamesave|2021-10-08", Review),
        ("win10-02|xboxgip|2021-10-07", Escalate),
        ("win10-02|xboxgip|2021-10-08", Review),
    ];
    assert_eq!(judged, expected.map(|(incident, verdict)| (incident, Some(verdict))));
}

#[test]
fn benign_and_unclear_incidents_stay_quiet() {
    for (label, count) in [(Label::Benign, 3), (Label::Unclear, 1)] {
        let Some(judged) = primary(label) else { return };
        assert_eq!(judged.len(), count, "{label}");
        let loud: Vec<_> =
            judged.iter().filter(|(_, verdict)| *verdict >= Some(Verdict::Note)).collect();
        assert!(loud.is_empty(), "{label}: {loud:#?}");
    }
}

/// The truth labels records about services. Two logs of other attacks clear and reduce the audit policy, which D11 is about.
#[test]
fn logs_without_labelled_services_give_nothing_else_to_review() {
    let Some(evaluation) = evaluation() else { return };
    assert_eq!(evaluation.unlabelled.len(), 214);
    let told = evaluation.unlabelled.iter().flat_map(|log| {
        let file = log.name.rsplit('/').next().unwrap_or_default();
        log.loud
            .iter()
            .map(move |one| (file, one.verdict, one.what.as_str(), one.findings.join(" ")))
    });
    let expected = [
        ("ID4688-Audit policy clear attempt.evtx", Verdict::Review, "EventLog", "D11".to_owned()),
        (
            "ID4688-Audit policy deactivation attempt.evtx",
            Verdict::Review,
            "EventLog",
            "D11".to_owned(),
        ),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

/// A service that is known from nothing but its process, and logs cleared in a loop, are incidents of the host.
#[test]
fn what_concerns_no_service_is_an_incident_of_the_host() {
    let Some(evaluation) = evaluation() else { return };
    let loud = |part: &str| {
        let log = evaluation.loose.iter().find(|one| one.name.contains(part)).unwrap();
        let told: Vec<_> =
            log.loud.iter().map(|one| (one.verdict, one.score, one.what.clone())).collect();
        told
    };
    let Ok([(Verdict::Review, None, stray)]) =
        <[_; 1]>::try_from(loud("RDP hijack command execution"))
    else {
        panic!("one incident was expected")
    };
    assert!(stray.contains("`cmd.exe /k tscon 2 /dest:rdp-tcp#5`"), "{stray}");
    let Ok([(Verdict::Review, None, cleared)]) =
        <[_; 1]>::try_from(loud("ID104-1102-Event log cleared"))
    else {
        panic!("one incident was expected")
    };
    assert!(cleared.starts_with("91 logs cleared by OFFSEC\\admmig"), "{cleared}");
}

#[test]
fn ordinary_hosts_have_nothing_to_escalate_and_windows_10_nothing_to_review() {
    let Some(evaluation) = evaluation() else { return };
    let of = |name: &str| evaluation.hosts.iter().find(|one| one.name == name).unwrap();
    let quiet = of("win10-benign-vm");
    assert_eq!((quiet.counts, &quiet.loud), ([0, 0, 0], &Vec::new()));
    assert!(quiet.services > 20, "only {} services were examined", quiet.services);
    for (name, services, review) in [
        ("benign-system-logs/win7-system.evtx", 60, &["Pathfinder"]),
        ("benign-system-logs/2-vss_7-System.evtx", 20, &["mnemosyne"]),
    ] {
        let host = of(name);
        assert!(host.services > services, "{name}: only {} services", host.services);
        let loud: Vec<_> = host.loud.iter().map(|one| (one.verdict, one.what.as_str())).collect();
        let expected: Vec<_> = review.iter().map(|what| (Verdict::Review, *what)).collect();
        assert_eq!(loud, expected, "{name}");
    }
}

/// 244 services of one tool's run are one thing to read.
#[test]
fn a_burst_of_installs_is_told_once() {
    let Some(logs) = labelled() else { return };
    let log = logs.join(
        "TA0002-Execution/T1569.002-Service execution/ID7000,7009,7045-Payload deployed via service - Tchopper.evtx",
    );
    let mut report = report(&[log]);
    let host = report.hosts.first_mut().unwrap();
    let [incident] = host.incidents.as_slice() else { panic!("{:#?}", host.incidents) };
    assert_eq!((incident.count, incident.services.len()), (244, 244));
    assert_eq!(incident.verdict, Verdict::Escalate);
    assert_eq!(host.verdict, Verdict::Escalate);
    // Where the corpus lies is no part of what is expected.
    "Tchopper.evtx".clone_into(&mut host.evidence.path);
    for (id, file) in [("table", "tchopper.txt"), ("markdown", "tchopper.md")] {
        let mut page = Vec::new();
        let options = Options { width: 100, ..Options::default() };
        (renderer(id).unwrap().render)(&report, &options, &mut page).unwrap();
        let page = String::from_utf8(page).unwrap();
        let rows = page.lines().filter(|line| line.contains("ESCALATE") && line.contains("seg"));
        assert_eq!(rows.count(), 1, "{page}");
        assert_golden(&format!("report/{file}"), &page);
    }
}

/// The part about hosts made to order takes a program with optimizations; `.ci/run` holds the whole page.
#[test]
#[expect(clippy::disallowed_methods, reason = "the documentation is no evidence")]
fn the_evaluation_of_labelled_logs_is_what_the_command_prints() {
    let Some(evaluation) = evaluation() else { return };
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/evaluation.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, labelled) = page.split_once("## Labelled logs").unwrap();
    let expected = evaluation.markdown();
    let (_, expected) = expected.split_once("## Labelled logs").unwrap();
    let command = "cargo run --release --example evaluate -- CORPUS > docs/evaluation.md";
    assert!(labelled == expected, "run {command}\n{expected}");
}
