//! One service in the report: the facts, the findings with their decibans, and what stays open.

use serde::{Deserialize, Serialize};

use super::answers::{self, ChecklistAnswer};
use super::configuration::{self, Configuration, FailurePlan, FailureStep};
use super::event_summary;
use super::history::{self, Earlier};
use super::{Stamp, event_summary::subject_name};
use crate::checklist::{Family, Indicator, Lack, Question, Technique};
use crate::host::config::{ServiceConfig, ServiceType};
use crate::host::coverage::{Origin, State};
use crate::host::event::{Action, Subject};
use crate::host::{Citation, Event, Host, ImagePath, Place, Provenance, Role, Service};
use crate::rank::{Finding, Ranked, Verdict};

/// One service of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceReport {
    /// Its place on the host, from 1, worst first.
    pub rank: usize,
    /// The key's name, or the name by which logs know it.
    pub name: String,
    /// The display name.
    pub display_name: Option<String>,
    /// What to do about it.
    pub verdict: Verdict,
    /// The sum of the decibans of `findings` and `against`, raised to the floor by a hard indicator.
    pub score: i32,
    /// Whether the current control set has its key; false for a service known only from logs or history.
    pub registry: bool,
    /// The other host whose service this is: known here only from a command that was given here.
    pub elsewhere: Option<String>,
    /// Whether it is a driver.
    pub driver: bool,
    /// The command as stored; for a service known only from logs, as logged.
    pub image_path: Option<String>,
    /// The command taken apart; for a driver without `ImagePath`, what Windows loads.
    pub image: Option<ImagePath>,
    /// The service DLL as stored.
    pub service_dll: Option<String>,
    /// The account it runs as: `ObjectName`, else as logged. Null for drivers and where nothing tells.
    pub account: Option<String>,
    /// The start type in words.
    pub start: Option<String>,
    /// The start type as stored.
    pub start_value: Option<u32>,
    /// The type in words.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The type as stored, a bit field.
    pub type_value: Option<u32>,
    /// The key's last-write time, which is not its creation.
    pub last_write: Option<Stamp>,
    /// The failure command, where there is one.
    pub failure_command: Option<FailureCommand>,
    /// `FailureActions`, where there are any.
    pub failure_actions: Option<FailurePlan>,
    /// The install events, in order of time.
    pub installs: Vec<Install>,
    /// The five questions.
    pub checklist: Vec<ChecklistAnswer>,
    /// What speaks against the service, heaviest first.
    pub findings: Vec<FindingReport>,
    /// What speaks for it, heaviest first.
    pub against: Vec<FindingReport>,
    /// Indicators the evidence could not answer.
    pub unanswered: Vec<Unanswered>,
    /// How many indicators answered no.
    pub answered_no: usize,
    /// The service in other control sets, backups and deleted keys, and what differs.
    pub history: Vec<Earlier>,
    /// The events that concern it, in order of time.
    pub events: Vec<EventReport>,
    /// `Minimal` and `Network`, where the service also starts in those safe modes.
    pub safe_boot: Vec<String>,
    /// All else the key says; null where the current control set has no key.
    pub configuration: Option<Configuration>,
}

/// `FailureCommand`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailureCommand {
    /// As stored.
    pub command: String,
    /// Whether an action would run it; without one it is inert.
    pub armed: bool,
    /// The failure actions.
    pub actions: Vec<FailureStep>,
}

/// One install event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Install {
    /// When.
    pub time: Stamp,
    /// The account that did it, by name where a log tells it.
    pub actor: Option<String>,
    /// Its SID.
    pub actor_sid: Option<String>,
    /// The logon type of the session it came from.
    pub logon_type: Option<u32>,
    /// The source address of that session.
    pub source_address: Option<String>,
    /// The source workstation of that session.
    pub source_workstation: Option<String>,
    /// The command as logged.
    pub image_path: String,
    /// The account as logged; empty for drivers.
    pub account: String,
    /// The install event.
    pub citation: Citation,
    /// The logon event.
    pub logon_citation: Option<Citation>,
}

