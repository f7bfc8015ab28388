//! Whether it started, and what followed (Q5).
//!
//! E08 (access to lsass) needs Sysmon 10, which is not read; E09 (never started) is no finding: on clients
//! 7036 is not logged, so that no record of a start means nothing.

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::SignedDuration;

use super::knowledge::failure::default_command;
use super::known_good::{agent, is_stock};
use super::place::is_in_program_files;
use super::staging::{child, connected, failed, installed, no, started, unknown, yes};
use super::story::{clip, follows, line};
use super::{Family, Hit, Indicator, Need, Question, Scene, Scope, technique};
use crate::host::event::{Action, Connection, Event, ProcessStart};
use crate::host::image_path::leaf;
use crate::host::{ImagePath, Origin, Role};
use crate::time::format_short;

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] = &[
    NO_SERVICE,
    SHELL_STARTED,
    INTERCEPTED,
    SHELL_FOLLOWED,
    OUTBOUND,
    FAN_OUT,
    PIPE,
    NO_MODULE,
    UNSIGNED,
];

const PROCESSES: &[Need] = &[Need::Part(Origin::ProcessEvents)];

const NO_SERVICE: Indicator = Indicator {
    id: "E01",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did it fail to answer the service control manager within a minute of its installation?",
    why: "cmd, PowerShell and most payloads are no service programs: the command runs, then 7009 and 7000 (1053) \
          report that no service answered.",
    innocent: "A broken installation, or a slow program on a slow machine.",
    verify: &["EvtxECmd -f System.evtx --inc 7045,7009,7000: the same service, seconds apart"],
    attack: &[technique("T1569.002")],
    weight: 15,
    hard: false,
    needs: &[Need::Part(Origin::SystemLog)],
    sources: &[
        "Measured: 244 of 244 services of one remote execution tool; too few benign installs are labelled to compare",
    ],
    since: "0.1.0",
    check: |scope| {
        let limit = SignedDuration::from_mins(1);
        scope.events(Role::Failure).find_map(|event| {
            let Action::Failed { event_id: event_id @ (7000 | 7009), error, .. } = &event.action
            else {
                return None;
            };
            let unanswered =
                *event_id == 7009 || error.as_deref().is_some_and(|error| error.contains("1053"));
            let install = scope
                .events(Role::Install)
                .find(|install| follows(install.time, event.time, limit))
                .filter(|_| unanswered)?;
            let because = format!(
                "Installed at {}, no answer by {} ({event_id}).",
                format_short(install.time),
                format_short(event.time)
            );
            Some(Hit::new(because, event.citation.clone()).and(install.citation.clone()))
        })
    },
    examples: &[
        yes("7009 thirty seconds after 7045", || {
            Scene::ghost("seg1")
                .event(0, installed("seg1", "cmd.exe /c echo x"))
                .event(30, failed("seg1", 7009, "30000"))
        }),
        no("a failure months later", || {
            Scene::service("Agent")
                .event(0, installed("Agent", r"C:\x.exe"))
                .event(86_400 * 20, failed("Agent", 7000, "%%1053"))
        }),
        no("a file that was not found", || {
            Scene::service("Agent")
                .event(0, installed("Agent", r"C:\x.exe"))
                .event(10, failed("Agent", 7000, "%%2"))
        }),
        unknown("no System log", || Scene::service("Agent")),
    ],
};

