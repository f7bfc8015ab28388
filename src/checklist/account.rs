//! The account and the rights it runs with, and when it starts (Q4).

use super::basis::HIVE;
use super::knowledge::stock;
use super::known_good::{agent, compared, is_new_program, is_stock};
use super::staging::{no, yes};
use super::{Family, Hit, Indicator, Question, Scene, Scope, technique};
use crate::host::config::{Data, Epoch, Start, ValueOrder};
use crate::host::service::Difference;
use crate::text::same_name;

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] = &[
    RAISED,
    NAMED_USER,
    SYSTEM_ELSEWHERE,
    ERRORS_IGNORED,
    CRITICAL_DRIVER,
    INTERACTIVE,
    PATH_TYPE,
    WEAKER,
    TRIGGER,
    AUTOMATIC,
];

const SIX_HIVES: &str = "Measured: 3,202 services of six hives";

const RAISED: Indicator = Indicator {
    id: "A01",
    family: Family::Q4,
    checklist: Question::Account,
    question: "Was its account raised to LocalSystem?",
    why: "Windows gives this service a restricted account; as LocalSystem whatever it loads owns the host.",
    innocent: "Some vendors' instructions tell administrators to do it.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name> /v ObjectName",
        "Compare with ControlSet002, RegBack and a clean host.",
    ],
    attack: &[technique("T1543.003")],
    weight: 20,
    hard: false,
    needs: &[HIVE],
    sources: &["ObjectName of stock services in hives of Windows 7 to 10"],
    since: "0.1.0",
    check: |scope| {
        let config = scope.config()?;
        let now = config.object_name.as_deref()?;
        if stock::account(now) != "localsystem" {
            return None;
        }
        if is_stock(scope)
            && let Some(known) = stock::service(&scope.service.name).filter(|known| known.measured)
        {
            let accounts = known.accounts();
            if !accounts.is_empty() && !accounts.contains("localsystem") {
                let usual = accounts.into_iter().next().unwrap_or_default();
                let (weight, remark) = compared(scope, RAISED.weight);
                let because = format!("Runs as {now}; Windows runs it as {usual}{remark}.");
                return Some(Hit::new(because, config.cite("ObjectName")).weighing(weight));
            }
        }
        let before = difference(scope, "ObjectName", |before, _| {
            before.is_some_and(|before| stock::account(before) != "localsystem")
        })?;
        let because = format!(
            "Runs as {now}; in {} it ran as {}.",
            before.against,
            before.before.as_deref().unwrap_or_default()
        );
        let mut hit = Hit::new(because, config.cite("ObjectName"));
        if let Some(citation) = &before.citation {
            hit = hit.and(citation.clone());
        }
        Some(hit)
    },
    examples: &[
        yes("the DNS client as LocalSystem", || {
            Scene::hosted("Dnscache")
                .image(r"%SystemRoot%\system32\svchost.exe -k NetworkService -p")
                .text("ObjectName", "LocalSystem")
        }),
        yes("another account in the last known good control set", || {
            Scene::service("Agent").before(Epoch::ControlSet(2), |config| {
                for value in &mut config.values {
                    if value.name == "ObjectName" {
                        value.data = Data::Text(r"NT AUTHORITY\LocalService".to_owned());
                    }
                }
            })
        }),
        no("the DNS client as Windows has it", || {
            Scene::hosted("Dnscache")
                .image(r"%SystemRoot%\system32\svchost.exe -k NetworkService -p")
                .text("ObjectName", r"NT AUTHORITY\NetworkService")
        }),
        no("a vendor's service that always was LocalSystem", || Scene::service("Agent")),
    ],
};

