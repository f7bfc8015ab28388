//! What makes several records one act of a story, and which processes are a service's.

use jiff::{SignedDuration, Timestamp};
use svctriage::host::event::{
    Action, Connection, Logon, LogonKind, ProcessStart, RegistryChange, RegistryOperation,
    ServiceInstall, ServiceNames, Subject,
};
use svctriage::host::fact::Fact;
use svctriage::host::process::Kinship;
use svctriage::host::story::{Phase, Step, Story};
use svctriage::host::{Citation, Coverage, Event, Host, Place, Provenance, Role};

const MANAGER: (u32, &str) = (700, r"C:\Windows\System32\services.exe");

/// Events of one host, in milliseconds after a fixed time.
#[derive(Default)]
struct Log(Vec<Fact>);

impl Log {
    fn at(mut self, ms: i64, channel: &str, event_id: u16, action: Action) -> Self {
        let start: Timestamp = "2026-11-03T12:00:00Z".parse().unwrap();
        let record_id = self.0.len() as u64;
        self.0.push(Fact::Event(Box::new(Event {
            time: start + SignedDuration::from_millis(ms),
            computer: "WS01".to_owned(),
            user_sid: None,
            citation: Citation {
                artifact: format!("{channel}.evtx").into(),
                place: Place::Record { channel: channel.into(), event_id, record_id },
                provenance: Provenance::Live,
            },
            action,
        })));
        self
    }

    fn system(self, ms: i64, event_id: u16, action: Action) -> Self {
        self.at(ms, "System", event_id, action)
    }

    fn security(self, ms: i64, event_id: u16, action: Action) -> Self {
        self.at(ms, "Security", event_id, action)
    }

    fn sysmon(self, ms: i64, event_id: u16, action: Action) -> Self {
        self.at(ms, "Microsoft-Windows-Sysmon/Operational", event_id, action)
    }

    fn host(self) -> Host {
        Host::from_facts(self.0, Coverage::default(), Host::DEFAULT_WINDOW)
    }
}

fn key(name: &str) -> ServiceNames {
    ServiceNames { key: Some(name.to_owned()), display: None }
}

fn install(name: &str, command: &str, audited: bool) -> Action {
    let names = if audited {
        key(name)
    } else {
        ServiceNames { key: None, display: Some(name.to_owned()) }
    };
    Action::ServiceInstalled(ServiceInstall {
        service: names,
        image_path: command.to_owned(),
        account: "LocalSystem".to_owned(),
        ..ServiceInstall::default()
    })
}

fn process(id: u32, image: &str, line: Option<&str>, parent: (u32, &str)) -> Action {
    Action::ProcessStarted(ProcessStart {
        process_id: Some(id),
        image: image.to_owned(),
        command_line: line.map(str::to_owned),
        parent_process_id: Some(parent.0),
        parent_image: Some(parent.1.to_owned()).filter(|image| !image.is_empty()),
        ..ProcessStart::default()
    })
}

fn connection(id: u32, image: &str, destination: &str) -> Action {
    Action::Connected(Connection {
        process_id: Some(id),
        image: image.to_owned(),
        outbound: Some(true),
        destination: destination.to_owned(),
        destination_port: Some(443),
        ..Connection::default()
    })
}

fn write(name: &str, target: &str, new: &str) -> Action {
    change(name, target, Some(new), RegistryOperation::ValueSet)
}

fn change(name: &str, target: &str, new: Option<&str>, operation: RegistryOperation) -> Action {
    Action::RegistryChanged(RegistryChange {
        operation,
        service: Some(name.to_owned()),
        target: target.to_owned(),
        old: None,
        new: new.map(str::to_owned),
        image: MANAGER.1.to_owned(),
        process_id: Some(MANAGER.0),
        subject: Subject::default(),
    })
}

fn phases(host: &Host, name: &str) -> Vec<(Phase, usize)> {
    steps(host, name).iter().map(|step| (step.phase, step.events.len())).collect()
}

fn steps(host: &Host, name: &str) -> Vec<Step> {
    Story::of(host, host.service(name).unwrap()).steps
}

const AGENT: &str = r"C:\Agent\agent.exe";
const HOUR: i64 = 3_600_000;

