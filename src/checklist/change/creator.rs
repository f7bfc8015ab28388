//! Whose session created it, and from where.

use jiff::SignedDuration;

use crate::checklist::basis::INSTALL_LOGS;
use crate::checklist::knowledge::agents::AgentKind;
use crate::checklist::known_good::agent;
use crate::checklist::overview::followed_by;
use crate::checklist::place::is_in_program_files;
use crate::checklist::staging::{USER, audited, installed, logon, no, unknown, yes};
use crate::checklist::story::{Installed, installs};
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, Scope, technique};
use crate::host::event::{Action, Logon, Subject};
use crate::host::{Event, Origin, Role};
use crate::time::format_short;

pub(super) const NETWORK_LOGON: Indicator = Indicator {
    id: "W01",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Was it created from another computer (by a network logon)?",
    why: "PsExec, impacket and every other remote execution tool create services in a session of logon type 3; \
          people and installers sit in sessions of type 2, 7, 10 or 5.",
    innocent: "Software distribution (Configuration Manager, PDQ Deploy, Veeam, antivirus push installs) works the \
               same way.",
    verify: &[
        "EvtxECmd -f Security.evtx --inc 4697,4624: join SubjectLogonId of 4697 with TargetLogonId of 4624",
        "Is IpAddress of the logon a management server?",
    ],
    attack: &[technique("T1021.002"), technique("T1569.002")],
    weight: 15,
    hard: false,
    needs: &[INSTALL_LOGS, Need::Part(Origin::SecurityLog)],
    sources: &[
        "Microsoft Learn: 4697, 4624 (logon types)",
        "elastic/detection-rules d33ea3bf-9a11-463e-bd46-f648f2a0f4b1",
    ],
    since: "0.1.0",
    check: &|scope| {
        let (one, logon) = sessions(scope).find(|(_, logon)| logon.logon_type == Some(3))?;
        let from = logon.address.as_deref().or(logon.workstation.as_deref()).unwrap_or("unknown");
        let by_session = one.actor.is_some_and(|actor| actor.subject.logon_id.is_some());
        let (how, weight) = if by_session {
            ("in the session of", NETWORK_LOGON.weight)
        } else {
            // 7045 gives a SID only: the account may have another session open.
            ("by an account whose last logon before was", 10)
        };
        let because = format!(
            "Installed at {} by {} {how} a network logon from {from}.",
            format_short(one.event.time),
            one.who()
        );
        let weight = if is_deployed(scope) { weight.min(10) } else { weight };
        let mut hit = Hit::new(because, one.event.citation.clone()).weighing(weight);
        if let Some(citation) = one.actor.and_then(|actor| actor.logon_citation.clone()) {
            hit = hit.and(citation);
        }
        Some(hit)
    },
    examples: &[
        yes("4697 in the session of a type 3 logon", || {
            Scene::ghost("Agent")
                .event(-5, logon(0x51, 3, "NTLM", "10.0.0.9"))
                .event(0, audited("Agent", r"C:\Windows\Agent.exe", 0x51, None))
        }),
        yes("an agent pushed into Program Files: less", || {
            let program = r"C:\Program Files\Contoso\Agent.exe";
            Scene::service("Agent")
                .event(-5, logon(0x51, 3, "NTLM", "10.0.0.9"))
                .event(0, audited("Agent", program, 0x51, None))
        }),
        no("an administrator at the console", || {
            Scene::ghost("Agent")
                .event(-600, logon(0x51, 2, "Negotiate", "127.0.0.1"))
                .event(0, audited("Agent", r"C:\Program Files\Contoso\Agent.exe", 0x51, None))
        }),
        unknown("7045 without a Security log", || {
            Scene::ghost("Agent").event_by(0, Some(USER), installed("Agent", r"C:\x.exe"))
        }),
    ],
};

/// Whether it has what software distribution leaves and remote execution does not: a program in Program Files, and a
/// description.
fn is_deployed(scope: &Scope<'_>) -> bool {
    let described = scope.config().and_then(|config| config.description.as_deref());
    described.is_some_and(|text| !text.trim().is_empty())
        && scope.service.image.as_ref().is_some_and(is_in_program_files)
}

