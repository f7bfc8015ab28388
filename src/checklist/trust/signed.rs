//! What signatures say for a service.

use jiff::SignedDuration;

use crate::checklist::place::{Class, class_of};
use crate::checklist::program::is_lolbin;
use crate::checklist::staging::{no, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, Scope};
use crate::evidence::TimeSource;
use crate::host::program_file::{
    FileState, KnownList, ListMatch, ProgramFile, Purpose, Signature, SignatureStatus,
    VersionResource,
};
use crate::host::{ImagePath, image_path};
use crate::text::same_name;

/// How to check by hand.
const VERIFY: &[&str] = &[
    "sigcheck -i -h on a copy of the file: who signed it, when, and is the certificate revoked?",
    "Does this host have that product, and is this file one of it?",
];

/// A file that has been there this long was not brought by the incident at hand.
const OLD: SignedDuration = SignedDuration::from_hours(90 * 24);
/// The weight where all files are that old.
const OLD_WEIGHT: i16 = -10;

pub(super) const BY_VENDOR: Indicator = Indicator {
    id: "B02",
    family: Family::B,
    checklist: Question::Runs,
    question: "Is every file of it validly signed by the vendor whose folder in Program Files it lies in?",
    why: "Intruders rarely can sign in a vendor's name, and installers put a vendor's files into the folder of its name.",
    innocent: "Certificates are stolen, and signed programs load planted libraries: it lowers suspicion and clears nothing. Drivers \
               do not count, since intruders bring signed ones.",
    verify: VERIFY,
    attack: &[],
    weight: -6,
    hard: false,
    needs: &[Need::Signatures],
    sources: &[
        "A judgement; nobody was asked whether a certificate was revoked: docs/signatures.md",
    ],
    since: "0.1.0",
    check: &|scope| {
        if scope.service.is_driver() {
            return None;
        }
        let (purpose, file) = vouched(scope, |file| {
            file.signature.status == SignatureStatus::Valid && is_in_signers_folder(file)
        })?;
        let weight = if all_old(scope) { OLD_WEIGHT } else { -6 };
        let because = format!(
            "Its {} \"{}\" is signed by {}, whose folder it lies in.",
            purpose.label(),
            clip(&file.path),
            clip(file.signature.signer().unwrap_or_default())
        );
        Some(Hit::new(because, file.citation.clone()).weighing(weight))
    },
    examples: &[
        yes("signed by Contoso in Contoso's folder, for months", || {
            Scene::service("Agent").program(|_| {})
        }),
        no("signed by somebody else", || {
            Scene::service("Agent").program(|file| {
                if let Some(signer) = file.signature.signers.first_mut() {
                    "Fabrikam Inc".clone_into(&mut signer.name);
                }
            })
        }),
        no("a signed interpreter", || {
            Scene::service("Agent")
                .image(r"C:\Program Files\Contoso\python.exe x.py")
                .program(|_| {})
        }),
        no("a list of vulnerable drivers has it", || {
            Scene::service("Agent").program(|file| file.listed.push(vulnerable()))
        }),
        no("a signed driver", || Scene::driver("agent").program(|_| {})),
        unknown("its signature is not known", || {
            Scene::service("Agent")
                .program(|file| file.signature = Signature::unknown("no catalogs"))
        }),
    ],
};

pub(super) const BY_WINDOWS: Indicator = Indicator {
    id: "B21",
    family: Family::B,
    checklist: Question::Runs,
    question: "Is every file of it a part of Windows by its signature, in the folder and under the name that Windows gives it?",
    why: "Nobody else can sign parts of Windows: such a file was not changed.",
    innocent: "Intruders use programs of Windows as they are: what the service does with it counts, and programs that run other \
               code do not count at all.",
    verify: VERIFY,
    attack: &[],
    weight: -8,
    hard: false,
    needs: &[Need::Signatures],
    sources: &[
        "Microsoft Learn: catalog files; the usage 1.3.6.1.4.1.311.10.3.6, Windows System Component Verification",
    ],
    since: "0.1.0",
    check: &|scope| {
        let (purpose, file) = vouched(scope, |file| {
            file.signature.status.is_valid() && file.signature.is_windows && is_in_its_place(file)
        })?;
        let because = format!(
            "Its {} \"{}\" is a part of Windows, signed by {}.",
            purpose.label(),
            clip(&file.path),
            clip(file.signature.signer().unwrap_or_default())
        );
        let hit = Hit::new(because, file.citation.clone());
        Some(match &file.signature.catalog {
            Some(catalog) => hit.and(catalog.clone()),
            None => hit,
        })
    },
    examples: &[
        yes("a service of Windows with its DLL", || {
            Scene::hosted("Contoso").file(Purpose::ServiceDll, of_windows).program(of_windows)
        }),
        no("svchost is Windows', its DLL is not", || {
            Scene::hosted("Contoso").file(Purpose::ServiceDll, |_| {}).program(of_windows)
        }),
        no("a shell of Windows", || {
            Scene::service("x").image(r"C:\Windows\System32\cmd.exe /c start x").program(of_windows)
        }),
        no("a part of Windows under another name", || {
            Scene::service("x").image(r"C:\Windows\System32\x.exe").program(|file| {
                of_windows(file);
                named(file, "cmd.exe");
            })
        }),
        no("a part of Windows elsewhere", || Scene::service("x").program(of_windows)),
        unknown("no catalogs in the evidence", || {
            Scene::service("x")
                .image(r"C:\Windows\System32\x.exe")
                .program(|file| file.signature = Signature::unknown("no catalogs"))
        }),
    ],
};