#[test]
fn a_process_in_two_logs_is_one_and_its_children_are_its_own_hours_later() {
    let cmd = r"C:\Windows\System32\cmd.exe";
    let host = Log::default()
        .system(0, 7045, install("Agent", AGENT, false))
        .sysmon(100, 1, process(50, AGENT, Some(AGENT), MANAGER))
        .security(101, 4688, process(50, AGENT, None, (MANAGER.0, "")))
        .security(5 * HOUR, 4688, process(51, cmd, Some("cmd /c whoami"), (50, AGENT)))
        .sysmon(5 * HOUR + 500, 3, connection(51, cmd, "203.0.113.9"))
        .sysmon(5 * HOUR + 900, 3, connection(51, cmd, "203.0.113.9"))
        .security(
            5 * HOUR + 1_000,
            4689,
            Action::ProcessEnded { process_id: Some(51), image: cmd.to_owned() },
        )
        // Logged late, and still of the process that has just ended.
        .sysmon(5 * HOUR + 3_000, 3, connection(51, cmd, "203.0.113.10"))
        // The id is another process's by now.
        .sysmon(6 * HOUR, 3, connection(51, cmd, "203.0.113.11"))
        .host();
    let expected = [
        (Phase::Installed, 1),
        (Phase::Process, 2),
        (Phase::Process, 1),
        (Phase::Network, 2),
        (Phase::Network, 1),
    ];
    assert_eq!(phases(&host, "Agent"), expected);
    let [agent, child] = host.processes.as_slice() else { panic!("{:?}", host.processes) };
    assert_eq!((agent.kinship, agent.depth, agent.starts.len()), (Kinship::Command, 0, 2));
    assert_eq!((child.kinship, child.depth, child.parent), (Kinship::Descendant, 1, Some(0)));
    assert!(child.ended.is_some() && agent.ended.is_none());
}

#[test]
fn nothing_outlives_a_start_of_windows() {
    let host = Log::default()
        .system(0, 7045, install("Agent", AGENT, false))
        .sysmon(100, 1, process(50, AGENT, Some(AGENT), MANAGER))
        .system(HOUR, 12, Action::SystemStarted)
        .sysmon(2 * HOUR, 1, process(51, r"C:\x.exe", Some("x"), (50, "")))
        .host();
    assert_eq!(phases(&host, "Agent"), [(Phase::Installed, 1), (Phase::Process, 1)]);
}

#[test]
fn a_service_manager_elsewhere_is_no_service_manager() {
    let host = Log::default()
        .system(0, 7045, install("Agent", AGENT, false))
        .sysmon(100, 1, process(50, AGENT, Some(AGENT), (9, r"C:\Users\Public\services.exe")))
        .host();
    assert!(host.processes.is_empty(), "{:?}", host.processes);
}

#[test]
fn the_same_service_installed_for_each_command_is_told_each_time() {
    let (one, two) = (r"%COMSPEC% /c one", r"%COMSPEC% /c two");
    let cmd = r"C:\Windows\System32\cmd.exe";
    let run = |log: Log, ms: i64, id: u32, command: &str, line: &str| {
        log.sysmon(ms, 13, write("B", "Start", "DWORD (0x00000003)"))
            .sysmon(ms, 13, write("B", "ImagePath", command))
            .sysmon(ms + 20, 1, process(id, cmd, Some(line), MANAGER))
            .security(ms + 30, 4697, install("B", command, true))
            .system(ms + 40, 7045, install("B", command, false))
            .sysmon(ms + 300, 13, write("B", "DeleteFlag", "DWORD (0x00000001)"))
            .sysmon(ms + 301, 13, write("B", "Start", "DWORD (0x00000004)"))
            .sysmon(ms + 310, 12, change("B", "", None, RegistryOperation::KeyDeleted))
    };
    let log = run(Log::default(), 0, 50, one, r"C:\Windows\system32\cmd.exe /c one");
    let host = run(log, 900, 51, two, r"C:\Windows\system32\cmd.exe /c two").host();
    let run_once = [(Phase::Installed, 4), (Phase::Process, 1), (Phase::Deleted, 3)];
    assert_eq!(phases(&host, "B"), [run_once, run_once].concat());
}

#[test]
fn an_install_is_told_before_the_process_that_was_logged_first() {
    let host = Log::default()
        .security(0, 4688, process(50, AGENT, Some(AGENT), MANAGER))
        .security(30, 4697, install("Agent", AGENT, true))
        .system(40, 7045, install("Agent", AGENT, false))
        .system(30_000, 7009, Action::Failed { service: key("Agent"), event_id: 7009, error: None })
        .system(30_000, 7000, Action::Failed { service: key("Agent"), event_id: 7000, error: None })
        .host();
    let expected = [(Phase::Installed, 2), (Phase::Process, 1), (Phase::Failed, 2)];
    assert_eq!(phases(&host, "Agent"), expected);
}

