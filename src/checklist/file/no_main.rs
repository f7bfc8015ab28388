//! A DLL in svchost without the function that svchost calls.

use super::super::basis::HIVE;
use super::super::staging::{no, unknown, yes};
use super::super::story::clip;
use super::image::{CONTENTS, images};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};
use crate::host::program_file::{Executable, ProgramFile, Purpose};

/// What svchost calls where the service names nothing else.
const USUAL: &str = "ServiceMain";

pub(super) const NO_MAIN: Indicator = Indicator {
    id: "V15",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does its service DLL lack the function that svchost calls?",
    why: "svchost.exe loads the DLL and calls ServiceMain, or what the value ServiceMain names. A DLL without it does its work \
          while it is loaded, as payloads do that were made to be loaded by anything.",
    innocent: "A DLL that was exchanged by an update for one that serves otherwise; a value that names a program by mistake.",
    verify: &[
        "dumpbin /exports of the DLL: is the function there?",
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name>\Parameters /v ServiceMain",
    ],
    attack: &[technique("T1543.003"), technique("T1574.011")],
    weight: 12,
    hard: false,
    needs: &[HIVE, CONTENTS],
    sources: &[
        "Microsoft: SvcHost (ServiceDll, ServiceMain)",
        "A judgement: a service without its main function fails with error 127 each time it starts",
    ],
    since: "0.1.0",
    check: &|scope| {
        let image = images(scope).find(|image| *image.purpose == Purpose::ServiceDll)?;
        let told = scope.config().and_then(|config| config.service_main.as_deref());
        let wanted = told.filter(|name| !name.is_empty()).unwrap_or(USUAL);
        if !image.executable.damage.is_empty() || has(image.executable, wanted) {
            return None;
        }
        let because = format!("{} does not export {}.", image.named(), clip(wanted));
        let mut hit = Hit::new(because, image.file.citation.clone());
        if let Some(config) = scope.config().filter(|_| told.is_some()) {
            hit = hit.and(config.cite("Parameters\\ServiceMain"));
        }
        Some(hit)
    },
    examples: &[
        yes("a DLL that exports nothing of the kind", || {
            Scene::hosted("Contoso").file(Purpose::ServiceDll, |file| exporting(file, &["Run"]))
        }),
        yes("a function that the DLL does not have", || {
            Scene::hosted("Contoso")
                .text("Parameters\\ServiceMain", "ContosoMain")
                .file(Purpose::ServiceDll, |file| exporting(file, &["ServiceMain"]))
        }),
        no("the usual function", || Scene::hosted("Contoso").file(Purpose::ServiceDll, |_| {})),
        no("the function that the service names", || {
            Scene::hosted("Contoso")
                .text("Parameters\\ServiceMain", "ContosoMain")
                .file(Purpose::ServiceDll, |file| exporting(file, &["ContosoMain"]))
        }),
        unknown("its bytes were not read", || {
            Scene::hosted("Contoso")
                .file(Purpose::ServiceDll, |file| file.content = None)
                .program(|file| file.content = None)
        }),
    ],
};

/// Whether it exports that name, or too many names for all of them to be known.
fn has(executable: &Executable, name: &str) -> bool {
    let known = u32::try_from(executable.exports.len()).unwrap_or(u32::MAX);
    executable.exports.iter().any(|export| export == name)
        || name == USUAL && executable.exports_service_main
        || name != USUAL && executable.export_count > known
}

fn exporting(file: &mut ProgramFile, names: &[&str]) {
    let content = file.content.as_mut();
    if let Some(executable) = content.and_then(|content| content.executable.as_mut()) {
        executable.exports = names.iter().map(|name| (*name).to_owned()).collect();
        executable.export_count = u32::try_from(names.len()).unwrap_or(u32::MAX);
        executable.exports_service_main = names.contains(&USUAL);
    }
}
