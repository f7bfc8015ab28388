//! Remote execution tools, credential dumpers and implants, by name and by the shape of their commands.

use std::sync::LazyLock;

use regex::Regex;

use crate::checklist::basis::COMMAND;
use crate::checklist::knowledge::tools::{self, Tool};
use crate::checklist::known_good::is_as_shipped;
use crate::checklist::program::plain;
use crate::checklist::staging::{ghost, half_read, no, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::subject::{image, is_win32, name_citation};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, Scope, technique};
use crate::host::ImagePath;

pub(super) const TOOL_NAME: Indicator = Indicator {
    id: "N01",
    family: Family::K,
    checklist: Question::What,
    question: "Is it named like the service of a remote execution tool, a credential dumper or an implant?",
    why: "Most tools keep the name their authors chose; renaming is an option that operators forget.",
    innocent: "PsExec, PAExec and RemCom are used by administrators too: ask whose session it was, and compare with \
               the approved tools.",
    verify: &[
        "EvtxECmd -f System.evtx --inc 7045,7036: installed by whom, run for how long, removed when",
        "Sysmon 17: \\PSEXESVC, \\RemCom_communicaton; Security 5145: ADMIN$ and svcctl just before",
    ],
    attack: &[technique("T1569.002"), technique("T1021.002"), technique("T1543.003")],
    weight: 30,
    hard: false,
    needs: &[COMMAND],
    sources: &[
        "SigmaHQ 42c575ea-e41e-41f1-b248-8093c3e82a28, 9e36ed87-4986-482e-8e3b-5c23ffff11bf, \
         d26ce60c-2151-403c-9a42-49420d87b5e4",
        "ATT&CK T1543.003, procedure examples",
    ],
    since: "0.1.0",
    check: &|scope| {
        if is_as_shipped(scope) {
            return None;
        }
        let (tool, because) = named(scope)?;
        Some(Hit::new(because, name_citation(scope)?).weighing(tool.decibans))
    },
    examples: &[
        yes("PsExec, known from the log only", || ghost("PSEXESVC", r"%SystemRoot%\PSEXESVC.exe")),
        yes("mimikatz by its display name", || {
            Scene::driver("abc").text("DisplayName", "mimikatz driver (mimidrv)")
        }),
        yes("PsExec under another name, with its program's own", || {
            Scene::service("helper").image(r"C:\Windows\PSEXESVC.exe")
        }),
        no("a service of Windows", || Scene::hosted("Themes")),
        unknown("part of the hive is unreadable", half_read),
    ],
};

/// The tool whose name the service or its program has, and the sentence about it.
fn named(scope: &Scope<'_>) -> Option<(Tool, String)> {
    let service = scope.service;
    let names = [Some(service.name.as_str()), service.display_name.as_deref()];
    let by_name = names.into_iter().flatten().find_map(|name| {
        let tool = tools::by_service_name(name)?;
        let because =
            format!("\"{}\" is the name that {} gives its service.", clip(name), tool.name);
        Some((tool, because))
    });
    by_name.or_else(|| by_program(service.image.as_ref()?))
}

/// Whether it is the service of a remote execution tool that administrators use, by its name.
pub(in crate::checklist) fn is_administrators_tool(scope: &Scope<'_>) -> bool {
    named(scope).is_some_and(|(tool, _)| tool.is_dual_use())
}

/// A tool by its program's name, where the service was renamed.
fn by_program(image: &ImagePath) -> Option<(Tool, String)> {
    let leaf = image.leaf();
    let stem = leaf.rsplit_once('.').map_or(leaf, |(stem, _)| stem);
    let tool = tools::by_service_name(stem)?;
    Some((tool, format!("The program {} is that of {}.", clip(leaf), tool.name)))
}

/// A tool's way to write a command.
struct Shape {
    tool: &'static str,
    pattern: LazyLock<Option<Regex>>,
}