#[test]
fn disabling_is_no_deletion() {
    let host = Log::default()
        .sysmon(0, 13, write("Agent", "Start", "DWORD (0x00000004)"))
        .system(
            20,
            7040,
            Action::StartTypeChanged {
                service: key("Agent"),
                old: "auto start".to_owned(),
                new: "disabled".to_owned(),
                start: None,
            },
        )
        .host();
    assert_eq!(phases(&host, "Agent"), [(Phase::Configured, 2)]);
}

#[test]
fn the_failure_command_after_a_crash_is_a_recovery() {
    let cmd = r"C:\Windows\System32\cmd.exe";
    let crash = Action::Crashed {
        service: key("Agent"),
        count: Some(1),
        recovery: Some(3),
        delay_ms: Some(1_000),
    };
    let run = |id| process(id, cmd, Some("cmd.exe /c evil"), MANAGER);
    let host = Log::default()
        .sysmon(0, 13, write("Agent", "FailureCommand", "cmd.exe /c evil"))
        .security(HOUR, 4688, run(50))
        .system(2 * HOUR, 7031, crash)
        .security(2 * HOUR + 1_200, 4688, run(51))
        .host();
    let expected =
        [(Phase::Configured, 1), (Phase::Process, 1), (Phase::Crashed, 1), (Phase::Recovered, 1)];
    assert_eq!(phases(&host, "Agent"), expected);
    assert!(host.processes.iter().all(|process| process.kinship == Kinship::FailureCommand));
}

#[test]
fn a_service_logs_on_with_its_own_account_or_is_refused() {
    let logon = |kind, name: &str| {
        Action::Logon(Logon {
            kind,
            account: Subject { sid: None, name: Some(name.to_owned()), logon_id: Some(9) },
            logon_type: Some(5),
            address: None,
            workstation: None,
            package: None,
            image: Some(MANAGER.1.to_owned()),
            server: None,
        })
    };
    let refused = Action::LogonRefused {
        service: key("Agent"),
        account: Some(r".\svc".to_owned()),
        error: Some("%%1326".to_owned()),
    };
    let running = Action::StateChanged { service: key("Agent"), state: Some(4) };
    let host = Log::default()
        .security(0, 4625, logon(LogonKind::Failure, r"WS01\svc"))
        .system(10, 7038, refused)
        .system(20, 7000, Action::Failed { service: key("Agent"), event_id: 7000, error: None })
        .security(60_000, 4624, logon(LogonKind::Success, r"WS01\svc"))
        .security(60_001, 4624, logon(LogonKind::Success, r"NT AUTHORITY\SYSTEM"))
        .system(60_010, 7036, running)
        .host();
    let expected = [(Phase::Failed, 3), (Phase::Started, 1), (Phase::Started, 1)];
    assert_eq!(phases(&host, "Agent"), expected);
    let agent = host.service("Agent").unwrap();
    assert_eq!(agent.events(Role::ServiceLogon, &host.events).count(), 2);
}

#[test]
fn several_services_of_one_process_are_counted() {
    let svchost = r"C:\Windows\System32\svchost.exe";
    let line = r"C:\Windows\System32\svchost.exe -k wares";
    let host = Log::default()
        .system(0, 7045, install("One", line, false))
        .system(1, 7045, install("Two", line, false))
        .security(100, 4688, process(50, svchost, Some(line), MANAGER))
        .sysmon(
            200,
            10,
            Action::ProcessOpened {
                process_id: Some(50),
                image: svchost.to_owned(),
                target: r"C:\Windows\System32\lsass.exe".to_owned(),
                access: "0x1410".to_owned(),
            },
        )
        .host();
    let expected = [(Phase::Installed, 1), (Phase::Process, 1), (Phase::Accessed, 1)];
    for name in ["One", "Two"] {
        assert_eq!(phases(&host, name), expected);
    }
    assert_eq!(host.processes[0].services, 2);
}

#[test]
fn a_long_story_leaves_its_middle_out_and_says_so() {
    let mut log = Log::default().system(0, 7045, install("Agent", AGENT, false));
    for at in 1..=1_000 {
        let state = Some(if at % 2 == 0 { 1 } else { 4 });
        log = log.system(at * 1_000, 7036, Action::StateChanged { service: key("Agent"), state });
    }
    let host = log.host();
    let story = Story::of(&host, host.service("Agent").unwrap());
    assert_eq!((story.steps.len(), story.left_out), (400, 601));
    assert_eq!(story.steps[0].phase, Phase::Installed);
    assert_eq!(story.steps[399].phase, Phase::Stopped);
}
