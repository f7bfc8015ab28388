//! Facts of several artifacts become one story per service.

#![expect(clippy::unwrap_used, reason = "a test may stop at a surprise")]

use svctriage::checklist::{Given, Scene};
use svctriage::host::config::{Epoch, LoadPoint};
use svctriage::host::event::{
    Action, Connection, Logon, LogonKind, ProcessStart, RegistryChange, RegistryOperation,
    ServiceInstall, ServiceNames, Subject,
};
use svctriage::host::fact::ConfigurationKey;
use svctriage::host::{
    Citation, Coverage, Fact, Host, Origin, Place, Provenance, Role, Span, State,
};
use svctriage::rank::{Tuning, Verdict, rank};

fn names(key: Option<&str>, display: Option<&str>) -> ServiceNames {
    ServiceNames { key: key.map(str::to_owned), display: display.map(str::to_owned) }
}

/// 7045: display name and command.
fn installed_7045(display: &str, image_path: &str) -> Action {
    Action::ServiceInstalled(ServiceInstall {
        service: names(None, Some(display)),
        image_path: image_path.to_owned(),
        ..ServiceInstall::default()
    })
}

/// 4697: key name, command and the installer's session.
fn installed_4697(key: &str, image_path: &str, logon_id: u64) -> Action {
    Action::ServiceInstalled(ServiceInstall {
        service: names(Some(key), None),
        image_path: image_path.to_owned(),
        subject: Subject {
            sid: Some("S-1-5-21-1-2-3-1001".to_owned()),
            name: Some("CORP\\bob".to_owned()),
            logon_id: Some(logon_id),
        },
        ..ServiceInstall::default()
    })
}

fn process(id: u32, image: &str, line: &str, parent: u32, parent_image: &str) -> Action {
    Action::ProcessStarted(ProcessStart {
        process_id: Some(id),
        image: image.to_owned(),
        command_line: Some(line.to_owned()),
        parent_process_id: Some(parent),
        parent_image: Some(parent_image.to_owned()).filter(|parent| !parent.is_empty()),
        ..ProcessStart::default()
    })
}

fn connected(process_id: u32, image: &str) -> Action {
    Action::Connected(Connection {
        process_id: Some(process_id),
        image: image.to_owned(),
        destination: "203.0.113.7".to_owned(),
        destination_port: Some(443),
        ..Connection::default()
    })
}

fn roles(host: &Host, service: &str) -> Vec<Role> {
    host.service(service).unwrap().links.iter().map(|link| link.role).collect()
}

#[test]
fn display_name_and_key_name_of_one_install_are_one_service() {
    let path = r"\??\C:\tools\mimidrv.sys";
    Scene::ghost("mimidrv")
        .event(0, installed_4697("mimidrv", r"C:\tools\mimidrv.sys", 7))
        .event(1, installed_7045("mimikatz driver (mimidrv)", path))
        .ask(|scope| {
            assert_eq!(scope.host.services.len(), 1);
            assert_eq!(scope.service.display_name.as_deref(), Some("mimikatz driver (mimidrv)"));
            assert_eq!(scope.events(Role::Install).count(), 2);
        })
        .unwrap();
}

#[test]
fn a_localised_display_name_is_no_ghost_where_a_hive_was_read() {
    let stopped = Action::StateChanged { service: names(None, Some("Drucker")), state: Some(1) };
    Scene::hosted("Spooler")
        .event(0, stopped.clone())
        .ask(|scope| assert_eq!(scope.host.services.len(), 1))
        .unwrap();
    // The key name from the Binary field finds the service whatever the language.
    let stopped =
        Action::StateChanged { service: names(Some("Spooler"), Some("Drucker")), state: Some(1) };
    Scene::hosted("Spooler")
        .event(0, stopped)
        .ask(|scope| assert_eq!(roles(scope.host, "Spooler"), [Role::StateChange]))
        .unwrap();
}

#[test]
fn what_one_event_teaches_another_uses() {
    let running = Action::StateChanged {
        service: names(Some("ContosoSvc"), Some("Contoso Agent")),
        state: Some(4),
    };
    let crashed = Action::Crashed {
        service: names(None, Some("Contoso Agent")),
        count: Some(1),
        recovery: None,
        delay_ms: None,
    };
    Scene::service("ContosoSvc")
        .without("DisplayName")
        .event(0, crashed)
        .event(60, running)
        .ask(|scope| {
            assert_eq!(roles(scope.host, "ContosoSvc"), [Role::Crash, Role::StateChange]);
        })
        .unwrap();
}

