//! Tiny hosts for worked examples: one service, the facts around it, and who could speak.
//!
//! A scene is made of the same facts that artifacts write and goes through the same join and the same value
//! decoder, so an example cannot describe a host that real evidence could not.

mod file;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::baseline::{self, Baseline};
use super::{Given, Memory, Overview, Policy, Scope};
use crate::artifact::service_values;
use crate::host::citation::{Citation, Place, Provenance};
use crate::host::config::{
    AccessRule, AccessRules, Confidence, Data, Epoch, RawValue, ServiceConfig, Trigger, ValueOrder,
};
use crate::host::coverage::{Coverage, Gap, GapReason, Origin, Span, State};
use crate::host::event::{Action, Event};
use crate::host::fact::{
    ConfigurationKey, Fact, Identity, IdentityItem, SafeBootEntry, ServicesKey, Setting,
    SettingKind, SvchostGroup,
};
use crate::host::posture::{Effect, Known};
use crate::host::program_file::Purpose;
use crate::host::rule_hit::{Rule, RuleHit, RuleLevel};
use crate::host::{Host, KnownDestinations, ProgramFile};

/// A host in the making.
#[derive(Debug, Clone)]
pub struct Scene {
    service: String,
    config: Option<ServiceConfig>,
    order: Option<ValueOrder>,
    facts: Vec<Fact>,
    covered: BTreeMap<Origin, State>,
    gaps: Vec<(Origin, i64, i64)>,
    given: Given,
    known_destinations: Option<Arc<KnownDestinations>>,
    files: Vec<(Purpose, ProgramFile)>,
    next_record: u64,
}

/// Seconds since 1970 of [`Scene::noon`].
const NOON: i64 = 1_772_452_800;

