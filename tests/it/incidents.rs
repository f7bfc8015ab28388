//! Incidents of a host: what belongs together, what it is by itself, and what the host's verdict makes of it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use svctriage::checklist::Given;
use svctriage::host::citation::{Place, Provenance};
use svctriage::host::event::{Action, ProcessStart, ServiceInstall, ServiceNames, Subject};
use svctriage::host::incident::{Gravity, IncidentKind};
use svctriage::host::rule_hit::{Rule, RuleHit, RuleLevel};
use svctriage::host::{Citation, Coverage, Event, Fact, Host, Incident, Origin, Span, State};
use svctriage::rank::{Tuning, Verdict, of_incidents, rank};
use svctriage::report::{EvidenceSummary, HostReport, Options, Report, Settings, renderer};

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
    assert!(incident.sentence.contains("all running cmd.exe"), "{}", incident.sentence);
    let page = page(&report, "table", &Options::default());
    assert!(page.contains("INCIDENTS    ESCALATE: 7 services installed"), "{page}");
    assert!(page.contains("and 5 more alike") || page.contains("and 6 more alike"), "{page}");
    let all = Options { all: true, ..Options::default() };
    let whole = self::page(&report, "table", &all);
    assert!((0..6).all(|n| whole.contains(&format!("seg{n} "))), "{whole}");
    let ticket = self::page(&report, "markdown", &Options::default());
    assert!(ticket.contains("### Incidents"), "{ticket}");
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
