//! What happens when it does not start (`ErrorControl`).

use crate::checklist::basis::HIVE;
use crate::checklist::known_good::{agent, is_new_program, is_stock};
use crate::checklist::staging::{no, yes};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};
use crate::host::config::{Start, ValueOrder};

const SIX_HIVES: &str = "Measured: 3,202 services of six hives";

pub(super) const ERRORS_IGNORED: Indicator = Indicator {
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
    check: &|scope| {
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

pub(super) const CRITICAL_DRIVER: Indicator = Indicator {
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
    check: &|scope| {
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
