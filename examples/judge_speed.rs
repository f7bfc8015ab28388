//! Measures judging alone: the indicators, the sums and the order, on hosts made in memory.
//!
//!     cargo run --release --example judge_speed -- [SHAPE [SERVICES [EVENTS [RUNS]]]]
//!
//! SHAPE is one of `even` (1,000 services share 100,000 events; the default), `one` (one service has all events), `children`
//! (one service has one process, all events are its children), `names` (each service was installed once, all under names
//! of one pattern, as a tool does that hammers a host), `drivers` (every service wrote drivers that others are),
//! `destinations` (one service connected to as many addresses as there are events), or `all` of them with their own
//! sizes. Prints the median of RUNS (9) in milliseconds and the slowest indicators: of processor time, where the system
//! counts it (Linux), so that what else a machine does matters little; else of the clock.
#![expect(clippy::print_stdout, reason = "a measuring program prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "the processor time is no evidence")]

use std::error::Error;
use std::sync::Arc;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use svctriage::artifact::service_values;
use svctriage::checklist::{self, Given, Memory, Overview, Scope};
use svctriage::diagnostic::Diagnostic;
use svctriage::host::citation::{Place, Provenance};
use svctriage::host::config::{Data, Epoch, RawValue, ServiceConfig};
use svctriage::host::event::{
    Action, Connection, ProcessStart, RegistryChange, RegistryOperation, ServiceInstall,
    ServiceNames, Subject,
};
use svctriage::host::{Citation, Coverage, Event, Fact, Host, Origin, Span, State};
use svctriage::rank::{Tuning, rank};
use svctriage::report::{EvidenceSummary, HostReport};

/// The processor time of this thread since its start; where nobody counts it the time since the first call.
fn now() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    let counted = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let counted = counted.and_then(|text| text.split(' ').next()?.parse().ok());
    counted.map_or_else(|| START.get_or_init(Instant::now).elapsed(), Duration::from_nanos)
}

const SERVICES_EXE: &str = r"C:\Windows\System32\services.exe";
const SYSMON: &str = "Microsoft-Windows-Sysmon/Operational";
const USER: &str = "S-1-5-21-1004336348-1177238915-682003330-1104";

/// The shapes, with the services and events that `all` gives them.
const SHAPES: [(&str, usize, usize); 6] = [
    ("even", 1_000, 100_000),
    ("one", 1, 20_000),
    ("children", 1, 100_000),
    ("names", 100_000, 100_000),
    ("drivers", 1_000, 100_000),
    ("destinations", 1, 20_000),
];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let shape = arguments.first().map_or("even", String::as_str);
    let number = |at: usize, otherwise: usize| match arguments.get(at) {
        Some(text) => text.parse(),
        None => Ok(otherwise),
    };
    for (name, services, events) in SHAPES {
        if shape == "all" || shape == name {
            measure(name, number(1, services)?, number(2, events)?, number(3, 9)?)?;
        }
    }
    Ok(())
}

fn measure(shape: &str, services: usize, events: usize, runs: usize) -> Result<(), Box<dyn Error>> {
    let facts = Facts::of(shape, services, events)?.made;
    let start = now();
    let host = Host::from_facts(facts, coverage(), Host::DEFAULT_WINDOW);
    let joined = now().saturating_sub(start);
    let (given, tuning) = (Given::default(), Tuning::default());
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..runs.max(1) {
        let start = now();
        let ranked = rank(&host, &given, &tuning);
        times.push(now().saturating_sub(start));
        assert_eq!(ranked.len(), host.services.len());
    }
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    let ranked = rank(&host, &given, &tuning);
    let start = now();
    let evidence = EvidenceSummary::new(&svctriage::evidence::Description::default(), Vec::new());
    let report = HostReport::new(&host, &ranked, evidence, Vec::<Diagnostic>::new());
    let told = now().saturating_sub(start);
    let links: usize = host.services.iter().map(|one| one.links.len()).sum();
    println!(
        "{shape}: {} services, {} events, {links} links: judged in {:.1} ms (median of {}, {:.1} to {:.1}); joined in {:.0} ms, told in {:.0} ms, {} incidents",
        host.services.len(),
        host.events.len(),
        milliseconds(median),
        times.len(),
        milliseconds(times.first().copied().unwrap_or_default()),
        milliseconds(times.last().copied().unwrap_or_default()),
        milliseconds(joined),
        milliseconds(told),
        report.incidents.len(),
    );
    slowest(&host, &given);
    Ok(())
}

