//! Question 2: drivers (P).

use super::basis::{COMMAND, HIVE};
use super::knowledge::stock::Comparison;
use super::place::{Class, class_of};
use super::staging::{half_read, no, unknown, yes};
use super::subject::{Runs, image};
use super::{Family, Indicator, Question, Scene, Scope, known_good, technique};
use crate::host::image_path::Prefix;

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] = &[OUTSIDE_DRIVERS, BY_API];

/// The driver's file, unless Windows brings it or a known product has it there.
pub(super) fn foreign_driver<'a>(scope: &Scope<'a>) -> Option<Runs<'a>> {
    if !scope.service.is_driver() {
        return None;
    }
    let one = image(scope)?;
    let shipped = known_good::stock(scope).is_some_and(|stock| {
        matches!(stock.compare_image(one.path), Comparison::Same)
            || stock.compare_image(one.path) == Comparison::Moved
                && class_of(one.path) == Class::Drivers
    });
    (!shipped && known_good::agent(scope).is_none()).then_some(one)
}

const OUTSIDE_DRIVERS: Indicator = Indicator {
    id: "P26",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does a driver lie outside System32\\drivers and the driver store?",
    why: "Setup puts drivers into one of two folders; tools that bring a vulnerable driver along load it from where \
          they run.",
    innocent: "VMware, partition and memory-imaging tools and Sysinternals load drivers from their own folders.",
    verify: &[
        "Hash the file and look it up in LOLDrivers; read its signature and signing time",
        "EvtxECmd -f System.evtx --inc 7045: installed by whom, as \"kernel mode driver\"; Sysmon 6",
    ],
    attack: &[technique("T1543.003"), technique("T1068"), technique("T1014")],
    weight: 12,
    hard: false,
    needs: &[COMMAND],
    sources: &[
        "Measured: 10 of 1,895 benign drivers lie elsewhere",
        "SigmaHQ 2c4523d5-d481-4ed0-8ec3-7fbf0cb41a75",
    ],
    since: "0.1.0",
    check: &|scope| {
        let one = foreign_driver(scope)?;
        match class_of(one.path) {
            Class::Drivers => None,
            Class::System => Some(one.hit("beside the folder for drivers").weighing(4)),
            Class::BelowWindows => Some(one.hit("in another folder of Windows").weighing(6)),
            Class::UserWritable(what) => Some(one.hit(what).weighing(25)),
            Class::OwnFolder | Class::DriveRoot | Class::ProgramDataRoot => {
                Some(one.hit("in no folder of Windows or of a product").weighing(18))
            }
            _ => Some(one.hit("outside the folders for drivers")),
        }
    },
    examples: &[
        yes("a driver in a profile", || {
            Scene::driver("ad_driver")
                .image(r"\??\C:\Users\jcloudy\AppData\Local\Temp\ad_driver.sys")
        }),
        yes("a driver beside a tool", || {
            Scene::driver("mimidrv").image(r"\??\C:\TOOLS\mimikatz\mimidrv.sys")
        }),
        no("the common log in System32", || {
            Scene::driver("CLFS").image(r"System32\drivers\CLFS.sys")
        }),
        no("Defender's signature driver", || {
            Scene::driver("MpKsl2c3d4e5f").image(
                r"\??\C:\ProgramData\Microsoft\Windows Defender\Definition Updates\{D6A2B3C4-1111-2222-3333-444455556666}\MpKsl2c3d4e5f.sys",
            )
        }),
        no("a driver without ImagePath", || Scene::driver("Beep").without("ImagePath")),
        unknown("part of the hive is unreadable", half_read),
    ],
};

const BY_API: Indicator = Indicator {
    id: "P27",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Was the driver registered by a program instead of a setup file (INF)?",
    why: "A driver of a device comes with an INF, which leaves Owners, Group or Tag; CreateService leaves a path \
          behind \\??\\ and none of these.",
    innocent: "Antivirus, Sysinternals and hardware monitors register their drivers themselves.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name>: Owners, Group, Tag, DriverPackageId",
        "setupapi.dev.log: is there an installation of it?",
    ],
    attack: &[technique("T1543.003"), technique("T1068")],
    weight: 6,
    hard: false,
    needs: &[HIVE],
    sources: &["Measured: 815 of 3,202 services carry Owners"],
    since: "0.1.0",
    check: &|scope| {
        let config = scope.config()?;
        let one = foreign_driver(scope)?;
        let bare = config.owners.is_empty()
            && config.group.is_none()
            && config.tag.is_none()
            && config.driver_package_id.is_none();
        (bare && one.path.prefix == Prefix::NtObject).then(|| {
            one.hit(r"behind \??\, with neither Owners, Group, Tag nor DriverPackageId: registered by a program")
        })
    },
    examples: &[
        yes("a path behind \\??\\ and nothing else", || {
            Scene::driver("RTCore64")
                .image(r"\??\C:\Windows\System32\drivers\RTCore64.sys")
                .without("Owners")
        }),
        no("installed by an INF", || Scene::driver("e1i65x64")),
        no("a load order group, as setup writes it", || {
            Scene::driver("flt")
                .image(r"\??\C:\Windows\System32\drivers\flt.sys")
                .without("Owners")
                .text("Group", "FSFilter Anti-Virus")
        }),
    ],
};
