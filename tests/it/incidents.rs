//! Incidents of a host: what belongs together, what it is by itself, and what the host's verdict makes of it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use svctriage::checklist::Given;
use svctriage::host::citation::{Place, Provenance};
use svctriage::host::event::{
    Action, Logon, LogonKind, ProcessStart, ServiceInstall, ServiceNames, Subject,
};
use svctriage::host::incident::{Gravity, IncidentKind};
use svctriage::host::rule_hit::{Rule, RuleHit, RuleLevel};
use svctriage::host::{Citation, Coverage, Event, Fact, Host, Incident, Origin, Span, State};
use svctriage::lab::scenario::Scenario;
use svctriage::rank::{Tuning, Verdict, of_host, of_incidents, rank};
use svctriage::report::{EvidenceSummary, HostReport, Options, Report, Settings, renderer};

use crate::support::collections::put;
use crate::support::scan::scan_one;

const USER: &str = "S-1-5-21-1004336348-1177238915-682003330-1104";
const SERVICES: &str = r"C:\Windows\System32\services.exe";
const CMD: &str = r"C:\Windows\System32\cmd.exe";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_772_452_800 + second).unwrap()
}

fn citation(channel: &str, event_id: u16, record_id: u64) -> Citation {
    Citation {
        artifact: Arc::from("a.evtx"),
        place: Place::Record { channel: Arc::from(channel), event_id, record_id },
        provenance: Provenance::Live,
    }
}

fn event(second: i64, channel: &str, event_id: u16, action: Action) -> Fact {
    let record_id = u64::try_from(second).unwrap() + 1;
    Fact::Event(Box::new(Event {
        time: at(second),
        computer: "WS01".to_owned(),
        user_sid: Some(USER.to_owned()),
        citation: citation(channel, event_id, record_id),
        action,
    }))
}

fn child(line: &str) -> Action {
    Action::ProcessStarted(ProcessStart {
        process_id: Some(50),
        image: CMD.to_owned(),
        command_line: Some(line.to_owned()),
        parent_process_id: Some(8),
        parent_image: Some(SERVICES.to_owned()),
        ..ProcessStart::default()
    })
}

fn installed(name: &str, command: &str) -> Action {
    Action::ServiceInstalled(ServiceInstall {
        service: ServiceNames { key: None, display: Some(name.to_owned()) },
        image_path: command.to_owned(),
        ..ServiceInstall::default()
    })
}

fn cleared(channel: &str) -> Action {
    let subject = Subject { sid: Some(USER.to_owned()), ..Subject::default() };
    Action::LogCleared { channel: channel.to_owned(), subject }
}

fn host(facts: Vec<Fact>) -> Host {
    let mut coverage = Coverage::default();
    let (from, to, notes) = (Some(at(0)), Some(at(9_000)), Vec::new());
    coverage.record(Origin::SystemLog, Span { state: State::Complete, from, to, notes });
    Host::from_facts(facts, coverage, Host::DEFAULT_WINDOW)
}

fn report(facts: Vec<Fact>) -> Report {
    let host = host(facts);
    let ranked = rank(&host, &Given::default(), &Tuning::default());
    let evidence = EvidenceSummary::new(&svctriage::evidence::Description::default(), Vec::new());
    let one = HostReport::new(&host, &ranked, evidence, Vec::new());
    Report::new(Settings::new(SignedDuration::from_mins(10), &Tuning::default(), None), vec![one])
}

fn kinds(incidents: &[Incident]) -> Vec<(IncidentKind, usize)> {
    incidents.iter().map(|one| (one.kind, one.count)).collect()
}

