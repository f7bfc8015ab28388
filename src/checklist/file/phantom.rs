//! Libraries that Windows does not have and its services ask for.

use crate::checklist::known_good::Maker;
use crate::checklist::staging::{no, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, technique};
use crate::host::Origin;
use crate::host::program_file::{FileState, ProgramFile, Purpose, SignatureStatus};

pub(super) const PHANTOM: Indicator = Indicator {
    id: "V08",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Is a library there that the service asks for and Windows does not have?",
    why: "The service loads it with its own rights, and neither a value nor an event changes: only the file betrays it.",
    innocent: "Editions of Windows with the role have the file, signed by Microsoft, which does not count; Oracle's client puts \
               an oci.dll of its own, signed, into System32 on some hosts.",
    verify: &[
        "Get the DLL from the image: signature, version resource, exports, times in the $MFT",
        "Was the service stopped and started from afar at that time (7036, 5145 on ADMIN$)?",
    ],
    attack: &[technique("T1574.001")],
    weight: 30,
    hard: false,
    needs: &[Need::Part(Origin::FileSystem), Need::Phantoms],
    sources: &[
        "SpecterOps: Lateral Movement - SCM and DLL Hijacking Primer",
        "OTRF Security-Datasets empire_shell_dcerpc_smb_service_dll_hijack",
        "src/host/program_file/phantom_dlls.tsv",
    ],
    since: "0.1.0",
    check: &|scope| {
        let is_foreign = |file: &&ProgramFile| {
            file.state == FileState::Present
                && !matches!(Maker::of(Some(file)), Maker::Windows | Maker::Unknown)
        };
        let file = scope.phantoms().find(is_foreign)?;
        let (who, weight) = match (file.signature.status.is_valid(), file.signature.signer()) {
            (true, Some(signer)) => (format!("signed by \"{}\"", clip(signer)), 12),
            (true, None) => ("signed, but not by Microsoft".to_owned(), 12),
            (false, _) => (format!("signature: {}", file.signature.status.label()), 30),
        };
        let because = format!(
            "\"{}\" is there, {who}; {} loads a library of that name, which Windows does not have.",
            clip(&file.path),
            clip(&scope.service.name)
        );
        Some(Hit::new(because, file.citation.clone()).weighing(weight))
    },
    examples: &[
        yes("an unsigned wlbsctrl.dll", || {
            Scene::hosted("IKEEXT").file(wlbsctrl(), |file| {
                file.signature.status = SignatureStatus::Unsigned;
            })
        }),
        yes("one that a stranger signed: less", || {
            Scene::hosted("IKEEXT").file(wlbsctrl(), |_| {})
        }),
        no("the one of Windows' load balancing", || {
            Scene::hosted("IKEEXT").file(wlbsctrl(), |file| {
                file.signature.status = SignatureStatus::ValidCatalog;
                file.signature.is_windows = true;
            })
        }),
        no("it is not there", || Scene::hosted("IKEEXT").program(|_| {})),
        no("a service that asks for no such library", || Scene::hosted("Themes").program(|_| {})),
        unknown("nobody can tell who signed it", || {
            Scene::hosted("IKEEXT").file(wlbsctrl(), |file| {
                file.signature.status = SignatureStatus::Unknown;
            })
        }),
        unknown("no file system", || Scene::hosted("IKEEXT")),
    ],
};

fn wlbsctrl() -> Purpose {
    Purpose::Phantom("phantom DLL wlbsctrl.dll".to_owned())
}