const SHELL_STARTED: Indicator = Indicator {
    id: "E02",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did services.exe start a shell or script host for it?",
    why: "Services are programs of their own; in 187 recorded attack runs every cmd, powershell or rundll32 below \
          services.exe was the attack.",
    innocent: "A failure command of a vendor, or an agent written in a scripting language.",
    verify: &[
        "EvtxECmd -f Security.evtx --inc 4688 (or Sysmon 1): parent services.exe, the whole command line",
    ],
    attack: &[technique("T1569.002"), technique("T1059")],
    weight: 25,
    hard: false,
    needs: PROCESSES,
    sources: &[
        "OTRF Security-Datasets: 187 captures",
        "elastic/detection-rules 0022d47d-39c7-4f69-a232-4fe9dc7a3acd",
    ],
    since: "0.1.0",
    check: |scope| {
        scope.events(Role::Process).find_map(|event| {
            let process = process(event)?;
            if !is_shell(&process.image) || is_default_failure(scope, process) || is_stock(scope) {
                return None;
            }
            let because =
                format!("At {} services.exe ran `{}`.", format_short(event.time), line(event));
            Some(Hit::new(because, event.citation.clone()))
        })
    },
    examples: &[
        yes("the command interpreter as a service", || {
            let command = r"C:\Windows\System32\cmd.exe /c echo x > C:\t.txt";
            Scene::service("Agent")
                .image(command)
                .event(0, started(r"C:\Windows\System32\cmd.exe", command))
        }),
        no("an ordinary service", || {
            Scene::service("Agent").event(
                0,
                started(
                    r"C:\Program Files\Contoso\Agent.exe",
                    r#""C:\Program Files\Contoso\Agent.exe""#,
                ),
            )
        }),
        no("a task that Windows 7 runs below services.exe", || {
            Scene::service("Agent").event(
                0,
                started(r"C:\Windows\System32\cmd.exe", "cmd.exe /c C:\\tasks\\nightly.bat"),
            )
        }),
        unknown("processes are not logged", || Scene::service("Agent")),
    ],
};

const INTERCEPTED: Indicator = Indicator {
    id: "E03",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did another program than the configured one start with its command line?",
    why: "An unquoted path with spaces lets Windows start a shorter name first: somebody put a program there.",
    innocent: "A program of that name that belongs there, which would be a rare accident.",
    verify: &[
        "Look at the program that started: its signature, and when it was written.",
        "Quote the path of the service.",
    ],
    attack: &[technique("T1574.009")],
    weight: 30,
    hard: false,
    needs: PROCESSES,
    sources: &["Microsoft Learn: CreateProcess, lpApplicationName", "Atomic Red Team T1574.009-1"],
    since: "0.1.0",
    check: |scope| {
        let image = scope.service.image.as_ref().filter(|image| !image.quoted)?;
        scope.events(Role::Process).find_map(|event| {
            let process = process(event)?;
            let ran = ImagePath::parse(&format!("\"{}\"", process.image)).normalized;
            let stem = ran.strip_suffix(".exe")?;
            let rest = image.normalized.strip_prefix(stem)?;
            if ran == image.normalized || !rest.starts_with(' ') {
                return None;
            }
            let because = format!(
                "At {} {} ran in place of `{}`.",
                format_short(event.time),
                process.image,
                image.program
            );
            Some(Hit::new(because, event.citation.clone()))
        })
    },
    examples: &[
        yes("C:\\Program.exe in place of the service", || {
            let command = r"C:\Program Files\Contoso\Agent.exe -run";
            Scene::service("Agent").image(command).event(0, started(r"C:\Program.exe", command))
        }),
        no("the service itself", || {
            let command = r"C:\Program Files\Contoso\Agent.exe -run";
            Scene::service("Agent")
                .image(command)
                .event(0, started(r"C:\Program Files\Contoso\Agent.exe", command))
        }),
        unknown("processes are not logged", || Scene::service("Agent")),
    ],
};