#[test]
fn a_shell_that_no_service_names_is_an_incident() {
    let line = "cmd.exe /k tscon 2 /dest:rdp-tcp#5";
    let strays = |facts| host(facts).incidents;
    let found = strays(vec![event(0, "Security", 4688, child(line))]);
    assert_eq!(kinds(&found), [(IncidentKind::StrayProcess, 1)]);
    assert_eq!(found[0].gravity, Gravity::Suspicious);
    assert!(found[0].sentence.contains(line), "{}", found[0].sentence);
    // Windows 7 runs tasks there, and Sysmon does not say which Windows it is.
    let sysmon = "Microsoft-Windows-Sysmon/Operational";
    assert_eq!(strays(vec![event(0, sysmon, 1, child(line))]), []);
    let vendor = r"cmd.exe /C C:\Windows\NvContainerRecovery.bat";
    assert_eq!(strays(vec![event(0, "Security", 4688, child(vendor))]), []);
    let known = vec![
        event(0, "System", 7045, installed("hijack", line)),
        event(1, "Security", 4688, child(line)),
    ];
    assert_eq!(strays(known), []);
}

#[test]
fn logs_cleared_together_are_one_incident() {
    let log = |second: i64| event(second, "System", 104, cleared(&format!("Log {second}")));
    let few = host((0..3).map(log).collect()).incidents;
    assert_eq!(kinds(&few), [(IncidentKind::LogsCleared, 3)]);
    assert_eq!(few[0].gravity, Gravity::Unusual);
    let many = host((0..10).map(log).collect()).incidents;
    assert_eq!(
        (kinds(&many), many[0].gravity),
        (vec![(IncidentKind::LogsCleared, 10)], Gravity::Suspicious)
    );
    let apart = host(vec![log(0), log(601)]).incidents;
    assert_eq!(kinds(&apart), [(IncidentKind::LogsCleared, 1), (IncidentKind::LogsCleared, 1)]);
    let security = host(vec![log(0), event(1, "Security", 1102, cleared("Security"))]).incidents;
    assert!(security[0].sentence.contains("`Security`, `Log 0`"), "{}", security[0].sentence);
    let command = Action::ProcessStarted(ProcessStart {
        image: r"C:\Windows\System32\wevtutil.exe".to_owned(),
        command_line: Some("wevtutil cl Security".to_owned()),
        ..ProcessStart::default()
    });
    let told = host(vec![event(0, "Security", 4688, command)]).incidents;
    assert_eq!(kinds(&told), [(IncidentKind::LogsCleared, 1)]);
    assert!(told[0].sentence.contains("to be cleared by commands"), "{}", told[0].sentence);
}

#[test]
fn a_rule_that_concerns_no_service_counts_by_its_level() {
    let hit = |level: RuleLevel, second: i64| {
        let rule = Rule {
            title: "Something happened".to_owned(),
            author: Some("A. Author".to_owned()),
            level,
            ..Rule::default()
        };
        Fact::RuleHit(Box::new(RuleHit {
            rule: Arc::new(rule),
            time: at(second),
            computer: "WS01".to_owned(),
            citations: vec![citation("Security", 4688, 900)],
            fields: Vec::new(),
        }))
    };
    for (level, verdict) in [
        (RuleLevel::Critical, Some(Verdict::Escalate)),
        (RuleLevel::High, Some(Verdict::Review)),
        (RuleLevel::Medium, Some(Verdict::Note)),
        (RuleLevel::Low, None),
        (RuleLevel::Informational, None),
    ] {
        let host = host(vec![hit(level, 0), hit(level, 5)]);
        assert_eq!(of_incidents(&host.incidents, &[]).first().copied(), verdict, "{level:?}");
        if let Some(one) = host.incidents.first() {
            assert_eq!((one.kind, one.count), (IncidentKind::RuleHits, 2));
            assert!(one.sentence.contains("by A. Author hit 2 times"), "{}", one.sentence);
        }
    }
}

