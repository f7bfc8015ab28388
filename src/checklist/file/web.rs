//! A file that bears the mark of the web.

use super::super::basis::HIVE;
use super::super::staging::{no, unknown, yes};
use super::super::story::clip;
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, technique};
use crate::host::ProgramFile;
use crate::host::program_file::ZoneMark;

/// `URLZONE_INTERNET`; 4 is untrusted.
const INTERNET: u8 = 3;

pub(super) const FROM_THE_WEB: Indicator = Indicator {
    id: "V11",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Was its program saved from the internet as it is?",
    why: "Browsers, mail and chat programs mark what they save. Installers write new files, which bear no mark: a \
          program with one was made a service by hand.",
    innocent: "Administrators who download a single program, a monitoring agent or nssm, and install it as a service.",
    verify: &[
        "Get-Content <file> -Stream Zone.Identifier (live); the browser's history of downloads for the address",
    ],
    attack: &[technique("T1105"), technique("T1543.003")],
    weight: 8,
    hard: false,
    needs: &[HIVE, Need::Files],
    sources: &["[MS-FSCC] 5.6.1, Zone.Identifier stream; a judgement for the weight"],
    since: "0.1.0",
    check: &|scope| {
        let marked = |file: &ProgramFile| {
            let zone = file.record.as_ref()?.zone.as_ref()?;
            zone.zone.filter(|number| *number >= INTERNET).map(|_| zone.clone())
        };
        let (file, zone) =
            super::present(scope).find_map(|(_, file)| Some((file, marked(file)?)))?;
        let from = zone.url.or(zone.referrer);
        let from = from.map(|url| format!(": {}", clip(&url))).unwrap_or_default();
        let because = format!("{} was saved from the internet{from}", file.path);
        Some(Hit::new(because, file.citation.clone()))
    },
    examples: &[
        yes("from a web page", || marked(3)),
        no("from the local network", || marked(1)),
        no("no mark", || Scene::service("Agent").program(|_| {})),
        unknown("without a file system", || Scene::service("Agent")),
    ],
};

fn marked(zone: u8) -> Scene {
    let url = Some("https://files.example/agent.exe".to_owned());
    Scene::service("Agent").program(|file| {
        if let Some(record) = &mut file.record {
            record.zone = Some(ZoneMark { zone: Some(zone), url, referrer: None });
        }
    })
}
