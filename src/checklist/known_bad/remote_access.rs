//! Remote management and remote access products.

use crate::checklist::basis::COMMAND;
use crate::checklist::knowledge::rmm;
use crate::checklist::known_good::Maker;
use crate::checklist::place::{Class, class_of};
use crate::checklist::staging::{half_read, no, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::subject::{image, name_citation};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, Scope, technique};
use crate::host::ImagePath;
use crate::host::program_file::{Purpose, SignatureStatus};

pub(super) const REMOTE_ACCESS: Indicator = Indicator {
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
    check: &|scope| {
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
        if is_under_another_name(scope, product, one.path) {
            because = format!("{because}, under a name that does not say so");
            weight += 8;
        }
        let file = scope.file(&Purpose::Image);
        if Maker::of(file) == Maker::Nobody {
            because = format!("{because}; nobody known signed its program");
            weight += 8;
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
        yes("AnyDesk as somebody else", || {
            Scene::service("WinHelpSvc")
                .text("DisplayName", "Windows Help Service")
                .image(r#""C:\Program Files\Common Files\AnyDesk.exe" --service"#)
        }),
        yes("a program called TeamViewer's that nobody signed", || {
            Scene::service("TeamViewer")
                .image(r#""C:\Program Files\TeamViewer\TeamViewer_Service.exe""#)
                .program(|file| file.signature.status = SignatureStatus::Unsigned)
        }),
        no("Remote Desktop of Windows", || {
            Scene::hosted("TermService")
                .text("Parameters\\ServiceDll", r"%SystemRoot%\System32\termsrv.dll")
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};

const REMOTE_ACCESS_WEIGHT: i16 = 8;

/// Whether neither the service's names nor its folder speak of the product, nor of its program.
fn is_under_another_name(scope: &Scope<'_>, product: &str, image: &ImagePath) -> bool {
    let word = |text: &str| -> String {
        let first = text.split(|c: char| !c.is_alphanumeric()).find(|word| word.len() >= 4);
        first.unwrap_or_default().to_lowercase()
    };
    let names = [word(product), word(image.leaf().trim_end_matches(".exe"))];
    let display = scope.service.display_name.as_deref().unwrap_or_default();
    let shown = format!("{} {display} {}", scope.service.name, image.folder()).to_lowercase();
    // By a name of the service it is known anyway; too short a word says nothing.
    rmm::product(&scope.service.name, scope.service.display_name.as_deref(), "").is_none()
        && !names.iter().any(|name| name.is_empty() || shown.contains(name))
}

/// The remote access product that a service is.
fn product_of(service: &crate::host::Service) -> Option<&'static str> {
    let leaf = service.image.as_ref().map_or("", ImagePath::leaf);
    rmm::product(&service.name, service.display_name.as_deref(), leaf)
}