/// The file that says most (the DLL before its host), where every file of the service is there and fits, none is on a list of bad
/// ones, and no command runs other code.
fn vouched<'a>(
    scope: &Scope<'a>,
    fits: impl Fn(&ProgramFile) -> bool,
) -> Option<(&'a Purpose, &'a ProgramFile)> {
    let service = scope.service;
    let commands = [&service.image, &service.failure_command, &service.wrapped];
    if commands.into_iter().flatten().any(is_lolbin) {
        return None;
    }
    let bad = [KnownList::KnownBad, KnownList::MaliciousDriver, KnownList::VulnerableDriver];
    let mut told = None;
    for (purpose, file) in scope.files() {
        let is_listed = file.listed.iter().any(|one| bad.contains(&one.list));
        if file.state != FileState::Present || is_listed || !fits(file) {
            return None;
        }
        if told.is_none() || *purpose == Purpose::ServiceDll {
            told = Some((purpose, file));
        }
    }
    let has_dll = scope.file(&Purpose::ServiceDll).is_some();
    let is_host = service.image.as_ref().is_some_and(|image| image.leaf() == "svchost.exe");
    told.filter(|_| has_dll || service.dll.is_none() && !is_host)
}

/// Whether the signer's name and a folder's below Program Files have a word in common.
fn is_in_signers_folder(file: &ProgramFile) -> bool {
    let path = ImagePath::parse(&format!("\"{}\"", file.path));
    if class_of(&path) != Class::ProgramFiles {
        return false;
    }
    let Some(vendor) = path.normalized.split('\\').nth(2) else { return false };
    let signer = file.signature.signer().unwrap_or_default().to_lowercase();
    let signer: Vec<&str> = words(&signer).collect();
    words(vendor).any(|word| signer.contains(&word))
}

/// The words of a name that tell vendors apart.
fn words(name: &str) -> impl Iterator<Item = &str> {
    const EVERYBODYS: [&str; 12] = [
        "corp",
        "corporation",
        "gmbh",
        "inc",
        "international",
        "limited",
        "llc",
        "ltd",
        "software",
        "systems",
        "technologies",
        "the",
    ];
    name.split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().count() >= 2 && !EVERYBODYS.contains(word))
}

/// Whether a file lies below the Windows folder, where services of Windows have theirs, under the name it was made with.
fn is_in_its_place(file: &ProgramFile) -> bool {
    let path = ImagePath::parse(&format!("\"{}\"", file.path));
    let in_place = matches!(class_of(&path), Class::System | Class::Drivers | Class::BelowWindows);
    let version = file.executable().and_then(|image| image.version.as_ref());
    let original = version.and_then(|version| version.original_name.as_deref());
    let is_named = original.is_none_or(|original| {
        let original = original.trim().to_lowercase();
        let original = original.strip_suffix(".mui").unwrap_or(&original);
        same_name(original, image_path::leaf(&file.path))
    });
    in_place && is_named
}

/// Whether every file of it has been on the volume for long before the evidence ends, by times that programs cannot set.
fn all_old(scope: &Scope<'_>) -> bool {
    let Some(end) = scope.host.coverage.newest() else { return false };
    let is_old = |file: &ProgramFile| {
        let times = file.record.as_ref().map(|record| &record.metadata.times);
        let kept = times
            .into_iter()
            .flatten()
            .filter(|times| matches!(times.source, TimeSource::FileName(_)));
        let born = kept.filter_map(|times| times.created).max();
        born.is_some_and(|born| end.duration_since(born) >= OLD)
    };
    scope.files().all(|(_, file)| is_old(file))
}

fn of_windows(file: &mut ProgramFile) {
    file.signature.status = SignatureStatus::ValidCatalog;
    file.signature.is_windows = true;
    file.signature.is_microsoft = true;
}

fn named(file: &mut ProgramFile, name: &str) {
    let image = file.content.as_mut().and_then(|content| content.executable.as_mut());
    let original_name = Some(name.to_owned());
    let version = Some(VersionResource { original_name, ..VersionResource::default() });
    if let Some(image) = image {
        image.version = version;
    }
}

fn vulnerable() -> ListMatch {
    ListMatch {
        list: KnownList::VulnerableDriver,
        source: "LOLDrivers".to_owned(),
        by: "sha256".to_owned(),
        remark: String::new(),
    }
}