const SHELL_FOLLOWED: Indicator = Indicator {
    id: "E04",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did its process start a shell or script host?",
    why: "A service that gives commands is a remote control: PsExec, agents of frameworks and web shells do this.",
    innocent: "Management and monitoring agents run scripts; the known ones are left out.",
    verify: &[
        "Follow ProcessId and ParentProcessId in 4688 or Sysmon 1 below the service's process.",
    ],
    attack: &[technique("T1059")],
    weight: 20,
    hard: false,
    needs: PROCESSES,
    sources: &[
        "OTRF Security-Datasets: 187 captures",
        "elastic/detection-rules aa9a274d-6b53-424d-ac5e-cb8ca4251650",
    ],
    since: "0.1.0",
    check: |scope| {
        if agent(scope).is_some() || is_stock(scope) {
            return None;
        }
        scope.events(Role::ChildProcess).find_map(|event| {
            let process = process(event).filter(|process| is_shell(&process.image))?;
            let limit = SignedDuration::from_mins(5);
            let soon = scope.events(Role::Process).any(|own| follows(own.time, event.time, limit));
            let weight = if soon { SHELL_FOLLOWED.weight } else { 12 };
            let parent = process.parent_image.as_deref().map_or("its process", leaf);
            let because =
                format!("At {} {parent} ran `{}`.", format_short(event.time), line(event));
            Some(Hit::new(because, event.citation.clone()).weighing(weight))
        })
    },
    examples: &[
        yes("a shell below the service", || {
            agent_running().event(20, child(r"C:\Windows\System32\cmd.exe", "cmd /c whoami /all"))
        }),
        no("a helper of the product", || {
            agent_running().event(20, child(r"C:\Program Files\Contoso\helper.exe", "helper.exe"))
        }),
        unknown("processes are not logged", || Scene::service("Agent")),
    ],
};

const OUTBOUND: Indicator = Indicator {
    id: "E05",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did its process connect to a public address soon after its start?",
    why: "What an implant does first is to call home.",
    innocent: "Updaters, licence checks and cloud agents do the same.",
    verify: &[
        "Sysmon 3 or 5156: destination, port, bytes in the proxy's log",
        "Whose address is it, and which other hosts talk to it?",
    ],
    attack: &[technique("T1071")],
    weight: 15,
    hard: false,
    needs: &[Need::Part(Origin::NetworkEvents)],
    sources: &["RFC 6890: special-purpose addresses", "Window: --window"],
    since: "0.1.0",
    check: |scope| {
        if agent(scope).is_some() || is_stock(scope) {
            return None;
        }
        let (event, to) = connections(scope).find(|(_, to)| {
            to.outbound != Some(false) && to.destination.parse::<IpAddr>().is_ok_and(is_public)
        })?;
        let port = to.destination_port.map(|port| format!(":{port}")).unwrap_or_default();
        let name = to.destination_name.as_deref().filter(|name| !name.is_empty() && *name != "-");
        let because = format!(
            "At {} it connected to {}{port}{}.",
            format_short(event.time),
            to.destination,
            name.map(|name| format!(" ({})", clip(name))).unwrap_or_default()
        );
        let vendor = scope.service.image.as_ref().is_some_and(is_in_program_files);
        let weight = if vendor { 5 } else { OUTBOUND.weight };
        Some(Hit::new(because, event.citation.clone()).weighing(weight))
    },
    examples: &[
        yes("a public address", || {
            agent_elsewhere().event(5, connected(r"C:\ProgramData\a.exe", "203.0.114.7", 443))
        }),
        no("an address of this network", || {
            agent_elsewhere().event(5, connected(r"C:\ProgramData\a.exe", "10.1.2.3", 443))
        }),
        no("a stock service", || {
            Scene::service("Spooler")
                .image(r"%SystemRoot%\System32\spoolsv.exe")
                .event(5, connected(r"C:\Windows\System32\spoolsv.exe", "203.0.114.7", 443))
        }),
        unknown("connections are not logged", || Scene::service("Agent")),
    ],
};

