//! Services that are gone, going, or only in a transaction log.

use jiff::SignedDuration;

use crate::checklist::basis::{HIVE, INSTALL_LOGS};
use crate::checklist::known_good::{agent, is_stock};
use crate::checklist::overview::followed_by;
use crate::checklist::place::is_in_program_files;
use crate::checklist::staging::{USER, command, installed, key, no, set, unknown, yes};
use crate::checklist::story::{clip, commands, installs, sets, writes};
use crate::checklist::trust::is_approved_tool;
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, Scope, technique};
use crate::host::config::{Confidence, Epoch, ServiceConfig};
use crate::host::event::{Event, RegistryOperation};
use crate::host::service_command::Verb;
use crate::host::{Origin, Provenance};
use crate::time::format_short;

const SERVICES: &str = r"C:\Windows\System32\services.exe";

pub(super) const SHORT_LIVED: Indicator = Indicator {
    id: "W12",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Was it deleted within a minute of its creation?",
    why: "A service that lives for seconds is a way to run one command as LocalSystem: PsExec, impacket, Metasploit \
          and Cobalt Strike all clean up like that.",
    innocent: "Backup agents and Defender's definition updates use transient services; the known ones are left out.",
    verify: &[
        "Sysmon 12 and 13 for the key: CreateKey, Type, Start, ErrorControl, ImagePath, DeleteFlag, DeleteKey",
        "What did services.exe start in between (4688, Sysmon 1)?",
    ],
    attack: &[technique("T1569.002")],
    weight: 20,
    hard: false,
    needs: &[Need::AnyPart(&[Origin::RegistryEvents, Origin::ProcessEvents])],
    sources: &[
        "Measured: Sysmon 13 sequences of PsExec, Metasploit, Empire (OTRF Security-Datasets)",
    ],
    since: "0.1.0",
    check: &|scope| {
        if agent(scope).is_some() || is_stock(scope) || is_approved_tool(scope) {
            return None;
        }
        let limit = SignedDuration::from_mins(1);
        let mut deaths: Vec<&Event> = deaths(scope).collect();
        deaths.sort_by_key(|event| event.time);
        births(scope).into_iter().find_map(|born| {
            let died = followed_by(&deaths, born.time, limit)?;
            let because = format!(
                "Created at {}, deletion requested at {}.",
                format_short(born.time),
                format_short(died.time)
            );
            Some(Hit::new(because, born.citation.clone()).and(died.citation.clone()))
        })
    },
    examples: &[
        yes("DeleteFlag two seconds after 7045", || {
            Scene::ghost("rtcpef")
                .event_by(0, Some(USER), installed("rtcpef", r"cmd.exe /c echo x > \\.\pipe\x"))
                .event(2, set("rtcpef", "DeleteFlag", "DWORD (0x00000001)", SERVICES))
        }),
        yes("sc create, sc delete", || {
            let sc = r"C:\Windows\System32\sc.exe";
            let cmd = r"C:\Windows\System32\cmd.exe";
            Scene::ghost("T")
                .event(0, command(sc, r"sc create T binPath= C:\x.exe", cmd))
                .event(20, command(sc, "sc delete T", cmd))
        }),
        no("uninstalled a day later", || {
            Scene::ghost("Agent")
                .event(0, key("Agent", RegistryOperation::KeyCreated))
                .event(0, set("Agent", "ErrorControl", "DWORD (0x00000001)", SERVICES))
                .event(86_400, key("Agent", RegistryOperation::KeyDeleted))
        }),
        no("Veeam's guest helper", || {
            let path = r"C:\Windows\VeeamVssSupport\VeeamGuestHelper.exe";
            Scene::ghost("VeeamVssSupport")
                .event(0, installed("VeeamVssSupport", path))
                .event(30, key("VeeamVssSupport", RegistryOperation::KeyDeleted))
        }),
        unknown("registry writes are not recorded", || {
            Scene::ghost("Agent").event(0, installed("Agent", r"C:\x.exe"))
        }),
    ],
};