/// A yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingReport {
    /// The indicator.
    pub id: String,
    /// Its part of the score.
    pub family: Family,
    /// Which of the five questions it belongs to.
    pub question: Question,
    /// What it adds to the score, in decibans, after decay within its family.
    pub decibans: i32,
    /// Its full weight in decibans.
    pub weight: i32,
    /// Whether it keeps the score at or above the floor.
    pub hard: bool,
    /// Why, in one sentence with the value it is about.
    pub because: String,
    /// Techniques of ATT&CK.
    pub attack: Vec<TechniqueReport>,
    /// Where to look.
    pub citations: Vec<Citation>,
}

/// An ATT&CK technique in both numberings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TechniqueReport {
    /// The id up to ATT&CK v18.
    pub v18: String,
    /// The id from v19 on.
    pub v19: String,
}

/// An indicator without an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unanswered {
    /// The indicator.
    pub id: String,
    /// Whose silence it is.
    pub origin: Origin,
    /// In which state that origin is.
    pub state: State,
}

/// An event and why it belongs to the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventReport {
    /// When it was logged.
    pub time: Stamp,
    /// Why it belongs to the service.
    pub role: Role,
    /// The channel.
    pub channel: Option<String>,
    /// The event id.
    pub event_id: Option<u16>,
    /// The record id.
    pub record_id: Option<u64>,
    /// The computer the record names.
    pub computer: String,
    /// SID of the user in whose name it was logged.
    pub user_sid: Option<String>,
    /// What happened, in one sentence.
    pub summary: String,
    /// The log file.
    pub artifact: String,
    /// How the record came to be readable.
    pub provenance: Provenance,
}

impl ServiceReport {
    /// The report of one ranked service; `rank` counts from 1.
    pub fn new(host: &Host, ranked: &Ranked<'_>, rank: usize) -> Self {
        let service = ranked.service;
        let config = service.config.as_ref();
        let logged = logged_install(host, service);
        let start = config
            .and_then(|config| config.start)
            .or_else(|| logged.and_then(|install| install.start));
        let kind = config
            .and_then(|config| config.service_type.map(|kind| kind.0))
            .or_else(|| logged.and_then(|install| install.service_type));
        Self {
            rank,
            name: service.name.clone(),
            display_name: service.display_name.clone(),
            verdict: ranked.verdict,
            score: ranked.score,
            registry: service.in_registry(),
            elsewhere: service.elsewhere.clone(),
            driver: service.is_driver(),
            image_path: image_path(service),
            image: service.image.clone(),
            service_dll: service_dll(service),
            account: account(host, service),
            start: start.map(|start| start.to_string()),
            start_value: start.map(configuration::start_value),
            kind: kind.map(|kind| ServiceType(kind).to_string()),
            type_value: kind,
            last_write: service.last_write().map(Stamp),
            failure_command: config.and_then(FailureCommand::new),
            failure_actions: config.and_then(FailurePlan::new),
            installs: installs(host, service),
            checklist: answers::answers(host, ranked),
            findings: ranked.findings.iter().map(FindingReport::new).collect(),
            against: ranked.against.iter().map(FindingReport::new).collect(),
            unanswered: ranked.unknown.iter().map(Unanswered::new).collect(),
            answered_no: ranked.answered_no,
            history: history::history(service),
            events: events(host, service),
            safe_boot: safe_boot(host, service),
            configuration: config.map(Configuration::new),
        }
    }

    /// Every technique of its findings, sorted, once each.
    pub fn techniques(&self) -> Vec<TechniqueReport> {
        let mut techniques: Vec<TechniqueReport> =
            self.findings.iter().flat_map(|finding| finding.attack.iter().cloned()).collect();
        techniques.sort();
        techniques.dedup();
        techniques
    }