const FAN_OUT: Indicator = Indicator {
    id: "E06",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did its process reach for many hosts' administration ports, or tunnel to its own?",
    why: "SMB, RPC, RDP and WinRM to one host after another is lateral movement; RDP over the loopback address is a \
          tunnel's end.",
    innocent: "Scanners of the inventory and of vulnerabilities, backup servers.",
    verify: &["Sysmon 3 or 5156: destinations and ports of the process, in order of time"],
    attack: &[technique("T1021.002"), technique("T1572")],
    weight: 15,
    hard: false,
    needs: &[Need::Part(Origin::NetworkEvents)],
    sources: &["Ports: 135 RPC, 139 and 445 SMB, 3389 RDP, 5985 and 5986 WinRM (IANA)"],
    since: "0.1.0",
    check: |scope| {
        if agent(scope).is_some() || is_stock(scope) {
            return None;
        }
        let mut hosts = BTreeSet::new();
        for (event, to) in connections(scope).filter(|(_, to)| to.outbound != Some(false)) {
            let Some(port) = to.destination_port else { continue };
            let Ok(address) = to.destination.parse::<IpAddr>() else { continue };
            if address.is_loopback() && port == 3389 {
                let because = format!(
                    "At {} it connected to its own host's RDP port.",
                    format_short(event.time)
                );
                return Some(Hit::new(because, event.citation.clone()));
            }
            if matches!(port, 135 | 139 | 445 | 3389 | 5985 | 5986) && !address.is_loopback() {
                hosts.insert(address);
            }
            if hosts.len() >= 5 {
                let because = format!(
                    "It reached for SMB, RPC, RDP or WinRM of five hosts by {}.",
                    format_short(event.time)
                );
                return Some(Hit::new(because, event.citation.clone()));
            }
        }
        None
    },
    examples: &[
        yes("RDP to itself", || {
            agent_elsewhere().event(5, connected(r"C:\ProgramData\a.exe", "127.0.0.1", 3389))
        }),
        yes("SMB to five hosts", || {
            (1..=5).fold(agent_elsewhere(), |scene, host| {
                let address = format!("10.0.0.{host}");
                scene.event(host, connected(r"C:\ProgramData\a.exe", &address, 445))
            })
        }),
        no("SMB to one file server", || {
            (1..=5).fold(agent_elsewhere(), |scene, second| {
                scene.event(second, connected(r"C:\ProgramData\a.exe", "10.0.0.1", 445))
            })
        }),
        unknown("connections are not logged", || Scene::service("Agent")),
    ],
};

const PIPE: Indicator = Indicator {
    id: "E07",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did its process open a named pipe of a known remote execution tool?",
    why: "The pipe's name stays when the service and its file are renamed.",
    innocent: "PsExec and its kin in an administrator's hands.",
    verify: &[
        "Sysmon 17 and 18: PipeName, Image, and the client's host in names such as PSEXESVC-HOST-PID-stdin",
    ],
    attack: &[technique("T1570"), technique("T1569.002")],
    weight: 20,
    hard: false,
    needs: &[Need::Part(Origin::SysmonLog)],
    sources: &[
        "impacket serviceinstall, psexec",
        "SigmaHQ pipe_created rules",
        "Cobalt Strike's default pipe names: general knowledge, not measured here",
    ],
    since: "0.1.0",
    check: |scope| {
        scope.events(Role::Pipe).find_map(|event| {
            let Action::Pipe { name, .. } = &event.action else { return None };
            let lower = name.trim_start_matches('\\').to_lowercase();
            let (_, tool) = PIPES.iter().find(|(start, _)| lower.starts_with(start))?;
            let because = format!("At {} pipe `{}`: {tool}.", format_short(event.time), clip(name));
            Some(Hit::new(because, event.citation.clone()))
        })
    },
    examples: &[
        yes("impacket's misspelt pipe", || {
            agent_running().event(
                1,
                Action::Pipe {
                    created: true,
                    process_id: Some(50),
                    image: r"C:\Program Files\Contoso\Agent.exe".to_owned(),
                    name: r"\RemCom_communicaton".to_owned(),
                },
            )
        }),
        no("a pipe of its own", || {
            agent_running().event(
                1,
                Action::Pipe {
                    created: true,
                    process_id: Some(50),
                    image: r"C:\Program Files\Contoso\Agent.exe".to_owned(),
                    name: r"\contoso-agent".to_owned(),
                },
            )
        }),
        unknown("Sysmon is not there", || Scene::service("Agent")),
    ],
};