const NAMED_USER: Indicator = Indicator {
    id: "A02",
    family: Family::Q4,
    checklist: Question::Account,
    question: "Does it run as a user's account?",
    why: "The account's password lies in the LSA secrets, and the service acts in that name on the network.",
    innocent: "On servers, databases and backup run as accounts of their own; on workstations hardly anything does.",
    verify: &[
        "Which groups is the account in, and who knows its password?",
        "EvtxECmd -f Security.evtx --inc 4624: LogonType 5 of that account, since when",
    ],
    attack: &[technique("T1078"), technique("T1543.003")],
    weight: 6,
    hard: false,
    needs: &[HIVE],
    sources: &["Measured: no named account in 3,202 services of six workstations"],
    since: "0.1.0",
    check: |scope| {
        let config = scope.config()?;
        let name = config.object_name.as_deref().map(str::trim).filter(|name| !name.is_empty())?;
        let kind = config.service_type?;
        if !kind.is_win32() || is_built_in(name) {
            return None;
        }
        let server = scope
            .host
            .identity
            .product
            .as_deref()
            .is_some_and(|product| product.to_lowercase().contains("server"));
        let user = user_part(name);
        let administrator = user.eq_ignore_ascii_case("Administrator");
        let weight = match (administrator, server) {
            (true, _) => 10,
            (false, true) => 3,
            (false, false) => NAMED_USER.weight,
        };
        let hit = Hit::new(format!("Runs as {name}."), config.cite("ObjectName"));
        Some(hit.weighing(weight))
    },
    examples: &[
        yes("the domain's administrator", || {
            Scene::service("Agent").text("ObjectName", r"CORP\Administrator")
        }),
        yes("a local user", || Scene::service("Agent").text("ObjectName", r".\backup")),
        no("LocalSystem", || Scene::service("Agent")),
        no("a virtual account", || Scene::service("Agent").text("ObjectName", r"NT SERVICE\Agent")),
        no("a managed account", || Scene::service("Agent").text("ObjectName", r"CORP\gmsa-sql$")),
        no("a driver's object name", || {
            Scene::driver("WUDFRd").text("ObjectName", r"\Driver\WudfRd")
        }),
    ],
};

/// `CORP\anna` and `anna@corp.local` are both anna.
fn user_part(name: &str) -> &str {
    match name.rsplit_once('\\') {
        Some((_, user)) => user,
        None => name.split_once('@').map_or(name, |(user, _)| user),
    }
}

/// Accounts without a password that anybody knows: Windows' own, virtual and managed ones.
fn is_built_in(name: &str) -> bool {
    let lower = name.to_lowercase();
    let built_in = ["localsystem", "localservice", "networkservice"];
    built_in.contains(&stock::account(name).as_str())
        || ["nt authority\\", "nt service\\", "\\driver\\", "\\filesystem\\", "iis apppool\\"]
            .iter()
            .any(|prefix| lower.starts_with(prefix))
        || lower.ends_with('$')
}

const SYSTEM_ELSEWHERE: Indicator = Indicator {
    id: "A03",
    family: Family::Q4,
    checklist: Question::Account,
    question: "Does it run as LocalSystem from outside the folders that installers use?",
    why: "Whoever may write to that folder is LocalSystem.",
    innocent: "Home-grown services in a folder of their own.",
    verify: &["icacls on the program's folder (live), or its descriptor in the image"],
    attack: &[technique("T1543.003")],
    weight: 4,
    hard: false,
    needs: &[HIVE],
    sources: &[
        "A weight by judgement: no count was made of services outside these folders as LocalSystem",
    ],
    since: "0.1.0",
    check: |scope| {
        let config = scope.config()?;
        let image = scope.service.image.as_ref()?;
        let system =
            config.object_name.as_deref().is_none_or(|name| stock::account(name) == "localsystem");
        let usual = [r"c:\windows", r"c:\program files", r"c:\program files (x86)"];
        let fits = system
            && is_new_program(scope)
            && agent(scope).is_none()
            && !usual.iter().any(|folder| image.is_below(folder));
        fits.then(|| {
            let because = format!("LocalSystem runs `{}`.", image.normalized);
            Hit::new(because, config.cite("ImagePath")).and(config.cite("ObjectName"))
        })
    },
    examples: &[
        yes("in a folder of its own", || Scene::service("Agent").image(r"C:\App\agent.exe")),
        no("in Program Files", || Scene::service("Agent")),
        no("as a restricted account", || {
            Scene::service("Agent")
                .image(r"C:\App\agent.exe")
                .text("ObjectName", r"NT AUTHORITY\LocalService")
        }),
    ],
};

