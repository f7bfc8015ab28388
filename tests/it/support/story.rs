//! A small host whose report the renderers are held against: findings are hand-made, so that a changed
//! indicator does not change what is tested here.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at a surprise")]

use std::sync::Arc;

use svctriage::artifact::verify::HashVerdict;
use svctriage::checklist::{
    Family, Hit, Indicator, Lack, Need, Question, Scene, renumbered, technique,
};
use svctriage::diagnostic::{Diagnostic, Impact};
use svctriage::host::config::{Data, Epoch};
use svctriage::host::event::{
    Action, Connection, Logon, LogonKind, ProcessStart, ServiceInstall, ServiceNames, Subject,
};
use svctriage::host::{Citation, Host, Origin, Span, State};
use svctriage::rank::{Finding, Ranked, Tuning, Verdict};
use svctriage::report::evidence::{PartitionSummary, ShadowCopySummary};
use svctriage::report::{EvidenceFile, EvidenceSummary, HostReport, Report, Settings};

use super::files;

const PUBLIC: Indicator = Indicator {
    id: "P91",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does it run a program that ordinary users can replace?",
    why: "Services run with high rights; whoever replaces the file gets them.",
    innocent: "Per-user updaters that were installed by hand.",
    verify: &["icacls the folder on a copy of the disk", "hash the file and look it up"],
    attack: &[technique("T1543.003"), technique("T1574.010")],
    weight: 25,
    hard: true,
    needs: &[Need::Part(Origin::SystemHive)],
    sources: &["A story made for tests."],
    since: "0.1.0",
    check: &|_| None,
    examples: &[],
};

const ARMED: Indicator = Indicator {
    id: "F91",
    family: Family::F,
    question: "Does a failure run a command?",
    attack: &[technique("T1543.003"), renumbered("T1562.001", "T1685")],
    weight: 22,
    hard: false,
    ..PUBLIC
};

const REMOTE: Indicator = Indicator {
    id: "K91",
    family: Family::K,
    checklist: Question::What,
    question: "Is it the service of a remote execution tool?",
    weight: 12,
    hard: false,
    needs: &[Need::Part(Origin::SystemLog)],
    ..PUBLIC
};

const IMITATES: Indicator = Indicator {
    id: "N91",
    family: Family::Q1,
    checklist: Question::What,
    question: "Does its name imitate another?",
    weight: 12,
    hard: false,
    ..PUBLIC
};

const STOCK: Indicator = Indicator {
    id: "B91",
    family: Family::B,
    checklist: Question::What,
    question: "Is it a service of Windows as Windows lays it down?",
    attack: &[],
    weight: -15,
    hard: false,
    ..PUBLIC
};

const CHILDREN: Indicator = Indicator {
    id: "A91",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did it start a shell?",
    weight: 20,
    hard: false,
    needs: &[Need::Part(Origin::NetworkEvents)],
    ..PUBLIC
};

static INDICATORS: [Indicator; 6] = [PUBLIC, ARMED, REMOTE, IMITATES, STOCK, CHILDREN];

/// An indicator of the story as a finding.
fn finding(id: &str, contribution: i32, because: &str, citations: Vec<Citation>) -> Finding {
    let indicator = INDICATORS.iter().find(|one| one.id == id).unwrap();
    let weight = i32::from(indicator.weight);
    let hit = Hit { because: because.to_owned(), citations, decibans: None };
    Finding { indicator, hit, weight, contribution }
}

/// An indicator whose explanation is a golden.
pub(crate) fn indicator() -> &'static Indicator {
    &INDICATORS[1]
}

fn install(display: &str, command: &str, account: &str) -> Action {
    Action::ServiceInstalled(ServiceInstall {
        service: ServiceNames { key: None, display: Some(display.to_owned()) },
        image_path: command.to_owned(),
        service_type: Some(0x10),
        start: Some(svctriage::host::config::Start::Auto),
        account: account.to_owned(),
        ..ServiceInstall::default()
    })
}

const ACTOR: &str = "S-1-5-21-1004336348-1177238915-682003330-1109";