/// How names of known pipes begin, in lower case, and whose they are.
const PIPES: [(&str, &str); 9] = [
    ("psexesvc", "PsExec"),
    ("remcom_", "RemCom, which impacket's psexec.py carries"),
    ("paexec", "PAExec"),
    ("csexec", "CSExec"),
    ("winexesvc", "winexe"),
    ("ahexec", "winexe"),
    ("msse-", "Cobalt Strike's service executable"),
    ("postex_", "Cobalt Strike's jobs"),
    ("msagent_", "Cobalt Strike's SMB beacon"),
];

const NO_MODULE: Indicator = Indicator {
    id: "E10",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did it end because its module was not found, soon after its installation?",
    why: "A service DLL registered before, or without, its file is the mark of a setup by hand.",
    innocent: "An installer that failed half-way.",
    verify: &[
        "EvtxECmd -f System.evtx --inc 7023: the error code",
        "Does the ServiceDll exist in the image?",
    ],
    attack: &[technique("T1543.003")],
    weight: 10,
    hard: false,
    needs: &[Need::Part(Origin::SystemLog)],
    sources: &[
        "Atomic Red Team T1543.003-4 run on Windows 11",
        "ERROR_MOD_NOT_FOUND is 126 (winerror.h)",
    ],
    since: "0.1.0",
    check: |scope| {
        scope.events(Role::Failure).find_map(|event| {
            let Action::Failed { event_id: 7023, error: Some(error), .. } = &event.action else {
                return None;
            };
            let missing =
                error.contains("126") || error.to_lowercase().contains("module could not be found");
            let limit = scope.host.window;
            let install = scope
                .events(Role::Install)
                .find(|install| follows(install.time, event.time, limit))
                .filter(|_| missing)?;
            let because = format!(
                "Installed at {}, ended at {} because its module was not found.",
                format_short(install.time),
                format_short(event.time)
            );
            Some(Hit::new(because, event.citation.clone()).and(install.citation.clone()))
        })
    },
    examples: &[
        yes("7023 with error 126", || {
            Scene::hosted("W64Time")
                .event(0, installed("W64Time", r"C:\Windows\System32\svchost.exe -k TimeService"))
                .event(5, failed("W64Time", 7023, "%%126"))
        }),
        no("another error", || {
            Scene::service("Agent")
                .event(0, installed("Agent", r"C:\x.exe"))
                .event(5, failed("Agent", 7023, "%%5"))
        }),
        no("a broken service, installed long ago", || {
            Scene::service("Agent").event(5, failed("Agent", 7023, "%%126"))
        }),
        unknown("no System log", || Scene::service("Agent")),
    ],
};

const UNSIGNED: Indicator = Indicator {
    id: "E11",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did Sysmon see its driver or service DLL loaded without a valid signature?",
    why: "64-bit Windows loads unsigned drivers only in test mode or after its checks were switched off, and \
          Windows' own DLLs are all signed.",
    innocent: "32-bit Windows, test machines, and small vendors' DLLs.",
    verify: &["Sysmon 6 and 7: Signed, SignatureStatus, Hashes", "bcdedit (live): testsigning"],
    attack: &[technique("T1553.006"), technique("T1543.003")],
    weight: 15,
    hard: false,
    needs: &[Need::Part(Origin::SysmonLog)],
    sources: &["Sysmon documentation: events 6 and 7", "Microsoft Learn: driver signing policy"],
    since: "0.1.0",
    check: |scope| {
        let loads = scope.events(Role::DriverLoad).chain(scope.events(Role::ModuleLoad));
        loads.into_iter().find_map(|event| {
            let file = match &event.action {
                Action::DriverLoaded { image, signed: Some(false), .. } => image,
                Action::ModuleLoaded { module, signed: Some(false), .. } => module,
                _ => return None,
            };
            let because = format!("At {} {file} was loaded unsigned.", format_short(event.time));
            Some(Hit::new(because, event.citation.clone()))
        })
    },
    examples: &[
        yes("an unsigned driver", || Scene::driver("rk").event(0, driver_load("rk", false))),
        no("a signed driver", || Scene::driver("rk").event(0, driver_load("rk", true))),
        unknown("Sysmon is not there", || Scene::driver("rk")),
    ],
};

