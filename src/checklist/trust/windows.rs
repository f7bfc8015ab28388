//! Services of Windows itself.

use crate::checklist::basis::HIVE;
use crate::checklist::change::was_exchanged;
use crate::checklist::knowledge::stock;
use crate::checklist::known_good::{self, is_laid_down, is_stock};
use crate::checklist::library::loads_foreign;
use crate::checklist::staging::{no, set, yes};
use crate::checklist::{Family, Hit, Indicator, Question, Scene};
use crate::host::config::Data;

pub(super) const STOCK: Indicator = Indicator {
    id: "B01",
    family: Family::B,
    checklist: Question::What,
    question: "Is it exactly what Windows ships: name, program, DLL and account?",
    why: "The four values that decide what runs and as whom are those of a clean installation.",
    innocent: "The file itself may have been replaced; that is another question, and the file's hash answers it.",
    verify: &[
        "Compare the key with a clean host of the same build.",
        "Check the program's and the DLL's signature.",
    ],
    attack: &[],
    weight: -20,
    hard: false,
    needs: &[HIVE],
    sources: &[
        "Values measured in hives of Windows 7 to 10; names of other versions from Microsoft documentation",
    ],
    since: "0.1.0",
    check: &|scope| {
        let config = scope.config()?;
        let known = known_good::stock(scope)?;
        let image = scope.service.image.as_ref();
        let same = |comparison| comparison == stock::Comparison::Same;
        // A per-user instance has what its template has, but no DLL of its own.
        let program = match image {
            Some(image) => same(known.compare_image(image)) && shares_arguments(known, image),
            None => known.images().next().is_none(),
        };
        let library = match &scope.service.dll {
            Some(dll) => same(known.compare_dll(dll)),
            None => known.dlls().next().is_none() || scope.service.is_user_instance(),
        };
        let accounts = known.accounts();
        let account = match config.object_name.as_deref() {
            Some(name) => accounts.is_empty() || accounts.contains(&stock::account(name)),
            None => true,
        };
        let is_as_shipped = known.measured && program && library && account;
        let is_bent = || loads_foreign(scope) || was_exchanged(scope);
        (is_as_shipped && !is_bent()).then(|| {
            Hit::new(
                "Name, program, DLL and account are those of Windows.",
                config.citation.clone(),
            )
        })
    },
    examples: &[
        yes("the print spooler", || {
            Scene::service("Spooler").image(r"%SystemRoot%\System32\spoolsv.exe")
        }),
        no("the print spooler with another program", || {
            Scene::service("Spooler").image(r"C:\Windows\System32\cmd.exe /c x")
        }),
        no("the print spooler as somebody else", || {
            Scene::service("Spooler")
                .image(r"%SystemRoot%\System32\spoolsv.exe")
                .text("ObjectName", r"CORP\anna")
        }),
        no("the print spooler, which for a while ran something else", || {
            let services = r"C:\Windows\System32\services.exe";
            Scene::service("Spooler")
                .image(r"%SystemRoot%\System32\spoolsv.exe")
                .event(0, set("Spooler", "ImagePath", r"C:\Windows\Temp\a.exe", services))
        }),
        no("the print spooler, with counters of a stranger", || {
            Scene::service("Spooler")
                .image(r"%SystemRoot%\System32\spoolsv.exe")
                .text("Performance\\Library", r"C:\Users\Public\counters.dll")
        }),
        no("remote desktop with another DLL", || {
            Scene::hosted("TermService")
                .image(r"%SystemRoot%\System32\svchost.exe -k NetworkService")
                .text("ObjectName", r"NT Authority\NetworkService")
                .value(
                    r"Parameters\ServiceDll",
                    2,
                    Data::Text(r"C:\Program Files\RDP Wrapper\rdpwrap.dll".to_owned()),
                )
        }),
        no("a vendor's service", || Scene::service("Agent")),
    ],
};

/// svchost.exe must host the group that Windows gives it; other programs may vary their arguments.
fn shares_arguments(known: &stock::Stock, image: &crate::host::ImagePath) -> bool {
    match image.svchost_group() {
        Some(group) => known.groups().contains(&group),
        None => {
            image.leaf() != "svchost.exe" && {
                let own = |one: &crate::host::ImagePath| {
                    one.leaf() == image.leaf()
                        && one.arguments.eq_ignore_ascii_case(&image.arguments)
                };
                image.arguments.is_empty() || known.images().any(own)
            }
        }
    }
}

pub(super) const LAID_DOWN: Indicator = Indicator {
    id: "B04",
    family: Family::B,
    checklist: Question::WhoWhen,
    question: "Was its key laid down by the setup of Windows (alphabetical values, program in System32)?",
    why: "Setup and servicing write keys from a sorted template; CreateService does not. So look services of a \
          Windows that was not measured.",
    innocent: "A registry import can imitate the order.",
    verify: &[
        "Registry Explorer: values of the key unsorted, in on-disk order",
        "Check the DLL's signature.",
    ],
    attack: &[],
    weight: -6,
    hard: false,
    needs: &[HIVE],
    sources: &[
        "Measured on six hives: a key keeps the order in which its values were first written",
    ],
    since: "0.1.0",
    check: &|scope| {
        let config = scope.config()?;
        (is_laid_down(scope) && !is_stock(scope)).then(|| {
            let because =
                "Values in alphabetical order and a program in System32: laid down by setup.";
            Hit::new(because, config.citation.clone())
        })
    },
    examples: &[
        yes("a svchost service of a later Windows", || Scene::hosted("NewInboxSvc")),
        no("a svchost service made by CreateService", || {
            Scene::hosted("W64Time").order(crate::host::config::ValueOrder::CreateService)
        }),
        no("a program elsewhere", || Scene::hosted("Odd").image(r"C:\ProgramData\x.exe")),
    ],
};