const ERRORS_IGNORED: Indicator = Indicator {
    id: "A04",
    family: Family::Q4,
    checklist: Question::What,
    question: "Is it a new service that ignores errors (ErrorControl 0)?",
    why: "sc create and installers write 1; impacket, PsExec, Empire and Metasploit write 0. Together with a missing \
          description it fitted one of 1,307 services, and that one was PSEXESVC.",
    innocent: "Some products set it too, with a description.",
    verify: &[r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name> /v ErrorControl"],
    attack: &[technique("T1569.002")],
    weight: 8,
    hard: false,
    needs: &[HIVE],
    sources: &[SIX_HIVES, "impacket hRCreateServiceW: SERVICE_ERROR_IGNORE by default"],
    since: "0.1.0",
    check: |scope| {
        let config = scope.config()?;
        if config.error_control != Some(0) || !is_new_program(scope) || agent(scope).is_some() {
            return None;
        }
        let bare = config.description.as_deref().is_none_or(|words| words.trim().is_empty());
        let (more, weight) =
            if bare { (", and there is no description", ERRORS_IGNORED.weight) } else { ("", 4) };
        let because = format!("ErrorControl is 0{more}.");
        Some(Hit::new(because, config.cite("ErrorControl")).weighing(weight))
    },
    examples: &[
        yes("no errors, no description", || {
            Scene::service("PSEXESVC").number("ErrorControl", 0).without("Description")
        }),
        yes("no errors, described", || Scene::service("Agent").number("ErrorControl", 0)),
        no("what sc create writes", || Scene::service("Agent")),
        no("a driver", || Scene::driver("disp").number("ErrorControl", 0)),
    ],
};

const CRITICAL_DRIVER: Indicator = Indicator {
    id: "A05",
    family: Family::Q4,
    checklist: Question::Started,
    question: "Is it a boot driver not of Windows whose failure stops the boot (ErrorControl 3)?",
    why: "Removing it makes the computer unbootable: a rootkit's insurance.",
    innocent: "Storage controllers, disk encryption and antivirus need it.",
    verify: &["Check the driver's signature and who installed it before you remove it."],
    attack: &[technique("T1014")],
    weight: 8,
    hard: false,
    needs: &[HIVE],
    sources: &["Measured: 189 of 3,202, Windows' storage and boot drivers"],
    since: "0.1.0",
    check: |scope| {
        let config = scope.config()?;
        let early = matches!(config.start, Some(Start::Boot | Start::System));
        // What an INF installed is named in Owners: a device's driver, which may well be critical.
        let fits = scope.service.is_driver()
            && early
            && config.error_control == Some(3)
            && config.owners.is_empty()
            && config.value_order != ValueOrder::Alphabetical
            && !is_stock(scope);
        let start = config.start.filter(|_| fits)?;
        let because = format!("A {start} driver with ErrorControl 3 that no INF installed.");
        Some(Hit::new(because, config.cite("ErrorControl")))
    },
    examples: &[
        yes("a boot driver that no INF installed", || {
            Scene::driver("kbldr").number("Start", 0).number("ErrorControl", 3).without("Owners")
        }),
        no("a storage controller's driver", || {
            Scene::driver("megasas99").number("Start", 0).number("ErrorControl", 3)
        }),
        no("Windows' own", || {
            Scene::driver("disk").number("Start", 0).number("ErrorControl", 3).without("Owners")
        }),
    ],
};

const INTERACTIVE: Indicator = Indicator {
    id: "A06",
    family: Family::Q4,
    checklist: Question::Account,
    question: "Is it a new service that may interact with the desktop?",
    why: "A window of LocalSystem on the user's desktop can be driven by the user's programs.",
    innocent: "Old software from the time before Windows Vista; current Windows ignores the flag.",
    verify: &["Type of the key: bit 0x100", "EvtxECmd -f System.evtx --inc 7030"],
    attack: &[technique("T1543.003")],
    weight: 6,
    hard: false,
    needs: &[HIVE],
    sources: &["Measured on six hives: 1 to 3 a host (Spooler, UI0Detect, PrintNotify, VMTools)"],
    since: "0.1.0",
    check: |scope| {
        let config = scope.config()?;
        let kind = config.service_type?;
        (kind.is_interactive() && is_new_program(scope) && agent(scope).is_none())
            .then(|| Hit::new(format!("Type is 0x{:x}: {kind}.", kind.0), config.cite("Type")))
    },
    examples: &[
        yes("a new interactive service", || Scene::service("Agent").number("Type", 0x110)),
        no("the spooler, always interactive", || {
            Scene::service("Spooler")
                .image(r"%SystemRoot%\System32\spoolsv.exe")
                .number("Type", 0x110)
        }),
        no("an ordinary service", || Scene::service("Agent")),
    ],
};

const PATH_TYPE: Indicator = Indicator {
    id: "A07",
    family: Family::Q4,
    checklist: Question::Runs,
    question: "Is the ImagePath of a stock service a plain string (REG_SZ)?",
    why: "Windows writes REG_EXPAND_SZ; reg.exe writes REG_SZ unless told otherwise: somebody set the path by hand.",
    innocent: "A repair by hand, or a product that took over the name.",
    verify: &[r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name> /v ImagePath: the type"],
    attack: &[technique("T1574.011")],
    weight: 8,
    hard: false,
    needs: &[HIVE],
    sources: &["Measured: REG_SZ 12 times in 3,202 services, third-party every time"],
    since: "0.1.0",
    check: |scope| {
        let config = scope.config()?;
        let known = stock::service(&scope.service.name).filter(|known| known.measured)?;
        let value = config.value("ImagePath").filter(|value| value.kind == 1)?;
        // Third parties' services of the measured hosts are not stock; Windows NT 4 and 2003 wrote both types.
        let recent =
            known.builds().into_iter().any(|build| build >= 7600) && scope.host.is_vista_or_later();
        let Data::Text(path) = &value.data else { return None };
        recent.then(|| Hit::new(format!("ImagePath `{path}` is REG_SZ."), config.cite("ImagePath")))
    },
    examples: &[
        yes("reg add to a stock service", || {
            Scene::service("Spooler")
                .text("ImagePath", r"C:\Windows\System32\spoolsv.exe")
                .windows("Windows 10 Pro", "19045.3570")
        }),
        no("Windows Server 2003, which wrote both types", || {
            Scene::driver("AFD").text("ImagePath", r"\SystemRoot\System32\drivers\afd.sys")
        }),
        no("as Windows writes it", || {
            Scene::service("Spooler").image(r"%SystemRoot%\System32\spoolsv.exe")
        }),
        no("a vendor's service", || Scene::service("Agent").text("ImagePath", r"C:\App\a.exe")),
    ],
};

const WEAKER: Indicator = Indicator {
    id: "A08",
    family: Family::Q4,
    checklist: Question::Account,
    question: "Has it more privileges, or a weaker service SID, than in an earlier state?",
    why: "RequiredPrivileges and ServiceSidType confine a service; without them whatever runs in it has all that \
          its account has.",
    innocent: "An update of Windows or of the product changed what it needs.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name> /v RequiredPrivileges",
        "sc qprivs <name> (live), and the same on a clean host",
    ],
    attack: &[technique("T1543.003")],
    weight: 12,
    hard: false,
    needs: &[HIVE],
    sources: &["Microsoft Learn: SERVICE_REQUIRED_PRIVILEGES_INFO, SERVICE_SID_INFO"],
    since: "0.1.0",
    check: |scope| {
        let config = scope.config()?;
        let gained = difference(scope, "RequiredPrivileges", |before, now| {
            let before = before.unwrap_or_default();
            !before.is_empty()
                && now.is_none_or(|now| {
                    POWERFUL.iter().any(|one| now.contains(one) && !before.contains(one))
                })
        });
        let lost = difference(scope, "ServiceSidType", |before, now| {
            let number = |text: Option<&str>| text.and_then(|text| text.parse::<u32>().ok());
            // 3 restricted, 1 unrestricted, 0 none: less is weaker.
            number(before).unwrap_or(0) > number(now).unwrap_or(0)
        });
        let found = gained.or(lost)?;
        let because = format!(
            "{} is `{}`; in {} it was `{}`.",
            found.field,
            found.now.as_deref().unwrap_or("absent"),
            found.against,
            found.before.as_deref().unwrap_or("absent")
        );
        let mut hit = Hit::new(because, config.cite(&found.field));
        if let Some(citation) = &found.citation {
            hit = hit.and(citation.clone());
        }
        Some(hit)
    },
    examples: &[
        yes("its privileges are no longer confined", || {
            Scene::service("Agent").before(Epoch::ControlSet(2), |config| {
                config.values.push(raw("RequiredPrivileges", 7, "SeChangeNotifyPrivilege"));
            })
        }),
        no("nothing changed", || Scene::service("Agent").before(Epoch::ControlSet(2), |_| {})),
        no("a privilege less", || {
            Scene::service("Agent")
                .value("RequiredPrivileges", 7, Data::Texts(vec!["SeAuditPrivilege".to_owned()]))
                .before(Epoch::ControlSet(2), |config| {
                    for value in &mut config.values {
                        if value.name == "RequiredPrivileges" {
                            value.data = Data::Texts(vec![
                                "SeAuditPrivilege".to_owned(),
                                "SeDebugPrivilege".to_owned(),
                            ]);
                        }
                    }
                })
        }),
    ],
};

/// Privileges that amount to the whole host.
const POWERFUL: [&str; 9] = [
    "SeDebugPrivilege",
    "SeTcbPrivilege",
    "SeLoadDriverPrivilege",
    "SeImpersonatePrivilege",
    "SeAssignPrimaryTokenPrivilege",
    "SeTakeOwnershipPrivilege",
    "SeRestorePrivilege",
    "SeBackupPrivilege",
    "SeCreateTokenPrivilege",
];

fn raw(name: &str, kind: u32, text: &str) -> crate::host::config::RawValue {
    crate::host::config::RawValue {
        name: name.to_owned(),
        kind,
        data: Data::Texts(vec![text.to_owned()]),
        offset: 0x3000,
        provenance: crate::host::Provenance::Live,
    }
}

/// The first difference of that field that `wanted` (before, now) says yes to.
fn difference<'a>(
    scope: &Scope<'a>,
    field: &str,
    wanted: impl Fn(Option<&str>, Option<&str>) -> bool,
) -> Option<&'a Difference> {
    scope.service.differences.iter().find(|difference| {
        same_name(&difference.field, field)
            && wanted(difference.before.as_deref(), difference.now.as_deref())
    })
}

