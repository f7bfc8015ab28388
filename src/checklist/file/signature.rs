//! What signatures say against a file.

use std::fmt::Write as _;

use super::super::basis::HIVE;
use super::super::staging::{no, unknown, yes};
use super::present;
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, Scope, technique};
use crate::host::program_file::{
    CertificateName, ProgramFile, Purpose, Signature, SignatureStatus, Signer, VersionResource,
};

/// How to check a signature by hand.
const VERIFY: &[&str] = &[
    "On a Windows machine, on a copy of the file: Get-AuthenticodeSignature, sigcheck -i -h",
    "osslsigncode verify -in FILE -CAfile ROOTS; for a catalog: -catalog FILE.cat",
    "Look up its SHA-256; compare it with the same version from another host",
];

/// The weight where the file or its signature was changed.
const FORGED: i16 = 15;
/// The weight where the signature rests on what is not accepted any more.
const WEAK: i16 = 5;

pub(super) const BROKEN: Indicator = Indicator {
    id: "V02",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does its program or DLL bear a signature that does not fit, or none where its neighbors are signed?",
    why: "Whoever patches a signed program breaks its signature; whoever drops a program into a vendor's folder cannot sign it \
          in the vendor's name.",
    innocent: "A damaged copy; programs that installers stamp after signing; old signatures over MD5; vendors who forget to sign \
               one file.",
    verify: VERIFY,
    attack: &[technique("T1036.001"), technique("T1553.002"), technique("T1554")],
    weight: 10,
    hard: false,
    needs: &[HIVE, Need::Signatures],
    sources: &[
        "Microsoft, Windows Authenticode Portable Executable Signature Format",
        "Measured: none of 526 signed files of 35 public packages has a signature that does not fit",
    ],
    since: "0.1.0",
    check: &|scope| present(scope).find_map(|(purpose, file)| broken(scope, purpose, file)),
    examples: &[
        yes("a patched program", || {
            Scene::service("Agent").program(|file| {
                file.signature.status = SignatureStatus::Invalid;
                file.signature.is_forged = true;
                file.signature.reason = Some("the file was changed after it was signed".to_owned());
            })
        }),
        yes("the only unsigned file of its folder", || with_neighbor().program(unsigned)),
        no("a signed program", || Scene::service("Agent").program(|_| {})),
        no("a vendor who signs nothing", || {
            with_neighbor().program(unsigned).file(Purpose::FailureCommand, unsigned)
        }),
        unknown("no catalogs in the evidence", || {
            Scene::service("Agent")
                .program(|file| file.signature = Signature::unknown("no catalogs"))
        }),
    ],
};

fn broken(scope: &Scope<'_>, purpose: &Purpose, file: &ProgramFile) -> Option<Hit> {
    let signature = &file.signature;
    let mut because = format!("The {} {}", purpose.label(), file.path);
    match signature.status {
        SignatureStatus::Invalid => {
            because.push_str(" bears a signature that does not hold");
            if let Some(reason) = &signature.reason {
                let _infallible = write!(because, ": {reason}");
            }
            let weight = if signature.is_forged { FORGED } else { WEAK };
            Some(Hit::new(because, file.citation.clone()).weighing(weight))
        }
        SignatureStatus::Unsigned => {
            let (folder, _) = file.path.rsplit_once('\\')?;
            if is_windows_folder(folder) {
                return None;
            }
            let other = scope.overview.signed_in(folder)?;
            let signer = other.signature.signer().unwrap_or("its vendor");
            let _infallible = write!(
                because,
                " is not signed, while {} in the same folder is signed by {signer}",
                other.leaf()
            );
            Some(Hit::new(because, file.citation.clone()).and(other.citation.clone()))
        }
        _ => None,
    }
}

/// Whether a folder is one in which files of many vendors lie side by side.
fn is_windows_folder(folder: &str) -> bool {
    let folder = folder.to_lowercase();
    folder.split('\\').nth(1) == Some("windows") || folder.split('\\').count() < 2
}

/// The weight where a valid catalog names the file with other bytes.
const NAMESAKE: i16 = 25;