pub(super) const NO_CLIENT: Indicator = Indicator {
    id: "W04",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Does 4697 name no client process on this computer?",
    why: "ClientProcessId or ParentProcessId 0 means that the request came over the network or by bare RPC: no \
          program here called CreateService.",
    innocent: "Remote administration and push installs of agents.",
    verify: &[
        "EvtxECmd -f Security.evtx --inc 4697: ClientProcessId, ParentProcessId, SubjectLogonId",
    ],
    attack: &[technique("T1543.003"), technique("T1021.002")],
    weight: 15,
    hard: false,
    needs: &[Need::Part(Origin::SecurityLog)],
    sources: &[
        "elastic/detection-rules 55c2bf58-2a39-4c58-a384-c8b1978153c2",
        "SigmaHQ c4e92a97-a9ff-4392-9d2d-7a4c642768ca, 71c276aa-49cd-43d2-b920-2dcd3e6962d5",
    ],
    since: "0.1.0",
    check: &|scope| {
        if agent(scope).is_some_and(|agent| agent.kind == AgentKind::Deployment) {
            return None;
        }
        installs(scope).find_map(|one| {
            let which = match (one.install.client_process_id, one.install.parent_process_id) {
                (Some(0), _) => "ClientProcessId",
                (_, Some(0)) => "ParentProcessId",
                _ => return None,
            };
            let because = format!(
                "4697 at {} has {which} 0: {} created it from outside this computer's processes.",
                format_short(one.event.time),
                one.who()
            );
            Some(Hit::new(because, one.event.citation.clone()))
        })
    },
    examples: &[
        yes("no client process", || {
            Scene::ghost("Agent").event(0, audited("Agent", r"C:\Windows\Agent.exe", 0x51, Some(0)))
        }),
        no("a client process", || {
            Scene::ghost("Agent").event(0, audited("Agent", r"C:\x.exe", 0x51, Some(812)))
        }),
        no("older builds do not log it", || {
            Scene::ghost("Agent").event(0, audited("Agent", r"C:\x.exe", 0x51, None))
        }),
        no("PDQ Deploy", || {
            let path = r"C:\Windows\AdminArsenal\PDQDeployRunner\service-1\PDQDeployRunner-1.exe";
            Scene::ghost("PDQDeployRunner-1")
                .event(0, audited("PDQDeployRunner-1", path, 0x51, Some(0)))
        }),
        unknown("no Security log", || {
            Scene::ghost("Agent").event(0, installed("Agent", r"C:\x.exe"))
        }),
    ],
};

pub(super) const KERBEROS_LOOPBACK: Indicator = Indicator {
    id: "W05",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Was it created right after a Kerberos network logon from this computer to itself?",
    why: "KrbRelayUp relays a ticket to the local service control manager and creates a service as SYSTEM: a local \
          privilege escalation. Ordinary local logons do not use Kerberos over the loopback address.",
    innocent: "Clustered and backup software that connects to its own host by name.",
    verify: &[
        "EvtxECmd -f Security.evtx --inc 4624: LogonType 3, Kerberos, IpAddress 127.0.0.1 or ::1, same LogonId as 4697",
    ],
    attack: &[technique("T1558"), technique("T1543.003")],
    weight: 25,
    hard: false,
    needs: &[Need::Part(Origin::SecurityLog)],
    sources: &[
        "elastic/detection-rules e4e31051-ee01-4307-a6ee-b21b186958f4",
        "KrbRelayUp: KrbSCM.cs",
    ],
    since: "0.1.0",
    check: &|scope| {
        let (one, logon) = sessions(scope).find(|(one, logon)| {
            let session = one.actor.and_then(|actor| actor.subject.logon_id);
            let local = logon.address.as_deref().is_some_and(is_loopback);
            let kerberos = logon
                .package
                .as_deref()
                .is_some_and(|package| package.to_lowercase().contains("kerberos"));
            local
                && kerberos
                && logon.logon_type == Some(3)
                && session.is_some()
                && session == logon.account.logon_id
        })?;
        let address = logon.address.as_deref().unwrap_or_default();
        let because = format!(
            "Installed at {} in a Kerberos session that {} opened from {address}.",
            format_short(one.event.time),
            one.who()
        );
        let mut hit = Hit::new(because, one.event.citation.clone());
        if let Some(citation) = one.actor.and_then(|actor| actor.logon_citation.clone()) {
            hit = hit.and(citation);
        }
        Some(hit)
    },
    examples: &[
        yes("KrbRelayUp", || {
            Scene::ghost("KrbSCM")
                .event(-2, logon(0x77, 3, "Kerberos", "127.0.0.1"))
                .event(0, audited("KrbSCM", "\"C:\\Temp\\k.exe\" system 1\n", 0x77, None))
        }),
        no("Kerberos from a server", || {
            Scene::ghost("Agent")
                .event(-2, logon(0x77, 3, "Kerberos", "10.0.0.9"))
                .event(0, audited("Agent", r"C:\x.exe", 0x77, None))
        }),
        unknown("no Security log", || {
            Scene::ghost("Agent").event(0, installed("Agent", r"C:\x.exe"))
        }),
    ],
};

