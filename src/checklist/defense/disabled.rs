//! Services of protection, logging or backup that are disabled or gone.

use super::{IMPAIR, LOGGING, defender, essential, successor};
use crate::checklist::basis::HIVE;
use crate::checklist::knowledge::security::{Protection, guard};
use crate::checklist::staging::{no, yes};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, Scope, technique};
use crate::host::OlderState;
use crate::host::config::{Epoch, Start};
use crate::time::format_short;

pub(super) const CORE_OFF: Indicator = Indicator {
    id: "D01",
    family: Family::D,
    checklist: Question::What,
    question: "Is a core service of protection or logging disabled, or its key gone?",
    why: "Defender, the firewall and the event log are switched off before the rest of an intrusion; what happened \
          afterwards may not be in any log.",
    innocent: "A Windows image built without them; an administrator who disabled the firewall for good. Defender beside another \
               antivirus, and a server without Defender's feature, are not asked about.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name> /v Start",
        "EvtxECmd -f System.evtx --inc 7040: who changed the start type, and when",
        "Defender Operational 5001, 5010, 5012: protection turned off",
    ],
    attack: &[IMPAIR, LOGGING],
    weight: 32,
    hard: true,
    needs: &[HIVE],
    sources: &[
        "Measured: start types of six hives; antivirus by others sets Defender to demand start",
        "SigmaHQ ce72ef99-22f1-43d4-8695-419dcb5d9330",
    ],
    since: "0.1.0",
    check: &|scope| {
        let guard = essential(scope)?;
        let Some(config) = scope.config() else {
            // Another installation may have had services that this Windows does not know.
            let earlier = scope.service.history.iter().find(|config| match config.epoch {
                Epoch::ControlSet(_) => true,
                Epoch::History(_) => {
                    scope.host.older_state(config).is_some_and(OlderState::is_of_this_installation)
                }
                Epoch::Current | Epoch::Deleted(_) => false,
            })?;
            let because = format!(
                "{} has no key in the current control set; an earlier state still has it.",
                guard.product
            );
            return Some(Hit::new(because, earlier.citation.clone()));
        };
        (config.start == Some(Start::Disabled)).then(|| {
            Hit::new(
                format!("{} is disabled (Start 4){}.", guard.product, written(scope)),
                config.cite("Start"),
            )
        })
    },
    examples: &[
        yes("Defender disabled", || defender().number("Start", 4)),
        yes("the event log disabled", || Scene::hosted("EventLog").number("Start", 4)),
        yes("its key is gone, the last known good still has it", || {
            Scene::ghost("MpsSvc").before(Epoch::ControlSet(2), |config| {
                config.start = Some(Start::Auto);
            })
        }),
        yes("its key is gone, a shadow copy still has it", || {
            Scene::hosted("MpsSvc").only_in("shadow copy 1 of 2026-02-02 09:00:00 UTC")
        }),
        no("an upgrade of Windows left it behind", || {
            Scene::hosted("MpsSvc").only_in("Windows.old")
        }),
        no("Defender beside another antivirus", || defender().number("Start", 3)),
        no("Windows 7's anti-spyware, replaced by an antivirus", || {
            Scene::hosted("WinDefend").number("Start", 4)
        }),
        no("Defender disabled beside another antivirus", || {
            defender().number("Start", 4).beside(Scene::service("SepMasterService"))
        }),
        yes("Defender and the other antivirus disabled", || {
            let other = Scene::service("SepMasterService").number("Start", 4);
            defender().number("Start", 4).beside(other)
        }),
        no("a server from which the feature was removed", || {
            Scene::ghost("WinDefend")
                .windows("Windows Server 2019 Standard", "17763.1")
                .before(Epoch::ControlSet(2), |config| config.start = Some(Start::Auto))
        }),
        no("a service that Windows disables itself", || {
            Scene::hosted("RemoteRegistry").number("Start", 4)
        }),
    ],
};

pub(super) const OTHER_OFF: Indicator = Indicator {
    id: "D02",
    family: Family::D,
    checklist: Question::What,
    question: "Is another service of protection, logging or backup disabled?",
    why: "Ransomware disables antivirus, EDR and backup agents by name before it encrypts.",
    innocent: "The product was replaced or its licence ended; administrators switch Windows Update off.",
    verify: &[
        "Is the product still licensed and managed on this computer? Ask its console when it last reported.",
        "EvtxECmd -f System.evtx --inc 7040,7036 for the service",
    ],
    attack: &[IMPAIR, technique("T1489")],
    weight: 25,
    hard: false,
    needs: &[HIVE],
    sources: &["SigmaHQ ce72ef99-22f1-43d4-8695-419dcb5d9330 (names of services)"],
    since: "0.1.0",
    check: &|scope| {
        let config = scope.config()?;
        let guard = guard(&scope.service.name)?;
        if essential(scope).is_some() || config.start != Some(Start::Disabled) {
            return None;
        }
        let weight = match guard.protection {
            Protection::Vendor => OTHER_OFF.weight,
            Protection::Backup => 20,
            // Administrators do switch these off, and antivirus by others does so to old Defenders.
            Protection::Core if successor(scope).is_some() => 4,
            Protection::Core => 9,
        };
        let instead = successor(scope).map(|product| format!("; in its place: {product}"));
        let because = format!(
            "{} is disabled (Start 4){}{}.",
            guard.product,
            instead.unwrap_or_default(),
            written(scope)
        );
        Some(Hit::new(because, config.cite("Start")).weighing(weight))
    },
    examples: &[
        yes("an EDR sensor", || Scene::service("SentinelAgent").number("Start", 4)),
        yes("Defender beside another antivirus, a small matter", || {
            defender().number("Start", 4).beside(Scene::service("SepMasterService"))
        }),
        yes("Windows Update, a small matter", || Scene::hosted("wuauserv").number("Start", 4)),
        no("Defender, which D01 judges", || defender().number("Start", 4)),
        no("McAfee's services start on demand", || Scene::service("McShield").number("Start", 3)),
        no("network inspection on demand, the default", || {
            Scene::driver("WdNisDrv").number("Start", 3)
        }),
        no("some other service", || Scene::service("Agent").number("Start", 4)),
    ],
};

fn written(scope: &Scope<'_>) -> String {
    scope
        .service
        .last_write()
        .map(|time| format!("; key last written {}", format_short(time)))
        .unwrap_or_default()
}