pub(super) const FALSE_MICROSOFT: Indicator = Indicator {
    id: "V03",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does its program or DLL claim to be Microsoft's, while Microsoft signed neither it nor a catalog with it?",
    why: "Microsoft signs what it ships, most of Windows by catalogs; a copied version resource costs an intruder nothing.",
    innocent: "Programs built from Microsoft's samples that kept its name; files of Windows repaired or trimmed by hand; a catalog \
               folder that lost files.",
    verify: VERIFY,
    attack: &[technique("T1036.001"), technique("T1036.005"), technique("T1553.002")],
    weight: 20,
    hard: false,
    needs: &[HIVE, Need::Signatures],
    sources: &[
        "Microsoft Learn: catalog files and digital signatures",
        "Measured: all 56 files of Microsoft's in 35 public packages are signed by it",
    ],
    since: "0.1.0",
    check: &|scope| {
        let kinds =
            [SignatureStatus::Unsigned, SignatureStatus::Invalid, SignatureStatus::UntrustedRoot];
        present(scope).filter(|(_, file)| kinds.contains(&file.signature.status)).find_map(
            |(purpose, file)| {
                let company = file.executable()?.version.as_ref().and_then(|one| one.company.as_ref());
                let claims = company.is_some_and(|name| name.to_lowercase().contains("microsoft"));
                let status = file.signature.status.label();
                let start = format!("The {} {}", purpose.label(), file.path);
                match &file.signature.namesake {
                    Some(catalog) if claims || lies_in_system32(&file.path) => {
                        let because = format!(
                            "{start} ({status}) bears the name of a file of Microsoft's that a catalog lists with other bytes"
                        );
                        let hit = Hit::new(because, file.citation.clone()).and(catalog.clone());
                        Some(hit.weighing(NAMESAKE))
                    }
                    _ if claims => {
                        let company = company.map_or("", String::as_str);
                        let because = format!(
                            "{start} says that its company is \"{}\", and Microsoft did not sign it ({status})",
                            crate::checklist::story::clip(company)
                        );
                        Some(Hit::new(because, file.citation.clone()))
                    }
                    _ => None,
                }
            },
        )
    },
    examples: &[
        yes("an unsigned program with Microsoft's version resource", || {
            Scene::service("Agent").program(|file| {
                unsigned(file);
                of_microsoft(file);
            })
        }),
        yes("the name of a file of Windows on other bytes", || {
            Scene::service("Agent").image(r"C:\Windows\System32\lsm.exe").program(|file| {
                unsigned(file);
                file.signature.namesake = Some(file.citation.clone());
            })
        }),
        no("signed by a catalog of Windows", || {
            Scene::service("Agent").program(|file| {
                of_microsoft(file);
                file.signature.status = SignatureStatus::ValidCatalog;
            })
        }),
        no("unsigned, and nobody claims otherwise", || Scene::service("Agent").program(unsigned)),
        unknown("no catalogs in the evidence", || {
            Scene::service("Agent").program(|file| {
                of_microsoft(file);
                file.signature = Signature::unknown("no catalogs");
            })
        }),
    ],
};

fn lies_in_system32(path: &str) -> bool {
    path.to_lowercase().rsplit_once('\\').is_some_and(|(folder, _)| {
        [r"\windows\system32", r"\windows\syswow64", r"\windows\system32\drivers"]
            .iter()
            .any(|one| folder.ends_with(one))
    })
}

pub(super) const UNSIGNED_DRIVER: Indicator = Indicator {
    id: "V20",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Is it a driver for 64-bit Windows that nobody signed?",
    why: "64-bit Windows loads unsigned drivers only in test mode or after its checks were switched off, as rootkits and tools \
          that map drivers do.",
    innocent: "Machines of developers in test mode; a driver that was never loaded; one whose catalog was removed.",
    verify: VERIFY,
    attack: &[technique("T1014"), technique("T1553.006"), technique("T1543.003")],
    weight: 15,
    hard: false,
    needs: &[HIVE, Need::Signatures],
    sources: &["Microsoft Learn: driver signing policy", "ATT&CK T1553.006"],
    since: "0.1.0",
    check: &|scope| {
        if !scope.service.is_driver() {
            return None;
        }
        present(scope).find_map(|(purpose, file)| {
            let image = file.executable()?;
            let is_wide = matches!(image.machine, 0x8664 | 0xaa64);
            let is_unsigned = file.signature.status == SignatureStatus::Unsigned;
            (*purpose == Purpose::Image && is_wide && is_unsigned).then(|| {
                let because =
                    format!("The driver {} bears no signature and is in no catalog", file.path);
                Hit::new(because, file.citation.clone())
            })
        })
    },
    examples: &[
        yes("an unsigned driver for x64", || Scene::driver("rk").program(unsigned)),
        no("a signed driver", || Scene::driver("rk").program(|_| {})),
        no("an unsigned driver for 32-bit Windows", || {
            Scene::driver("rk").program(|file| {
                unsigned(file);
                change(file, |image| image.machine = 0x14c);
            })
        }),
        no("an unsigned program", || Scene::service("Agent").program(unsigned)),
        unknown("no catalogs in the evidence", || {
            Scene::driver("rk").program(|file| file.signature = Signature::unknown("no catalogs"))
        }),
    ],
};