#[test]
fn the_program_its_children_and_their_connections_belong_to_the_service() {
    let image = r"C:\Program Files\Contoso\ContosoSvc.exe";
    let services = r"C:\Windows\System32\services.exe";
    Scene::service("ContosoSvc")
        .event(0, process(100, image, &format!("\"{image}\""), 50, services))
        .event(5, process(101, r"C:\Windows\System32\cmd.exe", "cmd /c whoami", 100, image))
        .event(6, process(102, r"C:\Windows\System32\whoami.exe", "whoami", 101, "cmd.exe"))
        .event(7, connected(102, r"\device\harddiskvolume2\windows\system32\whoami.exe"))
        // Hours later, by another process, and by a process that got the id later.
        .event(7_000, connected(102, r"C:\Windows\System32\whoami.exe"))
        .event(8, connected(999, r"C:\Windows\explorer.exe"))
        .event(9, process(101, r"C:\Windows\notepad.exe", "notepad", 4, "explorer.exe"))
        .event(10, connected(101, r"C:\Windows\notepad.exe"))
        .ask(|scope| {
            assert_eq!(
                roles(scope.host, "ContosoSvc"),
                [
                    Role::Process,
                    Role::ChildProcess,
                    Role::ChildProcess,
                    Role::Connection,
                    Role::Connection
                ],
                "parentage has no window"
            );
        })
        .unwrap();
}

#[test]
fn a_child_logged_before_its_install_still_belongs_to_it() {
    let services = r"C:\Windows\System32\services.exe";
    Scene::ghost("PSEXESVC")
        .event(
            -1,
            process(100, r"C:\Windows\PSEXESVC.exe", r"C:\Windows\PSEXESVC.exe", 50, services),
        )
        .event(0, installed_7045("PSEXESVC", r"%SystemRoot%\PSEXESVC.exe"))
        .event(2, connected(777, r"C:\Windows\PSEXESVC.exe"))
        .ask(|scope| {
            assert_eq!(
                roles(scope.host, "PSEXESVC"),
                [Role::Process, Role::Install, Role::Connection]
            );
        })
        .unwrap();
}

#[test]
fn a_failure_command_that_only_events_show_is_found_running() {
    let services = r"C:\Windows\System32\services.exe";
    let set = |target: &str, new: &str| {
        Action::RegistryChanged(RegistryChange {
            operation: RegistryOperation::ValueSet,
            service: Some("Updater".to_owned()),
            target: target.to_owned(),
            old: None,
            new: Some(new.to_owned()),
            image: r"C:\Windows\System32\reg.exe".to_owned(),
            process_id: Some(9),
            subject: Subject::default(),
        })
    };
    Scene::ghost("Updater")
        .event(0, set("ImagePath", r"C:\ProgramData\u.exe"))
        .event(1, set("FailureCommand", r"C:\ProgramData\f.exe /run"))
        .event(2, set(r"Parameters\ServiceDll", r"C:\Program Data\u.dll"))
        .event(60, process(20, r"C:\ProgramData\f.exe", r"C:\ProgramData\f.exe /run", 8, services))
        .ask(|scope| {
            assert_eq!(scope.events(Role::Process).count(), 1);
            let dll = scope.service.dll.as_ref().map(|dll| dll.normalized.as_str());
            assert_eq!(dll, Some(r"c:\program data\u.dll"));
        })
        .unwrap();
}

#[test]
fn a_failure_command_by_its_bare_name_is_found_running() {
    let services = r"C:\Windows\System32\services.exe";
    let cmd = r"C:\Windows\System32\cmd.exe";
    Scene::hosted("Spooler")
        .text("FailureCommand", r"cmd.exe /c start /b C:\Users\Public\x.exe")
        .failure_actions(&[3])
        .event(0, process(100, cmd, r"cmd.exe /c start /b C:\Users\Public\x.exe", 50, services))
        .event(1, process(101, cmd, "cmd.exe /c ver", 50, services))
        .ask(|scope| assert_eq!(roles(scope.host, "Spooler"), [Role::Process]))
        .unwrap();
}

