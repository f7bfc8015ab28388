//! File name extensions that do not belong to programs.

use super::VERIFY_KEY;
use crate::checklist::basis::{COMMAND, MEASURED};
use crate::checklist::known_good::is_as_shipped;
use crate::checklist::staging::{half_read, no, unknown, yes};
use crate::checklist::subject::{Part, runs};
use crate::checklist::{Family, Indicator, Question, Scene, technique};

pub(super) const ODD_EXTENSION: Indicator = Indicator {
    id: "P22",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does the file have an extension that does not belong to a program of its kind?",
    why: "Windows runs a program whatever its name ends in; a .dat, .tmp or .jpg passes where people and rules look \
          for .exe, and report.pdf.exe passes for a document.",
    innocent: "A few products start a script or rename a program while they update themselves.",
    verify: &["The first two bytes of the file: MZ makes it a program", VERIFY_KEY],
    attack: &[technique("T1036.008"), technique("T1036.007")],
    weight: 12,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED],
    since: "0.1.0",
    check: &|scope| {
        if is_as_shipped(scope) {
            return None;
        }
        runs(scope).into_iter().find_map(|one| {
            let driver = scope.service.is_driver();
            let own = match (one.part, driver) {
                (Part::Dll, _) => "dll",
                (_, true) => "sys",
                (_, false) => "exe",
            };
            let extension = one.path.extension();
            let odd = extension != own && is_odd_extension(extension);
            let double = is_double_extension(one.path.leaf());
            let what = format!("whose name ends in \".{extension}\"");
            (odd || double).then(|| one.hit(&what))
        })
    },
    examples: &[
        yes("a program called .dat", || Scene::service("x").image(r"C:\Program Files\x\cache.dat")),
        yes("a document that is a program", || {
            Scene::service("x").image(r#""C:\Program Files\x\invoice.pdf.exe""#)
        }),
        no("a dotted program name", || {
            Scene::service("x").image(r#""C:\Program Files\Docker\com.docker.service""#)
        }),
        no("a driver", || Scene::driver("afd")),
        unknown("part of the hive is unreadable", half_read),
    ],
};

fn is_odd_extension(extension: &str) -> bool {
    const ODD: [&str; 38] = [
        "bat", "bin", "bmp", "cfg", "chm", "cmd", "com", "cpl", "dat", "db", "dll", "doc", "docx",
        "exe", "gif", "hta", "ico", "ini", "jpeg", "jpg", "js", "jse", "log", "msi", "ocx", "pdf",
        "pif", "png", "ps1", "scr", "sys", "tmp", "txt", "vbe", "vbs", "wsf", "xls", "zip",
    ];
    ODD.contains(&extension)
}

fn is_double_extension(leaf: &str) -> bool {
    const DOCUMENTS: [&str; 12] = [
        ".doc.", ".docx.", ".gif.", ".htm.", ".jpg.", ".jpeg.", ".pdf.", ".png.", ".rtf.", ".txt.",
        ".xls.", ".xlsx.",
    ];
    DOCUMENTS.iter().any(|document| {
        leaf.rsplit_once(*document).is_some_and(|(_, rest)| matches!(rest, "exe" | "scr" | "com"))
    })
}
