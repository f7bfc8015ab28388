//! One Windows host, as far as the evidence tells: facts joined into services.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

pub mod bursts;
pub mod citation;
pub mod config;
pub mod coverage;
pub mod device_path;
pub mod event;
pub mod fact;
pub mod image_path;
pub mod incident;
pub mod known_destinations;
pub mod network;
pub mod older;
pub mod outbound;
pub mod posture;
pub mod process;
pub mod program_file;
pub mod rule_hit;
pub mod service;
pub mod service_command;
pub mod shell;
pub mod story;
pub mod tampering;

mod join;

pub use bursts::Bursts;
pub use citation::{Citation, Place, Provenance};
pub use coverage::{Coverage, Origin, Span, State};
pub use device_path::Volumes;
pub use event::{Action, Event};
pub use fact::Fact;
pub use image_path::ImagePath;
pub use incident::Incident;
pub use known_destinations::KnownDestinations;
pub use network::Network;
pub use older::OlderState;
pub use outbound::Outbound;
pub use posture::Posture;
pub use process::ServiceProcess;
pub use program_file::{ProgramFile, ServiceFile};
pub use rule_hit::RuleHit;
pub use service::{Role, Service};
pub use story::Story;

use crate::text;
use config::ServiceConfig;
use fact::{ConfigurationKey, SafeBootEntry, Setting, SettingKind, SvchostGroup};

/// What is known of the host itself, each item from the current state only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostIdentity {
    /// The computer name: from the hive, else the one most events name.
    pub name: Option<String>,
    /// Where the name comes from.
    pub name_source: Option<String>,
    /// The DNS domain.
    pub domain: Option<String>,
    /// The product, `Windows 10 Pro`.
    pub product: Option<String>,
    /// The build, `19045.3570`.
    pub build: Option<String>,
    /// The release, `22H2`.
    pub version: Option<String>,
    /// Name and bias (minutes, UTC = local + bias) of the time zone.
    pub time_zone: Option<(String, Option<i32>)>,
    /// The last clean shutdown.
    pub last_shutdown: Option<Timestamp>,
    /// When Windows was installed, in its own words.
    pub installed: Option<Timestamp>,
    /// The current control set's number.
    pub control_set: Option<u32>,
    /// The Windows folder.
    pub system_root: Option<String>,
    /// The variables of the machine by their names in lower case, as stored: their values may name others.
    pub environment: BTreeMap<String, String>,
}

/// One host.
#[derive(Debug, Clone, Default)]
pub struct Host {
    /// What is known of the host itself.
    pub identity: HostIdentity,
    /// Every service of the current control set, of history and of the logs, sorted by folded name.
    pub services: Vec<Service>,
    /// Keys under Services without `Type`, current control set, sorted by folded name.
    pub configuration_keys: Vec<ConfigurationKey>,
    /// The configuration keys that make Windows load a file, as something to be judged: services in form only,
    /// without `Type`, and not among `services`.
    pub stores: Vec<Service>,
    /// Older states of the registry, oldest first; those whose time is unknown before the others.
    pub older_states: Vec<OlderState>,
    /// The current control set's `Services` key, where a current hive has one that was read completely.
    pub services_key: Option<Citation>,
    /// The svchost groups by folded name; empty where no SOFTWARE hive was read.
    pub svchost_groups: BTreeMap<String, SvchostGroup>,
    /// The `SafeBoot` entries of the current control set.
    pub safe_boot: Vec<SafeBootEntry>,
    /// Settings that concern every service.
    pub settings: Vec<Setting>,
    /// Every event, sorted by time, then channel and record id, without duplicates.
    pub events: Vec<Event>,
    /// The processes of services and their descendants, in order of time.
    pub processes: Vec<ServiceProcess>,
    /// The files that services run or load, sorted by path.
    pub files: Vec<ProgramFile>,
    /// What Sigma rules found, in order of time.
    pub rule_hits: Vec<RuleHit>,
    /// What the host was set up to record and to forbid, in a fixed order.
    pub posture: Vec<Posture>,
    /// What this host did to services of other hosts, in order of time.
    pub outbound: Vec<Outbound>,
    /// Acts that belong together beyond one service, in order of time.
    pub incidents: Vec<Incident>,
    /// Acts on what decides over services and their records without being a service's key: by the folded name of the
    /// service they are about, in order of time.
    pub tampering: BTreeMap<String, Vec<tampering::Tampering>>,
    /// Destinations that other hosts talk to, where the analyst lists them.
    pub known_destinations: Option<Arc<KnownDestinations>>,
    /// Which volume carries which drive letter, as far as events tell.
    pub volumes: Volumes,
    /// Installs in quick succession and keys written together.
    pub bursts: Bursts,
    /// Who could speak.
    pub coverage: Coverage,
    /// Half the width of the two-sided window in which events are taken to belong together.
    pub window: SignedDuration,
}

impl Host {
    /// The default of [`Host::window`]: 10 minutes to each side.
    pub const DEFAULT_WINDOW: SignedDuration = SignedDuration::from_mins(10);

    /// Joins facts into a host. Pure: the order of facts of different artifacts does not matter.
    pub fn from_facts(facts: Vec<Fact>, coverage: Coverage, window: SignedDuration) -> Self {
        join::join(facts, coverage, window)
    }

    /// A service's file for a purpose, where evidence with files was read.
    pub fn file_of(
        &self,
        service: &Service,
        purpose: &program_file::Purpose,
    ) -> Option<&ProgramFile> {
        self.files.get(service.file(purpose)?.file)
    }

    /// The service of that key name, without case.
    pub fn service(&self, name: &str) -> Option<&Service> {
        let wanted = text::fold(name);
        let at = self.services.binary_search_by(|service| text::compare(&service.name, &wanted));
        self.services.get(at.ok()?)
    }

    /// The older state of the registry that a configuration stands in, where it is one that was current then.
    pub fn older_state(&self, config: &ServiceConfig) -> Option<&OlderState> {
        older::state_of(config, &self.older_states)
    }

    /// The settings of one kind.
    pub fn settings_of(&self, kind: SettingKind) -> impl Iterator<Item = &Setting> {
        self.settings.iter().filter(move |setting| setting.kind == kind)
    }

    /// Whether it is known to be Windows XP, Server 2003 or older: by its build, else by services that Vista removed.
    pub fn is_before_vista(&self) -> bool {
        match self.build_number() {
            Some(build) => build < 6_000,
            None => ["Alerter", "Messenger", "helpsvc"]
                .iter()
                .any(|name| self.service(name).is_some_and(Service::in_registry)),
        }
    }

    /// Whether it is known to be Windows Vista or later: by its build, else by the firewall service that came with it.
    /// No opposite of [`Host::is_before_vista`]: without a build and either sign both say no.
    pub fn is_vista_or_later(&self) -> bool {
        match self.build_number() {
            Some(build) => build >= 6_000,
            None => self.service("MpsSvc").is_some(),
        }
    }

    /// Whether it is known to be a server, by the name of its Windows.
    pub fn is_server(&self) -> bool {
        let product = self.identity.product.as_deref();
        product.is_some_and(|product| product.to_lowercase().contains("server"))
    }

    /// The build number's first part, `19045`, where known.
    pub fn build_number(&self) -> Option<u32> {
        self.identity.build.as_deref()?.split('.').next()?.parse().ok()
    }
}