/// The weight where somebody signed for himself, and where an authority did that is not on the list.
const SELF_SIGNED: i16 = 8;

pub(super) const UNTRUSTED: Indicator = Indicator {
    id: "V21",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Is it signed with a certificate that leads to no known root?",
    why: "A certificate that one makes for oneself may bear any name; tools for intruders sign with such to look signed, and test \
          certificates go with drivers that Windows must be talked into.",
    innocent: "Programs of the own company, signed by its own authority; small vendors; roots that are not on the list.",
    verify: &[
        "Whose certificate is it? Is the authority one of this organization's?",
        "docs/signatures.md lists the roots; compare the thumbprint of the last certificate with what the organization knows",
    ],
    attack: &[technique("T1553.002"), technique("T1587.002")],
    weight: 4,
    hard: false,
    needs: &[HIVE, Need::Signatures],
    sources: &["ATT&CK T1587.002: code signing certificates", "docs/signatures.md: the roots"],
    since: "0.1.0",
    check: &|scope| {
        present(scope).find_map(|(purpose, file)| {
            let signature = &file.signature;
            if signature.status != SignatureStatus::UntrustedRoot {
                return None;
            }
            let chain = signature.signers.first().map_or(&[][..], |signer| &signer.chain);
            let own = chain.first().filter(|one| chain.len() == 1 && one.subject == one.issuer);
            let name = crate::checklist::story::clip(signature.signer().unwrap_or("somebody"));
            let (what, weight) = match own {
                Some(_) => (
                    format!("is signed by \"{name}\" with a certificate of its own making"),
                    SELF_SIGNED,
                ),
                None => (
                    format!("is signed by \"{name}\", whose certificate leads to no known root"),
                    4,
                ),
            };
            let because = format!("The {} {} {what}", purpose.label(), file.path);
            Some(Hit::new(because, file.citation.clone()).weighing(weight))
        })
    },
    examples: &[
        yes("a certificate of one's own", || Scene::service("Agent").program(self_signed)),
        yes("an authority of a company", || {
            Scene::service("Agent").program(|file| {
                file.signature.status = SignatureStatus::UntrustedRoot;
            })
        }),
        no("a known root", || Scene::service("Agent").program(|_| {})),
        unknown("no catalogs in the evidence", || {
            Scene::service("Agent")
                .program(|file| file.signature = Signature::unknown("no catalogs"))
        }),
    ],
};

fn unsigned(file: &mut ProgramFile) {
    file.signature = Signature { status: SignatureStatus::Unsigned, ..Signature::default() };
}

fn self_signed(file: &mut ProgramFile) {
    let own = CertificateName {
        subject: "CN=Contoso".to_owned(),
        issuer: "CN=Contoso".to_owned(),
        ..CertificateName::default()
    };
    let signer = Signer { name: "Contoso".to_owned(), chain: vec![own], time: None };
    file.signature = Signature {
        status: SignatureStatus::UntrustedRoot,
        signers: vec![signer],
        ..Signature::default()
    };
}

fn change(file: &mut ProgramFile, change: impl FnOnce(&mut crate::host::program_file::Executable)) {
    let image = file.content.as_mut().and_then(|content| content.executable.as_mut());
    if let Some(image) = image {
        change(image);
    }
}

fn of_microsoft(file: &mut ProgramFile) {
    change(file, |image| {
        let company = Some("Microsoft Corporation".to_owned());
        image.version = Some(VersionResource { company, ..VersionResource::default() });
    });
}

/// A service with a second program in the same folder.
fn with_neighbor() -> Scene {
    Scene::service("Agent").text("FailureCommand", r"C:\Program Files\Contoso\Restart.exe")
}
