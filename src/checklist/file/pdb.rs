//! What the path of a program's debug information tells about its making.

use super::super::staging::{no, unknown, yes};
use super::super::story::clip;
use super::image::{CONTENTS, images};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};
use crate::host::program_file::ProgramFile;

/// Words that makers of attack tools leave in the names of their folders and projects, in lower case, without separators. Words
/// that makers of security software use as well (exploit, malware, ransom, rootkit, inject, hook) are not among them.
const WORDS: [&str; 18] = [
    "backdoor",
    "bypassuac",
    "cobaltstrike",
    "credentialdump",
    "dllhijack",
    "hollowing",
    "implant",
    "keylog",
    "meterpreter",
    "mimikatz",
    "payload",
    "privesc",
    "processhollow",
    "reflectivedll",
    "reverseshell",
    "revshell",
    "shellcode",
    "uacbypass",
];
/// The weight where somebody known vouches for the bytes: sensors of security software have such names for what they find.
const VOUCHED_WEIGHT: i16 = 4;

pub(super) const TELLING_PDB: Indicator = Indicator {
    id: "V17",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Was the program built in a folder that names an attack tool?",
    why: "Linkers write the full path of the debug information into the program, and who builds a backdoor often calls its \
          folder so.",
    innocent: "Penetration testers' and security vendors' own builds; a folder that only sounds so.",
    verify: &[
        "strings of the file: RSDS and the path behind it (dumpbin /headers shows it as well)",
        "Search the path and the SHA-256 in public reports",
    ],
    attack: &[technique("T1587.001")],
    weight: 15,
    hard: false,
    needs: &[CONTENTS],
    sources: &[
        "Mandiant: Definitive Dossier of Devilish Debug Details, parts 1 and 2 (2019)",
        "Measured: 0 of 438 ordinary images",
    ],
    since: "0.1.0",
    check: &|scope| {
        let told = images(scope).find_map(|image| {
            let path = image.executable.pdb.as_deref()?;
            Some((word(path)?, path, image))
        });
        let (word, path, image) = told?;
        let weight = if image.is_vouched() { VOUCHED_WEIGHT } else { TELLING_PDB.weight };
        let because =
            format!("{} was built as \"{}\", which says {word}.", image.named(), clip(path));
        Some(Hit::new(because, image.file.citation.clone()).weighing(weight))
    },
    examples: &[
        yes("a folder of payloads", || {
            Scene::service("Agent")
                .program(|file| built(file, r"C:\Users\x\source\repos\Payload\Release\svc.pdb"))
        }),
        yes("two words with a separator", || {
            Scene::service("Agent").program(|file| built(file, r"Z:\Reverse_Shell\x64\agent.pdb"))
        }),
        no("an ordinary build", || {
            Scene::service("Agent").program(|file| built(file, r"D:\a\1\s\bin\amd64\agent.pdb"))
        }),
        no("a user's folder", || {
            Scene::service("Agent")
                .program(|file| built(file, r"C:\Users\anna\Projects\launcher\t64.pdb"))
        }),
        no("what a sensor protects from", || {
            Scene::service("Agent").program(|file| built(file, r"C:\build\AntiExploit\mbae64.pdb"))
        }),
        unknown("its bytes were not read", || {
            Scene::service("Agent").program(|file| file.content = None)
        }),
    ],
};

/// The word that a path says, whatever separates its parts; not where it says to be against it.
fn word(path: &str) -> Option<&'static str> {
    let letters: String =
        path.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect();
    WORDS.into_iter().find(|word| {
        letters.match_indices(word).any(|(at, _)| {
            let before = letters.get(..at).unwrap_or_default();
            !before.ends_with("anti") && !before.ends_with("detect") && !before.ends_with("no")
        })
    })
}

/// An unsigned file that was built as that.
fn built(file: &mut ProgramFile, path: &str) {
    let content = file.content.as_mut();
    if let Some(executable) = content.and_then(|content| content.executable.as_mut()) {
        executable.pdb = Some(path.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted_and_found_across_separators() {
        assert!(WORDS.is_sorted());
        for (path, expected) in [
            (r"C:\proj\shell-code\x.pdb", Some("shellcode")),
            (r"C:\proj\AntiKeylogger\x.pdb", None),
            (r"D:\Payload.pdb", Some("payload")),
            (r"D:\pay\load.txt", Some("payload")),
            (r"D:\build\x.pdb", None),
        ] {
            assert_eq!(word(path), expected, "{path}");
        }
    }
}
