//! A program that cannot be a service: it never asks for the service control manager.

use super::super::basis::HIVE;
use super::super::knowledge::programs::{self, ProgramKind};
use super::super::staging::{no, unknown, yes};
use super::super::{Scope, known_good};
use super::image::{CONTENTS, Image, images, is_packed};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};
use crate::host::program_file::{Executable, Hint, ProgramFile, Purpose};

/// Libraries of Windows, of its compilers and of MinGW that connect no program to the service control manager. A program that
/// loads others may leave that to one of them.
const LIBRARIES: [&str; 63] = [
    "activeds.dll",
    "advapi32.dll",
    "avrt.dll",
    "bcrypt.dll",
    "bcryptprimitives.dll",
    "cabinet.dll",
    "cfgmgr32.dll",
    "combase.dll",
    "comctl32.dll",
    "comdlg32.dll",
    "credui.dll",
    "crypt32.dll",
    "dbghelp.dll",
    "dhcpcsvc.dll",
    "dnsapi.dll",
    "dwmapi.dll",
    "fltlib.dll",
    "gdi32.dll",
    "gdiplus.dll",
    "imagehlp.dll",
    "imm32.dll",
    "iphlpapi.dll",
    "kernel32.dll",
    "kernelbase.dll",
    "libgcc_s_seh-1.dll",
    "libwinpthread-1.dll",
    "mpr.dll",
    "msi.dll",
    "msimg32.dll",
    "msvcrt.dll",
    "mswsock.dll",
    "ncrypt.dll",
    "netapi32.dll",
    "normaliz.dll",
    "ntdll.dll",
    "ole32.dll",
    "oleacc.dll",
    "oleaut32.dll",
    "pdh.dll",
    "powrprof.dll",
    "propsys.dll",
    "psapi.dll",
    "rpcrt4.dll",
    "rstrtmgr.dll",
    "secur32.dll",
    "setupapi.dll",
    "shell32.dll",
    "shlwapi.dll",
    "sspicli.dll",
    "ucrtbase.dll",
    "urlmon.dll",
    "user32.dll",
    "userenv.dll",
    "uxtheme.dll",
    "version.dll",
    "wevtapi.dll",
    "winhttp.dll",
    "wininet.dll",
    "winmm.dll",
    "wintrust.dll",
    "ws2_32.dll",
    "wsock32.dll",
    "wtsapi32.dll",
];
/// Beginnings of names of such libraries that have many.
const FAMILIES: [&str; 6] = ["api-ms-win-", "ext-ms-", "mfc", "msvcp", "msvcr", "vcruntime"];

pub(super) const NO_DISPATCHER: Indicator = Indicator {
    id: "V14",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Is its program one that cannot act as a service?",
    why: "Whoever starts any program through a service (a payload, a tool) needs no service code: it runs until the service \
          control manager gives up waiting (events 7009 and 7000), or its child lives on.",
    innocent: "Programs whose service code is in a library of their own, or that look its functions up under a hidden name; \
               a service that was set up wrongly.",
    verify: &[
        "Does the file import StartServiceCtrlDispatcherA or W (dumpbin /imports)?",
        "System 7009 and 7000 after each start: the program never answered",
    ],
    attack: &[technique("T1543.003"), technique("T1569.002")],
    weight: 10,
    hard: false,
    needs: &[HIVE, CONTENTS],
    sources: &[
        "Microsoft: Service Program Tasks, StartServiceCtrlDispatcher",
        "Measured: of 436 ordinary images pg_ctl.exe names the function; pythonservice.exe and .NET programs do not and are left out by what they are made with",
    ],
    since: "0.1.0",
    check: &|scope| {
        if !has_own_program(scope) {
            return None;
        }
        let image = images(scope).find(|image| *image.purpose == Purpose::Image)?;
        if !is_plain(&image) || image.executable.names_dispatcher {
            return None;
        }
        let because = format!(
            "{} never names StartServiceCtrlDispatcher, without which no program is a service.",
            image.named()
        );
        Some(Hit::new(because, image.file.citation.clone()))
    },
    examples: &[
        yes("a program that knows nothing of services", || {
            Scene::service("Agent").program(|file| without_dispatcher(file, |_| {}))
        }),
        no("a program that imports the dispatcher", || Scene::service("Agent").program(|_| {})),
        no("a program of .NET", || {
            Scene::service("Agent")
                .program(|file| without_dispatcher(file, |one| one.hints.push(Hint::DotNet)))
        }),
        no("a program with a library of its own", || {
            Scene::service("Agent").program(|file| {
                without_dispatcher(file, |one| one.libraries.push("contosobase.dll".to_owned()));
            })
        }),
        no("a service in svchost", || {
            Scene::hosted("Contoso").program(|file| without_dispatcher(file, |_| {}))
        }),
        unknown("its bytes were not read", || {
            Scene::service("Agent").program(|file| file.content = None)
        }),
    ],
};

/// Whether it has a program of its own that Windows does not bring.
fn has_own_program(scope: &Scope<'_>) -> bool {
    let leaf = scope.service.image.as_ref().map(crate::host::ImagePath::leaf).unwrap_or_default();
    let is_other = programs::is(leaf, ProgramKind::Interpreter)
        || programs::is(leaf, ProgramKind::Lolbin)
        || programs::is(leaf, ProgramKind::System)
        // What they run is in a library or assembly that their arguments or parameters name.
        || matches!(leaf, "svchost.exe" | "dotnet.exe");
    known_good::is_new_program(scope) && !scope.service.is_driver() && !is_other
}

/// Whether its imports tell what it can do: a native program for Windows that is not packed, loads nothing of its own, and of which
/// nothing is damaged.
fn is_plain(image: &Image<'_>) -> bool {
    let Executable { libraries, hints, subsystem, damage, .. } = image.executable;
    let is_known = |name: &String| {
        LIBRARIES.contains(&name.as_str())
            || FAMILIES.iter().any(|family| name.starts_with(family))
            || name == "winspool.drv"
    };
    let is_program = matches!(subsystem, 2 | 3) && !image.executable.is_library();
    let is_clear = damage.is_empty() && is_packed(image.executable).is_none();
    is_program
        && is_clear
        && hints.is_empty()
        && !libraries.is_empty()
        && libraries.iter().all(is_known)
}

fn without_dispatcher(file: &mut ProgramFile, change: impl FnOnce(&mut Executable)) {
    let content = file.content.as_mut();
    if let Some(executable) = content.and_then(|content| content.executable.as_mut()) {
        executable.imports_dispatcher = false;
        executable.names_dispatcher = false;
        change(executable);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_sorted_and_lower_case() {
        assert!(LIBRARIES.is_sorted());
        assert!(LIBRARIES.iter().all(|name| name.to_lowercase() == **name));
    }
}
