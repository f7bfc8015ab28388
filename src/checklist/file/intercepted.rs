//! A file that stands before the program in the search for an unquoted path.

use super::super::basis::HIVE;
use super::super::staging::{no, unknown, yes};
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, technique};
use crate::host::program_file::{FileState, Purpose};

pub(super) const INTERCEPTED: Indicator = Indicator {
    id: "P07",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does another file run, because the path has no quotes and that file stands before it?",
    why: "At every space Windows tries the part before it as a program. Who puts C:\\Program.exe there runs it in the \
          place of every such service.",
    innocent: "A vendor whose own folder holds both files; Windows runs the wrong one all the same.",
    verify: &[
        "sc qc <name>: is the path without quotes, with spaces in a folder?",
        "Look for each part before a space, with .exe, in the file system; get and examine what is there",
    ],
    attack: &[technique("T1574.009")],
    weight: 25,
    hard: true,
    needs: &[HIVE, Need::Files],
    sources: &["Microsoft, CreateProcessW: lpCommandLine; MITRE ATT&CK T1574.009"],
    since: "0.1.0",
    check: &|scope| {
        let mut links = scope.service.files.iter();
        let (link, meant) =
            links.find_map(|link| Some((link, scope.host.files.get(link.meant?)?)))?;
        let runs = scope.host.files.get(link.file)?;
        let config = scope.config()?;
        let because = format!("Windows runs {}, which stands before {}", runs.path, meant.path);
        let value = match link.purpose {
            Purpose::FailureCommand => "FailureCommand",
            _ => "ImagePath",
        };
        let hit = Hit::new(because, runs.citation.clone()).and(config.cite(value));
        let is_there = meant.state == FileState::Present;
        Some(if is_there { hit.and(meant.citation.clone()) } else { hit })
    },
    examples: &[
        yes("C:\\Program.exe before a program in Program Files", || {
            Scene::service("Agent")
                .image(r"C:\Program Files\Contoso\Agent.exe")
                .program(|file| r"C:\Program.exe".clone_into(&mut file.path))
                .program(|_| {})
        }),
        no("unquoted, and nothing stands before it", || {
            Scene::service("Agent").image(r"C:\Program Files\Contoso\Agent.exe").program(|_| {})
        }),
        unknown("without a file system", || {
            Scene::service("Agent").image(r"C:\Program Files\Contoso\Agent.exe")
        }),
    ],
};