#[test]
fn a_burst_is_one_row_and_as_bad_as_its_services() {
    let mut facts: Vec<Fact> = (0..6)
        .map(|n| {
            event(n, "System", 7045, installed(&format!("seg{n}"), r"cmd.exe /c echo x > C:\t"))
        })
        .collect();
    // One of the burst is worse: it has a row of its own.
    let worse = r"cmd.exe /c powershell -enc SQBFAFgA > \\.\pipe\x";
    facts.push(event(7, "System", 7045, installed("other", worse)));
    let report = report(facts);
    let host = &report.hosts[0];
    assert_eq!(host.incidents.len(), 1, "{:#?}", host.incidents);
    let incident = &host.incidents[0];
    assert_eq!((incident.kind, incident.count), (IncidentKind::ServiceActs, 7));
    assert_eq!(incident.services.len(), 7);
    assert_eq!(incident.verdict, Verdict::Escalate);
    assert!(incident.sentence.starts_with(&format!("7 services installed by {USER}")));
    assert!(incident.sentence.contains("all run cmd.exe"), "{}", incident.sentence);
    // One incident is one: nothing is added for more of it.
    assert_eq!(host.score, host.services[0].score);
    let page = page(&report, "table", &Options::default());
    assert!(page.contains("INCIDENTS    ESCALATE: 7 services installed"), "{page}");
    assert!(page.contains("and 5 more alike") || page.contains("and 6 more alike"), "{page}");
    let all = Options { all: true, ..Options::default() };
    let whole = self::page(&report, "table", &all);
    assert!((0..6).all(|n| whole.contains(&format!("seg{n} "))), "{whole}");
    let ticket = self::page(&report, "markdown", &Options::default());
    assert!(ticket.contains("### Incidents"), "{ticket}");
}

/// A 4697 by that session, and the logon it came from.
fn installed_from(second: i64, name: &str, session: u64, address: &str) -> [Fact; 2] {
    let account = Subject {
        sid: Some(USER.to_owned()),
        name: Some(r"CORP\anna".to_owned()),
        logon_id: Some(session),
    };
    let logon = Action::Logon(Logon {
        kind: LogonKind::Success,
        account: account.clone(),
        logon_type: Some(3),
        address: Some(address.to_owned()),
        workstation: None,
        package: None,
        image: None,
        server: None,
    });
    let install = Action::ServiceInstalled(ServiceInstall {
        service: ServiceNames { key: Some(name.to_owned()), display: None },
        image_path: format!(r"C:\Tools\{name}.exe"),
        service_type: Some(0x10),
        subject: account,
        ..ServiceInstall::default()
    });
    [event(second, "Security", 4624, logon), event(second + 1, "Security", 4697, install)]
}

fn told(facts: Vec<Fact>) -> Vec<(usize, Vec<String>)> {
    let incidents = host(facts).incidents;
    incidents.into_iter().map(|one| (one.count, one.services)).collect()
}

#[test]
fn what_one_session_did_to_services_is_one_incident() {
    let of = |second, name, session, address| installed_from(second, name, session, address);
    let both = || vec!["one".to_owned(), "two".to_owned()];
    for (why, first, second, expected) in [
        ("one session", of(0, "one", 7, "10.0.0.5"), of(60, "two", 7, "10.0.0.5"), 1),
        ("one address", of(0, "one", 7, "10.0.0.5"), of(60, "two", 8, "10.0.0.5"), 1),
        ("two sessions", of(0, "one", 7, "10.0.0.5"), of(60, "two", 8, "10.0.0.6"), 0),
        (
            "an address that every host has",
            of(0, "one", 7, "::1"),
            of(60, "two", 8, "127.0.0.1"),
            0,
        ),
        ("too late", of(0, "one", 7, "10.0.0.5"), of(602, "two", 7, "10.0.0.5"), 0),
        ("one service", of(0, "one", 7, "10.0.0.5"), of(60, "one", 7, "10.0.0.5"), 0),
    ] {
        let told = told(first.into_iter().chain(second).collect());
        let expected: Vec<_> = (0..expected).map(|_| (2, both())).collect();
        assert_eq!(told, expected, "{why}");
    }
    let facts = [of(0, "one", 7, "10.0.0.5"), of(60, "two", 7, "10.0.0.5")];
    let [incident] = &host(facts.into_iter().flatten().collect()).incidents[..] else { panic!() };
    assert_eq!(
        incident.sentence,
        format!(
            r"2 services installed by CORP\anna ({USER}) from 10.0.0.5 in 60 seconds, first at 2026-03-02 12:00:01Z; all in c:\tools"
        )
    );
    assert_eq!((incident.gravity, incident.citations.len()), (Gravity::Theirs, 2));
    assert_eq!(incident.address.as_deref(), Some("10.0.0.5"));
    assert_eq!(incident.actor.as_ref().and_then(|actor| actor.logon_id), Some(7));
}

