//! Services that run in safe mode.

use crate::checklist::basis::HIVE;
use crate::checklist::knowledge::security::guard;
use crate::checklist::staging::{no, yes};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, renumbered, technique};

pub(super) const SAFE_BOOT: Indicator = Indicator {
    id: "D04",
    family: Family::D,
    checklist: Question::Started,
    question: "Is it registered to run in safe mode, though neither Windows' own nor a security product?",
    why: "Ransomware restarts into safe mode, where protection does not run and its own service does; a remote \
          access tool listed there stays reachable.",
    innocent: "Disk encryption, backup and repair tools register themselves.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Control\SafeBoot\Network\<name>",
        "bcdedit (live) or the BCD store: is safeboot set?",
    ],
    attack: &[renumbered("T1562.009", "T1688"), technique("T1112")],
    weight: 30,
    hard: false,
    needs: &[HIVE],
    sources: &[
        "SigmaHQ 1547e27c-3974-43e2-a7d7-7f484fb928ec, d7662ff6-9e97-4596-a61d-9839e32dee8d",
        "Measured: 60 to 84 entries below Minimal, nearly all Windows' own",
    ],
    since: "0.1.0",
    check: &|scope| {
        let name = &scope.service.name;
        let known = scope.windows().service(name).is_some() || guard(name).is_some();
        if known || !scope.service.in_registry() {
            return None;
        }
        let image = scope.service.image.as_ref().filter(|image| image.extension() == "sys");
        let file = image.map_or("", |image| image.leaf());
        let entry = scope.overview.safe_boot(name, file)?;
        let because = format!("SafeBoot\\{}\\{} = {}.", entry.mode, entry.name, entry.kind);
        Some(Hit::new(because, entry.citation.clone()))
    },
    examples: &[
        yes("a service of its own", || Scene::service("Updater").safe_boot("Network", "Updater")),
        no("an antivirus", || Scene::service("ekrn").safe_boot("Minimal", "ekrn")),
        no("a stock service", || Scene::hosted("EventLog").safe_boot("Minimal", "EventLog")),
        no("an entry of another service", || Scene::service("Agent").safe_boot("Minimal", "Other")),
    ],
};