impl Scene {
    /// 2026-03-02T12:00:00Z: the time from which scenes count, and the default last-write time.
    pub fn noon() -> Timestamp {
        Timestamp::from_second(NOON).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// A scene with the SYSTEM hive read completely and nothing in it.
    fn empty(name: &str) -> Self {
        let mut scene = Self {
            service: name.to_owned(),
            config: None,
            order: None,
            facts: Vec::new(),
            covered: BTreeMap::new(),
            gaps: Vec::new(),
            given: Given::default(),
            known_destinations: None,
            files: Vec::new(),
            next_record: 1,
        };
        scene.cover(Origin::SystemHive, State::Complete);
        scene
    }

    /// An ordinary vendor service: own process, automatic, `LocalSystem`, in Program Files, described.
    pub fn service(name: &str) -> Self {
        Self::key(name)
            .number("Type", 0x10)
            .number("Start", 2)
            .number("ErrorControl", 1)
            .value("ImagePath", 2, Data::Text(format!(r#""C:\Program Files\Contoso\{name}.exe""#)))
            .text("DisplayName", &format!("{name} Agent"))
            .text("ObjectName", "LocalSystem")
            .text("Description", &format!("Provides {name} to this computer."))
    }

    /// An ordinary Windows service hosted by svchost in `netsvcs`, values in alphabetical order.
    pub fn hosted(name: &str) -> Self {
        Self::key(name)
            .text("Description", "@%SystemRoot%\\system32\\contoso.dll,-2")
            .text("DisplayName", "@%SystemRoot%\\system32\\contoso.dll,-1")
            .number("ErrorControl", 1)
            .value(
                "ImagePath",
                2,
                Data::Text(r"%SystemRoot%\System32\svchost.exe -k netsvcs -p".into()),
            )
            .text("ObjectName", "LocalSystem")
            .number("Start", 3)
            .number("Type", 0x20)
            .value(
                "Parameters\\ServiceDll",
                2,
                Data::Text(format!(r"%SystemRoot%\System32\{name}.dll")),
            )
            .order(ValueOrder::Alphabetical)
    }

    /// An ordinary kernel driver in `System32\drivers`, installed by an INF.
    pub fn driver(name: &str) -> Self {
        Self::key(name)
            .value("ImagePath", 2, Data::Text(format!(r"\SystemRoot\System32\drivers\{name}.sys")))
            .number("Type", 1)
            .number("Start", 3)
            .number("ErrorControl", 1)
            .value("Owners", 7, Data::Texts(vec![format!("{name}.inf")]))
            .order(ValueOrder::Inf)
    }

    /// A service without a key: only logs know it.
    pub fn ghost(name: &str) -> Self {
        Self::empty(name)
    }

    /// A service key without values.
    pub fn key(name: &str) -> Self {
        let mut scene = Self::empty(name);
        let mut config = ServiceConfig::new(name, Epoch::Current, key_citation(name));
        config.last_write = Some(Self::noon());
        scene.config = Some(config);
        scene
    }

    /// Sets a value (replacing one of that name).
    #[must_use]
    pub fn value(mut self, name: &str, kind: u32, data: Data) -> Self {
        if let Some(config) = &mut self.config {
            let values = &mut config.values;
            // Overwriting a value does not move it: the order tells how the key came about.
            if let Some(known) =
                values.iter_mut().find(|value| crate::text::same_name(&value.name, name))
            {
                known.kind = kind;
                known.data = data;
                return self;
            }
            let offset = 0x2000_u64.saturating_add(values.len() as u64 * 0x40);
            let name = name.to_owned();
            let provenance = Provenance::Live;
            values.push(RawValue { name, kind, data, offset, provenance });
        }
        self
    }

    /// Sets a `REG_SZ` value.
    #[must_use]
    pub fn text(self, name: &str, data: &str) -> Self {
        self.value(name, 1, Data::Text(data.to_owned()))
    }

    /// Sets a `REG_DWORD` value.
    #[must_use]
    pub fn number(self, name: &str, data: u32) -> Self {
        self.value(name, 4, Data::Number(data.into()))
    }

    /// Sets `ImagePath`.
    #[must_use]
    pub fn image(self, command: &str) -> Self {
        self.value("ImagePath", 2, Data::Text(command.to_owned()))
    }

    /// Sets `FailureActions` with these `SC_ACTION` types, one minute apart.
    #[must_use]
    pub fn failure_actions(self, kinds: &[u32]) -> Self {
        let mut bytes = Vec::new();
        let count = u32::try_from(kinds.len()).unwrap_or(0);
        for word in [86_400, 0, 1, count, 0x14] {
            bytes.extend_from_slice(&u32::to_le_bytes(word));
        }
        for kind in kinds {
            bytes.extend_from_slice(&kind.to_le_bytes());
            bytes.extend_from_slice(&60_000_u32.to_le_bytes());
        }
        self.value("FailureActions", 3, Data::Bytes(bytes))
    }

    /// Removes a value.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        if let Some(config) = &mut self.config {
            config.values.retain(|value| !crate::text::same_name(&value.name, name));
        }
        self
    }

    /// Puts the values into the order that such a history leaves.
    #[must_use]
    pub fn order(mut self, order: ValueOrder) -> Self {
        self.order = Some(order);
        self
    }

    /// Changes what the value decoder does not produce: last-write time, access rules, triggers.
    #[must_use]
    pub fn configure(mut self, change: impl FnOnce(&mut ServiceConfig)) -> Self {
        if let Some(config) = &mut self.config {
            change(config);
        }
        self
    }

    /// Sets the service's access rules to one entry: allow or deny `mask` to `sid`.
    #[must_use]
    pub fn access(self, allow: bool, sid: &str, mask: u32) -> Self {
        let rules = access_rules(allow, sid, mask);
        self.configure(|config| config.security = Some(rules))
    }

    /// Adds a start trigger of that type.
    #[must_use]
    pub fn trigger(self, kind: u32) -> Self {
        self.configure(|config| {
            config.triggers.push(Trigger { kind, action: 1, guid: None, data: Vec::new() });
        })
    }

    /// Adds the same service in another state (a control set, a backup, deleted), changed.
    #[must_use]
    pub fn before(mut self, epoch: Epoch, change: impl FnOnce(&mut ServiceConfig)) -> Self {
        let mut config = self.config.clone().unwrap_or_else(|| {
            ServiceConfig::new(&self.service, epoch.clone(), key_citation(&self.service))
        });
        config.epoch = epoch;
        let _problems = service_values::decode(&mut config);
        change(&mut config);
        self.facts.push(Fact::Service(Box::new(config)));
        self
    }

    /// Adds an older state of the host, whose `Services` key was read completely and does not have the service.
    #[must_use]
    pub fn older_without(mut self, label: &str) -> Self {
        let states = [(Epoch::Current, "SYSTEM".to_owned()), (history(label), hive_of(label))];
        for (epoch, hive) in states {
            self.facts.push(Fact::ServicesKey(ServicesKey {
                epoch,
                citation: hive_citation(&hive, "ControlSet001\\Services"),
                complete: true,
                newest: Some(Self::noon()),
            }));
        }
        self
    }

    /// Adds an older state of the host, in which the service has these values, changed.
    #[must_use]
    pub fn older_with(
        self,
        label: &str,
        change: impl FnOnce(&mut BTreeMap<&'static str, Data>),
    ) -> Self {
        let mut scene = self.older_without(label);
        let Some(mut config) = scene.config.clone() else { return scene };
        config.epoch = history(label);
        config.citation.artifact = Arc::from(hive_of(label));
        let mut changed: BTreeMap<&'static str, Data> = BTreeMap::new();
        for name in ["ImagePath", "ObjectName", "FailureCommand"] {
            let value = config.values.iter().find(|value| value.name == name);
            changed.extend(value.map(|value| (name, value.data.clone())));
        }
        config.values.retain(|value| !changed.contains_key(value.name.as_str()));
        change(&mut changed);
        for (name, data) in changed {
            let (name, provenance) = (name.to_owned(), Provenance::Live);
            config.values.push(RawValue { name, kind: 1, data, offset: 0x3000, provenance });
        }
        let _problems = service_values::decode(&mut config);
        scene.facts.push(Fact::Service(Box::new(config)));
        scene
    }

    /// The service was there in an older state only.
    #[must_use]
    pub fn only_in(self, label: &str) -> Self {
        let mut scene = self.older_with(label, |_| {});
        scene.config = None;
        scene
    }

    /// The key was deleted and recovered.
    #[must_use]
    pub fn deleted(mut self) -> Self {
        let current = self.config.take();
        let mut config = current.unwrap_or_else(|| {
            ServiceConfig::new(&self.service, Epoch::Current, key_citation(&self.service))
        });
        config.epoch = Epoch::Deleted(Confidence::High);
        config.citation.provenance = Provenance::Recovered;
        let _problems = service_values::decode(&mut config);
        self.facts.push(Fact::Service(Box::new(config)));
        self
    }

    /// Adds another service of the same host.
    #[must_use]
    pub fn beside(mut self, other: Self) -> Self {
        for (origin, state) in &other.covered {
            self.covered.entry(*origin).or_insert(*state);
        }
        let (facts, _, _, _) = other.into_facts();
        self.facts.extend(facts);
        self
    }

    /// Adds an event `seconds` after noon; the origin that holds such events counts as completely read.
    #[must_use]
    pub fn event(self, seconds: i64, action: Action) -> Self {
        self.event_by(seconds, None, action)
    }

    /// Adds an event logged in the name of a user.
    #[must_use]
    pub fn event_by(mut self, seconds: i64, user_sid: Option<&str>, action: Action) -> Self {
        let (channel, event_id, origins) = placement(&action);
        for origin in origins {
            self.cover(*origin, State::Complete);
        }
        let record_id = self.next_record;
        self.next_record = self.next_record.saturating_add(1);
        self.facts.push(Fact::Event(Box::new(Event {
            time: at(seconds),
            computer: "WS01".to_owned(),
            user_sid: user_sid.map(str::to_owned),
            citation: Citation {
                artifact: Arc::from(format!("{channel}.evtx")),
                place: Place::Record { channel: Arc::from(channel), event_id, record_id },
                provenance: Provenance::Live,
            },
            action,
        })));
        self
    }

    /// Says how much of an origin was read, whatever was said before; logs reach from a month before noon to a month after.
    #[must_use]
    pub fn covered(mut self, origin: Origin, state: State) -> Self {
        self.cover(origin, state);
        self
    }

    /// Takes the records between two times, in seconds after noon, out of a log.
    #[must_use]
    pub fn gap(mut self, origin: Origin, from: i64, to: i64) -> Self {
        self.gaps.push((origin, from, to));
        self
    }

    fn cover(&mut self, origin: Origin, state: State) {
        self.covered.insert(origin, state);
    }

    fn coverage(&self) -> Coverage {
        let month = 30 * 86_400;
        let mut coverage = Coverage::default();
        for (origin, state) in &self.covered {
            let (from, to) = (Some(at(-month)), Some(at(month)));
            coverage.record(*origin, Span { state: *state, from, to, notes: Vec::new() });
        }
        for (origin, from, to) in &self.gaps {
            let reason = GapReason::MissingRecords;
            coverage.record_gap(*origin, Gap { from: at(*from), to: at(*to), reason });
        }
        coverage
    }

    /// Adds a svchost group as the SOFTWARE hive has it.
    #[must_use]
    pub fn svchost_group(mut self, name: &str, members: &[&str]) -> Self {
        self.cover(Origin::SoftwareHive, State::Complete);
        self.facts.push(Fact::SvchostGroup(SvchostGroup {
            name: name.to_owned(),
            members: members.iter().map(|member| (*member).to_owned()).collect(),
            citation: hive_citation("SOFTWARE", "Microsoft\\Windows NT\\CurrentVersion\\Svchost"),
        }));
        self
    }

    /// Says which build of Windows it is.
    #[must_use]
    pub fn windows(mut self, product: &str, build: &str) -> Self {
        self.cover(Origin::SoftwareHive, State::Complete);
        self.facts.push(Fact::Identity(Identity {
            item: IdentityItem::Windows {
                product: product.to_owned(),
                build: Some(build.to_owned()),
                version: None,
                installed: None,
            },
            epoch: Epoch::Current,
            citation: hive_citation("SOFTWARE", "Microsoft\\Windows NT\\CurrentVersion"),
        }));
        self
    }

    /// Adds a `SafeBoot` entry.
    #[must_use]
    pub fn safe_boot(mut self, mode: &str, name: &str) -> Self {
        self.facts.push(Fact::SafeBoot(SafeBootEntry {
            mode: mode.to_owned(),
            name: name.to_owned(),
            kind: "Service".to_owned(),
            citation: hive_citation(
                "SYSTEM",
                &format!("ControlSet001\\Control\\SafeBoot\\{mode}\\{name}"),
            ),
        }));
        self
    }

    /// Adds a setting of the service control manager or the event log.
    #[must_use]
    pub fn setting(mut self, kind: SettingKind, value: &str) -> Self {
        self.facts.push(Fact::Setting(Setting {
            kind,
            value: value.to_owned(),
            rules: None,
            citation: hive_citation("SYSTEM", "ControlSet001\\Control"),
        }));
        self
    }

    /// Adds a setting that decides what the host records, from a SECURITY hive.
    #[must_use]
    pub fn posture(mut self, known: &Known, state: &str, effect: Effect) -> Self {
        self.cover(Origin::SecurityHive, State::Complete);
        let citation = hive_citation("SECURITY", "Policy\\PolAdtEv");
        self.facts.push(Fact::Posture(known.found(state, effect, citation)));
        self
    }

    /// Adds a configuration key (a key without `Type`).
    #[must_use]
    pub fn configuration_key(mut self, name: &str) -> Self {
        self.facts.push(Fact::ConfigurationKey(ConfigurationKey {
            name: name.to_owned(),
            epoch: Epoch::Current,
            citation: key_citation(name),
            last_write: Some(Self::noon()),
            values: Vec::new(),
            load_points: Vec::new(),
        }));
        self
    }

    /// Gives the analyst's policy.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.cover(Origin::ChangePolicy, State::Complete);
        self.given.policy = Some(policy);
        self
    }

    /// Gives the analyst's baselines.
    #[must_use]
    pub fn baseline(mut self, baseline: Baseline) -> Self {
        self.given.baseline = Some(Arc::new(baseline));
        self
    }

    /// Has a Sigma rule of that level fire on the last event, or on a record that is none where there is no event.
    #[must_use]
    pub fn rule_hit(mut self, level: RuleLevel) -> Self {
        self.cover(Origin::SigmaRules, State::Complete);
        let last = self.facts.iter().rev().find_map(|fact| match fact {
            Fact::Event(event) => Some((event.time, event.citation.clone())),
            _ => None,
        });
        let (time, citation) =
            last.unwrap_or_else(|| (Self::noon(), hive_citation("Application.evtx", "")));
        let title = format!("A rule of level {}", level.label());
        let rule = Rule { title, level, file: "rule.yml".to_owned(), ..Rule::default() };
        self.facts.push(Fact::RuleHit(Box::new(RuleHit {
            rule: Arc::new(rule),
            time,
            computer: "WS01".to_owned(),
            citations: vec![citation],
            fields: vec![("ServiceName".to_owned(), self.service.clone())],
        })));
        self
    }

    /// Gives the list of destinations that other hosts talk to.
    #[must_use]
    pub fn known_destinations(mut self, known: KnownDestinations) -> Self {
        self.cover(Origin::KnownDestinations, State::Complete);
        self.known_destinations = Some(Arc::new(known));
        self
    }

    fn into_facts(mut self) -> (Vec<Fact>, Coverage, Given, String) {
        if let Some(mut config) = self.config.take() {
            if let Some(order) = self.order {
                arrange(&mut config.values, order);
            }
            let _problems = service_values::decode(&mut config);
            self.facts.push(Fact::Service(Box::new(config)));
        }
        let coverage = self.coverage();
        (self.facts, coverage, self.given, self.service)
    }

    /// Joins the scene and asks: `question` sees the scene's service. `None` where the join lost it.
    pub fn ask<T>(self, question: impl FnOnce(&Scope<'_>) -> T) -> Option<T> {
        let known_destinations = self.known_destinations.clone();
        let files = self.files.clone();
        let (facts, coverage, given, name) = self.into_facts();
        let mut host = Host::from_facts(facts, coverage, Host::DEFAULT_WINDOW);
        host.known_destinations = known_destinations;
        baseline::record(&mut host, &given);
        file::attach(&mut host, &files);
        let service = host.service(&name)?;
        let (overview, memory) = (Overview::of(&host, &given), Memory::default());
        let (overview, memory) = (&overview, &memory);
        Some(question(&Scope { host: &host, service, given: &given, overview, memory }))
    }
}

/// Sorts values as such a history leaves them; those it says nothing of follow.
fn arrange(values: &mut [RawValue], order: ValueOrder) {
    let first: &[&str] = match order {
        ValueOrder::Alphabetical => {
            return values.sort_by_cached_key(|value| crate::text::fold(&value.name));
        }
        ValueOrder::CreateService => {
            &["Type", "Start", "ErrorControl", "ImagePath", "DisplayName", "ObjectName"]
        }
        ValueOrder::Inf => &["ImagePath", "Type", "Start", "ErrorControl"],
        ValueOrder::Other => &["ErrorControl", "Type", "ImagePath", "Start"],
        ValueOrder::TooFew => &[],
    };
    values.sort_by_key(|value| {
        let at = first.iter().position(|name| crate::text::same_name(name, &value.name));
        at.unwrap_or(first.len())
    });
}

/// Access rules with one entry.
fn access_rules(allow: bool, sid: &str, mask: u32) -> AccessRules {
    AccessRules {
        sddl: format!("D:({};;0x{mask:x};;;{sid})", if allow { "A" } else { "D" }),
        owner: Some("S-1-5-18".to_owned()),
        null_dacl: false,
        entries: vec![AccessRule { allow, sid: sid.to_owned(), mask, inherit_only: false }],
    }
}

fn at(seconds: i64) -> Timestamp {
    Scene::noon().checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn hive_citation(artifact: &str, path: &str) -> Citation {
    Citation {
        artifact: Arc::from(artifact),
        place: Place::Key { path: path.to_owned(), value: None, offset: 0x1000 },
        provenance: Provenance::Live,
    }
}

fn history(label: &str) -> Epoch {
    Epoch::History(label.to_owned())
}

fn hive_of(label: &str) -> String {
    format!("{label}/SYSTEM")
}

fn key_citation(name: &str) -> Citation {
    hive_citation("SYSTEM", &format!("ControlSet001\\Services\\{name}"))
}

/// Channel and event id under which such an action is usually logged, and the origins it speaks for.
fn placement(action: &Action) -> (&'static str, u16, &'static [Origin]) {
    const SYSTEM: &[Origin] = &[Origin::SystemLog];
    const SECURITY: &[Origin] = &[Origin::SecurityLog];
    const SYSMON: &[Origin] = &[Origin::SysmonLog];
    match action {
        Action::ServiceInstalled(install) if install.service.key.is_some() => {
            ("Security", 4697, SECURITY)
        }
        Action::ServiceInstalled(_) => ("System", 7045, SYSTEM),
        Action::StartTypeChanged { .. } => ("System", 7040, SYSTEM),
        Action::StateChanged { .. } => ("System", 7036, SYSTEM),
        Action::Failed { event_id, .. } => ("System", *event_id, SYSTEM),
        Action::Crashed { recovery: Some(_), .. } => ("System", 7031, SYSTEM),
        Action::Crashed { .. } => ("System", 7034, SYSTEM),
        Action::MarkedInteractive { .. } => ("System", 7030, SYSTEM),
        Action::LogonRefused { error: Some(_), .. } => ("System", 7038, SYSTEM),
        Action::LogonRefused { .. } => ("System", 7041, SYSTEM),
        Action::SystemStarted => ("System", 12, SYSTEM),
        Action::LogCleared { .. } => ("System", 104, SYSTEM),
        Action::LoggingStopped => ("Security", 1100, SECURITY),
        Action::ProcessStarted(_) => {
            ("Security", 4688, &[Origin::SecurityLog, Origin::ProcessEvents])
        }
        Action::ProcessEnded { .. } => ("Security", 4689, SECURITY),
        Action::RegistryChanged(_) => (
            "Microsoft-Windows-Sysmon/Operational",
            13,
            &[Origin::SysmonLog, Origin::RegistryEvents],
        ),
        Action::ObjectAccessed { .. } => ("Security", 4674, SECURITY),
        Action::PermissionsChanged { .. } => ("Security", 4670, SECURITY),
        Action::Logon(_) => ("Security", 4624, SECURITY),
        Action::ShareAccessed { .. } => ("Security", 5145, SECURITY),
        Action::Connected(_) => {
            ("Microsoft-Windows-Sysmon/Operational", 3, &[Origin::SysmonLog, Origin::NetworkEvents])
        }
        Action::PortOpened(opening) => {
            ("Security", if opening.listening { 5154 } else { 5158 }, SECURITY)
        }
        Action::DnsQueried { .. } => ("Microsoft-Windows-Sysmon/Operational", 22, SYSMON),
        Action::DriverLoaded { .. } => ("Microsoft-Windows-Sysmon/Operational", 6, SYSMON),
        Action::ModuleLoaded { .. } => ("Microsoft-Windows-Sysmon/Operational", 7, SYSMON),
        Action::FileCreated { .. } => ("Microsoft-Windows-Sysmon/Operational", 11, SYSMON),
        Action::ProcessOpened { .. } => ("Microsoft-Windows-Sysmon/Operational", 10, SYSMON),
        Action::Pipe { .. } => ("Microsoft-Windows-Sysmon/Operational", 17, SYSMON),
        Action::Script { .. } => {
            ("Microsoft-Windows-PowerShell/Operational", 4104, &[Origin::PowerShellLog])
        }
    }
}
