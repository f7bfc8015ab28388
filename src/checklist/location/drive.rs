//! The root of a drive, and folders of one's own below it.

use super::{VERIFY_FILE, first};
use crate::checklist::basis::{COMMAND, MEASURED};
use crate::checklist::place::Class;
use crate::checklist::staging::{half_read, no, unknown, yes};
use crate::checklist::subject::is_win32;
use crate::checklist::{Family, Indicator, Question, Scene, technique};
use crate::host::ImagePath;

pub(super) const DRIVE_ROOT: Indicator = Indicator {
    id: "P04",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does it run from the root of a drive or from a folder outside those for programs?",
    why: "Folders made in the root of a drive are writable for every user unless somebody changed that, and setup \
          programs do not choose them.",
    innocent: "In-house software is often kept in C:\\<something>; database and backup servers use other drives.",
    verify: &[VERIFY_FILE, "Ask the owner of the host for the application behind the folder"],
    attack: &[technique("T1543.003")],
    weight: 12,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED, "SigmaHQ 1b2ae822-6fe1-43ba-aa7c-d1a3b3d1d5f2"],
    since: "0.1.0",
    check: &|scope| {
        if !is_win32(scope) {
            return None;
        }
        first(scope, |one, class| match class {
            Class::DriveRoot => Some(("in the root of a drive".to_owned(), 18)),
            Class::OwnFolder if is_short(one.path) => {
                Some(("a short name in a folder of its own".to_owned(), 12))
            }
            Class::OwnFolder => Some(("outside the folders for programs".to_owned(), 10)),
            _ => None,
        })
    },
    examples: &[
        yes("a program in the root of the drive", || Scene::service("x").image(r"C:\x.exe")),
        yes("the path is a drive and nothing else", || Scene::service("hacker23").image(r"c:\")),
        yes("a test program on another drive", || {
            Scene::service("WCESERVICE").image(r"D:\Service\test.exe")
        }),
        no("a vendor's service in Program Files on another drive", || {
            Scene::service("Agent").image(r#""D:\Program Files\Contoso\Agent.exe""#)
        }),
        no("the Azure guest agent's own folder", || {
            Scene::service("WindowsAzureGuestAgent").image(
                r"C:\WindowsAzure\GuestAgent_2.7.41491.1\GuestAgent\WindowsAzureGuestAgent.exe",
            )
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};

/// One folder below the root, and a file name of at most nine characters.
fn is_short(path: &ImagePath) -> bool {
    let stem = path.leaf().rsplit_once('.').map_or(path.leaf(), |(stem, _)| stem);
    path.normalized.matches('\\').count() == 2 && stem.chars().count() <= 9
}