#[test]
fn scheduled_tasks_of_windows_7_are_no_service_processes() {
    let services = r"C:\Windows\System32\services.exe";
    Scene::service("ContosoSvc")
        .event(0, process(100, r"C:\Windows\System32\taskhost.exe", "taskhost.exe", 50, services))
        .event(1, process(101, r"C:\Windows\System32\cmd.exe", "cmd /c backup.bat", 50, services))
        .ask(|scope| assert_eq!(roles(scope.host, "ContosoSvc"), []))
        .unwrap();
}

#[test]
fn an_intercepted_unquoted_path_is_the_services_process() {
    let services = r"C:\Windows\System32\services.exe";
    Scene::service("ContosoSvc")
        .image(r"C:\Program Files\Contoso\svc.exe -run")
        .event(
            0,
            process(100, r"C:\Program.exe", r"C:\Program Files\Contoso\svc.exe -run", 50, services),
        )
        .ask(|scope| assert_eq!(roles(scope.host, "ContosoSvc"), [Role::Process]))
        .unwrap();
}

#[test]
fn the_session_of_an_install_leads_to_its_logon_and_address() {
    let logon = |id, address: &str| {
        Action::Logon(Logon {
            kind: LogonKind::Success,
            account: Subject {
                sid: Some("S-1-5-21-1-2-3-1001".to_owned()),
                name: Some("CORP\\bob".to_owned()),
                logon_id: Some(id),
            },
            logon_type: Some(3),
            address: Some(address.to_owned()),
            workstation: None,
            package: None,
            image: None,
            server: None,
        })
    };
    let svcctl = Action::ShareAccessed {
        share: r"\\*\IPC$".to_owned(),
        target: "svcctl".to_owned(),
        address: Some("10.0.0.9".to_owned()),
        access: None,
        subject: Subject { logon_id: Some(7), ..Subject::default() },
    };
    Scene::ghost("evil")
        .event(-30, logon(6, "10.0.0.8"))
        .event(-20, logon(7, "10.0.0.9"))
        .event(-1, svcctl)
        .event(0, installed_4697("evil", "cmd.exe", 7))
        .event(10, logon(7, "10.0.0.10"))
        .ask(|scope| {
            let actor = &scope.service.actors[0];
            assert_eq!(actor.logon.as_ref().unwrap().address.as_deref(), Some("10.0.0.9"));
            assert_eq!(
                roles(scope.host, "evil"),
                [Role::ActorLogon, Role::ShareAccess, Role::Install]
            );
        })
        .unwrap();
}

#[test]
fn an_actor_knows_its_install_whatever_stands_between() {
    Scene::ghost("evil")
        .event(0, installed_4697("evil", "one.exe", 7))
        .event_by(5, Some("S-1-5-18"), installed_7045("evil", "two.exe"))
        .event(9, installed_4697("evil", "three.exe", 8))
        .ask(|scope| {
            let sessions: Vec<_> = scope
                .service
                .indexed_events(Role::Install, &scope.host.events)
                .map(|(at, _)| scope.service.actor_of(at).unwrap().subject.logon_id)
                .collect();
            assert_eq!(sessions, [Some(7), None, Some(8)]);
            assert!(scope.service.actor_of(usize::MAX).is_none());
        })
        .unwrap();
}

#[test]
fn a_configuration_key_is_a_row_only_where_what_it_loads_speaks_against_it() {
    let key = |name: &str, value: &str, path: &str| {
        let citation = Citation {
            artifact: "SYSTEM".into(),
            place: Place::Key {
                path: format!("ControlSet001\\Services\\{name}"),
                value: None,
                offset: 0x1000,
            },
            provenance: Provenance::Live,
        };
        Fact::ConfigurationKey(ConfigurationKey {
            name: name.to_owned(),
            epoch: Epoch::Current,
            last_write: None,
            values: Vec::new(),
            load_points: vec![LoadPoint {
                value: value.to_owned(),
                path: path.to_owned(),
                citation: citation.clone(),
            }],
            citation,
        })
    };
    let facts = vec![
        key("WinSock2", "Parameters\\AutodialDLL", r"C:\Users\Public\hook.dll"),
        key("PerfDisk", "Performance\\Library", r"%SystemRoot%\System32\perfdisk.dll"),
    ];
    let mut coverage = Coverage::default();
    let whole = Span { state: State::Complete, from: None, to: None, notes: Vec::new() };
    coverage.record(Origin::SystemHive, whole);
    let host = Host::from_facts(facts, coverage, Host::DEFAULT_WINDOW);
    assert!(host.services.is_empty(), "a key without Type is no service");
    assert_eq!(host.stores.len(), 2);
    let ranked = rank(&host, &Given::default(), &Tuning::default());
    let [row] = ranked.as_slice() else { panic!("{} rows", ranked.len()) };
    assert_eq!((row.service.name.as_str(), row.verdict), ("WinSock2", Verdict::Review));
    let ids: Vec<&str> = row.findings.iter().map(|finding| finding.indicator.id).collect();
    assert_eq!(ids, ["P30"], "nothing else can be asked of it");
    assert_eq!(row.findings.first().unwrap().hit.citations.len(), 1);
}