/// Commands as tools write them; matched against [`plain`] text, so lower case and without carets.
static SHAPES: [Shape; 6] = [
    Shape {
        tool: "impacket or NetExec smbexec",
        pattern: LazyLock::new(|| {
            Regex::new(
                r"/q /c echo .{0,4000}> ?\\\\.{1,200} 2>&1 ?> ?.{1,200}\.bat & .{0,600}\.bat",
            )
            .ok()
        }),
    },
    Shape {
        tool: "getsystem of Meterpreter or Cobalt Strike",
        pattern: LazyLock::new(|| {
            Regex::new(r"/c echo [0-9a-z]{4,32} ?> ?\\\\\.\\pipe\\[0-9a-z]{4,32}$").ok()
        }),
    },
    Shape {
        tool: "getsystem of Meterpreter",
        pattern: LazyLock::new(|| {
            Regex::new(r"rundll32(?:\.exe)? .{1,300}\.dll,a /p:[0-9a-z]{4,12}$").ok()
        }),
    },
    Shape {
        tool: "psexec of Metasploit or Cobalt Strike",
        pattern: LazyLock::new(|| {
            Regex::new(r"(?:%comspec%|cmd(?:\.exe)?) /b /c start /b /min powershell").ok()
        }),
    },
    Shape {
        tool: "psexec_command of Metasploit",
        pattern: LazyLock::new(|| {
            Regex::new(r"/c echo .{0,4000}> ?%systemdrive%\\windows\\temp\\[a-z]{8,16}\.txt ?> ?\\windows\\temp\\[a-z]{8,16}\.bat").ok()
        }),
    },
    Shape {
        tool: "jump of Cobalt Strike or Havoc",
        pattern: LazyLock::new(|| {
            Regex::new(
                r"^\\\\[^\\]{1,100}\\(?:admin\$\\[0-9a-z]{7}|c\$\\windows\\[^\\]{1,64})\.exe$",
            )
            .ok()
        }),
    },
];

pub(super) const TOOL_SHAPE: Indicator = Indicator {
    id: "P32",
    family: Family::K,
    checklist: Question::Runs,
    question: "Is the command written the way a remote execution or privilege escalation tool writes it?",
    why: "smbexec, Metasploit, Cobalt Strike and Havoc build the command of their service from a fixed pattern that \
          nothing else uses; it stays when names and payloads change.",
    innocent: "None is known but the same tools in an exercise or an agreed test.",
    verify: &[
        "7045 and 4697 at that second: actor SID, then 4624 type 3 of that logon for the source address",
        "One service for every command: look for the same pattern in the minutes around",
    ],
    attack: &[technique("T1569.002"), technique("T1134.001"), technique("T1021.002")],
    weight: 30,
    hard: true,
    needs: &[COMMAND],
    sources: &[
        "impacket examples/smbexec.py, NetExec smbexec.py, Metasploit psexec.rb; lexfo, Cobalt Strike defaults",
        "SigmaHQ 52a85084-6989-40c3-8f32-091e12e13f09, 843544a7-56e0-4dcc-a44f-5cc266dd97d6",
    ],
    since: "0.1.0",
    check: &|scope| {
        if !is_win32(scope) {
            return None;
        }
        let one = image(scope)?;
        let command = plain(&one.path.raw);
        let shape = SHAPES
            .iter()
            .find(|shape| shape.pattern.as_ref().is_some_and(|it| it.is_match(&command)))?;
        let because = format!("`{}` is how {} writes it.", clip(&one.path.raw), shape.tool);
        Some(Hit::new(because, one.citation))
    },
    examples: &[
        yes("smbexec of older impacket", || {
            ghost(
                "BTOBTO",
                r"%COMSPEC% /Q /c echo cd  ^> \\127.0.0.1\C$\__output 2^>^&1 > %TEMP%\execute.bat & %COMSPEC% /Q /c %TEMP%\execute.bat & del %TEMP%\execute.bat",
            )
        }),
        yes("smbexec of newer impacket", || {
            ghost(
                "hQxRtAbc",
                r"%COMSPEC% /Q /c echo whoami ^> \\%COMPUTERNAME%\C$\__output_QwErTyUi 2^>^&1 > %SYSTEMROOT%\AbCdEfGh.bat & %COMSPEC% /Q /c %SYSTEMROOT%\AbCdEfGh.bat & del %SYSTEMROOT%\AbCdEfGh.bat",
            )
        }),
        yes("getsystem", || ghost("genusn", r"cmd.exe /c echo genusn > \\.\pipe\genusn")),
        yes("getsystem by a DLL", || {
            Scene::service("tbbd05")
                .image(r"rundll32.exe C:\Users\a\AppData\Local\Temp\tbbd05.dll,a /p:tbbd05")
        }),
        no("cmd starts a batch of the house", || {
            Scene::service("Start").image(r"cmd.exe /c C:\Program Files\App\start.bat")
        }),
        no("cmd echoes into a log", || {
            Scene::service("Log").image(r"cmd.exe /c echo started > C:\ProgramData\App\start.log")
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_compiles() {
        for shape in &SHAPES {
            assert!(shape.pattern.is_some(), "{}", shape.tool);
        }
    }
}
