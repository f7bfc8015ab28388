//! What the order of the values in the key says about how it was made.

use crate::checklist::basis::HIVE;
use crate::checklist::knowledge::stock::{Comparison, Extent, Standing};
use crate::checklist::known_good::{self, agent, is_laid_down, is_new_program, is_stock};
use crate::checklist::staging::{no, yes};
use crate::checklist::story::clip;
use crate::checklist::{Family, Hit, Indicator, Question, Scene, Scope, technique};
use crate::host::config::ValueOrder;

const MEASURED: &str =
    "Measured on six hives: a key keeps the order in which its values were first written";

pub(super) const HOSTED: Indicator = Indicator {
    id: "W18",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Does it run in svchost.exe and was created at run time (by CreateService)?",
    why: "Windows' own svchost services are laid down by its setup, values in alphabetical order. One made by \
          CreateService looks like Windows and is not from Windows.",
    innocent: "A few drivers' companions, and PrintNotify, which Windows itself creates.",
    verify: &[
        "Registry Explorer: values of the key unsorted, in on-disk order: Type, Start, ErrorControl, ImagePath, …",
        "Check the signature of its ServiceDll.",
    ],
    attack: &[technique("T1543.003"), technique("T1036.004")],
    weight: 20,
    hard: false,
    needs: &[HIVE],
    sources: &[MEASURED, "4 of 1,000 svchost services, all PrintNotify"],
    since: "0.1.0",
    check: &|scope| {
        let config = scope.config()?;
        let hosted = scope.service.image.as_ref()?.leaf() == "svchost.exe";
        if !hosted || config.value_order != ValueOrder::CreateService || !is_foreign(scope) {
            return None;
        }
        // The setup of Windows XP and Server 2003 called CreateService itself.
        if scope.host.is_before_vista() {
            return None;
        }
        Some(Hit::new(
            "Runs in svchost.exe, but its values stand in the order in which CreateService writes them.",
            config.citation.clone(),
        ))
    },
    examples: &[
        yes("a service that pretends to be Windows'", || {
            Scene::hosted("W64Time").order(ValueOrder::CreateService)
        }),
        no("a stock service of an upgraded Windows", || {
            Scene::hosted("PrintNotify").order(ValueOrder::CreateService)
        }),
        no("an unknown service laid down by setup", || Scene::hosted("NewInboxSvc")),
        no("a per-user instance", || {
            Scene::hosted("CDPUserSvc_3a1f2").number("Type", 0xe0).order(ValueOrder::CreateService)
        }),
    ],
};

/// Whether it is no service of Windows, or has taken the name of one that this Windows does not have, for a DLL of its own.
fn is_foreign(scope: &Scope<'_>) -> bool {
    let borrowed = || {
        let windows = scope.windows();
        let pair = known_good::stock(scope).zip(scope.service.dll.as_ref());
        pair.is_some_and(|(stock, dll)| {
            stock.compare_dll(dll) == Comparison::Other
                && windows.standing(scope.host, Extent::Files) == Standing::Known
                && !windows.is_measured_on(stock, scope.host)
        }) && !is_laid_down(scope)
            && !scope.service.is_user_instance()
    };
    is_new_program(scope) || borrowed()
}

pub(super) const IN_WINDOWS: Indicator = Indicator {
    id: "W19",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Does it lie below C:\\Windows, is not Windows' own, and was created at run time?",
    why: "The Windows folder is where services look at home; Windows' own are not created by CreateService.",
    innocent: "Graphics drivers' helpers, guest additions and security products put their services there.",
    verify: &[
        "sigcheck or the file's signature: who made the program?",
        "When was the file written?",
    ],
    attack: &[technique("T1543.003"), technique("T1036.005")],
    weight: 6,
    hard: false,
    needs: &[HIVE],
    sources: &[
        MEASURED,
        "17 of 203 services of their own process below C:\\Windows, every one third-party",
    ],
    since: "0.1.0",
    check: &|scope| {
        let config = scope.config()?;
        let image = scope.service.image.as_ref()?;
        let fits = image.is_below(r"c:\windows")
            && image.leaf() != "svchost.exe"
            && config.value_order == ValueOrder::CreateService
            && is_new_program(scope)
            && agent(scope).is_none();
        fits.then(|| {
            let because = format!(
                "A service that is not Windows' own was registered at run time with a program of Windows' \
                 folder: \"{}\".",
                clip(&image.expanded)
            );
            Hit::new(because, config.cite("ImagePath"))
        })
    },
    examples: &[
        yes("PsExec's service", || Scene::service("PSEXESVC").image(r"%SystemRoot%\PSEXESVC.exe")),
        no("VMware's display service", || {
            Scene::service("vm3dservice").image(r"C:\Windows\system32\vm3dservice.exe")
        }),
        no("a vendor's service in Program Files", || Scene::service("Agent")),
        no("a stock service", || {
            Scene::service("Spooler").image(r"%SystemRoot%\System32\spoolsv.exe")
        }),
    ],
};

pub(super) const BY_HAND: Indicator = Indicator {
    id: "W20",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Was its key written value by value rather than by Windows?",
    why: "Neither CreateService nor setup nor an INF leaves its values in this order: reg.exe, a script or a \
          registry import made the key.",
    innocent: "Old installers write their keys themselves.",
    verify: &[
        "Registry Explorer: values of the key unsorted, in on-disk order",
        "Is there a 7045 for it? Keys written directly have none until the next boot, and then neither.",
    ],
    attack: &[technique("T1112")],
    weight: 8,
    hard: false,
    needs: &[HIVE],
    sources: &[MEASURED],
    since: "0.1.0",
    check: &|scope| {
        let config = scope.config()?;
        let fits = config.value_order == ValueOrder::Other
            && is_new_program(scope)
            && !is_stock(scope)
            && agent(scope).is_none();
        fits.then(|| {
            Hit::new(
                "The order of its values fits neither CreateService nor setup nor an INF.",
                config.citation.clone(),
            )
        })
    },
    examples: &[
        yes("reg add made the key", || Scene::service("Agent").order(ValueOrder::Other)),
        no("CreateService", || Scene::service("Agent")),
        no("a stock service of Windows 7", || Scene::hosted("Schedule").order(ValueOrder::Other)),
    ],
};
