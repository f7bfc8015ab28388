//! Registry types of its values.

use crate::checklist::basis::HIVE;
use crate::checklist::known_good::stock;
use crate::checklist::staging::{no, yes};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};
use crate::host::config::Data;

pub(super) const PATH_TYPE: Indicator = Indicator {
    id: "A07",
    family: Family::Q4,
    checklist: Question::Runs,
    question: "Is the ImagePath of a stock service a plain string (REG_SZ)?",
    why: "Windows writes REG_EXPAND_SZ; reg.exe writes REG_SZ unless told otherwise: somebody set the path by hand.",
    innocent: "A repair by hand, or a product that took over the name.",
    verify: &[r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name> /v ImagePath: the type"],
    attack: &[technique("T1574.011")],
    weight: 8,
    hard: false,
    needs: &[HIVE],
    sources: &["Measured: REG_SZ 12 times in 3,202 services, third-party every time"],
    since: "0.1.0",
    check: &|scope| {
        let config = scope.config()?;
        let known = stock(scope).filter(|known| known.measured)?;
        let value = config.value("ImagePath").filter(|value| value.kind == 1)?;
        // Third parties' services of the measured hosts are not stock; Windows NT 4 and 2003 wrote both types.
        let recent =
            known.builds().into_iter().any(|build| build >= 7600) && scope.host.is_vista_or_later();
        let Data::Text(path) = &value.data else { return None };
        recent.then(|| Hit::new(format!("ImagePath `{path}` is REG_SZ."), config.cite("ImagePath")))
    },
    examples: &[
        yes("reg add to a stock service", || {
            Scene::service("Spooler")
                .text("ImagePath", r"C:\Windows\System32\spoolsv.exe")
                .windows("Windows 10 Pro", "19045.3570")
        }),
        no("Windows Server 2003, which wrote both types", || {
            Scene::driver("AFD").text("ImagePath", r"\SystemRoot\System32\drivers\afd.sys")
        }),
        no("as Windows writes it", || {
            Scene::service("Spooler").image(r"%SystemRoot%\System32\spoolsv.exe")
        }),
        no("a vendor's service", || Scene::service("Agent").text("ImagePath", r"C:\App\a.exe")),
    ],
};
