//! Interpreters and tools of Windows that run other code (living off the land).

use super::{VERIFY_INSTALL, VERIFY_KEY};
use crate::checklist::basis::{COMMAND, MEASURED};
use crate::checklist::known_good::is_as_shipped;
use crate::checklist::place::{Class, class_of};
use crate::checklist::program::{is_lolbin, plain_leaf};
use crate::checklist::staging::{ghost, half_read, no, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::subject::{image, is_win32};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};

pub(super) const LOLBIN: Indicator = Indicator {
    id: "P05",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Is the service program an interpreter or a tool of Windows that runs other code?",
    why: "cmd, PowerShell, rundll32 and their kin do not answer the service control manager: as a service they run \
          a command once, as SYSTEM.",
    innocent: "Some products run under a bundled interpreter (perl, python, java, node) in their own folder; Windows \
               itself has dllhost /Processid and msiexec /V, which are known.",
    verify: &[
        VERIFY_KEY,
        "Decode the arguments: CyberChef for Base64 and compressed PowerShell",
        VERIFY_INSTALL,
    ],
    attack: &[technique("T1543.003"), technique("T1569.002"), technique("T1059")],
    weight: 30,
    hard: false,
    needs: &[COMMAND],
    sources: &[
        MEASURED,
        "SigmaHQ 70f00d10-60b2-4f34-b9a0-dc3df3fe762a, 26481afe-db26-4228-b264-25a29fe6efc7",
        "elastic/detection-rules 36a8e048-d888-4f61-a8b9-0f9e2e40f317",
    ],
    since: "0.1.0",
    check: &|scope| {
        let one = image(scope)?;
        if !is_win32(scope) || !is_lolbin(one.path) || is_as_shipped(scope) {
            return None;
        }
        let bundled = class_of(one.path) == Class::ProgramFiles;
        let because = format!(
            "ImagePath runs {} as a service: `{}`.",
            plain_leaf(one.path),
            clip(&one.path.raw)
        );
        let hit = Hit::new(because, one.citation);
        Some(if bundled { hit.weighing(10) } else { hit })
    },
    examples: &[
        yes("cmd by its variable", || {
            Scene::service("ARTService").image(r"%COMSPEC% /c whoami > C:\out.txt")
        }),
        yes("cmd behind carets", || {
            Scene::service("x").image(r"C:\Windows\System32\c^md.exe /c x")
        }),
        yes("the calculator", || {
            Scene::service("AtomicService").image(r"C:\Windows\System32\calc.exe")
        }),
        yes("rundll32, known from the log only", || {
            ghost("tbbd05", r"rundll32.exe C:\Users\a\AppData\Local\Temp\x.dll,a /p:tbbd05")
        }),
        no("Windows Installer", || {
            Scene::service("msiserver").image(r"%systemroot%\system32\msiexec.exe /V")
        }),
        no("the COM+ system application", || {
            Scene::service("COMSysApp").image(
                r"%SystemRoot%\system32\dllhost.exe /Processid:{02D4B3F1-FD88-11D1-960D-00805FC79235}",
            )
        }),
        no("a vendor's own control.exe", || {
            Scene::service("Ctl").image(r#""C:\Program Files\Contoso\control.exe""#)
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};