#[test]
fn services_that_come_and_go_in_numbers_are_bad_in_themselves() {
    let made = |number: i64, gone: bool| {
        let name = format!("job{number}");
        let command = format!(r"C:\Windows\Temp\{name}.exe");
        let mut facts = vec![event(number * 20, "System", 7045, installed(&name, &command))];
        let delete = Action::ProcessStarted(ProcessStart {
            image: r"C:\Windows\System32\sc.exe".to_owned(),
            command_line: Some(format!("sc.exe delete {name}")),
            subject: Subject { sid: Some(USER.to_owned()), ..Subject::default() },
            ..ProcessStart::default()
        });
        facts.extend(gone.then(|| event(number * 20 + 15, "Security", 4688, delete)));
        facts
    };
    for (gone, gravity, said) in [
        (5, Gravity::Suspicious, "; all deleted"),
        (4, Gravity::Theirs, "; 4 deleted"),
        (0, Gravity::Theirs, "temp"),
    ] {
        let facts = (0..5).flat_map(|number| made(number, number < gone)).collect();
        let [incident] = &host(facts).incidents[..] else { panic!("{gone}") };
        assert_eq!(incident.gravity, gravity, "{}", incident.sentence);
        assert!(incident.sentence.contains(said), "{}", incident.sentence);
        assert!(incident.sentence.starts_with("5 services installed by"), "{}", incident.sentence);
    }
}

const HOST: &str = r#"
title = "Two services by one session; a wave of drivers; a product's setup"
seed = 11

[host]
name = "WS-11"
address = "10.1.1.11"
imaged = "2019-03-19T04:52:11Z"
installed = "2020-06-23T12:40:00Z"
shut-down = "2022-05-16T17:22:41Z"

[host.windows]
product = "Windows 10 Pro"
edition = "Professional"
build = 18363
revision = 2274
release = "1909"

[host.time-zone]
key = "UTC"
bias = 0
active-bias = 0

[host.logs]
System = { begins = "2022-04-01T00:00:00Z", first-record = 40102 }
Security = { begins = "2022-04-01T06:00:00Z", first-record = 1220877 }

[[user]]
name = "anna"
domain = "WS-11"
sid = "S-1-5-21-3461203602-4096304019-2269080069-1001"
"#;

/// A scan of the host with these actions.
fn lab(actions: &str) -> HostReport {
    let files = Scenario::parse(&format!("{HOST}{actions}")).unwrap().evidence().unwrap();
    let root = tempfile::tempdir().unwrap();
    for file in files {
        put(root.path(), &file.path, &file.bytes);
    }
    scan_one(&[root.path()])
}

fn install(at: &str, name: &str, path: &str, rest: &str) -> String {
    format!(
        "[[action]]\nat = \"{at}\"\ndo = \"install-service\"\nservice = \"{name}\"\nimage-path = '{path}'\n{rest}\n"
    )
}

#[test]
fn two_services_made_from_one_address_on_a_lab_host_are_one_incident() {
    let by = "by = \"anna\"\nfrom = \"10.1.1.99\"";
    let report = lab(&format!(
        "{}{}",
        install("2022-05-10T10:00:00Z", "UpdHelper", r"C:\Users\Public\a.exe", by),
        install("2022-05-10T10:04:00Z", "UpdHelper2", r"C:\Users\Public\b.exe", by)
    ));
    let acts: Vec<_> =
        report.incidents.iter().filter(|one| one.kind == IncidentKind::ServiceActs).collect();
    let [incident] = acts[..] else { panic!("{:#?}", report.incidents) };
    assert_eq!(incident.services, ["UpdHelper", "UpdHelper2"]);
    assert!(incident.verdict >= Verdict::Review, "{incident:#?}");
    assert_eq!(incident.address.as_deref(), Some("10.1.1.99"));
    assert!(
        incident.sentence.starts_with(r"2 services installed by WS-11\anna (S-1-5-21-")
            && incident
                .sentence
                .contains("from 10.1.1.99 in 4 minutes, first at 2022-05-10 10:00:0")
            && incident.sentence.contains(r"; all in c:\users\public"),
        "{}",
        incident.sentence
    );
    let best = report.services.iter().map(|one| one.score).max().unwrap();
    assert_eq!(report.score, best);
}

