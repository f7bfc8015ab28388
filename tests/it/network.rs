//! What services do on the network, from made logs to the report.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at a surprise")]
#![expect(clippy::disallowed_methods, reason = "the tests' own files, not a report's evidence")]

use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use jiff::SignedDuration;
use svctriage::evidence;
use svctriage::host::KnownDestinations;
use svctriage::host::network::Reach;
use svctriage::lab::evtx::{Log, Payload, Provider, State, Value};
use svctriage::report::network::{KnownByReport, NameSourceReport, NetworkReport, RhythmSource};
use svctriage::report::{HostReport, Report, ServiceReport, Settings};
use svctriage::scan::scan;
use tempfile::TempDir;

use crate::report::assert_valid;
use crate::support::corpus::corpus_folder;
use crate::support::lab::{event, start};
use crate::support::logs::logs;
use crate::support::scan::{scan_one, settings};

const AUDIT: Provider = Provider::Manifest("Microsoft-Windows-Security-Auditing", [7; 16]);
const SYSMON: Provider = Provider::Manifest("Microsoft-Windows-Sysmon", [8; 16]);

/// Ids of the indicators about the network.
const ABOUT_NETWORK: [&str; 11] =
    ["E05", "E06", "E20", "E21", "E22", "E23", "E24", "E25", "E26", "E27", "B10"];

