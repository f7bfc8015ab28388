//! As whom it runs.

use std::collections::BTreeSet;

use super::difference;
use crate::checklist::basis::HIVE;
use crate::checklist::knowledge::stock::{self, Extent};
use crate::checklist::known_good::{self, agent, compared_with, is_new_program, is_stock};
use crate::checklist::staging::{no, yes};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};
use crate::host::config::{Data, Epoch};

pub(super) const RAISED: Indicator = Indicator {
    id: "A01",
    family: Family::Q4,
    checklist: Question::Account,
    question: "Was its account raised to LocalSystem?",
    why: "Windows gives this service a restricted account; as LocalSystem whatever it loads owns the host.",
    innocent: "Some vendors' instructions tell administrators to do it.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name> /v ObjectName",
        "Compare with ControlSet002, RegBack and a clean host.",
    ],
    attack: &[technique("T1543.003")],
    weight: 20,
    hard: false,
    needs: &[HIVE],
    sources: &["ObjectName of stock services in hives of Windows 7 to 10"],
    since: "0.1.0",
    check: &|scope| {
        let config = scope.config()?;
        let now = config.object_name.as_deref()?;
        if stock::account(now) != "localsystem" {
            return None;
        }
        if is_stock(scope)
            && let Some(known) = known_good::stock(scope).filter(|known| known.measured)
        {
            // Few services had an account of their own before Server 2003, and more since Vista.
            let accounts = match (scope.host.is_before_vista(), scope.host.build_number()) {
                (true, Some(build)) => known.accounts_of(|one| one == build),
                (true, None) => BTreeSet::new(),
                (false, _) => known.accounts_of(|one| one >= VISTA),
            };
            if !accounts.is_empty() && !accounts.contains("localsystem") {
                let usual = accounts.into_iter().next().unwrap_or_default();
                let (weight, remark) = compared_with(scope, RAISED.weight, Extent::Values);
                let because = format!("Runs as {now}; Windows runs it as {usual}{remark}.");
                return Some(Hit::new(because, config.cite("ObjectName")).weighing(weight));
            }
        }
        let before = difference(scope, "ObjectName", |before, _| {
            before.is_some_and(|before| stock::account(before) != "localsystem")
        })?;
        let because = format!(
            "Runs as {now}; in {} it ran as {}.",
            before.against,
            before.before.as_deref().unwrap_or_default()
        );
        let mut hit = Hit::new(because, config.cite("ObjectName"));
        if let Some(citation) = &before.citation {
            hit = hit.and(citation.clone());
        }
        Some(hit)
    },
    examples: &[
        yes("the DNS client as LocalSystem", || {
            Scene::hosted("Dnscache")
                .image(r"%SystemRoot%\system32\svchost.exe -k NetworkService -p")
                .text("ObjectName", "LocalSystem")
        }),
        yes("another account in the last known good control set", || {
            Scene::service("Agent").before(Epoch::ControlSet(2), |config| {
                for value in &mut config.values {
                    if value.name == "ObjectName" {
                        value.data = Data::Text(r"NT AUTHORITY\LocalService".to_owned());
                    }
                }
            })
        }),
        no("the DNS client as Windows has it", || {
            Scene::hosted("Dnscache")
                .image(r"%SystemRoot%\system32\svchost.exe -k NetworkService -p")
                .text("ObjectName", r"NT AUTHORITY\NetworkService")
        }),
        no("the time service of Windows XP, where it was LocalSystem", || {
            Scene::hosted("W32Time")
                .windows("Microsoft Windows XP", "2600.5512")
                .text("ObjectName", "LocalSystem")
        }),
        no("a vendor's service that always was LocalSystem", || Scene::service("Agent")),
    ],
};

/// The first build of Windows Vista's line.
const VISTA: u32 = 6_000;