pub(super) const REMOTE_SHARE: Indicator = Indicator {
    id: "W24",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Did whoever created it use the service control pipe or an administrative share from afar?",
    why: "A file written to ADMIN$ or C$, then svcctl opened: that is how a program is brought over and run as a \
          service.",
    innocent: "The same holds for software distribution and remote administration with services.msc.",
    verify: &[
        "EvtxECmd -f Security.evtx --inc 5145: ShareName, RelativeTargetName, IpAddress around the install",
    ],
    attack: &[technique("T1021.002"), technique("T1569.002")],
    weight: 12,
    hard: false,
    needs: &[INSTALL_LOGS, Need::Part(Origin::SecurityLog)],
    sources: &[
        "Microsoft Learn: 5145",
        "elastic/detection-rules d33ea3bf-9a11-463e-bd46-f648f2a0f4b1",
    ],
    since: "0.1.0",
    check: &|scope| {
        let install = installs(scope).next()?;
        let limit = SignedDuration::from_mins(2);
        let all: Vec<&Event> = installs(scope).map(|one| one.event).collect();
        scope.events(Role::ShareAccess).find_map(|event| {
            let Action::ShareAccessed { share, target, address, .. } = &event.action else {
                return None;
            };
            if followed_by(&all, event.time, limit).is_none()
                || address.as_deref().is_none_or(is_loopback)
            {
                return None;
            }
            let because = format!(
                "At {} the same account opened `{target}` on {share} from {}.",
                format_short(event.time),
                address.as_deref().unwrap_or("an unknown address")
            );
            Some(Hit::new(because, event.citation.clone()).and(install.event.citation.clone()))
        })
    },
    examples: &[
        yes("svcctl opened two seconds before", || {
            Scene::ghost("Agent")
                .event(-2, share("svcctl", r"\\*\IPC$", "10.0.0.9"))
                .event(0, audited("Agent", r"C:\Windows\Agent.exe", 0x51, None))
        }),
        no("a file share, and the install has nothing to do with it", || {
            Scene::ghost("Agent")
                .event(-2, share("report.docx", r"\\*\Data", "10.0.0.9"))
                .event(0, audited("Agent", r"C:\x.exe", 0x51, None))
        }),
        unknown("no Security log", || {
            Scene::ghost("Agent").event(0, installed("Agent", r"C:\x.exe"))
        }),
    ],
};

fn share(target: &str, share: &str, address: &str) -> Action {
    Action::ShareAccessed {
        share: share.to_owned(),
        target: target.to_owned(),
        access: None,
        address: Some(address.to_owned()),
        subject: Subject { sid: Some(USER.to_owned()), name: None, logon_id: Some(0x51) },
    }
}

/// Installs whose actor's logon is known.
fn sessions<'a>(scope: &Scope<'a>) -> impl Iterator<Item = (Installed<'a>, &'a Logon)> + use<'a> {
    installs(scope).filter_map(|one| Some((one, one.actor?.logon.as_ref()?)))
}

fn is_loopback(address: &str) -> bool {
    let address = address.trim_start_matches("::ffff:");
    address == "::1" || address.starts_with("127.")
}
