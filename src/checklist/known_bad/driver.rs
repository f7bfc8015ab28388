//! Malicious and vulnerable drivers, by file name.

use crate::checklist::basis::COMMAND;
use crate::checklist::driver::foreign_driver;
use crate::checklist::knowledge::drivers::{self, DriverKind};
use crate::checklist::staging::{half_read, no, unknown, yes};
use crate::checklist::{Family, Indicator, Question, Scene, technique};

pub(super) const DRIVER_NAME: Indicator = Indicator {
    id: "P29",
    family: Family::K,
    checklist: Question::Runs,
    question: "Does the driver have the file name of a malicious or vulnerable driver?",
    why: "Intruders bring signed drivers with holes to end protection from the kernel; the file name is the first \
          hint, the hash decides.",
    innocent: "Hardware monitors, mainboard tools and VirtualBox ship these drivers; only some versions are \
               vulnerable.",
    verify: &[
        "Hash the file and look it up in LOLDrivers (loldrivers.io): version and verdict",
        "7045 or Sysmon 6: was it loaded from a user's folder, just before protection ended?",
    ],
    attack: &[technique("T1068"), technique("T1543.003")],
    weight: 12,
    hard: false,
    needs: &[COMMAND],
    sources: &[
        "magicsword-io/LOLDrivers 5554706",
        "SigmaHQ 72cd00d6-490c-4650-86ff-1d11f491daa1, 91c49341-e2ef-40c0-ac45-49ec5c3fe26c",
    ],
    since: "0.1.0",
    check: |scope| {
        let one = foreign_driver(scope)?;
        let (what, weight) = match drivers::known(one.path.leaf())? {
            DriverKind::Malicious => ("a name that malicious drivers have", 20),
            DriverKind::Vulnerable => ("a name that vulnerable drivers have (LOLDrivers)", 12),
        };
        Some(one.hit(what).weighing(weight))
    },
    examples: &[
        yes("a driver of an overclocking tool", || {
            Scene::driver("RTCore64").image(r"\??\C:\Users\a\RTCore64.sys")
        }),
        yes("a driver made for attacks", || Scene::driver("poortry")),
        no("a driver of Windows", || Scene::driver("afd")),
        no("a program of that name is no driver", || {
            Scene::service("x").image(r"C:\Program Files\x\rtcore64.sys")
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};
