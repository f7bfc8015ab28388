//! One service in the report: the facts, the findings with their decibans, and what stays open.

use serde::{Deserialize, Serialize};

use super::Stamp;
use super::answers::{self, ChecklistAnswer};
use super::configuration::{self, Configuration, FailurePlan, FailureStep};
use super::event::{self, EventReport};
use super::file::{FileReport, ServiceFileReport};
use super::finding::{FindingReport, TechniqueReport, Unanswered};
use super::history::{self, Earlier, Passage};
use super::install::{self, Install};
use super::network::NetworkReport;
use super::story::StoryReport;
use super::suppressed::SuppressedReport;
use crate::checklist::Family;
use crate::host::config::{ServiceConfig, ServiceType};
use crate::host::event::Action;
use crate::host::{Citation, Event, Host, ImagePath, Role, Service};
use crate::rank::{Ranked, Verdict};

/// One service of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The files it runs or loads; empty where the evidence holds none of their places.
    #[serde(default)]
    pub files: Vec<ServiceFileReport>,
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
    /// What would speak against it and is not counted, heaviest first.
    #[serde(default)]
    pub suppressed: Vec<SuppressedReport>,
    /// Indicators the evidence could not answer, by who kept silent.
    pub unanswered: Vec<Unanswered>,
    /// How many indicators answered no.
    pub answered_no: usize,
    /// The service in other control sets, backups and deleted keys, and what differs.
    pub history: Vec<Earlier>,
    /// When its key came and went between older states and now, in order.
    pub passages: Vec<Passage>,
    /// What happened to it and what it did, act by act.
    pub story: StoryReport,
    /// The events that concern it, in order of time.
    pub events: Vec<EventReport>,
    /// What its processes did on the network; null where nothing is recorded.
    pub network: Option<NetworkReport>,
    /// `Minimal` and `Network`, where the service also starts in those safe modes.
    pub safe_boot: Vec<String>,
    /// All else the key says; null where the current control set has no key.
    pub configuration: Option<Configuration>,
}

/// `FailureCommand`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureCommand {
    /// As stored.
    pub command: String,
    /// Whether an action would run it; without one it is inert.
    pub armed: bool,
    /// The failure actions.
    pub actions: Vec<FailureStep>,
}

impl ServiceReport {
    /// The report of one ranked service; `files` are the host's, in its order; `rank` counts from 1.
    pub fn new(host: &Host, files: &[FileReport], ranked: &Ranked<'_>, rank: usize) -> Self {
        let service = ranked.service;
        let links = ServiceFileReport::of(service, files);
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
            installs: install::installs(host, service),
            checklist: answers::answers(host, ranked, &links, files),
            files: links,
            findings: ranked.findings.iter().map(FindingReport::new).collect(),
            against: ranked.against.iter().map(FindingReport::new).collect(),
            suppressed: Vec::new(),
            unanswered: Unanswered::by_silence(&ranked.unknown),
            answered_no: ranked.answered_no,
            history: history::history(service),
            passages: history::passages(host, service),
            story: StoryReport::new(host, service),
            events: event::events(host, service),
            network: NetworkReport::new(host, service),
            safe_boot: safe_boot(host, service),
            configuration: config.map(Configuration::new),
        }
    }

    /// How many indicators the evidence could not answer.
    pub fn open_questions(&self) -> usize {
        self.unanswered.iter().map(|silence| silence.indicators.len()).sum()
    }

    /// Every technique of its findings, sorted, once each.
    pub fn techniques(&self) -> Vec<TechniqueReport> {
        let mut techniques: Vec<TechniqueReport> =
            self.findings.iter().flat_map(|finding| finding.attack.iter().cloned()).collect();
        techniques.sort();
        techniques.dedup();
        techniques
    }

    /// The first time at which anything in the evidence knows the service: its first event or the key's
    /// last-write time, whichever is earlier.
    pub fn first_seen(&self) -> Option<Stamp> {
        let role =
            |event: &&EventReport| !matches!(event.role, Role::LogCleared | Role::ActorLogon);
        let first = self.events.iter().filter(role).map(|event| event.time).min();
        first.into_iter().chain(self.last_write).min()
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

    /// What a configuration key makes Windows load: `C:\x.dll (Parameters\AutodialDLL)`.
    fn loads(&self) -> Option<String> {
        let points = &self.configuration.as_ref()?.load_points;
        points.first().map(|point| format!("{} ({})", point.path, point.value))
    }

    /// What it runs, in the words that tell most: the failure command where that is the heaviest finding,
    /// the DLL behind svchost, or the command.
    pub fn runs(&self) -> String {
        let command = match &self.service_dll {
            Some(dll) => format!("{dll} (ServiceDll)"),
            None => self.command().map(str::to_owned).or_else(|| self.loads()).unwrap_or_default(),
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