fn scene() -> Scene {
    let subject = Subject {
        sid: Some(ACTOR.to_owned()),
        name: Some(r"CORP\svc_bk".to_owned()),
        logon_id: Some(0x3e_71a2),
    };
    let spooler = Scene::service("Spooler")
        .value("ImagePath", 2, Data::Text(r"%SystemRoot%\System32\spoolsv.exe".into()))
        .text("DisplayName", "Print Spooler")
        .text("FailureCommand", r"cmd.exe /c C:\ProgramData\s.bat")
        .value("FailureActions", 3, Data::Bytes(failure_actions()));
    Scene::service("WinUpdt")
        .value("ImagePath", 2, Data::Text(r"C:\Users\Public\w.exe -k".into()))
        .text("DisplayName", "Windows Updater")
        .before(Epoch::ControlSet(2), |config| {
            config.image_path = Some(r"C:\Program Files\Contoso\w.exe".to_owned());
            for value in &mut config.values {
                if value.name == "ImagePath" {
                    value.data = Data::Text(r"C:\Program Files\Contoso\w.exe".to_owned());
                }
            }
        })
        .beside(spooler)
        .beside(Scene::service("AcmeAgent"))
        .beside(Scene::driver("Beep"))
        .configuration_key("EventLog Extras")
        .windows("Windows 10 Pro", "19045.3570")
        .event(
            -2,
            Action::Logon(Logon {
                kind: LogonKind::Success,
                account: subject.clone(),
                logon_type: Some(3),
                address: Some("10.1.2.3".to_owned()),
                workstation: None,
                package: None,
                image: None,
                server: None,
            }),
        )
        .event_by(
            0,
            Some(ACTOR),
            install("Windows Updater", r"C:\Users\Public\w.exe -k", "LocalSystem"),
        )
        .event(
            3,
            Action::ProcessStarted(ProcessStart {
                process_id: Some(4711),
                image: r"C:\Users\Public\w.exe".to_owned(),
                command_line: Some(r"C:\Users\Public\w.exe -k".to_owned()),
                parent_process_id: Some(700),
                parent_image: Some(r"C:\Windows\System32\services.exe".to_owned()),
                ..ProcessStart::default()
            }),
        )
        .event(
            9,
            Action::Connected(Connection {
                process_id: Some(4711),
                image: r"C:\Users\Public\w.exe".to_owned(),
                outbound: Some(true),
                protocol: "tcp".to_owned(),
                source: "10.1.2.9".to_owned(),
                source_port: Some(50_123),
                destination: "203.0.113.9".to_owned(),
                destination_port: Some(443),
                destination_name: None,
            }),
        )
        .event_by(60, Some(ACTOR), install("PSEXESVC", r"%SystemRoot%\PSEXESVC.exe", "LocalSystem"))
        .event(
            120,
            Action::LogCleared { channel: "System".to_owned(), subject: Subject::default() },
        )
}

/// Reset after a day; restart after 1 s, then run the command at once.
fn failure_actions() -> Vec<u8> {
    let words: [u32; 9] = [86_400, 0, 0, 2, 20, 1, 1_000, 3, 0];
    words.into_iter().flat_map(u32::to_le_bytes).collect()
}

fn host() -> Host {
    let mut host = scene().ask(|scope| scope.host.clone()).unwrap();
    host.identity.name = Some("WS-HR-01".to_owned());
    host.identity.name_source = Some("SYSTEM hive".to_owned());
    host.identity.domain = Some("corp.example".to_owned());
    host.identity.version = Some("22H2".to_owned());
    host.identity.time_zone = Some(("W. Europe Standard Time".to_owned(), Some(-60)));
    host.identity.control_set = Some(1);
    host.identity.last_shutdown = Some(Scene::noon());
    let note = "LOG1 replayed, 23 entries".to_owned();
    let span = Span { state: State::Complete, from: None, to: None, notes: vec![note] };
    host.coverage.record(Origin::SystemHive, span);
    let span = Span { state: State::Partial, from: None, to: None, notes: Vec::new() };
    host.coverage.record(Origin::SecurityLog, span);
    for origin in [Origin::FileSystem, Origin::Catalogs] {
        let span = Span { state: State::Complete, from: None, to: None, notes: Vec::new() };
        host.coverage.record(origin, span);
    }
    files::of_story(&mut host);
    host
}

fn judged<'a>(host: &'a Host, name: &str, score: i32, verdict: Verdict) -> Ranked<'a> {
    let lack = |origin| Lack { origin, state: host.coverage.state(origin) };
    Ranked {
        service: host.service(name).unwrap(),
        score,
        verdict,
        findings: Vec::new(),
        against: Vec::new(),
        suppressed: Vec::new(),
        unknown: vec![(&INDICATORS[5], lack(Origin::SecurityLog))],
        answered_no: 4,
    }
}

/// The judgement of the story.
fn ranked(host: &Host) -> Vec<Ranked<'_>> {
    let key = |name: &str, value: &str| {
        vec![host.service(name).unwrap().config.as_ref().unwrap().cite(value)]
    };
    let record = |name: &str| {
        let link = host.service(name).unwrap().links[0];
        vec![host.events[link.event].citation.clone()]
    };
    let mut updater = judged(host, "WinUpdt", 54, Verdict::Escalate);
    updater.findings = vec![
        finding(
            "P91",
            25,
            r"ordinary users can write to C:\Users\Public, where its program C:\Users\Public\w.exe lies",
            key("WinUpdt", "ImagePath"),
        ),
        finding("A91", 20, "it connected to 203.0.113.9:443 within 9 s", record("WinUpdt")),
        finding("N91", 12, "its name imitates wuauserv", key("WinUpdt", "DisplayName")),
    ];
    updater.against =
        vec![finding("B91", -3, "it has a description", key("WinUpdt", "Description"))];
    let mut spooler = judged(host, "Spooler", 22, Verdict::Review);
    spooler.findings = vec![finding(
        "F91",
        22,
        r"ARMED: action 2 of 2 runs cmd.exe /c C:\ProgramData\s.bat at once",
        key("Spooler", "FailureCommand"),
    )];
    let mut remote = judged(host, "PSEXESVC", 12, Verdict::Note);
    remote.findings =
        vec![finding("K91", 12, "PSEXESVC is the service of PsExec", record("PSEXESVC"))];
    let mut beep = judged(host, "Beep", -15, Verdict::KnownGood);
    beep.against = vec![finding("B91", -15, "Windows lays it down so", key("Beep", "ImagePath"))];
    let agent = judged(host, "AcmeAgent", 0, Verdict::NotAssessed);
    vec![updater, spooler, remote, beep, agent]
}

