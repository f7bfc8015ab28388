//! Groups of svchost.exe.

use crate::checklist::basis::{COMMAND, MEASURED};
use crate::checklist::known_good::{compared, is_as_shipped};
use crate::checklist::staging::{half_read, no, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::subject::{image, is_win32};
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, technique};
use crate::host::Origin;
use crate::host::config::ServiceType;
use crate::text;

pub(super) const SVCHOST: Indicator = Indicator {
    id: "P14",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does svchost run without a group, or with a group that is not one of Windows?",
    why: "Every service of svchost belongs to a group; an implant that comes as a DLL brings a group of its own, \
          and a fake svchost needs none.",
    innocent: "Groups of newer versions and roles of Windows, and those of a few vendors who host their DLLs in \
               svchost.",
    verify: &[
        r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Svchost: the group's value and its last-write time",
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name>\Parameters /v ServiceDll",
    ],
    attack: &[technique("T1543.003"), technique("T1036.004")],
    weight: 15,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED, "52 groups in six hives; atomic-red-team T1543.003 test 4 (TinyTurla)"],
    since: "0.1.0",
    check: &|scope| {
        let one = image(scope)?;
        if one.path.leaf() != "svchost.exe" || !is_win32(scope) || is_as_shipped(scope) {
            return None;
        }
        let Some(group) = one.path.svchost_group() else {
            return Some(one.hit("without a group (-k)").weighing(20));
        };
        if scope.windows().is_group(&group) {
            return None;
        }
        let (weight, remark) = compared(scope, 15);
        let because = format!("svchost group \"{}\" is not one of Windows{remark}.", clip(&group));
        Some(Hit::new(because, one.citation).weighing(weight))
    },
    examples: &[
        yes("TinyTurla's group", || {
            Scene::hosted("W64Time")
                .windows("Windows 10 Pro", "18363.1")
                .image(r"c:\Windows\System32\svchost.exe -k TimeService")
        }),
        yes("no group at all", || {
            Scene::service("WinHost").image(r"C:\Windows\System32\svchost.exe")
        }),
        no("netsvcs", || Scene::hosted("Themes")),
        unknown("part of the hive is unreadable", half_read),
    ],
};

pub(super) const NOT_IN_GROUP: Indicator = Indicator {
    id: "P33",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Is the service missing from its svchost group?",
    why: "svchost starts only services that the SOFTWARE hive lists for its group; a service that is not listed \
          cannot start that way, or the list was changed and changed back.",
    innocent: "Features that were removed leave services behind whose group is gone.",
    verify: &[
        r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Svchost: is the service among the group's members?",
        "Compare with the SOFTWARE hive in RegBack or a shadow copy",
    ],
    attack: &[technique("T1543.003")],
    weight: 15,
    hard: false,
    needs: &[Need::Part(Origin::SystemHive), Need::Whole(Origin::SoftwareHive)],
    sources: &[MEASURED, "SigmaHQ 612e47e9-8a59-43a6-b404-f48683f45bd6"],
    since: "0.1.0",
    check: &|scope| {
        let one = image(scope)?;
        let config = scope.config()?;
        let group = one.path.svchost_group()?;
        // Instances of per-user services are listed under their template's name; a disabled leftover is listed no more.
        let instance = config.service_type.is_some_and(ServiceType::is_user_instance);
        if instance || scope.host.svchost_groups.is_empty() || is_as_shipped(scope) {
            return None;
        }
        // What Windows leaves behind itself is known by name where it was measured.
        let (weight, remark) = compared(scope, NOT_IN_GROUP.weight);
        match scope.host.svchost_groups.get(&text::fold(&group)) {
            None => {
                let because = format!(
                    "svchost group \"{}\" does not exist in the SOFTWARE hive{remark}.",
                    clip(&group)
                );
                Some(Hit::new(because, one.citation).weighing(weight))
            }
            Some(known) => {
                let listed =
                    known.members.iter().any(|name| text::same_name(name, &scope.service.name));
                let because = format!(
                    "svchost group \"{}\" does not list this service{remark}.",
                    clip(&group)
                );
                let hit = Hit::new(because, one.citation).and(known.citation.clone());
                (!listed).then(|| hit.weighing(weight))
            }
        }
    },
    examples: &[
        yes("not among the members", || {
            Scene::hosted("Nwsapagent").svchost_group("netsvcs", &["Themes", "Schedule"])
        }),
        yes("the group is gone", || {
            Scene::hosted("Contoso")
                .image(r"%SystemRoot%\System32\svchost.exe -k Other")
                .svchost_group("netsvcs", &["Themes"])
        }),
        no("listed", || Scene::hosted("Contoso").svchost_group("netsvcs", &["CONTOSO"])),
        unknown("no SOFTWARE hive", || Scene::hosted("Contoso")),
    ],
};
