//! Paths that start at no drive: network shares, devices, the object namespace.

use super::{VERIFY_FILE, VERIFY_KEY, first};
use crate::checklist::basis::{COMMAND, MEASURED};
use crate::checklist::place::Class;
use crate::checklist::staging::{ghost, half_read, no, unknown, yes};
use crate::checklist::subject::is_win32;
use crate::checklist::{Family, Indicator, Question, Scene, technique};
use crate::host::image_path::Prefix;

pub(super) const UNC: Indicator = Indicator {
    id: "P08",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does it run a file from the network?",
    why: "A service whose program lies on a share or on an administrative share of this host runs what somebody \
          elsewhere put there; Cobalt Strike and Havoc keep the share in ImagePath.",
    innocent: "Rare products are started from a file server.",
    verify: &[
        "Security 5145 and 4624 type 3 from the host named in the path, in the minutes before the install",
        VERIFY_FILE,
    ],
    attack: &[technique("T1021.002"), technique("T1569.002")],
    weight: 30,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED, "SigmaHQ 5a105d34-05fc-401e-8553-272b45c1522d"],
    since: "0.1.0",
    check: &|scope| {
        first(scope, |one, class| {
            let admin = one.path.normalized.split('\\').nth(3).is_some_and(|it| it.ends_with('$'));
            let what = if admin { "an administrative share" } else { "a network path" };
            (class == Class::Unc).then(|| (what.to_owned(), 30))
        })
    },
    examples: &[
        yes("Cobalt Strike's jump psexec", || ghost("a1b2c3d", r"\\10.0.0.9\ADMIN$\a1b2c3d.exe")),
        no("a share is named in the arguments only", || {
            Scene::service("Backup").image(r#""C:\Program Files\B\b.exe" \\nas\backup"#)
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};

pub(super) const DEVICE: Indicator = Indicator {
    id: "P20",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Is the program of a process named through a device or the object namespace?",
    why: "Such a path reaches volumes without a drive letter, shadow copies among them, and slips past rules that \
          look for C:\\.",
    innocent: "CreateService stores \\??\\ for drivers, not for processes; a few old installers wrote it for both.",
    verify: &[VERIFY_KEY, "mountvol and vssadmin list shadows: which volume is it?"],
    attack: &[technique("T1564"), technique("T1006")],
    weight: 20,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED],
    since: "0.1.0",
    check: &|scope| {
        if !is_win32(scope) {
            return None;
        }
        first(scope, |one, class| match (class, one.path.prefix) {
            (Class::Device, _) => Some(("a device path".to_owned(), 20)),
            (_, Prefix::Win32Namespace) => Some(("behind a namespace prefix".to_owned(), 20)),
            (_, Prefix::NtObject) => Some((r"behind \??\".to_owned(), 6)),
            _ => None,
        })
    },
    examples: &[
        yes("a program in a shadow copy", || {
            Scene::service("x")
                .image(r"\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy1\Windows\x.exe")
        }),
        no("a driver given by its DOS path", || Scene::driver("d").image(r"\??\C:\Tools\d.sys")),
        unknown("part of the hive is unreadable", half_read),
    ],
};