/// The story's report.
pub(crate) fn report() -> Report {
    let host = host();
    let file =
        |path: &str, size| EvidenceFile { path: path.to_owned(), size, ..EvidenceFile::default() };
    let evidence = EvidenceSummary {
        path: "/cases/042/WS-HR-01".to_owned(),
        format: "folder".to_owned(),
        files: vec![
            file("C/Windows/System32/winevt/Logs/System.evtx", 1_118_208),
            file("C/Windows/System32/config/SYSTEM", 11_534_336),
        ],
        ..EvidenceSummary::default()
    };
    let diagnostics = vec![
        Diagnostic {
            artifact: "C/Windows/System32/winevt/Logs/Security.evtx".to_owned(),
            impact: Impact::Partial,
            message: "chunk 17 has a wrong checksum, its 211 records were left out".to_owned(),
        },
        Diagnostic {
            artifact: "C/Windows/System32/config/SYSTEM".to_owned(),
            impact: Impact::Note,
            message: "LOG1 was applied".to_owned(),
        },
    ];
    let host = HostReport::new(&host, &ranked(&host), evidence, diagnostics);
    Report::new(Settings::new(Host::DEFAULT_WINDOW, &Tuning::default(), None), vec![host])
}

/// A report of a service with hostile text wherever evidence can put it.
pub(crate) fn hostile_report(text: &str) -> Report {
    let scene = Scene::service("Victim")
        .text("DisplayName", text)
        .text("Description", text)
        .text("ImagePath", text)
        .text("ObjectName", text)
        .text("FailureCommand", text)
        .value("FailureActions", 3, Data::Bytes(failure_actions()))
        .text("Parameters\\ServiceDll", text)
        .configuration_key(text)
        .windows(text, text)
        .event_by(0, Some(text), install(text, text, text))
        .event(
            3,
            Action::LogCleared {
                channel: text.to_owned(),
                subject: Subject { sid: None, name: Some(text.to_owned()), logon_id: None },
            },
        );
    let mut host = scene.ask(|scope| scope.host.clone()).unwrap();
    host.identity.name = Some(text.to_owned());
    host.identity.domain = Some(text.to_owned());
    host.identity.time_zone = Some((text.to_owned(), None));
    let note = Span { state: State::Partial, from: None, to: None, notes: vec![text.to_owned()] };
    host.coverage.record(Origin::SystemLog, note);
    files::hostile(&mut host, text);
    let mut ranked = judged(&host, "Victim", 54, Verdict::Escalate);
    let citation = Citation {
        artifact: Arc::from(text),
        ..ranked.service.config.as_ref().unwrap().cite("ImagePath")
    };
    ranked.findings = vec![
        finding("P91", 25, if text.is_empty() { "nothing" } else { text }, vec![citation.clone()]),
        finding("N91", 12, &format!("it says {text} there"), vec![citation]),
    ];
    ranked.against.clone_from(&ranked.findings);
    let mut other = ranked.clone();
    other.verdict = Verdict::Review;
    let evidence = EvidenceSummary {
        path: text.to_owned(),
        format: text.to_owned(),
        containers: vec![text.to_owned()],
        partitions: vec![PartitionSummary {
            number: 1,
            start: 512,
            size: 1 << 40,
            table: text.to_owned(),
            content: text.to_owned(),
            read: true,
        }],
        shadow_copies: vec![ShadowCopySummary {
            number: 1,
            id: text.to_owned(),
            created: None,
            read: true,
        }],
        files: vec![EvidenceFile {
            path: text.to_owned(),
            size: 1,
            collector_hash: Some(HashVerdict::Mismatch),
        }],
    };
    let diagnostics = vec![Diagnostic {
        artifact: text.to_owned(),
        impact: Impact::Lost,
        message: text.to_owned(),
    }];
    let mut host = HostReport::new(&host, &[ranked, other], evidence, diagnostics);
    for service in &mut host.services {
        text.clone_into(&mut service.name);
    }
    Report::new(Settings::new(Host::DEFAULT_WINDOW, &Tuning::default(), None), vec![host])
}

/// Whatever the real indicators say of a scene, as a report.
pub(crate) fn judged_scene(scene: Scene) -> Option<Report> {
    scene.ask(|scope| {
        let tuning = Tuning::default();
        let ranked = svctriage::rank::rank(scope.host, scope.given, &tuning);
        let host = HostReport::new(scope.host, &ranked, EvidenceSummary::default(), Vec::new());
        Report::new(Settings::new(Host::DEFAULT_WINDOW, &tuning, None), vec![host])
    })
}
