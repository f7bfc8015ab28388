//! Display names and descriptions that nobody cared to give.

use super::{VERIFY_HOST, VERIFY_KEY};
use crate::checklist::basis::{HIVE, MEASURED};
use crate::checklist::known_good::{is_as_shipped, is_laid_down};
use crate::checklist::staging::{no, yes};
use crate::checklist::story::clip;
use crate::checklist::subject::{is_per_user, is_win32};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, Scope, technique};
use crate::text;

/// Whether it is a program of its own whose key may be judged by what it lacks: no driver, no per-user
/// service, nothing Windows brings. Where `is_new_program` is content with the name, program and DLL have to be
/// Windows' here, and a key without `Type` counts unless its file is a driver's.
fn is_foreign_program(scope: &Scope<'_>) -> bool {
    is_win32(scope) && !is_per_user(scope) && !is_as_shipped(scope) && !is_laid_down(scope)
}

pub(super) const NO_DISPLAY_NAME: Indicator = Indicator {
    id: "N03",
    family: Family::Q1,
    checklist: Question::What,
    question: "Is there no display name, or only the key's name again?",
    why: "sc.exe and the tools of intruders leave the display name out or repeat the name; setup programs give one \
          for people.",
    innocent: "Twenty-three of 3,202 real services do without, among them Dropbox and in-house software.",
    verify: &[VERIFY_KEY],
    attack: &[technique("T1036.004")],
    weight: 5,
    hard: false,
    needs: &[HIVE],
    sources: &[MEASURED],
    since: "0.1.0",
    check: &|scope| {
        let config = scope.config()?;
        if !is_foreign_program(scope) {
            return None;
        }
        let because = match config.display_name.as_deref().map(str::trim) {
            None | Some("") => "There is no DisplayName.".to_owned(),
            Some(display) if text::same_name(display, &config.name) => {
                format!("DisplayName only repeats the name \"{}\".", clip(display))
            }
            Some(_) => return None,
        };
        Some(Hit::new(because, config.cite("DisplayName")))
    },
    examples: &[
        yes("the name again", || Scene::service("hackervirus").text("DisplayName", "hackervirus")),
        yes("none", || Scene::service("KrbSCM").without("DisplayName")),
        no("a name for people", || Scene::service("Agent")),
        no("a driver", || Scene::driver("afd")),
    ],
};

pub(super) const NO_DESCRIPTION: Indicator = Indicator {
    id: "N04",
    family: Family::Q1,
    checklist: Question::What,
    question: "Is there no description?",
    why: "Six of 1,307 real service programs have none, and three of those were PsExec, F-Response and an updater: \
          tools do not bother.",
    innocent: "In-house services and old updaters; that is why it weighs less than it measures.",
    verify: &[VERIFY_KEY, VERIFY_HOST],
    attack: &[technique("T1543.003")],
    weight: 10,
    hard: false,
    needs: &[HIVE],
    sources: &["Measured: 6 of 1,307 service programs in six hives; capped because vendors differ"],
    since: "0.1.0",
    check: &|scope| {
        let config = scope.config()?;
        let none = config.description.as_deref().is_none_or(|text| text.trim().is_empty());
        (none && is_foreign_program(scope))
            .then(|| Hit::new("There is no Description.", config.citation.clone()))
    },
    examples: &[
        yes("a service made by a tool", || Scene::service("Updater").without("Description")),
        no("a vendor's service", || Scene::service("Agent")),
        no("a driver", || Scene::driver("afd")),
        no("a service of Windows 7 without one", || {
            Scene::service("TrustedInstaller")
                .image(r"%SystemRoot%\servicing\TrustedInstaller.exe")
                .without("Description")
        }),
    ],
};