    /// The first time at which anything in the evidence knows the service: an event, else the key's
    /// last-write time.
    pub fn first_seen(&self) -> Option<Stamp> {
        let role =
            |event: &&EventReport| !matches!(event.role, Role::LogCleared | Role::ActorLogon);
        let first = self.events.iter().filter(role).map(|event| event.time).min();
        first.or(self.last_write)
    }

    /// The first install event's time.
    pub fn first_install(&self) -> Option<Stamp> {
        self.installs.iter().map(|install| install.time).min()
    }

    /// The command as stored or logged, else what Windows loads for such a driver.
    pub fn command(&self) -> Option<&str> {
        let stored = self.image_path.as_deref().filter(|path| !path.is_empty());
        stored.or(self.image.as_ref().map(|image| image.program.as_str()))
    }

    /// The account for people; a driver runs in the kernel.
    pub fn runs_as(&self) -> &str {
        match &self.account {
            Some(account) if !account.is_empty() => {
                account.strip_prefix(r"NT AUTHORITY\").unwrap_or(account)
            }
            _ if self.driver => "(kernel)",
            _ => "(unknown)",
        }
    }

    /// The key: in the current control set, else in the first other state that has one.
    pub fn key_citation(&self) -> Option<&Citation> {
        let current = self.configuration.as_ref().map(|config| &config.citation);
        current.or_else(|| self.history.iter().find_map(|state| state.citation.as_ref()))
    }

    /// What it runs, in the words that tell most: the failure command where that is the heaviest finding,
    /// the DLL behind svchost, or the command.
    pub fn runs(&self) -> String {
        let command = match &self.service_dll {
            Some(dll) => format!("{dll} (ServiceDll)"),
            None => self.command().unwrap_or_default().to_owned(),
        };
        let is_top = self.findings.first().is_some_and(|top| top.family == Family::F);
        match &self.failure_command {
            Some(failure) if failure.armed && is_top => format!("on failure: {}", failure.command),
            Some(failure) if failure.armed => {
                format!("{command} | on failure: {}", failure.command)
            }
            _ => command,
        }
    }
}

impl FailureCommand {
    fn new(config: &ServiceConfig) -> Option<Self> {
        let command = config.failure_command.clone()?;
        let actions = config.failure_actions.as_ref().map(configuration::steps);
        Some(Self {
            command,
            armed: config.failure_command_is_armed(),
            actions: actions.unwrap_or_default(),
        })
    }
}

impl FindingReport {
    fn new(finding: &Finding) -> Self {
        let indicator = finding.indicator;
        Self {
            id: indicator.id.to_owned(),
            family: indicator.family,
            question: indicator.checklist,
            decibans: finding.contribution,
            weight: finding.weight,
            hard: indicator.hard,
            because: finding.hit.because.clone(),
            attack: indicator.attack.iter().copied().map(TechniqueReport::new).collect(),
            citations: finding.hit.citations.clone(),
        }
    }
}

impl TechniqueReport {
    fn new(technique: Technique) -> Self {
        Self { v18: technique.v18.to_owned(), v19: technique.v19.to_owned() }
    }