fn driver_load(name: &str, signed: bool) -> Action {
    Action::DriverLoaded {
        image: format!(r"C:\Windows\System32\drivers\{name}.sys"),
        hashes: String::new(),
        signed: Some(signed),
        signature: None,
    }
}

fn agent_running() -> Scene {
    let path = r"C:\Program Files\Contoso\Agent.exe";
    Scene::service("Agent").event(0, started(path, &format!("\"{path}\"")))
}

fn agent_elsewhere() -> Scene {
    let path = r"C:\ProgramData\a.exe";
    Scene::service("Agent").image(path).event(0, started(path, path))
}

fn process(event: &Event) -> Option<&ProcessStart> {
    match &event.action {
        Action::ProcessStarted(process) => Some(process),
        _ => None,
    }
}

fn connections<'a>(
    scope: &Scope<'a>,
) -> impl Iterator<Item = (&'a Event, &'a Connection)> + use<'a> {
    scope.events(Role::Connection).filter_map(|event| match &event.action {
        Action::Connected(connection) => Some((event, connection)),
        _ => None,
    })
}

/// Whether the process is the failure command that belongs to the service (NVIDIA's runs in cmd.exe).
fn is_default_failure(scope: &Scope<'_>, process: &ProcessStart) -> bool {
    scope.service.failure_command.as_ref().is_some_and(|command| {
        command.leaf() == leaf(&process.image).to_lowercase()
            && default_command(&scope.service.name, &command.raw).is_some()
    })
}

/// Shells, script hosts and the loaders of others' code that a service has no use for.
const SHELLS: [&str; 14] = [
    "bitsadmin.exe",
    "certutil.exe",
    "cmd.exe",
    "cscript.exe",
    "installutil.exe",
    "msbuild.exe",
    "mshta.exe",
    "powershell.exe",
    "pwsh.exe",
    "regasm.exe",
    "regsvcs.exe",
    "regsvr32.exe",
    "rundll32.exe",
    "wscript.exe",
];

fn is_shell(image: &str) -> bool {
    let name = leaf(image);
    SHELLS.iter().any(|shell| shell.eq_ignore_ascii_case(name))
}

/// Whether an address is one of the public Internet (RFC 6890, RFC 4291).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => {
            let [first, second, ..] = four.octets();
            !(four.is_private()
                || four.is_loopback()
                || four.is_link_local()
                || four.is_multicast()
                || four.is_broadcast()
                || four.is_documentation()
                || first == 0
                || first >= 240
                || first == 100 && (64..128).contains(&second))
        }
        IpAddr::V6(six) => match six.to_ipv4_mapped() {
            Some(four) => is_public(IpAddr::V4(four)),
            // 2000::/3 is all that is routed.
            None => six.segments().first().is_some_and(|first| first & 0xe000 == 0x2000),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_routed_addresses_are_public() {
        for (address, expected) in [
            ("8.8.8.8", true),
            ("10.0.0.1", false),
            ("172.31.0.1", false),
            ("192.168.0.1", false),
            ("100.64.0.1", false),
            ("169.254.1.1", false),
            ("127.0.0.1", false),
            ("239.1.1.1", false),
            ("255.255.255.255", false),
            ("2001:4860:4860::8888", true),
            ("fe80::1", false),
            ("fd00::1", false),
            ("::1", false),
            ("::ffff:8.8.8.8", true),
            ("::ffff:10.0.0.1", false),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), expected, "{address}");
        }
    }
}