#[test]
fn the_service_dll_is_the_pair_the_decoder_chose() {
    // In the key itself Windows reads it only where Parameters has none.
    let both = Scene::hosted("TermService")
        .text("ServiceDll", r"C:\Users\Public\own.dll")
        .text("Parameters\\servicedll", r"%SystemRoot%\System32\termsrv.dll");
    both.ask(|scope| {
        assert_eq!(scope.service.dll.as_ref().unwrap().leaf(), "termsrv.dll");
        let (value, _) = scope.config().unwrap().service_dll.clone().unwrap();
        assert_eq!(value.to_lowercase(), "parameters\\servicedll");
    })
    .unwrap();
    let own = Scene::hosted("TermService")
        .without("Parameters\\ServiceDll")
        .text("ServiceDll", r"C:\Users\Public Files\own.dll");
    own.ask(|scope| {
        let dll = scope.service.dll.as_ref().unwrap();
        assert_eq!(dll.program, r"C:\Users\Public Files\own.dll");
        assert_eq!(scope.config().unwrap().service_dll.as_ref().unwrap().0, "ServiceDll");
    })
    .unwrap();
}

#[test]
fn a_service_created_on_another_host_is_not_this_hosts() {
    let sc = r"C:\Windows\System32\sc.exe";
    Scene::service("ContosoSvc")
        .event(0, process(9, sc, r"sc  \\fs03 create evil binpath= virus.exe", 8, "cmd.exe"))
        .ask(|scope| {
            let remote = scope.host.service(r"\\fs03\evil").unwrap();
            assert_eq!(remote.elsewhere.as_deref(), Some("fs03"));
            assert_eq!(remote.image.as_ref().unwrap().program, "virus.exe");
            assert!(!remote.in_registry());
        })
        .unwrap();
}

#[test]
fn a_written_key_that_is_gone_is_a_service_without_registry() {
    let written = |target: &str, new: &str| {
        Action::RegistryChanged(RegistryChange {
            operation: RegistryOperation::ValueSet,
            service: Some("BTOBTO".to_owned()),
            target: target.to_owned(),
            old: None,
            new: Some(new.to_owned()),
            image: r"C:\Windows\system32\services.exe".to_owned(),
            process_id: Some(700),
            subject: Subject::default(),
        })
    };
    Scene::ghost("BTOBTO")
        .event(0, written("Start", "DWORD (0x00000003)"))
        .event(0, written("ImagePath", r"%COMSPEC% /Q /c echo cd"))
        .ask(|scope| {
            assert!(!scope.service.in_registry());
            assert_eq!(scope.service.image.as_ref().unwrap().leaf(), "cmd.exe");
        })
        .unwrap();
}

#[test]
fn the_same_record_from_two_files_is_one_event() {
    let install = || installed_7045("x", "x.exe");
    let scene = Scene::ghost("x").event(0, install());
    // A second scene numbers its records from one again: the same channel, record id and time.
    let copy = Scene::ghost("x").event(0, install());
    scene.beside(copy).ask(|scope| assert_eq!(scope.host.events.len(), 1)).unwrap();
}

#[test]
fn without_a_hive_every_named_service_is_a_row() {
    let stopped = Action::StateChanged { service: names(None, Some("Drucker")), state: Some(1) };
    Scene::ghost("Drucker")
        .covered(Origin::SystemHive, State::Absent)
        .event(0, stopped)
        .ask(|scope| assert_eq!(roles(scope.host, "Drucker"), [Role::StateChange]))
        .unwrap();
}