/// Events that show it being created.
fn births<'a>(scope: &Scope<'a>) -> Vec<&'a Event> {
    let mut born: Vec<&Event> = installs(scope).map(|one| one.event).collect();
    born.extend(writes(scope).filter_map(|(event, change)| {
        let made = change.operation == RegistryOperation::KeyCreated && change.target.is_empty();
        (made || sets(change, "ErrorControl").is_some()).then_some(event)
    }));
    born.extend(commands(scope).filter(|(_, it)| it.verb == Verb::Create).map(|(event, _)| event));
    born.sort_by_key(|event| event.time);
    born
}

/// Events that show it being deleted.
fn deaths<'a>(scope: &Scope<'a>) -> impl Iterator<Item = &'a Event> + use<'a> {
    let by_write = writes(scope).filter_map(|(event, change)| {
        let gone = change.operation == RegistryOperation::KeyDeleted && change.target.is_empty();
        (gone || sets(change, "DeleteFlag").is_some()).then_some(event)
    });
    by_write
        .chain(commands(scope).filter(|(_, it)| it.verb == Verb::Delete).map(|(event, _)| event))
}

pub(super) const GHOST: Indicator = Indicator {
    id: "W13",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Was it installed, per the logs, and has no key in the hive?",
    why: "Somebody removed it again. Remote execution tools do, and so does an intruder who cleans up.",
    innocent: "The product was uninstalled, or its driver replaced by a newer one.",
    verify: &[
        "Is the hive younger than the event? Look at the last shutdown and the newest key.",
        "Search the hive's free cells and RegBack for the key.",
    ],
    attack: &[technique("T1569.002"), technique("T1070")],
    weight: 10,
    hard: false,
    needs: &[Need::Whole(Origin::SystemHive), INSTALL_LOGS],
    sources: &["Microsoft Learn: 7045, 4697"],
    since: "0.1.0",
    check: &|scope| {
        if scope.service.in_registry() || scope.service.elsewhere.is_some() {
            return None;
        }
        let newest = scope.host.coverage.span(Origin::SystemHive).and_then(|span| span.to)?;
        let last = installs(scope).filter(|one| one.event.time <= newest).last()?;
        let image = scope.service.image.as_ref();
        let ordinary = agent(scope).is_some()
            || scope.service.is_driver()
            || image.is_some_and(is_in_program_files);
        let because = format!(
            "Installed at {} by {} as `{}`; the hive, last written {}, has no such key.",
            format_short(last.event.time),
            last.who(),
            clip(&last.install.image_path),
            format_short(newest)
        );
        let weight = if ordinary { 3 } else { GHOST.weight };
        Some(Hit::new(because, last.event.citation.clone()).weighing(weight))
    },
    examples: &[
        yes("7045, and no key", || {
            Scene::ghost("BTOBTO").event_by(
                0,
                Some(USER),
                installed("BTOBTO", r"%COMSPEC% /Q /c x"),
            )
        }),
        no("7045 gives the display name, and a key has it", || {
            Scene::service("ClickToRunSvc")
                .text("DisplayName", "Microsoft Office Click-to-Run Service")
                .event(0, installed("Microsoft Office Click-to-Run Service", r"C:\x.exe"))
        }),
        no("installed after the hive was last written", || {
            Scene::ghost("Later").event(40 * 86_400, installed("Later", r"C:\x.exe"))
        }),
        unknown("the hive has losses", || {
            Scene::ghost("BTOBTO")
                .covered(Origin::SystemHive, crate::host::State::Partial)
                .event(0, installed("BTOBTO", r"%COMSPEC% /Q /c x"))
        }),
    ],
};