#[test]
fn waves_of_drivers_and_products_are_no_loud_incidents() {
    let mut actions = String::new();
    for number in 0..12 {
        let driver = format!(
            "[[action]]\nat = \"2022-05-11T08:00:{number:02}Z\"\ndo = \"install-driver\"\nservice = \"wave{number}\"\n\
             display-name = \"Wave adapter {number}\"\nimage-path = '\\SystemRoot\\System32\\drivers\\wave{number}.sys'\n\
             inf = \"oem{number}.inf\"\n"
        );
        actions.push_str(&driver);
    }
    for number in 0..6 {
        let path = format!(r"C:\Program Files\Contoso\Suite\part{number}.exe");
        let rest = "by = \"anna\"\nprogram = 'C:\\Windows\\System32\\msiexec.exe'\ndescription = \"A part of the suite.\"";
        let at = format!("2022-05-12T09:00:{number:02}Z");
        actions.push_str(&install(
            &at,
            &format!("ContosoPart{number}"),
            &format!("\"{path}\""),
            rest,
        ));
    }
    let report = lab(&actions);
    let loud: Vec<_> = report.incidents.iter().filter(|one| one.verdict >= Verdict::Note).collect();
    assert!(loud.is_empty(), "{loud:#?}");
    assert!(!report.incidents.iter().any(|one| one.services.iter().any(|name| name == "wave1")));
    let setup = report.incidents.iter().find(|one| one.services.len() == 6).unwrap();
    assert!(
        setup.sentence.contains(r"all in c:\program files\contoso\suite"),
        "{}",
        setup.sentence
    );
    assert!(report.verdict < Verdict::Review, "{:?}", report.verdict);
}

#[test]
fn the_score_of_a_host_is_its_worst_and_a_little_for_more() {
    let bad = |second: i64, name: &str| {
        let line = format!(r"cmd.exe /c echo {name} > \\.\pipe\{name}");
        event(second, "System", 7045, installed(name, &line))
    };
    let scores = |facts: Vec<Fact>| {
        let host = host(facts);
        let ranked = rank(&host, &Given::default(), &Tuning::default());
        let best = ranked.first().map_or(0, |one| one.score);
        (best, of_host(&host.incidents, &ranked).saturating_sub(best))
    };
    assert_eq!(scores(Vec::new()), (0, 0));
    // Half an hour apart: incidents of their own. Within one: one.
    for (apart, more) in [(0, 0), (1_800, 4)] {
        let facts = (0..3).map(|number| bad(number * apart + number, &format!("abcd{number}")));
        let (best, added) = scores(facts.collect());
        assert!(best >= 35, "{best}");
        assert_eq!(added, more, "{apart}");
    }
    let stray = scores(vec![event(0, "Security", 4688, child("cmd.exe /c whoami"))]);
    assert_eq!(stray, (0, 20));
}

#[test]
fn the_verdict_of_a_host_counts_its_incidents() {
    let report = report(vec![event(0, "Security", 4688, child("cmd.exe /c whoami"))]);
    let host = &report.hosts[0];
    assert_eq!((host.verdict, report.verdict()), (Verdict::Review, Verdict::Review));
    assert_eq!((host.summary.services, host.summary.review), (0, 0));
    for id in ["table", "markdown"] {
        let page = page(&report, id, &Options::default());
        assert!(page.contains("REVIEW") && page.contains("cmd.exe /c whoami"), "{page}");
        assert!(!page.contains("nothing was judged"), "{page}");
    }
}

fn page(report: &Report, id: &str, options: &Options) -> String {
    let mut bytes = Vec::new();
    (renderer(id).unwrap().render)(report, options, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}