/// Milliseconds, whether it is Sysmon's, event id, data.
type Written = (i64, bool, u16, Vec<(&'static str, String)>);

/// Logs in the making; events may be added in any order.
#[derive(Default)]
struct Logs(Vec<Written>);

impl Logs {
    fn audit(&mut self, milliseconds: i64, id: u16, data: &[(&'static str, &str)]) {
        self.add(milliseconds, false, id, data);
    }

    fn sysmon(&mut self, milliseconds: i64, id: u16, data: &[(&'static str, &str)]) {
        self.add(milliseconds, true, id, data);
    }

    fn add(&mut self, at: i64, sysmon: bool, id: u16, data: &[(&'static str, &str)]) {
        let owned = data.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        self.0.push((at, sysmon, id, owned));
    }

    fn service(&mut self, at: i64, name: &str, program: &str) {
        self.audit(
            at,
            4697,
            &[
                ("SubjectUserSid", "S-1-5-18"),
                ("ServiceName", name),
                ("ServiceFileName", program),
                ("ServiceType", "0x10"),
                ("ServiceStartType", "2"),
                ("ServiceAccount", "LocalSystem"),
            ],
        );
    }

    fn start(&mut self, at: i64, id: &str, program: &str) {
        self.audit(
            at,
            4688,
            &[
                ("NewProcessId", id),
                ("NewProcessName", program),
                ("ProcessId", "0x2bc"),
                ("ParentProcessName", "C:\\Windows\\System32\\services.exe"),
                ("CommandLine", program),
            ],
        );
    }

    /// 5156.
    fn allowed(&mut self, at: i64, id: &str, device: &str, local: &str, remote: (&str, &str)) {
        self.audit(
            at,
            5156,
            &[
                ("ProcessID", id),
                ("Application", device),
                ("Direction", "%%14593"),
                ("SourceAddress", "10.0.0.5"),
                ("SourcePort", local),
                ("DestAddress", remote.0),
                ("DestPort", remote.1),
                ("Protocol", "6"),
            ],
        );
    }

    /// Sysmon 3.
    fn connected(&mut self, at: i64, id: &str, image: &str, local: &str, remote: (&str, &str)) {
        self.sysmon(
            at,
            3,
            &[
                ("ProcessId", id),
                ("Image", image),
                ("Protocol", "tcp"),
                ("Initiated", "true"),
                ("SourceIp", "10.0.0.5"),
                ("SourcePort", local),
                ("SourceHostname", "-"),
                ("DestinationIp", remote.0),
                ("DestinationPort", remote.1),
                ("DestinationHostname", "lb-7.provider.example"),
            ],
        );
    }

    /// Sysmon 22.
    fn looked_up(&mut self, at: i64, id: &str, image: &str, name: &str, results: &str) {
        let data =
            [("ProcessId", id), ("Image", image), ("QueryName", name), ("QueryResults", results)];
        self.sysmon(at, 22, &data);
    }

    fn write(mut self) -> (TempDir, Vec<PathBuf>) {
        self.0.sort_by_key(|(at, ..)| *at);
        let folder = TempDir::new().unwrap();
        let mut paths = Vec::new();
        let channels =
            [("Security", false, AUDIT), ("Microsoft-Windows-Sysmon/Operational", true, SYSMON)];
        for (channel, sysmon, provider) in channels {
            let mut log = Log::new(channel, "WS01.corp.example", 1);
            for (at, _, id, data) in self.0.iter().filter(|(_, is, ..)| *is == sysmon) {
                let data = data.iter().map(|(name, value)| (*name, Value::Text(value.clone())));
                let mut one = event(provider, *id, Payload::Named(data.collect(), None));
                one.time = start() + SignedDuration::from_millis(*at);
                log.push(&one).unwrap();
            }
            let path = folder.path().join(channel.replace('/', "%4") + ".evtx");
            fs::write(&path, log.to_bytes(State::Closed)).unwrap();
            paths.push(path);
        }
        (folder, paths)
    }
}

const DEVICE: &str = r"\device\harddiskvolume4\apps\upd.exe";
const PROGRAM: &str = r"D:\Apps\upd.exe";
const SERVER: (&str, &str) = ("198.18.114.7", "4444");

/// A service on drive D: asks for work every minute, as both logs record; a service of the same path on C: does nothing,
/// and a browser talks to somebody else.
fn implant(server: (&str, &str)) -> (TempDir, Vec<PathBuf>) {
    let mut logs = Logs::default();
    logs.service(0, "updsvc", PROGRAM);
    logs.service(10, "other", r"C:\Apps\upd.exe");
    logs.start(1_000, "0x1f4", PROGRAM);
    let asked = format!("type:  5 edge.example;::ffff:{};", server.0);
    logs.looked_up(4_500, "500", PROGRAM, "Box.DuckDNS.org.", &asked);
    for number in 0..12 {
        let at = 5_000 + number * 60_000;
        let local = (50_000 + number).to_string();
        logs.allowed(at, "500", DEVICE, &local, server);
        logs.connected(at + 2_100, "500", PROGRAM, &local, server);
    }
    logs.allowed(
        20_000,
        "900",
        r"\device\harddiskvolume4\browser.exe",
        "51000",
        ("9.9.9.9", "443"),
    );
    for (id, port) in [(5158, "31337"), (5158, "50001"), (5154, "31337")] {
        logs.audit(
            30_000,
            id,
            &[
                ("ProcessId", "500"),
                ("Application", DEVICE),
                ("SourceAddress", "0.0.0.0"),
                ("SourcePort", port),
                ("Protocol", "6"),
            ],
        );
    }
    logs.write()
}

fn service<'a>(report: &'a HostReport, name: &str) -> &'a ServiceReport {
    report.services.iter().find(|service| service.name == name).unwrap()
}

fn network(service: &ServiceReport) -> &NetworkReport {
    service.network.as_ref().unwrap()
}

/// The findings about the network with their weights, in order of ids.
fn findings(service: &ServiceReport) -> Vec<(&str, i32)> {
    let both = service.findings.iter().chain(&service.against);
    let about = both.filter(|finding| ABOUT_NETWORK.contains(&finding.id.as_str()));
    let mut found: Vec<(&str, i32)> =
        about.map(|finding| (finding.id.as_str(), finding.weight)).collect();
    found.sort_unstable();
    found
}

#[test]
fn an_implant_s_contacts_are_counted_once_and_told() {
    let (_folder, paths) = implant(("45.114.7.7", SERVER.1));
    let report = scan_one(&paths);
    assert_valid(&Report::new(
        Settings::new(settings().window, &settings().tuning, None),
        vec![report.clone()],
    ));
    let service = service(&report, "updsvc");
    let network = network(service);
    let [to] = network.destinations.as_slice() else { panic!("{:?}", network.destinations) };
    assert_eq!((to.address.as_str(), to.port, to.outbound), ("45.114.7.7", Some(4444), Some(true)));
    assert_eq!((to.reach, to.count, to.citations.len()), (Reach::Public, 12, 2));
    assert_eq!((to.looked_up, to.known_elsewhere), (Some(true), None));
    assert_eq!(to.programs, [r"d:\apps\upd.exe"]);
    assert_eq!((to.known_by, to.others.count), (KnownByReport::Process, 0));
    let names: Vec<_> = to.names.iter().map(|name| (name.name.as_str(), name.source)).collect();
    assert_eq!(
        names,
        [
            ("box.duckdns.org", NameSourceReport::OwnLookup),
            ("lb-7.provider.example", NameSourceReport::Reverse)
        ]
    );
    assert_eq!(to.remarks.len(), 2, "{:?}", to.remarks);
    let [lookup] = network.lookups.as_slice() else { panic!("{:?}", network.lookups) };
    assert_eq!((lookup.count, lookup.connected), (1, true));
    let ports: Vec<_> = network.ports.iter().map(|port| (port.port, port.listening)).collect();
    assert_eq!(ports, [(31_337, false), (31_337, true)]);
    let first = network.first_contact.as_ref().unwrap();
    assert_eq!((first.delay_ms, first.address.as_str()), (4_000, "45.114.7.7"));
    let [rhythm] = network.rhythms.as_slice() else { panic!("{:?}", network.rhythms) };
    assert_eq!((rhythm.peer.as_str(), rhythm.port), ("box.duckdns.org", Some(4444)));
    assert_eq!((rhythm.source, rhythm.intervals), (RhythmSource::Connections, 11));
    assert_eq!((rhythm.median_ms, rhythm.dispersion_permille, rhythm.regular), (60_000, 0, true));
    assert_eq!(
        findings(service),
        [("E05", 15), ("E20", 3), ("E21", 8), ("E22", 10), ("E24", 8), ("E27", 8)]
    );
}

#[test]
fn the_same_path_on_another_drive_is_another_program() {
    let (_folder, paths) = implant(("45.114.7.7", "443"));
    let report = scan_one(&paths);
    assert_eq!(service(&report, "other").network, None);
    assert_eq!(findings(service(&report, "other")), []);
}

#[test]
fn reserved_addresses_are_not_outside() {
    let (_folder, paths) = implant(SERVER);
    let report = scan_one(&paths);
    let service = service(&report, "updsvc");
    assert_eq!(network(service).destinations[0].reach, Reach::Reserved);
    assert_eq!(network(service).rhythms, []);
    assert_eq!(findings(service), [("E22", 10), ("E27", 8)]);
}

fn scan_knowing(paths: &[PathBuf], list: &str) -> HostReport {
    let known = KnownDestinations::read(list.as_bytes()).unwrap();
    let opened = evidence::open(paths, &evidence::Options::default());
    let settings =
        svctriage::scan::Settings { known_destinations: Some(Arc::new(known)), ..settings() };
    scan(opened.hosts[0].as_ref(), &settings, &())
}

#[test]
fn what_other_hosts_talk_to_weighs_less_and_what_none_does_more() {
    let (_folder, paths) = implant(("45.114.7.7", "443"));
    for (list, elsewhere, expected) in [
        (
            "destination,host\n45.114.7.0/24,WS02\n*.duckdns.org,ws02",
            true,
            vec![("B10", -3), ("E05", 5), ("E20", 1), ("E22", 3), ("E24", 2), ("E27", 8)],
        ),
        // Its own entries do not vouch for it, and nor does the name that the address claims.
        (
            "destination,host\n45.114.7.7,ws01\nlb-7.provider.example,WS02",
            false,
            vec![("E05", 15), ("E20", 3), ("E22", 10), ("E24", 8), ("E26", 6), ("E27", 8)],
        ),
    ] {
        let report = scan_knowing(&paths, list);
        let service = service(&report, "updsvc");
        assert_eq!(network(service).destinations[0].known_elsewhere, Some(elsewhere), "{list}");
        assert_eq!(findings(service), expected, "{list}");
    }
}

#[test]
fn a_process_that_was_there_before_the_log_is_known_by_its_program() {
    let mut logs = Logs::default();
    let image = r"C:\Contoso\agent.exe";
    logs.service(0, "agent", image);
    logs.service(1, "hosted", r"C:\Windows\System32\svchost.exe -k contoso");
    let hours = 3_600_000;
    for number in 0..3 {
        let local = (50_000 + number).to_string();
        logs.connected(5 * hours + number * 7_000, "77", image, &local, ("45.114.7.7", "443"));
    }
    // The id is used again by a process that is no service's.
    logs.audit(
        6 * hours,
        4688,
        &[
            ("NewProcessId", "0x4d"),
            ("NewProcessName", image),
            ("ProcessId", "0x9"),
            ("ParentProcessName", "C:\\Windows\\explorer.exe"),
        ],
    );
    logs.connected(6 * hours + 1, "77", image, "50100", ("45.114.7.8", "443"));
    let svchost = r"\device\harddiskvolume2\windows\system32\svchost.exe";
    logs.allowed(7 * hours, "88", svchost, "50200", ("45.114.7.9", "443"));
    let (_folder, paths) = logs.write();
    let report = scan_one(&paths);
    let agent = service(&report, "agent");
    let [to] = network(agent).destinations.as_slice() else { panic!("{:?}", agent.network) };
    assert_eq!((to.address.as_str(), to.count), ("45.114.7.7", 3));
    assert_eq!(to.known_by, KnownByReport::Program);
    assert_eq!(network(agent).first_contact, None);
    assert_eq!(service(&report, "hosted").network, None);
    // Hours after the install is not soon after a start.
    assert!(!findings(agent).iter().any(|(id, _)| *id == "E05"), "{:?}", findings(agent));
}

#[test]
fn tunnels_and_fans_are_told() {
    let mut logs = Logs::default();
    let image = r"C:\ProgramData\t.exe";
    for (at, name, id) in [(0, "tunnel", "0x64"), (10, "fan", "0x65")] {
        let program = format!("{image} {name}");
        logs.service(at, name, &program);
        logs.audit(
            at + 100,
            4688,
            &[
                ("NewProcessId", id),
                ("NewProcessName", image),
                ("ProcessId", "0x2bc"),
                ("ParentProcessName", "C:\\Windows\\System32\\services.exe"),
                ("CommandLine", &program),
            ],
        );
    }
    logs.connected(1_000, "100", image, "50000", ("127.0.0.1", "3389"));
    for number in 1..=5_i64 {
        let address = format!("10.0.0.{number}");
        let local = (50_100 + number).to_string();
        logs.connected(1_000 * number, "101", image, &local, (&address, "445"));
    }
    let (_folder, paths) = logs.write();
    let report = scan_one(&paths);
    for name in ["tunnel", "fan"] {
        assert_eq!(findings(service(&report, name)), [("E06", 15)], "{name}");
    }
}

#[test]
fn pages_tell_of_the_network_without_obeying_names() {
    let mut logs = Logs::default();
    let image = r"C:\Contoso\agent.exe";
    logs.service(0, "agent", image);
    logs.start(1_000, "0x1f4", image);
    logs.looked_up(2_000, "500", image, "\u{1b}[31m<img src=x>|`.example", "45.114.7.7;");
    logs.connected(3_000, "500", image, "50000", ("45.114.7.7", "443"));
    let (_folder, paths) = logs.write();
    let report = scan_one(&paths);
    let agent = service(&report, "agent");
    let page = svctriage::report::explain::explain_service(
        agent,
        &report,
        &svctriage::report::Settings::default(),
    );
    assert!(page.contains("On the network") && page.contains("45.114.7.7:443"), "{page}");
    assert!(!page.contains('\u{1b}'), "{page}");
    let whole =
        Report::new(Settings::new(settings().window, &settings().tuning, None), vec![report]);
    let mut bytes = Vec::new();
    let markdown = svctriage::report::renderer("markdown").unwrap();
    (markdown.render)(
        &whole,
        &svctriage::report::Options { all: true, ..Default::default() },
        &mut bytes,
    )
    .unwrap();
    let page = String::from_utf8(bytes).unwrap();
    assert!(page.contains("On the network:"), "{page}");
    crate::support::pages::assert_inert(&page);
}

#[test]
fn the_example_list_is_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/known-destinations.example.csv");
    let known = KnownDestinations::read(BufReader::new(fs::File::open(path).unwrap())).unwrap();
    assert_eq!(known.len(), 4);
    for (name, own, expected) in [
        ("ctldl.windowsupdate.com", "WS01", true),
        ("update.contoso.com", "ws02.corp.example", false),
        ("update.contoso.com", "WS01", true),
        ("contoso.com", "WS01", false),
    ] {
        assert_eq!(known.knows_name(name, Some(own)), expected, "{name} {own}");
    }
}

#[test]
fn mistakes_in_the_list_end_the_program_with_their_line() {
    let (folder, paths) = implant(SERVER);
    let list = folder.path().join("known.txt");
    fs::write(&list, "a.example\n10.0.0.0/99\n").unwrap();
    let run = |list: &Path| {
        let program = env!("CARGO_BIN_EXE_svctriage");
        let mut command = Command::new(program);
        command.arg("scan").args(&paths).arg("--known-destinations").arg(list);
        command.args(["--format", "json", "--quiet"]).output().unwrap()
    };
    let failed = run(&list);
    let message = String::from_utf8(failed.stderr).unwrap();
    assert_eq!(failed.status.code(), Some(3), "{message}");
    assert!(
        message.contains("known.txt") && message.contains("line 2: `10.0.0.0/99`"),
        "{message}"
    );
    let missing = run(&folder.path().join("nowhere"));
    assert_eq!(missing.status.code(), Some(3));
    fs::write(&list, "a.example\n").unwrap();
    let report = Report::from_json(&run(&list).stdout).unwrap();
    assert_eq!(report.settings.known_destinations.as_deref(), list.to_str());
}

/// Logs of ordinary machines, in part with connections and look-ups of agents: nothing about the network.
#[test]
fn ordinary_machines_stay_quiet() {
    for archive in ["evtx/win10-benign-vm.tar.xz", "evtx/server2016-capattack.tar.xz"] {
        let Some(folder) = corpus_folder(archive) else { return };
        let report = scan_one(&logs(&folder));
        let found: Vec<_> = report
            .services
            .iter()
            .flat_map(|service| findings(service).into_iter().map(|one| (&service.name, one)))
            .collect();
        assert_eq!(found, [], "{archive}");
    }
}
