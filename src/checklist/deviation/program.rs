//! Another program or DLL than on the baseline.

use super::{BASELINE, SOURCE, VERIFY_DIFF, VERIFY_LINE, compared};
use crate::checklist::baseline::{Row, is_same_program};
use crate::checklist::basis::HIVE;
use crate::checklist::known_good::is_as_shipped;
use crate::checklist::staging::{GOLD_BUILD, gold, no, on_gold_build, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};
use crate::host::config::Data;
use crate::host::image_path::leaf;

pub(super) const OTHER_PROGRAM: Indicator = Indicator {
    id: "G01",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does it run another program or DLL than on your baseline?",
    why: "On every host of this build that you called good the service runs something else: taking over a service that \
          everybody knows is how a change hides among the ordinary.",
    innocent: "A newer or older release that was renamed or installed elsewhere; one signed by the same company weighs less.",
    verify: &[VERIFY_DIFF, VERIFY_LINE],
    attack: &[technique("T1574.011"), technique("T1543.003")],
    weight: 20,
    hard: false,
    needs: &[HIVE, BASELINE],
    sources: &[SOURCE, "detection.md C.4 R03: same key name, another image than the majority"],
    since: "0.1.0",
    check: &|scope| {
        let (here, rows) = compared(scope)?;
        if is_as_shipped(scope) {
            return None;
        }
        let mut least: Option<(Difference, String)> = None;
        for place in rows {
            let difference = difference(place.row, &here)?;
            if least.as_ref().is_none_or(|(least, _)| difference.weight < least.weight) {
                least = Some((difference, place.label()));
            }
        }
        let (Difference { what, weight, value }, place) = least?;
        let citation = scope.config()?.cite(value);
        Some(Hit::new(format!("{what} ({place})."), citation).weighing(weight))
    },
    examples: &[
        yes("a service DLL of the same build, elsewhere", || {
            on_gold_build(Scene::hosted("Vendor").value(
                "Parameters\\ServiceDll",
                2,
                Data::Text(r"C:\ProgramData\vendor.dll".to_owned()),
            ))
            .baseline(gold(vec![Scene::hosted("Vendor")], 0))
        }),
        yes("another program", || {
            on_gold_build(Scene::service("Agent").image(r"C:\Vendor\x.exe"))
                .baseline(gold(vec![Scene::service("Agent")], 0))
        }),
        no("another version folder", || {
            let versioned = |version: &str| {
                Scene::service("Agent")
                    .image(&format!(r"C:\Program Files\Contoso\{version}\agent.exe"))
            };
            on_gold_build(versioned("1.2.4")).baseline(gold(vec![versioned("1.2.3")], 0))
        }),
        no("one of two variants of the baseline", || {
            let other = || Scene::service("Agent").image(r"C:\Vendor\x.exe");
            on_gold_build(other()).baseline(gold(vec![Scene::service("Agent"), other()], 0))
        }),
        unknown("the baseline is of another Windows", || {
            Scene::service("Agent")
                .image(r"C:\Vendor\x.exe")
                .windows("Windows 7 Professional", "7601")
                .baseline(gold(vec![Scene::service("Agent")], 0))
        }),
        unknown("no baseline was given", || {
            Scene::service("Agent").windows("Windows 10 Pro", GOLD_BUILD)
        }),
    ],
};

/// What differs most between two rows.
struct Difference {
    what: String,
    weight: i16,
    /// The value to look at.
    value: &'static str,
}

/// Another folder of Windows is no difference: features move files there.
const WINDOWS: &str = r"c:\windows\";

/// What differs most; absent where nothing worth a word does.
fn difference(gold: &Row, here: &Row) -> Option<Difference> {
    if is_same_program(gold, here) {
        return None;
    }
    let by_same = |(gold, here): (&Option<String>, &Option<String>)| gold.is_some() && gold == here;
    let files = [
        (&gold.image_file.signer, &here.image_file.signer),
        (&gold.dll_file.signer, &here.dll_file.signer),
    ];
    let [image_by_same, dll_by_same] = files.map(by_same);
    let parts = [
        path(gold.image.as_deref(), here.image.as_deref(), image_by_same).map(|(what, weight)| {
            Difference { what: format!("Runs {what}"), weight, value: "ImagePath" }
        }),
        path(gold.dll.as_deref(), here.dll.as_deref(), dll_by_same).map(|(what, weight)| {
            Difference { what: format!("Loads {what}"), weight, value: "Parameters\\ServiceDll" }
        }),
        (here.wrapped.is_some() && gold.wrapped != here.wrapped).then(|| Difference {
            what: format!(
                "Behind its wrapper runs \"{}\", on the baseline \"{}\"",
                clip(here.wrapped.as_deref().unwrap_or_default()),
                clip(gold.wrapped.as_deref().unwrap_or("nothing"))
            ),
            weight: 20,
            value: "Parameters\\Application",
        }),
        (gold.arguments != here.arguments).then(|| Difference {
            what: format!(
                "Its arguments are \"{}\", on the baseline \"{}\"",
                clip(&here.arguments),
                clip(&gold.arguments)
            ),
            weight: 8,
            value: "ImagePath",
        }),
        here.load_points.iter().find(|one| !gold.load_points.contains(one)).map(|one| Difference {
            what: format!("Makes Windows load \"{}\", not so on the baseline", clip(one)),
            weight: 15,
            value: "",
        }),
    ];
    parts
        .into_iter()
        .flatten()
        .reduce(|most, one| if one.weight > most.weight { one } else { most })
}

/// Both folders for programs as one: an update from 32 to 64 bits moves between them.
fn moved(path: &str) -> String {
    path.replacen(r"c:\program files (x86)\", r"c:\program files\", 1)
}

/// How two paths differ. One that is missing here loads nothing.
fn path(gold: Option<&str>, here: Option<&str>, is_by_same: bool) -> Option<(String, i16)> {
    let here = here.filter(|here| Some(*here) != gold)?;
    let weight = match gold {
        _ if is_by_same => 6,
        Some(gold) if leaf(gold) != leaf(here) => 20,
        Some(gold) if gold.starts_with(WINDOWS) && here.starts_with(WINDOWS) => return None,
        Some(gold) if moved(gold) == moved(here) => return None,
        Some(_) => 15,
        None => 20,
    };
    let known = gold.map_or_else(|| "nothing".to_owned(), |gold| format!("\"{}\"", clip(gold)));
    Some((format!("\"{}\", on the baseline {known}", clip(here)), weight))
}