pub(super) const NAMED_USER: Indicator = Indicator {
    id: "A02",
    family: Family::Q4,
    checklist: Question::Account,
    question: "Does it run as a user's account?",
    why: "The account's password lies in the LSA secrets, and the service acts in that name on the network.",
    innocent: "On servers, databases and backup run as accounts of their own; on workstations hardly anything does.",
    verify: &[
        "Which groups is the account in, and who knows its password?",
        "EvtxECmd -f Security.evtx --inc 4624: LogonType 5 of that account, since when",
    ],
    attack: &[technique("T1078"), technique("T1543.003")],
    weight: 6,
    hard: false,
    needs: &[HIVE],
    sources: &["Measured: no named account in 3,202 services of six workstations"],
    since: "0.1.0",
    check: &|scope| {
        let config = scope.config()?;
        let name = config.object_name.as_deref().map(str::trim).filter(|name| !name.is_empty())?;
        let kind = config.service_type?;
        if !kind.is_win32() || is_built_in(name) {
            return None;
        }
        let server = scope.host.is_server();
        let user = user_part(name);
        let administrator = user.eq_ignore_ascii_case("Administrator");
        let weight = match (administrator, server) {
            (true, _) => 10,
            (false, true) => 3,
            (false, false) => NAMED_USER.weight,
        };
        let hit = Hit::new(format!("Runs as {name}."), config.cite("ObjectName"));
        Some(hit.weighing(weight))
    },
    examples: &[
        yes("the domain's administrator", || {
            Scene::service("Agent").text("ObjectName", r"CORP\Administrator")
        }),
        yes("a local user", || Scene::service("Agent").text("ObjectName", r".\backup")),
        no("LocalSystem", || Scene::service("Agent")),
        no("a virtual account", || Scene::service("Agent").text("ObjectName", r"NT SERVICE\Agent")),
        no("a managed account", || Scene::service("Agent").text("ObjectName", r"CORP\gmsa-sql$")),
        no("a driver's object name", || {
            Scene::driver("WUDFRd").text("ObjectName", r"\Driver\WudfRd")
        }),
    ],
};

/// `CORP\anna` and `anna@corp.local` are both anna.
fn user_part(name: &str) -> &str {
    match name.rsplit_once('\\') {
        Some((_, user)) => user,
        None => name.split_once('@').map_or(name, |(user, _)| user),
    }
}

/// Accounts without a password that anybody knows: Windows' own, virtual and managed ones.
fn is_built_in(name: &str) -> bool {
    let lower = name.to_lowercase();
    let built_in = ["localsystem", "localservice", "networkservice"];
    built_in.contains(&stock::account(name).as_str())
        || ["nt authority\\", "nt service\\", "\\driver\\", "\\filesystem\\", "iis apppool\\"]
            .iter()
            .any(|prefix| lower.starts_with(prefix))
        || lower.ends_with('$')
}

pub(super) const SYSTEM_ELSEWHERE: Indicator = Indicator {
    id: "A03",
    family: Family::Q4,
    checklist: Question::Account,
    question: "Does it run as LocalSystem from outside the folders that installers use?",
    why: "Whoever may write to that folder is LocalSystem.",
    innocent: "Home-grown services in a folder of their own.",
    verify: &["icacls on the program's folder (live), or its descriptor in the image"],
    attack: &[technique("T1543.003")],
    weight: 4,
    hard: false,
    needs: &[HIVE],
    sources: &[
        "A weight by judgement: no count was made of services outside these folders as LocalSystem",
    ],
    since: "0.1.0",
    check: &|scope| {
        let config = scope.config()?;
        let image = scope.service.image.as_ref()?;
        let system =
            config.object_name.as_deref().is_none_or(|name| stock::account(name) == "localsystem");
        let usual = [r"c:\windows", r"c:\program files", r"c:\program files (x86)"];
        let fits = system
            && is_new_program(scope)
            && agent(scope).is_none()
            && !usual.iter().any(|folder| image.is_below(folder));
        fits.then(|| {
            let because = format!("LocalSystem runs `{}`.", image.normalized);
            Hit::new(because, config.cite("ImagePath")).and(config.cite("ObjectName"))
        })
    },
    examples: &[
        yes("in a folder of its own", || Scene::service("Agent").image(r"C:\App\agent.exe")),
        no("in Program Files", || Scene::service("Agent")),
        no("as a restricted account", || {
            Scene::service("Agent")
                .image(r"C:\App\agent.exe")
                .text("ObjectName", r"NT AUTHORITY\LocalService")
        }),
    ],
};
