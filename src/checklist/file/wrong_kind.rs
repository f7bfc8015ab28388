//! A file that is another kind of program than its service needs.

use super::super::basis::HIVE;
use super::super::staging::{no, unknown, yes};
use super::image::{CONTENTS, images};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};
use crate::host::program_file::{Executable, Hint, ProgramFile, Purpose};

/// Libraries that only programs of user mode load.
const USER_MODE: [&str; 5] =
    ["advapi32.dll", "kernel32.dll", "kernelbase.dll", "mscoree.dll", "user32.dll"];
/// Libraries that only drivers load.
const KERNEL_MODE: [&str; 3] = ["fltmgr.sys", "hal.dll", "ntoskrnl.exe"];

pub(super) const WRONG_KIND: Indicator = Indicator {
    id: "V16",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Is its file another kind of program than the service needs?",
    why: "A driver service that names a program of user mode, a program that is a driver, a ServiceDll that is no DLL: the key was \
          made for a look or by hand, or its file was exchanged.",
    innocent: "Setups that register a helper with the wrong type; such services fail each time they start.",
    verify: &[
        "dumpbin /headers of the file: subsystem, machine, DLL or not; and its imports",
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name> /v Type",
    ],
    attack: &[technique("T1543.003"), technique("T1036")],
    weight: 10,
    hard: false,
    needs: &[HIVE, CONTENTS],
    sources: &[
        "Microsoft PE/COFF specification: Subsystem, Characteristics",
        "Measured: WinDivert64.sys and pciide.sys are native and load ntoskrnl.exe only; 0 of 436 programs and libraries are native",
    ],
    since: "0.1.0",
    check: &|scope| {
        images(scope).find_map(|image| {
            let is_driver = scope.service.is_driver();
            let what = wrong(image.purpose, is_driver, image.executable)?;
            let because = format!("{} {what}.", image.named());
            Some(Hit::new(because, image.file.citation.clone()))
        })
    },
    examples: &[
        yes("a driver service with a program", || {
            Scene::driver("agent").program(|file| change(file, as_program))
        }),
        yes("a service program that is a driver", || {
            Scene::service("Agent").program(|file| change(file, as_driver))
        }),
        yes("a service DLL that is a program", || {
            Scene::hosted("Contoso").file(Purpose::ServiceDll, |file| change(file, as_program))
        }),
        no("a driver that is one", || Scene::driver("agent").program(|_| {})),
        no("a program that is one", || Scene::service("Agent").program(|_| {})),
        no("a DLL that is one", || Scene::hosted("Contoso").file(Purpose::ServiceDll, |_| {})),
        unknown("its bytes were not read", || {
            Scene::driver("agent").program(|file| file.content = None)
        }),
    ],
};

/// What is wrong with an image for its purpose, in words.
fn wrong(purpose: &Purpose, is_driver: bool, image: &Executable) -> Option<&'static str> {
    let loads = |names: &[&str]| image.libraries.iter().any(|name| names.contains(&name.as_str()));
    match purpose {
        Purpose::Image if is_driver => {
            let is_user_mode = loads(&USER_MODE) || image.is_made_with(Hint::DotNet);
            (!image.is_native() && is_user_mode)
                .then_some("is a program of user mode, which cannot be loaded as a driver")
        }
        Purpose::Image | Purpose::Wrapped => (image.is_native() && loads(&KERNEL_MODE))
            .then_some("is a driver, which cannot be run as a program"),
        // Images whose header cannot be read in full are damaged, not of another kind.
        Purpose::ServiceDll => (image.characteristics != 0 && !image.is_library())
            .then_some("is no library, so that its start function is never called"),
        Purpose::FailureCommand | Purpose::LoadPoint(_) | Purpose::Phantom(_) => None,
    }
}

fn change(file: &mut ProgramFile, change: fn(&mut Executable)) {
    let content = file.content.as_mut();
    if let Some(executable) = content.and_then(|content| content.executable.as_mut()) {
        change(executable);
    }
}

fn as_program(executable: &mut Executable) {
    executable.subsystem = 3;
    executable.characteristics = 0x22;
    executable.libraries = vec!["kernel32.dll".to_owned()];
}

fn as_driver(executable: &mut Executable) {
    executable.subsystem = 1;
    executable.libraries = vec!["ntoskrnl.exe".to_owned()];
}
