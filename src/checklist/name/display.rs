//! Display names and descriptions of somebody else: another service's, or a vendor's.

use super::VERIFY_KEY;
use crate::checklist::basis::{COMMAND, MEASURED};
use crate::checklist::knowledge::stock::Comparison;
use crate::checklist::known_good::{self, is_as_shipped, is_laid_down};
use crate::checklist::overview::is_telling;
use crate::checklist::place::{Class, class_of};
use crate::checklist::staging::{half_read, no, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::subject::{image, is_per_user, is_win32, name_citation, own_config};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, Scope, technique};
use crate::text;

/// Whether a 7045 alone makes the service known: its name is then the display name, the key's is not known.
fn is_display_name_only(scope: &Scope<'_>) -> bool {
    let service = scope.service;
    own_config(scope).is_none()
        && service.display_name.as_deref().is_some_and(|name| text::same_name(name, &service.name))
}

/// Whether the program is the one that Windows runs for that service of its own.
fn runs_program_of(scope: &Scope<'_>, owner: &str) -> bool {
    let Some(image) = &scope.service.image else { return false };
    let is_named_so = text::same_name(image.leaf().trim_end_matches(".sys"), owner);
    scope
        .windows()
        .service(owner)
        .is_some_and(|stock| stock.compare_image(image) == Comparison::Same)
        || is_named_so && image.is_below(r"c:\windows\system32\drivers")
}

pub(super) const BORROWED_DISPLAY: Indicator = Indicator {
    id: "N06",
    family: Family::Q1,
    checklist: Question::What,
    question: "Does it carry the display name or description of another service?",
    why: "services.msc shows the display name: a second Windows Update in the list is taken for the first.",
    innocent: "Between versions Windows renamed keys and kept display names (TimeBroker, TimeBrokerSvc).",
    verify: &[
        "Compare with the service whose name it is: program, DLL, account, value order",
        VERIFY_KEY,
    ],
    attack: &[technique("T1036.004")],
    weight: 15,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED],
    since: "0.1.0",
    check: &|scope| {
        let service = scope.service;
        if known_good::stock(scope).is_some() || is_per_user(scope) || is_laid_down(scope) {
            return None;
        }
        let display = service.display_name.as_deref().unwrap_or_default();
        let owners = scope.windows().by_display(display);
        if is_display_name_only(scope) && owners.iter().any(|owner| runs_program_of(scope, owner)) {
            return None;
        }
        if let Some(owner) = owners.iter().find(|owner| !related(&service.name, owner)) {
            let because = format!("DisplayName \"{}\" is that of Windows' {owner}.", clip(display));
            return Some(Hit::new(because, name_citation(scope)?));
        }
        let config = scope.config()?;
        let description = config.description.as_deref().unwrap_or_default().trim();
        if !is_telling(description) || !is_win32(scope) {
            return None;
        }
        let mut owners = scope.overview.described(description);
        let owner = owners.find(|other| !related(&service.name, &other.name))?;
        let because = format!("Description \"{}\" is that of {}.", clip(description), owner.name);
        Some(Hit::new(because, config.cite("Description")))
    },
    examples: &[
        yes("Windows Update's display name", || {
            Scene::service("wuausvc").text("DisplayName", "Windows Update")
        }),
        yes("a description copied from the spooler", || {
            Scene::service("PrintHelp")
                .text("Description", "Loads files to memory for later printing")
                .beside(
                    Scene::service("Spooler")
                        .image(r"%SystemRoot%\System32\spoolsv.exe")
                        .text("Description", "Loads files to memory for later printing"),
                )
        }),
        no("the service itself", || {
            Scene::hosted("wuauserv").text("DisplayName", "Windows Update")
        }),
        no("a name of its own", || Scene::service("Agent")),
        unknown("part of the hive is unreadable", half_read),
    ],
};

/// Whether one name begins with the other: a key that was renamed between versions.
fn related(left: &str, right: &str) -> bool {
    let (left, right) = (text::fold(left), text::fold(right));
    left.starts_with(&right) || right.starts_with(&left)
}

pub(super) const VENDOR: Indicator = Indicator {
    id: "N10",
    family: Family::Q1,
    checklist: Question::What,
    question: "Does the display name claim a vendor whose folders the program is not in?",
    why: "\"Windows Service Update\" or \"Google Update\" from a folder of its own is a disguise: those vendors install \
          into Windows or Program Files.",
    innocent: "Products for Windows or Microsoft servers that begin with the name of what they serve.",
    verify: &["Signature of the program: is it the vendor's?", VERIFY_KEY],
    attack: &[technique("T1036.005"), technique("T1036.004")],
    weight: 15,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED, "SigmaHQ 8c15dd74-9570-4f48-80b2-29996fd91ee6 (Goofy Guineapig)"],
    since: "0.1.0",
    check: &|scope| {
        const VENDORS: [&str; 7] =
            ["microsoft ", "windows ", "google ", "adobe ", "mozilla ", "intel ", "nvidia "];
        if !is_win32(scope) || is_as_shipped(scope) {
            return None;
        }
        let one = image(scope)?;
        let display = scope.service.display_name.as_deref().unwrap_or_default();
        let lower = format!("{} ", display.trim().to_lowercase());
        let vendor = VENDORS.into_iter().find(|vendor| lower.starts_with(vendor))?.trim();
        let inside = matches!(
            class_of(one.path),
            Class::ProgramFiles | Class::System | Class::Drivers | Class::BelowWindows
        );
        let own = one.path.normalized.contains(&format!("\\{vendor}"));
        let agent = known_good::agent(scope).is_some();
        if inside
            || agent
            || own && matches!(class_of(one.path), Class::OwnFolder | Class::ProgramData)
        {
            return None;
        }
        let because = format!(
            "DisplayName \"{}\" claims a vendor in whose folders \"{}\" does not lie.",
            clip(display),
            clip(&one.path.expanded)
        );
        Some(Hit::new(because, one.citation).and(name_citation(scope)?))
    },
    examples: &[
        yes("Windows in ProgramData", || {
            Scene::service("WinSvcUpdate")
                .text("DisplayName", "Windows Service Update")
                .image(r"C:\ProgramData\svchost.exe")
        }),
        no("Google Update in Program Files", || {
            Scene::service("gupdate")
                .text("DisplayName", "Google Update Service (gupdate)")
                .image(r#""C:\Program Files (x86)\Google\Update\GoogleUpdate.exe" /svc"#)
        }),
        no("Azure's guest agent in its folder", || {
            Scene::service("WindowsAzureGuestAgent")
                .text("DisplayName", "Windows Azure Guest Agent")
                .image(r"C:\WindowsAzure\GuestAgent_2.7.1\GuestAgent\WindowsAzureGuestAgent.exe")
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};
