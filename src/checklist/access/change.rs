//! Events in which access rules were set.

use crate::checklist::basis::CHANGE_LOGS;
use crate::checklist::staging::{command, no, unknown, yes};
use crate::checklist::story::{clip, commands, line, remarks, tampered};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};
use crate::host::event::{Action, Subject};
use crate::host::service::SERVICE_CONTROL_MANAGER;
use crate::host::tampering::TamperKind;
use crate::host::{Origin, Role};
use crate::time::format_short;

pub(super) const SET_BY_COMMAND: Indicator = Indicator {
    id: "S05",
    family: Family::D,
    checklist: Question::WhoWhen,
    question: "Do events show its access rules being set?",
    why: "Hardly anybody sets the descriptor of a service by hand, except to hide it or to open it.",
    innocent: "Hardening scripts and monitoring setups use sc sdset.",
    verify: &[
        "EvtxECmd --inc 4688,4670: the descriptor after `sdset`",
        "ConvertFrom-SddlString puts it into words",
    ],
    attack: &[technique("T1564"), technique("T1543.003")],
    weight: 15,
    hard: false,
    needs: &[CHANGE_LOGS],
    sources: &["SigmaHQ 98c5aeef-32d5-492f-b174-64a691896d25", "Microsoft Learn: sc sdset"],
    since: "0.1.0",
    check: &|scope| {
        let set = commands(scope).find_map(|(event, command)| {
            let set =
                command.change("Security").or_else(|| command.change("Security\\Security"))?;
            Some((event, set.to_owned(), format!("`{}`{}", line(event), remarks(scope, command))))
        });
        let (event, sddl, by) = set.or_else(|| {
            scope.events(Role::ObjectAccess).find_map(|event| match &event.action {
                Action::PermissionsChanged { new, image, .. } => {
                    let by = image.as_deref().map(|image| format!("`{image}`"));
                    Some((event, new.clone(), by.unwrap_or_default()))
                }
                _ => None,
            })
        })?;
        let denies = sddl.to_uppercase().contains("(D;");
        let because = format!(
            "At {} {} set the descriptor{}.",
            format_short(event.time),
            if by.is_empty() { format!("`{}`", clip(&sddl)) } else { by },
            if denies { ", with deny entries" } else { "" }
        );
        let weight = if denies { 30 } else { SET_BY_COMMAND.weight };
        Some(Hit::new(because, event.citation.clone()).weighing(weight))
    },
    examples: &[
        yes("sc sdset with deny entries", || {
            Scene::service("Agent").event(
                0,
                command(
                    r"C:\Windows\System32\sc.exe",
                    "sc sdset Agent D:(D;;DCLCWPDTSD;;;IU)(A;;CCLCSWRPWPDTLOCRRC;;;SY)",
                    r"C:\Windows\System32\cmd.exe",
                ),
            )
        }),
        yes("4670", || {
            Scene::service("Agent")
                .event(
                    0,
                    Action::PermissionsChanged {
                        object: "Agent".to_owned(),
                        service: Some("Agent".to_owned()),
                        new: "D:(A;;CCDC;;;WD)".to_owned(),
                        image: None,
                        subject: Subject::default(),
                    },
                )
                .covered(Origin::ProcessEvents, crate::host::State::Complete)
        }),
        no("the descriptor was only shown", || {
            Scene::service("Agent").event(
                0,
                command(
                    r"C:\Windows\System32\sc.exe",
                    "sc sdshow Agent",
                    r"C:\Windows\System32\cmd.exe",
                ),
            )
        }),
        unknown("no log records commands", || Scene::service("Agent")),
    ],
};

pub(super) const MANAGER_OPENED: Indicator = Indicator {
    id: "S06",
    family: Family::D,
    checklist: Question::WhoWhen,
    question: "Do events show the service control manager's own access rules being set?",
    why: "Whoever may create services is LocalSystem one command later. Opened to everybody, the manager is a way back \
          that no list of services shows.",
    innocent: "Monitoring products that query services without administrators' rights ask for it.",
    verify: &[
        "sc sdshow scmanager (live)",
        r"reg query HKLM\SYSTEM\CurrentControlSet\Control\ServiceGroupOrder\Security",
    ],
    attack: &[technique("T1543.003"), technique("T1564")],
    weight: 25,
    hard: false,
    needs: &[CHANGE_LOGS],
    sources: &["Atomic Red Team T1569.002-7", "SigmaHQ 6c8fbee5-dee8-49bc-851d-c3142d02aa47"],
    since: "0.1.0",
    check: &|scope| {
        let (one, event) = tampered(scope, TamperKind::ManagerOpened).next()?;
        let because = format!("At {}: `{}`.", format_short(event.time), clip(&one.line));
        Some(Hit::new(because, event.citation.clone()))
    },
    examples: &[
        yes("sc sdset scmanager", || {
            Scene::ghost(SERVICE_CONTROL_MANAGER).event(
                0,
                command(
                    r"C:\Windows\System32\sc.exe",
                    "sc.exe sdset scmanager D:(A;;KA;;;WD)",
                    r"C:\Windows\System32\cmd.exe",
                ),
            )
        }),
        no("a service's own rules", || {
            Scene::service("Agent").event(
                0,
                command(
                    r"C:\Windows\System32\sc.exe",
                    "sc.exe sdset Agent D:(A;;KA;;;WD)",
                    r"C:\Windows\System32\cmd.exe",
                ),
            )
        }),
        unknown("no log records commands", || Scene::service("Agent")),
    ],
};