/// The indicators that took longest, over all services.
fn slowest(host: &Host, given: &Given) {
    let start = now();
    let overview = &Overview::of(host, given);
    println!("  overview in {:.1} ms", milliseconds(now().saturating_sub(start)));
    let memories: Vec<Memory> = host.services.iter().map(|_| Memory::default()).collect();
    let mut spent: Vec<(Duration, &str)> = checklist::indicators()
        .map(|indicator| {
            let start = now();
            for (service, memory) in host.services.iter().zip(&memories) {
                let _answer = indicator.answer(&Scope { host, service, given, overview, memory });
            }
            (now().saturating_sub(start), indicator.id)
        })
        .collect();
    spent.sort_unstable();
    let words: Vec<String> = spent
        .iter()
        .rev()
        .take(10)
        .map(|(time, id)| format!("{id} {:.1}", milliseconds(*time)))
        .collect();
    println!("  slowest indicators, in ms: {}", words.join(", "));
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn coverage() -> Coverage {
    let mut coverage = Coverage::default();
    for origin in [
        Origin::SystemHive,
        Origin::SoftwareHive,
        Origin::SystemLog,
        Origin::SecurityLog,
        Origin::SysmonLog,
        Origin::PowerShellLog,
        Origin::ProcessEvents,
        Origin::NetworkEvents,
        Origin::RegistryEvents,
    ] {
        let notes = Vec::new();
        coverage.record(origin, Span { state: State::Complete, from: None, to: None, notes });
    }
    coverage
}

/// Facts in the making.
struct Facts {
    made: Vec<Fact>,
    start: Timestamp,
    next: u64,
}

impl Facts {
    fn of(shape: &str, services: usize, events: usize) -> Result<Self, Box<dyn Error>> {
        let start: Timestamp = "2026-03-02T08:00:00Z".parse()?;
        let mut made = Self { made: Vec::new(), start, next: 1 };
        for number in (0..services).filter(|_| shape != "names") {
            made.made.push(key(number, shape)?);
        }
        for round in 0..events {
            let number = round % services.max(1);
            let turn = round / services.max(1);
            let (channel, id, action) = match shape {
                "names" => ("System", 7045, installed(number)),
                "children" if turn > 0 => ("Security", 4688, child(number, turn)),
                "children" => ("Security", 4688, own(number)),
                "drivers" => (SYSMON, 11, wrote_driver(number, turn, services)),
                "destinations" if turn == 0 => ("System", 7045, installed(number)),
                "destinations" => (SYSMON, 3, connected(number, turn)),
                _ => mixed(number, turn),
            };
            made.event(channel, id, action);
        }
        Ok(made)
    }

    /// One event, a second after the one before.
    fn event(&mut self, channel: &str, event_id: u16, action: Action) {
        let second = SignedDuration::from_millis(i64::try_from(self.next).unwrap_or(0) * 250);
        let record_id = self.next;
        self.next += 1;
        self.made.push(Fact::Event(Box::new(Event {
            time: self.start.saturating_add(second).unwrap_or(self.start),
            computer: "WS01".to_owned(),
            user_sid: Some(USER.to_owned()),
            citation: Citation {
                artifact: Arc::from("a.evtx"),
                place: Place::Record { channel: Arc::from(channel), event_id, record_id },
                provenance: Provenance::Live,
            },
            action,
        })));
    }
}

fn program(number: usize) -> String {
    format!(r"C:\Tools{}\agent{number}.exe", number % 50)
}

fn process_id(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(0) * 4 + 1_000
}

/// The key of a service that a vendor installed; one of five is a driver.
fn key(number: usize, shape: &str) -> Result<Fact, Box<dyn Error>> {
    let name = format!("Agent{number}");
    let citation = Citation {
        artifact: Arc::from("SYSTEM"),
        place: Place::Key {
            path: format!(r"ControlSet001\Services\{name}"),
            value: None,
            offset: 0x1000,
        },
        provenance: Provenance::Live,
    };
    let mut config = ServiceConfig::new(name.clone(), Epoch::Current, citation);
    config.last_write = Some("2026-03-01T08:00:00Z".parse()?);
    let driver = number % 5 == 4;
    let path = match (driver, shape) {
        (true, "drivers") => format!(r"\??\C:\Windows\Temp\dropped{number}.sys"),
        (true, _) => format!(r"\SystemRoot\System32\drivers\agent{number}.sys"),
        (false, _) => program(number),
    };
    for (name, kind, data) in [
        ("Type", 4, Data::Number(if driver { 1 } else { 0x10 })),
        ("Start", 4, Data::Number(2)),
        ("ErrorControl", 4, Data::Number(1)),
        ("ImagePath", 2, Data::Text(path)),
        ("DisplayName", 1, Data::Text(format!("{name} of Contoso"))),
        ("ObjectName", 1, Data::Text("LocalSystem".to_owned())),
        ("Description", 1, Data::Text(format!("Provides {name} to this computer."))),
    ] {
        let provenance = Provenance::Live;
        config.values.push(RawValue { name: name.to_owned(), kind, data, offset: 0, provenance });
    }
    let _problems = service_values::decode(&mut config);
    Ok(Fact::Service(Box::new(config)))
}

/// What a service does in turn: installed, started, children, connections, look-ups, changes, files, failures.
fn mixed(number: usize, turn: usize) -> (&'static str, u16, Action) {
    let image = program(number);
    let id = Some(process_id(number));
    match turn {
        0 => return ("System", 7045, installed(number)),
        1 => return ("Security", 4688, own(number)),
        _ => {}
    }
    match turn % 10 {
        0 | 5 => ("Security", 4688, child(number, turn)),
        1 | 6 => (SYSMON, 3, connected(number, turn)),
        2 => (
            SYSMON,
            22,
            Action::DnsQueried {
                process_id: id,
                image,
                query: format!("h{}.x{}.example", turn % 7, number % 90),
                answers: format!("203.0.114.{}", turn % 200),
            },
        ),
        3 => (SYSMON, 13, changed(number, turn)),
        4 => {
            let path = format!(r"C:\ProgramData\Contoso\{number}-{turn}.dat");
            (SYSMON, 11, Action::FileCreated { process_id: id, image, path })
        }
        7 => {
            let service = names(number);
            let error = Some("%%1053".to_owned());
            ("System", 7000, Action::Failed { service, event_id: 7000, error })
        }
        8 => {
            let state = Some(if turn % 20 < 10 { 4 } else { 1 });
            ("System", 7036, Action::StateChanged { service: names(number), state })
        }
        _ => {
            let name = format!(r"\contoso-{number}-{turn}");
            (SYSMON, 17, Action::Pipe { created: true, process_id: id, image, name })
        }
    }
}

fn names(number: usize) -> ServiceNames {
    let display = Some(format!("Agent{number} of Contoso"));
    ServiceNames { key: Some(format!("Agent{number}")), display }
}

fn installed(number: usize) -> Action {
    Action::ServiceInstalled(ServiceInstall {
        service: ServiceNames { key: None, ..names(number) },
        image_path: program(number),
        service_type: Some(0x10),
        account: "LocalSystem".to_owned(),
        ..ServiceInstall::default()
    })
}

fn own(number: usize) -> Action {
    Action::ProcessStarted(ProcessStart {
        process_id: Some(process_id(number)),
        image: program(number),
        command_line: Some(program(number)),
        parent_process_id: Some(8),
        parent_image: Some(SERVICES_EXE.to_owned()),
        ..ProcessStart::default()
    })
}

fn child(number: usize, turn: usize) -> Action {
    Action::ProcessStarted(ProcessStart {
        process_id: Some(900_000 + u32::try_from(turn).unwrap_or(0) * 4),
        image: r"C:\Tools\helper.exe".to_owned(),
        command_line: Some(format!("helper.exe --job {turn}")),
        parent_process_id: Some(process_id(number)),
        parent_image: Some(program(number)),
        ..ProcessStart::default()
    })
}

fn connected(number: usize, turn: usize) -> Action {
    Action::Connected(Connection {
        process_id: Some(process_id(number)),
        image: program(number),
        outbound: Some(true),
        protocol: "tcp".to_owned(),
        source: "10.0.0.5".to_owned(),
        source_port: Some(50_000),
        destination: format!("203.{}.{}.{}", turn / 65_536 % 256, turn / 256 % 256, turn % 256),
        destination_port: Some(443),
        destination_name: None,
    })
}

fn changed(number: usize, turn: usize) -> Action {
    Action::RegistryChanged(RegistryChange {
        operation: RegistryOperation::ValueSet,
        service: Some(format!("Agent{number}")),
        target: if turn % 20 < 10 { "Start".to_owned() } else { "ImagePath".to_owned() },
        old: None,
        new: Some(if turn % 20 < 10 {
            "3".to_owned()
        } else {
            format!("{} --{turn}", program(number))
        }),
        image: SERVICES_EXE.to_owned(),
        process_id: Some(8),
        subject: Subject { sid: Some(USER.to_owned()), ..Subject::default() },
    })
}

/// A driver that another service is: every fifth is one.
fn wrote_driver(number: usize, turn: usize, services: usize) -> Action {
    let other = (number + turn * 5) % services.max(1) / 5 * 5 + 4;
    Action::FileCreated {
        process_id: None,
        image: program(number),
        path: format!(r"C:\Windows\Temp\dropped{other}.sys"),
    }
}