    /// `T1685`, or `T1685 (T1562.001 up to v18)` where it was renumbered.
    pub fn label(&self) -> String {
        if self.v18 == self.v19 {
            self.v19.clone()
        } else {
            format!("{} ({} up to v18)", self.v19, self.v18)
        }
    }
}

impl Unanswered {
    fn new((indicator, lack): &(&'static Indicator, Lack)) -> Self {
        Self { id: indicator.id.to_owned(), origin: lack.origin, state: lack.state }
    }
}

impl EventReport {
    fn new(event: &Event, role: Role) -> Self {
        let (channel, event_id, record_id) = match &event.citation.place {
            Place::Record { channel, event_id, record_id } => {
                (Some(channel.to_string()), Some(*event_id), Some(*record_id))
            }
            Place::Key { .. } | Place::File => (None, None, None),
        };
        Self {
            time: Stamp(event.time),
            role,
            channel,
            event_id,
            record_id,
            computer: event.computer.clone(),
            user_sid: event.user_sid.clone(),
            summary: event_summary::summary(event),
            artifact: event.citation.artifact.to_string(),
            provenance: event.citation.provenance,
        }
    }
}

/// The newest install event's details.
fn logged_install<'a>(
    host: &'a Host,
    service: &'a Service,
) -> Option<&'a crate::host::event::ServiceInstall> {
    let details = |event: &'a Event| match &event.action {
        Action::ServiceInstalled(install) => Some(install),
        _ => None,
    };
    service.events(Role::Install, &host.events).filter_map(details).last()
}

/// The account as stored, else as logged; a process without `ObjectName` runs as `LocalSystem`.
pub(super) fn account(host: &Host, service: &Service) -> Option<String> {
    let config = service.config.as_ref();
    if let Some(account) = config.and_then(|config| config.object_name.clone()) {
        return Some(account);
    }
    if config.and_then(|config| config.service_type).is_some_and(ServiceType::is_win32) {
        return Some("LocalSystem".to_owned());
    }
    logged_install(host, service)
        .map(|install| install.account.clone())
        .filter(|account| !account.is_empty())
}

fn image_path(service: &Service) -> Option<String> {
    match &service.config {
        Some(config) => config.image_path.clone(),
        None => {
            service.image.as_ref().filter(|image| !image.implied).map(|image| image.raw.clone())
        }
    }
}

fn service_dll(service: &Service) -> Option<String> {
    let stored = service.config.as_ref().and_then(|config| config.service_dll.as_ref());
    stored.map(|(_, dll)| dll.clone()).or_else(|| service.dll.as_ref().map(|dll| dll.raw.clone()))
}

fn installs(host: &Host, service: &Service) -> Vec<Install> {
    let mut actors = service.actors.iter();
    let events = service.events(Role::Install, &host.events);
    let install = |event: &Event| {
        let Action::ServiceInstalled(install) = &event.action else { return None };
        let actor = actors.next();
        let fallback = Subject { sid: event.user_sid.clone(), ..install.subject.clone() };
        let subject = actor.map_or(&fallback, |actor| &actor.subject);
        let logon = actor.and_then(|actor| actor.logon.as_ref());
        Some(Install {
            time: Stamp(event.time),
            actor: subject.name.clone(),
            actor_sid: subject.sid.clone(),
            logon_type: logon.and_then(|logon| logon.logon_type),
            source_address: logon.and_then(|logon| logon.address.clone()),
            source_workstation: logon.and_then(|logon| logon.workstation.clone()),
            image_path: install.image_path.clone(),
            account: install.account.clone(),
            citation: event.citation.clone(),
            logon_citation: actor.and_then(|actor| actor.logon_citation.clone()),
        })
    };
    events.filter_map(install).collect()
}

impl Install {
    /// Who, as one phrase; absent where no log tells.
    pub fn who(&self) -> Option<String> {
        subject_name(&Subject {
            sid: self.actor_sid.clone(),
            name: self.actor.clone(),
            logon_id: None,
        })
    }
}

fn events(host: &Host, service: &Service) -> Vec<EventReport> {
    let report = |link: &crate::host::service::Link| {
        host.events.get(link.event).map(|event| EventReport::new(event, link.role))
    };
    service.links.iter().filter_map(report).collect()
}

fn safe_boot(host: &Host, service: &Service) -> Vec<String> {
    let mut modes: Vec<String> = host
        .safe_boot
        .iter()
        .filter(|entry| crate::text::same_name(&entry.name, &service.name))
        .map(|entry| entry.mode.clone())
        .collect();
    modes.sort();
    modes.dedup();
    modes
}
