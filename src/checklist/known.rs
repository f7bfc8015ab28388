//! Known bad: names and shapes of tools, vulnerable drivers by name, remote management (N, P, M).

use std::sync::LazyLock;

use regex::Regex;

use super::basis::COMMAND;
use super::driver::foreign_driver;
use super::knowledge::drivers::DriverKind;
use super::knowledge::tools::Tool;
use super::knowledge::{drivers, rmm, tools};
use super::known_good::is_as_shipped;
use super::place::{Class, class_of};
use super::program::plain;
use super::staging::{ghost, half_read, no, unknown, yes};
use super::story::clip;
use super::subject::{image, is_win32, name_citation};
use super::{Family, Hit, Indicator, Question, Scene, technique};
use crate::host::ImagePath;

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] = &[TOOL_NAME, TOOL_SHAPE, DRIVER_NAME, REMOTE_ACCESS];

const TOOL_NAME: Indicator = Indicator {
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
    check: |scope| {
        if is_as_shipped(scope) {
            return None;
        }
        let service = scope.service;
        let names = [Some(service.name.as_str()), service.display_name.as_deref()];
        let named = names.into_iter().flatten().find_map(|name| {
            let tool = tools::by_service_name(name)?;
            Some((
                tool,
                format!("\"{}\" is the name that {} gives its service.", clip(name), tool.name),
            ))
        });
        let (tool, because) = match named {
            Some(found) => found,
            None => by_program(service.image.as_ref()?)?,
        };
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

const TOOL_SHAPE: Indicator = Indicator {
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
    check: |scope| {
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

const DRIVER_NAME: Indicator = Indicator {
    id: "P29",
    family: Family::K,
    checklist: Question::Runs,
    question: "Does the driver have the file name of a malicious or vulnerable driver?",
    why: "Intruders bring signed drivers with holes to end protection from the kernel; the file name is the first \
          hint, the hash decides.",
    innocent: "Hardware monitors, mainboard tools and VirtualBox ship these drivers; only some versions are \
               vulnerable.",
    verify: &[
        "Hash the file and look it up in LOLDrivers (loldrivers.io): version and verdict",
        "7045 or Sysmon 6: was it loaded from a user's folder, just before protection ended?",
    ],
    attack: &[technique("T1068"), technique("T1543.003")],
    weight: 12,
    hard: false,
    needs: &[COMMAND],
    sources: &[
        "magicsword-io/LOLDrivers 5554706",
        "SigmaHQ 72cd00d6-490c-4650-86ff-1d11f491daa1, 91c49341-e2ef-40c0-ac45-49ec5c3fe26c",
    ],
    since: "0.1.0",
    check: |scope| {
        let one = foreign_driver(scope)?;
        let (what, weight) = match drivers::known(one.path.leaf())? {
            DriverKind::Malicious => ("a name that malicious drivers have", 20),
            DriverKind::Vulnerable => ("a name that vulnerable drivers have (LOLDrivers)", 12),
        };
        Some(one.hit(what).weighing(weight))
    },
    examples: &[
        yes("a driver of an overclocking tool", || {
            Scene::driver("RTCore64").image(r"\??\C:\Users\a\RTCore64.sys")
        }),
        yes("a driver made for attacks", || Scene::driver("poortry")),
        no("a driver of Windows", || Scene::driver("afd")),
        no("a program of that name is no driver", || {
            Scene::service("x").image(r"C:\Program Files\x\rtcore64.sys")
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};

const REMOTE_ACCESS: Indicator = Indicator {
    id: "M01",
    family: Family::Q3,
    checklist: Question::What,
    question: "Is it a remote management or remote access product?",
    why: "Intruders install ordinary remote access products because they are signed and let through; a second \
          product, or one in an unusual folder, is rarely the administrators'.",
    innocent: "The product that this organisation uses. Put it on the list of approved tools.",
    verify: &[
        "Ask which product is in use; look up the tenant or relay host in its configuration",
        "7045 and Uninstall: when was it installed, by which user, from which download?",
    ],
    attack: &[technique("T1219"), technique("T1543.003")],
    weight: 8,
    hard: false,
    needs: &[COMMAND],
    sources: &[
        "magicsword-io/LOLRMM 3c75cf0",
        "SigmaHQ 1a31b18a-f00c-4061-9900-f735b96c99fc; elastic/detection-rules c3f8a1d2-4b5e-4c6f-9a8b-1e2d3f4a5b6c",
    ],
    since: "0.1.0",
    check: |scope| {
        let product = product_of(scope.service)?;
        let one = image(scope)?;
        let odd = !matches!(
            class_of(one.path),
            Class::ProgramFiles | Class::System | Class::Drivers | Class::BelowWindows
        );
        let other = scope
            .host
            .services
            .iter()
            .filter(|other| other.elsewhere.is_none())
            .find_map(|other| product_of(other).filter(|second| *second != product));
        let mut because = format!("It is {product}");
        let mut weight = REMOTE_ACCESS_WEIGHT;
        if odd {
            because = format!("{because}, run from \"{}\"", clip(one.path.folder()));
            weight += 10;
        }
        if let Some(second) = other {
            because = format!("{because}, and {second} is on this host as well");
            weight += 10;
        }
        because.push('.');
        Some(Hit::new(because, name_citation(scope)?).weighing(weight))
    },
    examples: &[
        yes("AnyDesk in ProgramData", || {
            Scene::service("AnyDesk").image(r#""C:\ProgramData\AnyDesk\AnyDesk.exe" --service"#)
        }),
        yes("two products on one host", || {
            Scene::service("TeamViewer")
                .image(r#""C:\Program Files\TeamViewer\TeamViewer_Service.exe""#)
                .beside(
                    Scene::service("AnyDesk")
                        .image(r#""C:\Program Files (x86)\AnyDesk\AnyDesk.exe" --service"#),
                )
        }),
        no("Remote Desktop of Windows", || {
            Scene::hosted("TermService")
                .text("Parameters\\ServiceDll", r"%SystemRoot%\System32\termsrv.dll")
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};

const REMOTE_ACCESS_WEIGHT: i16 = 8;

/// The remote access product that a service is.
fn product_of(service: &crate::host::Service) -> Option<&'static str> {
    let leaf = service.image.as_ref().map_or("", ImagePath::leaf);
    rmm::product(&service.name, service.display_name.as_deref(), leaf)
}

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
