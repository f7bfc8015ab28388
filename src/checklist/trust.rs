//! What speaks for a service (B): Windows' own, known agents, and the analyst's approval.
//!
//! B02 of the source table (valid signature, vendor folder, age) needs files; without them a vendor's folder
//! vouches for nothing and has no entry here.

use super::basis::HIVE;
use super::knowledge::agents::AgentKind;
use super::knowledge::{responders, stock};
use super::known_good::{agent, is_laid_down, is_stock};
use super::staging::{audited, no, unknown, yes};
use super::ticket::{Made, made};
use super::{Family, Hit, Indicator, Need, Policy, Question, Scene, Scope};
use crate::host::config::Data;
use crate::host::{Citation, Origin};

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] =
    &[STOCK, TICKET, LAID_DOWN, AGENT, RESPONDER, APPROVED_ACTOR];

const STOCK: Indicator = Indicator {
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
    check: |scope| {
        let config = scope.config()?;
        let known = stock::service(&scope.service.name)?;
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
        (known.measured && program && library && account).then(|| {
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

const LAID_DOWN: Indicator = Indicator {
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
    check: |scope| {
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

const RESPONDER: Indicator = Indicator {
    id: "B07",
    family: Family::B,
    checklist: Question::What,
    question: "Is it a tool of incident responders, by service and file name?",
    why: "Memory imagers and evidence agents run from desktops and Temp folders as implants do; the case file knows \
          when they were used.",
    innocent: "Intruders rename their drivers too: the hash and the responder's notes decide, not the name.",
    verify: &[
        "Do the responder's notes mention the tool at that time?",
        "Hash the driver and compare it with the tool's release.",
    ],
    attack: &[],
    weight: -15,
    hard: false,
    needs: &[Need::AnyPart(&[Origin::SystemHive, Origin::SystemLog, Origin::SecurityLog])],
    sources: &["Measured: Mnemosyne, F-Response and AccessData's driver in public hives and logs"],
    since: "0.1.0",
    check: |scope| {
        let tool = responders::tool(&scope.service.name, scope.service.image.as_ref()?)?;
        Some(Hit::new(format!("Named as {tool} names its service and file."), witness(scope)?))
    },
    examples: &[
        yes("a memory imager's driver", || {
            Scene::driver("Mnemosyne").image(r"\??\C:\Users\m\Desktop\Mnemosyne.sys")
        }),
        no("its name on another file", || {
            Scene::driver("Mnemosyne").image(r"\??\C:\Users\m\Desktop\x.sys")
        }),
        unknown("nothing to look at", || {
            Scene::driver("Mnemosyne").covered(Origin::SystemHive, crate::host::State::Lost)
        }),
    ],
};

const AGENT: Indicator = Indicator {
    id: "B05",
    family: Family::B,
    checklist: Question::What,
    question: "Is it a known updater, guest agent or deployment tool, by name and full path?",
    why: "These look odd — transient, in ProgramData, created from afar — and are ordinary.",
    innocent: "Name and path can be imitated by an administrator; the signature cannot.",
    verify: &["Check the program's signature.", "Is the product in use on this network?"],
    attack: &[],
    weight: -10,
    hard: false,
    needs: &[Need::AnyPart(&[Origin::SystemHive, Origin::SystemLog, Origin::SecurityLog])],
    sources: &[
        "elastic/detection-rules 55c2bf58-2a39-4c58-a384-c8b1978153c2: exclusions",
        "vendors' documentation",
    ],
    since: "0.1.0",
    check: |scope| {
        let agent = agent(scope)?;
        let kind = match agent.kind {
            AgentKind::Updater => "updater",
            AgentKind::Platform => "platform component",
            AgentKind::Deployment => "deployment tool",
        };
        let because = format!("Known {kind}: {}.", agent.product);
        Some(Hit::new(because, witness(scope)?))
    },
    examples: &[
        yes("Edge's updater", || {
            Scene::service("edgeupdate").image(
                r#""C:\Program Files (x86)\Microsoft\EdgeUpdate\MicrosoftEdgeUpdate.exe" /svc"#,
            )
        }),
        no("the same name from ProgramData", || {
            Scene::service("edgeupdate")
                .image(r"C:\ProgramData\EdgeUpdate\MicrosoftEdgeUpdate.exe /svc")
        }),
        unknown("nothing to look at", || {
            Scene::service("edgeupdate").covered(Origin::SystemHive, crate::host::State::Lost)
        }),
    ],
};

const TICKET: Indicator = Indicator {
    id: "B03",
    family: Family::B,
    checklist: Question::WhoWhen,
    question: "Does a change on your list of approved changes cover it?",
    why: "Somebody announced exactly this change.",
    innocent: "A ticket says what was planned, not what was done: compare program and time.",
    verify: &["Open the ticket and compare service, program, account and time."],
    attack: &[],
    weight: -40,
    hard: false,
    needs: &[Need::Whole(Origin::ChangePolicy)],
    sources: &["docs/approved.md"],
    since: "0.1.0",
    check: |scope| {
        let policy = scope.policy?;
        let last = last_made(scope)?;
        let approval = last.ticket(scope, policy)?;
        let because = format!("Approved: {}.", approval.label());
        Some(Hit::new(because, last.citation(scope)?))
    },
    examples: &[
        yes("a ticket for the install", || {
            Scene::ghost("Agent")
                .policy(policy(
                    "[[change]]\nservice = 'Agent'\nticket = 'C1'\nexpires = 2026-03-31",
                ))
                .event(0, audited("Agent", r"C:\x.exe", 0x51, None))
        }),
        yes("no log of the install; the key's last write counts", || {
            Scene::service("Agent")
                .policy(policy("[[change]]\nservice = 'Agent'\nticket = 'C1'\nto = 2026-03-02"))
        }),
        no("the ticket had expired at the time of the change", || {
            Scene::ghost("Agent")
                .policy(policy(
                    "[[change]]\nservice = 'Agent'\nticket = 'C1'\nexpires = 2026-03-01",
                ))
                .event(0, audited("Agent", r"C:\x.exe", 0x51, None))
        }),
        no("a later install that no ticket covers", || {
            Scene::ghost("Agent")
                .policy(policy("[[change]]\nservice = 'Agent'\nticket = 'C1'\nto = 2026-03-02"))
                .event(0, audited("Agent", r"C:\x.exe", 0x51, None))
                .event(86_400 * 3, audited("Agent", r"C:\y.exe", 0x51, None))
        }),
        unknown("no list was given", || Scene::service("Agent")),
    ],
};

const APPROVED_ACTOR: Indicator = Indicator {
    id: "B06",
    family: Family::B,
    checklist: Question::WhoWhen,
    question: "Did an account or deployment tool on your list create it?",
    why: "You named who deploys software here, and it was them.",
    innocent: "Deployment accounts are what intruders take first: a ticket says more than a name.",
    verify: &["Ask the owner of the account or tool for the job behind this install."],
    attack: &[],
    weight: -10,
    hard: false,
    needs: &[Need::Whole(Origin::ChangePolicy)],
    sources: &["docs/approved.md"],
    since: "0.1.0",
    check: |scope| {
        let policy = scope.policy?;
        let last = last_made(scope)?;
        let approval = last.approved_actor(scope, policy)?;
        let named = approval.account.as_ref().or(approval.path.as_ref())?.as_str();
        let because = format!("`{named}` is approved by {}.", approval.label());
        Some(Hit::new(because, last.citation(scope)?))
    },
    examples: &[
        yes("the deployment account", || {
            Scene::ghost("Agent")
                .policy(policy("[[account]]\naccount = 'CORP\\*'"))
                .event(0, audited("Agent", r"C:\x.exe", 0x51, None))
        }),
        no("somebody else", || {
            Scene::ghost("Agent")
                .policy(policy("[[account]]\naccount = 'CORP\\svc_deploy'"))
                .event(0, audited("Agent", r"C:\x.exe", 0x51, None))
        }),
        unknown("no list was given", || Scene::service("Agent")),
    ],
};

/// The last creation or change that events show; without any, the last write of the key.
fn last_made<'a>(scope: &Scope<'a>) -> Option<Made<'a>> {
    made(scope).pop().or_else(|| {
        let time = Some(scope.config()?.last_write?);
        Some(Made { time, actor: None, sid: None, event: None })
    })
}

/// The value or event that names its program.
fn witness(scope: &Scope<'_>) -> Option<Citation> {
    match scope.config() {
        Some(config) => Some(config.cite("ImagePath")),
        None => made(scope).pop()?.citation(scope),
    }
}

fn policy(text: &str) -> Policy {
    Policy::parse_toml(text).unwrap_or_default()
}