const TRIGGER: Indicator = Indicator {
    id: "A09",
    family: Family::Q4,
    checklist: Question::Started,
    question: "Is it a service not of Windows that an event of the system starts (TriggerInfo)?",
    why: "A demand-start service with a trigger survives every search for automatic services: a packet, an ETW \
          event or a policy refresh starts it.",
    innocent: "Drivers' companions start with their device.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name>\TriggerInfo /s",
        "sc qtriggerinfo <name> (live)",
    ],
    attack: &[technique("T1546"), technique("T1543.003")],
    weight: 12,
    hard: false,
    needs: &[HIVE],
    sources: &[
        "Measured: 381 of 3,202 services have triggers, all Windows' own",
        "winsvc.h: SERVICE_TRIGGER_TYPE_*",
    ],
    since: "0.1.0",
    check: |scope| {
        let config = scope.config()?;
        if !is_new_program(scope) || agent(scope).is_some() {
            return None;
        }
        let trigger = config.triggers.iter().filter(|trigger| trigger.action == 1);
        let trigger = trigger.max_by_key(|trigger| trigger_weight(trigger.kind))?;
        let because = format!("{} starts it.", trigger_label(trigger.kind));
        let hit = Hit::new(because, config.citation.clone());
        Some(hit.weighing(trigger_weight(trigger.kind)))
    },
    examples: &[
        yes("an ETW event starts it", || Scene::service("Agent").number("Start", 3).trigger(20)),
        yes("a device starts it, a smaller matter", || Scene::service("Agent").trigger(1)),
        no("a stock service", || {
            Scene::hosted("W32Time")
                .image(r"%SystemRoot%\system32\svchost.exe -k LocalService")
                .trigger(3)
        }),
        no("a service of a later Windows", || Scene::hosted("NewInboxSvc").trigger(7)),
        no("no trigger", || Scene::service("Agent")),
    ],
};

