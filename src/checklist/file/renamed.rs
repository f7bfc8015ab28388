//! A program that was given another name than its maker gave it.

use super::super::knowledge::programs::{self, ProgramKind};
use super::super::staging::{no, unknown, yes};
use super::super::story::clip;
use super::image::{CONTENTS, Image, images};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};
use crate::host::image_path;
use crate::host::program_file::{ProgramFile, VersionResource};

/// The weight where the maker's name is that of a shell or of a tool for other hosts.
const TOOL_WEIGHT: i16 = 25;
/// The weight where somebody known vouches for the bytes: vendors rename their own programs.
const VOUCHED_WEIGHT: i16 = 4;

/// Names that makers gave to tools which run commands on other hosts or read memory.
const TOOLS: [&str; 8] = [
    "nc.exe",
    "ncat.exe",
    "paexec.exe",
    "procdump",
    "psexec.c",
    "psexec.exe",
    "psexesvc.exe",
    "remcomsvc.exe",
];

/// Extensions of programs; other names are descriptions (`apisetstub`, `.NET Core Host`).
const EXTENSIONS: [&str; 8] = ["c", "com", "cpl", "dll", "drv", "exe", "ocx", "sys"];

pub(super) const RENAMED: Indicator = Indicator {
    id: "V04",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does its maker call the program by another name?",
    why: "The version resource keeps the name that the maker gave (OriginalFilename) when a shell, a script host or a remote \
          execution tool is copied under a harmless name.",
    innocent: "Vendors rename builds (_x64, versions), setup stubs and programs of others that they ship; wrappers such as \
               WinSW and procrun are meant to be renamed and are left out.",
    verify: &[
        "Properties > Details of the file, or sigcheck -a: original name, company, description",
        "Compare its SHA-256 with the program of that name on the same host",
    ],
    attack: &[technique("T1036.003"), technique("T1036.005")],
    weight: 12,
    hard: false,
    needs: &[CONTENTS],
    sources: &[
        "SigmaHQ 36480ae1-a1cb-4eaa-a0d6-29801d7e9142, 0ba1da6d-b6ce-4366-828c-18826c9de23e",
        "Measured: 438 Microsoft, PostgreSQL, Python, Qt and Node images; 50 bear another name, 2 of them after what is left out here",
    ],
    since: "0.1.0",
    check: &|scope| {
        let hits = images(scope).filter_map(|image| {
            let original = original(&image)?;
            let weight = weight(&image, &original)?;
            let because = format!("{} is {} to its maker.", image.named(), clip(&original));
            Some((weight, Hit::new(because, image.file.citation.clone()).weighing(weight)))
        });
        hits.max_by_key(|(weight, _)| *weight).map(|(_, hit)| hit)
    },
    examples: &[
        yes("a copy of the command interpreter", || {
            Scene::service("Agent").program(|file| named(file, "Cmd.Exe"))
        }),
        yes("the service of PsExec under another name", || {
            Scene::service("Agent").program(|file| named(file, "psexesvc.exe"))
        }),
        no("the name it has", || Scene::service("Agent").program(|file| named(file, "Agent.exe"))),
        no("the name with a suffix for resources and another case", || {
            Scene::service("Agent").program(|file| named(file, "AGENT.EXE.MUI"))
        }),
        no("a build for one processor", || {
            Scene::service("Agent_x64").program(|file| named(file, "agent.exe"))
        }),
        no("a wrapper, which is meant to be renamed", || {
            Scene::service("Agent").program(|file| named(file, "WinSW.exe"))
        }),
        no("a description instead of a name", || {
            Scene::service("Agent").program(|file| named(file, ".NET Host"))
        }),
        unknown("its bytes were not read", || {
            Scene::service("Agent").program(|file| file.content = None)
        }),
    ],
};

/// What the maker calls it, in lower case, where that is the name of a program and not the one it has.
fn original(image: &Image<'_>) -> Option<String> {
    let named = image.executable.version.as_ref()?.original_name.as_ref()?;
    let lower = image_path::leaf(named.trim()).to_lowercase();
    let name = lower.strip_suffix(".mui").unwrap_or(&lower);
    let (stem, extension) = name.rsplit_once('.')?;
    let is_program = !stem.is_empty() && EXTENSIONS.contains(&extension);
    (is_program && name != image.file.leaf()).then(|| name.to_owned())
}

/// How much the other name says; `None` where it says nothing.
fn weight(image: &Image<'_>, original: &str) -> Option<i16> {
    let is = |kind| programs::is(original, kind);
    let leaf = image.file.leaf();
    if is(ProgramKind::Wrapper) {
        return None;
    }
    if TOOLS.contains(&original) || is(ProgramKind::Interpreter) || is(ProgramKind::Lolbin) {
        // python312.exe is python.exe.
        return (!is_related(&leaf, original)).then_some(TOOL_WEIGHT);
    }
    if is_related(&leaf, original) {
        return None;
    }
    Some(if image.is_vouched() { VOUCHED_WEIGHT } else { RENAMED.weight })
}

/// Whether one name is the other with a version, a processor or a vendor added.
fn is_related(left: &str, right: &str) -> bool {
    let letters = |name: &str| -> String {
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        stem.chars().filter(char::is_ascii_alphabetic).collect()
    };
    let (left, right) = (letters(left), letters(right));
    let is_part = |long: &str, short: &str| short.len() >= 3 && long.contains(short);
    left == right || is_part(&left, &right) || is_part(&right, &left)
}

/// An unsigned file whose maker gave it that name.
fn named(file: &mut ProgramFile, original: &str) {
    let Some(executable) = file.content.as_mut().and_then(|content| content.executable.as_mut())
    else {
        return;
    };
    let original_name = Some(original.to_owned());
    executable.version = Some(VersionResource { original_name, ..VersionResource::default() });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn related_names_differ_by_what_vendors_add() {
        for (left, right, expected) in [
            ("windivert64.sys", "windivert.sys", true),
            ("msvcp140-a4c2229bdc2a.dll", "msvcp140.dll", true),
            ("pg_regress.exe", "regress.dll", true),
            ("agent.exe", "agent.exe", true),
            ("svc.exe", "cmd.exe", false),
            ("cm.exe", "cmd.exe", false),
            ("t64-arm.exe", "w32.exe", false),
        ] {
            assert_eq!(is_related(left, right), expected, "{left} {right}");
        }
    }
}