pub(super) const RECOVERED: Indicator = Indicator {
    id: "W14",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Was its key deleted and recovered from the hive's free space?",
    why: "The hive still shows what ran here before somebody removed it.",
    innocent: "Uninstalled products and replaced drivers leave such keys.",
    verify: &[
        "Registry Explorer: File, Load hive, then Associated deleted records; compare the cell offset cited here.",
        "Look for an install of the same name in System and Security logs.",
    ],
    attack: &[technique("T1070")],
    weight: 8,
    hard: false,
    needs: &[HIVE],
    sources: &["Free cells keep a deleted key until they are reused: regf format"],
    since: "0.1.0",
    check: &|scope| {
        if scope.service.in_registry() || is_stock(scope) {
            return None;
        }
        let config = scope.service.history.iter().find(|config| is_believable(config))?;
        let command = config.image_path.as_deref().unwrap_or("no ImagePath");
        let because = format!(
            "Deleted key recovered: `{}`{}.",
            clip(command),
            config
                .last_write
                .map(|time| format!(", last written {}", format_short(time)))
                .unwrap_or_default()
        );
        Some(Hit::new(because, config.citation.clone()))
    },
    examples: &[
        yes("a deleted service", || Scene::service("Updater").image(r"C:\Windows\u.exe").deleted()),
        no("a per-user instance of a session that ended", || {
            Scene::hosted("CDPUserSvc_3a1f2").number("Type", 0xe0).deleted()
        }),
        no("an earlier copy of a key that exists", || {
            Scene::service("Agent").before(Epoch::Deleted(Confidence::High), |_| {})
        }),
    ],
};

/// Recovered well enough to be named, and no per-user instance: those come and go with every session.
fn is_believable(config: &ServiceConfig) -> bool {
    matches!(config.epoch, Epoch::Deleted(Confidence::High | Confidence::Medium))
        && config.service_type.is_some_and(|kind| !kind.is_user_instance())
}

pub(super) const MID_DELETE: Indicator = Indicator {
    id: "W21",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Is its deletion pending (DeleteFlag 1)?",
    why: "DeleteService was called and the service still ran, or the computer was taken in that moment: transient \
          services are caught like this.",
    innocent: "An uninstaller that asks for a restart.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name> /v DeleteFlag",
        "Is its process in the memory image?",
    ],
    attack: &[technique("T1569.002")],
    weight: 10,
    hard: false,
    needs: &[HIVE],
    sources: &["Measured: 1 of 3,202 services (an antivirus driver being updated)"],
    since: "0.1.0",
    check: &|scope| {
        let config = scope.config()?;
        let flag = config.delete_flag.filter(|flag| *flag != 0)?;
        let weight = if agent(scope).is_some() || is_stock(scope) { 3 } else { MID_DELETE.weight };
        let because = format!("DeleteFlag is {flag}: the service is marked for deletion.");
        Some(Hit::new(because, config.cite("DeleteFlag")).weighing(weight))
    },
    examples: &[
        yes("caught in deletion", || Scene::service("PSEXESVC").number("DeleteFlag", 1)),
        no("an ordinary service", || Scene::service("Agent")),
        no("the flag is 0", || Scene::service("Agent").number("DeleteFlag", 0)),
    ],
};

pub(super) const LOG_ONLY: Indicator = Indicator {
    id: "W22",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Does its key stand only in the hive's transaction log?",
    why: "It was made in the last minutes before the hive was taken; tools that do not replay logs do not see it.",
    innocent: "Whatever was installed just before the collection, the collector's own driver included.",
    verify: &[
        "Load the hive in Registry Explorer with and without its LOG1 and LOG2.",
        "When was the evidence collected, and with which tool?",
    ],
    attack: &[technique("T1543.003")],
    weight: 4,
    hard: false,
    needs: &[HIVE],
    sources: &[
        "Windows writes the log first and the hive within the hour: regf format, transaction logs",
    ],
    since: "0.1.0",
    check: &|scope| {
        let config = scope.config()?;
        (config.citation.provenance == Provenance::TransactionLog && !is_stock(scope)).then(|| {
            Hit::new("The key stands only in the transaction log.", config.citation.clone())
        })
    },
    examples: &[
        yes("a driver loaded by a memory imager", || {
            Scene::driver("ad_driver")
                .configure(|config| config.citation.provenance = Provenance::TransactionLog)
        }),
        no("a key of the hive itself", || Scene::driver("ad_driver")),
    ],
};