fn trigger_weight(kind: u32) -> i16 {
    match kind {
        1 | 3 | 5 => 5,
        _ => TRIGGER.weight,
    }
}

fn trigger_label(kind: u32) -> String {
    let label = match kind {
        1 => "The arrival of a device",
        2 => "The first IP address",
        3 => "Joining or leaving a domain",
        4 => "The opening of a firewall port",
        5 => "A change of group policy",
        6 => "A packet or request at a network endpoint",
        7 => "A state change of the system (WNF)",
        20 => "An event of a trace provider (ETW)",
        30 => "A combination of triggers",
        other => return format!("A trigger of type {other}"),
    };
    label.to_owned()
}

const AUTOMATIC: Indicator = Indicator {
    id: "A10",
    family: Family::Q4,
    checklist: Question::Started,
    question: "Is it a new service of LocalSystem that starts at boot and depends on nothing?",
    why: "That is what `sc create start= auto` makes, and all that persistence needs.",
    innocent: "Most small vendors' services look like that.",
    verify: &["When was it created, and by whom? See question 3."],
    attack: &[technique("T1543.003")],
    weight: 3,
    hard: false,
    needs: &[HIVE],
    sources: &["A weight by judgement: it only supports other findings"],
    since: "0.1.0",
    check: |scope| {
        let config = scope.config()?;
        let system =
            config.object_name.as_deref().is_none_or(|name| stock::account(name) == "localsystem");
        let fits = config.start.is_some_and(Start::is_automatic)
            && system
            && config.depend_on_service.is_empty()
            && config.depend_on_group.is_empty()
            && is_new_program(scope)
            && agent(scope).is_none();
        fits.then(|| {
            Hit::new("Starts at boot as LocalSystem and depends on nothing.", config.cite("Start"))
        })
    },
    examples: &[
        yes("what sc create makes", || Scene::service("Agent")),
        no("on demand", || Scene::service("Agent").number("Start", 3)),
        no("a stock service", || {
            Scene::service("Spooler").image(r"%SystemRoot%\System32\spoolsv.exe")
        }),
        no("it depends on another", || {
            Scene::service("Agent").value(
                "DependOnService",
                7,
                Data::Texts(vec!["RpcSs".to_owned()]),
            )
        }),
    ],
};
